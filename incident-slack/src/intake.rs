//! What comes back from the room: commands, buttons, forms, shortcuts and reactions, as commands of the core.
//!
//! Everything here is pure. An embedder receives the request – over HTTP with [`verify_signature`], or through Socket Mode –
//! answers Slack within three seconds, hands the [`Intake`] to the engine, and tells the person what came of it with
//! [`SlackBackend::respond`](crate::SlackBackend::respond).

mod answer;
mod clock;
mod event;
mod form;
mod hint;
mod interaction;
mod modal;
mod note;
mod people;
mod signature;
mod slash;
mod status;
mod triage;
mod wish;
mod words;

pub use answer::Answer;
pub use event::{Event, Reaction};
pub(crate) use interaction::{ACKNOWLEDGE, APPROVE, REJECT};
pub use interaction::{ADD_TO_TIMELINE, Approval, Interaction, InteractionError};
pub use modal::{DECLARE, Filled, Modal, Submission};
pub use note::Quote;
pub use people::{knows_people, permit};
pub use signature::{Replays, SignatureError, verify_signature};
pub use slash::{Asking, Slash, SlashCommand, SlashError, Verb, help};
pub use status::{list, on_call, post_mortem, status};
pub use triage::Triaging;
pub use wish::{Decision, Wish};

use incident_core::log::incident::Incident;
use incident_core::model::id::IncidentId;
use incident_core::rules::command::Request;

use crate::place::Place;

/// Whether what happens in `channel`, or in the thread there that began with the message `thread`, is about `incident`: the
/// receipts of its notices say where it is.
#[must_use]
pub fn is_about(incident: &Incident, channel: &str, thread: Option<&str>) -> bool {
    places(incident)
        .any(|place| place.channel() == channel && place.thread().is_none_or(|it| thread == Some(it)))
}

/// Where the receipts of an incident's notices say that it is discussed in Slack.
pub(crate) fn places(incident: &Incident) -> impl Iterator<Item = Place> {
    let receipts = incident.lanes.values().flatten();
    receipts.filter_map(|receipt| receipt.conversation.as_deref()?.parse::<Place>().ok())
}

/// Something that somebody in Slack asks of an incident.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Intake {
    /// The incident.
    pub incident: IncidentId,
    /// What is asked for, and by whom. Its id belongs to Slack's own of the action, so one that is delivered twice is
    /// carried out once.
    pub request: Request,
}

impl Intake {
    /// `request` to `incident`.
    #[must_use]
    pub fn new(incident: IncidentId, request: Request) -> Self {
        Self { incident, request }
    }
}

#[cfg(test)]
mod tests;
