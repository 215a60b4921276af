//! What the engine promises, held on its public interface, in time that is turned by hand.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking, and documents itself by its name"
)]

mod apart;
mod bulkheads;
mod checks;
mod claims;
mod clocks;
mod commands;
mod damaged;
mod evidence;
mod failing;
mod heard;
mod intake;
mod once;
mod running;
mod stopping;
mod storms;
mod tickets;
mod world;

use std::sync::Arc;
use std::time::Duration;

use failing::{Failing, Fails};
use incident_core::log::chain;
use incident_core::log::event::Fact;
use incident_core::log::index::Index;
use incident_core::model::id::{EffectId, IncidentId, Seq};
use incident_core::model::notice::NoticeKind;
use incident_core::model::side::Side;
use incident_core::model::signal::{Detection, Signal};
use incident_core::model::time::Time;
use incident_core::port::Store;
use incident_core::port::store::{Commit, Query};
use incident_core::runtime::{AuditProblem, BuildError, Engine, ManualClock, SeededEntropy};
use incident_core::store::MemoryStore;
use world::{EVERYBODY, Shared, chat, declare, engine, play, runbook, shop, start};

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(start()))
}

/// Everything that was promised was done, each thing once, and the log is whole.
async fn holds(engine: &Engine, world: &Shared, id: IncidentId) {
    let audit = engine.audit().await.unwrap();
    assert!(audit.is_clean(), "{audit:?}");
    engine.incident(id).verify(None).await.unwrap();
    let world = world.lock().unwrap();
    assert_eq!(world.executed.len(), 1, "a mitigation is carried out once: {:?}", world.executed);
    let mut effects: Vec<_> = world.notices.iter().map(|(effect, ..)| effect).collect();
    let all = effects.len();
    effects.sort_unstable();
    effects.dedup();
    assert_eq!(effects.len(), all, "a notice that can be looked up comes once");
    let pages = world.notices.iter().filter(|(_, kind, _)| *kind == NoticeKind::Page).count();
    let resolved = world.notices.iter().filter(|(_, kind, _)| *kind == NoticeKind::Resolved).count();
    assert!(resolved >= 1 && pages <= 1, "{:?}", world.notices);
}

#[tokio::test]
async fn a_failure_at_every_call_of_the_store_loses_and_repeats_nothing() {
    for how in [Fails::Before, Fails::After] {
        for at in 1.. {
            let (clock, world) = (clock(), Shared::default());
            let sound = MemoryStore::new();
            let store = Arc::new(Failing::new(sound.clone(), at, how));
            let engine = engine(Arc::clone(&store) as _, &clock, &world, 7);
            let id = declare(&engine, Side::Live).await;
            play(std::slice::from_ref(&engine), &clock, id).await;
            let through = !store.reached();
            holds(&world::engine(Arc::new(sound), &clock, &world, 8), &world, id).await;
            if through {
                assert!(at > 40, "the scenario calls the store often");
                break;
            }
        }
    }
}

#[tokio::test]
async fn lost_replies_are_looked_for_before_anything_is_repeated() {
    for every in 1..=5 {
        let (clock, world) = (clock(), Shared::default());
        world.lock().unwrap().lose_every = every;
        let engine = engine(Arc::new(MemoryStore::new()), &clock, &world, every as u64);
        let id = declare(&engine, Side::Live).await;
        play(std::slice::from_ref(&engine), &clock, id).await;
        holds(&engine, &world, id).await;
    }
}

/// Two engines in turn, the second of which can't mitigate.
async fn two_engines(seed: u64) -> Vec<&'static str> {
    let (clock, world) = (clock(), Shared::default());
    world.lock().unwrap().lose_every = 4;
    let store = MemoryStore::new();
    let first = engine(Arc::new(store.clone()), &clock, &world, seed);
    let second = Engine::builder(store)
        .clock(Arc::clone(&clock) as _)
        .entropy(Arc::new(SeededEntropy::new(seed + 1)))
        .worker("second")
        .runbook(runbook())
        .ports("chat", chat(&world))
        .route("chat", &EVERYBODY)
        .build()
        .unwrap();
    let id = declare(&first, Side::Live).await;
    // Who proposes needs the system; the rest is anybody's.
    let mut turns = vec![first.clone(), first.clone(), second.clone()];
    turns.rotate_left(usize::try_from(seed % 3).unwrap());
    play(&turns, &clock, id).await;
    holds(&first, &world, id).await;
    first.incident(id).records().await.unwrap().iter().map(|record| record.fact.kind()).collect()
}

#[tokio::test]
async fn two_engines_do_everything_once_and_the_same_seed_does_the_same() {
    for seed in [10, 20, 30, 41, 55] {
        assert_eq!(two_engines(seed).await, two_engines(seed).await, "seed {seed}");
    }
}

#[tokio::test]
async fn a_drill_reaches_only_what_is_registered_for_drills_and_says_so() {
    let (clock, live, drill) = (clock(), Shared::default(), Shared::default());
    let engine = Engine::builder(MemoryStore::new())
        .clock(Arc::clone(&clock) as _)
        .runbook(runbook())
        .ports("chat", chat(&live))
        .ports("shop", shop(&live))
        .route("chat", &EVERYBODY)
        .drill_ports("chat", chat(&drill))
        .drill_ports("shop", shop(&drill))
        .drill_route("chat", &EVERYBODY)
        .build()
        .unwrap();
    let id = declare(&engine, Side::Drill).await;
    play(std::slice::from_ref(&engine), &clock, id).await;
    holds(&engine, &drill, id).await;
    assert!(live.lock().unwrap().notices.is_empty() && live.lock().unwrap().executed.is_empty());
    assert!(drill.lock().unwrap().notices.iter().all(|(_, _, marked)| *marked));

    let id = declare(&engine, Side::Live).await;
    play(std::slice::from_ref(&engine), &clock, id).await;
    assert_eq!(drill.lock().unwrap().executed.len(), 1, "a live incident leaves the drill's side alone");
    assert!(live.lock().unwrap().notices.iter().all(|(_, _, marked)| !*marked));
}

#[test]
fn one_adapter_for_both_sides_is_refused() {
    let ports = chat(&Shared::default());
    let built =
        Engine::builder(MemoryStore::new()).ports("chat", ports.clone()).drill_ports("other", ports).build();
    assert_eq!(built.unwrap_err(), BuildError::Shared { name: "chat".to_owned() });
}

fn alerts(count: usize) -> Vec<Signal> {
    let alert = |n| Signal::firing(&format!("pod-{n}"), "errors", Detection::MetricAlert);
    (0..count).map(|n| alert(n).with_label("service", "checkout").with_label("severity", "minor")).collect()
}

#[tokio::test]
async fn ten_thousand_alerts_are_one_incident_of_few_records() {
    let (clock, world) = (clock(), Shared::default());
    let engine = engine(Arc::new(MemoryStore::new()), &clock, &world, 1);
    let taken = engine.ingest("prometheus", alerts(10_000)).await.unwrap();
    let again = engine.ingest("prometheus", alerts(10_000)).await.unwrap();
    assert_eq!((taken.declared.len(), again.joined), (1, taken.declared.clone()));
    engine.tick(Time::MAX_UTC).await.unwrap();
    let incident = engine.incident(taken.declared[0]);
    assert!(incident.records().await.unwrap().len() < 100);
    assert_eq!(incident.state().await.unwrap().firing.len(), 10_000);
}

#[tokio::test]
async fn an_alert_an_hour_after_resolve_is_a_new_incident_that_names_the_old_one_and_pages() {
    let alerts = |count| -> Vec<Signal> {
        alerts(count).into_iter().map(|alert| alert.with_label("severity", "major")).collect()
    };
    let (clock, world) = (clock(), Shared::default());
    let engine = engine(Arc::new(MemoryStore::new()), &clock, &world, 1);
    let first = engine.ingest("prometheus", alerts(1)).await.unwrap().declared[0];
    let resolved = || alerts(1).into_iter().map(Signal::resolved).collect::<Vec<_>>();
    engine.ingest("prometheus", resolved()).await.unwrap();
    play(std::slice::from_ref(&engine), &clock, first).await;
    let pages =
        |world: &Shared| world.lock().unwrap().notices.iter().filter(|it| it.1 == NoticeKind::Page).count();
    let before = pages(&world);
    clock.advance(Duration::from_secs(3_600));
    let second = engine.ingest("prometheus", alerts(1)).await.unwrap().declared[0];
    engine.tick(Time::MAX_UTC).await.unwrap();
    assert!(engine.incident(second).state().await.unwrap().related.contains_key(&first));
    assert_eq!(pages(&world), before + 1);
}

#[tokio::test]
async fn five_hours_without_an_engine_are_one_breach_of_each_promise() {
    let (clock, world) = (clock(), Shared::default());
    let engine = engine(Arc::new(MemoryStore::new()), &clock, &world, 1);
    let id = declare(&engine, Side::Live).await;
    clock.advance(Duration::from_secs(5 * 3_600));
    engine.tick(Time::MAX_UTC).await.unwrap();
    let records = engine.incident(id).records().await.unwrap();
    let breaches = records.iter().filter(|record| matches!(record.fact, Fact::ObligationBreached(_))).count();
    let escalations = records.iter().filter(|record| matches!(record.fact, Fact::Escalated(_))).count();
    assert_eq!((breaches, escalations), (2, 1));
}

/// Appends a record of a kind that this version doesn't know.
async fn estrange(store: &MemoryStore, id: IncidentId) {
    let log = store.load(id, Seq::ZERO).await.unwrap();
    let last = log.last().unwrap();
    let body = String::from_utf8(last.body.clone()).unwrap();
    let kind = body.find("\"fact\":{\"").unwrap() + 9;
    let body =
        format!("{}telepathy{}", &body[..kind], &body[kind + body[kind..].find('"').unwrap()..]).into_bytes();
    let seq = last.seq.next();
    let record =
        chain::StoredRecord { seq, chain: chain::link(last.chain, seq, &body), body, slots: Vec::new() };
    let row = store.list(&Query::all()).await.unwrap().rows.into_iter().find(|row| row.id == id).unwrap();
    let row = Index::new(seq, row.next_wake, row.urgency);
    store.commit(id, last.seq, &Commit::new(vec![record], row, start())).await.unwrap();
}

/// The ids under which the caretaker was told that `id` can't be read, and whether as of a drill.
fn alarms(world: &Shared, id: IncidentId) -> Vec<(EffectId, bool)> {
    let world = world.lock().unwrap();
    let of_it = |it: &&(EffectId, NoticeKind, bool)| it.0.incident == id && it.1 == NoticeKind::PersonNeeded;
    world.notices.iter().filter(of_it).map(|(effect, _, drill)| (*effect, *drill)).collect()
}

#[tokio::test]
async fn an_incident_of_a_newer_version_is_left_alone_and_said_aloud_and_stops_no_other() {
    let (clock, world) = (clock(), Shared::default());
    let store = MemoryStore::new();
    let engine = engine(Arc::new(store.clone()), &clock, &world, 1);
    let (strange, plain) = (declare(&engine, Side::Live).await, declare(&engine, Side::Live).await);
    estrange(&store, strange).await;

    let tick = engine.tick(Time::MAX_UTC).await.unwrap();

    assert!(tick.unreadable[&strange].contains("telepathy"), "{tick:?}");
    let findings = engine.audit().await.unwrap().findings;
    assert!(
        findings.iter().any(|it| it.incident == strange && matches!(it.problem, AuditProblem::Unreadable(_)))
    );
    assert!(engine.incident(plain).state().await.unwrap().effects.is_empty(), "the other goes on");
    assert_eq!(alarms(&world, strange).len(), 1, "the caretaker hears of it");
    clock.advance(Duration::from_secs(2 * 60));
    engine.tick(Time::MAX_UTC).await.unwrap();
    assert_eq!(alarms(&world, strange).len(), 1, "once an hour");
    clock.advance(Duration::from_secs(3_600));
    engine.tick(Time::MAX_UTC).await.unwrap();
    let told = alarms(&world, strange);
    assert_eq!(told.len(), 2, "repeatedly");
    assert_ne!(told[0].0, told[1].0, "a backend that drops repeats doesn't drop the next hour's");
}

#[tokio::test]
async fn a_drill_that_cannot_be_read_is_said_where_drills_are_said() {
    let (clock, live, drill) = (clock(), Shared::default(), Shared::default());
    let store = MemoryStore::new();
    let engine = Engine::builder(store.clone())
        .clock(Arc::clone(&clock) as _)
        .runbook(runbook())
        .ports("chat", chat(&live))
        .route("chat", &EVERYBODY)
        .drill_ports("chat", chat(&drill))
        .drill_route("chat", &EVERYBODY)
        .build()
        .unwrap();
    let id = declare(&engine, Side::Drill).await;
    estrange(&store, id).await;
    engine.tick(Time::MAX_UTC).await.unwrap();
    assert!(live.lock().unwrap().notices.is_empty());
    assert!(matches!(alarms(&drill, id)[..], [(_, true)]), "marked");
}

/// An engine that could page nobody, or whose runbook can't be kept, doesn't start; who wants the first says so.
#[test]
fn an_engine_that_could_page_nobody_is_not_built() {
    let refused = |builder: incident_core::EngineBuilder| match builder.build() {
        Err(BuildError::Check { findings }) => findings.into_iter().map(|finding| finding.place).collect(),
        Err(other) => panic!("{other}"),
        Ok(_) => Vec::new(),
    };
    let chat = || chat(&Shared::default());
    let none = || Engine::builder(MemoryStore::new());
    let outside = none().ports("chat", chat()).route("chat", &["customers", "public"]);
    let drill = none().drill_ports("chat", chat()).drill_route("chat", &["responders"]);
    for builder in [none(), outside, drill] {
        assert_eq!(refused(builder), ["live.routes"]);
    }
    let inside = none().ports("chat", chat()).route("chat", &["team"]);
    assert_eq!(refused(inside), [""; 0]);
    assert_eq!(refused(none().pages_nobody()), [""; 0]);
    let mut runbook = incident_core::Runbook::default();
    runbook.escalation.every = Duration::ZERO;
    assert_eq!(refused(none().pages_nobody().runbook(runbook.clone())), ["escalation.every"]);
}
