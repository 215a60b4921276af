//! Commits that share a transaction and logs that share a statement: what becomes of one is no other one's trouble.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking, and documents itself by its name"
)]

use std::sync::LazyLock;
use std::task::{Context, Waker};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use incident_core::log::index::Key;
use incident_core::model::id::Seq;
use incident_core::port::store::{Commit, CommitError, Query, Store, StoreTrouble};
use incident_postgres::{Options, PostgresStore};
use incident_postgres_testing::{Relay, Server};
use tokio_postgres::NoTls;

mod common;

use common::{incident, one};

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

fn options(database: &str) -> Options {
    Options::new(&SERVER.address(database)).unwrap().without_hints()
}

async fn open(database: &str) -> PostgresStore {
    PostgresStore::open(options(database)).await.unwrap()
}

/// Somebody else on the database, who does as the test says.
async fn somebody(database: &str) -> tokio_postgres::Client {
    let (client, line) = tokio_postgres::connect(&SERVER.address(database), NoTls).await.unwrap();
    tokio::spawn(line);
    client
}

/// The first commit of an incident that holds `key`.
fn holding(key: &str) -> Commit {
    let mut commit = one(0);
    commit.index = commit.index.with_keys(vec![Key::held(key.to_owned())]);
    commit
}

/// Asks for all of these before any of them can begin; what came of each.
async fn together(store: &PostgresStore, commits: &[(u8, u64, Commit)]) -> Vec<Result<(), CommitError>> {
    join_all(commits.iter().map(|(n, at, commit)| store.commit(incident(*n), Seq(*at), commit))).await
}

async fn count(store: &PostgresStore) -> usize {
    store.list(&Query::all().limit(1_000)).await.unwrap().rows.len()
}

#[tokio::test]
async fn commits_asked_for_together_share_transactions() {
    let database = SERVER.database();
    let store = open(&database).await;
    let commits: Vec<_> = (0..200).map(|n| (n, 0, one(0))).collect();
    assert!(together(&store, &commits).await.iter().all(Result::is_ok));
    assert_eq!(count(&store).await, 200);
    let transactions = SERVER.run(&database, "SELECT count(DISTINCT xmin::text) FROM incident.record");
    assert!(transactions.parse::<u32>().unwrap() <= 8, "{transactions}");
}

#[tokio::test]
async fn commits_to_one_incident_are_made_in_the_order_asked_for() {
    let store = open(&SERVER.database()).await;
    let commits: Vec<_> = (0..10).map(|at| (1, at, one(at))).collect();
    let made = together(&store, &commits).await;
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    assert_eq!(store.load(incident(1), Seq::ZERO).await.unwrap().len(), 10);
}

#[tokio::test]
async fn one_that_is_refused_leaves_the_others_standing() {
    let store = open(&SERVER.database()).await;
    store.commit(incident(0), Seq::ZERO, &holding("held")).await.unwrap();
    let mut commits: Vec<_> = (1..=50).map(|n| (n, 0, holding(&format!("key {n}")))).collect();
    commits[20].2 = holding("held");
    commits[21].1 = 1;
    commits[21].2 = one(1);
    let made = together(&store, &commits).await;
    for (result, (n, ..)) in made.iter().zip(&commits) {
        match (n, result) {
            (21, Err(CommitError::KeyTaken { key, holder })) => {
                assert_eq!((&**key, *holder), ("held", incident(0)));
            }
            (22, result) => assert!(matches!(result, Err(CommitError::Conflict)), "{result:?}"),
            (_, result) => assert!(result.is_ok(), "{result:?}"),
        }
    }
    assert_eq!(count(&store).await, 49);
    assert!(store.load(incident(21), Seq::ZERO).await.unwrap().is_empty());
}

#[tokio::test]
async fn of_those_that_want_one_key_the_first_gets_it() {
    let store = open(&SERVER.database()).await;
    let commits: Vec<_> = (0..20).map(|n| (n, 0, holding("wanted"))).collect();
    let made = together(&store, &commits).await;
    let refused = |it: &Result<(), CommitError>| matches!(it, Err(CommitError::KeyTaken { holder, .. }) if *holder == incident(0));
    assert!(made[0].is_ok() && made[1..].iter().all(refused), "{made:?}");
}

#[tokio::test]
async fn a_reply_lost_at_the_commit_is_unknown_for_the_whole_group() {
    let relay = Relay::to(SERVER.port());
    let database = SERVER.database();
    let sound = open(&database).await;
    let address = SERVER.address(&database).replace(&SERVER.port().to_string(), &relay.port().to_string());
    let store = PostgresStore::open(Options::new(&address).unwrap().without_hints()).await.unwrap();
    for (first, arrives) in [(10, true), (50, false)] {
        relay.cut_at(b"COMMIT", arrives);
        // Those that come first take the places and are refused, so that the others wait for each other's company.
        let refused = (0..2).map(|n| (n, 1, one(1)));
        let commits: Vec<_> = refused.chain((first..first + 30).map(|n| (n, 0, one(0)))).collect();
        let made = together(&store, &commits).await;
        assert!(relay.was_cut());
        assert!(made[..2].iter().all(|it| matches!(it, Err(CommitError::Conflict))), "{made:?}");
        assert!(made[2..].iter().all(|it| matches!(it, Err(CommitError::Unknown(_)))), "{made:?}");
        if arrives {
            // The server may still be at it when the client has long heard that the line is dead.
            while count(&sound).await != 30 {}
        } else {
            assert_eq!(count(&sound).await, 30);
            assert!(together(&store, &commits[2..]).await.iter().all(Result::is_ok));
        }
    }
}

#[tokio::test]
async fn a_commit_is_made_also_when_its_caller_and_the_store_are_gone() {
    let database = SERVER.database();
    let store = open(&database).await;
    let commits: Vec<_> = (0..30).map(|n| (n, 0, one(0))).collect();
    let mut calls = Box::pin(together(&store, &commits));
    assert!(calls.poll_unpin(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(calls);
    drop(store);
    let store = open(&database).await;
    while count(&store).await != 30 {}
}

#[tokio::test]
async fn a_row_that_somebody_is_at_keeps_nobody_else_waiting() {
    let database = SERVER.database();
    let store = open(&database).await;
    let first: Vec<_> = (0..30).map(|n| (n, 0, one(0))).collect();
    assert!(together(&store, &first).await.iter().all(Result::is_ok));
    let somebody = somebody(&database).await;
    let id = incident(10).to_string().replace('-', "");
    let hold = format!("BEGIN; SELECT FROM incident.incident WHERE id = '\\x{id}' FOR UPDATE");
    somebody.batch_execute(&hold).await.unwrap();
    let (store, next) = (&store, &one(1));
    let calls = (0..30).map(|n| async move { (n, store.commit(incident(n), Seq(1), next).await) });
    let mut calls: FuturesUnordered<_> = calls.collect();
    for _ in 0..29 {
        let (n, made) = calls.next().await.unwrap();
        assert!(n != 10 && made.is_ok(), "{n}: {made:?}");
    }
    somebody.batch_execute("ROLLBACK").await.unwrap();
    let (_, made) = calls.next().await.unwrap();
    assert!(made.is_ok(), "{made:?}");
}

#[test]
fn a_replica_that_falls_silent_lets_go_of_its_rows() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (silent, sound) = (runtime(), runtime());
    let database = SERVER.database();
    let store = sound.block_on(open(&database));
    sound.block_on(store.commit(incident(1), Seq::ZERO, &one(0))).unwrap();
    let somebody = sound.block_on(somebody(&database));
    sound.block_on(somebody.batch_execute("BEGIN; LOCK TABLE incident.held")).unwrap();
    let options = options(&database).deadline(Duration::from_secs(3));
    let replica = silent.block_on(PostgresStore::open(options)).unwrap();
    let next = one(1);
    let mut call = replica.commit(incident(1), Seq(1), &next);
    let waits = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND wait_event_type = 'Lock'"
    );
    // It holds the row and waits for the table; then nobody runs it any more, and its line stays open.
    silent.block_on(async {
        while SERVER.run(&database, &waits) != "1" {
            let answer = tokio::time::timeout(Duration::from_millis(10), &mut call).await;
            assert!(answer.is_err(), "{answer:?}");
        }
    });
    sound.block_on(somebody.batch_execute("ROLLBACK")).unwrap();
    sound.block_on(store.commit(incident(1), Seq(1), &one(1))).unwrap();
}

#[tokio::test]
async fn logs_asked_for_together_are_each_their_own() {
    let database = SERVER.database();
    let store = &open(&database).await;
    for n in 1..50 {
        let commits: Vec<_> = (0..u64::from(n) % 4).map(|at| (n, at, one(at))).collect();
        assert!(together(store, &commits).await.iter().all(Result::is_ok));
    }
    let damage = "DELETE FROM incident.slot WHERE incident = (SELECT min(incident) FROM incident.slot)";
    SERVER.run(&database, damage);
    let loads = (0..50).map(|n| async move { (n, store.load(incident(n), Seq(1)).await) });
    for (n, log) in join_all(loads).await {
        let seqs = log.unwrap().iter().map(|record| record.seq.0).collect::<Vec<_>>();
        assert_eq!(seqs, (2..=u64::from(n) % 4).collect::<Vec<_>>(), "{n}");
    }
    let loads = (0..50).map(|n| async move { (n, store.load(incident(n), Seq::ZERO).await) });
    for (n, log) in join_all(loads).await {
        match (n, log) {
            (1, log) => assert_eq!(log.unwrap_err().kind, StoreTrouble::Corrupt),
            (_, log) => assert_eq!(log.unwrap().len(), usize::from(n) % 4, "{n}"),
        }
    }
}
