//! What fails in one adapter or one incident concerns no other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use incident_core::config::Ports;
use incident_core::log::event::Fact;
use incident_core::model::effect::EffectState;
use incident_core::model::effect::Receipt;
use incident_core::model::id::IncidentId;
use incident_core::model::notice::Notice;
use incident_core::model::notice::NoticeKind;
use incident_core::model::severity::Severity;
use incident_core::model::side::Side;
use incident_core::model::ticket::{Ticket, TicketChange, TicketRef};
use incident_core::model::time::Time;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, EffectContext, ErrorKind, Found, Preflight, PreflightContext,
    ReadContext, Repeat, Tracker,
};
use incident_core::rules::command::Declare;
use incident_core::runtime::{Engine, SystemClock};
use incident_core::store::MemoryStore;

use crate::bulkheads::{Far, runs};
use crate::world::{self, Answers, Journal, Wall, human};
use crate::{clock, declare};

async fn declared(engine: &Engine) -> IncidentId {
    let declare = Declare::new("checkout is down").severity(Severity::Sev1);
    engine.declare(human("alice"), declare).await.unwrap().id()
}

#[tokio::test(start_paused = true)]
async fn a_panic_wherever_an_adapter_is_asked_is_one_effects_trouble() {
    let (panics, pager) = (Journal::that(Answers::ByPanic), Journal::that(Answers::Well));
    let engine = Engine::builder(MemoryStore::new())
        .clock(Wall::new())
        .runbook(world::runbook())
        .ports("bad", panics.ports())
        .ports("pager", pager.ports())
        .route("bad", &["team", "leadership", "staff", "customers", "executives"])
        .route("pager", &["responders", "caretaker"])
        .build()
        .unwrap();
    runs(&engine);
    for _ in 0..3 {
        let id = declared(&engine).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(pager.paged(id).is_some(), "the loop goes on");
    }
    let report = engine.preflight().await;
    assert!(!report.is_good(), "{report:?}");
    assert_eq!(report.adapters.len(), 2, "both were asked");
}

#[tokio::test(start_paused = true)]
async fn a_panic_over_one_incident_stops_no_other_and_is_said() {
    let (inner, pager, now) =
        (MemoryStore::new(), Journal::that(Answers::Well), Arc::new(AtomicBool::new(false)));
    let quiet = world::engine(Arc::new(inner.clone()), &clock(), &world::Shared::default(), 9);
    let strange = declare(&quiet, Side::Live).await;
    let store = Far::new(&inner, Duration::ZERO).panicking_about(strange, &now);
    let engine = Engine::builder(store)
        .clock(Wall::new())
        .runbook(world::runbook())
        .worker("one")
        .ports("chat", pager.ports())
        .route("chat", &["responders", "team", "caretaker"])
        .build()
        .unwrap();
    now.store(true, Ordering::Relaxed);
    runs(&engine);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let plain = declared(&engine).await;
    tokio::time::sleep(Duration::from_secs(2)).await;

    assert!(pager.paged(plain).is_some(), "the loop goes on");
    let said = |(_, it): &&(_, Notice)| it.kind == NoticeKind::PersonNeeded && it.title.contains("defect");
    let said = pager.came.lock().unwrap().iter().filter(said).count();
    assert_eq!(said, 1, "the caretaker hears of it once an hour");
    let refused = engine.incident(strange).state().await;
    assert!(refused.is_err(), "whoever asks is answered");
    // Its lease isn't renewed while nobody works on it: another engine takes over.
    now.store(false, Ordering::Relaxed);
    let healthy = Engine::builder(inner)
        .clock(Wall::new())
        .runbook(world::runbook())
        .worker("two")
        .ports("chat", pager.ports())
        .route("chat", &["responders", "team", "caretaker"])
        .build()
        .unwrap();
    tokio::time::sleep(Duration::from_secs(16)).await;
    runs(&healthy);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(healthy.incident(strange).state().await.unwrap().effects.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn adapters_that_block_their_threads_delay_no_page() {
    let blocks = || Journal::that(Answers::Blocking(Duration::from_secs(3))).ports();
    let pager = Journal::that(Answers::Well);
    let engine = Engine::builder(MemoryStore::new())
        .clock(Arc::new(SystemClock))
        .runbook(world::runbook())
        .ports("file", blocks())
        .ports("old", blocks())
        .ports("pager", pager.ports())
        .route("file", &["team", "leadership"])
        .route("old", &["customers", "staff", "executives"])
        .route("pager", &["responders"])
        .build()
        .unwrap();
    runs(&engine);
    for _ in 0..5 {
        let begun = tokio::time::Instant::now();
        let id = declared(&engine).await;
        while pager.paged(id).is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(begun.elapsed() < Duration::from_millis(1_500), "{:?}", begun.elapsed());
    }
}

/// A tracker that loses the first reply, and that can't be asked afterwards.
#[derive(Debug)]
struct Revoked(AtomicBool);

#[async_trait]
impl Adapter for Revoked {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("tickets")
    }

    async fn preflight(&self, _cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        Ok(Preflight::default())
    }
}

#[async_trait]
impl Tracker for Revoked {
    fn repeat(&self, _change: &TicketChange) -> Repeat {
        Repeat::Lookup
    }

    async fn apply(&self, _: &EffectContext, _: &TicketChange) -> Result<Receipt, AdapterError> {
        assert!(!self.0.swap(true, Ordering::Relaxed), "it is opened once");
        Err(AdapterError::new(ErrorKind::Unavailable, "open the ticket"))
    }

    async fn find(&self, _: &EffectContext, _: &TicketChange) -> Result<Found<Receipt>, AdapterError> {
        // Of itself, a refusal says that nothing was applied.
        Err(AdapterError::new(ErrorKind::Auth, "look for the ticket"))
    }

    async fn read(&self, _: &ReadContext, _: &[TicketRef]) -> Result<Vec<Ticket>, AdapterError> {
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn a_look_that_failed_does_not_say_that_nothing_happened() {
    let (clock, world) = (clock(), world::Shared::default());
    let engine = Engine::builder(MemoryStore::new())
        .clock(Arc::clone(&clock) as _)
        .runbook(world::runbook())
        .ports("chat", world::chat(&world))
        .ports("tickets", Ports::new().with_tracker(Revoked(AtomicBool::new(false))))
        .route("chat", &world::EVERYBODY)
        .tracker("tickets")
        .build()
        .unwrap();
    let id = declare(&engine, Side::Live).await;
    for _ in 0..60 {
        engine.tick(Time::MAX_UTC).await.unwrap();
        clock.advance(Duration::from_secs(5));
    }
    let state = engine.incident(id).state().await.unwrap();
    let ticket = state.effects.values().find(|effect| effect.route == "tickets").unwrap();
    assert!(matches!(ticket.state, EffectState::Unknown(_)), "{ticket:?}");
    let log = engine.incident(id).records().await.unwrap();
    assert!(log.iter().filter(|record| matches!(record.fact, Fact::EffectFailed(_))).count() > 2);
}
