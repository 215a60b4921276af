//! The parts of a post-mortem that are more than statements.

use crate::domain::event::EvidenceItem;
use crate::domain::id::{Digest, Seq};
use crate::domain::incident::Action;
use crate::domain::mitigation::Stage;
use crate::domain::plan::{Change, Reversible};

/// How the promises of one kind were kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Promises {
    /// How many were kept in time.
    pub kept: u32,
    /// How many deadlines passed without the promise being kept.
    pub missed: u32,
}

/// What became of one mitigation.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MitigationAccount {
    /// The record that proposed it.
    pub proposal: Seq,
    /// What was meant to be done, in inert plain text.
    pub what: String,
    /// The system that it was to be done with.
    pub system: String,
    /// How far it came.
    pub stage: Stage,
    /// The record and the digest of its plan.
    pub plan: Option<(Seq, Digest)>,
    /// What the plan changed.
    pub changes: Vec<Change>,
    /// Whether the plan had a way back.
    pub reversible: Option<Reversible>,
    /// Who agreed.
    pub approvals: Vec<Approval>,
    /// The record that says it was carried out.
    pub executed: Option<Seq>,
    /// The record that says whether it holds.
    pub verified: Option<Seq>,
    /// The mitigation that it took back.
    pub undoes: Option<Seq>,
    /// The mitigation that took it back, and holds.
    pub undone_by: Option<Seq>,
}

/// A person's agreement to a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Approval {
    /// Who, by name.
    pub person: String,
    /// Whether it was the emergency way: alone, with a reason.
    pub alone: bool,
    /// The record.
    pub record: Seq,
}

/// Something to do afterwards.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ActionItem {
    /// The record that added it.
    pub record: Seq,
    /// What, in inert plain text, as the last correction says.
    pub what: String,
    /// Whose, by name.
    pub owner: Option<String>,
    /// Its priority, deadline, ticket and state.
    pub action: Action,
}

/// A piece of evidence that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evidence {
    /// The record that says so.
    pub record: Seq,
    /// Who collected it.
    pub collector: String,
    /// What it is; its digest shows that it is unchanged.
    pub item: EvidenceItem,
}
