//! What becomes of the file: reopened, damaged, somebody else's, full.

mod common;

use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Waker};

use common::{Place, commit, incident};
use futures_util::StreamExt as _;
use incident_core::model::id::Seq;
use incident_core::port::store::{CommitError, Hint, Query, Store, StoreTrouble};
use incident_sqlite::{Options, SqliteStore};
use rusqlite::Connection;

#[tokio::test]
async fn what_was_acknowledged_is_there_after_reopening() {
    let place = Place::filled(3).await;
    assert!(!place.path().with_extension("db-wal").exists(), "closing should empty the write-ahead log");
    let store = place.open();
    for n in 0..3 {
        assert_eq!(store.load(incident(n), Seq::ZERO).await.unwrap().len(), 10);
    }
    store.check().await.unwrap();
}

#[tokio::test]
async fn a_queued_commit_is_made_although_caller_and_store_are_gone() {
    let place = Place::new();
    let store = place.open();
    for n in 0..100 {
        let next = commit(0, b"body", b"text");
        let mut call = store.commit(incident(n), Seq::ZERO, &next);
        let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
    drop(store);
    let rows = place.open().list(&Query::all().limit(1_000)).await.unwrap().rows;
    assert_eq!(rows.len(), 100);
}

#[tokio::test]
async fn a_commit_wakes_a_listener() {
    let place = Place::new();
    let store = place.open();
    let mut hints = store.hints();
    store.commit(incident(7), Seq::ZERO, &commit(0, b"body", b"text")).await.unwrap();
    assert_eq!(hints.next().await, Some(Hint::new(incident(7), Seq(1))));
}

#[tokio::test]
async fn a_refused_commit_leaves_the_others_of_its_group_alone() {
    let place = Place::new();
    let store = Arc::new(place.open());
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..200 {
        let store = Arc::clone(&store);
        // Every other one is decided on a version that isn't there.
        calls.spawn(
            async move { (n, store.commit(incident(n), Seq(n % 2), &commit(n % 2, b"b", b"t")).await) },
        );
    }
    for (n, result) in calls.join_all().await {
        match result {
            Ok(()) => assert_eq!(n % 2, 0),
            Err(error) => assert!(matches!(error, CommitError::Conflict) && n % 2 == 1, "{n}: {error}"),
        }
    }
    assert_eq!(store.list(&Query::all().limit(1_000)).await.unwrap().rows.len(), 100);
}

#[tokio::test]
async fn a_truncated_file_is_damaged_and_left_as_it_is() {
    let place = Place::filled(20).await;
    let whole = place.bytes();
    for length in [1, 50, 100, 512, 4096, whole.len() / 2, whole.len() - 4096, whole.len() - 1] {
        place.write(&whole[..length]);
        let error = SqliteStore::open(place.path()).expect_err(&format!("cut to {length} bytes"));
        assert_eq!(error.kind, StoreTrouble::Corrupt, "cut to {length} bytes");
        assert_eq!(place.bytes(), &whole[..length], "cut to {length} bytes");
    }
}

#[tokio::test]
async fn garbage_is_damaged_and_left_as_it_is() {
    let place = Place::new();
    let garbage: Vec<u8> =
        (0..20_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    place.write(&garbage);
    assert_eq!(place.trouble(), StoreTrouble::Corrupt);
    assert_eq!(place.bytes(), garbage);
}

#[tokio::test]
async fn a_lost_file_with_its_log_still_there_is_damaged() {
    let place = Place::new();
    let log = place.path().with_extension("db-wal");
    std::fs::write(&log, b"what is left of a write-ahead log").unwrap();
    assert_eq!(place.trouble(), StoreTrouble::Corrupt);
    assert!(log.exists());
}

/// What a page is overwritten with.
#[derive(Debug, Clone, Copy)]
enum Fill {
    Zeros,
    Noise,
    /// A sound leaf without a row: nothing that SQLite would notice.
    Emptied,
}

impl Fill {
    fn over(self, page: &mut [u8]) {
        let kind = page[0];
        page.fill(if matches!(self, Self::Noise) { 0x5a } else { 0 });
        if matches!(self, Self::Emptied) {
            page[0] = kind;
            page[5] = 0x10;
        }
    }
}

/// Every page in turn is overwritten; whatever is read then is right or an error.
#[tokio::test]
async fn a_damaged_page_is_an_error_and_never_a_shorter_log() {
    const PAGE: usize = 4096;
    let place = Place::filled(8).await;
    let whole = place.bytes();
    let store = place.open();
    let mut expected = Vec::new();
    for n in 0..8 {
        expected.push(store.load(incident(n), Seq::ZERO).await.unwrap());
    }
    drop(store);
    let mut found = 0;
    for (page, fill) in (1..whole.len() / PAGE)
        .flat_map(|page| [Fill::Zeros, Fill::Noise, Fill::Emptied].map(|fill| (page, fill)))
    {
        let mut damaged = whole.clone();
        fill.over(&mut damaged[page * PAGE..(page + 1) * PAGE]);
        if damaged == whole {
            continue;
        }
        place.write(&damaged);
        let store = match SqliteStore::open(place.path()) {
            Ok(store) => store,
            Err(error) => {
                assert_eq!(error.kind, StoreTrouble::Corrupt, "page {page}: {error}");
                found += 1;
                continue;
            }
        };
        let rows = store.list(&Query::all()).await.map(|page| page.rows).unwrap_or_default();
        for (n, expected) in (0..).zip(&expected) {
            let listed = rows.iter().any(|row| row.id == incident(n));
            match store.load(incident(n), Seq::ZERO).await {
                // Without its row an incident is unknown; only the check of the whole file can tell.
                Ok(log) if log.is_empty() && !listed => {}
                Ok(log) => assert_eq!(&log, expected, "page {page} damaged by {fill:?}"),
                Err(error) => assert_eq!(error.kind, StoreTrouble::Corrupt, "page {page}: {error}"),
            }
        }
        let error = store.check().await.expect_err(&format!("page {page} damaged by {fill:?}"));
        assert_eq!(error.kind, StoreTrouble::Corrupt, "page {page}: {error}");
        found += 1;
    }
    assert!(found > 0, "no page was damaged");
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_and_left_as_it_is() {
    let place = Place::filled(1).await;
    Connection::open(place.path()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = place.bytes();
    assert_eq!(place.trouble(), StoreTrouble::Newer);
    assert_eq!(place.bytes(), before);
}

#[tokio::test]
async fn another_applications_file_is_refused_and_left_as_it_is() {
    let tables = "CREATE TABLE incident (key INTEGER PRIMARY KEY);";
    for (what, sql) in [
        ("tables of its own", tables),
        ("an application id", "PRAGMA application_id = 7;"),
        ("a version", "PRAGMA user_version = 1;"),
    ] {
        let place = Place::new();
        Connection::open(place.path()).unwrap().execute_batch(sql).unwrap();
        let before = place.bytes();
        assert_eq!(place.trouble(), StoreTrouble::Foreign, "a file with {what}");
        assert_eq!(place.bytes(), before, "a file with {what}");
    }
}

#[tokio::test]
async fn an_empty_file_and_a_name_like_an_address_are_fine() {
    let place = Place::new();
    place.write(b"");
    drop(place.open());
    // A relative path that SQLite would read as `file:` and options.
    let odd = tempfile::Builder::new().prefix("file:").tempdir_in(".").unwrap();
    let path = Path::new(odd.path().file_name().unwrap()).join("odd?mode=memory");
    drop(SqliteStore::open(&path).unwrap());
    assert!(path.exists());
}

#[tokio::test]
async fn a_full_store_refuses_and_keeps_what_it_has() {
    let place = Place::filled(2).await;
    let small = Options::new().max_size(256 << 10);
    let store = SqliteStore::open_with(place.path(), &small).unwrap();
    let large = commit(0, &vec![b'x'; 1 << 20], b"text");
    for _ in 0..3 {
        match store.commit(incident(9), Seq::ZERO, &large).await {
            Err(CommitError::Store(error)) => assert_eq!(error.kind, StoreTrouble::Full),
            other => panic!("a commit that doesn't fit gave {other:?}"),
        }
    }
    assert_eq!(store.load(incident(9), Seq::ZERO).await.unwrap(), vec![]);
    assert_eq!(store.load(incident(1), Seq::ZERO).await.unwrap().len(), 10);
    // What fits still goes in, and with more room the rest does.
    store.commit(incident(1), Seq(10), &commit(10, b"body", b"text")).await.unwrap();
    drop(store);
    let store = place.open();
    store.commit(incident(9), Seq::ZERO, &large).await.unwrap();
    store.check().await.unwrap();
}

#[tokio::test]
async fn a_commit_that_does_not_fit_leaves_the_others_of_its_group_alone() {
    let place = Place::new();
    let store = SqliteStore::open_with(place.path(), &Options::new().max_size(1 << 20)).unwrap();
    let store = Arc::new(store);
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..60 {
        let store = Arc::clone(&store);
        let body = vec![b'x'; if n % 10 == 0 { 2 << 20 } else { 100 }];
        calls.spawn(async move { (n, store.commit(incident(n), Seq::ZERO, &commit(0, &body, b"t")).await) });
    }
    for (n, result) in calls.join_all().await {
        match result {
            Ok(()) => assert_ne!(n % 10, 0),
            Err(CommitError::Store(error)) => {
                assert!(error.kind == StoreTrouble::Full && n % 10 == 0, "{n}: {error}");
            }
            Err(error) => panic!("{n}: {error}"),
        }
    }
}
