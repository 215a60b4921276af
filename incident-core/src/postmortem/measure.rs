//! When what happened, how long it took, how bad it was: the figures of the document.

use std::time::Duration;

use serde::Serialize;

use super::seconds;
use super::source::Source;
use crate::log::event::{Fact, FixStep, ImpactAssessed, Record};
use crate::model::id::Seq;
use crate::model::inert;
use crate::model::obligation::ObligationKind;
use crate::model::phase::Phase;
use crate::model::severity::{Severity, Within};
use crate::model::time::Time;
use crate::views::metrics::{Interval, ResponseTimes};

/// When something happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Date {
    /// What, as reports print it: `Declared`.
    pub what: String,
    /// When, UTC.
    pub at: Time,
    /// The record that says so.
    pub records: Vec<Seq>,
}

/// What it did to whom, in figures: of the last assessment, and the duration of the log.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ImpactFigures {
    /// How long users had it, from the known start to where the checks turned green for good.
    #[serde(serialize_with = "seconds::maybe")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<u64>"))]
    pub duration: Option<Duration>,
    /// How many users were affected.
    pub users: Option<u64>,
    /// Their share of all users, in per cent, 0 to 100.
    pub users_percent: Option<f64>,
    /// The services and features affected, each in one inert line.
    pub services: Vec<String>,
    /// What it did to the business, in one inert line.
    pub business: Option<String>,
    /// Whether data was lost or spoiled.
    pub data_loss: Option<bool>,
    /// Whether security was breached.
    pub security_breach: Option<bool>,
    /// Whether customers saw it.
    pub customer_facing: Option<bool>,
    /// How many requests failed.
    pub failed_requests: Option<u64>,
    /// What it cost, with its currency, in one inert line.
    pub money: Option<String>,
    /// How many minutes of a service-level objective's error budget it used up.
    pub slo_minutes: Option<u64>,
    /// The records that say so.
    pub records: Vec<Seq>,
}

/// How long something took, beside what the runbook wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Metric {
    /// What was measured.
    pub interval: Interval,
    /// From what to what: `start → detection`.
    pub bounds: String,
    /// How long it took; none if an end isn't known.
    #[serde(serialize_with = "seconds::maybe")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<u64>"))]
    pub length: Option<Duration>,
    /// What the runbook wants, in words: `15 min`; none if it says nothing.
    pub target: Option<String>,
    /// Whether that was kept; none if there is no target, or the end hasn't come.
    pub kept: Option<bool>,
    /// The records of both ends.
    pub records: Vec<Seq>,
}

/// The response stayed in a phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PhaseSpan {
    /// Which.
    pub phase: Phase,
    /// From when, UTC.
    pub from: Time,
    /// Until when, UTC; none if it is still there, or ended there.
    pub to: Option<Time>,
    /// How long it usually takes at least, as the runbook says.
    #[serde(serialize_with = "seconds::length")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub expected_from: Duration,
    /// How long it usually takes at most, as the runbook says.
    #[serde(serialize_with = "seconds::length")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub expected_to: Duration,
    /// The records at both ends.
    pub records: Vec<Seq>,
}

/// It was this bad.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct SeveritySpan {
    /// How bad.
    pub severity: Severity,
    /// From when, UTC.
    pub from: Time,
    /// Until when, UTC; none if nothing changed it.
    pub to: Option<Time>,
    /// The record that says so.
    pub record: Seq,
}

impl Source<'_> {
    pub(super) fn dates(&self) -> Vec<Date> {
        let at = &self.incident.milestones;
        // Where nobody knows when it began, what is recorded is when somebody said so.
        let started = self.incident.known_start();
        let dates = [
            ("Began", started, self.began()),
            ("Detected", at.detected, self.declared()),
            ("Declared", at.declared, self.declared()),
            ("Acknowledged", at.acknowledged, self.acknowledged()),
            ("Mitigated", at.mitigated, self.mitigated()),
            ("Recovered", at.recovered, self.resolved()),
            ("Resolved", at.resolved, self.resolved()),
            ("Ended", at.closed, self.ended()),
        ];
        let known = dates.into_iter().filter_map(|(what, at, seq)| Some((what, at?, seq)));
        known
            .map(|(what, at, seq)| Date { what: what.to_owned(), at, records: seq.into_iter().collect() })
            .collect()
    }

    pub(super) fn declared(&self) -> Option<Seq> {
        self.all(|fact| matches!(fact, Fact::Declared(_))).next()
    }

    pub(super) fn resolved(&self) -> Option<Seq> {
        self.all(|fact| matches!(fact, Fact::Resolved(_))).next_back()
    }

    fn began(&self) -> Option<Seq> {
        let start = |fact: &Fact| matches!(fact, Fact::Corrected(it) if it.record == Seq(1) && it.occurred_at.is_some());
        self.all(start).next_back().or(self.declared())
    }

    fn acknowledged(&self) -> Option<Seq> {
        self.all(|fact| matches!(fact, Fact::Acknowledged(_))).next()
    }

    fn mitigated(&self) -> Option<Seq> {
        let mitigated = |fact: &Fact| match fact {
            Fact::MitigationVerified(it) => it.holds,
            Fact::FixRecorded(it) => it.step == FixStep::Deployment,
            _ => false,
        };
        self.all(mitigated).next()
    }

    fn ended(&self) -> Option<Seq> {
        self.all(|fact| matches!(fact, Fact::Closed(_) | Fact::Cancelled(_) | Fact::Merged(_))).next_back()
    }

    pub(super) fn metrics(&self) -> Vec<Metric> {
        let times = ResponseTimes::of(self.incident);
        let metric = |interval: Interval| {
            let (from, to) = match interval {
                Interval::Detect => (self.began(), self.declared()),
                Interval::Declare => (self.declared(), self.declared()),
                Interval::Acknowledge => (self.declared(), self.acknowledged()),
                Interval::Mitigate => (self.declared(), self.mitigated()),
                Interval::Recover | Interval::Resolve => (self.began(), self.resolved()),
            };
            let mut records: Vec<Seq> = from.into_iter().chain(to).collect();
            records.dedup();
            let length = times.get(interval);
            let (target, kept) = self.target(interval, length);
            Metric { interval, bounds: interval.bounds().to_owned(), length, target, kept, records }
        };
        Interval::ALL.into_iter().map(metric).collect()
    }

    /// What the runbook wants of an interval, and whether it got it: it promises only when somebody answers.
    fn target(&self, interval: Interval, length: Option<Duration>) -> (Option<String>, Option<bool>) {
        if interval != Interval::Acknowledge {
            return (None, None);
        }
        let within = self.incident.figures.respond_within.get(&self.first_severity()).copied();
        let missed = self.all(|fact| match fact {
            Fact::ObligationBreached(it) => self.is_of(it.obligation, ObligationKind::Acknowledge),
            _ => false,
        });
        let missed = missed.count() > 0;
        let kept = match within {
            _ if missed => Some(false),
            Some(Within::Elapsed(within)) => length.map(|length| length <= within),
            Some(_) => length.map(|_| true),
            None => None,
        };
        (within.map(|within| within.to_string()), kept)
    }

    fn first_severity(&self) -> Severity {
        let declared = self.records.iter().find_map(|record| match &record.fact {
            Fact::Declared(it) => Some(it.severity),
            _ => None,
        });
        declared.unwrap_or(self.incident.severity)
    }

    fn is_of(&self, obligation: Seq, kind: ObligationKind) -> bool {
        let opened = self.records.iter().find(|record| record.seq == obligation);
        opened.is_some_and(|record| matches!(&record.fact, Fact::ObligationOpened(it) if it.kind == kind))
    }

    pub(super) fn phases(&self) -> Vec<PhaseSpan> {
        let mut spans: Vec<PhaseSpan> = Vec::new();
        for record in self.records {
            let phase = match &record.fact {
                Fact::Declared(_) => Phase::Detection,
                Fact::PhaseEntered(it) => it.to,
                Fact::Reopened(_) => Phase::Investigation,
                Fact::Closed(_) | Fact::Cancelled(_) | Fact::Merged(_) => {
                    end(&mut spans, record);
                    continue;
                }
                _ => continue,
            };
            end(&mut spans, record);
            let expected = self.runbook.phase(phase).expected;
            spans.push(PhaseSpan {
                phase,
                from: record.occurred_at,
                to: None,
                expected_from: expected.from,
                expected_to: expected.to,
                records: vec![record.seq],
            });
        }
        spans
    }

    pub(super) fn severities(&self) -> Vec<SeveritySpan> {
        let mut spans: Vec<SeveritySpan> = Vec::new();
        for record in self.records {
            let severity = match &record.fact {
                Fact::Declared(it) => it.severity,
                Fact::SeveritySet(it) => it.to,
                _ => continue,
            };
            if let Some(last) = spans.last_mut() {
                if last.severity == severity {
                    continue;
                }
                last.to = Some(record.occurred_at);
            }
            spans.push(SeveritySpan { severity, from: record.occurred_at, to: None, record: record.seq });
        }
        spans
    }

    pub(super) fn impact_figures(&self) -> ImpactFigures {
        let duration = ResponseTimes::of(self.incident).recover;
        let ends = duration.and_then(|_| Some([self.began()?, self.resolved()?]));
        let mut figures = ImpactFigures {
            duration,
            records: ends.into_iter().flatten().collect(),
            ..ImpactFigures::default()
        };
        let assessed = self.records.iter().rev().find_map(|record| match &record.fact {
            Fact::ImpactAssessed(ImpactAssessed { impact, .. }) => Some((record.seq, impact)),
            _ => None,
        });
        let Some((seq, it)) = assessed else { return figures };
        let words = |text| inert::line(self.incident.texts.get(text));
        figures.users = it.users;
        figures.users_percent = it.users_percent;
        figures.services = it.services.iter().map(|service| inert::line(service)).collect();
        figures.business = it.business.map(words);
        figures.data_loss = it.data_loss;
        figures.security_breach = it.security_breach;
        figures.customer_facing = it.customer_facing;
        figures.failed_requests = it.failed_requests;
        figures.money = it.money.map(words);
        figures.slo_minutes = it.slo_minutes;
        figures.records.push(seq);
        figures
    }
}

fn end(spans: &mut [PhaseSpan], record: &Record) {
    if let Some(last) = spans.last_mut().filter(|last| last.to.is_none()) {
        last.to = Some(record.occurred_at);
        last.records.push(record.seq);
    }
}
