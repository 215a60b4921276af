//! The message that an incident is known by, brought up to date between two notices: a role was given, somebody acknowledged.

use incident_core::log::incident::{Ending, Incident};
use incident_core::model::notice::{Notice, NoticeKind};
use incident_core::model::obligation::ObligationKind;
use incident_core::model::side::Side;
use incident_core::port::AdapterError;

use crate::backend::{PATIENCE, SlackBackend};
use crate::blocks;
use crate::budget::Budget;
use crate::client::unwritten;
use crate::error::Failure;
use crate::place::Place;
use crate::post::update;
use crate::thread::Shown;

const RESTATE: &str = "bring the first message up to date";

impl SlackBackend {
    /// Brings the message that `incident` is known by on `route` up to date with its state, and invites `user` into its channel
    /// if it has one of its own. Name only a route within the organisation: the message shows the title and the lead. A failure
    /// loses nothing: the next notice does the same.
    ///
    /// # Errors
    /// [`AdapterError`] if Slack can't be asked or refuses.
    pub async fn restate(
        &self,
        incident: &Incident,
        route: &str,
        user: Option<&str>,
    ) -> Result<(), AdapterError> {
        let place = incident.conversation_on(route).and_then(|it| it.conversation.as_deref()?.parse().ok());
        let Some(place) = place else { return Ok(()) };
        self.restate_at(&place, incident, user).await.map_err(unwritten(RESTATE))
    }

    async fn restate_at(
        &self,
        place: &Place,
        incident: &Incident,
        user: Option<&str>,
    ) -> Result<(), Failure> {
        let (notifier, notice, budget) = (self.notifier(), standing(incident), Budget::within(PATIENCE));
        let (channel, ts) = match place {
            Place::Thread { channel, root } => (channel, root),
            Place::Room { channel, summary } => (channel, summary),
        };
        if let (Place::Room { .. }, Some(user)) = (place, user) {
            notifier.invite(channel, &notice, &[user.to_owned()], &budget).await?;
        }
        // Without the words that it began with it would lose them.
        let Shown::Blocks(shown) = notifier.shown(channel, ts, &budget).await? else { return Ok(()) };
        update(&self.client, channel, ts, &blocks::restated(&notice, &shown), &budget).await
    }
}

/// Where the incident stands, as a notice that nobody issued.
fn standing(incident: &Incident) -> Notice {
    let kind = match incident.ended {
        Some(Ending::Cancelled) => NoticeKind::Cancelled,
        Some(Ending::Merged(_)) => NoticeKind::Merged,
        Some(_) => NoticeKind::Closed,
        None => NoticeKind::Update,
    };
    let mut notice = Notice::new(incident.id, incident.version, kind, Vec::new(), incident.title_words());
    notice.severity = incident.severity;
    notice.status = incident.phase.status();
    notice.service.clone_from(&incident.service);
    notice.drill = incident.side == Side::Drill;
    notice.started_at = incident.known_start();
    notice.issued_at = incident.recorded_at;
    notice.commander = incident.commander().cloned();
    notice.next_update = incident.obligation(ObligationKind::Update).map(|owed| owed.due);
    notice.links = incident.links.iter().cloned().collect();
    notice
}
