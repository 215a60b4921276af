//! The size of the write-ahead log, whoever reads meanwhile.
#![allow(clippy::unwrap_used, reason = "a test may panic, so what only tests use may too")]

mod common;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{Place, commit, incident};
use incident_core::model::id::Seq;
use incident_core::port::store::Store;
use rusqlite::Connection;

#[tokio::test]
async fn the_write_ahead_log_shrinks_once_a_long_reader_is_done() {
    const SOME: u64 = 6 << 20;
    let place = Place::new();
    let store = place.open();
    store.commit(incident(1), Seq::ZERO, &commit(0, b"body", b"text")).await.unwrap();
    let reader = Connection::open(place.path()).unwrap();
    let log = || fs::metadata(place.path().with_extension("db-wal")).unwrap().len();
    let work = async |from: u64| {
        for at in from..from + 120 {
            store.commit(incident(1), Seq(at), &commit(at, &vec![b'x'; 70_000], b"text")).await.unwrap();
        }
    };
    work(1).await;
    assert!(log() < SOME, "nobody reads: {}", log());
    reader.execute_batch("BEGIN; SELECT count(*) FROM record").unwrap();
    work(121).await;
    assert!(log() > SOME, "the reader needs it: {}", log());
    reader.execute_batch("COMMIT").unwrap();
    work(241).await;
    assert!(log() < SOME, "the reader is done: {}", log());
}

/// Each reads for a while, and there is never a moment without one.
#[tokio::test]
async fn readers_that_relieve_each_other_do_not_make_the_log_grow_without_end() {
    const MOST: u64 = 30 << 20;
    let place = Place::new();
    let store = place.open();
    store.commit(incident(1), Seq::ZERO, &commit(0, b"body", b"text")).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (path, stop) = (place.path(), Arc::clone(&stop));
            std::thread::spawn(move || {
                let reader = Connection::open(path).unwrap();
                reader.busy_timeout(Duration::from_secs(10)).unwrap();
                while !stop.load(Ordering::Relaxed) {
                    reader.execute_batch("BEGIN; SELECT count(*) FROM record").unwrap();
                    std::thread::park_timeout(Duration::from_millis(40));
                    reader.execute_batch("COMMIT").unwrap();
                }
            })
        })
        .collect();
    let mut largest = 0;
    for at in 1..250 {
        store.commit(incident(1), Seq(at), &commit(at, &vec![b'x'; 200_000], b"text")).await.unwrap();
        largest = largest.max(fs::metadata(place.path().with_extension("db-wal")).unwrap().len());
    }
    stop.store(true, Ordering::Relaxed);
    readers.into_iter().for_each(|reader| reader.join().unwrap());
    assert!(largest < MOST, "{largest}");
}
