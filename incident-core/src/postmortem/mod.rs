//! The post-mortem: what an incident's log says about what happened, with its gaps named. It never says who is to blame.
//!
//! [`PostMortem::write`] makes it of a log, at any time: what machines know is there from the first minute, and what people
//! write, find and agree on are records like every other. So nobody's words are lost when it is made anew, and each
//! statement names the records that say so.
//!
//! It goes from draft over review to published and closed, each step a record. Whoever writes into a
//! [section](crate::model::afterwards::Section) says which version that edits; if somebody was faster, the edit is refused
//! with both texts. What it lacks is in [`completeness`](PostMortem::completeness): each [`Finding`] names the section and
//! the command to mend it with, and some of them, as the runbook says, keep it from being published.
//!
//! [`FollowUpReview`] says what became of the action items of many incidents, [`recurrences`] what happened before.
//!
//! ```
//! # use incident_core::store::MemoryStore;
//! # use incident_core::{Actor, Declare, Engine, Severity};
//! use incident_core::PostMortem;
//! use incident_core::model::afterwards::{CauseKind, Section};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! # let engine = Engine::builder(MemoryStore::new()).pages_nobody().build()?;
//! # let alice = Actor::human("slack", "U1");
//! # let incident = engine.declare(alice, Declare::new("checkout fails").severity(Severity::Sev2)).await?;
//! let before = incident.state().await?.document.version_of(Section::Trigger);
//! incident.write_section(Section::Trigger, "The deployment of version 42.", before).await?;
//! let why = incident.find_cause(None, "it reads the old queue", CauseKind::Cause, None).await?;
//! incident.find_cause(Some(why.seq), "the queue's name is set by hand", CauseKind::Cause, None).await?;
//!
//! let (state, records) = (incident.state().await?, incident.records().await?);
//! let document = PostMortem::write(&state, &records, &engine.runbook());
//! assert!(document.to_markdown().contains("The deployment of version 42."));
//! for finding in &document.completeness.findings {
//!     println!("{} – in {}, with {}", finding, finding.section, finding.command);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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

pub use crate::rules::completeness::Finding;
pub use crate::runbook::finding_kind::FindingKind;
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
