//! Alerts in: each finds the incident that its group belongs to, or begins one.

use std::collections::BTreeMap;

use super::engine::Engine;
use super::error::CommandError;
use crate::domain::command::{Command, Declare, Refusal, Request};
use crate::domain::id::{CommandId, IncidentId};
use crate::domain::incident::Side;
use crate::domain::index::signal_key;
use crate::domain::inert;
use crate::domain::role::Actor;
use crate::domain::runbook::Runbook;
use crate::domain::severity::Severity;
use crate::domain::signal::{Signal, SignalRule, SignalState};
use crate::port::store::Held;

/// What became of a batch of alerts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Intake {
    /// The incidents that were declared.
    pub declared: Vec<IncidentId>,
    /// The incidents that took alerts in.
    pub joined: Vec<IncidentId>,
    /// How many alerts no rule matches; they are in no incident.
    pub unmatched: usize,
    /// How many alerts resolved something that no open incident holds.
    pub pointless: usize,
}

impl Engine {
    /// Takes alerts in: live incidents come of them, one for each group.
    ///
    /// Every alert is durable once this returns. Taking the same alerts in again changes nothing.
    ///
    /// # Errors
    /// [`CommandError`]; the alerts of other groups may have been taken in, and it is safe to send all of them again.
    pub async fn ingest(&self, source: &str, signals: Vec<Signal>) -> Result<Intake, CommandError> {
        self.ingest_for(Side::Live, source, signals).await
    }

    /// Like [`ingest`](Self::ingest), for one side.
    ///
    /// # Errors
    /// Like [`ingest`](Self::ingest).
    pub async fn ingest_for(
        &self,
        side: Side,
        source: &str,
        signals: Vec<Signal>,
    ) -> Result<Intake, CommandError> {
        let runbook = self.runbook();
        let mut intake = Intake::default();
        let mut groups: BTreeMap<String, (&SignalRule, Vec<Signal>)> = BTreeMap::new();
        for signal in signals {
            match rule_for(&runbook, &signal) {
                Some(rule) => {
                    let group = group_of(rule, &signal);
                    groups.entry(group).or_insert_with(|| (rule, Vec::new())).1.push(signal);
                }
                None => intake.unmatched += 1,
            }
        }
        let each = groups
            .into_iter()
            .map(|(group, (rule, signals))| self.take_group(side, source, group, rule, signals));
        for taken in futures_util::future::join_all(each).await {
            match taken? {
                Taken::Declared(id) => intake.declared.push(id),
                Taken::Joined(id) => intake.joined.push(id),
                Taken::Pointless(count) => intake.pointless += count,
            }
        }
        Ok(intake)
    }

    async fn take_group(
        &self,
        side: Side,
        source: &str,
        group: String,
        rule: &SignalRule,
        signals: Vec<Signal>,
    ) -> Result<Taken, CommandError> {
        let actor = Actor::Automation(inert::clip(&inert::line(source), 64));
        let key = signal_key(side, &group);
        // Between the look and the commit somebody else may take the key, or let it go.
        for _ in 0..8 {
            let held = self.0.store.holder(&key).await;
            let held = held.map_err(|error| CommandError::Store(error.into()))?;
            if let Some(Held { by, .. }) = held.filter(|held| held.at(self.now())) {
                let request = Request::new(self.new_command_id(), actor.clone(), Command::Signals(signals));
                self.send(by, request).await?;
                return Ok(Taken::Joined(by));
            }
            if signals.iter().all(|signal| signal.state == SignalState::Resolved) {
                return Ok(Taken::Pointless(signals.len()));
            }
            let declare = declare(side, &group, rule, &signals, held.map(|held| held.by));
            let id = self.new_incident_id();
            let command = CommandId::new(self.0.entropy.bytes());
            let request = Request::new(command, actor.clone(), Command::Declare(Box::new(declare)));
            match self.send(id, request).await {
                Err(CommandError::Refused(Refusal::KeyTaken { .. })) => {}
                other => return other.map(|_| Taken::Declared(id)),
            }
        }
        Err(CommandError::Refused(Refusal::KeyTaken { key }))
    }
}

enum Taken {
    Declared(IncidentId),
    Joined(IncidentId),
    Pointless(usize),
}

fn rule_for<'a>(runbook: &'a Runbook, signal: &Signal) -> Option<&'a SignalRule> {
    let fits = |rule: &&SignalRule| {
        rule.matches.iter().all(|(label, value)| signal.labels.get(label) == Some(value))
    };
    runbook.signals.rules.iter().find(fits)
}

/// What the alerts of one incident have in common: the service and the labels that the rule groups by.
fn group_of(rule: &SignalRule, signal: &Signal) -> String {
    let labels = std::iter::once(&rule.service_label)
        .chain(rule.group_by.iter().filter(|it| **it != rule.service_label));
    let values = labels.map(|label| inert::line(signal.labels.get(label).map_or("", String::as_str)));
    let group = values.collect::<Vec<_>>().join("/");
    if group.len() <= 256 {
        group
    } else {
        format!("{}#{}", inert::clip(&group, 192), crate::domain::Digest::of(&[group.as_bytes()]).short())
    }
}

fn declare(
    side: Side,
    group: &str,
    rule: &SignalRule,
    signals: &[Signal],
    recurrence_of: Option<IncidentId>,
) -> Declare {
    let firing: Vec<&Signal> = signals.iter().filter(|signal| signal.state == SignalState::Firing).collect();
    let first = firing.first();
    let summary = first.map(|signal| inert::line(&signal.summary)).filter(|summary| !summary.is_empty());
    let labelled = firing.iter().filter_map(|signal| severity_of(signal)).min();
    let mut declare =
        Declare::new(&inert::clip(&summary.unwrap_or_else(|| format!("alerts of {group}")), 256));
    declare.severity = Some(rule.severity.or(labelled).unwrap_or(Severity::Sev2));
    let service = first.and_then(|signal| signal.labels.get(&rule.service_label));
    declare.service = service.map(|it| inert::clip(&inert::line(it), 128)).filter(|it| !it.is_empty());
    declare.detected_by = first.map_or(declare.detected_by, |signal| signal.detected_by);
    declare.side = side;
    declare.signal_group = Some(group.to_owned());
    declare.link =
        first.and_then(|signal| signal.link.as_deref()).map(|link| inert::clip(&inert::line(link), 512));
    declare.signals = signals.to_vec();
    declare.recurrence_of = recurrence_of;
    declare
}

/// The severity that an alert's own label names.
fn severity_of(signal: &Signal) -> Option<Severity> {
    let label = signal.labels.get("severity")?;
    match label.to_lowercase().as_str() {
        "critical" | "page" => Some(Severity::Sev1),
        "error" | "high" | "major" => Some(Severity::Sev2),
        "warning" | "medium" | "minor" => Some(Severity::Sev3),
        "info" | "low" => Some(Severity::Sev4),
        other => other.parse().ok(),
    }
}
