//! Where an incident's messages belong, as a receipt keeps it.

use std::fmt;
use std::str::FromStr;

use incident_core::model::effect::Receipt;

use crate::blocks::escape::is_id;

/// A conversation. An incident keeps the shape that it began with, whatever the configuration says later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A thread: `C024BE7LH/1795662000.000100`, below the message that the incident is known by.
    Thread { channel: String, root: String },
    /// A channel of its own: `room:C024BE7LH/1795662000.000100`, with the pinned message.
    Room { channel: String, summary: String },
}

impl Place {
    /// Where the latest of these receipts belongs.
    pub(crate) fn of(earlier: &[Receipt]) -> Option<Self> {
        earlier.iter().rev().find_map(|receipt| receipt.conversation.as_deref()?.parse().ok())
    }

    pub(crate) fn channel(&self) -> &str {
        match self {
            Self::Thread { channel, .. } | Self::Room { channel, .. } => channel,
        }
    }

    /// The thread that messages go into, if they do.
    pub(crate) fn thread(&self) -> Option<&str> {
        match self {
            Self::Thread { root, .. } => Some(root),
            Self::Room { .. } => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thread { channel, root } => write!(f, "{channel}/{root}"),
            Self::Room { channel, summary } => write!(f, "room:{channel}/{summary}"),
        }
    }
}

/// The text is no conversation of ours.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotAPlace;

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let (is_room, text) = text.strip_prefix("room:").map_or((false, text), |rest| (true, rest));
        let (channel, ts) = text.split_once('/').ok_or(NotAPlace)?;
        if !is_channel(channel) || !is_ts(ts) {
            return Err(NotAPlace);
        }
        let (channel, ts) = (channel.to_owned(), ts.to_owned());
        Ok(if is_room { Self::Room { channel, summary: ts } } else { Self::Thread { channel, root: ts } })
    }
}

/// Whether `text` is the id of a channel: public, once private, or a conversation of a few.
pub(crate) fn is_channel(text: &str) -> bool {
    is_id(text, &['C', 'G', 'D'])
}

fn is_ts(text: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.').is_some_and(|(seconds, unique)| is_number(seconds) && is_number(unique))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_and_nothing_else_is_one() {
        for text in ["C024BE7LH/1795662000.000100", "room:C024BE7LH/1795662000.000100"] {
            assert_eq!(text.parse::<Place>().map(|place| place.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "C1", "C1/", "c1/1.1", "C1/1", "room:", "PR-17/1.1", "C1/1.1/2"] {
            assert_eq!(text.parse::<Place>(), Err(NotAPlace), "{text}");
        }
    }

    #[test]
    fn the_latest_conversation_counts() {
        let at = |place: &str| Receipt::new("x").in_conversation(place);
        let latest = Place::of(&[at("C1/1.1"), at("C1/2.2"), Receipt::new("y")]);
        assert_eq!(latest, Some(Place::Thread { channel: "C1".to_owned(), root: "2.2".to_owned() }));
        assert_eq!(Place::of(&[at("somebody else's")]), None);
    }
}
