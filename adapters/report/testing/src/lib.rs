//! Incidents to report on, and a browser to read the reports with.
#![allow(clippy::missing_panics_doc, reason = "a test or a measurement that can't go on is to stop")]

mod browser;
mod corpus;
mod crowd;

pub use browser::{Browser, Tab};
pub use corpus::{CORPUS, corpus};
pub use crowd::crowded;

use incident_core::log::event::Record;
use incident_core::log::incident::Incident;
use incident_core::model::id::Digest;
use incident_core::runbook::Runbook;

/// An incident with its whole log, and what it was read under.
#[derive(Debug)]
pub struct Log {
    /// The incident as it stands.
    pub incident: Incident,
    /// Its records, in order.
    pub records: Vec<Record>,
    /// The head of its chain.
    pub head: Digest,
    /// The runbook that knows its persons.
    pub runbook: Runbook,
}
