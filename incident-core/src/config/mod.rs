//! From configuration to adapters: settings, the config trait, references to secrets.

mod adapter;
mod evidence;
mod hidden;
#[cfg(feature = "runtime")]
mod local;
mod secret;
#[cfg(feature = "toml")]
mod settings;

pub use adapter::{AdapterConfig, BuildContext, ConfigError, Ports};
pub use evidence::EvidenceConfig;
pub use secret::{Secret, SecretError, SecretRef};
#[cfg(feature = "toml")]
pub use settings::{
    Built, BuiltEvidence, BuiltSide, EvidenceSettings, RouteSettings, Settings, SettingsError, SideSettings,
};
