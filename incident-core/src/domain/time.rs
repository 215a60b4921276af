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

/// A length of time as people say it: `45 s`, `15 min`, `2 h 30 min`, `3 d`; at most two units.
///
/// ```
/// use std::time::Duration;
/// # use incident_core::domain::time::spoken;
/// assert_eq!(spoken(Duration::from_secs(9000)), "2 h 30 min");
/// ```
#[must_use]
pub fn spoken(length: Duration) -> String {
    const UNITS: [(u128, &str); 5] =
        [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms")];
    let mut rest = length.as_millis();
    let mut parts = Vec::new();
    for (millis, unit) in UNITS {
        let count = rest / millis;
        rest %= millis;
        if count > 0 {
            parts.push(format!("{count} {unit}"));
        }
        if parts.len() == 2 || (millis == 1_000 && !parts.is_empty()) {
            break;
        }
    }
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

/// A time as notices and reports print it: `2026-11-23 14:30:05 UTC`.
#[must_use]
pub fn stamp(time: Time) -> String {
    time.trunc_subsecs(0).to_string()
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
    fn lengths_are_spoken_in_two_units_at_most() {
        for (millis, expect) in [
            (0, "0 s"),
            (400, "400 ms"),
            (1_400, "1 s"),
            (900_000, "15 min"),
            (90_061_000, "1 d 1 h"),
            (7_200_000, "2 h"),
        ] {
            assert_eq!(spoken(Duration::from_millis(millis)), expect);
        }
    }
}
