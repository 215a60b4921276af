//! What the document lacks, and how complete that leaves it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::promise::UpdateGap;
use super::recurrence::Recurrence;
use super::source::Source;
use crate::log::event::Fact;
use crate::model::time::{since, spoken, stamp};
use crate::rules::blameless::Names;
use crate::rules::completeness::{Finding, findings, names};
use crate::runbook::Runbook;
use crate::runbook::finding_kind::FindingKind;
use crate::views::timeline::{Entry, EntryKind, Importance};

/// What the document lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Completeness {
    /// What it lacks, in the order of the document.
    pub findings: Vec<Finding>,
    /// The share, in whole per cent, of the [kinds of findings](FindingKind::ALL) that it has none of.
    pub score: u8,
}

impl Completeness {
    fn of(mut findings: Vec<Finding>) -> Self {
        findings.sort();
        findings.dedup();
        let lacking: BTreeSet<FindingKind> = findings.iter().map(|finding| finding.kind).collect();
        let (all, lacking) = (FindingKind::ALL.len(), lacking.len());
        let score = (all - lacking) * 100 / all;
        Self { findings, score: u8::try_from(score).unwrap_or(0) }
    }

    /// Whether nothing is left that the runbook wants mended before the document is published.
    #[must_use]
    pub fn is_publishable(&self) -> bool {
        self.findings.iter().all(|finding| !finding.blocks)
    }

    pub(super) fn with_recurrences(self, recurrences: &[Recurrence], runbook: &Runbook) -> Self {
        let mut findings = self.findings;
        findings.retain(|finding| finding.kind != FindingKind::Recurrence);
        findings.extend(recurrences.iter().map(|it| {
            let detail = format!("incident {}, {} before: {}", it.incident, spoken(it.apart), it.title);
            Finding::new(FindingKind::Recurrence, &[], &detail, runbook)
        }));
        Self::of(findings)
    }
}

impl Source<'_> {
    pub(super) fn completeness(&self, gaps: &[UpdateGap]) -> Completeness {
        let mut found = findings(self.incident, self.runbook);
        found.extend(names(self.incident, self.runbook, &self.strangers()));
        found.extend(gaps.iter().map(|gap| {
            let apart = gap.to.map_or_else(
                || "none since".to_owned(),
                |to| format!("{} instead of {}", spoken(since(to, gap.from)), spoken(gap.promised)),
            );
            let detail = format!("{apart}, from {}", stamp(gap.from));
            Finding::new(FindingKind::UpdateGap, &gap.records, &detail, self.runbook)
        }));
        found.extend(self.holes());
        Completeness::of(found)
    }

    /// The accounts on the timeline that belong to nobody whom the runbook knows.
    fn strangers(&self) -> Names {
        let mut names = Names::default();
        for account in self.accounts() {
            if self.runbook.person_of(account).is_none() {
                names.add_identity(account, None);
            }
        }
        names
    }

    /// Where nothing of note is on the timeline for long although the response went on.
    fn holes(&self) -> Vec<Finding> {
        let longest = self.runbook.afterwards.timeline_gap;
        let mut found = Vec::new();
        let mut before: Option<&Entry> = None;
        // A deadline that passed and what the engine did tell nothing of what happened.
        let tells = |entry: &&Entry| {
            entry.importance == Importance::Key
                && !matches!(entry.kind, EntryKind::Deadline | EntryKind::Engine)
        };
        for entry in self.timeline.iter().filter(tells) {
            if let Some(before) = before {
                let length = since(entry.occurred_at, before.occurred_at);
                if length > longest {
                    let detail = format!("{} from {}", spoken(length), stamp(before.occurred_at));
                    let ends = [before.seq, entry.seq];
                    found.push(Finding::new(FindingKind::TimelineHole, &ends, &detail, self.runbook));
                }
            }
            // From the end on, nothing has to happen until it comes back.
            before = match self.record(entry.seq).map(|record| &record.fact) {
                Some(Fact::Declared(_) | Fact::Reopened(_)) => Some(entry),
                Some(Fact::Resolved(_) | Fact::Cancelled(_) | Fact::Merged(_) | Fact::Closed(_)) => None,
                _ => before.map(|_| entry),
            };
        }
        found
    }
}
