//! Plain HTTP for [`incident_core`]: health checks as probes, declared calls as mitigations, signed webhooks as notices.
//!
//! One `type = "http"` backend is one service with one base URL. Its ports share one client, so a bounded number of
//! connections and one pair of deadlines hold for all of them.
//!
//! - [`HttpProbe`] asks a health endpoint and compares status, latency and JSON fields.
//! - [`HttpMitigator`] switches features, clears caches and makes other calls that the configuration declares.
//! - [`WebhookNotifier`] posts notices as JSON, signed with HMAC-SHA256; a receiver checks them with
//!   [`verify_signature`].
//!
//! # In code, without a configuration file
//! ```
//! use incident_http::{HttpBackend, HttpConfig, ProbeConfig};
//!
//! let mut config = HttpConfig::new("http://checkout.internal:8080");
//! config.probes.insert("health".to_owned(), ProbeConfig::new("/health"));
//! let ports = HttpBackend::new(config)?.into_ports();
//! assert!(ports.probes.contains_key("health"));
//! # Ok::<(), incident_core::config::ConfigError>(())
//! ```
//!
//! # Guarantees
//! - A write is sent once. Nothing is retried, no redirect is followed, no proxy is taken from the environment.
//! - Each call has a connect deadline and a total one, which ends before the engine's own.
//! - At most 256 KiB of an answer are read, and at most 32 connections are open at once.
//! - No secret, no URL and no part of an answer's text is in an error or a `Debug` output.
//!
//! # What it is not
//! It isn't a client for chat tools: their incoming webhooks want their own shape and their own escaping.

mod action;
mod backend;
mod budget;
mod catalogue;
mod client;
mod compare;
mod config;
mod connections;
mod error;
mod mitigator;
mod notifier;
mod payload;
mod probe;
mod request;
mod secret;
mod signature;
mod state;
mod step;

#[cfg(test)]
#[path = "../tests/fake/mod.rs"]
mod fake;

pub use backend::HttpBackend;
pub use config::{
    CacheConfig, CallConfig, Comparison, CustomConfig, FeatureConfig, HttpConfig, MitigationsConfig, Op,
    ProbeConfig, ReadConfig, VerifyConfig, WebhookConfig,
};
pub use mitigator::HttpMitigator;
pub use notifier::{SIGNATURE_HEADER, WebhookNotifier};
pub use probe::HttpProbe;
pub use secret::{SecretValue, TextOrSecret};
pub use signature::{SignatureError, verify_signature};

/// Keeps this crate in the program, so that `type = "http"` is known to the settings.
///
/// A crate that is only a dependency and never named in code is dropped by the linker, and its configuration type with
/// it. Calling this, or `use incident_http as _;`, prevents that.
pub fn register() {}
