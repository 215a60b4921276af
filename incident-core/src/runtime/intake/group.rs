//! What alerts of one incident have in common, and the declaration that they make.

use std::sync::Arc;

use crate::log::index::signal_key;
use crate::model::id::IncidentId;
use crate::model::inert;
use crate::model::role::Actor;
use crate::model::severity::Severity;
use crate::model::side::Side;
use crate::model::signal::{Judged, Signal, SignalPolicy, SignalRule, link, service};
use crate::rules::command::{Command, Declare, Gathered, Request};
use crate::runbook::Runbook;
use crate::runtime::engine::Engine;

/// What the name of a group says between its own name and the incident in whose place another one has it.
const INSTEAD: &str = " instead of ";

/// What alerts of one incident have in common.
#[derive(Debug, Clone)]
pub(in crate::runtime) struct Group {
    pub(in crate::runtime) side: Side,
    pub(in crate::runtime) actor: Actor,
    pub(in crate::runtime) name: String,
    pub(super) runbook: Arc<Runbook>,
    /// The place of the rule in the runbook.
    pub(super) rule: usize,
}

impl PartialEq for Group {
    fn eq(&self, other: &Self) -> bool {
        let Self { side, actor, name, runbook, rule } = self;
        *side == other.side
            && *rule == other.rule
            && *name == other.name
            && *actor == other.actor
            && Arc::ptr_eq(runbook, &other.runbook)
    }
}

impl Group {
    pub(super) fn key(&self) -> String {
        signal_key(self.side, &self.name)
    }

    /// The same group under the name that every engine gives it while `by` stands in the way.
    pub(super) fn instead_of(&self, by: IncidentId) -> Self {
        let name = self.name.split_once(INSTEAD).map_or(&*self.name, |(name, _)| name);
        Self { name: format!("{name}{INSTEAD}{by}"), ..self.clone() }
    }

    pub(in crate::runtime) fn policy(&self) -> &SignalPolicy {
        &self.runbook.signals
    }

    fn rule(&self) -> Option<&SignalRule> {
        self.policy().rules.get(self.rule)
    }

    /// How bad an incident of these alerts is.
    pub(in crate::runtime) fn severity(&self, signals: &[Signal]) -> Severity {
        self.judged(signals).0
    }

    /// How bad an incident of these alerts is, and whether that is only assumed.
    fn judged(&self, signals: &[Signal]) -> (Severity, bool) {
        let fires = signals.iter().any(Signal::is_firing);
        let policy = self.policy();
        let Some(rule) = self.rule() else { return (policy.unknown, true) };
        let counts = signals.iter().filter(|signal| signal.is_firing() == fires);
        let judged = counts.filter_map(|signal| match policy.judge(rule, signal) {
            Judged::As(severity) => Some((severity, false)),
            Judged::Assumed(severity) => Some((severity, true)),
            Judged::Ignored(_) => None,
        });
        judged.min().unwrap_or((policy.unknown, true))
    }

    pub(in crate::runtime) fn gathered(&self, signals: &Arc<[Signal]>) -> Gathered {
        Gathered { group: self.name.clone(), signals: Arc::clone(signals) }
    }

    pub(in crate::runtime) fn request(&self, engine: &Engine, command: Command) -> Request {
        Request::new(engine.new_command_id(), self.actor.clone(), command)
    }
}

pub(super) fn declare(group: &Group, signals: &Arc<[Signal]>, recurrence_of: Option<IncidentId>) -> Declare {
    let first = signals.iter().find(|signal| signal.is_firing());
    let title = summary(first).unwrap_or_else(|| format!("alerts of {}", group.name));
    let (severity, assumed) = group.judged(signals);
    let mut declare = found(&title, first, group.side, severity);
    declare.severity_assumed = assumed;
    declare.service = first.zip(group.rule()).and_then(|(signal, rule)| service(rule, signal));
    declare.signal_group = Some(group.name.clone());
    declare.link = first.and_then(link);
    declare.signals = Arc::clone(signals);
    declare.recurrence_of = recurrence_of;
    declare
}

/// What an alert says, in a line, if it says anything.
pub(in crate::runtime) fn summary(alert: Option<&Signal>) -> Option<String> {
    alert.map(|alert| inert::line(&alert.summary)).filter(|summary| !summary.is_empty())
}

/// The declaration of what an alert was the first to find.
pub(in crate::runtime) fn found(
    title: &str,
    first: Option<&Signal>,
    side: Side,
    severity: Severity,
) -> Declare {
    let mut declare = Declare::new(&inert::clip(title, 256)).severity(severity);
    declare.detected_by = first.map_or(declare.detected_by, |alert| alert.detected_by);
    declare.side = side;
    declare
}
