//! The phases of an incident, the gates between them and the steps within them.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::role::Role;

/// Where the response stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Something was noticed: confirm it, write it down.
    Detection,
    /// How bad is it, and for whom?
    Triage,
    /// Everybody who must know is told.
    Communication,
    /// What is the cause?
    Investigation,
    /// Make it stop.
    Resolution,
    /// Does it hold?
    Recovery,
    /// Learn: post-mortem, review, follow-ups.
    PostIncident,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 7] = [
        Self::Detection,
        Self::Triage,
        Self::Communication,
        Self::Investigation,
        Self::Resolution,
        Self::Recovery,
        Self::PostIncident,
    ];

    /// The phase after this one.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| *phase > self)
    }

    /// The status word that notices use.
    #[must_use]
    pub fn status(self) -> Status {
        match self {
            Self::Detection | Self::Triage | Self::Communication | Self::Investigation => {
                Status::Investigating
            }
            Self::Resolution => Status::Identified,
            Self::Recovery => Status::Monitoring,
            Self::PostIncident => Status::Resolved,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Detection => "Detection",
            Self::Triage => "Triage",
            Self::Communication => "Communication",
            Self::Investigation => "Investigation",
            Self::Resolution => "Resolution",
            Self::Recovery => "Recovery",
            Self::PostIncident => "Post-incident",
        })
    }
}

/// The status word of a notice, derived from the phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The cause is looked for.
    Investigating,
    /// The cause is known, the fix under way.
    Identified,
    /// The fix is in, recovery is watched.
    Monitoring,
    /// Over.
    Resolved,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
        })
    }
}

/// What must be true before a phase may be left.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Gate {
    /// Somebody has acknowledged the incident.
    Acknowledged,
    /// The time it began is known.
    StartKnown,
    /// A severity was given by triage, a rule or a person.
    SeverityAssigned,
    /// The impact was assessed.
    ImpactAssessed,
    /// A first notice was requested for every audience of the severity.
    AudiencesNotified,
    /// So many hypotheses are written down; written `{ hypotheses = 2 }`.
    Hypotheses(u32),
    /// A mitigation or a permanent fix has been carried out.
    MitigatedOrFixed,
    /// Every recovery check was green, without a break, for as long as the runbook says.
    ChecksHeld,
    /// The post-mortem is published.
    PostMortemPublished,
    /// Every action item has an owner, a due date and a ticket.
    ActionsFiled,
    /// The step with this id is done or skipped; written `{ step = "id" }`.
    Step(String),
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Acknowledged => f.write_str("somebody has acknowledged the incident"),
            Self::StartKnown => f.write_str("the start time is known"),
            Self::SeverityAssigned => f.write_str("a severity is assigned"),
            Self::ImpactAssessed => f.write_str("the impact is assessed"),
            Self::AudiencesNotified => f.write_str("first notices are requested for every audience"),
            Self::Hypotheses(1) => f.write_str("a hypothesis is written down"),
            Self::Hypotheses(count) => write!(f, "{count} hypotheses are written down"),
            Self::MitigatedOrFixed => f.write_str("a mitigation or fix has been carried out"),
            Self::ChecksHeld => f.write_str("every recovery check has held green"),
            Self::PostMortemPublished => f.write_str("the post-mortem is published"),
            Self::ActionsFiled => f.write_str("every action item is owned, dated and filed"),
            Self::Step(id) => write!(f, "step {id:?} is done or skipped"),
        }
    }
}

/// What the runbook says about one phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhasePolicy {
    /// How long it usually takes, from and to.
    pub expected: Expected,
    /// What must be true before it may be left.
    #[serde(default)]
    pub gates: Vec<Gate>,
    /// What to do, in order.
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// The usual length of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// At least.
    #[serde(with = "humantime_serde")]
    pub from: Duration,
    /// At most.
    #[serde(with = "humantime_serde")]
    pub to: Duration,
}

/// One line of a phase's checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// A short name, unique in the runbook: `ack-alert`.
    pub id: String,
    /// What to do.
    pub what: String,
    /// Whose it is.
    pub who: Role,
    /// A command, query or link that helps; shown, never run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
}
