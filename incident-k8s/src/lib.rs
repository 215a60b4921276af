//! Kubernetes for [`incident_core`]: what a person on call would do with kubectl, minus the traps.

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
