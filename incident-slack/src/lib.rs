//! Slack for [`incident_core`]: the room where an incident happens.
//!
//! One `type = "slack"` backend is one app in one workspace.
//!
//! - [`SlackNotifier`] says notices: in a thread, or in a channel of its own for each incident; with a first message that is
//!   always current, in order, once.
//! - [`intake`] reads what comes back – a slash command, buttons, a shortcut, reactions – as commands of the core. Pure.
//! - [`SlackBackend`] has both around one client, and answers people.
//!
//! # In code, around a client of your own
//! ```
//! use incident_core::config::SecretRef;
//! use incident_slack::{SlackBackend, SlackConfig};
//! use slack_morphism::prelude::{SlackClient, SlackClientHyperConnector};
//!
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let config = SlackConfig::new(SecretRef::Env("SLACK_BOT_TOKEN".to_owned()), "C024BE7LH");
//! let client = SlackClient::new(SlackClientHyperConnector::new()?); // yours: no rate control that retries
//! let ports = SlackBackend::with_client(&config, client)?.into_ports();
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//! - A message is posted once and looked for before it is repeated; nothing is retried here.
//! - Each call has a deadline that ends before the engine's own.
//! - What people wrote mentions nobody, formats nothing and opens no preview. Only a page mentions anybody: its recipients, and
//!   whom the configuration names.
//! - No token, no response URL and nothing of Slack's own words but its codes is in an error or a `Debug` output.
//!
//! # Caveats
//! Who may click is for the runbook to say: a Slack account counts if it is an identity of one of its persons.

mod backend;
mod blocks;
mod budget;
mod client;
mod config;
mod error;
pub mod intake;
mod lookup;
mod notifier;
mod place;
mod post;
mod preflight;
mod room;
mod settings;
#[cfg(feature = "socket-mode")]
pub mod socket;
mod standing;
mod thread;
mod throttle;
mod upload;

pub use backend::SlackBackend;
pub use config::{RoomConfig, SlackConfig};
pub use notifier::SlackNotifier;
pub use preflight::TOKEN_ACCEPTED;

/// Keeps this crate in the program, so that `type = "slack"` is known to the settings.
///
/// A crate that is only a dependency and never named in code is dropped by the linker, and its configuration type with
/// it. Calling this, or `use incident_slack as _;`, prevents that.
pub fn register() {}
