//! The document as typed sections.

use std::collections::BTreeMap;

use super::account::{ActionItem, Evidence, MitigationAccount, Promises};
use super::completeness::{Missing, missing};
use super::sections::Source;
use crate::domain::event::Record;
use crate::domain::id::{Digest, IncidentId, Seq};
use crate::domain::incident::{Ending, Incident, Side};
use crate::domain::metrics::ResponseTimes;
use crate::domain::phase::Status;
use crate::domain::role::Actor;
use crate::domain::runbook::Runbook;
use crate::domain::severity::Severity;
use crate::domain::timeline::Entry;

/// One sentence, and the records that say so.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statement {
    /// What is said, in one inert line of plain text. People's words are in it.
    pub text: String,
    /// The records that say so.
    pub records: Vec<Seq>,
}

/// A post-mortem, written from an incident's log. What the log doesn't say is in [`missing`](Self::missing).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PostMortem {
    /// The incident.
    pub incident: IncidentId,
    /// Live or drill.
    pub side: Side,
    /// What the incident is called.
    pub title: Statement,
    /// The service that was affected.
    pub service: Option<String>,
    /// How bad it was at last.
    pub severity: Severity,
    /// How bad it was at worst.
    pub worst: Severity,
    /// Where the response stands.
    pub status: Status,
    /// How the incident ended, if it did.
    pub ended: Option<Ending>,
    /// When what happened, UTC.
    pub dates: Vec<Statement>,
    /// What happened, in a few sentences.
    pub summary: Vec<Statement>,
    /// What it did to whom.
    pub impact: Vec<Statement>,
    /// How it was noticed, and who came.
    pub detection: Vec<Statement>,
    /// The confirmed cause, and the cause that was named at the end.
    pub root_cause: Vec<Statement>,
    /// What was done, or meant to be, in the order of proposal.
    pub mitigations: Vec<MitigationAccount>,
    /// The steps of the permanent fix.
    pub fix: Vec<Statement>,
    /// Who did what.
    pub roles: Vec<Statement>,
    /// How the promise of updates was kept.
    pub updates: Promises,
    /// Who was told when, and what was missed.
    pub communication: Vec<Statement>,
    /// How long what took.
    pub times: ResponseTimes,
    /// The whole timeline; a reader in a hurry takes what is key.
    pub timeline: Vec<Entry>,
    /// The names of the persons who act on the timeline, as far as the runbook knows them.
    pub names: BTreeMap<Actor, String>,
    /// What is to be done afterwards.
    pub actions: Vec<ActionItem>,
    /// Links to look at. Untrusted, like every text.
    pub links: Vec<String>,
    /// What was kept.
    pub evidence: Vec<Evidence>,
    /// What is still to be written, found out or filed.
    pub missing: Vec<Missing>,
    /// The last record it tells of.
    pub up_to: Seq,
    /// The link of the log's chain after that record, if it is known.
    pub head: Option<Digest>,
}

impl PostMortem {
    /// Writes the post-mortem of `incident` from its whole log, in order; names come from `runbook`.
    ///
    /// The same log and runbook always give the same document.
    #[must_use]
    pub fn write(incident: &Incident, records: &[Record], runbook: &Runbook) -> Self {
        let source = Source::new(incident, records, runbook);
        let mitigations = source.mitigations();
        let evidence = source.evidence();
        let (updates, communication) = source.communication();
        Self {
            incident: incident.id,
            side: incident.side,
            title: source.title(),
            service: incident.service.clone(),
            severity: incident.severity,
            worst: source.worst(),
            status: incident.phase.status(),
            ended: incident.ended,
            dates: source.dates(),
            summary: source.summary(),
            impact: source.impact(),
            detection: source.detection(),
            root_cause: source.root_cause(),
            mitigations,
            fix: source.fix(),
            roles: source.roles(),
            updates,
            communication,
            times: ResponseTimes::of(incident),
            names: source.names(),
            actions: source.actions(),
            links: incident.links.iter().cloned().collect(),
            missing: missing(incident, !evidence.is_empty()),
            evidence,
            up_to: incident.version,
            head: None,
            timeline: source.into_timeline(),
        }
    }

    /// With the head of the log's chain: whoever keeps the document can show then that the log wasn't cut short.
    ///
    /// It comes from whoever read the log, for it covers the records as they are stored.
    #[must_use]
    pub fn with_head(mut self, head: Digest) -> Self {
        self.head = Some(head);
        self
    }
}
