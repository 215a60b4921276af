//! What somebody said in Slack, on its way to the timeline.

use incident_core::log::event::Origin;
use incident_core::model::id::{CommandId, IncidentId};
use incident_core::model::inert;
use incident_core::model::role::{Actor, Identity};
use incident_core::model::time::Time;
use incident_core::rules::command::{Command, Note, Request};
use incident_core::runbook::Runbook;
use serde_json::Value;

use super::Intake;
use super::form::text;
use super::words::{references, unescape};

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
        let (by, text) = (String::new(), said(message));
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
        let unknown =
            || if self.author.is_empty() { "somebody".to_owned() } else { format!("slack:{}", self.author) };
        let author = author.unwrap_or_else(unknown);
        let text = references(&self.text, runbook);
        let text = inert::clip(&format!("{author} in Slack: {text}"), LONGEST);
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

/// What a message says, without Slack's escapes: its text, then what apps and forwards put into blocks, attachments and files.
fn said(message: &Value) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut say = |words: &str| {
        let words = unescape(words.trim());
        // Apps repeat their text as a fallback, and blocks repeat the text.
        if !words.is_empty() && !lines.iter().any(|line| line.contains(&words)) {
            lines.push(words);
        }
    };
    say(message["text"].as_str().unwrap_or_default());
    of_blocks(&message["blocks"], &mut say);
    for attachment in items(&message["attachments"]) {
        let text = |key: &str| attachment[key].as_str().unwrap_or_default();
        ["pretext", "title", "text"].into_iter().for_each(|key| say(text(key)));
        of_blocks(&attachment["blocks"], &mut say);
        for forwarded in items(&attachment["message_blocks"]) {
            of_blocks(&forwarded["message"]["blocks"], &mut say);
        }
        for field in items(&attachment["fields"]) {
            let of = |key: &str| field[key].as_str().unwrap_or_default().to_owned();
            say(&format!("{}: {}", of("title"), of("value")));
        }
        say(text("fallback"));
        say(text("from_url"));
    }
    for file in items(&message["files"]) {
        let text = |key: &str| file[key].as_str().unwrap_or_default();
        let name = if text("title").is_empty() { text("name") } else { text("title") };
        say(format!("[file] {name} {}", text("permalink")).trim_end());
    }
    if lines.is_empty() { "(a message without text)".to_owned() } else { lines.join("\n") }
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The texts of blocks of any kind, in their order; the pieces of a line together.
fn of_blocks(blocks: &Value, say: &mut impl FnMut(&str)) {
    for block in items(blocks) {
        let mut line = String::new();
        pieces(block, 0, &mut line);
        say(&line);
    }
}

fn pieces(value: &Value, depth: usize, line: &mut String) {
    const DEEPEST: usize = 16;
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Array(list) => list.iter().for_each(|item| pieces(item, depth + 1, line)),
        Value::Object(fields) => {
            let text = |key: &str| fields.get(key).and_then(Value::as_str);
            match text("type") {
                Some("user") => line.push_str(&format!("<@{}>", text("user_id").unwrap_or_default())),
                Some("channel") => line.push_str(&format!("<#{}>", text("channel_id").unwrap_or_default())),
                Some("link") => line.push_str(text("url").unwrap_or_default()),
                Some("emoji") => line.push_str(&format!(":{}:", text("name").unwrap_or_default())),
                Some("image") => line.push_str(text("alt_text").unwrap_or_default()),
                _ => {}
            }
            match fields.get("text") {
                Some(Value::String(words)) => line.push_str(words),
                Some(object) => pieces(object, depth + 1, line),
                None => {}
            }
            for key in ["title", "fields", "elements"] {
                if let Some(inner @ (Value::Array(_) | Value::Object(_))) = fields.get(key) {
                    if !line.is_empty() && !line.ends_with(' ') && key == "fields" {
                        line.push(' ');
                    }
                    pieces(inner, depth + 1, line);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use incident_core::model::role::{Person, PersonId};
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
    fn a_message_of_any_shape_says_what_it_says() {
        let runbook = Runbook::default();
        for (message, says) in [
            (json!({"text": "restarted it"}), "restarted it"),
            (
                json!({"text": "", "attachments": [{"fallback": "[FIRING:1] DiskFull (db-7)",
                    "title": "[FIRING:1] DiskFull", "text": "disk of db-7 is 98 % full"}]}),
                "[FIRING:1] DiskFull\ndisk of db-7 is 98 % full\n[FIRING:1] DiskFull (db-7)",
            ),
            (
                json!({"text": "", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*Error rate* is 12 %"}}]}),
                "*Error rate* is 12 %",
            ),
            (
                json!({"text": "", "files": [{"name": "graph.png", "permalink": "https://x.slack.com/files/U1/F1/graph.png"}]}),
                "[file] graph.png https://x.slack.com/files/U1/F1/graph.png",
            ),
            (
                json!({"text": "look", "blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section",
                    "elements": [{"type": "text", "text": "look"}]}]}]}),
                "look",
            ),
            (
                json!({"text": "", "blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [
                    {"type": "text", "text": "ask "}, {"type": "user", "user_id": "U7"},
                    {"type": "text", "text": " about "}, {"type": "link", "url": "https://a.example"}]}]}]}),
                "ask @U7 about https://a.example",
            ),
            (
                json!({"text": "", "attachments": [{"is_share": true, "from_url": "https://x.slack.com/archives/C1/p1",
                    "message_blocks": [{"message": {"blocks": [{"type": "section", "text": {"text": "it burns"}}]}}]}]}),
                "it burns\nhttps://x.slack.com/archives/C1/p1",
            ),
            (
                json!({"text": "", "attachments": [{"fields": [{"title": "Severity", "value": "critical"}]}]}),
                "Severity: critical",
            ),
            (json!({"text": ""}), "(a message without text)"),
            (
                json!({"text": 7, "blocks": 7, "attachments": [7], "files": {"a": 1}}),
                "(a message without text)",
            ),
        ] {
            let mut message = message;
            message["ts"] = "1774000000.000100".into();
            let quote = Quote::from_message(&Value::Null, &message, "C1").unwrap();
            let intake = quote.into_intake(incident(), &runbook);
            let Command::Note(note) = &intake.request.command else { panic!("a note") };
            assert_eq!(note.text, format!("somebody in Slack: {says}"), "{message}");
        }
    }

    #[test]
    fn a_message_without_a_time_is_none() {
        for ts in ["", "1795662000", "now.123456", "1795662000.1", "9223372036854775807.123456"] {
            assert_eq!(Quote::from_message(&Value::Null, &json!({ "ts": ts }), "C1"), None, "{ts}");
        }
    }
}
