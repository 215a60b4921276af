//! What somebody said in Slack, on its way to the timeline.

use incident_core::domain::command::{Command, Note, Request};
use incident_core::domain::event::Origin;
use incident_core::domain::id::{CommandId, IncidentId};
use incident_core::domain::inert;
use incident_core::domain::role::{Actor, Identity};
use incident_core::domain::runbook::Runbook;
use incident_core::domain::time::Time;
use serde_json::Value;

use super::Intake;
use super::form::text;

/// Bytes of a note that are taken over; the rest stands behind the permalink.
const LONGEST: usize = 8 * 1024;

/// A message of Slack's that belongs on the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quote {
    /// The channel it is in.
    pub channel: String,
    /// The message's timestamp, which is its id.
    pub ts: String,
    /// The timestamp of the message that its thread began with; its own if it is in none.
    pub thread: String,
    /// Who wrote it: a user's id, or a bot's.
    pub author: String,
    /// Who wants it on the timeline: a user's id.
    pub by: String,
    /// What it says, without Slack's escapes.
    pub text: String,
    /// Where it can be looked at.
    pub permalink: Option<String>,
}

impl Quote {
    /// The message as an interaction or a history has it; none if it has no time.
    pub(crate) fn from_message(payload: &Value, message: &Value, channel: &str) -> Option<Self> {
        let ts = text(message, "/ts");
        sent_at(&ts)?;
        let user = [text(message, "/user"), text(message, "/bot_id")];
        let author = user.into_iter().find(|id| !id.is_empty()).unwrap_or_default();
        let permalink = Some(text(payload, "/permalink")).filter(|link| !link.is_empty());
        let thread =
            Some(text(message, "/thread_ts")).filter(|it| !it.is_empty()).unwrap_or_else(|| ts.clone());
        let (by, text) = (String::new(), unescape(&text(message, "/text")));
        Some(Self { channel: channel.to_owned(), ts, thread, author, by, text, permalink })
    }

    /// Wanted by the user with this id.
    #[must_use]
    pub fn by(mut self, user: &str) -> Self {
        user.clone_into(&mut self.by);
        self
    }

    /// That can be looked at here; [`SlackBackend::permalink`](crate::SlackBackend::permalink) knows where.
    #[must_use]
    pub fn at(mut self, permalink: Option<String>) -> Self {
        self.permalink = permalink.or(self.permalink);
        self
    }

    /// The note that it becomes, at the time it was written. Quoted twice it is one note.
    #[must_use]
    pub fn into_intake(self, incident: IncidentId, runbook: &Runbook) -> Intake {
        let author = runbook.person_of(&Identity::new("slack", &self.author));
        let author = author.and_then(|person| runbook.persons.get(person)).map(|person| person.name.clone());
        let author = author.unwrap_or_else(|| format!("slack:{}", self.author));
        let text = inert::clip(&format!("{author} in Slack: {}", self.text), LONGEST);
        let id = CommandId::named(&format!("slack/quote/{incident}/{}/{}", self.channel, self.ts));
        let mut request = Request::new(id, Actor::human("slack", &self.by), Command::Note(Note { text }));
        request.occurred_at = sent_at(&self.ts);
        request.origin = Origin::new("slack");
        request.origin.link = self.permalink;
        Intake::new(incident, request)
    }
}

/// The time in a message's timestamp: seconds, a dot, and what makes it unique.
fn sent_at(ts: &str) -> Option<Time> {
    let (seconds, micros) = ts.split_once('.')?;
    let millis: i64 = micros.get(..3)?.parse().ok()?;
    Time::from_timestamp_millis(seconds.parse::<i64>().ok()?.checked_mul(1_000)?.checked_add(millis)?)
}

/// What was written, before Slack escaped it.
pub(super) fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use incident_core::domain::role::{Person, PersonId};
    use serde_json::json;

    use super::*;

    fn incident() -> IncidentId {
        IncidentId::new(Time::UNIX_EPOCH, [7; 16])
    }

    #[test]
    fn a_message_becomes_a_note_with_author_time_and_permalink() {
        let mut runbook = Runbook::default();
        let alice = Person {
            name: "Alice A.".to_owned(),
            identities: vec![Identity::new("slack", "U1")],
            roles: Vec::new(),
        };
        runbook.persons.insert(PersonId::new("alice"), alice);
        let message =
            json!({"ts": "1795662000.123456", "user": "U1", "text": "p95 &lt; 200 ms &amp;amp; stable"});
        let quote = Quote::from_message(&Value::Null, &message, "C1").unwrap().by("U2");
        let quote = quote.at(Some("https://x.slack.com/archives/C1/p1795662000123456".to_owned()));
        let intake = quote.clone().into_intake(incident(), &runbook);
        let Command::Note(note) = &intake.request.command else { panic!("a note") };
        assert_eq!(note.text, "Alice A. in Slack: p95 < 200 ms &amp; stable");
        assert_eq!(intake.request.actor, Actor::human("slack", "U2"));
        assert_eq!(intake.request.occurred_at, Time::from_timestamp_millis(1_795_662_000_123));
        assert!(
            intake.request.origin.link.as_deref().is_some_and(|link| link.ends_with("p1795662000123456"))
        );
        let again = quote.by("U3").into_intake(incident(), &runbook);
        assert_eq!(again.request.id, intake.request.id, "the same message twice is one note");
    }

    #[test]
    fn a_message_without_a_time_is_none() {
        for ts in ["", "1795662000", "now.123456", "1795662000.1", "9223372036854775807.123456"] {
            assert_eq!(Quote::from_message(&Value::Null, &json!({ "ts": ts }), "C1"), None, "{ts}");
        }
    }
}
