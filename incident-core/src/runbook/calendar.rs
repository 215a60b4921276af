//! Business days in one place of the world.

use std::time::Duration;

use chrono::{Datelike, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Weekday};
use chrono_tz::{GapInfo, Tz};
use serde::{Deserialize, Serialize};

use crate::model::severity::Within;
use crate::model::time::{Time, after};

/// When people work: weekdays, hours, holidays, and the zone in which these are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// The IANA zone, such as `Europe/Zurich`.
    pub zone: Tz,
    /// The weekdays on which people work.
    pub weekdays: Vec<Weekday>,
    /// When the working day begins, in the zone.
    pub opens: NaiveTime,
    /// When the working day ends, in the zone; after `opens`.
    pub closes: NaiveTime,
    /// Days on which nobody works.
    #[serde(default)]
    pub holidays: Vec<NaiveDate>,
}

impl Calendar {
    /// How many days ahead business days are looked for; beyond, every day counts as one.
    const HORIZON_DAYS: u32 = 3_660;

    /// Whether people work on `date`, a date in the calendar's zone.
    #[must_use]
    pub fn is_business_day(&self, date: NaiveDate) -> bool {
        self.weekdays.contains(&date.weekday()) && !self.holidays.contains(&date)
    }

    /// When what became owed at `from` is due.
    ///
    /// [`Within::Elapsed`] is time on the wall, whatever the calendar says; the others are the end of a business day in
    /// the calendar's zone. The answer is never before `from`.
    #[must_use]
    pub fn due(&self, from: Time, within: Within) -> Time {
        match within {
            Within::Elapsed(length) => after(from, length),
            Within::SameBusinessDay => self.end_of_same_business_day(from),
            Within::NextBusinessDay => self.end_of_business_day_after(from, 1),
            Within::BusinessDays(days) => self.end_of_business_day_after(from, days),
        }
    }

    /// The end of the business day that `from` lies in, or of the next one if people no longer work on that day.
    #[must_use]
    pub fn end_of_same_business_day(&self, from: Time) -> Time {
        self.local_date(from)
            .filter(|today| self.is_business_day(*today))
            .and_then(|today| self.end_of(today))
            .filter(|end| from < *end)
            .unwrap_or_else(|| self.end_of_business_day_after(from, 1))
    }

    /// The end of the `days`-th business day after the date of `from`; for 0 the end of the same business day.
    ///
    /// If there aren't that many business days within ten years – a calendar without weekdays, holidays without end –
    /// each missing one counts 24 hours, so the answer is always there and always grows with `days`.
    #[must_use]
    pub fn end_of_business_day_after(&self, from: Time, days: u32) -> Time {
        if days == 0 {
            return self.end_of_same_business_day(from);
        }
        let mut left = days;
        let mut reached = from;
        let mut date = self.local_date(from);
        for _ in 0..Self::HORIZON_DAYS {
            date = date.and_then(|date| date.succ_opt());
            let end = date.filter(|date| self.is_business_day(*date)).and_then(|date| self.end_of(date));
            if let Some(end) = end {
                reached = reached.max(end);
                left -= 1;
                if left == 0 {
                    return reached;
                }
            }
        }
        after(reached, Duration::from_secs(86_400 * u64::from(left)))
    }

    /// The date that the calendar's zone shows at `time`.
    fn local_date(&self, time: Time) -> Option<NaiveDate> {
        let utc = time.naive_utc();
        let offset = self.zone.offset_from_utc_datetime(&utc).fix();
        utc.checked_add_offset(offset).map(|local| local.date())
    }

    /// When the working day `date` has ended for good.
    fn end_of(&self, date: NaiveDate) -> Option<Time> {
        self.last_instant(date.and_time(self.closes))
    }

    /// The last instant at which the zone's clocks haven't passed `local`: of two the later one, and if they skip it the
    /// first one after the gap – so a deadline is never earlier than it reads.
    fn last_instant(&self, local: NaiveDateTime) -> Option<Time> {
        match self.zone.from_local_datetime(&local) {
            LocalResult::Single(time) => Some(time.to_utc()),
            LocalResult::Ambiguous(_, later) => Some(later.to_utc()),
            LocalResult::None => GapInfo::new(&local, &self.zone)?.end.map(|time| time.to_utc()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    use proptest::prelude::*;

    use super::*;

    const WEEK: [Weekday; 7] = [Mon, Tue, Wed, Thu, Fri, Sat, Sun];

    fn calendar(zone: &str, weekdays: &[Weekday], closes: &str, holidays: &[&str]) -> Calendar {
        Calendar {
            zone: zone.parse().unwrap(),
            weekdays: weekdays.to_vec(),
            opens: NaiveTime::MIN,
            closes: closes.parse().unwrap(),
            holidays: holidays.iter().map(|date| date.parse().unwrap()).collect(),
        }
    }

    fn time(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn deadlines_end_with_a_business_day() {
        let zurich = calendar("Europe/Zurich", &WEEK[..5], "17:00", &["2026-12-25", "2026-12-28"]);
        for (from, within, due) in [
            // Wednesday: before, at and after five o'clock in winter.
            ("2026-12-16T15:59:59Z", Within::SameBusinessDay, "2026-12-16T16:00:00Z"),
            ("2026-12-16T16:00:00Z", Within::SameBusinessDay, "2026-12-17T16:00:00Z"),
            ("2026-12-16T15:59:59Z", Within::NextBusinessDay, "2026-12-17T16:00:00Z"),
            ("2026-12-16T20:00:00Z", Within::NextBusinessDay, "2026-12-17T16:00:00Z"),
            ("2026-12-16T20:00:00Z", Within::BusinessDays(0), "2026-12-17T16:00:00Z"),
            ("2026-12-16T20:00:00Z", Within::BusinessDays(1), "2026-12-17T16:00:00Z"),
            // 23:30 UTC is already Thursday in Zurich.
            ("2026-12-16T23:30:00Z", Within::NextBusinessDay, "2026-12-18T16:00:00Z"),
            // Over a weekend, and over Christmas, a weekend and a holiday.
            ("2026-12-19T10:00:00Z", Within::SameBusinessDay, "2026-12-21T16:00:00Z"),
            ("2026-12-18T10:00:00Z", Within::BusinessDays(2), "2026-12-22T16:00:00Z"),
            ("2026-12-24T20:00:00Z", Within::NextBusinessDay, "2026-12-29T16:00:00Z"),
            ("2026-12-24T20:00:00Z", Within::Elapsed(Duration::from_secs(900)), "2026-12-24T20:15:00Z"),
        ] {
            assert_eq!(zurich.due(time(from), within), time(due), "{from} {within:?}");
        }
    }

    #[test]
    fn clocks_that_jump_move_no_deadline_before_what_it_reads() {
        for (zone, closes, from, due) in [
            // Spring: the wall's five o'clock is an hour (Lord Howe: half an hour) earlier in UTC than the day before.
            ("Europe/Zurich", "17:00", "2026-03-28T12:00:00Z", "2026-03-29T15:00:00Z"),
            ("America/New_York", "17:00", "2026-03-07T12:00:00Z", "2026-03-08T21:00:00Z"),
            ("Australia/Lord_Howe", "17:00", "2026-10-03T01:00:00Z", "2026-10-04T06:00:00Z"),
            // Autumn: later.
            ("Europe/Zurich", "17:00", "2026-10-24T12:00:00Z", "2026-10-25T16:00:00Z"),
            ("America/New_York", "17:00", "2026-10-31T12:00:00Z", "2026-11-01T22:00:00Z"),
            ("Australia/Lord_Howe", "17:00", "2026-04-04T01:00:00Z", "2026-04-05T06:30:00Z"),
            // The closing time is skipped: the first instant after the gap.
            ("Europe/Zurich", "02:30", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),
            ("America/New_York", "02:30", "2026-03-07T12:00:00Z", "2026-03-08T07:00:00Z"),
            ("Australia/Lord_Howe", "02:15", "2026-10-03T01:00:00Z", "2026-10-03T15:30:00Z"),
            // The closing time comes twice: the later one.
            ("Europe/Zurich", "02:30", "2026-10-24T12:00:00Z", "2026-10-25T01:30:00Z"),
            ("America/New_York", "01:30", "2026-10-31T12:00:00Z", "2026-11-01T06:30:00Z"),
            ("Australia/Lord_Howe", "01:45", "2026-04-04T01:00:00Z", "2026-04-04T15:15:00Z"),
            // The whole day is skipped.
            ("Pacific/Apia", "17:00", "2011-12-29T12:00:00Z", "2011-12-30T10:00:00Z"),
        ] {
            let due_next = calendar(zone, &WEEK, closes, &[]).end_of_business_day_after(time(from), 1);
            assert_eq!(due_next, time(due), "{zone} {closes} {from}");
        }
    }

    #[test]
    fn a_calendar_without_business_days_counts_days_of_24_hours() {
        let from = time("2026-12-16T20:00:00Z");
        let none = calendar("UTC", &[], "17:00", &[]);
        let mut endless = calendar("UTC", &WEEK, "17:00", &[]);
        endless.holidays = from.date_naive().iter_days().take(4_000).collect();
        for calendar in [none, endless] {
            for (within, due) in [
                (Within::SameBusinessDay, "2026-12-17T20:00:00Z"),
                (Within::NextBusinessDay, "2026-12-17T20:00:00Z"),
                (Within::BusinessDays(3), "2026-12-19T20:00:00Z"),
            ] {
                assert_eq!(calendar.due(from, within), time(due), "{within:?}");
            }
        }
    }

    #[test]
    fn the_ends_of_time_are_survived() {
        let calendar = calendar("Pacific/Kiritimati", &WEEK, "17:00", &[]);
        for from in [Time::MAX_UTC, Time::MIN_UTC] {
            for within in
                [Within::SameBusinessDay, Within::BusinessDays(u32::MAX), Within::Elapsed(Duration::MAX)]
            {
                assert!(calendar.due(from, within) >= from, "{from} {within:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_deadline_is_never_past_and_grows_with_its_days(
            seconds in -5_000_000_000_i64..10_000_000_000,
            zone in prop::sample::select(&chrono_tz::TZ_VARIANTS[..]),
            weekdays in prop::collection::vec(prop::sample::select(&WEEK[..]), 0..7),
            closes in 0_u32..86_400,
            holidays in prop::collection::vec(0_u64..60, 0..40),
            days in 0_u32..3_000,
        ) {
            let from = Time::from_timestamp(seconds, 0).unwrap();
            let calendar = Calendar {
                zone,
                weekdays: weekdays.into_iter().map(|day| day.num_days_from_monday()).collect::<BTreeSet<_>>()
                    .into_iter().map(|day| WEEK[day as usize]).collect(),
                opens: NaiveTime::MIN,
                closes: NaiveTime::from_num_seconds_from_midnight_opt(closes, 0).unwrap(),
                holidays: holidays.into_iter().map(|day| from.date_naive() + chrono::Days::new(day)).collect(),
            };
            let due = calendar.due(from, Within::BusinessDays(days));
            prop_assert!(due >= from);
            prop_assert!(calendar.due(from, Within::BusinessDays(days + 1)) >= due);
        }
    }
}
