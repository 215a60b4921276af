//! The configuration of a GitHub backend, as it is written down.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use incident_core::config::{AdapterConfig, BuildContext, ConfigError, Ports, SecretRef};
use serde::Deserialize;

use crate::backend::GithubBackend;
use crate::reference::{Repository, is_account};

/// The longest lag and spacing.
const LONGEST: Duration = Duration::from_secs(60);

/// One repository that keeps the tickets, and those whose changes are looked at.
///
/// Durations are written as `800ms`, `5s`, `2m`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GithubConfig {
    /// The repository that keeps the tickets, `owner/name`.
    pub repository: String,
    /// Where the API is; `https://api.github.com` unless set. That of GitHub Enterprise Server ends in `/api/v3`.
    #[serde(default)]
    pub api: Option<String>,
    /// The token.
    #[serde(default)]
    pub token: Option<SecretRef>,
    /// The GitHub App to sign in as, instead of a token.
    #[serde(default)]
    pub app: Option<AppConfig>,
    /// The account that the token belongs to. GitHub is asked unless it is set; it has to be where GitHub can't be asked:
    /// with the token of an installation, such as `github-actions[bot]`.
    #[serde(default)]
    pub account: Option<String>,
    /// The title of the milestone that follow-ups get, if they get one.
    #[serde(default)]
    pub milestone: Option<String>,
    /// How labels look that are created because they are missing, by name.
    #[serde(default)]
    pub labels: BTreeMap<String, LabelConfig>,
    /// How long connecting may take; 2 seconds unless set.
    #[serde(default = "connect_timeout", with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// How long one request may take in all; 8 seconds unless set, and never longer than nine tenths of what the engine
    /// gives to the call.
    #[serde(default = "timeout", with = "humantime_serde")]
    pub timeout: Duration,
    /// How long GitHub may take to list what was just created; 5 seconds unless set. What isn't listed after that wasn't
    /// created. A look that has less time can't tell.
    #[serde(default = "lag", with = "humantime_serde")]
    pub lag: Duration,
    /// How often something may be written.
    #[serde(default)]
    pub content: ContentConfig,
    /// Which changes are looked at; there is no collector unless this is set.
    #[serde(default)]
    pub changes: Option<ChangesConfig>,
    /// The folder that relative paths of secrets are meant from; settings set it to their own.
    #[serde(skip)]
    pub base: PathBuf,
}

/// A GitHub App, and where it is installed. Only with the crate's feature `app`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AppConfig {
    /// The App's id.
    pub id: u64,
    /// The installation's id.
    pub installation: u64,
    /// The App's private key, in PEM.
    pub private_key: SecretRef,
}

/// How a label looks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LabelConfig {
    /// Its colour: six hexadecimal digits, without `#`.
    pub color: String,
    /// What it is for, in at most 100 characters.
    #[serde(default)]
    pub description: String,
}

/// How often something may be written, by all ports of the backend together. The figures are GitHub's, for one account;
/// lower them where that account writes elsewhere, too.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ContentConfig {
    /// The most writes in a minute; 80 unless set.
    pub per_minute: u32,
    /// The most writes in an hour; 500 unless set.
    pub per_hour: u32,
    /// The least time between two writes; 1 second unless set.
    #[serde(with = "humantime_serde")]
    pub spacing: Duration,
}

/// Which changes are looked at.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ChangesConfig {
    /// The repositories, `owner/name`; that of the tickets unless set.
    pub repositories: Vec<String>,
    /// How long before the incident began a change is a recent one; 2 hours unless set.
    #[serde(with = "humantime_serde")]
    pub within: Option<Duration>,
}

impl GithubConfig {
    /// Tickets in `repository`, with neither a token nor a collector yet.
    #[must_use]
    pub fn new(repository: &str) -> Self {
        Self {
            repository: repository.to_owned(),
            api: None,
            token: None,
            app: None,
            account: None,
            milestone: None,
            labels: BTreeMap::new(),
            connect_timeout: connect_timeout(),
            timeout: timeout(),
            lag: lag(),
            content: ContentConfig::default(),
            changes: None,
            base: PathBuf::new(),
        }
    }

    /// The repository that keeps the tickets, if everything is as it should be.
    pub(crate) fn check(&self) -> Result<Repository, ConfigError> {
        if self.connect_timeout.is_zero() {
            return Err(ConfigError::new("connect_timeout", "expected more than nothing"));
        }
        if self.timeout <= self.connect_timeout {
            return Err(ConfigError::new("timeout", "expected more than connect_timeout"));
        }
        if self.lag > LONGEST {
            return Err(ConfigError::new(
                "lag",
                "expected a minute at most: a look has no more time than its call",
            ));
        }
        if self.content.spacing > LONGEST {
            return Err(ConfigError::new("content.spacing", "expected a minute at most"));
        }
        if self.content.per_minute == 0 || self.content.per_hour == 0 {
            return Err(ConfigError::new("content", "expected at least one write a minute and an hour"));
        }
        if self.account.as_ref().is_some_and(|account| !is_account(account)) {
            return Err(ConfigError::new(
                "account",
                "expected an account's name, such as octocat or my-app[bot]",
            ));
        }
        for (name, label) in &self.labels {
            let hex = label.color.len() == 6 && label.color.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !hex {
                let field = format!("labels.{name}.color");
                return Err(ConfigError::new(&field, "expected six hexadecimal digits, without #"));
            }
        }
        repository("repository", &self.repository)
    }
}

impl fmt::Debug for GithubConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address that wasn't checked yet may still hold a password.
        f.debug_struct("GithubConfig")
            .field("repository", &self.repository)
            .field("token", &self.token)
            .field("app", &self.app)
            .field("account", &self.account)
            .field("content", &self.content)
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}

impl Default for ContentConfig {
    fn default() -> Self {
        Self { per_minute: 80, per_hour: 500, spacing: Duration::from_secs(1) }
    }
}

impl ChangesConfig {
    /// Changes of these repositories.
    #[must_use]
    pub fn new<const N: usize>(repositories: [&str; N]) -> Self {
        Self { repositories: repositories.map(str::to_owned).to_vec(), within: None }
    }
}

#[typetag::deserialize(name = "github")]
#[async_trait]
impl AdapterConfig for GithubConfig {
    async fn build(mut self: Box<Self>, cx: &BuildContext) -> Result<Ports, ConfigError> {
        self.base.clone_from(&cx.base);
        Ok(GithubBackend::connect(*self)?.into_ports())
    }
}

pub(crate) fn repository(field: &str, text: &str) -> Result<Repository, ConfigError> {
    Repository::parse(text).ok_or_else(|| ConfigError::new(field, "expected a repository as owner/name"))
}

fn connect_timeout() -> Duration {
    Duration::from_secs(2)
}

fn timeout() -> Duration {
    Duration::from_secs(8)
}

fn lag() -> Duration {
    Duration::from_secs(5)
}
