//! The ticket that mirrors an incident, and the tickets of its follow-ups.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::role::PersonId;
use crate::model::time::Time;

/// A ticket in a tracker, as the tracker names it: `acme/shop#17`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct TicketRef(String);

impl TicketRef {
    /// The ticket called `reference`.
    #[must_use]
    pub fn new(reference: &str) -> Self {
        Self(reference.to_owned())
    }

    /// The tracker's name for it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TicketRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One change to one ticket, ready for a tracker. Texts are untrusted: an adapter escapes them for its backend.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TicketChange {
    /// Open one; a follow-up names its parent.
    Open(OpenTicket),
    /// Append a comment.
    Comment(CommentTicket),
    /// Bring the fields to this state.
    Set(SetTicket),
    /// Close it.
    Close(CloseTicket),
    /// Open it again.
    Reopen(ReopenTicket),
    /// Link it to another.
    Link(LinkTicket),
}

impl TicketChange {
    /// The ticket it changes; none if it opens one.
    #[must_use]
    pub fn ticket(&self) -> Option<&TicketRef> {
        match self {
            Self::Open(_) => None,
            Self::Comment(it) => Some(&it.ticket),
            Self::Set(it) => Some(&it.ticket),
            Self::Close(it) => Some(&it.ticket),
            Self::Reopen(it) => Some(&it.ticket),
            Self::Link(it) => Some(&it.ticket),
        }
    }
}

/// A ticket to open.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OpenTicket {
    /// The title, such as `[INCIDENT] checkout is down`.
    pub title: String,
    /// The body, plain text.
    pub body: String,
    /// The labels, such as `incident`, `sev2`, `drill`.
    pub labels: Vec<String>,
    /// Who is responsible, as accounts `system:account`.
    pub assignees: Vec<crate::model::role::Identity>,
    /// When it is due, UTC, if it is.
    pub due: Option<Time>,
    /// The incident's ticket, if this is a follow-up of it.
    pub parent: Option<TicketRef>,
}

/// A comment to append.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CommentTicket {
    /// The ticket.
    pub ticket: TicketRef,
    /// The comment, plain text.
    pub body: String,
}

/// Fields to set. What isn't named stays as it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SetTicket {
    /// The ticket.
    pub ticket: TicketRef,
    /// Labels that must be there.
    pub add_labels: Vec<String>,
    /// Labels that must not.
    pub remove_labels: Vec<String>,
    /// What the status section says, plain text.
    pub status: String,
}

/// A ticket to close.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CloseTicket {
    /// The ticket.
    pub ticket: TicketRef,
    /// The closing comment, plain text.
    pub comment: String,
    /// Whether nothing was done about it, because the incident was cancelled.
    pub not_planned: bool,
}

/// A ticket to open again.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ReopenTicket {
    /// The ticket.
    pub ticket: TicketRef,
    /// Why, plain text.
    pub comment: String,
}

/// Two tickets to link.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LinkTicket {
    /// The ticket.
    pub ticket: TicketRef,
    /// The other, by reference or URL.
    pub to: String,
    /// How they belong together: `duplicate of`, `post-mortem`, `follow-up`.
    pub relation: String,
}

macro_rules! of_ticket {
    ($($type:ident { $($field:ident),* }),*) => {$(
        impl $type {
            /// A change of `ticket`.
            #[must_use]
            pub fn new(ticket: TicketRef, $($field: &str),*) -> Self {
                Self { ticket, $($field: $field.to_owned()),* }
            }
        }
    )*};
}
of_ticket!(CommentTicket { body }, ReopenTicket { comment }, LinkTicket { to, relation });

impl CloseTicket {
    /// Closes `ticket` with this comment, as done.
    #[must_use]
    pub fn new(ticket: TicketRef, comment: &str) -> Self {
        Self { ticket, comment: comment.to_owned(), not_planned: false }
    }
}

impl OpenTicket {
    /// A ticket with a title and a body.
    #[must_use]
    pub fn new(title: &str, body: &str) -> Self {
        Self { title: title.to_owned(), body: body.to_owned(), ..Self::default() }
    }

    /// With these labels.
    #[must_use]
    pub fn with_labels(mut self, labels: Vec<String>) -> Self {
        self.labels = labels;
        self
    }
}

impl SetTicket {
    /// Sets the status section of `ticket`.
    #[must_use]
    pub fn new(ticket: TicketRef, status: &str) -> Self {
        Self { ticket, add_labels: Vec::new(), remove_labels: Vec::new(), status: status.to_owned() }
    }
}

/// What a ticket shows of the action item it is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TicketSeen {
    /// Whether it is open, closed or gone.
    pub state: TicketState,
    /// Whose it is, if the runbook knows one of its assignees.
    #[serde(default)]
    pub owner: Option<PersonId>,
    /// By when it is due, UTC, if it says so.
    #[serde(default)]
    pub due: Option<Time>,
}

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketState {
    /// Something is left to do.
    Open,
    /// It is done, or won't be.
    Closed,
    /// The tracker has no such ticket any more.
    Gone,
}

/// A ticket as its tracker shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ticket {
    /// The ticket.
    pub reference: TicketRef,
    /// Whether it is open.
    pub open: bool,
    /// Its title.
    pub title: String,
    /// Who is responsible, as accounts `system:account`.
    pub assignees: Vec<crate::model::role::Identity>,
    /// When it is due, UTC.
    pub due: Option<Time>,
    /// Where to look at it.
    pub link: Option<String>,
    /// What it is called now, if the tracker moved it and `reference` is its old name.
    #[serde(default)]
    pub moved_to: Option<TicketRef>,
    /// Why it can't be read at the moment, if it can't. Nothing else of it is known then.
    #[serde(default)]
    pub unread: Option<String>,
}

impl Ticket {
    /// A ticket with nothing but a title.
    #[must_use]
    pub fn new(reference: TicketRef, open: bool, title: &str) -> Self {
        Self {
            reference,
            open,
            title: title.to_owned(),
            assignees: Vec::new(),
            due: None,
            link: None,
            moved_to: None,
            unread: None,
        }
    }

    /// A ticket that can't be read at the moment. That doesn't mean it is gone.
    #[must_use]
    pub fn unread(reference: TicketRef, why: &str) -> Self {
        Self { unread: Some(why.to_owned()), ..Self::new(reference, true, "") }
    }
}
