//! The configuration of object stores, as it is written down.

#[cfg(feature = "azure")]
mod azure;
#[cfg(feature = "gcs")]
mod gcs;
#[cfg(feature = "s3")]
mod s3;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use incident_core::config::{BuildContext, ConfigError, EvidenceConfig, SecretRef};
use incident_core::port::EvidenceStore;
use object_store::ObjectStore;

#[cfg(feature = "azure")]
pub use azure::AzureConfig;
#[cfg(feature = "gcs")]
pub use gcs::GcsConfig;
#[cfg(feature = "s3")]
pub use s3::S3Config;

use crate::evidence::ObjectEvidence;

#[cfg(feature = "s3")]
#[typetag::deserialize(name = "s3")]
#[async_trait]
impl EvidenceConfig for S3Config {
    async fn build(mut self: Box<Self>, cx: &BuildContext) -> Result<Arc<dyn EvidenceStore>, ConfigError> {
        self.base.clone_from(&cx.base);
        self.into_evidence()
    }
}

#[cfg(feature = "gcs")]
#[typetag::deserialize(name = "gcs")]
#[async_trait]
impl EvidenceConfig for GcsConfig {
    async fn build(mut self: Box<Self>, cx: &BuildContext) -> Result<Arc<dyn EvidenceStore>, ConfigError> {
        self.base.clone_from(&cx.base);
        self.into_evidence()
    }
}

#[cfg(feature = "azure")]
#[typetag::deserialize(name = "azure")]
#[async_trait]
impl EvidenceConfig for AzureConfig {
    async fn build(mut self: Box<Self>, cx: &BuildContext) -> Result<Arc<dyn EvidenceStore>, ConfigError> {
        self.base.clone_from(&cx.base);
        self.into_evidence()
    }
}

fn minute() -> Duration {
    Duration::from_secs(60)
}

fn secret(field: &str, secret: Option<&SecretRef>, base: &Path) -> Result<Option<String>, ConfigError> {
    let read = secret
        .map(|secret| secret.read(base))
        .transpose()
        .map_err(|error| ConfigError::secret(field, error))?;
    Ok(read.map(|secret| secret.expose().to_owned()))
}

/// What `objects` holds below `prefix`. The builder's own errors may quote what they were given, so they are dropped.
fn evidence<T: ObjectStore>(
    objects: object_store::Result<T>,
    prefix: &str,
    largest: Option<usize>,
    timeout: Duration,
) -> Result<Arc<dyn EvidenceStore>, ConfigError> {
    let objects = objects.map_err(|_| {
        ConfigError::new("", "no client can be built: expected the store's own names and keys")
    })?;
    let evidence = ObjectEvidence::new(Arc::new(objects), prefix)
        .map_err(|error| ConfigError::new("prefix", &error.to_string()))?
        .deadline(timeout);
    Ok(Arc::new(match largest {
        Some(largest) => evidence.largest(largest),
        None => evidence,
    }))
}

/// Refuses an address whose traffic everybody on the way could read, unless that is said to be meant.
#[cfg(any(feature = "s3", feature = "gcs", feature = "azure"))]
fn check_endpoint(endpoint: &str, allow_http: bool) -> Result<(), ConfigError> {
    let rest = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
    let well_formed = rest.is_some_and(|rest| {
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        !host.is_empty() && !rest.contains(['@', '?', '#']) && path.is_empty()
    });
    if !well_formed {
        let problem = "expected https:// and a host, without a user, a path and a query";
        return Err(ConfigError::new("endpoint", problem));
    }
    if endpoint.starts_with("http://") && !allow_http {
        let problem =
            "expected https://; say allow_http = true if everything on the way may read the evidence";
        return Err(ConfigError::new("endpoint", problem));
    }
    Ok(())
}
