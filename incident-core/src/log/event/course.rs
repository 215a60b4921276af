//! Facts of the course an incident takes: phases, endings, merges.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::id::Digest;
use crate::model::id::IncidentId;
use crate::model::id::Seq;
use crate::model::phase::Gate;
use crate::model::phase::Phase;
use crate::model::text::Text;
use crate::model::time::Time;
use crate::runbook::pinned::Figures;

/// The response moved to another phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseEntered {
    /// Where it was.
    pub from: Phase,
    /// Where it is.
    pub to: Phase,
    /// The gates that weren't met and were overridden.
    pub overridden: Vec<Gate>,
    /// Why, if gates were overridden or it is a step back.
    pub because: Option<Text>,
}

/// An earlier record was corrected; it stays as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Corrected {
    /// The record.
    pub record: Seq,
    /// What it should have said, if that changes.
    pub text: Option<Text>,
    /// When it should have said it happened, UTC, if that changes.
    pub occurred_at: Option<Time>,
    /// Why.
    pub because: Text,
}

/// Words were taken out of a record, for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Redacted {
    /// The record.
    pub record: Seq,
    /// The names of the words that went.
    pub texts: Vec<Text>,
    /// Why.
    pub because: Text,
}

/// It is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resolved {
    /// The cause, in a line.
    pub cause: Text,
}

/// It came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reopened {
    /// Why.
    pub because: Text,
}

/// It was a false alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cancelled {
    /// Why.
    pub because: Text,
}

/// Another incident became part of this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Absorbed {
    /// The other.
    pub other: IncidentId,
    /// Why.
    pub because: Text,
}

/// This incident became part of another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Merged {
    /// The other.
    pub into: IncidentId,
}

/// Another incident belongs with this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Linked {
    /// The other.
    pub other: IncidentId,
    /// How.
    pub relation: Relation,
}

/// How incidents belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Relation {
    /// This one repeats the other.
    RecurrenceOf,
    /// The other caused this one.
    CausedBy,
    /// They have to do with each other.
    RelatedTo,
}

/// Nothing is left to decide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Closed {
    /// The gates that weren't met and were overridden.
    pub overridden: Vec<Gate>,
    /// Why, if they were.
    pub because: Option<Text>,
}

/// The runbook in force was taken over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replanned {
    /// Its digest.
    pub runbook: Digest,
    /// Its figures.
    pub figures: Arc<Figures>,
}
