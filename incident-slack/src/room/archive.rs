//! Archiving the channels of incidents that are over.

use incident_core::log::incident::Incident;
use incident_core::model::time::{Time, after};
use incident_core::port::AdapterError;
use serde_json::json;

use crate::backend::{PATIENCE, SlackBackend};
use crate::budget::Budget;
use crate::client::unwritten;
use crate::intake::places;
use crate::place::Place;

const ARCHIVE: &str = "archive the incident's channel";

impl SlackBackend {
    /// Archives the channel of `incident`, if it ended at least `rooms.archive_after` before `now`, however it ended. Whether
    /// there was one to archive is the answer. Call it once an hour or so for the incidents that have ended.
    ///
    /// # Errors
    /// [`AdapterError`] if Slack can't be asked or refuses.
    pub async fn archive_room(&self, incident: &Incident, now: Time) -> Result<bool, AdapterError> {
        let Some(rooms) = self.settings.rooms.as_ref().filter(|rooms| rooms.archive) else {
            return Ok(false);
        };
        let ended_at = incident.milestones.closed.unwrap_or(incident.recorded_at);
        if incident.ended.is_none() || after(ended_at, rooms.archive_after) > now {
            return Ok(false);
        }
        let mut found = false;
        for place in places(incident) {
            let Place::Room { channel, .. } = place else { continue };
            let body = json!({ "channel": channel });
            match self.client.write("conversations.archive", &body, &Budget::within(PATIENCE)).await {
                Ok(_) => found = true,
                Err(failure) if matches!(failure.code(), Some("already_archived" | "channel_not_found")) => {}
                Err(failure) => return Err(unwritten(ARCHIVE)(failure)),
            }
        }
        Ok(found)
    }
}
