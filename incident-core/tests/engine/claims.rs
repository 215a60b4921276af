//! A store that is slow to answer: no call waits for it, and none goes on after its claim.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use incident_core::config::Ports;
use incident_core::log::event::Fact;
use incident_core::model::effect::Receipt;
use incident_core::model::id::{IncidentId, Seq};
use incident_core::model::notice::Notice;
use incident_core::model::side::Side;
use incident_core::model::time::Time;
use incident_core::port::store::{
    Claim, Commit, CommitError, Held, Hints, Page, Query, StoreError, StoredRecord,
};
use incident_core::port::{
    Adapter, AdapterError, Capabilities, Clock, EffectContext, ErrorKind, Found, Notifier, Preflight,
    PreflightContext, Repeat, Store,
};
use incident_core::runtime::{Engine, ManualClock};
use incident_core::store::MemoryStore;

use crate::world::{self, Shared};
use crate::{clock, declare};

/// A store whose reply to one commit takes its time, in which something else happens. It counts what it is asked to claim.
pub(crate) struct Slow {
    inner: MemoryStore,
    pub(crate) claims: AtomicUsize,
    commits: AtomicUsize,
    at: usize,
    meanwhile: Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
}

impl fmt::Debug for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slow")
    }
}

impl Slow {
    pub(crate) fn new<F: Future<Output = ()> + Send + 'static>(
        inner: MemoryStore,
        at: usize,
        meanwhile: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        let (claims, commits) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { inner, claims, commits, at, meanwhile: Box::new(move || meanwhile().boxed()) }
    }
}

#[async_trait]
impl Store for Slow {
    async fn commit(&self, id: IncidentId, at: Seq, commit: &Commit) -> Result<(), CommitError> {
        let answer = self.inner.commit(id, at, commit).await;
        if self.commits.fetch_add(1, Ordering::Relaxed) + 1 == self.at {
            (self.meanwhile)().await;
        }
        answer
    }

    async fn load(&self, id: IncidentId, after: Seq) -> Result<Vec<StoredRecord>, StoreError> {
        self.inner.load(id, after).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<IncidentId>, StoreError> {
        self.claims.fetch_add(1, Ordering::Relaxed);
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
async fn a_claim_that_ended_before_its_call_is_not_trusted() {
    let (clock, world) = (clock(), Shared::default());
    let inner = MemoryStore::new();
    let other = world::engine(Arc::new(inner.clone()), &clock, &world, 2);
    let turned = Arc::clone(&clock);
    // The first commit declares, the second one begins what was planned.
    let store = Slow::new(inner, 2, move || {
        let (clock, other) = (Arc::clone(&turned), other.clone());
        async move {
            clock.advance(Duration::from_secs(60));
            other.tick(Time::MAX_UTC).await.unwrap();
        }
    });
    let engine = world::engine(Arc::new(store), &clock, &world, 1);
    let id = declare(&engine, Side::Live).await;

    engine.tick(Time::MAX_UTC).await.unwrap();

    let told: Vec<_> = world.lock().unwrap().notices.iter().map(|(effect, ..)| *effect).collect();
    let mut once = told.clone();
    once.sort_unstable();
    once.dedup();
    assert!(!told.is_empty() && told.len() == once.len(), "{id} was told twice: {told:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_call_came_to_is_heard_while_the_store_is_slow() {
    // The third commit and those after it record what calls came to.
    for at in 3..6 {
        let (clock, world) = (clock(), Shared::default());
        let store = Slow::new(MemoryStore::new(), at, || tokio::time::sleep(Duration::from_secs(12)));
        let engine = world::engine(Arc::new(store), &clock, &world, 1);
        let id = declare(&engine, Side::Live).await;

        engine.tick(Time::MAX_UTC).await.unwrap();

        let log = engine.incident(id).records().await.unwrap();
        let failed = log.iter().any(|record| matches!(record.fact, Fact::EffectFailed(_)));
        assert!(!failed && engine.incident(id).state().await.unwrap().effects.is_empty(), "{log:#?}");
    }
}

/// Takes a minute to look, and loses the first reply.
#[derive(Debug)]
struct LooksLong {
    clock: Arc<ManualClock>,
    delivered: Arc<AtomicUsize>,
}

#[async_trait]
impl Adapter for LooksLong {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("chat")
    }

    async fn preflight(&self, _cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        Ok(Preflight::default())
    }
}

#[async_trait]
impl Notifier for LooksLong {
    fn repeat(&self, _notice: &Notice) -> Repeat {
        Repeat::Lookup
    }

    async fn deliver(&self, _cx: &EffectContext, _notice: &Notice) -> Result<Receipt, AdapterError> {
        self.delivered.fetch_add(1, Ordering::Relaxed);
        Err(AdapterError::new(ErrorKind::Unavailable, "deliver"))
    }

    async fn find(&self, _cx: &EffectContext, _notice: &Notice) -> Result<Found<Receipt>, AdapterError> {
        self.clock.advance(Duration::from_secs(60));
        Ok(Found::No)
    }
}

#[tokio::test]
async fn a_claim_that_ended_during_the_look_is_not_trusted() {
    let (clock, delivered) = (clock(), Arc::new(AtomicUsize::new(0)));
    let notifier = LooksLong { clock: Arc::clone(&clock), delivered: Arc::clone(&delivered) };
    let engine = Engine::builder(MemoryStore::new())
        .clock(Arc::clone(&clock) as _)
        .runbook(world::runbook())
        .ports("chat", Ports::new().with_notifier(notifier))
        .route("chat", &["team"])
        .build()
        .unwrap();
    declare(&engine, Side::Live).await;
    engine.tick(Time::MAX_UTC).await.unwrap();
    assert_eq!(delivered.load(Ordering::Relaxed), 1);
    clock.advance(Duration::from_secs(2));

    engine.tick(clock.now() + Duration::from_millis(1)).await.unwrap();

    assert_eq!(delivered.load(Ordering::Relaxed), 1, "what may be sent by another engine is sent");
}
