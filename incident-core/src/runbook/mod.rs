//! The response plan as data.
//!
//! [`Runbook::default`] is the runbook this project implements; every figure, list and text of it can be replaced from
//! TOML laid over the default ([`Runbook::from_toml`]). A runbook never acts: decisions read it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::mitigation::MitigationKind;
use crate::model::phase::{Phase, PhasePolicy};
use crate::model::role::{Person, PersonId, Role};
use crate::model::severity::{Audience, Severity, SeverityPolicy, Within};
use crate::model::signal::SignalPolicy;
use crate::runbook::calendar::Calendar;
use crate::runbook::finding_kind::FindingKind;
use crate::runbook::triage::TriageTree;

pub mod calendar;
mod default;
pub(crate) mod escalation;
pub mod finding_kind;
mod lint;
mod lookup;
mod markdown;
#[cfg(feature = "toml")]
pub(crate) mod parse;
mod phrase;
pub mod pinned;
pub mod triage;

pub use default::PLACEHOLDERS;
#[cfg(feature = "runtime")]
pub(crate) use lint::reaches_anybody;
pub use lint::{Finding, Level};
#[cfg(feature = "toml")]
pub use parse::{RunbookError, RunbookProblem};

/// The response plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Runbook {
    /// The plan's name, as its card prints it.
    pub title: String,
    /// What each severity means and promises.
    pub severities: BTreeMap<Severity, SeverityPolicy>,
    /// How a severity is found.
    pub triage: TriageTree,
    /// What each phase takes.
    pub phases: BTreeMap<Phase, PhasePolicy>,
    /// Whom to page when nobody answers.
    pub escalation: Escalation,
    /// When people are reminded of what they owe.
    pub reminders: Reminders,
    /// When the service counts as recovered.
    pub recovery: Recovery,
    /// What a mitigation needs before it may run.
    pub safety: Safety,
    /// What is owed after the fix.
    pub afterwards: Afterwards,
    /// How alerts become incidents.
    pub signals: SignalPolicy,
    /// When people work.
    pub calendar: Calendar,
    /// The people who may be assigned, paged or asked to approve, by short name.
    pub persons: BTreeMap<PersonId, Person>,
    /// What is said in notices, by name of the notice; a figure in it is written `{update_every}` and never typed.
    pub phrases: BTreeMap<String, String>,
    /// What people outside the organisation may read, by the names of the gaps, and `links`. What isn't listed never
    /// leaves, in whatever phrase.
    pub public: Vec<String>,
    /// The commands of the quick-reference card: what for, and the command.
    pub card: Vec<CardLine>,
}

/// Whom to page, one after the other, once an acknowledgement is overdue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// The time between two steps.
    #[serde(with = "crate::model::time::written")]
    pub every: Duration,
    /// The steps; after the last one it begins again with the first.
    pub chain: Vec<EscalationStep>,
}

/// One step of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscalationStep {
    /// The audience whose route carries the page; never one outside the organisation.
    pub audience: Audience,
    /// The people the page names.
    #[serde(default)]
    pub persons: Vec<PersonId>,
}

/// When people are reminded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reminders {
    /// How long before an update is due the commander is reminded.
    #[serde(with = "crate::model::time::written")]
    pub before_update: Duration,
    /// How long before a post-mortem, a meeting or a follow-up is due its owner is reminded.
    #[serde(with = "crate::model::time::written")]
    pub before_follow_up: Duration,
    /// How often an overdue post-mortem, meeting or follow-up is chased.
    #[serde(with = "crate::model::time::written")]
    pub chase_every: Duration,
}

/// When the service counts as recovered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// What must be green, by name.
    pub checks: BTreeMap<String, Check>,
    /// For how long, without a break.
    #[serde(with = "crate::model::time::written")]
    pub hold: Duration,
    /// How often probes look.
    #[serde(with = "crate::model::time::written")]
    pub probe_every: Duration,
    /// How long after resolve probes go on looking.
    #[serde(with = "crate::model::time::written")]
    pub watch: Duration,
}

/// One recovery check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// What is checked, as the card and reports print it.
    pub what: String,
    /// Who answers.
    pub by: CheckedBy,
}

/// Who answers a recovery check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckedBy {
    /// The probe of the same name; a person may attest it where there is none.
    Probe,
    /// The incident's own signals: green when none fires.
    Signals,
    /// A person, by name.
    Person,
}

/// What a mitigation needs before it may run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Safety {
    /// Who must agree, by severity.
    pub approvals: BTreeMap<Severity, ApprovalRule>,
    /// Stricter rules for single mitigations; the stricter of the two counts.
    #[serde(default)]
    pub by_kind: BTreeMap<MitigationKind, ApprovalRule>,
    /// How long a plan may be approved and executed after it was made.
    #[serde(with = "crate::model::time::written")]
    pub plan_lifetime: Duration,
    /// How long a change may take to show that it holds, unless its plan says how long.
    #[serde(with = "crate::model::time::written")]
    pub verify_within: Duration,
    /// How many mitigations may be started per hour on one system; drills count apart.
    pub budget_per_hour: u32,
    /// How long a target is left alone after a mitigation ended.
    #[serde(with = "crate::model::time::written")]
    pub cooldown: Duration,
    /// The share of healthy instances, in per cent, that a plan must leave.
    pub min_healthy_percent: u8,
    /// How many incidents may be open before automation may no longer propose.
    pub storm_brake: u32,
    /// Who may act alone in an emergency, with a reason and everybody told; nobody by default.
    #[serde(default)]
    pub break_glass: Vec<PersonId>,
    /// The decisions that an automation may take like a person, by the automation's name; none by default.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub automation: BTreeMap<String, BTreeSet<Reserved>>,
}

/// A decision that is reserved for people, unless [`Safety::automation`] names the automation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reserved {
    /// Make another incident part of this one.
    Merge,
    /// Cancel the incident as a false alarm.
    Cancel,
    /// Resolve it.
    Resolve,
    /// Close it.
    Close,
    /// Set a lower severity.
    LowerSeverity,
    /// Reopen it. Alerts reopen an incident by the flap window and need no entry.
    Reopen,
}

impl std::fmt::Display for Reserved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Merge => "merge incidents",
            Self::Cancel => "cancel the incident",
            Self::Resolve => "resolve the incident",
            Self::Close => "close the incident",
            Self::LowerSeverity => "lower the severity",
            Self::Reopen => "reopen the incident",
        })
    }
}

/// Who must agree to a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRule {
    /// How many different persons.
    pub persons: u32,
    /// The roles that count; empty means any person of the runbook.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Whether the person who proposed counts.
    pub proposer_counts: bool,
}

/// What is owed after the fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Afterwards {
    /// By when the post-mortem is published, from resolve.
    pub post_mortem: Within,
    /// By when the review meeting is held, from resolve.
    pub meeting: Within,
    /// The severities that need a post-mortem and a meeting.
    pub required_for: Vec<Severity>,
    /// How much time each part of the meeting gets.
    pub agenda: Vec<AgendaItem>,
    /// What the post-mortem may not lack when it is published, unless a person overrides it with a reason.
    pub publish_needs: Vec<FindingKind>,
    /// The steps that bring documentation up to date, by their ids: each ends in an action item, or isn't needed.
    pub documentation: Vec<String>,
    /// How long nothing of note may be on the timeline, while the response goes on, before it counts as a hole.
    #[serde(with = "crate::model::time::written")]
    pub timeline_gap: Duration,
    /// How long ago an incident of the same service and class of cause may have begun to count as a recurrence.
    #[serde(with = "crate::model::time::written")]
    pub recurrence_within: Duration,
    /// By when an action item is done, by its priority, unless it names a date.
    pub follow_ups: BTreeMap<Priority, Within>,
    /// How often the tickets of open action items are read back.
    #[serde(with = "crate::model::time::written")]
    pub read_tickets_every: Duration,
}

/// One part of the review meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgendaItem {
    /// What is talked about.
    pub topic: String,
    /// For how long.
    #[serde(with = "crate::model::time::written")]
    pub length: Duration,
}

/// How urgent an action item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Before anything else.
    Critical,
    /// Soon.
    High,
    /// In its turn.
    Medium,
    /// When there is time.
    Low,
}

impl Priority {
    /// Every priority, the most urgent first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];
}

impl std::fmt::Display for Priority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        })
    }
}

/// One line of the quick-reference card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardLine {
    /// What for: health, logs, pods, rollback, scale, metrics, restart.
    pub purpose: String,
    /// The command; shown, never run.
    pub command: String,
}
