//! Why it happened: five whys as a tree, and the hypotheses on the way there.

use serde::Serialize;

use super::document::Statement;
use super::source::{Source, statement};
use crate::log::event::Fact;
use crate::model::afterwards::{CauseKind, Proof};
use crate::model::cause::CauseClass;
use crate::model::id::{Digest, Seq};

/// One answer to one why, with the answers below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CauseNode {
    /// The record that says so.
    pub record: Seq,
    /// What; its records say so and show it.
    pub statement: Statement,
    /// Whether it caused it, or contributed.
    pub kind: CauseKind,
    /// Which class of cause it is.
    pub class: Option<CauseClass>,
    /// The evidence that shows it, by its SHA-256.
    pub evidence: Vec<Digest>,
    /// The records that show it.
    pub shown_by: Vec<Seq>,
    /// Why that was so. Without any, it is where the asking ended: a root cause.
    pub whys: Vec<CauseNode>,
}

impl CauseNode {
    /// Whether the asking ended here.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.whys.is_empty()
    }
}

/// A possible cause, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct HypothesisAccount {
    /// The record that wrote it down.
    pub record: Seq,
    /// What may have happened; its records say so, judged it and show it.
    pub statement: Statement,
    /// Which class of cause it is.
    pub class: Option<CauseClass>,
    /// Whether it turned out right; none while open.
    pub confirmed: Option<bool>,
    /// The evidence that shows it, by its SHA-256.
    pub evidence: Vec<Digest>,
    /// The records that show it.
    pub shown_by: Vec<Seq>,
}

impl Source<'_> {
    pub(super) fn causes(&self) -> Vec<CauseNode> {
        self.whys(None)
    }

    /// The answers below `under`. The fold bounds how deep they lie, and a cause lies only under an earlier one.
    fn whys(&self, under: Option<Seq>) -> Vec<CauseNode> {
        let below = self.incident.document.causes.iter().filter(|(_, cause)| cause.under == under);
        let node = |(seq, cause): (&Seq, &crate::model::afterwards::Cause)| CauseNode {
            record: *seq,
            statement: self.shown(*seq, self.log.words(*seq, cause.statement), &[], &cause.proof),
            kind: cause.kind,
            class: cause.class,
            evidence: cause.proof.evidence.iter().copied().collect(),
            shown_by: cause.proof.records.iter().copied().collect(),
            whys: self.whys(Some(*seq)),
        };
        below.map(node).collect()
    }

    pub(super) fn hypotheses(&self) -> Vec<HypothesisAccount> {
        let account = |(seq, it): (&Seq, &crate::log::incident::Hypothesis)| {
            let judged = self.all(|fact| matches!(fact, Fact::HypothesisJudged(by) if by.hypothesis == *seq));
            let judged: Vec<Seq> = judged.collect();
            HypothesisAccount {
                record: *seq,
                statement: self.shown(*seq, self.log.words(*seq, it.statement), &judged, &it.proof),
                class: it.class,
                confirmed: it.confirmed,
                evidence: it.proof.evidence.iter().copied().collect(),
                shown_by: it.proof.records.iter().copied().collect(),
            }
        };
        self.incident.hypotheses.iter().map(account).collect()
    }

    /// `words` of `record`, with everything that says so or shows it.
    fn shown(&self, record: Seq, words: &str, judged: &[Seq], proof: &Proof) -> Statement {
        let kept = proof.evidence.iter().filter_map(|digest| self.incident.evidence.get(digest));
        let shown = proof.records.iter().chain(kept).chain(judged);
        statement(words, [record].into_iter().chain(shown.copied()))
    }
}
