//! Where a proposed mitigation stands.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::id::{Digest, Seq};
use crate::model::mitigation::Mitigation;
use crate::model::plan::{Execution, Plan};
use crate::model::role::PersonId;
use crate::model::time::Time;
use crate::runbook::ApprovalRule;

/// Where one mitigation stands. It is known by the record that proposed it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MitigationState {
    /// What shall be done.
    pub mitigation: Mitigation,
    /// The name of the system that does it.
    pub system: String,
    /// The mitigation this takes back.
    pub undoes: Option<Seq>,
    /// Who proposed it, if the runbook knows the person.
    pub proposer: Option<PersonId>,
    /// How far it came.
    pub stage: Stage,
    /// Its plan, once made.
    pub plan: Option<PlanState>,
    /// Who agreed, and whether it was the emergency way.
    pub approvals: BTreeMap<PersonId, bool>,
    /// The place in the hour's budget, and when it was taken, UTC.
    pub budget: Option<(u32, Time)>,
    /// What was done.
    pub execution: Option<Execution>,
    /// When it was over, UTC: held, failed, or given up.
    pub ended_at: Option<Time>,
}

/// How far a mitigation came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// It has no plan yet.
    Proposed,
    /// It may be approved.
    Planned,
    /// It won't be done.
    Rejected,
    /// A person ordered it; it may be running.
    Ordered,
    /// The backend accepted it.
    Executed,
    /// The change is in and holds.
    Holds,
    /// It came to nothing.
    Failed,
    /// A person must find out whether it was done.
    Unclear,
}

impl Stage {
    /// Whether it may change the target right now.
    #[must_use]
    pub fn is_running(self) -> bool {
        matches!(self, Self::Ordered | Self::Executed | Self::Unclear)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Proposed => "proposed",
            Self::Planned => "planned",
            Self::Rejected => "rejected",
            Self::Ordered => "ordered",
            Self::Executed => "executed",
            Self::Holds => "holds",
            Self::Failed => "failed",
            Self::Unclear => "unclear",
        })
    }
}

/// A plan as it was recorded.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PlanState {
    /// The record that holds it.
    pub seq: Seq,
    /// The plan.
    pub plan: Plan,
    /// The digest of its bytes as stored.
    pub digest: Digest,
    /// Until when it may be approved and executed, UTC.
    pub expires_at: Time,
    /// Who must agree, as recorded.
    pub rule: ApprovalRule,
}
