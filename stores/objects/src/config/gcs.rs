//! Google Cloud Storage.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use incident_core::config::{ConfigError, SecretRef};
use incident_core::port::EvidenceStore;
use object_store::gcp::GoogleCloudStorageBuilder;
use serde::Deserialize;

use super::{evidence, minute, secret};
use crate::client::{Client, retry};

/// A bucket of Google Cloud Storage.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GcsConfig {
    /// The bucket.
    pub bucket: String,
    /// What all names in it begin with; nothing unless set.
    #[serde(default)]
    pub prefix: String,
    /// The key of a service account, as JSON. Without it, the machine's own account is used.
    #[serde(default)]
    pub service_account: Option<SecretRef>,
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

impl GcsConfig {
    /// The bucket `bucket`, with the machine's own account.
    #[must_use]
    pub fn new(bucket: &str) -> Self {
        Self {
            bucket: bucket.to_owned(),
            prefix: String::new(),
            service_account: None,
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
        if self.bucket.is_empty() || self.bucket.contains(['/', '?', '#']) {
            return Err(ConfigError::new("bucket", "expected the bucket's name, without a path"));
        }
        let mut builder = GoogleCloudStorageBuilder::new()
            .with_http_connector(Client::new(self.timeout)?)
            .with_retry(retry(self.timeout))
            .with_bucket_name(self.bucket);
        if let Some(key) = secret("service_account", self.service_account.as_ref(), &self.base)? {
            builder = builder.with_service_account_key(key);
        }
        evidence(builder.build(), &self.prefix, self.largest, self.timeout)
    }
}
