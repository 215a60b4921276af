//! One workspace, built from its configuration or in code, with what an interactive bot needs besides the ports.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use incident_core::config::{ConfigError, Ports, Secret};
use incident_core::port::{AdapterError, ErrorKind, EvidenceStore};
use serde_json::json;
use slack_morphism::{SlackClient, SlackClientHttpConnector};

use crate::budget::Budget;
use crate::client::{Client, unread, unwritten};
use crate::config::SlackConfig;
use crate::intake::{Answer, Modal, Quote, Reaction};
use crate::notifier::SlackNotifier;
use crate::settings::Settings;

/// How long an answer or a look for a person may take; Slack waits three seconds for the acknowledgement alone.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);

/// One workspace. Its notifier and its answers share one client and one queue for each channel.
#[derive(Clone)]
pub struct SlackBackend {
    pub(crate) client: Client,
    pub(crate) settings: Arc<Settings>,
    evidence: Option<Arc<dyn EvidenceStore>>,
}

impl SlackBackend {
    /// Builds what `config` declares. Reads the token, and connects to nothing.
    ///
    /// # Errors
    /// [`ConfigError`], naming the field.
    pub fn new(config: &SlackConfig) -> Result<Self, ConfigError> {
        let settings = Arc::new(Settings::new(config)?);
        let client = Client::new(config, token(config)?)?;
        Ok(Self { client, settings, evidence: None })
    }

    /// Builds it around a client of yours: your connector, your proxy. The configuration's token, deadlines and queue hold
    /// for it; its `api_url` and `connect_timeout` are the client's own, and its preflight can't read the token's scopes.
    ///
    /// Give the client no rate control that retries: the engine does.
    ///
    /// # Errors
    /// [`ConfigError`], naming the field.
    pub fn with_client<C>(config: &SlackConfig, client: SlackClient<C>) -> Result<Self, ConfigError>
    where
        C: SlackClientHttpConnector + Send + Sync + 'static,
    {
        let settings = Arc::new(Settings::new(config)?);
        let client = Client::around(config, &token(config)?, client)?;
        Ok(Self { client, settings, evidence: None })
    }

    /// With the place where evidence is kept: a post-mortem whose bytes are there is attached as a file. It needs the scope
    /// `files:write`.
    #[must_use]
    pub fn with_evidence(mut self, evidence: Arc<dyn EvidenceStore>) -> Self {
        self.evidence = Some(evidence);
        self
    }

    /// The notifier alone.
    #[must_use]
    pub fn notifier(&self) -> SlackNotifier {
        SlackNotifier::new(self.client.clone(), Arc::clone(&self.settings), self.evidence.clone())
    }

    /// The ports, as an engine takes them.
    #[must_use]
    pub fn into_ports(self) -> Ports {
        Ports::new().with_notifier(self.notifier())
    }

    /// Tells somebody who asked for something what came of it. Slack takes up to five answers in 30 minutes.
    ///
    /// # Errors
    /// [`AdapterError`]; also if `response_url` isn't one of Slack's.
    pub async fn respond(&self, response_url: &str, answer: &Answer) -> Result<(), AdapterError> {
        const RESPOND: &str = "answer a person in Slack";
        let body = answer.to_json().to_string().into_bytes();
        let sent = self.client.send(response_url, "application/json", body, &Budget::within(PATIENCE)).await;
        sent.map_err(unwritten(RESPOND))
    }

    /// Opens a form for the person whose command, click or form Slack gave this `trigger`, within three seconds of it.
    ///
    /// # Errors
    /// [`AdapterError`], most often because three seconds are over.
    pub async fn open(&self, trigger: &str, modal: &Modal) -> Result<(), AdapterError> {
        const OPEN: &str = "open a form in Slack";
        let body = json!({ "trigger_id": trigger, "view": modal.to_json() });
        let opened = self.client.write("views.open", &body, &Budget::within(PATIENCE)).await;
        opened.map(drop).map_err(unwritten(OPEN))
    }

    /// Tells one person in a channel what came of a form, which has no response URL; in the backend's own channel if `channel`
    /// is empty. A person who isn't in the channel doesn't see it.
    ///
    /// # Errors
    /// [`AdapterError`]; also if the app isn't in the channel.
    pub async fn tell(&self, channel: &str, user: &str, answer: &Answer) -> Result<(), AdapterError> {
        const TELL: &str = "answer a person in Slack";
        let channel = if channel.is_empty() { &self.settings.channel } else { channel };
        let said = answer.to_json();
        let body =
            json!({ "channel": channel, "user": user, "text": said["text"], "blocks": said["blocks"] });
        let told = self.client.write("chat.postEphemeral", &body, &Budget::within(PATIENCE)).await;
        told.map(drop).map_err(unwritten(TELL))
    }

    /// The message that somebody reacted to, for the timeline.
    ///
    /// # Errors
    /// [`AdapterError`] if it can't be read.
    pub async fn quote(&self, reaction: &Reaction) -> Result<Quote, AdapterError> {
        const QUOTE: &str = "read a message";
        let budget = Budget::within(PATIENCE);
        let params = [
            ("channel", reaction.channel.clone()),
            ("ts", reaction.ts.clone()),
            ("oldest", reaction.ts.clone()),
            ("latest", reaction.ts.clone()),
            ("inclusive", "true".to_owned()),
            ("limit", "2".to_owned()),
        ];
        // Unlike the history, this finds a message within a thread as well as one outside. With one from a thread comes the
        // first of the thread.
        let read =
            self.client.read("conversations.replies", &params, &budget).await.map_err(unread(QUOTE))?;
        let messages = read["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let message = messages.iter().find(|message| message["ts"] == reaction.ts.as_str());
        let quote = message.and_then(|message| Quote::from_message(message, message, &reaction.channel));
        let quote = quote.ok_or_else(|| AdapterError::new(ErrorKind::NotFound, QUOTE))?;
        let permalink = self.permalink(&reaction.channel, &reaction.ts).await;
        Ok(quote.by(&reaction.user).at(permalink))
    }

    /// Where a message can be looked at; none if the workspace doesn't say where it is.
    pub async fn permalink(&self, channel: &str, ts: &str) -> Option<String> {
        self.client.me(&Budget::within(PATIENCE)).await.ok()?;
        self.client.permalink(channel, ts, None)
    }
}

impl fmt::Debug for SlackBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlackBackend")
            .field("client", &self.client)
            .field("settings", &self.settings)
            .finish()
    }
}

/// The token, if it is one that may post.
fn token(config: &SlackConfig) -> Result<Secret, ConfigError> {
    let token = config.token.read(&config.base).map_err(|error| ConfigError::secret("token", error))?;
    if token.expose().starts_with("xapp-") {
        let problem = "this is an app-level token, which opens Socket Mode; expected the bot's, xoxb-…";
        return Err(ConfigError::new("token", problem));
    }
    if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ConfigError::new("token", "expected a token without spaces or line breaks"));
    }
    Ok(token)
}
