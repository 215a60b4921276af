//! Why a store can't be opened: what is only busy may be tried again, and for everything else a person is told what to do.
#![allow(clippy::unwrap_used, reason = "a test may panic, so what only tests use may too")]

mod common;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use common::{Place, incident};
use incident_core::model::id::Seq;
use incident_core::port::store::{Store, StoreTrouble};
use incident_sqlite::{Options, SqliteStore};
use rusqlite::Connection;
use tempfile::TempDir;

type Make = fn(&std::path::Path) -> PathBuf;

/// What is in the way, what is said of it, and a word of the file system's own reason.
const PERMANENT: &[(&str, Make, StoreTrouble, &str)] = &[
    (
        "its folder is missing",
        |root| root.join("missing/incidents.db"),
        StoreTrouble::Missing,
        "No such file",
    ),
    ("a folder is in its place", |root| root.to_owned(), StoreTrouble::Foreign, "is a directory"),
    (
        "its folder is a file",
        |root| {
            fs::write(root.join("file"), b"").unwrap();
            root.join("file/incidents.db")
        },
        StoreTrouble::Foreign,
        "Not a directory",
    ),
    ("its name has a NUL", |root| root.join("a\0b"), StoreTrouble::Foreign, "nul"),
    ("it has no name", |root| root.join(".."), StoreTrouble::Foreign, "invalid filename"),
    #[cfg(unix)]
    (
        "its links lead in a circle",
        |root| {
            std::os::unix::fs::symlink("b", root.join("a")).unwrap();
            std::os::unix::fs::symlink("a", root.join("b")).unwrap();
            root.join("a")
        },
        StoreTrouble::Foreign,
        "in a circle",
    ),
    // A device that is always full stands for the disk: what SQLite maps can't be made, and says only "disk I/O error".
    #[cfg(target_os = "linux")]
    (
        "its disk is full",
        |root| {
            for end in ["-shm", "-probe"] {
                std::os::unix::fs::symlink("/dev/full", root.join(format!("incidents.db{end}"))).unwrap();
            }
            root.join("incidents.db")
        },
        StoreTrouble::Full,
        "No space left",
    ),
    #[cfg(unix)]
    (
        "nothing may be created in its folder",
        |root| {
            use std::os::unix::fs::PermissionsExt as _;
            let folder = root.join("locked");
            fs::create_dir(&folder).unwrap();
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
            folder.join("incidents.db")
        },
        StoreTrouble::Denied,
        "ermission denied",
    ),
];

#[test]
fn what_stays_as_it_is_is_not_called_busy() {
    for (what, make, kind, word) in PERMANENT {
        let root = TempDir::new().unwrap();
        let path = make(root.path());
        if *kind == StoreTrouble::Denied && fs::write(path.with_extension("try"), b"").is_ok() {
            continue; // A superuser may write everywhere.
        }
        let error = SqliteStore::open(&path).expect_err(what);
        let why = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert_eq!(error.kind, *kind, "{what}: {error}: {why}");
        assert!(!error.kind.is_transient(), "{what}: {error}");
        assert!(why.contains(word), "{what}: {why}");
    }
}

/// How long opening took at most, with this much patience.
fn took(place: &Place, patience: Duration) -> (Result<SqliteStore, StoreTrouble>, Duration) {
    let begun = tokio::time::Instant::now();
    let opened = SqliteStore::open_with(place.path(), &Options::new().patience(patience));
    (opened.map_err(|error| error.kind), begun.elapsed())
}

#[tokio::test]
async fn opening_waits_as_long_as_documented_whatever_others_hold() {
    const PATIENCE: Duration = Duration::from_millis(500);
    for (what, hold, opens) in [
        (
            "everything",
            "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE incident SET fold = fold",
            false,
        ),
        ("the right to write", "BEGIN IMMEDIATE; UPDATE incident SET fold = fold", true),
        ("a moment of the past", "BEGIN; SELECT count(*) FROM record", true),
    ] {
        let place = Place::filled(1).await;
        let other = Connection::open(place.path()).unwrap();
        other.execute_batch(hold).unwrap();
        let (opened, time) = took(&place, PATIENCE);
        if opens {
            let store = opened.unwrap_or_else(|kind| panic!("{what}: {kind}"));
            assert_eq!(store.load(incident(0), Seq::ZERO).await.unwrap().len(), 10, "{what}");
        } else {
            assert_eq!(opened.map(drop), Err(StoreTrouble::Unavailable), "{what}");
        }
        assert!(time < PATIENCE * 3, "{what}: {time:?}");
    }
    // A file that isn't a store yet, and is being made one by somebody who takes long.
    let place = Place::new();
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE; CREATE TABLE t (x)").unwrap();
    let (opened, time) = took(&place, PATIENCE);
    assert_eq!(opened.map(drop), Err(StoreTrouble::Unavailable));
    assert!(time < PATIENCE * 3, "{time:?}");
}
