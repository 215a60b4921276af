//! Times as people type them, in UTC.

use std::time::Duration;

use incident_core::model::time::{Time, after, before};

use super::words::{name, split};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// What a time is given for, and so on which day `09:50` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Toward {
    /// The last one.
    Past,
    /// The next one.
    Future,
}

/// The time that `text` begins with, and what follows it: `09:50`, `2026-11-26 09:50`, `yesterday 22:10`, `15 min ago`,
/// `in 2 h`.
///
/// # Errors
/// How a time is written.
pub(super) fn time(text: &str, now: Time, toward: Toward) -> Result<(Time, &str), String> {
    let (first, rest) = split(text);
    let word = first.to_lowercase();
    let day = |time: Time| time.format("%Y-%m-%d").to_string();
    let read = |date: &str, clock: &str| format!("{date}T{clock}:00Z").parse::<Time>().ok();
    let found = match word.as_str() {
        "now" => Some((now, rest)),
        "today" | "yesterday" | "tomorrow" => {
            let (clock, rest) = split(rest);
            let date = match word.as_str() {
                "yesterday" => before(now, DAY),
                "tomorrow" => after(now, DAY),
                _ => now,
            };
            read(&day(date), &clock_of(clock)).map(|time| (time, zone(rest)))
        }
        _ if word.contains('t') && word.contains(':') => first.parse::<Time>().ok().map(|time| (time, rest)),
        _ if word.matches('-').count() == 2 => {
            let (clock, rest) = split(rest);
            read(&word, &clock_of(clock)).map(|time| (time, zone(rest)))
        }
        _ if word.contains(':') => read(&day(now), &clock_of(&word)).map(|time| {
            let time = match toward {
                Toward::Past if time > now => before(time, DAY),
                Toward::Future if time < now => after(time, DAY),
                _ => time,
            };
            (time, zone(rest))
        }),
        "in" => span(rest).map(|(span, rest)| (after(now, span), rest)),
        _ => span(text).and_then(|(span, rest)| {
            let (ago, rest) = split(rest);
            (name(ago) == "ago").then(|| (before(now, span), rest))
        }),
    };
    found.ok_or_else(|| "the time is missing: 09:50 or 2026-11-26 09:50, in UTC, or 15 min ago".to_owned())
}

/// `9:50` as `09:50`.
fn clock_of(text: &str) -> String {
    let text = text.trim_end_matches(['.', ',', 'z', 'Z']);
    if text.len() == 4 { format!("0{text}") } else { text.to_owned() }
}

/// What follows a `UTC`, which needn't be there.
fn zone(text: &str) -> &str {
    let (word, rest) = split(text);
    if word.eq_ignore_ascii_case("utc") { rest } else { text }
}

/// A length of time: `15 min`, `15min`, `2 h`.
fn span(text: &str) -> Option<(Duration, &str)> {
    let digits = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    let count: u64 = text[..digits].parse().ok()?;
    let (unit, rest) = split(&text[digits..]);
    let seconds = match name(unit).as_str() {
        "s" | "sec" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3600,
        "d" | "day" | "days" => 24 * 3600,
        _ => return None,
    };
    Some((Duration::from_secs(count.checked_mul(seconds)?.min(3650 * 24 * 3600)), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let now: Time = "2026-11-26T10:00:00Z".parse().unwrap();
        for (text, toward, expect, rest) in [
            ("09:50", Toward::Past, "2026-11-26T09:50:00Z", ""),
            ("9:50 UTC the graph shows it", Toward::Past, "2026-11-26T09:50:00Z", "the graph shows it"),
            ("09:50Z", Toward::Past, "2026-11-26T09:50:00Z", ""),
            ("22:10", Toward::Past, "2026-11-25T22:10:00Z", ""),
            ("09:50", Toward::Future, "2026-11-27T09:50:00Z", ""),
            ("2026-11-20 09:50 x", Toward::Past, "2026-11-20T09:50:00Z", "x"),
            ("2026-11-20T09:50:00+01:00", Toward::Past, "2026-11-20T08:50:00Z", ""),
            ("yesterday 22:10", Toward::Past, "2026-11-25T22:10:00Z", ""),
            ("tomorrow 14:00 | place: x", Toward::Future, "2026-11-27T14:00:00Z", "| place: x"),
            ("15 min ago", Toward::Past, "2026-11-26T09:45:00Z", ""),
            ("15min ago.", Toward::Past, "2026-11-26T09:45:00Z", ""),
            ("2 h ago", Toward::Past, "2026-11-26T08:00:00Z", ""),
            ("in 2 h", Toward::Future, "2026-11-26T12:00:00Z", ""),
            ("now", Toward::Past, "2026-11-26T10:00:00Z", ""),
        ] {
            assert_eq!(time(text, now, toward), Ok((expect.parse().unwrap(), rest)), "{text}");
        }
        for text in
            ["", "soon", "25:00", "15", "15 min", "99999999999999999999 min ago", "2026-13-01 09:50", "é:1"]
        {
            assert!(time(text, now, Toward::Past).is_err(), "{text}");
        }
    }
}
