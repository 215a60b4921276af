//! What a post-mortem is written from, and how to look things up in it.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Statement;
use super::promise::{Promise, promises};
use crate::log::event::{Fact, Record};
use crate::log::incident::Incident;
use crate::model::id::Seq;
use crate::model::inert;
use crate::model::role::{Actor, Identity, PersonId};
use crate::model::severity::Severity;
use crate::runbook::Runbook;
use crate::views::timeline::{Entry, Log};

/// What a post-mortem is written from.
pub(super) struct Source<'a> {
    pub(super) incident: &'a Incident,
    pub(super) runbook: &'a Runbook,
    pub(super) records: &'a [Record],
    pub(super) log: Log<'a>,
    pub(super) timeline: Vec<Entry>,
    pub(super) promises: Vec<Promise>,
}

pub(super) fn statement(text: &str, records: impl IntoIterator<Item = Seq>) -> Statement {
    let mut records: Vec<Seq> = records.into_iter().collect();
    records.sort_unstable();
    records.dedup();
    Statement { text: inert::line(text), records }
}

impl<'a> Source<'a> {
    pub(super) fn new(incident: &'a Incident, records: &'a [Record], runbook: &'a Runbook) -> Self {
        let log = Log::new(incident, records);
        let (timeline, promises) = (log.timeline(), promises(records));
        Self { incident, runbook, records, log, timeline, promises }
    }

    pub(super) fn into_timeline(self) -> Vec<Entry> {
        self.timeline
    }

    /// The records of which `found` holds, in the order of the log.
    pub(super) fn all(&self, found: impl Fn(&Fact) -> bool) -> impl DoubleEndedIterator<Item = Seq> {
        self.records.iter().filter(move |record| found(&record.fact)).map(|record| record.seq)
    }

    /// The record `seq`.
    pub(super) fn record(&self, seq: Seq) -> Option<&'a Record> {
        self.log.record(seq)
    }

    /// What the timeline says of `seqs`, in its order; they are in the order of the log.
    pub(super) fn told(&self, seqs: &[Seq]) -> Vec<Statement> {
        let told = self.timeline.iter().filter(|entry| seqs.binary_search(&entry.seq).is_ok());
        told.map(|entry| statement(&entry.what, [entry.seq].into_iter().chain(entry.corrected_by))).collect()
    }

    pub(super) fn tell(&self, found: impl Fn(&Fact) -> bool) -> Vec<Statement> {
        self.told(&self.all(found).collect::<Vec<_>>())
    }

    /// A person's name; the short one if the runbook doesn't know it.
    pub(super) fn person(&self, id: &PersonId) -> String {
        let name = self.runbook.persons.get(id).map_or_else(|| id.as_str(), |person| person.name.as_str());
        inert::line(name)
    }

    /// Who acted, by name as far as the runbook knows it.
    pub(super) fn actor(&self, actor: &Actor) -> String {
        match actor {
            Actor::Human(identity) => {
                let person = self.runbook.person_of(identity);
                person.map_or_else(|| inert::line(identity.as_str()), |person| self.person(person))
            }
            other => inert::line(&other.to_string()),
        }
    }

    pub(super) fn title(&self) -> Statement {
        let declared = self.declared();
        let words = self.log.words(declared.unwrap_or_default(), self.incident.title);
        statement(words, declared)
    }

    pub(super) fn worst(&self) -> Severity {
        let severities = self.severities().into_iter().map(|span| span.severity);
        severities.chain([self.incident.severity]).min().unwrap_or(self.incident.severity)
    }

    pub(super) fn names(&self) -> BTreeMap<String, String> {
        let named = |account: &Identity| {
            Some((account.as_str().to_owned(), self.person(self.runbook.person_of(account)?)))
        };
        self.accounts().into_iter().filter_map(named).collect()
    }

    /// The accounts that act on the timeline.
    pub(super) fn accounts(&self) -> BTreeSet<&'a Identity> {
        let account = |record: &'a Record| match &record.actor {
            Actor::Human(account) => Some(account),
            _ => None,
        };
        self.records.iter().filter_map(account).collect()
    }
}
