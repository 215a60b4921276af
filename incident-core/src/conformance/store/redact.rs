//! Text that is taken back.

use super::StoreHarness;
use super::kit::{
    Adapt as _, How, Outcome, commit, commit_of, held, incident, record, refresh, refused, same, snapshot,
};
use crate::model::id::Seq;
use crate::port::store::{CommitError, Store, StoredRecord};

fn texts(seq: u64) -> StoredRecord {
    let slots = vec![b"one".to_vec(), b"two".to_vec(), Vec::new(), b"four".to_vec()];
    StoredRecord { slots, ..record("log", seq) }
}

/// An incident of two records with four slots each.
async fn two_records(store: &dyn Store) -> Result<Vec<StoredRecord>, How> {
    let records = vec![texts(1), texts(2)];
    store.commit(incident(1), Seq::ZERO, &commit_of(0, records.clone())).await?;
    Ok(records)
}

pub(super) async fn named_slots_are_emptied(harness: &dyn StoreHarness) -> Outcome {
    let (store, other) = (harness.open().await, harness.open().await);
    let mut log = two_records(&*store).await?;
    store.commit(incident(1), Seq(2), &commit(2).redacting(1, 1).redacting(2, 0).redacting(2, 3)).await?;
    log[0].slots[1].clear();
    log[1].slots[0].clear();
    log[1].slots[3].clear();
    log.push(record("log", 3));
    same("the log", &store.load(incident(1), Seq::ZERO).await?, &log)?;
    store.commit(incident(1), Seq(3), &refresh(3).redacting(3, 0)).await?;
    log[2].slots[0].clear();
    same("the log after a refresh that redacts", &other.load(incident(1), Seq::ZERO).await?, &log)
}

pub(super) async fn a_commit_redacts_its_own(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    let own = commit_of(0, vec![texts(1), texts(2)]).redacting(2, 1).redacting(3, 0);
    store.commit(incident(1), Seq::ZERO, &own).await?;
    // Record 3 was missing when its slot was named, so its text is there.
    store.commit(incident(1), Seq(2), &commit(2)).await?;
    let mut log = vec![texts(1), texts(2), record("log", 3)];
    log[1].slots[1].clear();
    same("the log", &store.load(incident(1), Seq::ZERO).await?, &log)
}

pub(super) async fn redacting_nothing_is_harmless(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    let mut log = two_records(&*store).await?;
    let nothing = [(1, 2), (1, 4), (1, u32::MAX), (0, 0), (9, 0), (1 << 63, 0), (u64::MAX, u32::MAX)];
    let redacting = |at| nothing.iter().fold(commit(at), |commit, (seq, slot)| commit.redacting(*seq, *slot));
    store.commit(incident(1), Seq(2), &redacting(2)).await?;
    log.push(record("log", 3));
    same("the log", &store.load(incident(1), Seq::ZERO).await?, &log)?;
    // Twice in one commit, and again in the next.
    store.commit(incident(1), Seq(3), &commit(3).redacting(1, 0).redacting(1, 0)).await?;
    store.commit(incident(1), Seq(4), &commit(4).redacting(1, 0)).await?;
    log[0].slots[0].clear();
    log.extend([record("log", 4), record("log", 5)]);
    same("the log after redacting again", &store.load(incident(1), Seq::ZERO).await?, &log)
}

pub(super) async fn a_refused_commit_redacts_nothing(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    two_records(&*store).await?;
    store.commit(incident(2), Seq::ZERO, &commit(0).keyed(&[held("taken")])).await?;
    let before = snapshot(&*store, &["taken"]).await?;

    let result = store.commit(incident(1), Seq(1), &commit(1).redacting(1, 0)).await;
    refused!(result, CommitError::Conflict, "redacting at an old version");
    let result = store.commit(incident(1), Seq(3), &refresh(3).redacting(1, 0)).await;
    refused!(result, CommitError::Conflict, "redacting in a refresh at another version");
    let taking = commit(2).keyed(&[held("taken")]).redacting(1, 0);
    let result = store.commit(incident(1), Seq(2), &taking).await;
    refused!(result, CommitError::KeyTaken { .. }, "redacting with a taken key");
    let mut invalid = commit(2).redacting(1, 0);
    invalid.index.version = Seq(7);
    let result = store.commit(incident(1), Seq(2), &invalid).await;
    refused!(result, CommitError::Invalid(_), "redacting in an invalid commit");
    same("the store after refused commits", &snapshot(&*store, &["taken"]).await?, &before)
}
