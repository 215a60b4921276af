//! What somebody who asked for something is told.

use incident_core::log::incident::Incident;
use incident_core::model::effect::{EffectState, Work};
use incident_core::model::inert;
use incident_core::model::severity::Audience;
use incident_core::model::side::Side;
use incident_core::model::time::{Time, stamp};
use incident_core::rules::command::Refusal;
use incident_core::runbook::Runbook;
use serde_json::{Value, json};

use super::hint;
use super::slash::{SlashError, help};
use crate::blocks::escape::{brief, clip, readable};
use crate::blocks::kit::{plain, section};

/// An answer to a command, a button or a shortcut: for the one who asked, unless it says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    text: String,
    blocks: Vec<Value>,
    everybody: bool,
    replaces: bool,
}

impl Answer {
    /// Says `text`, as it is written, with what acts on a screen made visible.
    #[must_use]
    pub fn new(text: &str) -> Self {
        const MOST: usize = 2_900;
        Self { text: brief(&readable(text), MOST), blocks: Vec::new(), everybody: false, replaces: false }
    }

    pub(crate) fn laid_out(text: &str, blocks: Vec<Value>) -> Self {
        Self { blocks, ..Self::new(text) }
    }

    /// What there is to ask for.
    #[must_use]
    pub fn help() -> Self {
        let lines = help();
        let lines: Vec<&str> = lines.lines().collect();
        let pages: Vec<Value> =
            lines.chunks(16).map(|lines| section(plain(&brief(&lines.join("\n"), 2_900)))).collect();
        Self::laid_out("What you can write after /incident", pages)
    }

    /// The command can't be read; it says how it is written.
    #[must_use]
    pub fn unreadable(error: &SlashError) -> Self {
        Self::new(&error.to_string())
    }

    /// An incident was declared: its name, and who is paged how, as its records say.
    #[must_use]
    pub fn declared(incident: &Incident) -> Self {
        let drill = if incident.side == Side::Drill { "[DRILL] " } else { "" };
        let (name, severity, title) = (incident.id.short(), incident.severity, incident.title_words());
        let paged = pages(incident);
        Self::new(&format!("{drill}Declared as #{name}: {severity} · {}\n{paged}", inert::line(title)))
    }

    /// Somebody was paged because a person asked for it: who and how, as the incident's records say.
    #[must_use]
    pub fn escalated(incident: &Incident) -> Self {
        Self::new(&format!("Recorded. {}", pages(incident)))
    }

    /// The runbook says no, and why, and what to write to change that.
    #[must_use]
    pub fn refused(refusal: &Refusal, runbook: &Runbook) -> Self {
        Self::new(&hint::refusal(refusal, runbook))
    }

    /// With `more` below it, in blocks of its own.
    #[must_use]
    pub fn with(mut self, more: &str) -> Self {
        const MOST: usize = 2_900;
        if self.blocks.is_empty() {
            self.blocks.push(section(plain(&self.text)));
        }
        let more = readable(more);
        let mut rest = more.as_str();
        // A field of a form holds 3,000 characters, each of which may be an entity.
        for _ in 0..4 {
            let (words, left) = clip(rest, MOST);
            if !words.trim().is_empty() {
                self.blocks.push(section(plain(&words)));
            }
            rest = left;
        }
        self
    }

    /// For everybody in the conversation.
    #[must_use]
    pub fn to_everybody(mut self) -> Self {
        self.everybody = true;
        self
    }

    /// In place of the message that was clicked.
    #[must_use]
    pub fn in_place(mut self) -> Self {
        self.replaces = true;
        self
    }

    /// What it says, escaped.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The JSON that a response URL takes.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut json = json!({
            "response_type": if self.everybody { "in_channel" } else { "ephemeral" },
            "replace_original": self.replaces,
            "text": self.text,
            "mrkdwn": false,
            "parse": "none",
            "link_names": false,
            "unfurl_links": false,
            "unfurl_media": false,
        });
        // Without blocks Slack would show the text as markup.
        let text = || json!([section(plain(&self.text))]);
        json["blocks"] = if self.blocks.is_empty() { text() } else { self.blocks.clone().into() };
        json
    }
}

/// Which pages are on their way, as planned; that there is none, otherwise.
fn pages(incident: &Incident) -> String {
    let waiting = undelivered(incident).into_iter().filter(|it| it.is_page).map(|it| it.what);
    let waiting: Vec<String> = waiting.collect();
    if waiting.is_empty() {
        return "No page is on its way.".to_owned();
    }
    format!("On its way: {}.", waiting.join("; "))
}

/// A notice that isn't delivered yet.
pub(super) struct Undelivered {
    pub(super) is_page: bool,
    /// What it is, for whom, over which route.
    pub(super) what: String,
    /// How often it was tried in vain, and when it is tried again.
    pub(super) failed: Option<(u32, Option<Time>)>,
}

/// The notices that wait to be delivered.
pub(super) fn undelivered(incident: &Incident) -> Vec<Undelivered> {
    let notices = incident.effects.values().filter_map(|effect| match &effect.work {
        Work::Notify(notify) => Some((effect, notify)),
        _ => None,
    });
    let each = notices.map(|(effect, notify)| {
        let audiences: Vec<&str> = notify.audiences.iter().map(Audience::as_str).collect();
        let next = match effect.state {
            EffectState::Ready(at) | EffectState::Unknown(at) => Some(at),
            EffectState::Started { .. } => None,
        };
        let tried = effect.attempts > 0 && next.is_some();
        let what = format!("{} to {} via {}", notify.kind, audiences.join(", "), effect.route);
        Undelivered {
            is_page: notify.kind.is_page(),
            what: inert::line(&what),
            failed: tried.then_some((effect.attempts, next)),
        }
    });
    each.collect()
}

impl Undelivered {
    /// What failed, in a line; none if it is merely on its way.
    pub(super) fn trouble(&self) -> Option<String> {
        let (attempts, next) = self.failed?;
        let next = next.map(|at| format!(", next attempt {}", stamp(at))).unwrap_or_default();
        let times = if attempts == 1 { "attempt" } else { "attempts" };
        Some(format!("NOT DELIVERED – {} ({attempts} failed {times}{next})", self.what))
    }
}

/// The first line of a library's message, shortened.
pub(super) fn first_line(text: &str) -> String {
    inert::clip(&inert::line(text.lines().next().unwrap_or_default()), 160)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_for_the_one_who_asked_and_acts_on_nobody() {
        let json = Answer::new("<!channel> *no*").to_json();
        assert_eq!(json["response_type"], "ephemeral");
        assert_eq!(json["replace_original"], false);
        assert_eq!(json["blocks"][0]["text"]["text"], "&lt;!channel&gt; *no*");
        assert_eq!(json["blocks"][0]["text"]["type"], "plain_text");
        assert_eq!(Answer::new("x").to_everybody().to_json()["response_type"], "in_channel");
        assert_eq!(Answer::new("a\u{202e}b").text(), "a\\u{202e}b");
    }

    #[test]
    fn a_stale_click_is_told_that_nothing_was_approved() {
        let text = Answer::refused(&Refusal::OtherPlan, &Runbook::default());
        assert!(text.text().starts_with("Nothing was approved: the plan has changed"), "{text:?}");
    }
}
