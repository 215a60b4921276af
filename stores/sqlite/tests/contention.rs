//! Several stores on one file, as several processes have it.
#![allow(clippy::unwrap_used, reason = "a test may panic, so what only tests use may too")]

mod common;

use std::sync::Arc;

use common::{Place, commit, incident};
use incident_core::model::id::Seq;
use incident_core::port::store::{CommitError, Query, Store};
use incident_sqlite::SqliteStore;

/// Commits through `store` until `count` commits to one incident stand, loading what others were quicker with.
async fn work(store: &SqliteStore, id: u64, count: u64, mark: &[u8]) {
    let mut made = 0;
    while made < count {
        let at = store.load(incident(id), Seq::ZERO).await.unwrap().last().map_or(0, |last| last.seq.0);
        match store.commit(incident(id), Seq(at), &commit(at, mark, b"text")).await {
            Ok(()) => made += 1,
            Err(CommitError::Conflict) => {}
            Err(error) => panic!("a commit failed: {error:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_stores_write_one_incident_without_loss() {
    let place = Place::new();
    let mut working = tokio::task::JoinSet::new();
    for mark in [b"one", b"two"] {
        let store = place.open();
        working.spawn(async move { work(&store, 1, 200, mark).await });
    }
    working.join_all().await;
    let store = place.open();
    let log = store.load(incident(1), Seq::ZERO).await.unwrap();
    assert_eq!(log.len(), 400);
    for mark in [b"one", b"two"] {
        assert_eq!(log.iter().filter(|record| record.body == mark).count(), 200);
    }
    store.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_that_create_the_file_at_once_all_get_it() {
    let place = Place::new();
    let opening = (0..8_u64).map(|n| {
        let path = place.path();
        tokio::task::spawn_blocking(move || (n, SqliteStore::open(path)))
    });
    let mut stores = Vec::new();
    for opened in opening.collect::<Vec<_>>() {
        let (n, store) = opened.await.unwrap();
        let store = store.unwrap();
        store.commit(incident(n), Seq::ZERO, &commit(0, b"body", b"text")).await.unwrap();
        stores.push(store);
    }
    assert_eq!(stores[0].list(&Query::all()).await.unwrap().rows.len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_store_does_not_starve_another() {
    let place = Place::new();
    let busy = Arc::new(place.open());
    let other = place.open();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let mut working = tokio::task::JoinSet::new();
    for id in 100..116 {
        let (busy, stop) = (Arc::clone(&busy), Arc::clone(&stop));
        working.spawn(async move {
            let mut at = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                busy.commit(incident(id), Seq(at), &commit(at, b"busy", b"text")).await.unwrap();
                at += 1;
            }
        });
    }
    work(&other, 1, 50, b"other").await;
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    working.join_all().await;
}
