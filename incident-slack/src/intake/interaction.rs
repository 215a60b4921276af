//! Buttons and message shortcuts.

use std::fmt;
use std::str::FromStr;

use incident_core::log::event::Origin;
use incident_core::model::afterwards::Section;
use incident_core::model::id::{CommandId, Digest, IncidentId, Seq};
use incident_core::model::notice::ApprovalRequest;
use incident_core::model::role::Actor;
use incident_core::rules::command::{Approve, Command, Reject, Request};
use serde_json::{Value, json};

use super::Intake;
use super::form::{fields, text};
use super::modal::{DECLARE, Submission, section_named};
use super::note::Quote;
use super::triage::{TRIAGE, Triaging};

/// The callback id of the message shortcut that puts a message on the timeline.
pub const ADD_TO_TIMELINE: &str = "incident_add_to_timeline";

pub(crate) const APPROVE: &str = "incident_approve";
pub(crate) const REJECT: &str = "incident_reject";
pub(crate) const ACKNOWLEDGE: &str = "incident_acknowledge";
pub(super) const EDIT_SECTION: &str = "incident_edit_";

/// What a button means: this plan of this incident and no other.
///
/// It is written into the button when the plan is shown, so whoever clicks agrees to what they saw. If another plan is in
/// force by then, the engine refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approval {
    /// The incident.
    pub incident: IncidentId,
    /// The record that proposed the mitigation.
    pub proposal: Seq,
    /// The digest of exactly the plan that was shown.
    pub digest: Digest,
}

impl Approval {
    /// Of what `request` asks for.
    #[must_use]
    pub fn new(incident: IncidentId, request: ApprovalRequest) -> Self {
        Self { incident, proposal: request.plan, digest: request.digest }
    }

    /// The value of a button that is about an incident as a whole.
    pub(crate) fn incident(incident: IncidentId) -> String {
        format!("v1|{incident}")
    }
}

impl fmt::Display for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v1|{}|{}|{}", self.incident, self.proposal.0, self.digest)
    }
}

impl FromStr for Approval {
    type Err = InteractionError;

    fn from_str(value: &str) -> Result<Self, InteractionError> {
        let foreign = |_| InteractionError::Foreign;
        let mut parts = value.split('|');
        let mut part = || parts.next().ok_or(InteractionError::Foreign);
        if part()? != "v1" {
            return Err(InteractionError::Foreign);
        }
        let incident = part()?.parse().map_err(|_| InteractionError::Foreign)?;
        let proposal = Seq(part()?.parse().map_err(foreign_number)?);
        let digest = part()?.parse().map_err(foreign)?;
        if parts.next().is_some() {
            return Err(InteractionError::Foreign);
        }
        Ok(Self { incident, proposal, digest })
    }
}

fn foreign_number(_: std::num::ParseIntError) -> InteractionError {
    InteractionError::Foreign
}

/// What somebody did with a message.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Interaction {
    /// They clicked a button of ours.
    Button {
        /// What it asks for.
        intake: Box<Intake>,
        /// Where to answer: [`SlackBackend::respond`](crate::SlackBackend::respond).
        response_url: String,
    },
    /// They want a message on the timeline.
    Quote {
        /// The message.
        quote: Box<Quote>,
        /// Where to answer.
        response_url: String,
    },
    /// They want the form to declare an incident: [`Modal::declare`](super::Modal::declare).
    DeclareForm {
        /// Opens the form, for three seconds.
        trigger: String,
    },
    /// They want the form for a section of a post-mortem: [`Modal::edit`](super::Modal::edit).
    EditForm {
        /// The incident.
        incident: IncidentId,
        /// The section.
        section: Section,
        /// Where they clicked: a channel's id.
        channel: String,
        /// Opens the form, for three seconds.
        trigger: String,
        /// Where to answer if it can't be opened.
        response_url: String,
    },
    /// They answered a question of triage.
    Triage {
        /// All answers so far.
        triaging: Triaging,
        /// What records them once no question is left.
        intake: Box<Intake>,
        /// Where to answer.
        response_url: String,
    },
    /// They sent a form.
    Submission(Box<Submission>),
}

impl Interaction {
    /// From the body of an HTTP request, once its signature is verified.
    ///
    /// # Errors
    /// [`InteractionError`]; acknowledge it to Slack all the same.
    pub fn from_form(body: &[u8]) -> Result<Self, InteractionError> {
        let fields = fields(body);
        let payload = fields.get("payload").ok_or(InteractionError::Malformed)?;
        Self::from_payload(&serde_json::from_str(payload).map_err(|_| InteractionError::Malformed)?)
    }

    /// From a payload, as Socket Mode delivers it.
    ///
    /// # Errors
    /// [`InteractionError`]; acknowledge it to Slack all the same.
    pub fn from_payload(payload: &Value) -> Result<Self, InteractionError> {
        match text(payload, "/type").as_str() {
            "block_actions" => button(payload),
            "message_action" if text(payload, "/callback_id") == ADD_TO_TIMELINE => {
                let quote = Quote::from_message(payload, &payload["message"], &text(payload, "/channel/id"));
                let quote = quote.ok_or(InteractionError::Malformed)?.by(&text(payload, "/user/id"));
                Ok(Self::Quote { quote: Box::new(quote), response_url: text(payload, "/response_url") })
            }
            "shortcut" if text(payload, "/callback_id") == DECLARE => {
                Ok(Self::DeclareForm { trigger: text(payload, "/trigger_id") })
            }
            "view_submission" => {
                Submission::from_payload(payload).map(|sent| Self::Submission(Box::new(sent)))
            }
            "" => Err(InteractionError::Malformed),
            _ => Err(InteractionError::Foreign),
        }
    }

    /// Where to answer; empty if there is no such address.
    #[must_use]
    pub fn response_url(&self) -> &str {
        match self {
            Self::Button { response_url, .. }
            | Self::Quote { response_url, .. }
            | Self::EditForm { response_url, .. }
            | Self::Triage { response_url, .. } => response_url,
            Self::DeclareForm { .. } | Self::Submission(_) => "",
        }
    }
}

fn button(payload: &Value) -> Result<Interaction, InteractionError> {
    let (action, value) = (text(payload, "/actions/0/action_id"), text(payload, "/actions/0/value"));
    let user = text(payload, "/user/id");
    if user.is_empty() {
        return Err(InteractionError::Malformed);
    }
    let response_url = text(payload, "/response_url");
    if action.starts_with(EDIT_SECTION) {
        let parts: Vec<&str> = value.split('|').collect();
        let ["v1", incident, section] = parts[..] else { return Err(InteractionError::Foreign) };
        let incident = incident.parse().map_err(|_| InteractionError::Foreign)?;
        let (channel, trigger) = (text(payload, "/channel/id"), text(payload, "/trigger_id"));
        let section = section_named(section)?;
        return Ok(Interaction::EditForm { incident, section, channel, trigger, response_url });
    }
    let triaging = action.starts_with(TRIAGE).then(|| Triaging::read(&value)).transpose()?;
    let (incident, command) = match action.as_str() {
        APPROVE => {
            let plan: Approval = value.parse()?;
            let approve = Approve { proposal: plan.proposal, digest: plan.digest, break_glass: None };
            (plan.incident, Command::Approve(approve))
        }
        REJECT => {
            let plan: Approval = value.parse()?;
            let because = format!("Rejected by button, as shown with the digest {}", plan.digest.short());
            (plan.incident, Command::Reject(Reject { proposal: plan.proposal, because }))
        }
        ACKNOWLEDGE => {
            let incident = value.strip_prefix("v1|").and_then(|id| id.parse().ok());
            (incident.ok_or(InteractionError::Foreign)?, Command::Acknowledge)
        }
        _ => match &triaging {
            Some(triaging) => (triaging.incident, triaging.command()),
            None => return Err(InteractionError::Foreign),
        },
    };
    // Slack has no id of a click; who, on which message, which button and when make one.
    let stamps = [text(payload, "/container/message_ts"), text(payload, "/actions/0/action_ts")].join("/");
    let id = CommandId::named(&format!("slack/button/{user}/{action}/{value}/{stamps}"));
    let mut request = Request::new(id, Actor::human("slack", &user), command);
    request.origin = Origin::new("slack");
    let intake = Box::new(Intake::new(incident, request));
    Ok(match triaging {
        Some(triaging) => Interaction::Triage { triaging, intake, response_url },
        None => Interaction::Button { intake, response_url },
    })
}

/// Why an interaction is none that this crate knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InteractionError {
    /// It isn't what Slack documents.
    #[error("this is no interaction of Slack's")]
    Malformed,
    /// It is somebody else's button or shortcut.
    #[error("this button or shortcut isn't ours")]
    Foreign,
    /// A field of a form can't be taken; [`response`](Self::response) shows that at the field.
    #[error("{problem}")]
    Field {
        /// The field.
        field: &'static str,
        /// What is wrong with it, and what helps.
        problem: &'static str,
    },
}

impl InteractionError {
    /// What to acknowledge the interaction with, so that the form stays open and shows the problem at its field; nothing
    /// otherwise.
    #[must_use]
    pub fn response(&self) -> Option<Value> {
        let Self::Field { field, problem } = self else { return None };
        Some(json!({ "response_action": "errors", "errors": { *field: problem } }))
    }
}

#[cfg(test)]
mod tests;
