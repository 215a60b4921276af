//! What somebody who asked for something is told.

use incident_core::domain::command::Refusal;
use incident_core::domain::id::IncidentId;
use serde_json::{Value, json};

use super::slash::{HELP, SlashError};
use crate::blocks::escape::brief;
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
    /// Says `text`, as it is written.
    #[must_use]
    pub fn new(text: &str) -> Self {
        const MOST: usize = 2_900;
        Self { text: brief(text, MOST), blocks: Vec::new(), everybody: false, replaces: false }
    }

    pub(crate) fn laid_out(text: &str, blocks: Vec<Value>) -> Self {
        Self { blocks, ..Self::new(text) }
    }

    /// What there is to ask for.
    #[must_use]
    pub fn help() -> Self {
        Self::new(HELP)
    }

    /// The command can't be read; it says how it is written.
    #[must_use]
    pub fn unreadable(error: &SlashError) -> Self {
        Self::new(&error.to_string())
    }

    /// An incident was declared.
    #[must_use]
    pub fn declared(incident: IncidentId) -> Self {
        Self::new(&format!("Declared as #{}. Those on call are paged.", incident.short()))
    }

    /// The runbook says no, and why.
    ///
    /// A plan that changed since it was shown says so: whoever clicked sees that nothing was approved.
    #[must_use]
    pub fn refused(refusal: &Refusal) -> Self {
        let nothing = match refusal {
            Refusal::OtherPlan | Refusal::PlanExpired => "Nothing was approved",
            _ => "Nothing was done",
        };
        Self::new(&format!("{nothing}: {refusal}."))
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
    }

    #[test]
    fn a_stale_click_is_told_that_nothing_was_approved() {
        let text = Answer::refused(&Refusal::OtherPlan);
        assert!(text.text().starts_with("Nothing was approved: the plan has changed"), "{text:?}");
    }
}
