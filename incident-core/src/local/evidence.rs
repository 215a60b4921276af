//! Evidence in a folder, by the digest of its bytes.

use std::io;
use std::path::PathBuf;

use async_trait::async_trait;

use super::file::{lock, replace, sync_folder};
use crate::model::id::Digest;
use crate::port::EvidenceStore;
use crate::port::store::{StoreError, StoreTrouble};

/// Keeps each piece of evidence as one file: the one with the SHA-256 `abcdef…` is `ab/cdef…`, and any tool can check it.
///
/// Several processes may share the folder.
#[derive(Debug, Clone)]
pub struct FolderEvidence {
    folder: PathBuf,
    largest: usize,
}

impl FolderEvidence {
    /// Evidence in `folder`, which is created when the first piece comes; pieces of up to 64 MiB.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), largest: 64 * 1024 * 1024 }
    }

    /// With pieces of up to so many bytes; a larger one is refused.
    #[must_use]
    pub fn largest(mut self, bytes: usize) -> Self {
        self.largest = bytes;
        self
    }

    fn path(&self, digest: Digest) -> PathBuf {
        let name = digest.to_string();
        let (shelf, rest) = name.split_at(2);
        self.folder.join(shelf).join(rest)
    }
}

#[async_trait]
impl EvidenceStore for FolderEvidence {
    async fn put(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        if bytes.len() > self.largest {
            return Err(StoreError::new(StoreTrouble::TooLarge, "keep evidence"));
        }
        let digest = Digest::sha256(bytes);
        let (folder, path, bytes) = (self.folder.clone(), self.path(digest), bytes.to_vec());
        blocking("keep evidence", move || {
            let _lock = lock(&folder)?;
            // A piece that was damaged is mended.
            if std::fs::read(&path).is_ok_and(|kept| kept == bytes) {
                return Ok(());
            }
            std::fs::create_dir_all(path.parent().unwrap_or(&folder))?;
            sync_folder(&folder)?;
            replace(&path, &bytes)
        })
        .await?;
        Ok(digest)
    }

    async fn get(&self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path(digest);
        let bytes = blocking("read evidence", move || match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await?;
        match bytes {
            Some(bytes) if Digest::sha256(&bytes) != digest => {
                Err(StoreError::new(StoreTrouble::Corrupt, "read evidence"))
            }
            bytes => Ok(bytes),
        }
    }
}

async fn blocking<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done
            .map_err(|error| StoreError::new(StoreTrouble::of_io(error.kind()), operation).caused_by(error)),
        Err(error) => Err(StoreError::new(StoreTrouble::Unavailable, operation).caused_by(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_come_back_or_are_reported_as_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let evidence = FolderEvidence::new(folder.path()).largest(100);
        let digest = evidence.put(b"log").await.unwrap();
        assert_eq!(digest, evidence.put(b"log").await.unwrap());
        assert_eq!(evidence.get(digest).await.unwrap().as_deref(), Some(&b"log"[..]));
        assert_eq!(evidence.get(Digest::sha256(b"other")).await.unwrap(), None);

        std::fs::write(evidence.path(digest), b"forged").unwrap();
        assert_eq!(evidence.get(digest).await.unwrap_err().kind, StoreTrouble::Corrupt);
        evidence.put(b"log").await.unwrap();
        assert_eq!(evidence.get(digest).await.unwrap().as_deref(), Some(&b"log"[..]));
        assert_eq!(evidence.put(&[0; 101]).await.unwrap_err().kind, StoreTrouble::TooLarge);
    }

    #[tokio::test]
    async fn a_file_is_where_any_tool_looks_for_it_and_a_crashs_leftover_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let evidence = FolderEvidence::new(folder.path());
        let path = folder.path().join("ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        std::fs::create_dir(folder.path().join("ba")).unwrap();
        std::fs::write(path.with_extension("part"), b"more than there will be").unwrap();
        evidence.put(b"abc").await.unwrap();
        assert_eq!(std::fs::read(path).unwrap(), b"abc");
    }

    #[test]
    fn what_the_file_system_says_is_temporary_or_names_the_remedy() {
        use io::ErrorKind;
        for (kind, trouble, remedy) in [
            (ErrorKind::StorageFull, StoreTrouble::Full, "free some space"),
            (ErrorKind::QuotaExceeded, StoreTrouble::Full, "free some space"),
            (ErrorKind::FileTooLarge, StoreTrouble::TooLarge, "send less"),
            (
                ErrorKind::PermissionDenied,
                StoreTrouble::Denied,
                "check the user, the password and the permissions",
            ),
            (ErrorKind::ReadOnlyFilesystem, StoreTrouble::Denied, "permissions"),
            (ErrorKind::NotFound, StoreTrouble::Missing, "check the path or the address"),
            (ErrorKind::NotADirectory, StoreTrouble::Foreign, "check the address"),
            (ErrorKind::IsADirectory, StoreTrouble::Foreign, "check the address"),
            (ErrorKind::InvalidFilename, StoreTrouble::Foreign, "check the address"),
            (ErrorKind::InvalidInput, StoreTrouble::Foreign, "check the address"),
            (ErrorKind::Interrupted, StoreTrouble::Unavailable, "safe to try again"),
            (ErrorKind::TimedOut, StoreTrouble::Unavailable, "safe to try again"),
            (ErrorKind::ResourceBusy, StoreTrouble::Unavailable, "safe to try again"),
        ] {
            let of_io = StoreTrouble::of_io(kind);
            assert_eq!(of_io, trouble, "{kind:?}");
            assert_eq!(of_io.is_transient(), trouble == StoreTrouble::Unavailable, "{kind:?}");
            assert!(of_io.to_string().contains(remedy), "{kind:?}: {of_io}");
        }
    }

    #[tokio::test]
    async fn a_file_where_the_folder_should_be_is_not_called_busy() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = FolderEvidence::new(file.path().join("evidence")).put(b"log").await.unwrap_err();
        assert!(!error.kind.is_transient(), "{error:?}");
    }

    #[tokio::test]
    async fn the_same_bytes_may_be_kept_many_times_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let evidence = FolderEvidence::new(folder.path());
        let puts = futures_util::future::join_all((0..20).map(|_| evidence.put(b"log"))).await;
        assert!(puts.iter().all(Result::is_ok), "{puts:?}");
    }
}
