//! The post-mortem: what an incident's log says about what happened, with its gaps named. It never says who is to blame.

mod account;
mod cause;
mod communication;
mod completeness;
mod document;
mod follow_up;
mod json;
mod lifecycle;
mod markdown;
mod measure;
mod promise;
mod recurrence;
mod review;
mod seconds;
mod sections;
mod source;

pub use crate::domain::completeness::{Finding, FindingKind};
pub use account::{Approval, Evidence, Link, MitigationAccount};
pub use cause::{CauseNode, HypothesisAccount};
pub use completeness::Completeness;
pub use document::{Part, PostMortem, Statement, Written};
pub use follow_up::{
    ActionItem, AgendaPoint, Announced, DocumentationItem, DocumentationState, Invitee, MeetingAccount,
};
pub use lifecycle::{DocumentAccount, DocumentStep};
pub use measure::{Date, ImpactFigures, Metric, PhaseSpan, SeveritySpan};
pub use promise::{Promise, Promises, UpdateGap};
pub use recurrence::{Recurrence, recurrences};
pub use review::{FollowUp, FollowUpReview};

#[cfg(test)]
mod tests;
