//! What the facts that come after the fix make of the state.

use crate::log::event::{CauseFound, EvidenceLinked, Fact, MeetingScheduled, Record};
use crate::log::incident::{Action, Incident};
use crate::model::afterwards::{Cause, Decided, DocumentStatus, Meeting, Proof, Version};
use crate::model::id::Seq;
use crate::model::ticket::{TicketSeen, TicketState};

/// Takes a record of what comes after the fix into the state; any other is passed over.
pub(super) fn afterwards(it: &mut Incident, record: &Record) {
    match &record.fact {
        Fact::PostMortemAssigned(fact) => it.document.owner = Some(fact.owner.clone()),
        Fact::SectionWritten(fact) => {
            let edits = it.document.sections.get(&fact.section).map_or(0, |version| version.edits);
            let version = Version { seq: record.seq, text: fact.text, edits: edits.saturating_add(1) };
            it.document.sections.insert(fact.section, version);
        }
        Fact::CauseFound(fact) => cause(it, record.seq, fact),
        Fact::EvidenceLinked(fact) => linked(it, fact),
        Fact::ReviewRequested(fact) => {
            it.document.status = DocumentStatus::InReview;
            it.document.reviewers.clone_from(&fact.reviewers);
        }
        Fact::ReviewReturned(_) => it.document.status = DocumentStatus::Draft,
        Fact::PostMortemPublished(fact) => {
            it.post_mortem_published = true;
            it.document.status = DocumentStatus::Published;
            it.document.published_up_to = Some(fact.up_to);
            it.links.extend(fact.link.clone());
        }
        Fact::DocumentationDecided(fact) => {
            it.steps.insert(fact.step.clone());
            let decided = Decided { seq: record.seq, decision: fact.decision };
            it.document.documentation.insert(fact.step.clone(), decided);
        }
        Fact::MeetingScheduled(fact) => meeting(it, record, fact),
        Fact::MeetingCancelled(_) => {
            if let Some(meeting) = &mut it.document.meeting {
                meeting.seq = record.seq;
                meeting.announced_at = record.recorded_at;
                meeting.revision = meeting.revision.saturating_add(1);
                meeting.cancelled = true;
            }
        }
        Fact::MeetingHeld(_) => it.document.meeting_held = Some(record.seq),
        _ => action(it, record),
    }
}

fn action(it: &mut Incident, record: &Record) {
    match &record.fact {
        Fact::ActionAdded(fact) => {
            let action = Action {
                what: fact.what,
                kind: fact.kind,
                priority: fact.priority,
                owner: fact.owner.clone(),
                added_at: record.recorded_at,
                due: fact.due,
                ticket: None,
                seen: None,
                done: false,
                done_at: None,
            };
            it.actions.insert(record.seq, action);
        }
        Fact::ActionAssigned(fact) => with_action(it, fact.action, |action| {
            action.owner = fact.owner.clone().or_else(|| action.owner.take());
            action.due = fact.due.unwrap_or(action.due);
        }),
        Fact::ActionCompleted(fact) => with_action(it, fact.action, |action| {
            action.done = true;
            action.done_at.get_or_insert(record.recorded_at);
        }),
        Fact::ActionTicketSeen(fact) => with_action(it, fact.action, |action| {
            let TicketSeen { state, owner, due } = &fact.shows;
            if *state == TicketState::Closed {
                action.done = true;
                action.done_at.get_or_insert(record.recorded_at);
            }
            action.owner = owner.clone().or_else(|| action.owner.take());
            action.due = due.unwrap_or(action.due);
            action.seen = Some(fact.shows.clone());
        }),
        _ => {}
    }
}

fn with_action(it: &mut Incident, action: Seq, change: impl FnOnce(&mut Action)) {
    if let Some(action) = it.actions.get_mut(&action) {
        change(action);
    }
}

/// What would be too deep, or lies under nothing that is known, begins a branch of its own.
fn cause(it: &mut Incident, seq: Seq, fact: &CauseFound) {
    let causes = &it.document.causes;
    let above = fact.under.and_then(|under| causes.get(&under)).filter(|above| above.depth < Cause::DEEPEST);
    let cause = Cause {
        under: fact.under.filter(|_| above.is_some()),
        depth: above.map_or(0, |above| above.depth + 1),
        statement: fact.statement,
        kind: fact.kind,
        class: fact.class,
        proof: Proof::default(),
    };
    it.document.causes.insert(seq, cause);
}

fn linked(it: &mut Incident, fact: &EvidenceLinked) {
    let of_cause = it.document.causes.get_mut(&fact.to).map(|cause| &mut cause.proof);
    let proof = of_cause.or_else(|| it.hypotheses.get_mut(&fact.to).map(|hypothesis| &mut hypothesis.proof));
    if let Some(proof) = proof {
        proof.evidence.extend(&fact.evidence);
        proof.records.extend(&fact.records);
    }
}

fn meeting(it: &mut Incident, record: &Record, fact: &MeetingScheduled) {
    let before = it.document.meeting.as_ref();
    it.document.meeting = Some(Meeting {
        seq: record.seq,
        announced_at: record.recorded_at,
        starts_at: fact.starts_at,
        length: fact.length,
        invitees: fact.invitees.clone(),
        place: fact.place.clone(),
        revision: before.map_or(0, |meeting| meeting.revision.saturating_add(1)),
        cancelled: false,
    });
}
