//! A clock that is set, by an operator, by NTP or by mistake, delays nothing.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use incident_core::model::id::IncidentId;
use incident_core::model::notice::NoticeKind;
use incident_core::model::severity::Severity;
use incident_core::model::time::Time;
use incident_core::port::Clock;
use incident_core::port::store::Query;
use incident_core::rules::command::Declare;
use incident_core::runtime::{AuditProblem, Engine};
use incident_core::store::MemoryStore;

use crate::bulkheads::runs;
use crate::world::{self, Answers, Journal, Wall, human};
use crate::{clock, declare};

fn engine(store: &MemoryStore, clock: Arc<dyn Clock>, worker: &str, pager: &Journal) -> Engine {
    Engine::builder(store.clone())
        .clock(clock)
        .runbook(world::runbook())
        .worker(worker)
        .ports("pager", pager.ports())
        .route("pager", &world::EVERYBODY)
        .build()
        .unwrap()
}

async fn declared(engine: &Engine) -> IncidentId {
    let declare = Declare::new("checkout is down").severity(Severity::Sev1);
    engine.declare(human("alice"), declare).await.unwrap().id()
}

/// Whether the caretaker was told that the clock was set.
fn steps_told(pager: &Journal) -> usize {
    let came = pager.came.lock().unwrap();
    came.iter().filter(|(_, it)| it.kind == NoticeKind::PersonNeeded && it.title.contains("clock")).count()
}

#[tokio::test(start_paused = true)]
async fn whatever_the_clock_is_set_to_pages_and_deadlines_come_when_they_should() {
    let steps = [TimeDelta::hours(-1), TimeDelta::minutes(-5), TimeDelta::days(-30), TimeDelta::seconds(-3)];
    for step in steps {
        let (clock, pager, store) = (Wall::new(), Journal::that(Answers::Well), MemoryStore::new());
        let engine = engine(&store, Arc::clone(&clock) as _, "one", &pager);
        runs(&engine);
        let before = declared(&engine).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        clock.step(step);
        let after = declared(&engine).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(pager.paged(after).is_some(), "{step}: a page after the step");

        // Both acknowledgements are due a quarter of an hour after their declaration.
        let owed = engine.incident(after).state().await.unwrap();
        let length = owed.obligations.values().map(|owed| owed.due).min().unwrap() - engine.now();
        assert!(length <= TimeDelta::minutes(15), "{step}: {length}");
        tokio::time::sleep(length.to_std().unwrap() + Duration::from_secs(2)).await;
        for id in [before, after] {
            let log = engine.incident(id).records().await.unwrap();
            let missed = log.iter().any(|record| record.fact.kind() == "ObligationBreached");
            assert!(missed, "{step}: the deadline");
        }
        assert_eq!(steps_told(&pager), 1, "{step}: it is said once");
        assert_eq!(engine.health().await.unwrap().behind, Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_weeks_ahead_for_a_moment_dates_nothing() {
    let (clock, pager, store) = (Wall::new(), Journal::that(Answers::Well), MemoryStore::new());
    let engine = engine(&store, Arc::clone(&clock) as _, "one", &pager);
    runs(&engine);
    let id = declared(&engine).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    clock.step(TimeDelta::weeks(3));
    engine.incident(id).as_actor(human("bob")).note("the clock is wrong at this moment").await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    clock.step(TimeDelta::weeks(-3));

    let log = engine.incident(id).records().await.unwrap();
    let latest = clock.now() + TimeDelta::seconds(1);
    assert!(log.iter().all(|record| record.recorded_at <= latest), "{log:#?}");
    let pages = pager.pages(id).len();
    engine.incident(id).as_actor(human("bob")).escalate("it is worse").await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(pager.pages(id).len() > pages);
}

#[tokio::test(start_paused = true)]
async fn an_incident_that_was_dated_weeks_ahead_is_taken_up_by_an_engine_whose_clock_is_right() {
    let (pager, store) = (Journal::that(Answers::Never), MemoryStore::new());
    let wrong = Wall::new();
    wrong.step(TimeDelta::weeks(3));
    // Its calls are under way, and some wait, when the process ends.
    let id = {
        let ahead = engine(&store, Arc::clone(&wrong) as _, "one", &pager);
        let id = declared(&ahead).await;
        let _ = tokio::time::timeout(Duration::from_secs(5), ahead.tick(Time::MAX_UTC)).await;
        id
    };
    tokio::time::sleep(Duration::from_secs(30)).await;
    let pager = Journal::that(Answers::Well);
    let right = Wall::new();
    let engine = engine(&store, Arc::clone(&right) as _, "two", &pager);
    runs(&engine);
    tokio::time::sleep(Duration::from_secs(2)).await;

    assert!(pager.paged(id).is_some(), "its page goes out");
    let state = engine.incident(id).state().await.unwrap();
    let soon = right.now() + TimeDelta::days(1);
    let due: Vec<_> = state.obligations.values().map(|owed| owed.due).collect();
    assert!(
        !due.is_empty() && due.iter().all(|due| *due < soon),
        "its deadlines are as long as promised: {due:?}"
    );
    let row = store_row(&store, id).await;
    assert!(row.is_some_and(|wake| wake < soon), "{row:?}");
}

async fn store_row(store: &MemoryStore, id: IncidentId) -> Option<Time> {
    use incident_core::port::Store as _;
    let rows = store.list(&Query::all()).await.unwrap().rows;
    rows.into_iter().find(|row| row.id == id).and_then(|row| row.next_wake)
}

#[tokio::test]
async fn an_audit_is_clean_while_an_effect_waits_for_its_next_attempt() {
    let (clock, store) = (clock(), MemoryStore::new());
    // Waits whose lengths are no whole milliseconds.
    let waits =
        [Duration::from_nanos(1_234_567_891), Duration::from_micros(61_000_001), Duration::from_secs(61)];
    for wait in waits {
        let pager = Journal::that(Answers::NotFor(wait));
        let engine = engine(&store, Arc::clone(&clock) as _, "one", &pager);
        declared(&engine).await;
        for _ in 0..5 {
            engine.tick(Time::MAX_UTC).await.unwrap();
            let audit = engine.audit().await.unwrap();
            assert!(audit.is_clean(), "{wait:?}: {audit:?}");
            clock.advance(Duration::from_millis(1_500));
        }
    }
}

#[tokio::test]
async fn what_is_overdue_is_in_the_lag_and_after_two_leases_in_the_audit() {
    let (clock, world) = (clock(), world::Shared::default());
    let engine = world::engine(Arc::new(MemoryStore::new()), &clock, &world, 1);
    assert_eq!(engine.health().await.unwrap().behind, Duration::ZERO, "nothing is owed");
    let id = declare(&engine, incident_core::model::side::Side::Live).await;
    let begun = clock.now();
    assert!(engine.audit().await.unwrap().is_clean(), "it is due since this moment");

    clock.advance(Duration::from_secs(29));
    assert_eq!(engine.health().await.unwrap().behind, Duration::from_secs(29));
    assert!(engine.audit().await.unwrap().is_clean(), "an engine that died may be taken over from");

    clock.advance(Duration::from_secs(2));
    let audit = engine.audit().await.unwrap();
    assert_eq!(audit.findings.len(), 1);
    assert_eq!(audit.findings[0].incident, id);
    assert_eq!(audit.findings[0].problem, AuditProblem::Overdue { since: begun });

    engine.tick(Time::MAX_UTC).await.unwrap();
    assert!(engine.audit().await.unwrap().is_clean());
    assert_eq!(engine.health().await.unwrap().behind, Duration::ZERO);
}
