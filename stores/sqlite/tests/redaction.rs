//! Text that is taken back isn't in the files any more.
#![allow(clippy::unwrap_used, reason = "a test may panic, so what only tests use may too")]

mod common;

use common::{Place, commit, incident};
use incident_core::model::id::Seq;
use incident_core::port::store::{SlotRef, Store};
use rusqlite::Connection;

const SECRET: &str = "the-password-is-swordfish";

/// The files of the store that contain the secret.
fn files_with_secret(place: &Place) -> Vec<String> {
    let folder = std::fs::read_dir(place.path().parent().unwrap()).unwrap();
    folder
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            std::fs::read(path).unwrap().windows(SECRET.len()).any(|bytes| bytes == SECRET.as_bytes())
        })
        .map(|path| path.display().to_string())
        .collect()
}

/// A store with the secret in three records, among others: small, in the row, and larger than a page.
async fn with_secret(place: &Place) -> incident_sqlite::SqliteStore {
    let store = place.open();
    for at in 0..30 {
        let text = match at {
            3 => SECRET.to_owned(),
            4 => format!("{SECRET} and {}", "more ".repeat(10_000)),
            5 => format!("{}{SECRET}", "pages of it ".repeat(2_000)),
            _ => "nothing to hide".to_owned(),
        };
        let mut next = commit(at, b"body", text.as_bytes());
        next.index.summary = if at == 3 { SECRET.into() } else { b"{}".to_vec() };
        store.commit(incident(1), Seq(at), &next).await.unwrap();
    }
    store
}

async fn redact(store: &dyn Store) {
    let slots = (4..=6).map(|seq| SlotRef { seq: Seq(seq), slot: 0 }).collect();
    let taking_back = commit(30, b"redacted", b"").with_redacted(slots);
    store.commit(incident(1), Seq(30), &taking_back).await.unwrap();
}

#[tokio::test]
async fn redacted_text_is_gone_when_the_commit_is_acknowledged() {
    let place = Place::new();
    let store = with_secret(&place).await;
    assert!(!files_with_secret(&place).is_empty(), "the secret should be found before");
    redact(&store).await;
    assert_eq!(files_with_secret(&place), Vec::<String>::new());
    drop(store);
    assert_eq!(files_with_secret(&place), Vec::<String>::new());
}

#[tokio::test]
async fn a_reader_keeps_redacted_text_in_the_log_until_the_next_commit_after_it_is_done() {
    let place = Place::new();
    let store = with_secret(&place).await;
    let reader = Connection::open(place.path()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM record;").unwrap();

    redact(&store).await;
    assert!(!files_with_secret(&place).is_empty(), "the reader should still see the text");
    reader.execute_batch("COMMIT").unwrap();
    store.commit(incident(2), Seq::ZERO, &commit(0, b"body", b"text")).await.unwrap();

    assert_eq!(files_with_secret(&place), Vec::<String>::new());
}

#[tokio::test]
async fn what_a_dead_process_left_in_the_log_is_cut_at_the_next_opening() {
    let place = Place::new();
    let store = with_secret(&place).await;
    // A copy of the files at this moment is what a killed process leaves behind.
    let dead = Place::new();
    for end in ["", "-wal"] {
        let name = |place: &Place| format!("{}{end}", place.path().display());
        std::fs::copy(name(&place), name(&dead)).unwrap();
    }
    let slots = "UPDATE record SET texts = x'00000000'";
    let killed = Connection::open(dead.path()).unwrap();
    killed.execute_batch(&format!("PRAGMA secure_delete = ON; {slots};")).unwrap();
    killed.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    drop(killed);
    assert!(!files_with_secret(&dead).is_empty(), "the log should still hold the text");

    let reopened = dead.open();

    assert_eq!(files_with_secret(&dead), Vec::<String>::new());
    drop((store, reopened));
}
