//! A connection that died while nobody used it costs no call.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking, and documents itself by its name"
)]

use std::time::Duration;

use incident_core::model::id::Seq;
use incident_core::port::store::{Claim, Query, Store};
use incident_postgres::{Options, PostgresStore};
use incident_postgres_testing::{Relay, Server};
use tokio::time::{Instant, sleep};

mod common;

use common::{incident, now, one};

#[derive(Debug, Clone, Copy)]
enum Death {
    /// The server ends the sessions.
    Terminated,
    /// The line is cut.
    Cut,
    /// The line passes nothing any more, and nobody says so.
    Silent,
    /// The server dies, and is there again.
    Crash,
}

#[derive(Debug, Clone, Copy)]
enum Call {
    Commit,
    Create,
    Load,
    Claim,
    List,
    Holder,
    NextWake,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_call_after_a_connection_died_is_made() {
    let server = Server::start();
    let relay = Relay::to(server.port());
    let calls =
        [Call::Commit, Call::Create, Call::Load, Call::Claim, Call::List, Call::Holder, Call::NextWake];
    for death in [Death::Terminated, Death::Cut, Death::Silent, Death::Crash] {
        let database = server.database();
        let address =
            server.address(&database).replace(&server.port().to_string(), &relay.port().to_string());
        // A store for each call, so that each call is the first one.
        let mut stores = Vec::new();
        for call in calls {
            let options = Options::new(&address).unwrap().connections(2).without_hints();
            let store = PostgresStore::open(options).await.unwrap();
            let _ = store.commit(incident(1), Seq::ZERO, &one(0)).await;
            assert_eq!(store.load(incident(1), Seq::ZERO).await.unwrap().len(), 1, "{death:?}");
            stores.push((call, store));
        }
        match death {
            Death::Terminated => {
                server.run(
                    &database,
                    &format!(
                        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                         WHERE datname = '{database}' AND pid <> pg_backend_pid()"
                    ),
                );
            }
            Death::Cut => {
                relay.set_down(true);
                relay.set_down(false);
            }
            Death::Silent => {
                relay.fall_silent();
                sleep(Duration::from_millis(1_100)).await;
            }
            Death::Crash => server.crash_and_restart(),
        }
        for (call, store) in stores {
            let begun = Instant::now();
            let made = match call {
                Call::Commit => store.commit(incident(1), Seq(1), &one(1)).await.map_err(|it| it.to_string()),
                Call::Create => {
                    store.commit(incident(2), Seq::ZERO, &one(0)).await.map_err(|it| it.to_string())
                }
                Call::Load => store.load(incident(1), Seq::ZERO).await.map(drop).map_err(|it| it.to_string()),
                Call::Claim => {
                    let claim = Claim::new("us", now(), now(), 8);
                    store.claim(&claim).await.map(drop).map_err(|it| it.to_string())
                }
                Call::List => store.list(&Query::all()).await.map(drop).map_err(|it| it.to_string()),
                Call::Holder => store.holder("key").await.map(drop).map_err(|it| it.to_string()),
                Call::NextWake => store.next_wake().await.map(drop).map_err(|it| it.to_string()),
            };
            assert_eq!(made, Ok(()), "{call:?} after {death:?}");
            assert!(
                begun.elapsed() < Duration::from_secs(6),
                "{call:?} after {death:?}: {:?}",
                begun.elapsed()
            );
        }
    }
}
