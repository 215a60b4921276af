//! The suite that every store is held to.

use std::sync::Arc;

use async_trait::async_trait;
use incident_core::conformance::store::StoreHarness;
use incident_core::port::store::Store;
use incident_sqlite::SqliteStore;
use tempfile::TempDir;

/// A fresh folder; each handle is a store of its own on the same file, as in another process.
struct Folder(TempDir);

#[async_trait]
impl StoreHarness for Folder {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(self.0.path().join("incidents.db")).expect("the folder is ours"))
    }
}

incident_core::store_conformance!(|| Folder(TempDir::new().expect("the machine has a folder for us")));
