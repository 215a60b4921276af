//! One account of GitHub with all its ports, built from its configuration or around a client of the embedder's.

use std::fmt;

use incident_core::config::{ConfigError, Ports};
use octocrab::Octocrab;

use crate::client::{Client, Signed, connect};
use crate::collector::GithubCollector;
use crate::config::GithubConfig;
use crate::tracker::GithubTracker;

/// The ports of one account. They share one client and one budget of content.
pub struct GithubBackend {
    client: Client,
    tracker: GithubTracker,
    collector: Option<GithubCollector>,
}

impl GithubBackend {
    /// Builds what `config` declares, with the token or the App that it names. Reads secrets, and connects to nothing.
    /// Needs a Tokio runtime.
    ///
    /// # Errors
    /// [`ConfigError`], naming the field.
    pub fn connect(config: GithubConfig) -> Result<Self, ConfigError> {
        let signed = connect(&config)?;
        Self::new(config, signed)
    }

    /// Builds what `config` declares around `client`, whatever `api`, `token` and `app` say.
    ///
    /// Switch the client's own retry off (`add_retry_config(RetryConfig::None)`), and let it follow no redirects: it would
    /// send writes again. The deadlines of each call hold all the same.
    ///
    /// # Errors
    /// [`ConfigError`], naming the field.
    pub fn with_client(config: GithubConfig, client: Octocrab) -> Result<Self, ConfigError> {
        Self::new(config, Signed { octocrab: client, app: None })
    }

    fn new(config: GithubConfig, signed: Signed) -> Result<Self, ConfigError> {
        let repository = config.check()?;
        let client = Client::new(signed, &config);
        let collector = config.changes.as_ref();
        let collector = collector
            .map(|changes| GithubCollector::new(client.clone(), &repository, changes))
            .transpose()?;
        let tracker = GithubTracker::new(client.clone(), repository, config);
        Ok(Self { client, tracker, collector })
    }

    /// The tracker alone.
    #[must_use]
    pub fn into_tracker(self) -> GithubTracker {
        self.tracker
    }

    /// The collector alone, if one is declared.
    #[must_use]
    pub fn into_collector(self) -> Option<GithubCollector> {
        self.collector
    }

    /// The ports, as an engine takes them.
    #[must_use]
    pub fn into_ports(self) -> Ports {
        let ports = Ports::new().with_tracker(self.tracker);
        match self.collector {
            Some(collector) => ports.with_collector(collector),
            None => ports,
        }
    }
}

impl fmt::Debug for GithubBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GithubBackend").field("client", &self.client).finish_non_exhaustive()
    }
}
