//! Getting a client from a kubeconfig or from inside the cluster.

use std::path::Path;

use incident_core::config::ConfigError;
use kube::config::{KubeConfigOptions, Kubeconfig};

pub(crate) use super::credentials::Connection;
use crate::config::K8sConfig;

/// A connection to the cluster that `config` names. Reads files, connects to nothing, and runs no plugin.
///
/// # Errors
/// [`ConfigError`], naming the field and no content of the kubeconfig.
pub(crate) async fn connect(config: &K8sConfig, base: &Path) -> Result<Connection, ConfigError> {
    let mut found = match (&config.context, config.in_cluster) {
        (Some(context), false) => from_kubeconfig(config, context, base).await?,
        (None, true) => kube::Config::incluster()
            .map_err(|error| wrong("in_cluster", "this doesn't run inside a cluster", error))?,
        _ => {
            let problem = "expected either a context of the kubeconfig or in_cluster = true";
            return Err(ConfigError::new("context", problem));
        }
    };
    found.default_retry = false;
    found.connect_timeout = Some(config.connect_timeout);
    found.read_timeout = Some(config.timeout);
    found.write_timeout = Some(config.timeout);
    // Otherwise the time that a connection was idle counts as time to answer.
    found.reset_reader_on_write = true;
    install_ring_if_none();
    // What kube says of a key or a proxy that it can't use may quote it.
    Connection::by(found).map_err(|_| {
        ConfigError::new("context", "no client can be built for it: check certificates and proxy")
    })
}

async fn from_kubeconfig(
    config: &K8sConfig,
    context: &str,
    base: &Path,
) -> Result<kube::Config, ConfigError> {
    let file = match &config.kubeconfig {
        Some(path) => Kubeconfig::read_from(base.join(path)),
        None => Kubeconfig::read(),
    };
    // A parse error shows the lines around it, and these may hold a token.
    let file =
        file.map_err(|_| ConfigError::new("kubeconfig", "it can't be read; expected a kubeconfig in YAML"))?;
    let options = KubeConfigOptions { context: Some(context.to_owned()), ..KubeConfigOptions::default() };
    kube::Config::from_custom_kubeconfig(file, &options).await.map_err(|_| {
        ConfigError::new("context", "expected a context of the kubeconfig, whose cluster and files exist")
    })
}

/// A process in which several libraries bring a TLS provider has no default, and the first connection would panic.
fn install_ring_if_none() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Losing this race means that somebody else has installed one, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

fn wrong(field: &str, problem: &str, source: impl std::error::Error + Send + Sync + 'static) -> ConfigError {
    let mut error = ConfigError::new(field, problem);
    error.source = Some(Box::new(source));
    error
}
