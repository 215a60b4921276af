//! What a server does to a store: it comes up late, dies, cuts connections, refuses – and is shared.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking, and documents itself by its name"
)]

use std::sync::LazyLock;
use std::time::Duration;

use futures_util::StreamExt as _;
use incident_core::model::id::Seq;
use incident_core::port::store::{CommitError, Query, Store, StoreError, StoreTrouble};
use incident_postgres::{Options, PostgresStore, migrate};
use incident_postgres_testing::{Relay, Server};

mod common;

use common::{grants, incident, one};

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

fn options(database: &str) -> Options {
    Options::new(&SERVER.address(database)).unwrap().connections(4)
}

async fn open(database: &str) -> PostgresStore {
    PostgresStore::open(options(database)).await.unwrap()
}

async fn trouble(options: Options) -> (StoreTrouble, String) {
    let error = PostgresStore::open(options).await.unwrap_err();
    (error.kind, error.source.map(|source| source.to_string()).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_together_make_the_tables_once() {
    let database = SERVER.database();
    let starts: Vec<_> = (0..8)
        .map(|n| {
            let options = options(&database);
            tokio::spawn(async move {
                let store = PostgresStore::open(options).await?;
                store.commit(incident(n), Seq::ZERO, &one(0)).await.map_err(|error| match error {
                    CommitError::Store(error) => error,
                    other => panic!("{other}"),
                })
            })
        })
        .collect();
    for start in starts {
        let started: Result<(), StoreError> = start.await.unwrap();
        started.unwrap();
    }
    assert_eq!(open(&database).await.list(&Query::all()).await.unwrap().rows.len(), 8);
    assert_eq!(SERVER.run(&database, "SELECT count(*) FROM incident.migration"), "1");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_left_alone() {
    let database = SERVER.database();
    drop(open(&database).await);
    SERVER.run(&database, "INSERT INTO incident.migration (version) VALUES (999)");
    assert_eq!(trouble(options(&database)).await.0, StoreTrouble::Newer);
    assert_eq!(trouble(options(&database).without_migrating()).await.0, StoreTrouble::Newer);
    assert_eq!(migrate(&options(&database)).await.unwrap_err().kind, StoreTrouble::Newer);
    assert_eq!(SERVER.run(&database, "SELECT max(version) FROM incident.migration"), "999");
}

#[tokio::test]
async fn somebody_elses_database_is_refused_and_left_alone() {
    let database = SERVER.database();
    SERVER.run(&database, "CREATE SCHEMA incident; CREATE TABLE incident.incident (theirs int)");
    let (kind, why) = trouble(options(&database)).await;
    assert_eq!(
        (kind, &*why),
        (StoreTrouble::Foreign, "its schema `incident` belongs to another application")
    );
    let (kind, why) = trouble(options(&SERVER.database()).without_migrating()).await;
    assert_eq!((kind, &*why), (StoreTrouble::Foreign, "it has no tables of ours; create them first"));
}

#[tokio::test]
async fn the_role_in_the_readme_can_not_rewrite_history() {
    let database = SERVER.database();
    migrate(&options(&database)).await.unwrap();
    SERVER.run(&database, &format!("CREATE ROLE incident_engine; {}", grants()));
    for rewrite in
        ["DELETE FROM incident.record", "UPDATE incident.record SET body = ''", "DROP TABLE incident.slot"]
    {
        let sql = format!(
            "SET ROLE incident_engine; DO $$ BEGIN {rewrite}; RAISE 'it may'; EXCEPTION
             WHEN insufficient_privilege THEN NULL; END $$"
        );
        SERVER.run(&database, &sql);
    }
}

#[tokio::test]
async fn a_store_outlives_its_server() {
    let server = Server::start();
    let database = server.database();
    let store = PostgresStore::open(Options::new(&server.address(&database)).unwrap()).await.unwrap();
    store.commit(incident(1), Seq::ZERO, &one(0)).await.unwrap();
    server.crash_and_restart();
    for at in 1..20 {
        store.commit(incident(1), Seq(at), &one(at)).await.unwrap();
    }
    assert_eq!(store.load(incident(1), Seq::ZERO).await.unwrap().len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_lost_at_the_commit_is_unknown_and_repeating_it_lets_one_in() {
    let relay = Relay::to(SERVER.port());
    let database = SERVER.database();
    let sound = open(&database).await;
    let address = SERVER.address(&database).replace(&SERVER.port().to_string(), &relay.port().to_string());
    let store = PostgresStore::open(Options::new(&address).unwrap().without_hints()).await.unwrap();
    for (n, arrives) in [(1, true), (2, false)] {
        relay.cut_at(b"COMMIT", arrives);
        let lost = store.commit(incident(n), Seq::ZERO, &one(0)).await;
        assert!(matches!(lost, Err(CommitError::Unknown(_))), "{lost:?}");
        assert!(relay.was_cut());
        if arrives {
            // The server may still be at it when the client has long heard that the line is dead.
            while sound.load(incident(n), Seq::ZERO).await.unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
            assert!(matches!(
                store.commit(incident(n), Seq::ZERO, &one(0)).await,
                Err(CommitError::Conflict)
            ));
        } else {
            store.commit(incident(n), Seq::ZERO, &one(0)).await.unwrap();
        }
        assert_eq!(sound.load(incident(n), Seq::ZERO).await.unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_cut_before_the_commit_is_exchanged_for_another() {
    let relay = Relay::to(SERVER.port());
    let database = SERVER.database();
    let address = SERVER.address(&database).replace(&SERVER.port().to_string(), &relay.port().to_string());
    let store = PostgresStore::open(Options::new(&address).unwrap().without_hints()).await.unwrap();
    relay.cut_at(b"INSERT INTO incident.incident", true);
    store.commit(incident(1), Seq::ZERO, &one(0)).await.unwrap();
    assert!(relay.was_cut());
    assert_eq!(store.load(incident(1), Seq::ZERO).await.unwrap().len(), 1);
    relay.set_down(true);
    let down = store.load(incident(1), Seq::ZERO).await.unwrap_err();
    assert_eq!(down.kind, StoreTrouble::Unavailable);
    let failed = store.commit(incident(2), Seq::ZERO, &one(0)).await;
    assert!(matches!(failed, Err(CommitError::Store(_))), "{failed:?}");
    relay.set_down(false);
    assert!(store.load(incident(2), Seq::ZERO).await.unwrap().is_empty());
    store.commit(incident(2), Seq::ZERO, &one(0)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_connection_costs_no_call() {
    let database = SERVER.database();
    let store = PostgresStore::open(options(&database).connections(1).without_hints()).await.unwrap();
    store.commit(incident(1), Seq::ZERO, &one(0)).await.unwrap();
    let sql = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()"
    );
    assert_eq!(SERVER.run(&database, &sql), "1");
    assert_eq!(store.load(incident(1), Seq::ZERO).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_too_long_is_told_to_stop_and_changed_nothing() {
    let database = SERVER.database();
    let store = open(&database).await;
    store.commit(incident(1), Seq::ZERO, &one(0)).await.unwrap();
    let slow = Server::address(&SERVER, &database);
    let hasty = Options::new(&slow).unwrap().deadline(Duration::from_millis(300)).without_hints();
    let hasty = PostgresStore::open(hasty).await.unwrap();
    let blocker = std::thread::spawn({
        let database = database.clone();
        move || SERVER.run(&database, "BEGIN; LOCK TABLE incident.held; SELECT pg_sleep(2); COMMIT")
    });
    let held = "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
        WHERE c.relname = 'held' AND l.mode = 'AccessExclusiveLock' AND l.granted";
    while SERVER.run(&database, held) != "1" {}
    let late = hasty.commit(incident(1), Seq(1), &one(1)).await;
    assert!(
        matches!(&late, Err(CommitError::Store(error)) if error.kind == StoreTrouble::Unavailable),
        "{late:?}"
    );
    blocker.join().unwrap();
    let waiting = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND state <> 'idle' AND pid <> pg_backend_pid()"
    );
    while SERVER.run(&database, &waiting) != "0" {}
    assert_eq!(store.load(incident(1), Seq::ZERO).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_heard_by_the_others_also_after_the_line_broke() {
    let relay = Relay::to(SERVER.port());
    let database = SERVER.database();
    let writer = open(&database).await;
    let address = SERVER.address(&database).replace(&SERVER.port().to_string(), &relay.port().to_string());
    let listener = PostgresStore::open(options(&database).listen_at(&address).unwrap()).await.unwrap();
    let mut heard = listener.hints();
    for round in 0..2_u8 {
        let mut at = 0;
        // It takes a moment until it listens.
        let told = tokio::time::timeout(Duration::from_secs(30), async {
            loop {
                writer.commit(incident(round), Seq(at), &one(at)).await.unwrap();
                at += 1;
                let soon = tokio::time::timeout(Duration::from_millis(50), heard.next()).await;
                if let Ok(Some(hint)) = soon
                    && hint.incident == incident(round)
                {
                    break;
                }
            }
        });
        told.await.expect("it is heard");
        relay.set_down(true);
        relay.set_down(false);
    }
}

#[tokio::test]
async fn an_address_where_nobody_answers_is_unavailable_and_says_no_secret() {
    let nobody = Relay::to(1);
    nobody.set_down(true);
    let address = format!("host=127.0.0.1 port={} user=u dbname=d password=sesame", nobody.port());
    let options = Options::new(&address).unwrap().deadline(Duration::from_secs(2));
    let error = PostgresStore::open(options).await.unwrap_err();
    assert_eq!(error.kind, StoreTrouble::Unavailable);
    assert!(!format!("{error:?}").contains("sesame"), "{error:?}");
}

#[tokio::test]
async fn a_line_is_encrypted_to_the_server_that_was_meant_or_not_used() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let server = Server::encrypted(&made.cert.pem(), &made.signing_key.serialize_pem());
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, pem: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path
    };
    let (ours, theirs) = (file("ours.pem", made.cert.pem()), file("theirs.pem", other.cert.pem()));
    let database = server.database();
    let address = format!("{} sslmode=require", server.address(&database));
    let options = Options::new(&address).unwrap().deadline(Duration::from_secs(5));

    let store = PostgresStore::open(options.clone().root_certificates(&ours)).await.unwrap();
    store.commit(incident(1), Seq::ZERO, &one(0)).await.unwrap();
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'incident'";
    assert_eq!(server.run(&database, encrypted), "t");

    assert_eq!(trouble(options.root_certificates(&theirs)).await.0, StoreTrouble::Untrusted);
    let plain = format!("{} sslmode=require", SERVER.address(&SERVER.database()));
    let plain = Options::new(&plain).unwrap().root_certificates(&ours);
    assert_eq!(trouble(plain).await.0, StoreTrouble::Untrusted, "there is no way down");
}
