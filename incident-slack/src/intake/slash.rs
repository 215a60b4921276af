//! The slash command.

mod after;
mod mitigate;
mod verbs;

use std::fmt;

use incident_core::log::event::Origin;
use incident_core::model::id::{CommandId, IncidentId};
use incident_core::model::role::Actor;
use incident_core::model::time::Time;
use incident_core::rules::command::{Command, Declare, Request};
use incident_core::runbook::Runbook;
use serde_json::Value;

use super::form::{fields, text};
use super::wish::Wish;
use super::words::{name, split, unescape, visible};
use after::AFTERWARDS;
use mitigate::MITIGATIONS;
use verbs::RESPONSE;

/// A slash command as it arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlashCommand {
    /// Who wrote it: a user's id.
    pub user: String,
    /// Where: a channel's id. Slash commands don't work in threads.
    pub channel: String,
    /// What stands behind the command, as it arrived.
    pub text: String,
    /// Where to answer, up to five times in 30 minutes.
    pub response_url: String,
    /// What Slack calls this one command. A form may be opened with it for three seconds.
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

    /// What it asks for, where these incidents may be named.
    ///
    /// # Errors
    /// [`SlashError`], which says how it is written.
    pub fn parse(&self, runbook: &Runbook, known: &[IncidentId], now: Time) -> Result<Slash, SlashError> {
        Slash::parse(&self.text, &Asking { user: &self.user, runbook, known, now })
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

/// Who asks, and what they may refer to.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The user's id.
    pub user: &'a str,
    /// The runbook, with the persons that it names.
    pub runbook: &'a Runbook,
    /// The incidents that may be named: `#a1b2c3` is one of these, or a word.
    pub known: &'a [IncidentId],
    /// The time, UTC.
    pub now: Time,
}

impl Asking<'_> {
    /// The known incident whose id ends like this.
    pub(super) fn incident(&self, word: &str) -> Option<IncidentId> {
        let name = word.strip_prefix('#')?.trim_end_matches(['.', ',', ':', ';']).to_lowercase();
        let is_name = name.len() >= 4 && name.bytes().all(|it| it.is_ascii_hexdigit() || it == b'-');
        let mut meant = self.known.iter().filter(|id| is_name && id.to_string().ends_with(&name));
        let first = meant.next().copied();
        first.filter(|_| meant.next().is_none())
    }

    /// `text` with Slack's references as words.
    pub(super) fn words(&self, text: &str) -> String {
        super::words::references(text, self.runbook)
    }
}

/// What a slash command asks for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Slash {
    /// The incident, if one is named.
    pub incident: Option<IncidentId>,
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
    /// Say which incidents are open.
    List,
    /// Say who is paged, and in which order.
    OnCall,
    /// Begin an incident.
    Declare(Box<Declare>),
    /// Open the form to declare one.
    DeclareForm,
    /// Ask the first question of triage.
    Triage,
    /// Ask the engine.
    Act(Box<Command>),
    /// Ask the engine for what the incident's state says is meant.
    Wish(Box<Wish>),
    /// Make two incidents one; the older one stays.
    Merge {
        /// The other incident.
        other: IncidentId,
        /// Why.
        because: String,
    },
}

/// One thing that can be asked for.
struct Known {
    /// What it is called; the first name is the usual one.
    names: &'static [&'static str],
    /// What stands behind it.
    usage: &'static str,
    read: fn(&str, &Asking<'_>) -> Result<Verb, String>,
}

fn verbs() -> impl Iterator<Item = &'static Known> {
    RESPONSE.iter().chain(MITIGATIONS).chain(AFTERWARDS)
}

impl Slash {
    /// What `text` asks for.
    ///
    /// # Errors
    /// [`SlashError`], which says how it is written.
    pub fn parse(text: &str, asking: &Asking<'_>) -> Result<Self, SlashError> {
        let text = visible(&unescape(text));
        let (first, after) = split(&text);
        // Some type the command again behind itself.
        let text = if first.starts_with('/') { after } else { text.trim() };
        let (first, after) = split(text);
        let mut incident = asking.incident(first);
        if incident.is_none() && first.starts_with('#') {
            return Err(SlashError::no_incident(first));
        }
        let text = if incident.is_some() { after } else { text };
        let (word, rest) = split(text);
        let word = name(word);
        if word.is_empty() || word == "help" {
            let verb = if incident.is_some() { Verb::Status } else { Verb::Help };
            return Ok(Self { incident, verb });
        }
        let verb = verbs().find(|verb| verb.names.contains(&word.as_str()));
        let verb = verb.ok_or_else(|| SlashError::unknown(&word))?;
        let mut rest = rest.trim();
        let (target, after) = split(rest);
        if incident.is_none() && !TITLED.contains(&verb.names[0]) {
            incident = asking.incident(target);
            match incident {
                Some(_) => rest = after,
                // Of a verb without words it can only be the name of an incident.
                None if target.starts_with('#') && verb.usage.is_empty() => {
                    return Err(SlashError::no_incident(target));
                }
                None => {}
            }
        }
        let verb = (verb.read)(rest, asking).map_err(|problem| SlashError {
            problem,
            usage: format!("/incident {} {}", verb.names[0], verb.usage).trim_end().to_owned(),
        })?;
        Ok(Self { incident, verb })
    }
}

/// Verbs whose first word is never the incident that is meant.
const TITLED: [&str; 3] = ["declare", "merge", "link"];

/// What the command can do, for whoever asks.
#[must_use]
pub fn help() -> String {
    let lines =
        verbs().map(|verb| format!("/incident {} {}", verb.names[0], verb.usage).trim_end().to_owned());
    let lines: Vec<String> = lines.collect();
    format!(
        "{}\nTimes are UTC. Where several incidents are open, name the one you mean: /incident #a1b2c3 ack",
        lines.join("\n")
    )
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
        let near = verbs().flat_map(|verb| verb.names).find(|name| is_near(name, word));
        let hint = near.map(|name| format!("; did you mean {name}?")).unwrap_or_default();
        Self { problem: format!("There is no such command{hint}"), usage: "/incident help".to_owned() }
    }

    fn no_incident(word: &str) -> Self {
        let word: String = word.chars().take(40).collect();
        Self { problem: format!("There is no incident {word}"), usage: "/incident list".to_owned() }
    }
}

impl fmt::Display for SlashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut problem = self.problem.chars();
        let first: String = problem.next().into_iter().flat_map(char::to_uppercase).collect();
        write!(f, "{first}{}. Write: {}", problem.as_str(), self.usage)
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

fn act(command: Command) -> Verb {
    Verb::Act(Box::new(command))
}

fn wish(wish: Wish) -> Verb {
    Verb::Wish(Box::new(wish))
}

/// `text` in words, unless there is none.
fn given(text: &str, what: &str, asking: &Asking<'_>) -> Result<String, String> {
    let text = asking.words(text.trim());
    if text.trim().is_empty() { Err(format!("{what} is missing")) } else { Ok(text) }
}

/// A value of the core's by its name, such as `post-incident` or `root_cause`.
fn named<T: serde::de::DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(name(word).replace('-', "_").into()).ok()
}

/// The number of a record, as messages show it: `#12`.
fn record(text: &str) -> Result<(incident_core::model::id::Seq, &str), String> {
    let (word, rest) = split(text);
    let number = word.trim_start_matches('#').trim_end_matches(['.', ',', ':']).parse();
    let number = number.map_err(|_| "the number is missing, such as 12".to_owned())?;
    Ok((incident_core::model::id::Seq(number), rest))
}

/// The reason behind `| over:`, if gates are to be overridden.
fn over(text: &str, asking: &Asking<'_>) -> Result<(String, Option<String>), String> {
    let (whole, parts) = super::words::parts(text, &["over"])?;
    Ok((whole, parts.into_iter().next().map(|(_, why)| asking.words(&why))))
}

#[cfg(test)]
mod tests;
