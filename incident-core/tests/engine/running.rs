//! The loop that runs beside commands: what it hears of, and what it has room for.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use incident_core::config::Ports;
use incident_core::log::event::Fact;
use incident_core::model::effect::Receipt;
use incident_core::model::id::IncidentId;
use incident_core::model::notice::Notice;
use incident_core::model::role::Actor;
use incident_core::model::severity::Severity;
use incident_core::model::side::Side;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, EffectContext, Found, Notifier, Preflight, PreflightContext, Repeat,
};
use incident_core::rules::command::{Command, Declare, Request};
use incident_core::runtime::Engine;
use incident_core::store::MemoryStore;
use tokio::sync::Semaphore;

use crate::claims::Slow;
use crate::world::{self, Shared};
use crate::{clock, declare};

/// As often as nothing more can happen before the clock is turned.
async fn everything_that_can_happen_does() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}

fn runs(engine: &Engine) {
    let engine = engine.clone();
    tokio::spawn(async move { engine.run(std::future::pending()).await });
}

#[tokio::test(start_paused = true)]
async fn a_command_is_carried_out_although_its_caller_is_gone() {
    // The declaration is the first commit, and the second one is slow.
    let store = Slow::new(MemoryStore::new(), 2, || tokio::time::sleep(Duration::from_secs(12)));
    let engine = world::engine(Arc::new(store), &clock(), &Shared::default(), 1);
    let incident =
        engine.incident(declare(&engine, Side::Live).await).as_actor(Actor::human("chat", "alice"));
    let before = incident.state().await.unwrap().version;

    // One is under way when its caller goes, the other waits for it.
    assert!(incident.note("first").now_or_never().is_none());
    assert!(incident.note("second").now_or_never().is_none());
    tokio::time::sleep(Duration::from_secs(30)).await;

    let log = incident.records_after(before).await.unwrap();
    assert_eq!(log.iter().filter(|record| matches!(record.fact, Fact::Noted(_))).count(), 2);
}

#[tokio::test]
async fn a_declaration_of_what_somebody_else_declared_is_refused() {
    let (clock, world, store) = (clock(), Shared::default(), MemoryStore::new());
    let [one, other] = [1, 2].map(|n| world::engine(Arc::new(store.clone()), &clock, &world, n));
    let id = declare(&one, Side::Live).await;
    let again = Command::Declare(Box::new(Declare::new("checkout is slow")));
    let request = Request::new(other.new_command_id(), Actor::human("chat", "bob"), again);

    let refused = other.send(id, request).await.unwrap_err();

    assert!(refused.refusal().is_some(), "{refused}");
}

#[tokio::test]
async fn a_loop_asks_the_store_for_what_others_committed_and_not_for_its_own() {
    let (clock, world, inner) = (clock(), Shared::default(), MemoryStore::new());
    let store = Arc::new(Slow::new(inner.clone(), usize::MAX, || std::future::ready(())));
    let engine = world::engine(Arc::clone(&store) as _, &clock, &world, 1);
    runs(&engine);
    let incident =
        engine.incident(declare(&engine, Side::Live).await).as_actor(Actor::human("chat", "alice"));
    everything_that_can_happen_does().await;
    let (claims, told) = (store.claims.load(Ordering::Relaxed), world.lock().unwrap().notices.len());
    assert!(told > 0, "the declaration's notices are out");

    for _ in 0..20 {
        incident.note("still slow").await.unwrap();
    }
    everything_that_can_happen_does().await;
    assert_eq!(store.claims.load(Ordering::Relaxed), claims);

    let other = world::engine(Arc::new(inner), &clock, &world, 2);
    declare(&other, Side::Live).await;
    everything_that_can_happen_does().await;
    assert!(world.lock().unwrap().notices.len() > told, "nobody turned the clock");
}

/// Lets nothing out until the gate opens.
#[derive(Debug)]
struct Gated(Arc<Semaphore>);

#[async_trait]
impl Adapter for Gated {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("chat")
    }

    async fn preflight(&self, _cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        Ok(Preflight::default())
    }
}

#[async_trait]
impl Notifier for Gated {
    fn repeat(&self, _notice: &Notice) -> Repeat {
        Repeat::Converging
    }

    async fn deliver(&self, cx: &EffectContext, _notice: &Notice) -> Result<Receipt, AdapterError> {
        let _open = self.0.acquire().await;
        Ok(Receipt::new(&cx.effect.to_string()))
    }

    async fn find(&self, _cx: &EffectContext, _notice: &Notice) -> Result<Found<Receipt>, AdapterError> {
        Ok(Found::CannotTell)
    }
}

async fn has_begun(engine: &Engine, id: IncidentId) -> bool {
    let log = engine.incident(id).records().await.unwrap();
    log.iter().any(|record| matches!(record.fact, Fact::EffectStarted(_)))
}

#[tokio::test]
async fn a_commit_begins_only_what_there_is_room_for() {
    let gate = Arc::new(Semaphore::new(0));
    let engine = Engine::builder(MemoryStore::new())
        .clock(clock())
        .runbook(world::runbook())
        .parallel(1)
        .ports("chat", Ports::new().with_notifier(Gated(Arc::clone(&gate))))
        .route("chat", &["team", "responders"])
        .build()
        .unwrap();
    let declared = async || {
        let declare = Declare::new("checkout is slow").severity(Severity::Sev2);
        engine.declare(Actor::human("chat", "alice"), declare).await.unwrap().id()
    };
    let before = declared().await;
    assert!(!has_begun(&engine, before).await, "nobody runs");
    runs(&engine);
    everything_that_can_happen_does().await;
    assert!(has_begun(&engine, before).await, "the loop found it");

    let [first, second] = [declared().await, declared().await];
    everything_that_can_happen_does().await;
    assert!(!has_begun(&engine, first).await && !has_begun(&engine, second).await, "both places are taken");

    gate.add_permits(Semaphore::MAX_PERMITS >> 1);
    everything_that_can_happen_does().await;
    for id in [before, first, second] {
        assert!(engine.incident(id).state().await.unwrap().effects.is_empty());
    }
}
