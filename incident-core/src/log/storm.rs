//! Storms: so many groups of alerts at once that an incident for each would tell nobody anything.
//!
//! One incident of each severity gathers them then, and pages once. It takes new groups in for as long as enough of them
//! come, and pages again if they come again later. The groups it has stay with it until the flap window after resolve is
//! over.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::append_map::AppendMap;
use crate::model::severity::Severity;
use crate::model::signal::Fingerprints;
use crate::model::time::{Time, after};

/// How long a storm goes on, as its incident pins it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StormWindow {
    /// How many groups must follow in one window for another one to begin.
    pub groups: u32,
    /// How long a window is.
    #[serde(with = "humantime_serde")]
    pub within: Duration,
}

/// The storm that an incident gathers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Storm {
    /// How long it goes on.
    pub window: StormWindow,
    /// The severity of its alerts, which the incident's own may leave.
    pub severity: Severity,
    /// When the present window began, UTC.
    pub since: Time,
    /// How many groups came in it.
    pub came: u32,
    /// The groups it took in, each by eight bytes of the digest of its name.
    pub groups: AppendMap<u64, ()>,
}

impl Storm {
    pub(crate) fn new(window: StormWindow, severity: Severity, at: Time) -> Self {
        Self { window, severity, since: at, came: 0, groups: AppendMap::default() }
    }

    /// Whether it took this group in.
    #[must_use]
    pub fn has(&self, group: &str) -> bool {
        self.groups.contains_key(&Fingerprints::of(group))
    }

    /// Until when it takes new groups in, UTC, if no more come.
    #[must_use]
    pub fn until(&self) -> Time {
        after(self.since, self.window.within)
    }

    /// Begins anew at `at`.
    pub(crate) fn begin(&mut self, at: Time) {
        self.since = at;
        self.came = 0;
    }

    /// Takes groups in that came at `at`. Enough of them within a window begin another one, so a trickle doesn't keep a
    /// storm going.
    pub(crate) fn take_in(&mut self, groups: impl IntoIterator<Item = u64>, at: Time) {
        let before = self.came;
        for group in groups {
            self.groups.insert(group, ());
            self.came = self.came.saturating_add(1);
        }
        if self.came > before && self.came >= self.window.groups && at < self.until() {
            self.begin(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_goes_on_for_as_long_as_enough_groups_come() {
        let minutes = |n: u64| after(Time::UNIX_EPOCH, Duration::from_secs(60 * n));
        let window = StormWindow { groups: 3, within: Duration::from_secs(600) };
        for (name, came, until) in [
            ("nothing follows", vec![], 10),
            ("a trickle", vec![(4, 1), (9, 1)], 10),
            ("enough, one by one", vec![(4, 1), (6, 1), (9, 1)], 19),
            ("enough at once, then too few", vec![(5, 8), (7, 2)], 15),
            ("enough twice", vec![(5, 3), (9, 3)], 19),
            ("too late", vec![(12, 5)], 10),
        ] {
            let mut storm = Storm::new(window, Severity::Sev2, Time::UNIX_EPOCH);
            let mut group = 0;
            for (at, count) in came {
                storm.take_in(group..group + count, minutes(at));
                group += count;
            }
            assert_eq!(storm.until(), minutes(until), "{name}");
            assert!((0..group).all(|group| storm.groups.contains_key(&group)), "{name}");
        }
    }
}
