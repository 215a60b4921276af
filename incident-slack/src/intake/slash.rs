//! The slash command.

mod verbs;

use std::fmt;

use incident_core::domain::command::{Command, Declare, Request};
use incident_core::domain::event::Origin;
use incident_core::domain::id::CommandId;
use incident_core::domain::role::Actor;
use incident_core::domain::runbook::Runbook;
use serde_json::Value;

use super::form::{fields, text};
use super::note::unescape;
use verbs::VERBS;

/// What the command can do, for whoever asks.
pub const HELP: &str = "\
/incident declare [sev1..sev4] [drill] [service:NAME] TITLE
/incident update TEXT [| next: TEXT] [| eta: TEXT]
/incident severity sev1..sev4 BECAUSE
/incident ack
/incident assign ROLE @person | me
/incident note TEXT
/incident hypothesis TEXT
/incident escalate BECAUSE
/incident advance
/incident resolve CAUSE
/incident reopen | cancel BECAUSE
/incident close
/incident status
Each of them takes the incident's short name first where it isn't plain which one is meant: /incident ack #a1b2c3";

/// A slash command as it arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlashCommand {
    /// Who wrote it: a user's id.
    pub user: String,
    /// Where: a channel's id. Slack has no slash commands in threads.
    pub channel: String,
    /// What stands behind the command, without Slack's escapes of `&`, `<` and `>`.
    pub text: String,
    /// Where to answer, up to five times in 30 minutes.
    pub response_url: String,
    /// What Slack calls this one command.
    pub trigger: String,
}

impl SlashCommand {
    /// From the body of an HTTP request, once its signature is verified; none if it is none.
    #[must_use]
    pub fn from_form(body: &[u8]) -> Option<Self> {
        let fields = fields(body);
        Self::of(|name| fields.get(name).cloned().unwrap_or_default())
    }

    /// From a payload, as Socket Mode delivers it; none if it is none.
    #[must_use]
    pub fn from_payload(payload: &Value) -> Option<Self> {
        Self::of(|name| text(payload, &format!("/{name}")))
    }

    fn of(field: impl Fn(&str) -> String) -> Option<Self> {
        let (user, trigger) = (field("user_id"), field("trigger_id"));
        if user.is_empty() || trigger.is_empty() {
            return None;
        }
        let (channel, text) = (field("channel_id"), field("text"));
        Some(Self { user, channel, text, response_url: field("response_url"), trigger })
    }

    /// Who asks, for the engine.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::human("slack", &self.user)
    }

    /// What it asks for.
    ///
    /// # Errors
    /// [`SlashError`], which says how it is written.
    pub fn parse(&self, runbook: &Runbook) -> Result<Slash, SlashError> {
        Slash::parse(&self.text, &self.user, runbook)
    }

    /// The request that `command` becomes. Delivered twice by Slack it is carried out once.
    #[must_use]
    pub fn request(&self, command: Command) -> Request {
        let id = CommandId::named(&format!("slack/command/{}/{}", self.user, self.trigger));
        let mut request = Request::new(id, self.actor(), command);
        request.origin = Origin::new("slack");
        request
    }
}

/// What a slash command asks for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Slash {
    /// The incident's id or the end of it, if one is named.
    pub incident: Option<String>,
    /// What to do.
    pub verb: Verb,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Verb {
    /// Say what there is.
    Help,
    /// Say how the incident stands.
    Status,
    /// Begin an incident.
    Declare(Box<Declare>),
    /// Ask the engine.
    Act(Box<Command>),
}

impl Slash {
    /// What `text` by `user` asks for, with persons as `runbook` knows them.
    ///
    /// # Errors
    /// [`SlashError`], which says how it is written.
    pub fn parse(text: &str, user: &str, runbook: &Runbook) -> Result<Self, SlashError> {
        let text = unescape(text);
        let (word, rest) = split(text.trim());
        let word = word.to_lowercase();
        if word.is_empty() || word == "help" {
            return Ok(Self { incident: None, verb: Verb::Help });
        }
        let known = VERBS.iter().find(|verb| verb.names.contains(&word.as_str()));
        let verb = known.ok_or_else(|| SlashError::unknown(&word))?;
        let (incident, rest) = target(rest);
        let verb = (verb.read)(rest, user, runbook).map_err(|problem| SlashError {
            problem,
            usage: format!("/incident {} {}", verb.names[0], verb.usage).trim_end().to_owned(),
        })?;
        Ok(Self { incident, verb })
    }
}

/// The first word and what follows it.
fn split(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

/// The incident that stands first, and what follows it.
fn target(text: &str) -> (Option<String>, &str) {
    let (word, rest) = split(text);
    let is_name =
        |name: &&str| name.len() >= 4 && name.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    match word.strip_prefix('#').filter(is_name) {
        Some(name) => (Some(name.to_lowercase()), rest),
        None => (None, text),
    }
}

/// A slash command that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlashError {
    /// What is wrong.
    pub problem: String,
    /// How it is written.
    pub usage: String,
}

impl SlashError {
    fn unknown(word: &str) -> Self {
        let near = VERBS.iter().flat_map(|verb| verb.names).find(|name| is_near(name, word));
        let hint = near.map(|name| format!("; did you mean {name}?")).unwrap_or_default();
        Self {
            problem: format!("this isn't something that can be done{hint}"),
            usage: "/incident help".to_owned(),
        }
    }
}

impl fmt::Display for SlashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. Write: {}", self.problem, self.usage)
    }
}

impl std::error::Error for SlashError {}

/// Whether one letter too many, too few or wrong, or a beginning, makes `word` of `name`.
fn is_near(name: &str, word: &str) -> bool {
    if word.len() >= 2 && name.starts_with(word) {
        return true;
    }
    let (name, word): (Vec<char>, Vec<char>) = (name.chars().collect(), word.chars().take(32).collect());
    let same = name.iter().zip(&word).take_while(|(a, b)| a == b).count();
    let (name, word) = (&name[same..], &word[same..]);
    let after = |letters: &[char]| letters.get(1..).unwrap_or_default().to_vec();
    name.len() + word.len() < 2
        || after(name) == after(word)
        || after(name) == word
        || name == after(word)
        || (name.len() >= 2
            && word.len() >= 2
            && name[0] == word[1]
            && name[1] == word[0]
            && name[2..] == word[2..])
}

#[cfg(test)]
mod tests;
