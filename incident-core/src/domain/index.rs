//! What a store may know about an incident without reading its log: when to look again, how urgent it is, and the
//! names it holds.

use serde::{Deserialize, Serialize};

use super::id::Seq;
use super::time::Time;

/// The version of the fold that this binary computes an [`Index`] with.
pub const FOLD: u32 = 1;

/// An incident's row in the index, computed from its state at [`version`](Self::version) by every commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Index {
    /// The version of the incident this row was computed from.
    pub version: Seq,
    /// When the incident wants to be looked at again, UTC; none exactly when nothing is owed.
    pub next_wake: Option<Time>,
    /// How urgent it is; more urgent incidents are claimed first.
    pub urgency: Urgency,
    /// Every name the incident holds. A commit that names one held by another incident is refused.
    pub keys: Vec<Key>,
    /// What a list shows of the incident, as JSON; opaque to the store.
    pub summary: Vec<u8>,
    /// The version of the fold that computed this row.
    pub by: u32,
}

impl Index {
    /// A row without keys and without a summary, computed by this binary.
    #[must_use]
    pub fn new(version: Seq, next_wake: Option<Time>, urgency: Urgency) -> Self {
        Self { version, next_wake, urgency, keys: Vec::new(), summary: Vec::new(), by: FOLD }
    }

    /// With these names held.
    #[must_use]
    pub fn with_keys(mut self, keys: Vec<Key>) -> Self {
        self.keys = keys;
        self
    }

    /// With this summary.
    #[must_use]
    pub fn with_summary(mut self, summary: Vec<u8>) -> Self {
        self.summary = summary;
        self
    }

    /// As computed by the fold of version `by`.
    #[must_use]
    pub fn computed_by(mut self, by: u32) -> Self {
        self.by = by;
        self
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

/// A name that at most one incident in the store holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The name, such as `signal/checkout` or `target/prod/deployment/checkout`; a drill's begins with `drill/`.
    pub name: String,
    /// Until when it is held, UTC, once what it stands for is over; none while it runs.
    pub until: Option<Time>,
}

impl Key {
    /// `name`, held for as long as what it stands for runs.
    #[must_use]
    pub fn held(name: String) -> Self {
        Self { name, until: None }
    }

    /// `name`, held until `until`.
    #[must_use]
    pub fn until(name: String, until: Time) -> Self {
        Self { name, until: Some(until) }
    }
}
