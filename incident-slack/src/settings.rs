//! What of the configuration the ports need, checked.

use incident_core::config::ConfigError;

use crate::blocks::Style;
use crate::blocks::escape::{is_id, many, web};
use crate::config::{RoomConfig, SlackConfig};
use crate::place::is_channel;

/// What of the configuration the ports need, checked.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Where pages go and threads begin.
    pub(crate) channel: String,
    /// A channel of its own for each incident, if they have one.
    pub(crate) rooms: Option<RoomConfig>,
    pub(crate) style: Style,
    pub(crate) runbook_url: Option<String>,
    /// Whether histories are shown 15 messages a minute.
    pub(crate) limited: bool,
}

impl Settings {
    /// # Errors
    /// [`ConfigError`] naming the field.
    pub(crate) fn new(config: &SlackConfig) -> Result<Self, ConfigError> {
        let wrong = |field: &str, problem: &str| Err(ConfigError::new(field, problem));
        if !is_channel(&config.channel) {
            return wrong("channel", "expected a channel's id, C…, as its details show it, not its name");
        }
        if config.page_mentions.iter().any(|whom| many(whom).is_none()) {
            return wrong("page_mentions", "expected here, channel, everyone, or a user group's id, S…");
        }
        if config.runbook_url.as_deref().is_some_and(|url| web(url).is_none()) {
            return wrong("runbook_url", "expected an address that begins with https:// or http://");
        }
        if let Some(rooms) = &config.rooms {
            if !is_prefix(&rooms.prefix) {
                return wrong("rooms.prefix", "expected 1 to 20 of a to z, 0 to 9, - and _");
            }
            if rooms.invite.iter().any(|user| !is_id(user, &['U', 'W'])) {
                return wrong("rooms.invite", "expected users' ids, U…, as their profiles show them");
            }
        }
        Ok(Self {
            channel: config.channel.clone(),
            rooms: config.rooms.clone(),
            style: Style {
                mentions: config.page_mentions.clone(),
                buttons: config.buttons,
                passes_on: config.passes_on,
            },
            runbook_url: config.runbook_url.as_deref().and_then(web),
            limited: config.limited_history,
        })
    }
}

fn is_prefix(text: &str) -> bool {
    let belongs = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    (1..=20).contains(&text.len()) && text.bytes().all(belongs)
}
