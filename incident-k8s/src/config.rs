//! The configuration of a Kubernetes backend, as it is written down.

mod evidence;
mod mitigation;
mod probe;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use incident_core::config::{AdapterConfig, BuildContext, ConfigError, Ports};
use serde::Deserialize;

use crate::backend::K8sBackend;
use crate::target::{Scope, is_name};

pub use evidence::{EvidenceConfig, ExecConfig};
pub use mitigation::{FeatureConfig, RouteConfig, ScaleLimits};
pub use probe::{ErrorLines, ProbeConfig, Ready, Restarts};

/// One cluster and the namespaces that may be touched there.
///
/// Durations are written as `800ms`, `5s`, `2m`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct K8sConfig {
    /// What people call the cluster: the first part of every target's name, such as `prod`.
    pub cluster: String,
    /// The namespace that a target without one means.
    pub namespace: String,
    /// Further namespaces that targets may name; nothing is touched in any other.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// The kubeconfig's context. There is no default: the current context may be anybody's.
    #[serde(default)]
    pub context: Option<String>,
    /// The kubeconfig; unless set, the file or files of `KUBECONFIG`, or `~/.kube/config`.
    #[serde(default)]
    pub kubeconfig: Option<PathBuf>,
    /// Whether this runs inside the cluster, as a pod with a service account.
    #[serde(default)]
    pub in_cluster: bool,
    /// How long connecting may take; 2 seconds unless set.
    #[serde(default = "connect_timeout", with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// How long the server may take to answer one request; 8 seconds unless set.
    #[serde(default = "timeout", with = "humantime_serde")]
    pub timeout: Duration,
    /// The name under which fields are changed; `incident-response` unless set.
    #[serde(default = "field_manager")]
    pub field_manager: String,
    /// Whether there is a mitigator; there is unless this says `false`.
    #[serde(default = "yes")]
    pub mitigate: bool,
    /// How long a change may take to hold before it counts as failed; 10 minutes unless set, and never less than the
    /// workload's own progress deadline.
    #[serde(default = "verify_within", with = "humantime_serde")]
    pub verify_within: Duration,
    /// Variables and flags whose values plans and evidence may show, such as `LOG_LEVEL` or `--workers`. Of all others
    /// only a mark shows that they changed. The variables of `features` are shown without being named here.
    #[serde(default)]
    pub harmless: Vec<String>,
    /// How far a workload may be scaled.
    #[serde(default)]
    pub scale: ScaleLimits,
    /// Features that an environment variable turns on and off, by name.
    #[serde(default)]
    pub features: BTreeMap<String, FeatureConfig>,
    /// Where a service's traffic can be sent, by the service's name and then by the name of the place.
    #[serde(default)]
    pub routes: BTreeMap<String, BTreeMap<String, RouteConfig>>,
    /// Health checks, by the name of the runbook's check.
    #[serde(default)]
    pub probes: BTreeMap<String, ProbeConfig>,
    /// What is taken down as evidence; nothing unless set.
    #[serde(default)]
    pub evidence: Option<EvidenceConfig>,
}

impl K8sConfig {
    /// The cluster called `cluster`, with `namespace` alone, and a mitigator.
    #[must_use]
    pub fn new(cluster: &str, namespace: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            namespace: namespace.to_owned(),
            namespaces: Vec::new(),
            context: None,
            kubeconfig: None,
            in_cluster: false,
            connect_timeout: connect_timeout(),
            timeout: timeout(),
            field_manager: field_manager(),
            mitigate: true,
            verify_within: verify_within(),
            harmless: Vec::new(),
            scale: ScaleLimits::default(),
            features: BTreeMap::new(),
            routes: BTreeMap::new(),
            probes: BTreeMap::new(),
            evidence: None,
        }
    }

    /// Where this adapter may act.
    pub(crate) fn scope(&self) -> Result<Scope, ConfigError> {
        let label =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        if self.cluster.is_empty() || self.cluster.len() > 64 || !label(&self.cluster) {
            return Err(ConfigError::new("cluster", "expected letters, digits, dashes and dots"));
        }
        let namespaces: Vec<String> =
            std::iter::once(&self.namespace).chain(&self.namespaces).cloned().collect();
        for (place, namespace) in namespaces.iter().enumerate() {
            if !is_name(namespace) || namespace.contains('.') {
                let field = if place == 0 { "namespace" } else { "namespaces" };
                return Err(ConfigError::new(field, "expected a namespace's name"));
            }
        }
        Ok(Scope { cluster: self.cluster.clone(), namespaces })
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.connect_timeout.is_zero() {
            return Err(ConfigError::new("connect_timeout", "expected more than nothing"));
        }
        if self.timeout <= self.connect_timeout {
            return Err(ConfigError::new("timeout", "expected more than connect_timeout"));
        }
        let manager = &self.field_manager;
        let printable = manager.bytes().all(|byte| byte.is_ascii_graphic());
        // An effect's id is appended where an object can't carry it otherwise, and the API allows 128 characters.
        if manager.is_empty() || manager.len() > 64 || !printable {
            return Err(ConfigError::new("field_manager", "expected 1 to 64 printable characters"));
        }
        Ok(())
    }
}

#[typetag::deserialize(name = "kubernetes")]
#[async_trait]
impl AdapterConfig for K8sConfig {
    async fn build(self: Box<Self>, cx: &BuildContext) -> Result<Ports, ConfigError> {
        Ok(K8sBackend::connect(*self, &cx.base).await?.into_ports())
    }
}

fn connect_timeout() -> Duration {
    Duration::from_secs(2)
}

fn timeout() -> Duration {
    Duration::from_secs(8)
}

fn verify_within() -> Duration {
    Duration::from_secs(600)
}

fn field_manager() -> String {
    "incident-response".to_owned()
}

fn yes() -> bool {
    true
}
