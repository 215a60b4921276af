//! The incident-response runbook as a library.
pub mod domain;
