//! The configuration of a Slack backend, as it is written down.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use incident_core::config::{AdapterConfig, BuildContext, ConfigError, Ports, SecretRef};
use serde::Deserialize;

use crate::backend::SlackBackend;

/// One workspace, and how incidents appear in it.
///
/// Durations are written as `800ms`, `5s`, `2m`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SlackConfig {
    /// Where the bot's token is, `xoxb-…`.
    pub token: SecretRef,
    /// The id of the channel that pages go to, and that threads are begun in: `C024BE7LH`, not its name.
    pub channel: String,
    /// A channel of its own for each incident; without this an incident is a thread in [`channel`](Self::channel).
    #[serde(default)]
    pub rooms: Option<RoomConfig>,
    /// Whom a page mentions besides its recipients: `here`, `channel`, `everyone`, or the id of a user group, `S…`.
    /// Nothing else ever mentions more than one person.
    #[serde(default)]
    pub page_mentions: Vec<String>,
    /// Whether messages carry buttons. Somebody has to listen to them then.
    #[serde(default)]
    pub buttons: bool,
    /// Where the runbook can be read, for the bookmarks of a room.
    #[serde(default)]
    pub runbook_url: Option<String>,
    /// Whether notices for people outside the organisation say that a person has to pass them on: they are routed here, and
    /// nobody outside reads this channel.
    #[serde(default)]
    pub passes_on: bool,
    /// Whether Slack limits this app's view of histories to 15 messages once a minute, as it does for apps that are sold
    /// outside of its Marketplace.
    #[serde(default)]
    pub limited_history: bool,
    /// How far apart messages in one channel are; Slack takes one a second.
    #[serde(default = "message_every", with = "humantime_serde")]
    pub message_every: Duration,
    /// How long connecting may take; 2 seconds unless set.
    #[serde(default = "connect_timeout", with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// How long one request may take in all; 8 seconds unless set, and never longer than nine tenths of what the engine
    /// gives to the call.
    #[serde(default = "timeout", with = "humantime_serde")]
    pub timeout: Duration,
    /// Where the API is; `https://slack.com/api` unless set.
    #[serde(default = "api_url")]
    pub api_url: String,
    /// The folder that relative paths of secrets are meant from; settings set it to their own.
    #[serde(skip)]
    pub base: PathBuf,
}

impl SlackConfig {
    /// Threads in the channel with the id `channel`, by the bot whose token is in `token`.
    #[must_use]
    pub fn new(token: SecretRef, channel: &str) -> Self {
        Self {
            token,
            channel: channel.to_owned(),
            rooms: None,
            page_mentions: Vec::new(),
            buttons: false,
            runbook_url: None,
            passes_on: false,
            limited_history: false,
            message_every: message_every(),
            connect_timeout: connect_timeout(),
            timeout: timeout(),
            api_url: api_url(),
            base: PathBuf::new(),
        }
    }
}

/// A channel of its own for each incident.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RoomConfig {
    /// What its name begins with; `inc-` unless set.
    #[serde(default = "prefix")]
    pub prefix: String,
    /// Whether it is private.
    #[serde(default)]
    pub private: bool,
    /// The ids of users who are invited into each one, `U…`; those whom a notice names are invited besides.
    #[serde(default)]
    pub invite: Vec<String>,
    /// Whether it is archived once the incident is over; it is unless set to false.
    #[serde(default = "archive")]
    pub archive: bool,
    /// How long after the end it is archived, however the incident ended; a day unless set.
    /// [`SlackBackend::archive_room`] does it.
    #[serde(default = "archive_after", with = "humantime_serde")]
    pub archive_after: Duration,
}

impl Default for RoomConfig {
    fn default() -> Self {
        Self {
            prefix: prefix(),
            private: false,
            invite: Vec::new(),
            archive: archive(),
            archive_after: archive_after(),
        }
    }
}

#[typetag::deserialize(name = "slack")]
#[async_trait]
impl AdapterConfig for SlackConfig {
    async fn build(mut self: Box<Self>, cx: &BuildContext) -> Result<Ports, ConfigError> {
        self.base.clone_from(&cx.base);
        Ok(SlackBackend::new(&self)?.into_ports())
    }
}

fn message_every() -> Duration {
    Duration::from_secs(1)
}

fn connect_timeout() -> Duration {
    Duration::from_secs(2)
}

fn timeout() -> Duration {
    Duration::from_secs(8)
}

fn api_url() -> String {
    "https://slack.com/api".to_owned()
}

fn prefix() -> String {
    "inc-".to_owned()
}

fn archive() -> bool {
    true
}

fn archive_after() -> Duration {
    Duration::from_secs(24 * 3600)
}
