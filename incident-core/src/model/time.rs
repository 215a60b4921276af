//! Points in time and lengths of time, without a clock and without overflow.

use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// A point in time, UTC, kept to the millisecond.
pub type Time = DateTime<Utc>;

/// `time` moved later by `by`; stops at the last time that can be written.
#[must_use]
pub fn after(time: Time, by: Duration) -> Time {
    TimeDelta::from_std(by).ok().and_then(|by| time.checked_add_signed(by)).unwrap_or(Time::MAX_UTC)
}

/// `time` moved earlier by `by`; stops at the first time that can be written.
#[must_use]
pub fn before(time: Time, by: Duration) -> Time {
    TimeDelta::from_std(by).ok().and_then(|by| time.checked_sub_signed(by)).unwrap_or(Time::MIN_UTC)
}

/// How long `later` is after `earlier`; zero if it isn't.
#[must_use]
pub fn since(later: Time, earlier: Time) -> Duration {
    later.signed_duration_since(earlier).to_std().unwrap_or_default()
}

/// `time` without what is finer than a millisecond: what a record keeps.
#[must_use]
pub fn to_millis(time: Time) -> Time {
    DateTime::from_timestamp_millis(time.timestamp_millis()).unwrap_or(time)
}

/// A length of time as people say it, rounded: `45 s`, `15 min`, `2 h 30 min`, `90 d`; at most two units.
///
/// ```
/// use std::time::Duration;
/// # use incident_core::model::time::spoken;
/// assert_eq!(spoken(Duration::from_secs(9000)), "2 h 30 min");
/// ```
#[must_use]
pub fn spoken(length: Duration) -> String {
    const UNITS: [(u128, &str); 5] =
        [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms")];
    let millis = length.as_millis();
    // Rounding up may make a larger unit the first one, as of 59.6 s.
    let finest = |millis: u128| {
        let first = UNITS.iter().position(|(unit, _)| millis >= *unit).unwrap_or(UNITS.len() - 1);
        UNITS[if first < 3 { first + 1 } else { first }].0
    };
    let round = |millis: u128| {
        let unit = finest(millis);
        (millis + unit / 2) / unit * unit
    };
    let mut rest = round(round(millis));
    let mut parts = Vec::new();
    for (unit, name) in UNITS {
        let count = rest / unit;
        rest %= unit;
        if count > 0 {
            parts.push(format!("{count} {name}"));
        }
    }
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

/// Lengths of time as settings and records write them: `15m`, `1h 30m`, `90days`.
///
/// Reads what `humantime` reads. Unlike `humantime` it writes no months and years, which have no fixed length.
pub(crate) mod written {
    use std::time::Duration;

    use serde::{Deserializer, Serializer};

    const DAY: u64 = 86_400;

    pub(crate) fn serialize<S: Serializer>(length: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        let days = length.as_secs() / DAY;
        let rest = length.saturating_sub(Duration::from_secs(days * DAY));
        let rest = if rest.is_zero() && days > 0 {
            String::new()
        } else {
            humantime::format_duration(rest).to_string()
        };
        let days = match days {
            0 => String::new(),
            1 => "1day".to_owned(),
            days => format!("{days}days"),
        };
        serializer.serialize_str(format!("{days} {rest}").trim())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        humantime_serde::deserialize(deserializer)
    }
}

/// A time as notices and reports print it: `2026-11-23 14:30:05 UTC`.
#[must_use]
pub fn stamp(time: Time) -> String {
    time.trunc_subsecs(0).to_string()
}

/// How far the clocks of two engines may differ. A record dated further ahead has a wrong date.
pub(crate) const SKEW: Duration = Duration::from_secs(60);

/// Whether something was recorded by a clock that was, at `now`, beyond doubt ahead.
pub(crate) fn is_ahead(recorded_at: Time, now: Time) -> bool {
    recorded_at > after(now, SKEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_instead_of_panicking() {
        assert_eq!(after(Time::MAX_UTC, Duration::MAX), Time::MAX_UTC);
        assert_eq!(before(Time::MIN_UTC, Duration::from_secs(1)), Time::MIN_UTC);
        assert_eq!(since(Time::MIN_UTC, Time::MAX_UTC), Duration::ZERO);
    }

    #[test]
    fn a_stamp_has_whole_seconds_in_every_year() {
        for (time, expect) in [
            ("2026-11-23T14:30:05.999Z", "2026-11-23 14:30:05 UTC"),
            ("0099-01-02T03:04:05Z", "0099-01-02 03:04:05 UTC"),
            ("+12345-01-02T03:04:05Z", "+12345-01-02 03:04:05 UTC"),
        ] {
            assert_eq!(stamp(time.parse().unwrap()), expect);
        }
    }

    #[test]
    fn lengths_are_written_without_months_and_read_back() {
        #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        struct Length(#[serde(with = "written")] Duration);
        for (seconds, expect) in [
            (0, "0s"),
            (90, "1m 30s"),
            (86_400, "1day"),
            (86_460, "1day 1m"),
            (90 * 86_400, "90days"),
            (400 * 86_400 + 1, "400days 1s"),
        ] {
            let length = Length(Duration::from_secs(seconds));
            let text = serde_json::to_string(&length).unwrap();
            assert_eq!(text, format!("\"{expect}\""));
            assert_eq!(serde_json::from_str::<Length>(&text).unwrap(), length);
        }
        for days in 1..=30 {
            let length = Duration::from_secs(days * 86_400 + 61);
            let own = serde_json::to_value(Length(length)).unwrap();
            assert_eq!(own, humantime::format_duration(length).to_string(), "below a month as ever");
        }
    }

    #[test]
    fn lengths_are_spoken_in_two_units_at_most() {
        for (millis, expect) in [
            (0, "0 s"),
            (400, "400 ms"),
            (1_400, "1 s"),
            (900_000, "15 min"),
            (90_061_000, "1 d 1 h"),
            (1_600, "2 s"),
            (59_600, "1 min"),
            (999, "999 ms"),
            (1_779_400, "29 min 39 s"),
            (1_779_600, "29 min 40 s"),
            (3_599_600, "1 h"),
            (5_370_000, "1 h 30 min"),
            (86_399_000, "1 d"),
            (2 * 86_400_000 + 23 * 3_600_000 + 59 * 60_000, "3 d"),
            (90 * 86_400_000, "90 d"),
            (7_200_000, "2 h"),
        ] {
            assert_eq!(spoken(Duration::from_millis(millis)), expect);
        }
    }
}
