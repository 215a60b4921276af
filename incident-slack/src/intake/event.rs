//! Events that Slack pushes.

use serde_json::Value;

use super::form::text;

/// Something that Slack tells by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Slack wants to see this text in the answer, to know that the address is ours.
    Challenge(String),
    /// Somebody reacted to a message.
    Reaction(Reaction),
    /// Anything else.
    Other,
}

/// Somebody reacted to a message.
///
/// The event has no words: [`SlackBackend::quote`](crate::SlackBackend::quote) fetches them. Slack sends it up to four times
/// if it isn't acknowledged within three seconds; a message quoted twice is one note.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reaction {
    /// Who reacted: a user's id.
    pub user: String,
    /// The emoji's name, without colons.
    pub emoji: String,
    /// The channel of the message.
    pub channel: String,
    /// The message's timestamp.
    pub ts: String,
}

impl Event {
    /// From the body of an HTTP request, once its signature is verified; none if it is no JSON.
    #[must_use]
    pub fn from_body(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok().map(|payload| Self::from_payload(&payload))
    }

    /// From a payload, as Socket Mode delivers it.
    #[must_use]
    pub fn from_payload(payload: &Value) -> Self {
        if text(payload, "/type") == "url_verification" {
            return Self::Challenge(text(payload, "/challenge"));
        }
        let is_message = text(payload, "/event/item/type") == "message";
        if text(payload, "/event/type") == "reaction_added" && is_message {
            return Self::Reaction(Reaction {
                user: text(payload, "/event/user"),
                emoji: text(payload, "/event/reaction"),
                channel: text(payload, "/event/item/channel"),
                ts: text(payload, "/event/item/ts"),
            });
        }
        Self::Other
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reactions_to_messages_and_challenges_are_told_apart_from_the_rest() {
        let reaction = json!({"type": "event_callback", "event_id": "Ev1", "event": {
            "type": "reaction_added", "user": "U1", "reaction": "memo",
            "item": {"type": "message", "channel": "C1", "ts": "1.000100"},
        }});
        let expect = Reaction {
            user: "U1".to_owned(),
            emoji: "memo".to_owned(),
            channel: "C1".to_owned(),
            ts: "1.000100".to_owned(),
        };
        assert_eq!(Event::from_payload(&reaction), Event::Reaction(expect));
        let challenge = br#"{"type": "url_verification", "challenge": "3eZbrw"}"#;
        assert_eq!(Event::from_body(challenge), Some(Event::Challenge("3eZbrw".to_owned())));
        for other in
            [json!({}), json!([]), json!({"event": {"type": "reaction_added", "item": {"type": "file"}}})]
        {
            assert_eq!(Event::from_payload(&other), Event::Other);
        }
        assert_eq!(Event::from_body(b"<html>"), None);
    }
}
