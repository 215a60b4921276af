//! Whose the document is, and how far it has come.

use serde::Serialize;

use super::source::Source;
use crate::log::event::{Fact, Record};
use crate::model::afterwards::DocumentStatus;
use crate::model::id::Seq;
use crate::model::inert;
use crate::model::text::Text;
use crate::model::time::Time;
use crate::runbook::finding_kind::FindingKind;

/// Whose the document is, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DocumentAccount {
    /// How far it has come.
    pub status: DocumentStatus,
    /// Whose it is, by name: who was named, or else who led.
    pub owner: Option<String>,
    /// Who was asked to read it last, by name.
    pub reviewers: Vec<String>,
    /// How it came there, in order.
    pub steps: Vec<DocumentStep>,
}

/// A step of the document from one status to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DocumentStep {
    /// The record that says so.
    pub record: Seq,
    /// What it was from then on.
    pub status: DocumentStatus,
    /// When, UTC.
    pub at: Time,
    /// Who, by name.
    pub by: String,
    /// What it lacked although the runbook wants it.
    pub overridden: Vec<FindingKind>,
    /// Why, in one inert line of plain text, if there is a reason.
    pub because: Option<String>,
}

impl Source<'_> {
    pub(super) fn document(&self) -> DocumentAccount {
        let document = &self.incident.document;
        let owner = document.owner.as_ref().or_else(|| self.incident.commander());
        DocumentAccount {
            status: document.status,
            owner: owner.map(|owner| self.person(owner)),
            reviewers: document.reviewers.iter().map(|person| self.person(person)).collect(),
            steps: self.steps(),
        }
    }

    fn steps(&self) -> Vec<DocumentStep> {
        let mut steps: Vec<DocumentStep> = Vec::new();
        for record in self.records {
            let (status, overridden, because) = match &record.fact {
                Fact::ReviewRequested(_) => (DocumentStatus::InReview, Vec::new(), None),
                Fact::ReviewReturned(it) => (DocumentStatus::Draft, Vec::new(), Some(it.because)),
                Fact::PostMortemPublished(it) => {
                    (DocumentStatus::Published, it.overridden.clone(), it.because)
                }
                Fact::Reopened(it) if !steps.is_empty() => {
                    (DocumentStatus::Draft, Vec::new(), Some(it.because))
                }
                Fact::Closed(_) if steps.last().is_some_and(|it| it.status == DocumentStatus::Published) => {
                    (DocumentStatus::Closed, Vec::new(), None)
                }
                _ => continue,
            };
            steps.push(self.step(record, status, overridden, because));
        }
        steps
    }

    fn step(
        &self,
        record: &Record,
        status: DocumentStatus,
        overridden: Vec<FindingKind>,
        because: Option<Text>,
    ) -> DocumentStep {
        DocumentStep {
            record: record.seq,
            status,
            at: record.occurred_at,
            by: self.actor(&record.actor),
            overridden,
            because: because.map(|text| inert::line(self.log.words(record.seq, text))),
        }
    }
}
