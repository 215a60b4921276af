//! The incident-response runbook as a library.

pub mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod domain;
#[cfg(feature = "runtime")]
pub mod local;
pub mod port;
pub mod postmortem;
#[cfg(feature = "runtime")]
pub mod runtime;
#[cfg(feature = "runtime")]
pub mod store;
