//! Kubernetes for [`incident_core`]: what a person on call would do with kubectl, minus the traps.
//!
//! One `type = "kubernetes"` backend is one cluster. Its ports share one client, so one limit and one pair of deadlines
//! hold for all.
//!
//! - [`K8sMitigator`] rolls back, scales, restarts, evicts, sets resources and environment, and routes traffic away: planned
//!   with the server's dry run, refused where GitOps or an autoscaler would fight it, held to what was seen, with a way back.
//! - [`K8sProbe`] says whether workloads, endpoints and logs are well; unknown is an answer.
//! - [`K8sCollector`] takes down pods, events, logs of all revisions and recent changes, bounded and without secrets.
//!
//! # In code, around a client of your own
//! ```
//! use incident_k8s::{K8sBackend, K8sConfig, ProbeConfig, Ready};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let mut client = kube::Config::new("http://127.0.0.1:8001".parse()?); // or Config::infer().await?
//! client.default_retry = false; // the engine retries, and looks before it does
//! let mut config = K8sConfig::new("prod", "shop");
//! config.probes.insert("pods-ready".to_owned(), ProbeConfig::Ready(Ready::new("deployment/checkout")));
//! let ports = K8sBackend::with_client(config, kube::Client::try_from(client)?)?.into_ports();
//! assert!(ports.mitigator.is_some() && ports.probes.contains_key("pods-ready"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Guarantees
//! - A write is sent once, names the effect it is for, and is held to the version that was read just before it. It is
//!   sent again only after an answer that proves that it had no effect: a 401 for a plugin's credentials, or an apply that
//!   conflicts with a field that this adapter itself patched.
//! - Each call has a deadline that ends before the engine's own. At most 16 MiB of an answer are read.
//! - Objects are plain JSON and only what changes is patched, so fields that this crate doesn't know survive.
//! - Nothing outside the configured namespaces of the configured cluster is touched, whatever a target says.
//! - No token, no value of a secret and nothing of the server's own words is in an error or a `Debug` output.
//!
//! # Caveats
//! A rollback brings back the pod template alone. Whether a change helped is for the probes to say.

mod access;
mod backend;
mod budget;
mod catalogue;
mod client;
mod collector;
mod config;
mod diff;
mod error;
mod history;
mod merge;
mod mitigator;
mod object;
mod ownership;
mod pods;
mod probe;
mod radius;
mod request;
mod rollout;
mod step;
mod target;
mod template;

#[cfg(test)]
mod facts;
#[cfg(test)]
mod hostile;
#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;

pub use backend::K8sBackend;
pub use collector::K8sCollector;
pub use config::{
    ErrorLines, EvidenceConfig, ExecConfig, FeatureConfig, K8sConfig, ProbeConfig, Ready, Restarts,
    RouteConfig, ScaleLimits,
};
pub use mitigator::K8sMitigator;
pub use probe::K8sProbe;

/// Keeps this crate in the program, so that `type = "kubernetes"` is known to the settings.
///
/// A crate that is only a dependency and never named in code is dropped by the linker, and its configuration type with
/// it. Calling this, or `use incident_k8s as _;`, prevents that.
pub fn register() {}
