//! Every command is answered under its own id, may be sent again under it, and depends on nobody's polling.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use incident_core::log::event::Fact;
use incident_core::model::id::{CommandId, IncidentId, Seq};
use incident_core::model::severity::Severity;
use incident_core::model::side::Side;
use incident_core::model::time::Time;
use incident_core::port::Store;
use incident_core::port::store::{
    Claim, Commit, CommitError, Held, Hints, Page, Query, StoreError, StoreTrouble, StoredRecord,
};
use incident_core::rules::command::{Command, Declare, Note, Request};
use incident_core::runtime::{CommandError, Engine};
use incident_core::store::MemoryStore;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::bulkheads::{Far, runs};
use crate::world::{self, Answers, Journal, Shared, Wall, human};
use crate::{clock, declare};

/// A store that carries commits out and then can't be reached, once that is switched on.
#[derive(Debug)]
struct Cut {
    inner: MemoryStore,
    away: Arc<AtomicBool>,
}

impl Cut {
    fn reached(&self) -> Result<(), StoreError> {
        if self.away.load(Ordering::Relaxed) {
            return Err(StoreError::new(StoreTrouble::Unavailable, "be reached"));
        }
        Ok(())
    }
}

#[async_trait]
impl Store for Cut {
    async fn commit(&self, id: IncidentId, at: Seq, commit: &Commit) -> Result<(), CommitError> {
        self.inner.commit(id, at, commit).await?;
        tokio::task::yield_now().await;
        self.reached().map_err(CommitError::Unknown)
    }

    async fn load(&self, id: IncidentId, after: Seq) -> Result<Vec<StoredRecord>, StoreError> {
        self.reached()?;
        self.inner.load(id, after).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<IncidentId>, StoreError> {
        self.inner.claim(claim).await
    }

    async fn list(&self, query: &Query) -> Result<Page, StoreError> {
        self.inner.list(query).await
    }

    async fn holder(&self, key: &str) -> Result<Option<Held>, StoreError> {
        self.inner.holder(key).await
    }

    async fn next_wake(&self) -> Result<Option<Time>, StoreError> {
        self.inner.next_wake().await
    }

    fn hints(&self) -> Hints {
        self.inner.hints()
    }
}

#[tokio::test]
async fn each_command_of_a_commit_hears_its_own_id_when_nobody_knows_whether_it_stands() {
    let (away, inner) = (Arc::new(AtomicBool::new(false)), MemoryStore::new());
    let store = Arc::new(Cut { inner, away: Arc::clone(&away) });
    let engine = world::engine(store, &clock(), &Shared::default(), 1);
    let id = declare(&engine, Side::Live).await;
    let notes = |n: usize| {
        let note = Command::Note(Note { text: format!("note {n}") });
        Request::new(CommandId::named(&format!("note-{n}")), human("alice"), note)
    };
    away.store(true, Ordering::Relaxed);
    let sent = futures_util::future::join_all((0..5).map(|n| engine.send(id, notes(n)))).await;
    for (n, answer) in sent.into_iter().enumerate() {
        let Err(CommandError::Unknown { incident, command }) = answer else { panic!("{n}: {answer:?}") };
        assert_eq!((incident, command), (id, notes(n).id));
    }
    away.store(false, Ordering::Relaxed);
    for n in 0..5 {
        engine.send(id, notes(n)).await.unwrap();
    }
    let log = engine.incident(id).records().await.unwrap();
    assert_eq!(log.iter().filter(|record| matches!(record.fact, Fact::Noted(_))).count(), 5);
}

#[tokio::test]
async fn a_declaration_whose_outcome_is_unknown_is_sent_again_without_a_second_incident() {
    let (away, inner) = (Arc::new(AtomicBool::new(true)), MemoryStore::new());
    let store = Arc::new(Cut { inner: inner.clone(), away: Arc::clone(&away) });
    let engine = world::engine(store, &clock(), &Shared::default(), 1);
    let what = || Declare::new("checkout is down").severity(Severity::Sev1);
    let unknown = engine.declare(human("alice"), what()).await.unwrap_err();
    let CommandError::Unknown { incident, command } = unknown else { panic!("{unknown}") };
    away.store(false, Ordering::Relaxed);

    let again = engine.incident(incident).as_actor(human("alice")).with_command_id(command);
    let done = again.declare(what()).await.unwrap();

    assert_eq!((done.incident, done.changed), (incident, false), "it was declared the first time");
    assert_eq!(inner.list(&Query::all()).await.unwrap().rows.len(), 1);
}

#[tokio::test]
async fn a_command_id_belongs_to_one_command_of_a_handle() {
    let engine = world::engine(Arc::new(MemoryStore::new()), &clock(), &Shared::default(), 1);
    let id = declare(&engine, Side::Live).await;
    let handle = engine.incident(id).as_actor(human("alice")).with_command_id(CommandId::named("click-1"));
    let first = handle.note("first").await.unwrap();
    let second = handle.acknowledge().await.unwrap();
    let third = handle.note("another").await.unwrap();
    let again = handle.clone().note("first").await.unwrap();
    assert!(first.changed && second.changed && third.changed, "{second:?} {third:?}");
    assert_eq!((again.changed, again.seq), (false, first.seq), "the same command again is answered");
    let log = engine.incident(id).records().await.unwrap();
    assert_eq!(log.iter().filter(|record| record.command == CommandId::named("click-1")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn futures_that_are_never_polled_again_hold_up_nobody() {
    let (pager, inner) = (Journal::that(Answers::Well), MemoryStore::new());
    let engine = Engine::builder(Far::new(&inner, Duration::from_millis(50)))
        .clock(Wall::new())
        .runbook(world::runbook())
        .ports("pager", pager.ports())
        .route("pager", &world::EVERYBODY)
        .build()
        .unwrap();
    let id = declare(&engine, Side::Live).await;
    let incident = engine.incident(id).as_actor(human("alice"));
    // Each is polled once, in the middle of its call of the store, and kept.
    let mut note = Box::pin(incident.note("held"));
    let mut state = Box::pin(incident.state());
    let mut tick = Box::pin(engine.tick(Time::MAX_UTC));
    let mut alerts = Box::pin(engine.ingest("prometheus", Vec::new()));
    assert!(note.as_mut().now_or_never().is_none() && state.as_mut().now_or_never().is_none());
    let _ = (tick.as_mut().now_or_never(), alerts.as_mut().now_or_never());
    tokio::time::sleep(Duration::from_millis(60)).await;
    let _ = tick.as_mut().now_or_never();

    let soon = Duration::from_secs(2);
    tokio::time::timeout(soon, incident.acknowledge()).await.expect("a command goes on").unwrap();
    tokio::time::timeout(soon, incident.state()).await.expect("so does a look").unwrap();
    drop(tick);
    runs(&engine);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(engine.incident(id).state().await.unwrap().effects.is_empty(), "so does the loop");
    assert!(note.await.unwrap().changed);
}
