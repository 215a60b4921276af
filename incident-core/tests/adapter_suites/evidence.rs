//! The evidence folder keeps the promises, and stores that don't are caught.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use incident_core::conformance::evidence::{self, EvidenceHarness, LARGEST};
use incident_core::local::FolderEvidence;
use incident_core::model::id::Digest;
use incident_core::port::EvidenceStore;
use incident_core::port::store::{StoreError, StoreTrouble};

use crate::caught;

struct InAFolder(tempfile::TempDir);

#[async_trait]
impl EvidenceHarness for InAFolder {
    async fn evidence(&self) -> Arc<dyn EvidenceStore> {
        Arc::new(FolderEvidence::new(self.0.path()).largest(LARGEST))
    }

    async fn damage(&self, digest: Digest, bytes: &[u8]) {
        let name = digest.to_string();
        std::fs::write(self.0.path().join(&name[..2]).join(&name[2..]), bytes).unwrap();
    }
}

#[tokio::test]
async fn the_evidence_folder_keeps_every_promise() {
    evidence::check(|| InAFolder(tempfile::tempdir().unwrap())).await.assert();
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Wrong {
    NamesByLength,
    InventsEvidence,
    AppendsEachTime,
    BelievesWhatItReads,
    TrustsWhatIsThere,
    TakesAnySize,
}

/// What lies in a place, by its name.
type Pieces = Arc<Mutex<BTreeMap<Digest, Vec<u8>>>>;

#[derive(Debug, Clone)]
struct Careless(Wrong, Pieces);

#[async_trait]
impl EvidenceStore for Careless {
    async fn put(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        if bytes.len() > LARGEST && self.0 != Wrong::TakesAnySize {
            return Err(StoreError::new(StoreTrouble::TooLarge, "keep"));
        }
        let digest = match self.0 {
            Wrong::NamesByLength => Digest::sha256(&bytes.len().to_be_bytes()),
            _ => Digest::sha256(bytes),
        };
        let mut pieces = self.1.lock().unwrap();
        match self.0 {
            Wrong::AppendsEachTime => pieces.entry(digest).or_default().extend_from_slice(bytes),
            Wrong::TrustsWhatIsThere => drop(pieces.entry(digest).or_insert_with(|| bytes.to_vec())),
            _ => drop(pieces.insert(digest, bytes.to_vec())),
        }
        Ok(digest)
    }

    async fn get(&self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let piece = self.1.lock().unwrap().get(&digest).cloned();
        match piece {
            None if self.0 == Wrong::InventsEvidence => Ok(Some(Vec::new())),
            Some(bytes) if Digest::sha256(&bytes) != digest && self.0 == Wrong::TrustsWhatIsThere => {
                Err(StoreError::new(StoreTrouble::Corrupt, "read"))
            }
            piece => Ok(piece),
        }
    }
}

#[async_trait]
impl EvidenceHarness for Careless {
    async fn evidence(&self) -> Arc<dyn EvidenceStore> {
        Arc::new(self.clone())
    }

    async fn damage(&self, digest: Digest, bytes: &[u8]) {
        self.1.lock().unwrap().insert(digest, bytes.to_vec());
    }
}

#[tokio::test]
async fn each_wrong_evidence_store_is_caught_and_its_defect_named() {
    for (wrong, case, names) in [
        (Wrong::NamesByLength, "bytes_come_back_as_they_were", "0 bytes are kept under"),
        (Wrong::InventsEvidence, "what_is_not_there_is_none", "an empty place has something"),
        (Wrong::AppendsEachTime, "keeping_it_again_changes_nothing", "what was kept eight times"),
        (Wrong::BelievesWhatItReads, "damage_is_an_error", "damaged evidence reads as Ok(Some("),
        (Wrong::TrustsWhatIsThere, "damage_is_mended", "Corrupt"),
        (Wrong::TakesAnySize, "what_is_too_large_is_refused", "4097 bytes where 4096 may be"),
    ] {
        let report = evidence::check(|| Careless(wrong, Arc::default())).await;
        caught(&report, wrong, case, names);
    }
}
