//! The document as typed sections.

use std::collections::BTreeMap;

use serde::Serialize;

use super::account::{Evidence, Link, MitigationAccount};
use super::cause::{CauseNode, HypothesisAccount};
use super::completeness::Completeness;
use super::follow_up::{ActionItem, DocumentationItem, MeetingAccount};
use super::lifecycle::DocumentAccount;
use super::measure::{Date, ImpactFigures, Metric, PhaseSpan, SeveritySpan};
use super::promise::{Promise, Promises, UpdateGap};
use super::recurrence::{Recurrence, recurrences};
use super::source::Source;
use crate::log::event::Record;
use crate::log::incident::{Ending, Incident};
use crate::log::index::Summary;
use crate::model::afterwards::Section;
use crate::model::id::{Digest, IncidentId, Seq};
use crate::model::phase::Status;
use crate::model::severity::Severity;
use crate::model::side::Side;
use crate::model::time::Time;
use crate::runbook::Runbook;
use crate::views::metrics::ResponseTimes;
use crate::views::timeline::Entry;

/// One sentence, and the records that say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Statement {
    /// What is said, in one inert line of plain text. People's words are in it.
    pub text: String,
    /// The records that say so.
    pub records: Vec<Seq>,
}

/// A section: what people wrote, and what the log says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Part {
    /// Which.
    pub section: Section,
    /// What people wrote, as the last of them left it.
    pub written: Option<Written>,
    /// What the log says.
    pub statements: Vec<Statement>,
}

impl Part {
    /// What the log says beside what people wrote: nothing where theirs [stands instead](Section::is_replaced).
    #[must_use]
    pub fn beside(&self) -> &[Statement] {
        if self.written.is_some() && self.section.is_replaced() { &[] } else { &self.statements }
    }
}

/// What somebody wrote into a section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Written {
    /// The record that says so; the next edit is based on it.
    pub record: Seq,
    /// The words: inert lines of plain text, with `\n` between them.
    pub text: String,
    /// Who, by name.
    pub by: String,
    /// When, UTC.
    pub at: Time,
    /// How often the section was written, this time included.
    pub edits: u32,
}

/// A post-mortem, written from an incident's log. What it lacks is in [`completeness`](Self::completeness).
///
/// As JSON it has the schema `docs/post-mortem.schema.json`; lengths of time are whole seconds there.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// Whose the document is, and how far it has come.
    pub document: DocumentAccount,
    /// When what happened.
    pub dates: Vec<Date>,
    /// Every section, in order: what people wrote and what the log says in sentences.
    pub sections: Vec<Part>,
    /// What it did to whom, in figures.
    pub impact: ImpactFigures,
    /// Why it happened: the answers to the first why, each with those below it.
    pub causes: Vec<CauseNode>,
    /// The possible causes that were written down.
    pub hypotheses: Vec<HypothesisAccount>,
    /// What was done, or meant to be, in the order of proposal.
    pub mitigations: Vec<MitigationAccount>,
    /// How the promise of updates was kept.
    pub updates: Promises,
    /// What people owed by a time, and when they gave it.
    pub promises: Vec<Promise>,
    /// Where updates were further apart than promised.
    pub gaps: Vec<UpdateGap>,
    /// How long what took, beside what the runbook wants.
    pub metrics: Vec<Metric>,
    /// How long the response stayed in which phase.
    pub phases: Vec<PhaseSpan>,
    /// How bad it was from when to when.
    pub severities: Vec<SeveritySpan>,
    /// The same lengths, for comparisons over many incidents.
    #[serde(skip)]
    pub times: ResponseTimes,
    /// The whole timeline; a reader in a hurry takes what is key.
    pub timeline: Vec<Entry>,
    /// The names of the persons who act on the timeline, by account, as far as the runbook knows them.
    pub names: BTreeMap<String, String>,
    /// What is to be done afterwards.
    pub actions: Vec<ActionItem>,
    /// What was decided on the documentation.
    pub documentation: Vec<DocumentationItem>,
    /// The review meeting.
    pub meeting: MeetingAccount,
    /// Links to look at. Untrusted, like every text.
    pub links: Vec<Link>,
    /// What was kept.
    pub evidence: Vec<Evidence>,
    /// The incidents that this one repeats; see [`with_others`](Self::with_others).
    pub recurrences: Vec<Recurrence>,
    /// What is still to be written, found out or filed.
    pub completeness: Completeness,
    /// The last record it tells of.
    pub up_to: Seq,
    /// The link of the log's chain after that record, if it is known.
    pub head: Option<Digest>,
}

impl PostMortem {
    /// Writes the post-mortem of `incident` from its whole log, in order; names and figures come from `runbook`.
    ///
    /// The same log and runbook always give the same document.
    #[must_use]
    pub fn write(incident: &Incident, records: &[Record], runbook: &Runbook) -> Self {
        let source = Source::new(incident, records, runbook);
        let gaps = super::promise::gaps(&source.promises);
        let completeness = source.completeness(&gaps);
        Self {
            incident: incident.id,
            side: incident.side,
            title: source.title(),
            service: incident.service.clone(),
            severity: incident.severity,
            worst: source.worst(),
            status: incident.phase.status(),
            ended: incident.ended,
            document: source.document(),
            dates: source.dates(),
            sections: source.sections(),
            impact: source.impact_figures(),
            causes: source.causes(),
            hypotheses: source.hypotheses(),
            mitigations: source.mitigations(),
            updates: super::promise::of_updates(&source.promises),
            gaps,
            promises: source.promises.clone(),
            metrics: source.metrics(),
            phases: source.phases(),
            severities: source.severities(),
            times: ResponseTimes::of(incident),
            names: source.names(),
            actions: source.actions(),
            documentation: source.documentation(),
            meeting: source.meeting(),
            links: source.links(),
            evidence: source.evidence(),
            recurrences: Vec::new(),
            completeness,
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

    /// With the incidents among `others` that this one repeats, as `runbook` counts them; each is a finding, too.
    #[must_use]
    pub fn with_others(
        mut self,
        incident: &Incident,
        others: &[(IncidentId, Summary)],
        runbook: &Runbook,
    ) -> Self {
        let within = runbook.afterwards.recurrence_within;
        self.recurrences = recurrences((incident.id, &Summary::of(incident)), others, within);
        self.completeness = self.completeness.with_recurrences(&self.recurrences, runbook);
        self
    }

    /// A section.
    #[must_use]
    pub fn part(&self, section: Section) -> &Part {
        self.sections.iter().find(|part| part.section == section).expect("every section has its part")
    }
}
