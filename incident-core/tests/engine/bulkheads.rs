//! A page waits for its own call and for nothing else.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use incident_core::model::id::{IncidentId, Seq};
use incident_core::model::severity::Severity;
use incident_core::model::side::Side;
use incident_core::model::time::Time;
use incident_core::port::Store;
use incident_core::port::store::{
    Claim, Commit, CommitError, Held, Hints, Page, Query, StoreError, StoredRecord,
};
use incident_core::rules::command::Declare;
use incident_core::runtime::{Engine, EngineBuilder};
use incident_core::store::MemoryStore;
use tokio::time::Instant;

use crate::world::{self, Answers, Journal, Wall, human};

/// A store each of whose calls takes its time, and that gives no hints if it is silent.
#[derive(Clone)]
pub(crate) struct Far {
    inner: MemoryStore,
    takes: Duration,
    silent: bool,
    /// The incident that it panics about, once that is switched on.
    panics: Option<(IncidentId, Arc<AtomicBool>)>,
}

impl fmt::Debug for Far {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Far")
    }
}

impl Far {
    pub(crate) fn new(inner: &MemoryStore, takes: Duration) -> Self {
        Self { inner: inner.clone(), takes, silent: false, panics: None }
    }

    pub(crate) fn panicking_about(mut self, id: IncidentId, now: &Arc<AtomicBool>) -> Self {
        self.panics = Some((id, Arc::clone(now)));
        self
    }

    async fn takes(&self) {
        if !self.takes.is_zero() {
            tokio::time::sleep(self.takes).await;
        }
    }
}

#[async_trait]
impl Store for Far {
    async fn commit(&self, id: IncidentId, at: Seq, commit: &Commit) -> Result<(), CommitError> {
        self.takes().await;
        self.inner.commit(id, at, commit).await
    }

    async fn load(&self, id: IncidentId, after: Seq) -> Result<Vec<StoredRecord>, StoreError> {
        self.takes().await;
        if let Some((about, now)) = &self.panics {
            assert!(*about != id || !now.load(Ordering::Relaxed), "it panics");
        }
        self.inner.load(id, after).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<IncidentId>, StoreError> {
        self.takes().await;
        self.inner.claim(claim).await
    }

    async fn list(&self, query: &Query) -> Result<Page, StoreError> {
        self.takes().await;
        self.inner.list(query).await
    }

    async fn holder(&self, key: &str) -> Result<Option<Held>, StoreError> {
        self.takes().await;
        self.inner.holder(key).await
    }

    async fn next_wake(&self) -> Result<Option<Time>, StoreError> {
        self.takes().await;
        self.inner.next_wake().await
    }

    fn hints(&self) -> Hints {
        if self.silent { Box::pin(futures_util::stream::pending()) } else { self.inner.hints() }
    }
}

/// A pager that is well, a chat that hangs, and a status page that takes nothing for a day.
fn troubled(store: Arc<dyn Store>, clock: &Arc<Wall>, pager: &Journal) -> EngineBuilder {
    let day = Duration::from_secs(86_400);
    Engine::builder_on(store)
        .clock(Arc::clone(clock) as _)
        .runbook(world::runbook())
        .ports("pager", pager.ports())
        .ports("chat", Journal::that(Answers::Never).ports())
        .ports("status", Journal::that(Answers::NotFor(day)).ports())
        .route("pager", &["responders"])
        .route("chat", &["team", "leadership", "staff", "caretaker"])
        .route("status", &["customers", "executives"])
}

pub(crate) fn runs(engine: &Engine) {
    let engine = engine.clone();
    tokio::spawn(async move { engine.run(std::future::pending()).await });
}

async fn declared(engine: &Engine, severity: Severity) -> IncidentId {
    let declare = Declare::new("checkout is down").severity(severity);
    engine.declare(human("alice"), declare).await.unwrap().id()
}

/// How long after `since` the n-th page of an incident came.
async fn paged_after(pager: &Journal, id: IncidentId, count: usize, since: Instant) -> Duration {
    for _ in 0..6_000 {
        if let Some(at) = pager.pages(id).get(count - 1) {
            return at.duration_since(since);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no page within a minute");
}

#[tokio::test(start_paused = true)]
async fn a_page_comes_within_a_second_whatever_else_is_slow() {
    let (clock, pager, inner) = (Wall::new(), Journal::that(Answers::Well), MemoryStore::new());
    let far = || Arc::new(Far::new(&inner, Duration::from_millis(300)));
    let engine = troubled(far(), &clock, &pager).build().unwrap();
    runs(&engine);
    let many = (0..1_000).map(|_| declared(&engine, Severity::Sev2));
    futures_util::future::join_all(many).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    clock.step(TimeDelta::hours(-1));

    for wait in [0, 1, 15, 60] {
        tokio::time::sleep(Duration::from_secs(wait)).await;
        let first = declared(&engine, Severity::Sev1).await;
        let took = paged_after(&pager, first, 1, Instant::now()).await;
        assert!(took <= Duration::from_secs(1), "{wait} s after the step it took {took:?}");

        // Another process that runs no loop commits what pages.
        let other = troubled(far(), &clock, &pager).worker("other").build().unwrap();
        let second = declared(&other, Severity::Sev1).await;
        let took = paged_after(&pager, second, 1, Instant::now()).await;
        assert!(took <= Duration::from_millis(1_500), "another's page, {wait} s after the step: {took:?}");
    }
}

/// Somebody else plans a page for an incident whose pass waits for a slow call.
async fn planned_meanwhile(silent: bool) -> Duration {
    let (clock, pager, inner) = (Wall::new(), Journal::that(Answers::Well), MemoryStore::new());
    let mut store = Far::new(&inner, Duration::ZERO);
    store.silent = silent;
    let engine = troubled(Arc::new(store), &clock, &pager).build().unwrap();
    runs(&engine);
    let id = declared(&engine, Severity::Sev3).await;
    tokio::time::sleep(Duration::from_millis(3_100)).await;
    let before = pager.pages(id).len();
    let other = troubled(Arc::new(inner), &clock, &pager).worker("other").build().unwrap();

    other.incident(id).as_actor(human("bob")).escalate("it is worse than it looks").await.unwrap();

    paged_after(&pager, id, before + 1, Instant::now()).await
}

#[tokio::test(start_paused = true)]
async fn a_page_that_another_replica_plans_waits_for_no_slow_call_of_its_incident() {
    let took = planned_meanwhile(false).await;
    assert!(took <= Duration::from_millis(100), "{took:?}");
    let took = planned_meanwhile(true).await;
    assert!(took <= Duration::from_millis(1_100), "without hints: {took:?}");
}

#[tokio::test]
async fn nothing_is_left_waiting_for_a_place() {
    let (clock, world) = (crate::clock(), world::Shared::default());
    let engine = Engine::builder(MemoryStore::new())
        .clock(Arc::clone(&clock) as _)
        .runbook(world::runbook())
        .parallel(2)
        .ports("chat", world::chat(&world))
        .route("chat", &world::EVERYBODY)
        .build()
        .unwrap();
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(crate::declare(&engine, Side::Live).await);
    }
    while engine.tick(Time::MAX_UTC).await.unwrap().ran > 0 {}
    for id in ids {
        assert!(engine.incident(id).state().await.unwrap().effects.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_that_is_free_is_taken_at_once() {
    let chat = Journal::that(Answers::After(Duration::from_millis(100)));
    let engine = Engine::builder(MemoryStore::new())
        .clock(Wall::new())
        .runbook(world::runbook())
        .parallel(2)
        .ports("chat", chat.ports())
        .route("chat", &world::EVERYBODY)
        .build()
        .unwrap();
    runs(&engine);
    let declared = (0..40).map(|_| declared(&engine, Severity::Sev3));
    let ids = futures_util::future::join_all(declared).await;
    let open = async || {
        let mut open = 0;
        for id in &ids {
            open += engine.incident(*id).state().await.unwrap().effects.len();
        }
        open
    };
    let begun = Instant::now();
    while open().await > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(begun.elapsed() < Duration::from_secs(30), "{} effects are left", open().await);
    }
    // Two notices at a time, a tenth of a second each.
    let notices = u32::try_from(chat.came.lock().unwrap().len()).unwrap();
    let least = Duration::from_millis(100) * notices / 2;
    assert!(begun.elapsed() <= least + Duration::from_secs(1), "{notices} took {:?}", begun.elapsed());
}
