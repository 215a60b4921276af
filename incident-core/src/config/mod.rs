//! From configuration to adapters: settings, the config trait, references to secrets.

mod adapter;
#[cfg(feature = "runtime")]
mod local;
mod secret;
mod settings;

pub use adapter::{AdapterConfig, BuildContext, ConfigError, Ports};
pub use secret::{Secret, SecretError, SecretRef};
pub use settings::{Built, BuiltSide, RouteSettings, Settings, SettingsError, SideSettings};
