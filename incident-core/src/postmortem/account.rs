//! The parts of a post-mortem that are more than statements: mitigations, links, evidence.

use serde::Serialize;

use super::source::Source;
use crate::log::event::{EvidenceItem, Fact};
use crate::log::mitigation::Stage;
use crate::model::id::{Digest, Seq};
use crate::model::inert;
use crate::model::plan::{Change, Reversible};

/// What became of one mitigation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct MitigationAccount {
    /// The record that proposed it.
    pub proposal: Seq,
    /// What was meant to be done, in inert plain text.
    pub what: String,
    /// The system that it was to be done with.
    pub system: String,
    /// How far it came.
    pub stage: Stage,
    /// The record of its plan.
    pub plan: Option<Seq>,
    /// The digest of its plan.
    pub digest: Option<Digest>,
    /// What the plan changed.
    pub changes: Vec<Change>,
    /// Whether the plan had a way back.
    pub reversible: Option<Reversible>,
    /// Who agreed.
    pub approvals: Vec<Approval>,
    /// The record that says it was carried out.
    pub executed: Option<Seq>,
    /// The record that says whether it holds.
    pub verified: Option<Seq>,
    /// The mitigation that it took back.
    pub undoes: Option<Seq>,
    /// The mitigation that took it back, and holds.
    pub undone_by: Option<Seq>,
}

/// A person's agreement to a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Approval {
    /// Who, by name.
    pub person: String,
    /// Whether it was the emergency way: alone, with a reason.
    pub alone: bool,
    /// The record.
    pub record: Seq,
}

/// A link to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Link {
    /// Where to. Untrusted.
    pub url: String,
    /// The records that name it.
    pub records: Vec<Seq>,
}

/// A piece of evidence that was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Evidence {
    /// The record that says so.
    pub record: Seq,
    /// Who collected it.
    pub collector: String,
    /// What it is; its digest shows that it is unchanged.
    pub item: EvidenceItem,
}

impl Source<'_> {
    pub(super) fn mitigations(&self) -> Vec<MitigationAccount> {
        self.incident.mitigations.keys().filter_map(|proposal| self.mitigation(*proposal)).collect()
    }

    fn mitigation(&self, proposal: Seq) -> Option<MitigationAccount> {
        let it = self.incident.mitigations.get(&proposal)?;
        let of =
            |found: fn(&Fact) -> Option<Seq>| self.all(move |fact| found(fact) == Some(proposal)).next_back();
        let approvals = it.approvals.iter().filter_map(|(person, alone)| {
            let approved =
                |fact: &Fact| matches!(fact, Fact::PlanApproved(by) if by.proposal == proposal && by.person == *person);
            let record = self.all(approved).next_back()?;
            Some(Approval { person: self.person(person), alone: *alone, record })
        });
        let undoing = |(_, by): &(&Seq, &crate::log::mitigation::MitigationState)| {
            by.undoes == Some(proposal) && by.stage == Stage::Holds
        };
        Some(MitigationAccount {
            proposal,
            what: inert::line(&it.mitigation.to_string()),
            system: it.system.clone(),
            stage: it.stage,
            plan: it.plan.as_ref().map(|plan| plan.seq),
            digest: it.plan.as_ref().map(|plan| plan.digest),
            changes: it.plan.as_ref().map_or_else(Vec::new, |plan| plan.plan.changes.clone()),
            reversible: it.plan.as_ref().map(|plan| plan.plan.reversible),
            approvals: approvals.collect(),
            executed: of(|fact| match fact {
                Fact::MitigationExecuted(it) => Some(it.proposal),
                _ => None,
            }),
            verified: of(|fact| match fact {
                Fact::MitigationVerified(it) => Some(it.proposal),
                _ => None,
            }),
            undoes: it.undoes,
            undone_by: self.incident.mitigations.iter().find(undoing).map(|(seq, _)| *seq),
        })
    }

    pub(super) fn links(&self) -> Vec<Link> {
        let link = |url: &String| {
            let naming = self.timeline.iter().filter(|entry| entry.link.as_ref() == Some(url));
            let mut records: Vec<Seq> = naming.map(|entry| entry.seq).collect();
            records.sort_unstable();
            Link { url: url.clone(), records }
        };
        self.incident.links.iter().map(link).collect()
    }

    pub(super) fn evidence(&self) -> Vec<Evidence> {
        let mut evidence = Vec::new();
        for record in self.records {
            if let Fact::EvidenceKept(it) = &record.fact {
                let kept = |item: &EvidenceItem| Evidence {
                    record: record.seq,
                    collector: it.collector.clone(),
                    item: item.clone(),
                };
                evidence.extend(it.items.iter().map(kept));
            }
        }
        evidence
    }
}
