//! The timeline: every record of an incident as a line for people, corrected where it was corrected.

mod afterwards;
mod describe;
mod effects;
mod log;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::log::event::{ChecksRead, Fact, Record};
use crate::log::incident::Incident;
use crate::model::colour::Colour;
use crate::model::effect::Outcome;
use crate::model::id::Seq;
use crate::model::role::Actor;
use crate::model::time::{Time, since};
use log::Correction;
pub(crate) use log::Log;

/// A record that was written so long after what it tells of counts as [`late`](Entry::late).
pub const LATE: Duration = Duration::from_secs(15 * 60);

/// One line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Entry {
    /// The record it tells of.
    pub seq: Seq,
    /// When it happened, UTC, as the last correction says.
    pub occurred_at: Time,
    /// When it was recorded, UTC.
    pub recorded_at: Time,
    /// Who did it.
    pub actor: Actor,
    /// What happened, in one inert line of plain text, as the last correction says.
    pub what: String,
    /// What it belongs to.
    pub kind: EntryKind,
    /// Whether a reader in a hurry needs it.
    pub importance: Importance,
    /// Where to look at it: the thing itself, or else where it was said. Untrusted, like every text.
    pub link: Option<String>,
    /// The record that corrected this one last.
    pub corrected_by: Option<Seq>,
    /// What this line said before it was corrected.
    pub was: Option<Original>,
    /// Whether it was recorded more than [`LATE`] after it happened.
    pub late: bool,
}

/// What a line said before it was corrected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Original {
    /// What happened, in one inert line of plain text.
    pub what: String,
    /// When it happened, UTC.
    pub occurred_at: Time,
}

/// What a line of the timeline belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EntryKind {
    /// Alerts from outside.
    Alert,
    /// The incident's course: declared, phases, resolved, reopened, merged, closed.
    Course,
    /// What people decided: severity, roles, steps of the checklist.
    Decision,
    /// What was found: impact, causes, notes, evidence.
    Finding,
    /// What was said to whom.
    Communication,
    /// What was changed, or meant to be.
    Mitigation,
    /// Recovery checks.
    Check,
    /// What people owe by a time.
    Deadline,
    /// What is done afterwards.
    FollowUp,
    /// Corrections and redactions of the log itself.
    Amendment,
    /// What the engine does to carry out the rest.
    Engine,
}

/// Whether a reader in a hurry needs a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Importance {
    /// The story can't be told without it.
    Key,
    /// It shows how the story came about.
    Detail,
}

/// The timeline of an incident, by when things happened, then by when they were recorded.
///
/// `records` is the log in order, or a part of it; `incident` is folded from the whole of it. What was corrected shows
/// what the last correction says and keeps what it said before; words that were taken out show as `[redacted]`. A
/// correction of the first record's time says when the incident began; the line stays where it was declared.
#[must_use]
pub fn timeline(incident: &Incident, records: &[Record]) -> Vec<Entry> {
    Log::new(incident, records).timeline()
}

/// What a record says, in one inert line of plain text, as it was written.
///
/// `incident` is folded at least as far as the record. What the record refers to is named as far as the incident still
/// knows it, and by its number otherwise; [`timeline`] knows all of it.
#[must_use]
pub fn describe(incident: &Incident, record: &Record) -> String {
    Log::new(incident, std::slice::from_ref(record)).describe(record, Correction::default())
}

impl Log<'_> {
    /// The [`timeline()`] of the records at hand.
    pub(crate) fn timeline(&self) -> Vec<Entry> {
        let mut colours = BTreeMap::new();
        let mut entries: Vec<Entry> =
            self.records.iter().map(|record| entry(self, record, &mut colours)).collect();
        entries.sort_by_key(|entry| (entry.occurred_at, entry.seq));
        entries
    }
}

fn entry<'a>(log: &Log<'_>, record: &'a Record, colours: &mut BTreeMap<&'a str, Colour>) -> Entry {
    let correction = log.correction(record.seq);
    let begins = matches!(record.fact, Fact::Declared(_));
    let corrected_time = correction.and_then(|it| it.occurred_at).filter(|_| !begins);
    let occurred_at = corrected_time.unwrap_or(record.occurred_at);
    let (kind, importance) = group(&record.fact, colours);
    Entry {
        seq: record.seq,
        occurred_at,
        recorded_at: record.recorded_at,
        actor: record.actor.clone(),
        what: log.describe(record, correction.unwrap_or_default()),
        kind,
        importance,
        link: link(&record.fact).or(record.origin.link.as_ref()).cloned(),
        corrected_by: correction.map(|it| it.by),
        was: correction.map(|_| Original {
            what: log.describe(record, Correction::default()),
            occurred_at: record.occurred_at,
        }),
        late: since(record.recorded_at, occurred_at) > LATE,
    }
}

fn link(fact: &Fact) -> Option<&String> {
    match fact {
        Fact::Declared(it) => it.link.as_ref(),
        Fact::FixRecorded(it) => it.link.as_ref(),
        Fact::PostMortemPublished(it) => it.link.as_ref(),
        Fact::EffectSettled(it) => match &it.outcome {
            Outcome::Done(receipt) => receipt.link.as_ref(),
            _ => None,
        },
        _ => None,
    }
}

/// What a fact belongs to and whether it is needed; `colours` is what the checks showed before it.
fn group<'a>(fact: &'a Fact, colours: &mut BTreeMap<&'a str, Colour>) -> (EntryKind, Importance) {
    use EntryKind as K;
    use Importance::{Detail, Key};
    match fact {
        Fact::SignalsReceived(_) => (K::Alert, Key),
        Fact::Declared(_) | Fact::PhaseEntered(_) | Fact::Resolved(_) | Fact::Reopened(_) => (K::Course, Key),
        Fact::Cancelled(_) | Fact::Absorbed(_) | Fact::Merged(_) | Fact::Closed(_) => (K::Course, Key),
        Fact::Linked(_) => (K::Course, Detail),
        Fact::Acknowledged(_) | Fact::SeveritySet(_) | Fact::RoleAssigned(_) => (K::Decision, Key),
        Fact::Triaged(_) | Fact::Replanned(_) => (K::Decision, Key),
        Fact::StepTicked(_) => (K::Decision, Detail),
        Fact::ImpactAssessed(_) | Fact::Noted(_) | Fact::Hypothesised(_) => (K::Finding, Key),
        Fact::HypothesisJudged(_) => (K::Finding, Key),
        Fact::EvidenceKept(_) => (K::Finding, Detail),
        Fact::UpdatePosted(_) | Fact::Escalated(_) | Fact::AudienceUnreached(_) => (K::Communication, Key),
        Fact::NoticeIssued(_) | Fact::TicketAdopted(_) => (K::Communication, Detail),
        Fact::MitigationProposed(_) | Fact::MitigationPlanned(_) | Fact::PlanApproved(_) => {
            (K::Mitigation, Key)
        }
        Fact::ApprovalWithdrawn(_) | Fact::MitigationRejected(_) | Fact::ExecutionOrdered(_) => {
            (K::Mitigation, Key)
        }
        Fact::MitigationExecuted(_) | Fact::MitigationVerified(_) | Fact::FixRecorded(_) => {
            (K::Mitigation, Key)
        }
        Fact::ChecksRead(it) => (K::Check, if tells_news(it, colours) { Key } else { Detail }),
        Fact::CheckAttested(_) => (K::Check, Key),
        Fact::ObligationBreached(_) => (K::Deadline, Key),
        Fact::ObligationOpened(_) | Fact::ObligationMet(_) | Fact::ObligationMoved(_) => {
            (K::Deadline, Detail)
        }
        Fact::ObligationDropped(_) | Fact::ObligationReminded(_) => (K::Deadline, Detail),
        Fact::CauseFound(_) => (K::Finding, Key),
        Fact::EvidenceLinked(_) => (K::Finding, Detail),
        Fact::ActionAdded(_) | Fact::ActionCompleted(_) | Fact::ActionTicketSeen(_) => (K::FollowUp, Key),
        Fact::PostMortemPublished(_) | Fact::MeetingHeld(_) | Fact::ActionAssigned(_) => (K::FollowUp, Key),
        Fact::ReviewRequested(_) | Fact::ReviewReturned(_) | Fact::MeetingScheduled(_) => (K::FollowUp, Key),
        Fact::MeetingCancelled(_) => (K::FollowUp, Key),
        Fact::PostMortemAssigned(_) | Fact::SectionWritten(_) => (K::FollowUp, Detail),
        Fact::DocumentationDecided(_) => (K::FollowUp, Detail),
        Fact::Corrected(_) | Fact::Redacted(_) => (K::Amendment, Detail),
        Fact::EffectSettled(it) => match it.outcome {
            Outcome::Done(_) | Outcome::Superseded { .. } => (K::Engine, Detail),
            Outcome::Refused { .. } | Outcome::Expired | Outcome::HandedToPerson { .. } => (K::Engine, Key),
        },
        Fact::EffectPlanned(_) | Fact::EffectStarted(_) | Fact::EffectFailed(_) => (K::Engine, Detail),
        Fact::EffectUnclear(_) | Fact::Reviewed(_) => (K::Engine, Detail),
    }
}

/// Whether a look at the checks shows other colours than the one before; a first look that is green shows nothing new.
fn tells_news<'a>(fact: &'a ChecksRead, colours: &mut BTreeMap<&'a str, Colour>) -> bool {
    let mut news = false;
    for (name, reading) in &fact.readings {
        let before = colours.insert(name, reading.colour).unwrap_or(Colour::Green);
        news |= before != reading.colour;
    }
    news
}

#[cfg(test)]
mod tests;
