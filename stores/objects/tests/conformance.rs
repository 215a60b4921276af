//! The store keeps every promise of the port: in memory, in a folder, and over the wire to something that speaks like S3.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test fails by panicking")]

#[cfg(feature = "s3")]
mod s3;

use std::sync::Arc;

use async_trait::async_trait;
use incident_core::conformance::evidence::{self, EvidenceHarness, LARGEST};
use incident_core::model::id::Digest;
use incident_core::port::EvidenceStore;
use incident_object_store::ObjectEvidence;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};

struct Objects(
    Arc<dyn ObjectStore>,
    #[allow(dead_code, reason = "the folder lasts as long as the objects in it")] Option<tempfile::TempDir>,
);

#[async_trait]
impl EvidenceHarness for Objects {
    async fn evidence(&self) -> Arc<dyn EvidenceStore> {
        Arc::new(ObjectEvidence::new(Arc::clone(&self.0), "a/b").unwrap().largest(LARGEST))
    }

    async fn damage(&self, digest: Digest, bytes: &[u8]) {
        let name = digest.to_string();
        let path = Path::from(format!("a/b/{}/{}", &name[..2], &name[2..]));
        self.0.put(&path, bytes.to_vec().into()).await.unwrap();
    }
}

#[tokio::test]
async fn in_memory() {
    evidence::check(|| Objects(Arc::new(InMemory::new()), None)).await.assert();
}

#[tokio::test]
async fn in_a_folder() {
    let make = || {
        let folder = tempfile::tempdir().unwrap();
        Objects(Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap()), Some(folder))
    };
    evidence::check(make).await.assert();
}

#[cfg(feature = "s3")]
#[tokio::test]
async fn over_the_wire() {
    struct OverTheWire(tokio::sync::OnceCell<s3::S3>);

    #[async_trait]
    impl EvidenceHarness for OverTheWire {
        async fn evidence(&self) -> Arc<dyn EvidenceStore> {
            let s3 = self.0.get_or_init(s3::S3::start).await;
            let mut config = s3.config();
            config.largest = Some(LARGEST);
            config.into_evidence().unwrap()
        }

        async fn damage(&self, digest: Digest, bytes: &[u8]) {
            self.0.get().unwrap().damage(digest, bytes);
        }
    }

    evidence::check(|| OverTheWire(tokio::sync::OnceCell::new())).await.assert();
}
