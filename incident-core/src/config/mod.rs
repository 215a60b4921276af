//! From configuration to adapters: settings, the config trait, references to secrets.

mod adapter;
mod evidence;
#[cfg(feature = "runtime")]
mod local;
mod secret;
mod settings;

pub use adapter::{AdapterConfig, BuildContext, ConfigError, Ports};
pub use evidence::{BuiltEvidence, EvidenceConfig, EvidenceSettings};
pub use secret::{Secret, SecretError, SecretRef};
pub use settings::{Built, BuiltSide, RouteSettings, Settings, SettingsError, SideSettings};
