//! What the engine owes the world outside.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::id::{IncidentId, Seq};
use crate::model::notice::NoticeKind;
use crate::model::severity::Audience;
use crate::model::time::Time;

/// What doing an effect a second time would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// The backend recognises the effect's id and does it once, within a window from the first attempt.
    Native {
        /// How long the backend remembers.
        #[serde(with = "humantime_serde")]
        within: Duration,
    },
    /// The backend can be asked whether it was done.
    Lookup,
    /// Doing it again leads to the same state.
    Converging,
    /// It would be seen twice, and nobody can be asked.
    Visible,
}

/// The backend's word that an effect was done.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// What the backend calls what it made: a message's id, a ticket.
    pub reference: String,
    /// Where to look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The conversation that later effects of the lane belong to: a thread, a channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// What the backend silently left out, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub degraded: Vec<String>,
    /// What the ticket was called before, if the tracker moved it and `reference` is its new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Receipt");
        shown.field("reference", &self.reference).field("link", &self.link);
        shown.field("conversation", &self.conversation).field("degraded", &self.degraded);
        // Kept states of older logs show what their receipts had.
        if let Some(from) = &self.moved_from {
            shown.field("moved_from", from);
        }
        shown.finish()
    }
}

impl Receipt {
    /// A receipt for `reference`.
    #[must_use]
    pub fn new(reference: &str) -> Self {
        Self { reference: reference.to_owned(), ..Self::default() }
    }

    /// With a link.
    #[must_use]
    pub fn with_link(mut self, link: &str) -> Self {
        self.link = Some(link.to_owned());
        self
    }

    /// Of a ticket that was called `reference` before the tracker moved it.
    #[must_use]
    pub fn moved_from(mut self, reference: &str) -> Self {
        self.moved_from = Some(reference.to_owned());
        self
    }

    /// In this conversation.
    #[must_use]
    pub fn in_conversation(mut self, conversation: &str) -> Self {
        self.conversation = Some(conversation.to_owned());
        self
    }
}

/// One thing the engine owes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Effect {
    /// The record that planned it.
    pub seq: Seq,
    /// What to do.
    pub work: Work,
    /// Who does it: the name of a route, a tracker, a system or a collector.
    pub route: String,
    /// The lane it is in.
    pub lane: Option<String>,
    /// How urgent it is.
    pub urgency: Urgency,
    /// When it was planned, UTC.
    pub planned_at: Time,
    /// From when it is pointless, UTC.
    pub expires_at: Time,
    /// Where it stands.
    pub state: EffectState,
    /// When that was recorded, UTC: what its waits are counted from.
    pub since: Time,
    /// How often it was started.
    pub attempts: u32,
    /// How many attempts in a row brought no answer. An answer that asks to wait ends the row.
    pub fruitless: u32,
    /// When it was first started, UTC.
    pub first_started: Option<Time>,
    /// How many looks couldn't tell.
    pub unclear: u32,
    /// Whether an attempt before the last one may have done it.
    pub maybe_before: bool,
    /// What a second time would do, as the last start recorded.
    pub repeat: Option<Repeat>,
    /// The effect this one stands in for.
    pub instead_of: Option<Seq>,
}

/// Where an effect stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EffectState {
    /// Not begun, or known not to have happened; may be started from this time on.
    Ready(Time),
    /// A worker is at it, as attempt `attempt`, until `until`.
    Started {
        /// Which attempt.
        attempt: u32,
        /// Until when its outcome counts as coming.
        until: Time,
        /// How it was begun.
        how: Start,
    },
    /// It may have happened; to be resolved from this time on.
    Unknown(Time),
}

/// How an attempt begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// With the call: it can't have happened yet, or a second time is harmless.
    Call,
    /// With a look; with the call only if the look says no.
    Look,
    /// With the call, marked as possibly done before.
    CallMarked,
}

/// Whether something may have happened outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Applied {
    /// Certainly not.
    No,
    /// Perhaps; look before repeating.
    Maybe,
}

/// What there is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Work {
    /// Carry a notice to an audience.
    Notify(Notify),
    /// Change a ticket.
    Ticket(TicketWork),
    /// Make the plan of a mitigation, known by the record that proposed it.
    Plan(Seq),
    /// Carry it out.
    Execute(Seq),
    /// Look whether it holds.
    Verify(Seq),
    /// Collect evidence.
    Collect,
    /// Read the tickets of open action items back.
    ReadTickets,
    /// Tell the other incident that it is part of this one.
    Merge(IncidentId),
}

/// A notice to carry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notify {
    /// The record that issued it.
    pub notice: Seq,
    /// For whom; a route that serves several of them carries it once.
    pub audiences: Vec<Audience>,
    /// Its kind, so that a store's reader needn't look it up.
    pub kind: NoticeKind,
}

/// A ticket to change. The words are rendered from the incident when it is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TicketWork {
    /// Open the incident's ticket.
    Open,
    /// Append what the record says.
    Comment(Seq),
    /// Append what several records say, in one comment: they came faster than the tracker takes them.
    Comments(Vec<Seq>),
    /// Bring labels and the status section up to date.
    Sync,
    /// Close it, as the record says.
    Close(Seq),
    /// Open it again, as the record says.
    Reopen(Seq),
    /// Open the ticket of an action item, known by the record that added it.
    FollowUp(Seq),
    /// Close the ticket of an action item.
    CloseFollowUp(Seq),
    /// Link the incident's ticket to another one.
    Link(LinkTo),
}

/// What a ticket is linked to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LinkTo {
    /// The ticket of another incident, known when it is done.
    Incident {
        /// The other.
        other: IncidentId,
        /// How they belong together, in words: `duplicate of`, `recurrence of`.
        relation: String,
    },
    /// The ticket of an action item, known by the record that added it.
    FollowUp(Seq),
}

/// How an effect ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// It was done, and this is the backend's word for it.
    Done(Receipt),
    /// The backend said no for good, or trying was given up.
    Refused {
        /// What was said.
        error: String,
    },
    /// Its time passed.
    Expired,
    /// Something later made it pointless.
    Superseded {
        /// The record that did.
        by: Seq,
    },
    /// A machine can't tell whether it happened; a person was asked.
    HandedToPerson {
        /// Why.
        why: String,
    },
}

impl Outcome {
    /// Whether it was done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

/// How urgent work is; the greater goes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Urgency(pub u8);

impl Urgency {
    /// Reports, follow-ups, evidence.
    pub const BACKGROUND: Self = Self(0);
    /// Updates, tickets, reminders.
    pub const ROUTINE: Self = Self(1);
    /// Mitigations and what they need.
    pub const ACTION: Self = Self(2);
    /// Pages: somebody must wake up.
    pub const PAGE: Self = Self(3);
}
