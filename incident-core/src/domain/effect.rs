//! What the engine owes the world outside.

use std::time::Duration;

use serde::{Deserialize, Serialize};

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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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

    /// In this conversation.
    #[must_use]
    pub fn in_conversation(mut self, conversation: &str) -> Self {
        self.conversation = Some(conversation.to_owned());
        self
    }
}
