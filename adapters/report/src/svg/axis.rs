//! From time to place: a linear scale, broken where long stretches around the response would squeeze it.

use chrono::{DateTime, Datelike};
use incident_core::Time;

/// A place on the picture, in its own units from the left or the top.
pub(crate) type Px = i64;

/// From when to when, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Time,
    pub(crate) to: Time,
}

impl Span {
    fn millis(self) -> i64 {
        self.to.timestamp_millis().saturating_sub(self.from.timestamp_millis())
    }
}

/// The time axis: one zone, or up to three with breaks between them.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    zones: Vec<Zone>,
}

/// A stretch of time on a stretch of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Zone {
    span: Span,
    left: Px,
    right: Px,
}

/// A labelled place on the axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tick {
    pub(crate) x: Px,
    /// `14:05`, or a date where days are counted.
    pub(crate) label: String,
    /// The date or the year, where it changes.
    pub(crate) beneath: Option<String>,
}

/// How wide a stretch before and one after the response is, where it has a scale of its own.
const BEFORE: Px = 110;
const AFTER: Px = 170;
/// What is left free at a break of the scale.
const BREAK: Px = 16;
/// How far ticks are apart at least: a label and some air.
const APART: Px = 62;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const STEPS: [i64; 20] = [
    10 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    28 * DAY,
    91 * DAY,
    364 * DAY,
];
/// The first Monday after the epoch, which was a Thursday: weeks begin there.
const MONDAY: i64 = 4 * DAY;

impl Axis {
    /// A scale over `all` between `left` and `right`, on which `response` keeps most of the room.
    ///
    /// What comes long before or after it has a zone of its own; what comes shortly is on the same scale.
    pub(crate) fn new(response: Span, all: Span, left: Px, right: Px) -> Self {
        let length = response.millis().max(MINUTE);
        let earlier = Span { from: all.from, to: response.from }.millis();
        let later = Span { from: response.to, to: all.to }.millis();
        let margin = length / 40;
        let mut zones = Vec::new();
        let (mut main, mut from, mut to) = (response, left, right);
        if earlier > length {
            main.from = shifted(response.from, -margin);
            let span = Span { from: all.from, to: main.from };
            zones.push(Zone { span, left, right: left + BEFORE });
            from = left + BEFORE + BREAK;
        } else {
            main.from = all.from.min(response.from);
        }
        let split = later > length / 3;
        if split {
            main.to = shifted(response.to, margin);
            to = right - AFTER - BREAK;
        } else {
            main.to = shifted(all.to.max(response.to), margin.min(length));
        }
        if main.millis() < MINUTE {
            main.to = shifted(main.from, MINUTE);
        }
        zones.push(Zone { span: main, left: from, right: to });
        if split {
            let span = Span { from: main.to, to: all.to.max(shifted(main.to, MINUTE)) };
            zones.push(Zone { span, left: to + BREAK, right });
        }
        Self { zones }
    }

    /// Where `time` is; what lies outside is at the nearest end.
    pub(crate) fn x(&self, time: Time) -> Px {
        let at = |zone: &Zone| {
            let whole = i128::from(zone.span.millis().max(1));
            let part = i128::from(Span { from: zone.span.from, to: time }.millis()).clamp(0, whole);
            let wide = i128::from(zone.right - zone.left);
            zone.left + Px::try_from(part * wide / whole).unwrap_or(0)
        };
        let zone = self.zones.iter().rev().find(|zone| time >= zone.span.from);
        zone.or(self.zones.first()).map_or(0, at)
    }

    /// Where the plot ends.
    pub(crate) fn right(&self) -> Px {
        self.zones.last().map_or(0, |zone| zone.right)
    }

    /// The middles of the breaks.
    pub(crate) fn breaks(&self) -> impl Iterator<Item = Px> {
        self.zones.windows(2).map(|pair| (pair[0].right + pair[1].left) / 2)
    }

    /// The ticks of all zones, from left to right.
    pub(crate) fn ticks(&self) -> Vec<Tick> {
        self.zones.iter().flat_map(|zone| self.ticks_in(zone)).collect()
    }

    fn ticks_in(&self, zone: &Zone) -> Vec<Tick> {
        let most = ((zone.right - zone.left) / APART).max(1);
        let length = zone.span.millis();
        let fits = |step: &i64| length / step < most;
        let step = STEPS.into_iter().find(fits).unwrap_or_else(|| (length / most / DAY + 1) * DAY);
        let offset = if step >= 7 * DAY { MONDAY } else { 0 };
        let first = zone.span.from.timestamp_millis().saturating_sub(offset);
        let first = first.div_euclid(step).saturating_add(1).saturating_mul(step).saturating_add(offset);
        let mut ticks = Vec::new();
        let mut before = None;
        for place in 0..=most {
            let millis = first.saturating_add(place.saturating_mul(step));
            let Some(time) = DateTime::from_timestamp_millis(millis).filter(|it| *it <= zone.span.to) else {
                break;
            };
            let (label, beneath) = words(time, step);
            let x = self.x(time);
            if x > zone.right - APART / 3 {
                break;
            }
            let beneath = Some(beneath).filter(|it| before.as_ref() != Some(it));
            before = beneath.clone().or(before);
            ticks.push(Tick { x, label, beneath });
        }
        ticks
    }
}

/// What a tick says, and what is said beneath it where it changes.
fn words(time: Time, step: i64) -> (String, String) {
    if step >= DAY {
        return (time.format("%-d %b").to_string(), time.year().to_string());
    }
    let form = if step < MINUTE { "%H:%M:%S" } else { "%H:%M" };
    (time.format(form).to_string(), time.format("%a %-d %b").to_string())
}

fn shifted(time: Time, millis: i64) -> Time {
    DateTime::from_timestamp_millis(time.timestamp_millis().saturating_add(millis)).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Time {
        time.parse().unwrap()
    }

    fn span(from: &str, to: &str) -> Span {
        Span { from: at(from), to: at(to) }
    }

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_are_round_and_apart_from_minutes_to_centuries() {
        for (from, to, first, second) in [
            ("2026-03-02T14:00:10Z", "2026-03-02T14:01:00Z", "14:00:20", "14:00:30"),
            ("2026-03-02T14:00:10Z", "2026-03-02T14:05:10Z", "14:00:30", "14:01:00"),
            ("2026-03-02T14:00:10Z", "2026-03-02T15:05:10Z", "14:05", "14:10"),
            ("2026-03-02T14:00:10Z", "2026-03-03T14:05:10Z", "16:00", "18:00"),
            ("2026-03-02T14:00:10Z", "2026-03-09T14:05:10Z", "3 Mar", "4 Mar"),
            ("2026-03-02T14:00:10Z", "2026-05-02T14:05:10Z", "9 Mar", "16 Mar"),
        ] {
            let all = span(from, to);
            let axis = Axis::new(all, all, 100, 1_000);
            assert_eq!(labels(&axis)[..2], [first, second], "{from} {to}");
        }
        for (from, to) in [
            ("2026-03-02T14:00:00Z", "2026-03-02T14:00:00Z"),
            ("0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z"),
            ("-262000-01-01T00:00:00Z", "+262000-01-01T00:00:00Z"),
        ] {
            let all = span(from, to);
            let ticks = Axis::new(all, all, 100, 1_000).ticks();
            assert!(ticks.windows(2).all(|pair| pair[1].x - pair[0].x >= APART), "{ticks:?}");
            assert!(!ticks.is_empty() && ticks.len() < 16, "{ticks:?}");
        }
    }

    #[test]
    fn the_date_stands_where_it_changes() {
        let night = span("2026-03-02T22:10:00Z", "2026-03-03T02:00:00Z");
        let beneath = Axis::new(night, night, 100, 1_000).ticks().into_iter().filter_map(|tick| tick.beneath);
        assert_eq!(beneath.collect::<Vec<_>>(), ["Mon 2 Mar", "Tue 3 Mar"]);
    }

    #[test]
    fn weeks_around_an_hour_leave_the_hour_its_room() {
        let response = span("2026-03-02T14:00:00Z", "2026-03-02T15:00:00Z");
        let axis = Axis::new(response, span("2026-02-01T00:00:00Z", "2026-04-01T00:00:00Z"), 100, 1_000);
        assert_eq!(axis.breaks().count(), 2);
        assert!(axis.x(response.to) - axis.x(response.from) > 500);
        let times = ["2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-03-02T14:30:00Z"];
        let times = times.into_iter().chain(["2026-03-02T16:30:00Z", "2026-04-01T00:00:00Z"]).map(at);
        let places: Vec<Px> = times.map(|time| axis.x(time)).collect();
        assert!(places.is_sorted() && places[0] == 100 && places[4] == 1_000, "{places:?}");
    }

    #[test]
    fn what_follows_shortly_is_on_the_same_scale() {
        let response = span("2026-03-02T14:00:00Z", "2026-03-02T15:00:00Z");
        let axis = Axis::new(response, span("2026-03-02T13:50:00Z", "2026-03-02T15:10:00Z"), 0, 800);
        assert_eq!(axis.breaks().count(), 0);
    }
}
