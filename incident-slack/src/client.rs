//! The one client of a backend: its token, its deadlines, its place in each channel's queue.

pub(crate) mod connect;
mod transport;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use incident_core::config::{ConfigError, Secret};
use incident_core::port::AdapterError;
use serde_json::Value;
use slack_morphism::{SlackClient, SlackClientHttpConnector};
use tokio::sync::OnceCell;
use tokio::time::timeout_at;
use url::Url;

use crate::budget::Budget;
use crate::config::SlackConfig;
use crate::error::{Failure, Purpose};
use crate::throttle::Throttle;

use transport::{Direct, Session, Transport};

/// The client that everything of one backend shares.
#[derive(Clone)]
pub(crate) struct Client(Arc<Inner>);

struct Inner {
    transport: Box<dyn Transport>,
    api: Url,
    timeout: Duration,
    throttle: Throttle,
    me: OnceCell<Me>,
}

/// Whom the token belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Me {
    pub(crate) user: String,
    pub(crate) bot: String,
    pub(crate) team: String,
    /// The workspace's address, with a slash at its end.
    pub(crate) url: String,
}

impl Client {
    /// A client on connections of its own.
    ///
    /// # Errors
    /// [`ConfigError`] naming the field.
    pub(crate) fn new(config: &SlackConfig, token: Secret) -> Result<Self, ConfigError> {
        let api = connect::api_url(&config.api_url)?;
        let connector = connect::connector(&api, config.connect_timeout)?;
        let transport = Box::new(Direct::new(connector, &api, token));
        Self::on(config, api, transport)
    }

    /// A client on an embedder's.
    ///
    /// # Errors
    /// [`ConfigError`] naming the field.
    pub(crate) fn around<C>(
        config: &SlackConfig,
        token: &Secret,
        client: SlackClient<C>,
    ) -> Result<Self, ConfigError>
    where
        C: SlackClientHttpConnector + Send + Sync + 'static,
    {
        let api = connect::api_url(&config.api_url)?;
        Self::on(config, api, Box::new(Session::new(client, token)))
    }

    fn on(config: &SlackConfig, api: Url, transport: Box<dyn Transport>) -> Result<Self, ConfigError> {
        if config.timeout <= config.connect_timeout {
            return Err(ConfigError::new("timeout", "expected more than connect_timeout"));
        }
        let (timeout, throttle) = (config.timeout, Throttle::new(config.message_every));
        let me = OnceCell::new();
        Ok(Self(Arc::new(Inner { transport, api, timeout, throttle, me })))
    }

    /// What the token is allowed, if this client can see that.
    pub(crate) async fn scopes(&self, budget: &Budget) -> Option<Result<Vec<String>, Failure>> {
        self.in_time(budget, self.0.transport.scopes()).await.unwrap_or_else(|late| Some(Err(late)))
    }

    /// Whom the token belongs to, as Slack says now.
    pub(crate) async fn who(&self, budget: &Budget) -> Result<Me, Failure> {
        let told = self.read("auth.test", &[], budget).await?;
        let text = |key: &str| told[key].as_str().unwrap_or_default().to_owned();
        Ok(Me { user: text("user_id"), bot: text("bot_id"), team: text("team"), url: text("url") })
    }

    /// Whom the token belongs to; asked once.
    pub(crate) async fn me(&self, budget: &Budget) -> Result<&Me, Failure> {
        self.0.me.get_or_try_init(|| self.who(budget)).await
    }

    /// Where `ts` in `channel` can be looked at, once the workspace's address is known.
    pub(crate) fn permalink(&self, channel: &str, ts: &str, thread: Option<&str>) -> Option<String> {
        let me = self.0.me.get().filter(|me| me.url.starts_with("https://"))?;
        let link = format!("{}archives/{channel}/p{}", me.url, ts.replace('.', ""));
        Some(match thread.filter(|thread| *thread != ts) {
            Some(thread) => format!("{link}?thread_ts={thread}&cid={channel}"),
            None => link,
        })
    }

    /// Asks for something that changes nothing.
    pub(crate) async fn read(
        &self,
        method: &'static str,
        params: &[(&'static str, String)],
        budget: &Budget,
    ) -> Result<Value, Failure> {
        self.answer(budget, self.0.transport.get(method, params)).await
    }

    /// Changes something, once.
    pub(crate) async fn write(
        &self,
        method: &'static str,
        body: &Value,
        budget: &Budget,
    ) -> Result<Value, Failure> {
        self.answer(budget, self.0.transport.post(method, body)).await
    }

    /// Posts a message, once, when it is its turn in the channel.
    pub(crate) async fn post(
        &self,
        channel: &str,
        body: &Value,
        is_page: bool,
        budget: &Budget,
    ) -> Result<Value, Failure> {
        let place = self.0.throttle.place(channel, budget.ends(), is_page).await;
        place.map_err(|none| Failure::NoPlace(none.0))?;
        let posted = self.write("chat.postMessage", body, budget).await;
        if let Err(Failure::Waits(Some(wait))) = &posted {
            self.0.throttle.hold(channel, *wait);
        }
        posted
    }

    /// Sends `bytes` to an address that Slack named, without the token: the address is the secret.
    pub(crate) async fn send(
        &self,
        url: &str,
        media_type: &'static str,
        bytes: Vec<u8>,
        budget: &Budget,
    ) -> Result<(), Failure> {
        let url = connect::slack_url(url, &self.0.api).ok_or(Failure::Odd)?;
        let sent = self.in_time(budget, self.0.transport.send(url, media_type, bytes)).await?;
        sent.map(drop)
    }

    async fn answer(
        &self,
        budget: &Budget,
        call: impl Future<Output = Result<Value, Failure>>,
    ) -> Result<Value, Failure> {
        let answer = self.in_time(budget, call).await??;
        // An embedder's client takes a 200 of any other kind, such as a proxy's page, for an empty answer.
        match answer["ok"].as_bool() {
            Some(true) => Ok(answer),
            Some(false) => Err(Failure::refused(answer["error"].as_str().unwrap_or_default(), &answer)),
            None => Err(Failure::Odd),
        }
    }

    /// What `call` gives, unless the time is over; nothing is sent if it is over already.
    async fn in_time<T>(&self, budget: &Budget, call: impl Future<Output = T>) -> Result<T, Failure> {
        let budget = budget.at_most(self.0.timeout);
        if budget.left().is_zero() {
            return Err(Failure::Unsent);
        }
        timeout_at(budget.ends(), call).await.map_err(|_| Failure::TimedOut)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("api", &self.0.api.host_str()).finish_non_exhaustive()
    }
}

/// As the engine's error, of something that changes nothing.
pub(crate) fn unread(operation: &'static str) -> impl FnOnce(Failure) -> AdapterError {
    move |failure| failure.into_error(operation, Purpose::Read)
}

/// As the engine's error, of something that changes something.
pub(crate) fn unwritten(operation: &'static str) -> impl FnOnce(Failure) -> AdapterError {
    move |failure| failure.into_error(operation, Purpose::Write)
}
