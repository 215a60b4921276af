//! Evidence for [`incident_core`] in an object store: Amazon S3 and what speaks like it, Google Cloud Storage, Azure Blob
//! Storage, or any store that implements `object_store`'s trait.
//!
//! The piece with the SHA-256 `abcdef…` is the object `<prefix>/ab/cdef…`, as in the folder of the core, so a folder can be
//! copied into a bucket and back with any tool.
//!
//! # In code
//! ```
//! use std::sync::Arc;
//!
//! use incident_core::port::EvidenceStore as _;
//! use incident_object_store::{ObjectEvidence, object_store::memory::InMemory};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! let evidence = ObjectEvidence::new(Arc::new(InMemory::new()), "incidents/evidence")?;
//! let digest = evidence.put(b"the log of the pod").await?;
//! assert_eq!(evidence.get(digest).await?.as_deref(), Some(&b"the log of the pod"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # In the settings
//! With the feature `s3`, `gcs` or `azure`:
//! ```toml
//! [evidence]
//! type = "s3"
//! bucket = "acme-incidents"
//! prefix = "evidence"
//! region = "eu-central-1"
//! access_key_id = { env = "EVIDENCE_KEY_ID" }
//! secret_access_key = { env = "EVIDENCE_KEY" }
//! ```
//!
//! # Guarantees
//! - A piece is written only if there is none of its digest. One that is there is read and compared, and mended if it was
//!   damaged.
//! - What comes back has the digest that was asked for, or is an error.
//! - Each call, with all that it repeats, ends within one deadline.
//! - No more than the size cap is kept or read, whatever the other side claims.
//! - No secret, no URL and no part of an answer's text is in an error or a `Debug` output.
//!
//! # Why it may repeat a write
//! Adapters never repeat a write; this store does. An object's name is the digest of its bytes, so whoever writes it writes
//! the same, and a write that was repeated leaves what one write leaves.
//!
//! # What it is not
//! It lists and deletes nothing. How long evidence is kept is a rule of the bucket.

#[cfg(feature = "cloud")]
mod client;
#[cfg(feature = "cloud")]
mod config;
mod error;
mod evidence;

#[cfg(feature = "azure")]
pub use config::AzureConfig;
#[cfg(feature = "gcs")]
pub use config::GcsConfig;
#[cfg(feature = "s3")]
pub use config::S3Config;
pub use evidence::{ObjectEvidence, PrefixError};

/// The crate whose trait this store is built on, for stores that are built in code.
pub use object_store;

/// Keeps this crate in the program, so that its types are known to the settings.
///
/// A crate that is only a dependency and never named in code is dropped by the linker, and its configuration types with
/// it. Calling this, or `use incident_object_store as _;`, prevents that.
pub fn register() {}
