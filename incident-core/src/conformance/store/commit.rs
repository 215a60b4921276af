//! Versions, and all or nothing.

use super::StoreHarness;
use super::kit::{
    Adapt as _, NOW, Outcome, commit, commit_of, ensure, held, holder, incident, ms, record, refresh,
    refused, same, snapshot,
};
use crate::model::effect::Urgency;
use crate::model::id::Seq;
use crate::port::store::{CommitError, IndexRow, Query};

pub(super) async fn a_log_begins_at_one(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    for first in [0, 2, u64::MAX] {
        let mut wrong = commit(0);
        wrong.records[0].seq = Seq(first);
        let result = store.commit(incident(1), Seq::ZERO, &wrong).await;
        refused!(result, CommitError::Invalid(_), "a log that begins at {first}");
    }
    let result = store.commit(incident(1), Seq::ZERO, &refresh(0)).await;
    refused!(result, CommitError::Invalid(_), "an incident without a record");
    let rows = store.list(&Query::all()).await?.rows;
    same("rows after refused commits", &rows, &Vec::new())
}

pub(super) async fn a_log_has_no_gaps(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    store.commit(incident(1), Seq::ZERO, &commit(0)).await?;
    let before = snapshot(&*store, &[]).await?;
    for wrong in [&[1][..], &[3], &[2, 2], &[2, 4], &[3, 2], &[2, 3, 5], &[u64::MAX]] {
        let mut gap = commit_of(1, wrong.iter().map(|seq| record("gap", *seq)).collect());
        gap.index.version = Seq(*wrong.last().expect("no list is empty"));
        let result = store.commit(incident(1), Seq(1), &gap).await;
        refused!(result, CommitError::Invalid(_), "the sequences {wrong:?} at version 1");
    }
    same("the store after refused commits", &snapshot(&*store, &[]).await?, &before)
}

pub(super) async fn a_row_is_of_the_version_it_leads_to(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    store.commit(incident(1), Seq::ZERO, &commit(0)).await?;
    let before = snapshot(&*store, &[]).await?;
    for version in [0, 1, 3] {
        let mut wrong = commit(1);
        wrong.index.version = Seq(version);
        let result = store.commit(incident(1), Seq(1), &wrong).await;
        refused!(result, CommitError::Invalid(_), "a row of version {version} with the record 2");
    }
    same("the store after refused commits", &snapshot(&*store, &[]).await?, &before)
}

pub(super) async fn a_commit_elsewhere_conflicts(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    let two = commit_of(0, vec![record("log", 1), record("log", 2)]).keyed(&[held("old")]).waking(5);
    store.commit(incident(1), Seq::ZERO, &two).await?;
    let before = snapshot(&*store, &["old", "new"]).await?;
    for at in [0, 1, 3, 1 << 40, u64::MAX - 1] {
        let wrong = commit(at).keyed(&[held("new")]).waking(1);
        let result = store.commit(incident(1), Seq(at), &wrong).await;
        refused!(result, CommitError::Conflict, "a commit at {at} to an incident at 2");
    }
    for at in [1, 1 << 63, u64::MAX - 1] {
        let result = store.commit(incident(2), Seq(at), &commit(at)).await;
        refused!(result, CommitError::Conflict, "a commit at {at} to an unknown incident");
    }
    let result = store.commit(incident(2), Seq(3), &refresh(3)).await;
    refused!(result, CommitError::Conflict, "refreshing an unknown incident");
    let result = store.commit(incident(1), Seq(1), &refresh(1)).await;
    refused!(result, CommitError::Conflict, "refreshing at an old version");
    same("the store after refused commits", &snapshot(&*store, &["old", "new"]).await?, &before)
}

pub(super) async fn an_incident_is_created_once(harness: &dyn StoreHarness) -> Outcome {
    let (store, other) = (harness.open().await, harness.open().await);
    store.commit(incident(1), Seq::ZERO, &commit(0)).await?;
    let before = snapshot(&*store, &[]).await?;
    let again = commit_of(0, vec![record("again", 1)]);
    let result = other.commit(incident(1), Seq::ZERO, &again).await;
    refused!(result, CommitError::Conflict, "creating an incident that exists");
    same("the store after the second creation", &snapshot(&*store, &[]).await?, &before)
}

pub(super) async fn a_repeated_commit_stands_once(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    let keyed = commit(0).keyed(&[held("key")]);
    store.commit(incident(1), Seq::ZERO, &keyed).await?;
    let result = store.commit(incident(1), Seq::ZERO, &keyed).await;
    refused!(result, CommitError::Conflict, "the same commit again");
    same("the log", &store.load(incident(1), Seq::ZERO).await?, &vec![record("log", 1)])
}

pub(super) async fn log_and_row_change_together(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    store.commit(incident(1), Seq::ZERO, &commit(0).waking(7).keyed(&[held("a")])).await?;
    let records = vec![record("log", 2), record("log", 3)];
    let mut next = commit_of(1, records).waking(9).urgent(Urgency::PAGE).keyed(&[held("b")]);
    next.index.summary = b"{}".to_vec();
    store.commit(incident(1), Seq(1), &next).await?;

    let log: Vec<_> = (1..=3).map(|seq| record("log", seq)).collect();
    same("the log", &store.load(incident(1), Seq::ZERO).await?, &log)?;
    let rows = store.list(&Query::all()).await?.rows;
    same("the row", &rows, &vec![IndexRow::new(incident(1), next.index)])?;
    same("the next wake", &store.next_wake().await?, &Some(ms(9)))?;
    same("the holder of a key no longer named", &holder(&*store, "a", NOW).await?, &None)?;
    same("the holder of the new key", &holder(&*store, "b", NOW).await?, &Some(incident(1)))
}

pub(super) async fn a_commit_without_records_refreshes_the_row(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    store.commit(incident(1), Seq::ZERO, &commit(0).waking(7)).await?;
    let mut fresh = refresh(1).waking(9).urgent(Urgency::ACTION).keyed(&[held("key")]);
    fresh.index.summary = b"refreshed".to_vec();
    store.commit(incident(1), Seq(1), &fresh).await?;

    same("the log", &store.load(incident(1), Seq::ZERO).await?, &vec![record("log", 1)])?;
    let rows = store.list(&Query::all()).await?.rows;
    same("the row", &rows, &vec![IndexRow::new(incident(1), fresh.index)])?;
    same("the holder", &holder(&*store, "key", NOW).await?, &Some(incident(1)))?;
    // A refresh leaves the version where it was, so the log goes on from there.
    store.commit(incident(1), Seq(1), &commit(1)).await?;
    Ok(())
}

pub(super) async fn incidents_are_apart(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    for n in [3, 1, 2] {
        let first = commit_of(0, vec![record(&format!("log {n}"), 1)]);
        store.commit(incident(n), Seq::ZERO, &first).await?;
    }
    let second = commit_of(1, vec![record("log 2", 2)]).redacting(1, 0);
    store.commit(incident(2), Seq(1), &second).await?;
    for n in [1, 3] {
        let log = store.load(incident(n), Seq::ZERO).await?;
        same(&format!("the log of incident {n}"), &log, &vec![record(&format!("log {n}"), 1)])?;
    }
    Ok(())
}

pub(super) async fn refusals_come_in_order(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    store.commit(incident(1), Seq::ZERO, &commit(0).keyed(&[held("key")])).await?;
    store.commit(incident(2), Seq::ZERO, &commit(0).by(9)).await?;

    let mut invalid = commit(5).keyed(&[held("key")]).by(1);
    invalid.index.version = Seq(1);
    let result = store.commit(incident(2), Seq(5), &invalid).await;
    refused!(result, CommitError::Invalid(_), "an invalid commit elsewhere");
    let result = store.commit(incident(2), Seq(5), &commit(5).keyed(&[held("key")]).by(1)).await;
    refused!(result, CommitError::Conflict, "a commit elsewhere by an older fold, naming a taken key");
    let result = store.commit(incident(2), Seq(1), &commit(1).keyed(&[held("key")]).by(1)).await;
    refused!(result, CommitError::NewerFold { by: 9 }, "a commit by an older fold, naming a taken key");
    let result = store.commit(incident(2), Seq(1), &commit(1).keyed(&[held("key")]).by(9)).await;
    refused!(result, CommitError::KeyTaken { .. }, "a commit naming a taken key");
    Ok(())
}

pub(super) async fn a_new_handle_finds_everything(harness: &dyn StoreHarness) -> Outcome {
    let first = harness.open().await;
    let second = harness.open().await;
    first.commit(incident(1), Seq::ZERO, &commit(0).keyed(&[held("key")]).waking(3)).await?;
    let seen = snapshot(&*second, &["key"]).await?;
    same("what two handles show", &seen, &snapshot(&*first, &["key"]).await?)?;
    second.commit(incident(1), Seq(1), &commit(1).keyed(&[held("key")]).waking(4)).await?;
    let seen = snapshot(&*first, &["key"]).await?;
    drop((first, second));
    let third = harness.open().await;
    same("what a later handle shows", &snapshot(&*third, &["key"]).await?, &seen)?;
    let log = third.load(incident(1), Seq::ZERO).await?;
    ensure!(log.len() == 2, "a later handle finds {} of 2 acknowledged records", log.len());
    Ok(())
}
