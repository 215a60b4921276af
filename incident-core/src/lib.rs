//! The incident-response runbook as a library.

pub mod config;
pub mod domain;
pub mod port;
pub mod postmortem;
