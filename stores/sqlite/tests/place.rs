//! What happens to the file while a store has it open: an acknowledged commit is one that a new process would find.
#![allow(clippy::unwrap_used, reason = "a test may panic, so what only tests use may too")]
#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use common::{commit, incident};
use incident_core::model::id::Seq;
use incident_core::port::store::{CommitError, Query, Store, StoreError, StoreTrouble};
use incident_sqlite::SqliteStore;
use tempfile::TempDir;

/// A folder `data` with a store, another one beside it, and a link to the first.
struct Disk {
    root: TempDir,
}

impl Disk {
    async fn new() -> Self {
        let root = TempDir::new().unwrap();
        for folder in ["data", "other"] {
            fs::create_dir(root.path().join(folder)).unwrap();
            let store = SqliteStore::open(root.path().join(folder).join("incidents.db")).unwrap();
            store.commit(incident(9), Seq::ZERO, &commit(0, folder.as_bytes(), b"text")).await.unwrap();
        }
        symlink("data/incidents.db", root.path().join("link")).unwrap();
        Self { root }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.at(from), self.at(to)).unwrap();
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.at(path)).unwrap();
    }
}

fn check_moved<T: std::fmt::Debug>(result: &Result<T, StoreError>, what: &str) {
    assert!(matches!(result, Err(error) if error.kind == StoreTrouble::Moved), "{what}: {result:?}");
}

async fn next(store: &SqliteStore, n: u64, at: u64) -> Result<(), CommitError> {
    store.commit(incident(n), Seq(at), &commit(at, b"body", b"text")).await
}

#[tokio::test]
async fn a_store_whose_files_are_no_longer_at_its_path_acknowledges_nothing() {
    type Event = fn(&Disk);
    let events: [(&str, &str, Event); 12] = [
        ("the file is deleted", "data/incidents.db", |disk| disk.remove("data/incidents.db")),
        ("the folder is deleted", "data/incidents.db", |disk| fs::remove_dir_all(disk.at("data")).unwrap()),
        ("the file is replaced", "data/incidents.db", |disk| {
            disk.rename("other/incidents.db", "data/incidents.db");
        }),
        ("all is deleted and another process begins anew", "data/incidents.db", |disk| {
            fs::remove_dir_all(disk.at("data")).unwrap();
            fs::create_dir(disk.at("data")).unwrap();
            drop(SqliteStore::open(disk.at("data/incidents.db")).unwrap());
        }),
        ("the folder is renamed", "data/incidents.db", |disk| disk.rename("data", "old")),
        ("the folder is exchanged for another", "data/incidents.db", |disk| {
            disk.rename("data", "old");
            disk.rename("other", "data");
        }),
        ("the file is renamed", "data/incidents.db", |disk| disk.rename("data/incidents.db", "data/old.db")),
        ("the write-ahead log is deleted", "data/incidents.db", |disk| disk.remove("data/incidents.db-wal")),
        ("the log's index is deleted", "data/incidents.db", |disk| disk.remove("data/incidents.db-shm")),
        ("the file is emptied", "data/incidents.db", |disk| {
            fs::File::create(disk.at("data/incidents.db")).unwrap();
        }),
        ("the link leads elsewhere", "link", |disk| {
            disk.remove("link");
            symlink("other/incidents.db", disk.at("link")).unwrap();
        }),
        ("the link leads nowhere", "link", |disk| disk.remove("link")),
    ];
    for (what, path, event) in events {
        let disk = Disk::new().await;
        let store = SqliteStore::open(disk.at(path)).unwrap();
        next(&store, 1, 0).await.unwrap();
        event(&disk);
        let refused = next(&store, 1, 1).await;
        assert!(
            matches!(&refused, Err(CommitError::Store(error)) if error.kind == StoreTrouble::Moved),
            "{what}: {refused:?}"
        );
        check_moved(&store.load(incident(1), Seq::ZERO).await, what);
        check_moved(&store.list(&Query::all()).await, what);
        check_moved(&store.holder("key").await, what);
        check_moved(&store.next_wake().await, what);
        let claim = incident_core::port::store::Claim::new("us", common::now(), common::now(), 8);
        check_moved(&store.claim(&claim).await, what);
    }
}

#[tokio::test]
async fn a_store_that_comes_back_goes_on_where_it_was() {
    let disk = Disk::new().await;
    let store = SqliteStore::open(disk.at("data/incidents.db")).unwrap();
    next(&store, 1, 0).await.unwrap();
    disk.rename("data", "old");
    next(&store, 1, 1).await.unwrap_err();
    // Under another name but by a link, a new process finds the same files.
    symlink("old", disk.at("data")).unwrap();
    next(&store, 1, 1).await.unwrap();
    drop(store);
    let again = SqliteStore::open(disk.at("old/incidents.db")).unwrap();
    assert_eq!(again.load(incident(1), Seq::ZERO).await.unwrap().len(), 2);
}

/// Closing the last connection deletes the log by its name, and the name is the other store's by then.
#[tokio::test]
async fn a_store_that_was_replaced_leaves_its_successors_files_alone() {
    let disk = Disk::new().await;
    let path = disk.at("data/incidents.db");
    let old = SqliteStore::open(&path).unwrap();
    next(&old, 1, 0).await.unwrap();
    for end in ["", "-wal", "-shm"] {
        disk.remove(&format!("data/incidents.db{end}"));
    }
    let new = SqliteStore::open(&path).unwrap();
    next(&new, 2, 0).await.unwrap();
    drop(old);
    next(&new, 2, 1).await.unwrap();
    let third = SqliteStore::open(&path).unwrap();
    assert_eq!(third.load(incident(2), Seq::ZERO).await.unwrap().len(), 2);
    third.check().await.unwrap();
}

#[tokio::test]
async fn a_lost_file_is_damaged_also_behind_symbolic_links() {
    type Link = fn(&Path) -> PathBuf;
    let links: [(&str, Link); 5] = [
        ("no link", |root| root.join("data/incidents.db")),
        ("a relative link", |root| {
            symlink("data/incidents.db", root.join("a")).unwrap();
            root.join("a")
        }),
        ("an absolute link", |root| {
            symlink(root.join("data/incidents.db"), root.join("a")).unwrap();
            root.join("a")
        }),
        ("a link to a link", |root| {
            symlink("data/incidents.db", root.join("a")).unwrap();
            symlink("../a", root.join("data/b")).unwrap();
            root.join("data/b")
        }),
        ("a link to the folder", |root| {
            symlink("data", root.join("a")).unwrap();
            root.join("a/incidents.db")
        }),
    ];
    for (what, link) in links {
        for emptied in [true, false] {
            let root = TempDir::new().unwrap();
            fs::create_dir(root.path().join("data")).unwrap();
            let (file, log) =
                (root.path().join("data/incidents.db"), root.path().join("data/incidents.db-wal"));
            fs::write(&log, b"what is left of a write-ahead log").unwrap();
            if emptied {
                fs::write(&file, b"").unwrap();
            }
            let error = SqliteStore::open(link(root.path())).expect_err(what);
            assert_eq!(error.kind, StoreTrouble::Corrupt, "{what}: {error:?}");
            assert_eq!(fs::read(&log).unwrap(), b"what is left of a write-ahead log", "{what}");
        }
    }
}

#[test]
fn a_store_is_created_where_a_link_leads() {
    let root = TempDir::new().unwrap();
    fs::create_dir(root.path().join("data")).unwrap();
    symlink("data/new.db", root.path().join("link")).unwrap();
    drop(SqliteStore::open(root.path().join("link")).unwrap());
    assert!(root.path().join("data/new.db").is_file());
}
