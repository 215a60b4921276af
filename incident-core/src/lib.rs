//! The incident-response runbook as a library.
pub mod domain;
pub mod port;
