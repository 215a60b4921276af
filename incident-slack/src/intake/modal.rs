//! Modals: the forms to declare an incident and to edit a section of the post-mortem. Pure.

use std::fmt;
use std::str::FromStr;

use incident_core::log::event::Origin;
use incident_core::log::incident::Incident;
use incident_core::model::afterwards::Section;
use incident_core::model::id::{CommandId, IncidentId, Seq};
use incident_core::model::role::Actor;
use incident_core::model::severity::Severity;
use incident_core::rules::command::{Command, Declare, Request, WriteSection};
use serde_json::{Value, json};

use super::form::text;
use super::{Answer, InteractionError};
use crate::blocks::escape::{brief, is_id, readable};
use crate::blocks::kit::{input, option, plain, section, select, text_input};

/// The callback id of the global shortcut that opens the form to declare an incident.
pub const DECLARE: &str = "incident_declare";
const EDIT: &str = "incident_edit";

const WHAT: &str = "what";
const SEVERITY: &str = "severity";
const SERVICE: &str = "service";
const TEXT: &str = "text";
/// The severity that nobody has chosen yet.
const UNSURE: &str = "unsure";
/// Characters that Slack takes in a text field, and in its first content.
const FIELD: usize = 3_000;
const TITLE: usize = 200;

/// A form, as it opens on somebody's screen.
#[derive(Debug, Clone, PartialEq)]
pub struct Modal {
    view: Value,
}

impl Modal {
    /// Declares an incident: what is wrong, how bad, which service. Only the first is required. Answers go to `channel`; to the
    /// backend's own channel if there is none.
    #[must_use]
    pub fn declare(channel: &str) -> Self {
        let unsure = option("Not sure yet (SEV2 until triage)", UNSURE);
        let severities = [Severity::Sev1, Severity::Sev2, Severity::Sev3, Severity::Sev4];
        let severities = severities.map(|it| option(&it.to_string(), &it.to_string().to_lowercase()));
        let options: Vec<Value> = std::iter::once(unsure).chain(severities).collect();
        let blocks = vec![
            input(WHAT, "What is wrong?", &text_input(WHAT, "", TITLE, false), false),
            input(SEVERITY, "Severity", &select(SEVERITY, &options), false),
            input(SERVICE, "Affected service", &text_input(SERVICE, "", 100, false), true),
        ];
        Self::new(DECLARE, "Declare an incident", "Declare", channel, &blocks)
    }

    /// Edits `section` of the post-mortem of `incident`, from what it says at present.
    ///
    /// # Errors
    /// What to tell the person, if the section is longer than Slack's field.
    pub fn edit(incident: &Incident, section: Section, channel: &str) -> Result<Self, Answer> {
        let written = incident.document.sections.get(&section);
        let present = written.map_or("", |version| incident.texts.get(version.text));
        Self::editing(incident, section, channel, present, None)
    }

    /// Edits `section` again after somebody else wrote it meanwhile: shows their text, and has `yours` to go on with.
    ///
    /// # Errors
    /// What to tell the person, if their text is longer than Slack's field. It doesn't repeat the text: the caller has it.
    pub fn conflict(
        incident: &Incident,
        section: Section,
        channel: &str,
        yours: &str,
    ) -> Result<Self, Answer> {
        let written = incident.document.sections.get(&section);
        let theirs = written.map_or("", |version| incident.texts.get(version.text));
        Self::editing(incident, section, channel, yours, Some(theirs))
    }

    fn editing(
        incident: &Incident,
        edited: Section,
        channel: &str,
        content: &str,
        theirs: Option<&str>,
    ) -> Result<Self, Answer> {
        if content.encode_utf16().count() > FIELD {
            return Err(Answer::new(&format!(
                "The form wasn't opened: {edited} has more than {FIELD} characters, and Slack's field takes no more. Write the \
                 section anew: /incident postmortem write SECTION TEXT"
            )));
        }
        let mut blocks = Vec::new();
        if let Some(theirs) = theirs {
            let told = "Your text isn't saved yet: somebody else changed this section while you were editing. Their text is below. \
                        Merge both in the field, then save.";
            blocks.push(section(plain(told)));
            blocks.push(section(plain(&shown(theirs))));
        }
        blocks.push(input(TEXT, &edited.to_string(), &text_input(TEXT, content, FIELD, true), false));
        let based_on = incident.document.version_of(edited);
        let about = Editing { incident: incident.id, section: edited, based_on, channel: channel.to_owned() };
        Ok(Self::new(EDIT, "Edit the post-mortem", "Save", &about.to_string(), &blocks))
    }

    fn new(callback: &str, title: &str, submit: &str, about: &str, blocks: &[Value]) -> Self {
        let view = json!({
            "type": "modal",
            "callback_id": callback,
            "title": plain(title),
            "submit": plain(submit),
            "close": plain("Cancel"),
            "private_metadata": about,
            "blocks": blocks,
        });
        Self { view }
    }

    /// The view, as `views.open` takes it.
    #[must_use]
    pub fn to_json(&self) -> &Value {
        &self.view
    }
}

fn shown(text: &str) -> String {
    if text.trim().is_empty() { "(empty)".to_owned() } else { brief(&readable(text), 2_900) }
}

/// What a form to edit a section is about. It travels through Slack unsigned: it holds nothing secret, and whoever changed it
/// could ask for the same by command.
struct Editing {
    incident: IncidentId,
    section: Section,
    based_on: Seq,
    channel: String,
}

impl fmt::Display for Editing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let section = serde_json::to_value(self.section).unwrap_or_default();
        let section = section.as_str().unwrap_or_default();
        write!(f, "v1|{}|{section}|{}|{}", self.incident, self.based_on.0, self.channel)
    }
}

impl FromStr for Editing {
    type Err = InteractionError;

    fn from_str(text: &str) -> Result<Self, InteractionError> {
        let parts: Vec<&str> = text.split('|').collect();
        let ["v1", incident, section, based_on, channel] = parts[..] else {
            return Err(InteractionError::Foreign);
        };
        let section = section_named(section)?;
        let incident = incident.parse().map_err(|_| InteractionError::Foreign)?;
        let based_on = Seq(based_on.parse().map_err(|_| InteractionError::Foreign)?);
        Ok(Self { incident, section, based_on, channel: channel_named(channel) })
    }
}

pub(super) fn section_named(name: &str) -> Result<Section, InteractionError> {
    serde_json::from_value(name.into()).map_err(|_| InteractionError::Foreign)
}

fn channel_named(channel: &str) -> String {
    if is_id(channel, &['C', 'G', 'D']) { channel.to_owned() } else { String::new() }
}

/// A form that somebody sent.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Submission {
    /// Who sent it: a user's id.
    pub user: String,
    /// Where to answer: the channel that the form was opened from; empty if it was none.
    pub channel: String,
    /// Opens another form for three seconds.
    pub trigger: String,
    /// What Slack calls this one form.
    pub view: String,
    /// What it says.
    pub filled: Filled,
}

/// What a form says.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Filled {
    /// An incident is declared.
    Declare(Box<Declare>),
    /// A section of the post-mortem is written.
    Section {
        /// The incident.
        incident: IncidentId,
        /// The section, what it says now, and which version was edited.
        write: WriteSection,
    },
}

impl Submission {
    pub(super) fn from_payload(payload: &Value) -> Result<Self, InteractionError> {
        let callback = text(payload, "/view/callback_id");
        if callback != DECLARE && callback != EDIT {
            return Err(InteractionError::Foreign);
        }
        let (user, view) = (text(payload, "/user/id"), text(payload, "/view/id"));
        if user.is_empty() || view.is_empty() {
            return Err(InteractionError::Malformed);
        }
        let about = text(payload, "/view/private_metadata");
        let about = about.as_str();
        let (channel, filled) = if callback == DECLARE {
            (channel_named(about), Filled::Declare(Box::new(declared(payload)?)))
        } else {
            let about: Editing = about.parse()?;
            let text = written(payload, TEXT);
            if text.trim().is_empty() {
                let problem = "Write something: an empty section can't be saved.";
                return Err(InteractionError::Field { field: TEXT, problem });
            }
            let write = WriteSection { section: about.section, text, based_on: about.based_on };
            (about.channel, Filled::Section { incident: about.incident, write })
        };
        Ok(Self { user, channel, trigger: text(payload, "/trigger_id"), view, filled })
    }

    /// The request that `command` becomes. Delivered twice by Slack it is carried out once.
    #[must_use]
    pub fn request(&self, command: Command) -> Request {
        let id = CommandId::named(&format!("slack/view/{}/{}", self.user, self.view));
        let mut request = Request::new(id, Actor::human("slack", &self.user), command);
        request.origin = Origin::new("slack");
        request
    }
}

fn declared(payload: &Value) -> Result<Declare, InteractionError> {
    let title = written(payload, WHAT).split_whitespace().collect::<Vec<_>>().join(" ");
    if title.is_empty() {
        let problem = "Say what is wrong, such as: one in ten orders fails.";
        return Err(InteractionError::Field { field: WHAT, problem });
    }
    let mut declare = Declare::new(&title);
    let chosen = text(payload, &format!("/view/state/values/{SEVERITY}/{SEVERITY}/selected_option/value"));
    if chosen != UNSURE && !chosen.is_empty() {
        let problem = "Choose one of the severities in the list.";
        let severity = chosen.parse();
        declare.severity = Some(severity.map_err(|_| InteractionError::Field { field: SEVERITY, problem })?);
    }
    declare.service = Some(written(payload, SERVICE).trim().to_owned()).filter(|it| !it.is_empty());
    Ok(declare)
}

fn written(payload: &Value, field: &str) -> String {
    text(payload, &format!("/view/state/values/{field}/{field}/value"))
}

#[cfg(test)]
mod tests;
