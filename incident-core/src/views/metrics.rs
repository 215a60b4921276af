//! Response metrics, each by name and with both of its ends: a bare "MTTR" means five different things.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::log::incident::Incident;
use crate::model::side::Side;
use crate::model::time::Time;

/// A length of time in the life of an incident, from one milestone to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Interval {
    /// From the known start to the detection: how long it went unnoticed.
    Detect,
    /// From the detection to the declaration: how long it took to call it an incident.
    Declare,
    /// From the declaration to the first acknowledgement: how long until somebody was on it.
    Acknowledge,
    /// From the declaration to the first mitigation that held, or the deployment of the fix: how long until the harm ended.
    Mitigate,
    /// From the known start to where the recovery checks turned green for good: how long users had it.
    Recover,
    /// From the known start to the end that was declared: how long the incident lasted. The last end counts.
    Resolve,
}

impl Interval {
    /// Every interval, in the order of an incident's life.
    pub const ALL: [Self; 6] =
        [Self::Detect, Self::Declare, Self::Acknowledge, Self::Mitigate, Self::Recover, Self::Resolve];

    /// What it runs from and to, as reports print it: `start → detection`.
    #[must_use]
    pub fn bounds(self) -> &'static str {
        match self {
            Self::Detect => "start → detection",
            Self::Declare => "detection → declaration",
            Self::Acknowledge => "declaration → acknowledgement",
            Self::Mitigate => "declaration → mitigation that held",
            Self::Recover => "start → checks green for good",
            Self::Resolve => "start → resolved",
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Detect => "time to detect",
            Self::Declare => "time to declare",
            Self::Acknowledge => "time to acknowledge",
            Self::Mitigate => "time to mitigate",
            Self::Recover => "time to recover",
            Self::Resolve => "time to resolve",
        })
    }
}

/// How long one incident's intervals took, measured between when things happened, not when they were recorded.
///
/// None where an end isn't known, hasn't come yet or lies before the beginning – never zero instead. While the start is
/// only assumed, nothing is measured from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponseTimes {
    /// Live or drill: a drill's times are never compared with real ones.
    pub side: Side,
    /// See [`Interval::Detect`].
    pub detect: Option<Duration>,
    /// See [`Interval::Declare`].
    pub declare: Option<Duration>,
    /// See [`Interval::Acknowledge`].
    pub acknowledge: Option<Duration>,
    /// See [`Interval::Mitigate`].
    pub mitigate: Option<Duration>,
    /// See [`Interval::Recover`].
    pub recover: Option<Duration>,
    /// See [`Interval::Resolve`].
    pub resolve: Option<Duration>,
}

impl ResponseTimes {
    /// The times of `incident`, as far as it has come.
    #[must_use]
    pub fn of(incident: &Incident) -> Self {
        let at = &incident.milestones;
        let started = incident.known_start();
        Self {
            side: incident.side,
            detect: between(started, at.detected),
            declare: between(at.detected, at.declared),
            acknowledge: between(at.declared, at.acknowledged),
            mitigate: between(at.declared, at.mitigated),
            recover: between(started, at.recovered),
            resolve: between(started, at.resolved),
        }
    }

    /// The length of one interval.
    #[must_use]
    pub fn get(&self, interval: Interval) -> Option<Duration> {
        match interval {
            Interval::Detect => self.detect,
            Interval::Declare => self.declare,
            Interval::Acknowledge => self.acknowledge,
            Interval::Mitigate => self.mitigate,
            Interval::Recover => self.recover,
            Interval::Resolve => self.resolve,
        }
    }
}

fn between(from: Option<Time>, to: Option<Time>) -> Option<Duration> {
    to?.signed_duration_since(from?).to_std().ok()
}

/// What several lengths of time have in common. Each is one that really occurred: nothing is averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// How many there are; below ten or so, 90 % of them says little.
    pub n: usize,
    /// The shortest that at least half of them don't exceed.
    pub median: Duration,
    /// The shortest that at least 90 % of them don't exceed.
    pub p90: Duration,
}

/// The statistics of `lengths`, by nearest rank: the ⌈q·n⌉-th shortest for the share q. None if there are none.
///
/// ```
/// # use incident_core::views::metrics::statistics;
/// # use std::time::Duration;
/// let minutes: Vec<_> = [10, 20, 30, 600].map(|it| Duration::from_secs(it * 60)).into();
/// let statistics = statistics(&minutes).unwrap();
/// assert_eq!((statistics.n, statistics.median, statistics.p90), (4, minutes[1], minutes[3]));
/// ```
#[must_use]
pub fn statistics(lengths: &[Duration]) -> Option<Statistics> {
    let mut sorted = lengths.to_vec();
    sorted.sort_unstable();
    let n = sorted.len();
    let rank = |tenths: usize| sorted.get(n.saturating_mul(tenths).div_ceil(10).checked_sub(1)?).copied();
    Some(Statistics { n, median: rank(5)?, p90: rank(9)? })
}

/// The response times of many incidents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Comparison {
    /// How many real incidents were looked at.
    pub incidents: usize,
    /// How many drills were left out.
    pub drills_left_out: usize,
    /// The statistics of each interval that at least one incident has.
    pub intervals: BTreeMap<Interval, Statistics>,
}

/// Compares the times of many incidents. Drills are left out, and counted, so that practice never flatters the figures.
#[must_use]
pub fn across(times: &[ResponseTimes]) -> Comparison {
    let live = || times.iter().filter(|it| it.side == Side::Live);
    let of = |interval: Interval| {
        let lengths: Vec<Duration> = live().filter_map(|it| it.get(interval)).collect();
        Some((interval, statistics(&lengths)?))
    };
    let incidents = live().count();
    Comparison {
        incidents,
        drills_left_out: times.len() - incidents,
        intervals: Interval::ALL.into_iter().filter_map(of).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::incident::Milestones;
    use crate::log::mitigation::Stage;
    use crate::model::effect::Work;
    use crate::model::id::IncidentId;
    use crate::model::severity::Severity;
    use crate::rules::command::{Command, Declare, EffectResult, Undo};
    use crate::rules::test_driver::Driver;

    fn minutes(count: u64) -> Duration {
        Duration::from_secs(60 * count)
    }

    fn incident(milestones: Milestones) -> Incident {
        let mut incident = Incident::blank(IncidentId::from_bytes([0; 16]));
        incident.milestones = milestones;
        incident.start_known = true;
        incident
    }

    fn at(minute: u64) -> Option<Time> {
        Some(crate::model::time::after(Time::UNIX_EPOCH, minutes(minute)))
    }

    #[test]
    fn each_interval_has_its_own_ends() {
        let milestones = Milestones {
            started: at(0),
            detected: at(1),
            declared: at(3),
            acknowledged: at(7),
            mitigated: at(18),
            recovered: at(31),
            resolved: at(60),
            closed: at(100),
        };
        let times = ResponseTimes::of(&incident(milestones));
        for (interval, expect) in Interval::ALL.into_iter().zip([1, 2, 4, 15, 31, 60]) {
            assert_eq!(times.get(interval), Some(minutes(expect)), "{interval}");
        }
    }

    #[test]
    fn what_is_reversed_or_unknown_is_none_and_not_zero() {
        let reversed = Milestones {
            started: at(5),
            detected: at(4),
            declared: at(3),
            acknowledged: at(2),
            mitigated: at(1),
            recovered: at(0),
            ..Milestones::default()
        };
        let times = ResponseTimes::of(&incident(reversed));
        assert_eq!(times, ResponseTimes::default());
    }

    #[test]
    fn nothing_is_measured_from_an_assumed_start() {
        let milestones = Milestones {
            started: at(0),
            detected: at(0),
            declared: at(2),
            recovered: at(9),
            resolved: at(9),
            ..Milestones::default()
        };
        let mut incident = incident(milestones);
        incident.start_known = false;
        let times = ResponseTimes::of(&incident);
        assert_eq!(times, ResponseTimes { declare: Some(minutes(2)), ..ResponseTimes::default() });
    }

    #[test]
    fn taking_a_failed_change_back_ends_no_harm() {
        let mut driver = Driver::declared(Declare::new("checkout is down").severity(Severity::Sev2));
        driver.settle();
        let proposal = driver.propose();
        driver.approve(proposal);
        driver.order(proposal);
        for _ in 0..2 {
            let effect = driver.incident.effects.values().next().unwrap().seq;
            driver.begin(effect);
            let result = match driver.incident.effects[&effect].work {
                Work::Execute(_) => driver.success(effect),
                _ => EffectResult::Verified { holds: false, detail: "it crashes".to_owned() },
            };
            driver.conclude(effect, result);
        }
        let undo = Undo { mitigation: proposal, because: "it made things worse".to_owned() };
        let undo = driver.alice(Command::Undo(undo));
        driver.settle();
        driver.approve(undo);
        driver.order(undo);
        driver.settle();
        assert_eq!(driver.incident.mitigations[&undo].stage, Stage::Holds);
        assert_eq!(ResponseTimes::of(&driver.incident).mitigate, None);
    }

    #[test]
    fn ranks_are_nearest_ranks() {
        for (lengths, expect) in [
            (vec![], None),
            (vec![7], Some((1, 7, 7))),
            (vec![9, 1], Some((2, 1, 9))),
            (vec![3, 1, 2], Some((3, 2, 3))),
            ((1..=10).rev().collect(), Some((10, 5, 9))),
            ((1..=11).collect(), Some((11, 6, 10))),
        ] {
            let lengths: Vec<Duration> = lengths.into_iter().map(minutes).collect();
            let found = statistics(&lengths).map(|it| (it.n, it.median, it.p90));
            assert_eq!(found, expect.map(|(n, median, p90)| (n, minutes(median), minutes(p90))));
        }
    }

    #[test]
    fn drills_are_left_out() {
        let live = |resolve| ResponseTimes { resolve: Some(minutes(resolve)), ..ResponseTimes::default() };
        let drill = ResponseTimes { side: Side::Drill, detect: Some(minutes(1)), ..live(1) };
        let comparison = across(&[live(30), drill, live(90)]);
        assert_eq!((comparison.incidents, comparison.drills_left_out), (2, 1));
        let resolve = Statistics { n: 2, median: minutes(30), p90: minutes(90) };
        assert_eq!(comparison.intervals, [(Interval::Resolve, resolve)].into());
    }
}
