//! Azure Blob Storage.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use incident_core::config::{ConfigError, SecretRef};
use incident_core::port::EvidenceStore;
use object_store::azure::MicrosoftAzureBuilder;
use serde::Deserialize;

use super::{check_endpoint, evidence, minute, secret};
use crate::client::{Client, retry};

/// A container of Azure Blob Storage.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AzureConfig {
    /// The storage account.
    pub account: String,
    /// The container.
    pub container: String,
    /// What all names in it begin with; nothing unless set.
    #[serde(default)]
    pub prefix: String,
    /// Where the account is, if not at Azure's public address.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The account's key. Without it, the machine's managed identity is used.
    #[serde(default)]
    pub access_key: Option<SecretRef>,
    /// The most bytes that a piece may have; 64 MiB unless set.
    #[serde(default)]
    pub largest: Option<usize>,
    /// How long one call may take with all that is repeated; a minute unless set.
    #[serde(default = "minute", with = "humantime_serde")]
    pub timeout: Duration,
    /// The folder that relative paths of secrets are meant from; settings set it to their own.
    #[serde(skip)]
    pub base: PathBuf,
}

impl AzureConfig {
    /// The container `container` of `account`, with the machine's managed identity.
    #[must_use]
    pub fn new(account: &str, container: &str) -> Self {
        Self {
            account: account.to_owned(),
            container: container.to_owned(),
            prefix: String::new(),
            endpoint: None,
            access_key: None,
            largest: None,
            timeout: minute(),
            base: PathBuf::new(),
        }
    }

    /// Builds the store, which connects to nothing yet.
    ///
    /// # Errors
    /// [`ConfigError`], naming the field.
    pub fn into_evidence(self) -> Result<Arc<dyn EvidenceStore>, ConfigError> {
        for (field, name) in [("account", &self.account), ("container", &self.container)] {
            if name.is_empty() || name.contains(['/', '?', '#', '.', ':']) {
                return Err(ConfigError::new(field, "expected a name, without an address"));
            }
        }
        let mut builder = MicrosoftAzureBuilder::new()
            .with_http_connector(Client::new(self.timeout)?)
            .with_retry(retry(self.timeout))
            .with_account(self.account)
            .with_container_name(self.container);
        if let Some(endpoint) = self.endpoint {
            check_endpoint(&endpoint, false)?;
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(key) = secret("access_key", self.access_key.as_ref(), &self.base)? {
            builder = builder.with_access_key(key);
        }
        evidence(builder.build(), &self.prefix, self.largest, self.timeout)
    }
}

impl fmt::Debug for AzureConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An endpoint that wasn't checked yet may hold a password.
        f.debug_struct("AzureConfig")
            .field("account", &self.account)
            .field("prefix", &self.prefix)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
