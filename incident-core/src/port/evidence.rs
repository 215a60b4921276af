//! The port to where evidence is kept.

use std::fmt;

use async_trait::async_trait;

use crate::model::id::Digest;
use crate::port::store::StoreError;

/// Keeps evidence by the digest of its bytes.
#[async_trait]
pub trait EvidenceStore: fmt::Debug + Send + Sync + 'static {
    /// Keeps `bytes`, which are redacted already.
    ///
    /// # Behaviour
    /// - Returns the SHA-256 of the bytes; keeping the same bytes again changes nothing.
    /// - Durable before it returns.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn put(&self, bytes: &[u8]) -> Result<Digest, StoreError>;

    /// Reads bytes back.
    ///
    /// # Behaviour
    /// - None if there are none of that digest; bytes that no longer match their digest are an error.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn get(&self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError>;
}
