//! The evidence store: an object for each piece, named by the digest of its bytes.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use incident_core::model::id::Digest;
use incident_core::port::EvidenceStore;
use incident_core::port::store::{StoreError, StoreTrouble};
use object_store::path::Path;
use object_store::{Error, GetOptions, ObjectStore, PutMode, PutPayload};
use tokio::time::timeout;

use crate::error::{failed, is_not_implemented, late};

const PUT: &str = "keep evidence";
const GET: &str = "read evidence";

/// How often a write is repeated whose answer was lost.
const TRIES: u32 = 3;

/// Keeps each piece of evidence as one object: the one with the SHA-256 `abcdef…` is `<prefix>/ab/cdef…`.
///
/// Any number of processes may share it.
#[derive(Clone)]
pub struct ObjectEvidence {
    objects: Arc<dyn ObjectStore>,
    prefix: Path,
    largest: usize,
    deadline: Duration,
}

impl ObjectEvidence {
    /// Evidence below `prefix`, which may be empty; pieces of up to 64 MiB, a minute for each call.
    ///
    /// # Errors
    /// [`PrefixError`] if `prefix` can't be part of an object's name.
    pub fn new(objects: Arc<dyn ObjectStore>, prefix: &str) -> Result<Self, PrefixError> {
        let prefix = Path::parse(prefix.trim_end_matches('/')).map_err(|_| PrefixError)?;
        Ok(Self { objects, prefix, largest: 64 * 1024 * 1024, deadline: Duration::from_secs(60) })
    }

    /// With pieces of up to so many bytes; a larger one is refused.
    #[must_use]
    pub fn largest(mut self, bytes: usize) -> Self {
        self.largest = bytes;
        self
    }

    /// With so much time for one call, with all that it repeats.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    fn path(&self, digest: Digest) -> Path {
        let name = digest.to_string();
        let (shelf, rest) = name.split_at(2);
        self.prefix.clone().join(shelf).join(rest)
    }

    async fn within<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        timeout(self.deadline, work).await.unwrap_or_else(|_| Err(late(operation)))
    }

    /// Writes a piece unless there is one, again if the answer was lost: the second time shows what the first one did.
    async fn keep(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let mut tried = 0;
        loop {
            tried += 1;
            match self.write(path, bytes, PutMode::Create).await {
                Ok(()) => return Ok(()),
                Err(Error::AlreadyExists { .. }) => return self.mend(path, bytes).await,
                // Not every store that speaks like S3 can do that. To overwrite a piece with itself changes nothing.
                Err(error) if is_not_implemented(&error) => return self.overwrite(path, bytes).await,
                Err(error) => {
                    let error = failed(PUT, &error);
                    if error.kind != StoreTrouble::Unavailable || tried == TRIES {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Replaces a piece that isn't what its name says.
    async fn mend(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        match self.read(path).await {
            Ok(Some(kept)) if kept == bytes => Ok(()),
            Ok(_) => self.overwrite(path, bytes).await,
            Err(error) if error.kind == StoreTrouble::TooLarge => self.overwrite(path, bytes).await,
            Err(error) => Err(error),
        }
    }

    async fn overwrite(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        self.write(path, bytes, PutMode::Overwrite).await.map_err(|error| failed(PUT, &error))
    }

    async fn write(&self, path: &Path, bytes: &[u8], mode: PutMode) -> Result<(), Error> {
        self.objects.put_opts(path, PutPayload::from(bytes.to_vec()), mode.into()).await.map(|_| ())
    }

    /// Reads an object until it ends or is larger than any piece; what the store claims of its size reserves nothing.
    async fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
        let found = match self.objects.get_opts(path, GetOptions::default()).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(GET, &error)),
        };
        let mut bytes = Vec::new();
        let mut chunks = found.into_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| failed(GET, &error))?;
            if bytes.len() + chunk.len() > self.largest {
                return Err(StoreError::new(StoreTrouble::TooLarge, GET));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Some(bytes))
    }
}

#[async_trait]
impl EvidenceStore for ObjectEvidence {
    async fn put(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        if bytes.len() > self.largest {
            return Err(StoreError::new(StoreTrouble::TooLarge, PUT));
        }
        let digest = Digest::sha256(bytes);
        self.within(PUT, self.keep(&self.path(digest), bytes)).await?;
        Ok(digest)
    }

    async fn get(&self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        match self.within(GET, self.read(&self.path(digest))).await? {
            Some(bytes) if Digest::sha256(&bytes) != digest => {
                Err(StoreError::new(StoreTrouble::Corrupt, GET))
            }
            bytes => Ok(bytes),
        }
    }
}

impl fmt::Debug for ObjectEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The store's own Debug output isn't ours to vouch for.
        f.debug_struct("ObjectEvidence")
            .field("prefix", &self.prefix.as_ref())
            .field("largest", &self.largest)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// A prefix that can't be part of an object's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected parts of a path with / between them, none of them empty, `.` or `..`")]
pub struct PrefixError;
