//! The configuration of an HTTP backend, as it is written down.

mod mitigation;
mod probe;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use incident_core::config::{AdapterConfig, BuildContext, ConfigError, Ports};
use serde::Deserialize;

use crate::backend::HttpBackend;
use crate::secret::{SecretValue, TextOrSecret};

pub use mitigation::{
    CacheConfig, CallConfig, CustomConfig, FeatureConfig, MitigationsConfig, ReadConfig, VerifyConfig,
};
pub use probe::{Comparison, Op, ProbeConfig};

/// One service that is reached over HTTP.
///
/// Durations are written as `800ms`, `5s`, `2m`. Paths begin with `/` and are appended to the base URL.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct HttpConfig {
    /// Where the service is, `http://` or `https://`, with neither user nor query.
    pub base_url: String,
    /// Headers of every request. One that carries a secret must be a reference to it.
    #[serde(default)]
    pub headers: BTreeMap<String, TextOrSecret>,
    /// How long connecting may take; 2 seconds unless set.
    #[serde(default = "connect_timeout", with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// How long one request may take in all; 8 seconds unless set, and never longer than nine tenths of what the engine
    /// gives to the call.
    #[serde(default = "timeout", with = "humantime_serde")]
    pub timeout: Duration,
    /// The header that carries the effect's id with each write; `X-Incident-Effect` unless set.
    #[serde(default = "effect_header")]
    pub effect_header: String,
    /// Health checks, by the name of the runbook's check.
    #[serde(default)]
    pub probes: BTreeMap<String, ProbeConfig>,
    /// The mitigations that this service can do.
    #[serde(default)]
    pub mitigations: MitigationsConfig,
    /// Where notices are posted to.
    #[serde(default)]
    pub webhook: Option<WebhookConfig>,
    /// The folder that relative paths of secrets are meant from; settings set it to their own.
    #[serde(skip)]
    pub base: PathBuf,
}

impl HttpConfig {
    /// The service at `base_url`, with no port declared yet.
    #[must_use]
    pub fn new(base_url: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            headers: BTreeMap::new(),
            connect_timeout: connect_timeout(),
            timeout: timeout(),
            effect_header: effect_header(),
            probes: BTreeMap::new(),
            mitigations: MitigationsConfig::default(),
            webhook: None,
            base: PathBuf::new(),
        }
    }
}

impl fmt::Debug for HttpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A base URL that wasn't checked yet may still hold a password.
        f.debug_struct("HttpConfig")
            .field("headers", &self.headers)
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .field("probes", &self.probes)
            .field("mitigations", &self.mitigations)
            .field("webhook", &self.webhook)
            .finish_non_exhaustive()
    }
}

#[typetag::deserialize(name = "http")]
#[async_trait]
impl AdapterConfig for HttpConfig {
    async fn build(mut self: Box<Self>, cx: &BuildContext) -> Result<Ports, ConfigError> {
        self.base.clone_from(&cx.base);
        Ok(HttpBackend::new(*self)?.into_ports())
    }
}

/// Where notices are posted to, and how they are signed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WebhookConfig {
    /// The path, or a reference to it if it is secret.
    pub path: TextOrSecret,
    /// The key of the signature.
    pub secret: SecretValue,
    /// How long the receiver remembers an effect's id and drops what it has seen; unset, a repetition is taken to be
    /// seen twice.
    #[serde(default, with = "humantime_serde")]
    pub dedupes_for: Option<Duration>,
}

impl WebhookConfig {
    /// Notices to `path`, signed with `secret`.
    #[must_use]
    pub fn new(path: TextOrSecret, secret: SecretValue) -> Self {
        Self { path, secret, dedupes_for: None }
    }
}

fn connect_timeout() -> Duration {
    Duration::from_secs(2)
}

fn timeout() -> Duration {
    Duration::from_secs(8)
}

fn effect_header() -> String {
    "X-Incident-Effect".to_owned()
}
