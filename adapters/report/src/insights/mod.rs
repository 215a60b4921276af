//! How a team is doing over many incidents: response times, promises, causes, follow-ups.
//!
//! Nothing is averaged: incidents are few and their lengths skewed, so a mean says little and one long night moves it. Each
//! figure says of how many incidents it is.

mod case;
mod count;
mod html;
mod markdown;
mod plot;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use incident_core::model::cause::CauseClass;
use incident_core::model::id::{IncidentId, Seq};
use incident_core::model::severity::Severity;
use incident_core::model::time::Time;
use incident_core::runbook::Runbook;
use incident_core::views::metrics::Interval;
use serde::Serialize;

use crate::history::History;

pub use html::insights_html;

/// From when to when, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Period {
    /// The first instant of it.
    pub from: Time,
    /// The first instant after it.
    pub until: Time,
}

impl Period {
    /// From `from` to before `until`.
    #[must_use]
    pub fn new(from: Time, until: Time) -> Self {
        Self { from, until }
    }

    fn contains(&self, time: Time) -> bool {
        self.from <= time && time < self.until
    }

    /// The instant between its halves.
    fn middle(&self) -> Time {
        self.from + self.until.signed_duration_since(self.from).max(chrono::TimeDelta::zero()) / 2
    }
}

/// How a team is doing over the incidents of a period. Drills, false alarms and incidents that became part of another are
/// left out of every figure, and counted.
///
/// As JSON, lengths of time are whole seconds and times are UTC.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Insights {
    /// When they were declared.
    pub period: Period,
    /// When this was counted, UTC: what was due before and isn't done is overdue.
    pub as_of: Time,
    /// How many incidents are counted.
    pub incidents: usize,
    /// How many aren't, and why.
    pub left_out: LeftOut,
    /// All of them.
    pub all: Group,
    /// By how bad they were at last, the worst first.
    pub severities: Vec<Group>,
    /// By service, the one with most incidents first.
    pub services: Vec<Group>,
    /// Month by month, UTC; also those without an incident.
    pub months: Vec<Month>,
    /// How what people owed by a time was given.
    pub promises: Vec<Keeping>,
    /// Which causes come again and again, the most frequent first.
    pub causes: Vec<Causes>,
    /// How many incidents have no class of cause.
    pub without_cause: usize,
    /// Incidents of one service with a class of cause in common, within the runbook's time.
    pub repeats: Vec<Repeat>,
    /// What was to be done afterwards.
    pub follow_ups: FollowUps,
}

/// What isn't in the figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LeftOut {
    /// Exercises: practice never flatters the figures.
    pub drills: usize,
    /// False alarms.
    pub false_alarms: usize,
    /// Incidents that became part of another one, which is counted.
    pub merged: usize,
    /// Incidents whose log can't be read.
    pub unreadable: usize,
}

/// Incidents that have something in common.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Group {
    /// What: a severity, a service, `all`. Untrusted.
    pub name: String,
    /// How many there are.
    pub incidents: usize,
    /// How long what took, of those in which both ends are known.
    pub figures: Vec<Figure>,
}

/// How long one interval took in several incidents, by nearest rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Figure {
    /// From what to what.
    pub interval: Interval,
    /// In how many incidents; below ten or so, the second figure says little.
    pub n: usize,
    /// Half of them took no longer, in seconds.
    pub median_seconds: u64,
    /// 90 % of them took no longer, in seconds.
    pub p90_seconds: u64,
    /// How it changed within the period; none if either half has too few incidents to say.
    pub trend: Option<Trend>,
}

/// The median of the first half of a period and of the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Trend {
    /// In the first half, in seconds.
    pub before_seconds: u64,
    /// In the second half, in seconds.
    pub after_seconds: u64,
}

impl Trend {
    /// The fewest incidents that each half needs.
    pub const FEWEST: usize = 5;

    /// The change in per cent, rounded: −50 is half as long.
    #[must_use]
    pub fn per_cent(&self) -> i64 {
        let (before, after) = (i128::from(self.before_seconds.max(1)), i128::from(self.after_seconds));
        i64::try_from((after - before) * 100 / before).unwrap_or(i64::MAX)
    }
}

/// One month.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Month {
    /// Which: `2026-03`.
    pub month: String,
    /// How many incidents were declared in it, by severity.
    pub severities: BTreeMap<Severity, usize>,
    /// How long what took in those.
    pub figures: Vec<Figure>,
}

/// How promises of one kind were kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Keeping {
    /// What was owed, in words.
    pub what: String,
    /// How many were kept in time.
    pub kept: usize,
    /// How many weren't: given late, or not at all.
    pub broken: usize,
    /// How many deadlines passed, where one comes after the other.
    pub deadlines_missed: u64,
    /// How many can't be counted yet, or were no longer owed before they were due.
    pub open_or_dropped: usize,
}

impl Keeping {
    /// The share that was kept in time, in per cent, rounded down; none if nothing was due.
    #[must_use]
    pub fn per_cent(&self) -> Option<usize> {
        (self.kept * 100).checked_div(self.kept + self.broken)
    }
}

/// The incidents of one class of cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Causes {
    /// The class.
    pub class: CauseClass,
    /// How many incidents had such a cause.
    pub incidents: usize,
    /// How many of them in which service. Untrusted.
    pub services: BTreeMap<String, usize>,
}

/// An incident that repeats an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Repeat {
    /// The incident.
    pub incident: IncidentId,
    /// What it was called, in one inert line.
    pub title: String,
    /// The latest earlier one.
    pub repeats: IncidentId,
    /// The service of both. Untrusted.
    pub service: String,
    /// The classes of cause that they have in common.
    pub classes: BTreeSet<CauseClass>,
    /// How long before this one that one began, in seconds.
    pub apart_seconds: u64,
}

/// What was to be done afterwards.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FollowUps {
    /// How many are done.
    pub done: usize,
    /// How many of them by the day they were due.
    pub done_in_time: usize,
    /// How many aren't done.
    pub open: usize,
    /// How many of them should be.
    pub overdue: usize,
    /// How many of them are nobody's.
    pub without_owner: usize,
    /// How old the open ones are: how many up to how many days, and older.
    pub ages: Vec<Age>,
    /// The oldest of them that are overdue.
    pub oldest: Vec<Overdue>,
}

/// How many open action items are how old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Age {
    /// At most so many days; none for those that are older than every other.
    pub up_to_days: Option<u64>,
    /// How many there are.
    pub open: usize,
    /// How many of them are overdue.
    pub overdue: usize,
}

/// An action item that should be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Overdue {
    /// The incident it comes from.
    pub incident: IncidentId,
    /// The record that added it.
    pub record: Seq,
    /// What, in one inert line.
    pub what: String,
    /// Whose, by name.
    pub owner: Option<String>,
    /// By when it was due, UTC.
    pub due: Time,
}

impl Insights {
    /// Counts the incidents of `history` that were declared in `period`, as of `as_of`. Deadlines and names come from the
    /// logs and `runbook`.
    ///
    /// The same history, runbook and times always give the same figures.
    #[must_use]
    pub fn of(history: &History, runbook: &Runbook, period: Period, as_of: Time) -> Self {
        count::count(history, runbook, period, as_of)
    }

    /// As JSON with line breaks.
    #[must_use]
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("insights have only what JSON can write");
        format!("{json}\n")
    }

    /// As Markdown: the same insights always give the same text, and what people called their services acts as nothing.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        markdown::markdown(self)
    }
}
