//! The client, and the kubeconfig's exec plugin that provides its credentials.

use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use incident_core::model::time::Time;
use k8s_openapi::ByteString;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::error::Failure;

/// How long a plugin may take at most.
const LONGEST: Duration = Duration::from_secs(10);
/// Bytes of its answer that are read.
const MOST: u64 = 1024 * 1024;
/// Credentials that expire within this time are renewed before they are used.
const EARLY: Duration = Duration::from_secs(30);
/// The shortest time between two runs of a plugin whose credentials are rejected.
const PAUSE: Duration = Duration::from_secs(1);

/// A client, or a plugin that provides credentials for one.
pub(crate) enum Connection {
    /// The library or the embedder renews its credentials.
    Fixed(kube::Client),
    /// An exec plugin provides credentials.
    Plugin(Box<Plugin>),
}

pub(crate) struct Plugin {
    /// Without the plugin: the library would run it several times, blocking, and without a deadline.
    config: kube::Config,
    exec: ExecConfig,
    held: Mutex<Option<Held>>,
}

struct Held {
    client: kube::Client,
    made: Instant,
    ends: Option<Time>,
}

#[derive(Deserialize)]
struct Credential {
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

impl Connection {
    pub(crate) fn of(client: kube::Client) -> Self {
        Self::Fixed(client)
    }

    /// A connection by `config`; its plugin, if it has one, isn't run yet.
    pub(crate) fn by(mut config: kube::Config) -> Result<Self, kube::Error> {
        match config.auth_info.exec.take() {
            Some(exec) => Ok(Self::Plugin(Box::new(Plugin { config, exec, held: Mutex::default() }))),
            None => kube::Client::try_from(config).map(Self::Fixed),
        }
    }

    /// The client with credentials that are valid now.
    ///
    /// # Errors
    /// [`Failure`] of the plugin.
    pub(crate) async fn current(&self, within: Duration) -> Result<kube::Client, Failure> {
        let plugin = match self {
            Self::Fixed(client) => return Ok(client.clone()),
            Self::Plugin(plugin) => plugin,
        };
        let mut held = plugin.held.lock().await;
        if let Some(held) = held.as_ref().filter(|held| !held.is_ending()) {
            return Ok(held.client.clone());
        }
        let made = plugin.make(within).await?;
        Ok(held.insert(made).client.clone())
    }

    /// Renews credentials that were rejected in a request that began at `begun`; whether there are newer ones now.
    ///
    /// # Errors
    /// [`Failure`] of the plugin.
    pub(crate) async fn renew(&self, begun: Instant, within: Duration) -> Result<bool, Failure> {
        let Self::Plugin(plugin) = self else { return Ok(false) };
        let mut held = plugin.held.lock().await;
        match held.as_ref().map(|held| held.made) {
            Some(made) if made > begun => return Ok(true),
            Some(made) if made.elapsed() < PAUSE => return Ok(false),
            _ => {}
        }
        *held = Some(plugin.make(within).await?);
        Ok(true)
    }
}

impl Held {
    #[allow(
        clippy::disallowed_methods,
        reason = "only the machine's clock tells whether credentials have expired"
    )]
    fn is_ending(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let left = |ends: Time| u64::try_from(ends.timestamp()).unwrap_or(0).saturating_sub(now.as_secs());
        self.ends.is_some_and(|ends| left(ends) <= EARLY.as_secs())
    }
}

impl Plugin {
    async fn make(&self, within: Duration) -> Result<Held, Failure> {
        let status = match timeout(within.min(LONGEST), self.run()).await {
            Ok(status) => status.map_err(|why| self.failed(why))?,
            Err(_) => return Err(self.failed("didn't answer in time")),
        };
        let ends = status.expiration_timestamp.as_ref().and_then(|it| it.parse().ok());
        let mut config = self.config.clone();
        config.auth_info =
            with(config.auth_info, status).ok_or_else(|| self.failed("gave no credentials"))?;
        let client = kube::Client::try_from(config);
        let client = client.map_err(|_| self.failed("gave credentials that can't be used"))?;
        Ok(Held { client, made: Instant::now(), ends })
    }

    /// Runs the plugin once. Its other output isn't kept because it may contain credentials.
    async fn run(&self) -> Result<Status, &'static str> {
        if self.exec.interactive_mode == Some(ExecInteractiveMode::Always) {
            return Err("needs a terminal, and there is none");
        }
        let command = self.exec.command.as_ref().ok_or("isn't named in the kubeconfig")?;
        let mut spec = json!({"interactive": false});
        if self.exec.provide_cluster_info {
            spec["cluster"] = serde_json::to_value(&self.exec.cluster).unwrap_or_default();
        }
        let info = json!({"kind": "ExecCredential", "apiVersion": self.exec.api_version, "spec": spec});
        let mut child = Command::new(command);
        child
            .args(self.exec.args.iter().flatten())
            .env("KUBERNETES_EXEC_INFO", info.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        for variable in self.exec.env.iter().flatten() {
            if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
                child.env(name, value);
            }
        }
        let mut child = child.spawn().map_err(|_| "can't be started; is it installed?")?;
        let mut said = Vec::new();
        if let Some(out) = child.stdout.take() {
            out.take(MOST).read_to_end(&mut said).await.map_err(|_| "ended without an answer")?;
        }
        let ended = child.wait().await.map_err(|_| "ended without an answer")?;
        if !ended.success() {
            return Err("failed; run it by hand to see why");
        }
        let credential: Credential = serde_json::from_slice(&said)
            .map_err(|_| "answered something else than an ExecCredential in JSON")?;
        Ok(credential.status)
    }

    fn failed(&self, why: &'static str) -> Failure {
        let path = self.exec.command.as_deref().unwrap_or_default();
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
        let name = incident_core::model::inert::clip(&incident_core::model::inert::line(name), 64);
        Failure::Plugin { name, why }
    }
}

/// `user` with these credentials; none if there is neither a token nor a certificate with its key.
fn with(mut user: AuthInfo, status: Status) -> Option<AuthInfo> {
    let base64 = |pem: String| serde_json::to_value(ByteString(pem.into_bytes())).ok();
    let given = match (status.client_certificate_data, status.client_key_data) {
        (Some(certificate), Some(key)) => {
            json!({"client-certificate-data": base64(certificate)?, "client-key-data": base64(key)?})
        }
        _ => json!({}),
    };
    let mut given: AuthInfo = serde_json::from_value(given).ok()?;
    if let Some(token) = status.token {
        given.token = serde_json::from_value::<AuthInfo>(json!({ "token": token })).ok()?.token;
    }
    if given.token.is_none() && given.client_key_data.is_none() {
        return None;
    }
    user.token = given.token.or(user.token);
    user.client_certificate_data = given.client_certificate_data.or(user.client_certificate_data);
    user.client_key_data = given.client_key_data.or(user.client_key_data);
    Some(user)
}

#[cfg(test)]
mod tests;
