//! Socket Mode: what Slack would send over HTTP, over a websocket that the app opens. It needs no public address.
//!
//! ```no_run
//! use incident_core::config::SecretRef;
//! use incident_slack::SlackConfig;
//! use incident_slack::socket::{Delivery, SocketMode};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let bot = SecretRef::Env("SLACK_BOT_TOKEN".to_owned());
//! let config = SlackConfig::new(bot, "C024BE7LH");
//! let socket = SocketMode::new(&config, &SecretRef::Env("SLACK_APP_TOKEN".to_owned()))?;
//! let (deliveries, mut inbox) = tokio::sync::mpsc::channel(64);
//! tokio::spawn(async move { socket.listen(deliveries).await });
//! while let Some(delivery) = inbox.recv().await {
//!     if let Delivery::Command(command) = delivery {
//!         println!("{} asks for {}", command.user, command.text);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use incident_core::config::{ConfigError, SecretRef};
use incident_core::port::{AdapterError, Retry};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc::Sender;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use url::Url;

use crate::budget::Budget;
use crate::client::connect::{api_url, install_ring_if_none, slack_url};
use crate::client::{Client, unread};
use crate::config::SlackConfig;
use crate::error::Failure;
use crate::intake::{Event, Interaction, SlashCommand};

const OPEN: &str = "open Socket Mode";
/// How long opening may take.
const OPENING: Duration = Duration::from_secs(15);
/// After so long without a word it is asked whether anybody is there, and after as long again it is given up.
const SILENCE: Duration = Duration::from_secs(30);
/// Bytes of what Slack sends at once.
const MOST: usize = 1024 * 1024;
/// The wait before the first attempt to connect again, and the longest.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// The way to an app's websocket.
pub struct SocketMode {
    client: Client,
    api: Url,
}

/// Something that came through it, acknowledged already.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Delivery {
    /// A slash command.
    Command(SlashCommand),
    /// A button, a shortcut or a form.
    Interaction(Interaction),
    /// An event.
    Event(Event),
}

impl SocketMode {
    /// For the app whose app-level token, `xapp-…` with the scope `connections:write`, is in `token`; addresses and deadlines
    /// are those of `config`.
    ///
    /// # Errors
    /// [`ConfigError`], naming the field.
    pub fn new(config: &SlackConfig, token: &SecretRef) -> Result<Self, ConfigError> {
        let token = token.read(&config.base).map_err(|error| ConfigError::secret("app_token", error))?;
        if !token.expose().starts_with("xapp-") {
            let problem = "expected an app-level token, xapp-…, with the scope connections:write";
            return Err(ConfigError::new("app_token", problem));
        }
        install_ring_if_none();
        Ok(Self { client: Client::new(config, token)?, api: api_url(&config.api_url)? })
    }

    /// Hands everything that comes to `deliveries`, and connects again whenever Slack ends the connection, as it does every
    /// few hours.
    ///
    /// Each delivery is acknowledged as soon as it is handed over, within Slack's three seconds if `deliveries` has room. Slack
    /// delivers anew what wasn't acknowledged; the ids of requests tell such twins.
    ///
    /// # Errors
    /// Returns only once nobody receives any more, or with the [`AdapterError`] of a refusal by Slack itself: a wrong or revoked
    /// token, a missing scope, an app without Socket Mode. Keep the engine running then, and call it again after a while: pages
    /// don't need this connection.
    pub async fn listen(&self, deliveries: Sender<Delivery>) -> Result<(), AdapterError> {
        let mut wait = FIRST;
        while !deliveries.is_closed() {
            match self.connect().await {
                Ok(mut connection) => {
                    wait = FIRST;
                    connection.deliver(&deliveries).await;
                }
                Err(failure) if failure.is_refusal() => return Err(unread(OPEN)(failure)),
                Err(failure) => {
                    let error = unread(OPEN)(failure);
                    tracing::warn!(%error, "Socket Mode can't be opened now");
                    let asked = if let Retry::After(Some(asked)) = error.retry { asked } else { wait };
                    wait = (wait * 2).min(LONGEST);
                    sleep(asked.min(LONGEST)).await;
                }
            }
        }
        Ok(())
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        let budget = Budget::within(OPENING);
        let opened = self.client.write("apps.connections.open", &json!({}), &budget).await?;
        let lost = || Failure::Lost(None);
        let url = opened["url"].as_str().filter(|url| self.is_slacks(url)).ok_or_else(lost)?;
        let config = WebSocketConfig::default().max_message_size(Some(MOST)).max_frame_size(Some(MOST));
        // The address is a secret, and the library's errors may repeat it.
        match timeout(budget.left(), connect_async_with_config(url, Some(config), true)).await {
            Ok(Ok((stream, _))) => Ok(Connection { stream }),
            _ => Err(lost()),
        }
    }

    /// Whether the websocket is where Slack's are, or beside an API on loopback.
    fn is_slacks(&self, url: &str) -> bool {
        let as_http = url.strip_prefix("wss://").map(|rest| format!("https://{rest}"));
        let as_http = as_http.or_else(|| url.strip_prefix("ws://").map(|rest| format!("http://{rest}")));
        as_http.is_some_and(|url| slack_url(&url, &self.api).is_some())
    }
}

impl fmt::Debug for SocketMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketMode").field("client", &self.client).finish_non_exhaustive()
    }
}

struct Connection {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Connection {
    /// Hands over and acknowledges what comes, until the connection ends.
    async fn deliver(&mut self, deliveries: &Sender<Delivery>) {
        while let Some(envelope) = self.next().await {
            if let Some(delivery) = read(&envelope)
                && deliveries.send(delivery).await.is_err()
            {
                return;
            }
            let Some(id) = envelope["envelope_id"].as_str() else { continue };
            let mut reply = json!({ "envelope_id": id });
            if let Some(problem) = problem(&envelope) {
                reply["payload"] = problem;
            }
            let acknowledged = self.stream.send(Message::text(reply.to_string())).await;
            if acknowledged.is_err() {
                return;
            }
        }
    }

    /// The next envelope; none if the connection is over, or Slack asks to begin another.
    async fn next(&mut self) -> Option<Value> {
        let mut asked = false;
        loop {
            match timeout(SILENCE, self.stream.next()).await {
                Ok(Some(Ok(Message::Text(text)))) => match serde_json::from_str::<Value>(text.as_str()) {
                    Ok(envelope) if envelope["type"] == "disconnect" => return None,
                    Ok(envelope) if envelope["type"] == "hello" => asked = false,
                    Ok(envelope) => return Some(envelope),
                    Err(_) => tracing::warn!("Socket Mode sent what is no JSON"),
                },
                Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) => return None,
                Ok(Some(Ok(_))) => asked = false,
                Err(_) if asked => return None,
                Err(_) => {
                    asked = true;
                    self.stream.send(Message::Ping(Vec::new().into())).await.ok()?;
                }
            }
        }
    }
}

/// What a form shows at the field that can't be taken.
fn problem(envelope: &Value) -> Option<Value> {
    let is_interaction = envelope["type"] == "interactive";
    let error = is_interaction.then(|| Interaction::from_payload(&envelope["payload"]).err())?;
    error?.response()
}

/// What an envelope holds, if it is something that this crate knows.
fn read(envelope: &Value) -> Option<Delivery> {
    let payload = &envelope["payload"];
    match envelope["type"].as_str()? {
        "slash_commands" => SlashCommand::from_payload(payload).map(Delivery::Command),
        "interactive" => Interaction::from_payload(payload).ok().map(Delivery::Interaction),
        "events_api" => Some(Delivery::Event(Event::from_payload(payload))),
        _ => None,
    }
}
