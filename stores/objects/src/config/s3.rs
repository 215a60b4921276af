//! Amazon S3, and what speaks like it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use incident_core::config::{ConfigError, SecretRef};
use incident_core::port::EvidenceStore;
use object_store::aws::AmazonS3Builder;
use serde::Deserialize;

use super::{check_endpoint, evidence, minute, secret};
use crate::client::{Client, retry};

/// A bucket of Amazon S3, or of a store that speaks like it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct S3Config {
    /// The bucket.
    pub bucket: String,
    /// What all names in it begin with; nothing unless set.
    #[serde(default)]
    pub prefix: String,
    /// The bucket's region; `us-east-1` unless set.
    #[serde(default)]
    pub region: Option<String>,
    /// Where a store that only speaks like S3 is: `https://minio.internal:9000`.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Whether the endpoint may be plain HTTP, so that everything on the way can read the evidence.
    #[serde(default)]
    pub allow_http: bool,
    /// The id of the access key. Without a key, the role of the machine is used.
    #[serde(default)]
    pub access_key_id: Option<SecretRef>,
    /// The access key.
    #[serde(default)]
    pub secret_access_key: Option<SecretRef>,
    /// The session's token, if the key is a temporary one.
    #[serde(default)]
    pub session_token: Option<SecretRef>,
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

impl S3Config {
    /// The bucket `bucket` at Amazon, with the role of the machine.
    #[must_use]
    pub fn new(bucket: &str) -> Self {
        Self {
            bucket: bucket.to_owned(),
            prefix: String::new(),
            region: None,
            endpoint: None,
            allow_http: false,
            access_key_id: None,
            secret_access_key: None,
            session_token: None,
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
        let mut builder = AmazonS3Builder::new()
            .with_http_connector(Client::new(self.timeout)?)
            .with_retry(retry(self.timeout))
            .with_bucket_name(self.bucket);
        if let Some(region) = self.region {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = self.endpoint {
            check_endpoint(&endpoint, self.allow_http)?;
            builder = builder.with_endpoint(endpoint).with_allow_http(self.allow_http);
        }
        let key = (
            secret("access_key_id", self.access_key_id.as_ref(), &self.base)?,
            secret("secret_access_key", self.secret_access_key.as_ref(), &self.base)?,
        );
        builder = match key {
            (Some(id), Some(key)) => builder.with_access_key_id(id).with_secret_access_key(key),
            (None, None) => builder,
            (None, Some(_)) => return Err(ConfigError::new("access_key_id", "expected it beside its key")),
            (Some(_), None) => {
                return Err(ConfigError::new("secret_access_key", "expected it beside its id"));
            }
        };
        if let Some(token) = secret("session_token", self.session_token.as_ref(), &self.base)? {
            builder = builder.with_token(token);
        }
        evidence(builder.build(), &self.prefix, self.largest, self.timeout)
    }
}

impl fmt::Debug for S3Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An endpoint that wasn't checked yet may hold a password.
        f.debug_struct("S3Config")
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
