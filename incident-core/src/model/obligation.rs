//! What people owe, by a recorded time.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::id::Seq;
use crate::model::time::{Time, is_ahead};

/// What somebody owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ObligationKind {
    /// Somebody must acknowledge the incident.
    Acknowledge,
    /// The commander must post an update.
    Update,
    /// The post-mortem must be published.
    PostMortem,
    /// The review meeting must be held.
    Meeting,
    /// An action item must be done; it is known by the record that added it.
    FollowUp(Seq),
}

impl fmt::Display for ObligationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Acknowledge => f.pad("acknowledge the incident"),
            Self::Update => f.pad("post an update"),
            Self::PostMortem => f.pad("publish the post-mortem"),
            Self::Meeting => f.pad("hold the review meeting"),
            Self::FollowUp(action) => write!(f, "finish action item {action}"),
        }
    }
}

/// One open obligation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Obligation {
    /// The record that opened it.
    pub seq: Seq,
    /// What is owed.
    pub kind: ObligationKind,
    /// By when, UTC.
    pub due: Time,
    /// When that was recorded, UTC.
    pub since: Time,
    /// When they are reminded, UTC; none once they were.
    pub remind_at: Option<Time>,
    /// How many deadlines of it have passed.
    pub missed: u32,
    /// How many breaches were recorded: each tells the next step of the chain.
    pub breaches: u32,
    /// When the escalation takes its next step, UTC; only after the acknowledgement's deadline.
    pub escalate_at: Option<Time>,
    /// Which step of the chain that is.
    pub escalate_step: u32,
    /// Whether the time may still pass: a breach that doesn't come again has none.
    pub armed: bool,
}

impl Obligation {
    /// Whether its times were recorded by a clock that was, at `now`, beyond doubt ahead.
    pub(crate) fn is_misdated(&self, now: Time) -> bool {
        is_ahead(self.since, now) && (self.armed || self.escalate_at.is_some())
    }

    /// The next time at which this obligation wants something done.
    #[must_use]
    pub fn next(&self) -> Option<Time> {
        let due = self.armed.then_some(self.due);
        [due, self.remind_at, self.escalate_at].into_iter().flatten().min()
    }
}
