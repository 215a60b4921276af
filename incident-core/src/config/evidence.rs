//! Where evidence is kept, if another crate brings the store.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::adapter::{BuildContext, ConfigError};
use crate::port::EvidenceStore;

/// The configuration of a place to keep evidence, found by its `type`.
///
/// A crate implements and marks it as it does an [`AdapterConfig`](super::AdapterConfig), and what is said there of crates
/// that nobody names and of errors holds here too. The two have separate lists of types.
#[typetag::deserialize(tag = "type")]
#[async_trait]
pub trait EvidenceConfig: fmt::Debug + Send + Sync {
    /// Builds the store.
    ///
    /// # Behaviour
    /// - Reads secrets and files, and connects to nothing.
    ///
    /// # Errors
    /// [`ConfigError`], naming the field.
    async fn build(self: Box<Self>, cx: &BuildContext) -> Result<Arc<dyn EvidenceStore>, ConfigError>;
}
