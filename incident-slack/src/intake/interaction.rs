//! Buttons and message shortcuts.

use std::fmt;
use std::str::FromStr;

use incident_core::log::event::Origin;
use incident_core::model::id::{CommandId, Digest, IncidentId, Seq};
use incident_core::model::notice::ApprovalRequest;
use incident_core::model::role::Actor;
use incident_core::rules::command::{Approve, Command, Reject, Request};
use serde_json::Value;

use super::Intake;
use super::form::{fields, text};
use super::note::Quote;

/// The callback id of the message shortcut that puts a message on the timeline.
pub const ADD_TO_TIMELINE: &str = "incident_add_to_timeline";

pub(crate) const APPROVE: &str = "incident_approve";
pub(crate) const REJECT: &str = "incident_reject";
pub(crate) const ACKNOWLEDGE: &str = "incident_acknowledge";

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
            "" => Err(InteractionError::Malformed),
            _ => Err(InteractionError::Foreign),
        }
    }

    /// Where to answer.
    #[must_use]
    pub fn response_url(&self) -> &str {
        match self {
            Self::Button { response_url, .. } | Self::Quote { response_url, .. } => response_url,
        }
    }
}

fn button(payload: &Value) -> Result<Interaction, InteractionError> {
    let (action, value) = (text(payload, "/actions/0/action_id"), text(payload, "/actions/0/value"));
    let user = text(payload, "/user/id");
    if user.is_empty() {
        return Err(InteractionError::Malformed);
    }
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
        _ => return Err(InteractionError::Foreign),
    };
    // Slack has no id of a click; who, on which message, which button and when make one.
    let stamps = [text(payload, "/container/message_ts"), text(payload, "/actions/0/action_ts")].join("/");
    let id = CommandId::named(&format!("slack/button/{user}/{action}/{value}/{stamps}"));
    let mut request = Request::new(id, Actor::human("slack", &user), command);
    request.origin = Origin::new("slack");
    let intake = Box::new(Intake::new(incident, request));
    Ok(Interaction::Button { intake, response_url: text(payload, "/response_url") })
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
}

#[cfg(test)]
mod tests;
