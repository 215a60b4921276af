//! The incident-response runbook as a library.
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod domain;
pub mod port;
#[cfg(feature = "runtime")]
pub mod store;
