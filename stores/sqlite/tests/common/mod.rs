//! Commits for the tests, and a folder to keep them in.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test may panic, so what only tests use may too")]

use std::path::PathBuf;

use incident_core::log::index::Index;
use incident_core::model::effect::Urgency;
use incident_core::model::id::{Digest, IncidentId, Seq};
use incident_core::model::time::Time;
use incident_core::port::store::{Commit, Store, StoreTrouble, StoredRecord};
use incident_sqlite::SqliteStore;
use tempfile::TempDir;

/// The `n`th incident.
pub fn incident(n: u64) -> IncidentId {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&n.to_be_bytes());
    IncidentId::from_bytes(bytes)
}

/// The one time of these tests.
pub fn now() -> Time {
    Time::UNIX_EPOCH
}

/// A commit of one record with one slot.
pub fn commit(at: u64, body: &[u8], text: &[u8]) -> Commit {
    let record = StoredRecord {
        seq: Seq(at + 1),
        body: body.to_vec(),
        slots: vec![text.to_vec()],
        chain: Digest::of(&[body]),
    };
    let row = Index::new(record.seq, Some(Time::UNIX_EPOCH), Urgency::ROUTINE);
    Commit::new(vec![record], row, Time::UNIX_EPOCH)
}

/// A folder with a store's file.
pub struct Place {
    folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("incidents.db")
    }

    pub fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.path()).unwrap()
    }

    pub fn write(&self, bytes: &[u8]) {
        std::fs::write(self.path(), bytes).unwrap();
    }

    pub fn open(&self) -> SqliteStore {
        SqliteStore::open(self.path()).unwrap()
    }

    /// Why the store can't be opened.
    pub fn trouble(&self) -> StoreTrouble {
        SqliteStore::open(self.path()).unwrap_err().kind
    }

    /// A store of `incidents` incidents of ten records each, closed.
    pub async fn filled(incidents: u64) -> Self {
        let place = Self::new();
        let store = place.open();
        for (n, at) in (0..incidents).flat_map(|n| (0..10).map(move |at| (n, at))) {
            let text = format!("text {at} of {n} ").repeat(20);
            store
                .commit(incident(n), Seq(at), &commit(at, b"{\"kind\":\"note\"}", text.as_bytes()))
                .await
                .unwrap();
        }
        place
    }
}
