//! Facts of mitigations: proposed, planned, agreed to, done, verified.

use serde::{Deserialize, Serialize};

use crate::model::id::Digest;
use crate::model::id::Seq;
use crate::model::mitigation::Mitigation;
use crate::model::plan::Execution;
use crate::model::role::PersonId;
use crate::model::text::Text;
use crate::model::time::Time;
use crate::runbook::ApprovalRule;

/// A mitigation was proposed. Its plan, approvals and execution refer to this record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MitigationProposed {
    /// What shall be done.
    pub mitigation: Mitigation,
    /// The name of the system that does it.
    pub system: String,
    /// The mitigation this takes back, if it does.
    pub undoes: Option<Seq>,
    /// Why.
    pub because: Text,
    /// Who proposed it, if the runbook knows the person.
    pub proposer: Option<PersonId>,
}

/// The plan of a mitigation was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MitigationPlanned {
    /// The record that proposed it.
    pub proposal: Seq,
    /// The plan, as the bytes that were digested: JSON.
    pub plan: String,
    /// The digest of those bytes.
    pub digest: Digest,
    /// Until when it may be approved and executed, UTC.
    pub expires_at: Time,
    /// Who must agree, as recorded; the stricter of this and the rule in force at the start counts.
    pub rule: ApprovalRule,
}

/// A person agreed to a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanApproved {
    /// The record that proposed the mitigation.
    pub proposal: Seq,
    /// The digest of what was agreed to.
    pub digest: Digest,
    /// Who.
    pub person: PersonId,
    /// Whether it was the emergency way: alone, with a reason, everybody told.
    pub break_glass: Option<Text>,
}

/// A person withdrew an approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovalWithdrawn {
    /// The record that proposed the mitigation.
    pub proposal: Seq,
    /// Who.
    pub person: PersonId,
}

/// A mitigation won't be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MitigationRejected {
    /// The record that proposed it.
    pub proposal: Seq,
    /// Why.
    pub because: Text,
}

/// A person ordered the execution of an approved plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExecutionOrdered {
    /// The record that proposed the mitigation.
    pub proposal: Seq,
    /// The digest of the plan.
    pub digest: Digest,
    /// What is changed; a key that one mitigation holds at a time.
    pub target: String,
    /// The place in this hour's budget.
    pub budget_slot: u32,
}

/// The backend accepted a mitigation, or a person says it was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MitigationExecuted {
    /// The record that proposed it.
    pub proposal: Seq,
    /// What was done.
    pub execution: Box<Execution>,
    /// How that was found, if a person says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Text>,
}

/// Whether a mitigation's change holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MitigationVerified {
    /// The record that proposed it.
    pub proposal: Seq,
    /// Whether it does.
    pub holds: bool,
    /// What was seen.
    pub detail: Text,
}
