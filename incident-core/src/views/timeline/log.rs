//! A log to look things up in while it is told.

use std::collections::BTreeMap;

use crate::log::event::{Fact, Record};
use crate::log::incident::Incident;
use crate::model::effect::Work;
use crate::model::id::Seq;
use crate::model::obligation::ObligationKind;
use crate::model::text::Text;
use crate::model::time::Time;

/// What a record says instead.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Correction {
    /// The last record that corrected it.
    pub(super) by: Seq,
    /// What it should have said.
    pub(super) text: Option<Text>,
    /// When it should have said it happened.
    pub(super) occurred_at: Option<Time>,
}

/// The records at hand, in order, and what corrects them.
pub(crate) struct Log<'a> {
    pub(super) incident: &'a Incident,
    pub(super) records: &'a [Record],
    corrections: BTreeMap<Seq, Correction>,
    attempts: BTreeMap<Seq, u32>,
}

impl<'a> Log<'a> {
    pub(crate) fn new(incident: &'a Incident, records: &'a [Record]) -> Self {
        let mut log = Self { incident, records, corrections: BTreeMap::new(), attempts: BTreeMap::new() };
        for record in records {
            match &record.fact {
                Fact::Corrected(fact) => {
                    let correction = log.corrections.entry(log.root(fact.record)).or_default();
                    correction.by = record.seq;
                    correction.text = fact.text.or(correction.text);
                    correction.occurred_at = fact.occurred_at.or(correction.occurred_at);
                }
                Fact::EffectStarted(fact) => {
                    log.attempts.insert(fact.effect, fact.attempt);
                }
                _ => {}
            }
        }
        log
    }

    /// The record `seq`.
    pub(crate) fn record(&self, seq: Seq) -> Option<&'a Record> {
        let at = self.records.binary_search_by_key(&seq, |record| record.seq);
        at.ok().and_then(|at| self.records.get(at))
    }

    /// The words of `record`'s main text, as the last correction says.
    pub(crate) fn words(&self, record: Seq, main: Text) -> &str {
        let corrected = self.correction(record).and_then(|it| it.text);
        self.incident.texts.get(corrected.unwrap_or(main))
    }

    pub(super) fn correction(&self, record: Seq) -> Option<Correction> {
        self.corrections.get(&record).copied()
    }

    /// The work of an effect and who does it.
    pub(super) fn work(&self, effect: Seq) -> Option<(&'a Work, &'a str)> {
        match self.record(effect).map(|record| &record.fact) {
            Some(Fact::EffectPlanned(fact)) => Some((&fact.work, &fact.route)),
            _ => self.incident.effects.get(&effect).map(|effect| (&effect.work, effect.route.as_str())),
        }
    }

    /// How often an effect was begun, as far as the log is at hand.
    pub(super) fn attempts(&self, effect: Seq) -> Option<u32> {
        self.attempts.get(&effect).copied()
    }

    pub(super) fn obligation(&self, obligation: Seq) -> Option<ObligationKind> {
        match self.record(obligation).map(|record| &record.fact) {
            Some(Fact::ObligationOpened(fact)) => Some(fact.kind),
            _ => self.incident.obligations.get(&obligation).map(|owed| owed.kind),
        }
    }

    /// The record that is meant when `record` is corrected: a correction of a correction is about what both correct.
    fn root(&self, mut record: Seq) -> Seq {
        while let Some(Fact::Corrected(fact)) = self.record(record).map(|it| &it.fact)
            && fact.record < record
        {
            record = fact.record;
        }
        record
    }
}
