//! What is left to do: action items, documentation, the review meeting.

use std::time::Duration;

use serde::Serialize;

use super::seconds;
use super::source::Source;
use crate::log::event::Fact;
use crate::log::incident::Action;
use crate::model::afterwards::{ActionKind, Decision};
use crate::model::id::Seq;
use crate::model::inert;
use crate::model::obligation::ObligationKind;
use crate::model::role::PersonId;
use crate::model::ticket::TicketRef;
use crate::model::time::Time;
use crate::runbook::Priority;

/// Something to do afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ActionItem {
    /// The record that added it.
    pub record: Seq,
    /// What, in one inert line of plain text, as the last correction says.
    pub what: String,
    /// What it is good for.
    pub kind: Option<ActionKind>,
    /// How urgent.
    pub priority: Priority,
    /// Whose, by name.
    pub owner: Option<String>,
    /// By when, UTC.
    pub due: Time,
    /// Its ticket.
    pub ticket: Option<TicketRef>,
    /// When it was known to be done, UTC; none while it is open.
    pub done_at: Option<Time>,
    /// How many of its deadlines passed.
    pub missed: u32,
    /// Every record about it.
    pub records: Vec<Seq>,
}

/// An item of the documentation, and what was decided on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DocumentationItem {
    /// The step's id in the runbook.
    pub step: String,
    /// What it is, as the runbook says.
    pub what: String,
    /// What was decided.
    pub state: DocumentationState,
    /// The record that says so.
    pub record: Option<Seq>,
}

/// What was decided on an item of the documentation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DocumentationState {
    /// Nothing yet.
    Undecided,
    /// This action item brings it up to date.
    Action(Seq),
    /// It needn't be, for this reason, in one inert line of plain text.
    NotNeeded(String),
    /// It was brought up to date at once.
    Done,
}

/// The review meeting: promised, announced, held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct MeetingAccount {
    /// By when it was promised, UTC; none if the severity needs none, or it isn't resolved.
    pub promised_by: Option<Time>,
    /// How it was announced last.
    pub announced: Option<Announced>,
    /// What is talked about, as the runbook says, in order.
    pub agenda: Vec<AgendaPoint>,
    /// The record that says that it was held.
    pub held: Option<Seq>,
    /// Who was there, by name.
    pub attendees: Vec<String>,
}

/// A review meeting as it was announced last. Its id in a calendar is the incident's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Announced {
    /// The record that says so.
    pub record: Seq,
    /// When that was recorded, UTC: the calendar entry's stamp.
    pub at: Time,
    /// When it begins, UTC.
    pub starts_at: Time,
    /// How long it takes.
    #[serde(serialize_with = "seconds::length")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub length: Duration,
    /// Who is invited.
    pub invitees: Vec<Invitee>,
    /// Where: a room, or a link. Untrusted.
    pub place: Option<String>,
    /// How often it was announced before: the calendar entry's sequence.
    pub revision: u32,
    /// Whether it was called off.
    pub cancelled: bool,
}

/// Somebody who is invited. Accounts are in the runbook, and not in a document that many read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Invitee {
    /// The person.
    pub person: PersonId,
    /// The person's name.
    pub name: String,
}

/// One part of the meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AgendaPoint {
    /// What is talked about.
    pub topic: String,
    /// For how long.
    #[serde(serialize_with = "seconds::length")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub length: Duration,
}

impl Source<'_> {
    pub(super) fn actions(&self) -> Vec<ActionItem> {
        self.incident.actions.iter().map(|(seq, action)| self.action(*seq, action)).collect()
    }

    fn action(&self, record: Seq, it: &Action) -> ActionItem {
        let about = |fact: &Fact| match fact {
            Fact::ActionAssigned(it) => it.action == record,
            Fact::ActionCompleted(it) => it.action == record,
            Fact::ActionTicketSeen(it) => it.action == record,
            _ => false,
        };
        let kind = ObligationKind::FollowUp(record);
        let missed = self.promises.iter().find(|promise| promise.kind == kind);
        ActionItem {
            record,
            what: inert::line(self.log.words(record, it.what)),
            kind: it.kind,
            priority: it.priority,
            owner: it.owner.as_ref().map(|owner| self.person(owner)),
            due: it.due,
            ticket: it.ticket.clone(),
            done_at: it.done_at,
            missed: missed.map_or(0, |promise| promise.missed),
            records: [record].into_iter().chain(self.all(about)).collect(),
        }
    }

    pub(super) fn documentation(&self) -> Vec<DocumentationItem> {
        self.runbook.afterwards.documentation.iter().map(|step| self.documented(step)).collect()
    }

    fn documented(&self, id: &str) -> DocumentationItem {
        let phases = crate::model::phase::Phase::ALL.into_iter();
        let mut steps = phases.flat_map(|phase| &self.runbook.phase(phase).steps);
        let what = steps.find(|step| step.id == id).map_or(id, |step| &step.what);
        let ticked = self.records.iter().rev().find_map(|record| match &record.fact {
            Fact::StepTicked(it) if it.step == id => Some((record.seq, it.skipped)),
            _ => None,
        });
        let words = |record, text| inert::line(self.log.words(record, text));
        let (state, record) = match (self.incident.document.documentation.get(id), ticked) {
            (Some(decided), _) => match decided.decision {
                Decision::Action(action) => (DocumentationState::Action(action), Some(decided.seq)),
                Decision::NotNeeded(reason) => {
                    (DocumentationState::NotNeeded(words(decided.seq, reason)), Some(decided.seq))
                }
            },
            (None, Some((seq, Some(reason)))) => {
                (DocumentationState::NotNeeded(words(seq, reason)), Some(seq))
            }
            (None, Some((seq, None))) => (DocumentationState::Done, Some(seq)),
            (None, None) => (DocumentationState::Undecided, None),
        };
        DocumentationItem { step: id.to_owned(), what: inert::line(what), state, record }
    }

    pub(super) fn meeting(&self) -> MeetingAccount {
        let promised = self.promises.iter().rfind(|promise| promise.kind == ObligationKind::Meeting);
        let announced = self.incident.document.meeting.as_ref().map(|meeting| Announced {
            record: meeting.seq,
            at: meeting.announced_at,
            starts_at: meeting.starts_at,
            length: meeting.length,
            invitees: meeting
                .invitees
                .iter()
                .map(|person| Invitee { person: person.clone(), name: self.person(person) })
                .collect(),
            place: meeting.place.clone(),
            revision: meeting.revision,
            cancelled: meeting.cancelled,
        });
        let held = self.records.iter().rev().find_map(|record| match &record.fact {
            Fact::MeetingHeld(it) => Some((record.seq, &it.attendees)),
            _ => None,
        });
        let attendees = held.into_iter().flat_map(|(_, attendees)| attendees);
        let agenda = self.runbook.afterwards.agenda.iter();
        MeetingAccount {
            promised_by: promised.map(|promise| promise.due),
            announced,
            agenda: agenda
                .map(|item| AgendaPoint { topic: inert::line(&item.topic), length: item.length })
                .collect(),
            held: held.map(|(seq, _)| seq),
            attendees: attendees.map(|person| self.person(person)).collect(),
        }
    }
}
