//! One cluster with all its ports, built from its configuration or around a client of the embedder's.

use std::fmt;
use std::path::Path;

use incident_core::config::{ConfigError, Ports};

use crate::catalogue::Catalogue;
use crate::client::{Cluster, Connection, connect};
use crate::collector::K8sCollector;
use crate::config::K8sConfig;
use crate::mitigator::K8sMitigator;
use crate::probe::K8sProbe;

/// The ports of one cluster. They share one client.
pub struct K8sBackend {
    cluster: Cluster,
    mitigator: Option<K8sMitigator>,
    probes: Vec<(String, K8sProbe)>,
    collector: Option<K8sCollector>,
}

impl K8sBackend {
    /// Builds what `config` declares, with a client from the kubeconfig's context or from inside the cluster. Relative
    /// paths are meant from `base`. Reads files, and connects to nothing. Needs a Tokio runtime.
    ///
    /// # Errors
    /// [`ConfigError`], naming the field.
    pub async fn connect(config: K8sConfig, base: &Path) -> Result<Self, ConfigError> {
        config.check()?;
        let client = connect(&config, base).await?;
        Self::around(config, client)
    }

    /// Builds what `config` declares around `client`, whose cluster has to be the one that `config` names.
    ///
    /// Switch the client's own retry off (`Config::default_retry = false`): it would send writes again. The deadlines of
    /// each call hold all the same.
    ///
    /// # Errors
    /// [`ConfigError`], naming the field.
    pub fn with_client(config: K8sConfig, client: kube::Client) -> Result<Self, ConfigError> {
        config.check()?;
        Self::around(config, Connection::of(client))
    }

    fn around(config: K8sConfig, client: Connection) -> Result<Self, ConfigError> {
        let scope = config.scope()?;
        let catalogue = Catalogue::new(&config, &scope)?;
        let cluster = Cluster::new(client, scope, &config);
        let mitigator = config.mitigate.then(|| K8sMitigator::new(cluster.clone(), catalogue));
        let probes = config.probes.iter();
        let probes =
            probes.map(|(name, probe)| Ok((name.clone(), K8sProbe::new(cluster.clone(), name, probe)?)));
        let probes = probes.collect::<Result<_, ConfigError>>()?;
        let evidence = config.evidence;
        let collector = evidence.map(|evidence| K8sCollector::new(cluster.clone(), evidence)).transpose()?;
        Ok(Self { cluster, mitigator, probes, collector })
    }

    /// The mitigator alone, unless the configuration says that there is none.
    #[must_use]
    pub fn into_mitigator(self) -> Option<K8sMitigator> {
        self.mitigator
    }

    /// The ports, as an engine takes them.
    #[must_use]
    pub fn into_ports(self) -> Ports {
        let mut ports = Ports::new();
        for (name, probe) in self.probes {
            ports = ports.with_probe(&name, probe);
        }
        if let Some(collector) = self.collector {
            ports = ports.with_collector(collector);
        }
        if let Some(mitigator) = self.mitigator {
            ports = ports.with_mitigator(mitigator);
        }
        ports
    }
}

impl fmt::Debug for K8sBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("K8sBackend").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}
