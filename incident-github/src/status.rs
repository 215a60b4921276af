//! The section of an issue's body that is ours, and the line that people set a follow-up's day with.
//!
//! The section stands between two markers. Everything outside of them is people's and stays as it is, to the byte.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use incident_core::model::time::Time;

use crate::marker::Marker;

const BEGIN: &str = "<!-- incident-status -->";
const END: &str = "<!-- /incident-status -->";
const DUE: &str = "Due:";

/// The section, with `content` in it.
pub(crate) fn section(content: &str) -> String {
    format!("{BEGIN}\n{content}\n{END}")
}

/// `body` with its section saying `content`, and nothing else changed.
pub(crate) fn replaced(body: &str, content: &str) -> String {
    let section = section(content);
    match body.split_once(BEGIN) {
        // Without its end nobody can tell what of the rest was the section, so all of it stays.
        Some((before, rest)) => format!("{before}{section}{}", rest.split_once(END).map_or(rest, |it| it.1)),
        // Somebody took it out: it goes to the end.
        None if body.trim().is_empty() => section,
        None => format!("{}\n\n{section}\n", body.trim_end()),
    }
}

/// How many characters of `body` aren't the section's.
pub(crate) fn others(body: &str) -> usize {
    replaced(body, "").chars().count()
}

/// The line that says when a follow-up is due. Only the day: people are to change it.
pub(crate) fn due_line(due: Time) -> String {
    format!("{DUE} {}", due.format("%Y-%m-%d"))
}

/// When the issue says that it is due: `Due: 2026-12-01`, with or without a time in UTC.
///
/// A day without a time is the time that was written when the issue was opened, if it is still the same day, and
/// otherwise the day's last second.
pub(crate) fn due(body: &str) -> Option<Time> {
    let ours = body.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = ours.unwrap_or((body, ""));
    let said = before.lines().chain(after.lines()).find_map(said_due)?;
    let (day, time) = read(said)?;
    let written = Marker::read(body).and_then(|marker| marker.due);
    match (time, written) {
        (Some(time), _) => Some(day.and_time(time).and_utc()),
        (None, Some(written)) if written.date_naive() == day => Some(written),
        (None, _) => Some(day.and_hms_opt(23, 59, 59)?.and_utc()),
    }
}

/// What stands behind `Due:`, whatever people did to make it stand out.
fn said_due(line: &str) -> Option<&str> {
    let line = line.trim().trim_start_matches(['*', '_', '-', ' ']);
    let said =
        line.get(..DUE.len()).filter(|start| start.eq_ignore_ascii_case(DUE)).map(|_| &line[DUE.len()..])?;
    Some(said.trim_matches(['*', '_', '`', ' ']))
}

fn read(said: &str) -> Option<(NaiveDate, Option<NaiveTime>)> {
    let said = said.strip_suffix("UTC").unwrap_or(said).trim_end();
    if let Ok(time) = said.parse::<Time>() {
        return Some((time.date_naive(), Some(time.time())));
    }
    for form in ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(said, form) {
            return Some((time.date(), Some(time.time())));
        }
    }
    Some((NaiveDate::parse_from_str(said, "%Y-%m-%d").ok()?, None))
}

#[cfg(test)]
mod tests {
    use incident_core::model::id::{EffectId, IncidentId, Seq};

    use super::*;

    #[test]
    fn whatever_people_do_to_the_markers_nothing_of_theirs_is_lost() {
        let ours = section("old");
        for (body, expect) in [
            ("", section("new")),
            ("mine", format!("mine\n\n{}\n", section("new"))),
            (ours.as_str(), section("new")),
            (&format!("mine\r\n{ours}\r\nyours"), format!("mine\r\n{}\r\nyours", section("new"))),
            (&format!("{BEGIN}\nold\nyours"), format!("{}\nold\nyours", section("new"))),
            (&format!("{END}\n{ours}\n{ours}"), format!("{END}\n{}\n{ours}", section("new"))),
        ] {
            assert_eq!(replaced(body, "new"), expect, "{body:?}");
        }
    }

    #[test]
    fn a_day_is_read_however_people_write_it() {
        let effect = EffectId { incident: IncidentId::new(Time::UNIX_EPOCH, [7; 16]), seq: Seq(12) };
        let written = "2026-12-01T17:00:00Z".parse().ok();
        let marker = Marker { due: written, ..Marker::new(effect) }.line();
        for (line, expect) in [
            ("Due: 2026-12-01", Some("2026-12-01T17:00:00Z")),
            ("Due: 2026-12-02", Some("2026-12-02T23:59:59Z")),
            ("  due: 2026-12-02 \r", Some("2026-12-02T23:59:59Z")),
            ("**Due:** 2026-12-02", Some("2026-12-02T23:59:59Z")),
            ("- **Due: 2026-12-02**", Some("2026-12-02T23:59:59Z")),
            ("Due: 2026-12-01 09:30", Some("2026-12-01T09:30:00Z")),
            ("Due: 2026-12-01 09:30 UTC", Some("2026-12-01T09:30:00Z")),
            ("Due: 2026-12-01T09:30:00+01:00", Some("2026-12-01T08:30:00Z")),
            ("Due: tomorrow", None),
            ("Due: 2026-02-31", None),
            ("Dué: 2026-12-01", None),
            ("It is due: 2026-12-02", None),
            ("", None),
        ] {
            let body = format!("{}\n\n{line}\n\n{marker}", section("- Due: 1999-01-01"));
            let expect = expect.map(|it| it.parse::<Time>().unwrap());
            assert_eq!(due(&body), expect, "{line:?}");
        }
        assert_eq!(due("Due: 2026-12-01"), "2026-12-01T23:59:59Z".parse().ok());
    }
}
