//! From configuration to adapters: settings, the config trait, references to secrets.

mod adapter;
mod secret;

pub use adapter::{AdapterConfig, BuildContext, ConfigError, Ports};
pub use secret::{Secret, SecretError, SecretRef};
