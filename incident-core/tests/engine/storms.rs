//! Storms of alerts: after so many incidents one more gathers the rest, on however many engines, however often they start.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use incident_core::log::event::Fact;
use incident_core::log::incident::Incident;
use incident_core::log::index::{Index, Key};
use incident_core::model::effect::Urgency;
use incident_core::model::id::IncidentId;
use incident_core::model::notice::NoticeKind;
use incident_core::model::phase::Phase;
use incident_core::model::role::Actor;
use incident_core::model::signal::{Detection, Signal};
use incident_core::model::time::Time;
use incident_core::port::store::Commit;
use incident_core::port::{Clock as _, Store as _};
use incident_core::rules::command::{Advance, Close, Command, Gather, Gathered, Request, Resolve};
use incident_core::runtime::{Engine, Intake, ManualClock, SeededEntropy};
use incident_core::store::MemoryStore;

use crate::claims::Slow;
use crate::clock;
use crate::failing::{Failing, Fails};
use crate::world::{self, EVERYBODY, Shared, chat};

/// How many incidents of a severity come of alerts before the rest is gathered, by the default runbook.
const LIMIT: usize = 20;

fn alert(group: usize, severity: &str) -> Signal {
    Signal::firing(&format!("{severity}-{group}"), "errors", Detection::MetricAlert)
        .with_label("service", &format!("service-{group}"))
        .with_label("severity", severity)
}

fn minor(groups: std::ops::Range<usize>) -> Vec<Signal> {
    groups.map(|group| alert(group, "minor")).collect()
}

async fn takes(engine: &Engine, alerts: Vec<Signal>) -> Intake {
    engine.ingest("prometheus", alerts).await.unwrap()
}

/// The incident that gathers.
async fn storm(engine: &Engine, among: &[IncidentId]) -> Option<Incident> {
    for id in among {
        let state = engine.incident(*id).state().await.unwrap();
        if state.storm.is_some() {
            return Some(state);
        }
    }
    None
}

struct Place {
    clock: Arc<ManualClock>,
    world: Shared,
    store: MemoryStore,
}

impl Place {
    fn new() -> Self {
        Self { clock: clock(), world: Shared::default(), store: MemoryStore::new() }
    }

    fn engine(&self, seed: u64) -> Engine {
        world::engine(Arc::new(self.store.clone()), &self.clock, &self.world, seed)
    }

    /// An engine that took a hundred groups in, the incident that gathers most of them, and what became of all.
    async fn stormy(&self) -> (Engine, Incident, Intake) {
        let engine = self.engine(1);
        let taken = takes(&engine, minor(0..100)).await;
        let gathers = storm(&engine, &taken.declared).await.unwrap();
        (engine, gathers, taken)
    }
}

#[tokio::test]
async fn a_storm_pages_for_a_few_incidents_and_once_for_the_rest() {
    let place = Place::new();
    let engine = place.engine(1);
    let taken = takes(&engine, (0..1_000).map(|n| alert(n, "major")).collect()).await;
    assert_eq!(taken.declared.len(), LIMIT + 1);
    let storm = storm(&engine, &taken.declared).await.unwrap();
    assert_eq!(storm.firing.len(), 1_000 - LIMIT);
    assert_eq!(taken.joined, [], "the storm was declared here");

    engine.tick(Time::MAX_UTC).await.unwrap();
    let notices = place.world.lock().unwrap().notices.clone();
    assert_eq!(notices.iter().filter(|(_, kind, _)| *kind == NoticeKind::Page).count(), LIMIT + 1);
    assert!(engine.audit().await.unwrap().is_clean());
    assert!(engine.incident(storm.id).records().await.unwrap().len() < 100);
}

#[tokio::test]
async fn what_was_gathered_stays_with_the_storm_and_what_comes_after_it_is_an_incident() {
    let place = Place::new();
    let (engine, gathers, taken) = place.stormy().await;
    let own: BTreeSet<_> = taken.declared.iter().filter(|id| **id != gathers.id).collect();
    place.clock.advance(Duration::from_secs(660));

    // The source sends everything again.
    let again = takes(&engine, minor(0..100)).await;
    let joined: BTreeSet<_> = again.joined.iter().filter(|id| **id != gathers.id).collect();
    assert_eq!((again.declared.len(), joined), (0, own));
    assert_eq!(engine.incident(gathers.id).state().await.unwrap().version, gathers.version);

    let after = takes(&engine, minor(100..101)).await;
    assert!(storm(&engine, &after.declared).await.is_none());
    assert_eq!(after.declared.len(), 1);

    // Another engine, which knows nothing yet, hears that all of them are over.
    let resolved = minor(0..100).into_iter().map(Signal::resolved).collect();
    let over = takes(&place.engine(2), resolved).await;
    assert_eq!((over.declared.len(), over.pointless), (0, 0));
    assert!(engine.incident(gathers.id).state().await.unwrap().firing.is_empty());
    let unknown = alert(7_777, "minor").resolved();
    assert_eq!(takes(&engine, vec![unknown]).await.pointless, 1);
}

/// An HA peer that lags sends what the storm saw end, after the storm's incident is closed.
#[tokio::test]
async fn a_stale_alert_after_a_closed_storm_declares_nothing() {
    let place = Place::new();
    let engine = place.engine(1);
    let began = place.clock.now();
    let alerts: Vec<Signal> = minor(0..100).into_iter().map(|it| it.started_at(began)).collect();
    let taken = takes(&engine, alerts.clone()).await;
    let gathers = storm(&engine, &taken.declared).await.unwrap();
    let gathered = alerts[99].clone();
    place.clock.advance(Duration::from_secs(120));
    takes(&engine, alerts.into_iter().map(Signal::resolved).collect()).await;
    let storm = engine.incident(gathers.id).as_actor(world::human("alice"));
    storm.acknowledge().await.unwrap();
    let over = |to| Command::Advance(Advance { to: Some(to), override_because: Some("a test".to_owned()) });
    storm.send(over(Phase::Recovery)).await.unwrap();
    let why = || Some("a test".to_owned());
    storm
        .send(Command::Resolve(Resolve { cause: "load".to_owned(), override_because: why() }))
        .await
        .unwrap();
    storm.send(Command::Close(Close { override_because: why() })).await.unwrap();
    place.clock.advance(Duration::from_secs(3_600));

    for seed in 2..4 {
        let again = takes(&place.engine(seed), vec![gathered.clone()]).await;
        assert_eq!((again.declared.len(), again.joined.len(), again.stale), (0, 0, 1), "engine {seed}");
    }
    let anew = gathered.started_at(place.clock.now());
    assert_eq!(takes(&engine, vec![anew]).await.declared.len(), 1, "a new occurrence is an incident");
}

#[tokio::test]
async fn an_engine_that_starts_counts_what_the_store_has() {
    let place = Place::new();
    let before = takes(&place.engine(1), minor(0..LIMIT - 1)).await;
    assert!(storm(&place.engine(2), &before.declared).await.is_none());
    let engine = place.engine(3);
    let taken = takes(&engine, minor(LIMIT..LIMIT + 3)).await;
    assert_eq!(taken.declared.len(), 2);
    assert_eq!(storm(&engine, &taken.declared).await.unwrap().firing.len(), 2);

    place.clock.advance(Duration::from_secs(660));
    let later = place.engine(4);
    let taken = takes(&later, minor(500..500 + LIMIT)).await;
    assert!(storm(&later, &taken.declared).await.is_none(), "what is long ago doesn't count");
}

#[tokio::test]
async fn several_engines_gather_in_one_incident() {
    let place = Place::new();
    let engines = [1, 2, 3].map(|seed| place.engine(seed));
    let all =
        engines.iter().zip([0..200, 200..400, 400..600]).map(|(engine, groups)| takes(engine, minor(groups)));
    let taken = futures_util::future::join_all(all).await;
    let declared: Vec<_> = taken.iter().flat_map(|taken| taken.declared.clone()).collect();
    let mut storms = BTreeSet::new();
    for id in &declared {
        storms.extend(storm(&engines[0], &[*id]).await.map(|storm| storm.id));
    }
    assert_eq!(storms.len(), 1);
    assert!(declared.len() <= 3 * LIMIT + 1, "{}", declared.len());
}

#[tokio::test]
async fn each_severity_has_a_storm_of_its_own() {
    let place = Place::new();
    let engine = place.engine(1);
    let taken = takes(&engine, minor(0..100)).await;
    let minor = storm(&engine, &taken.declared).await.unwrap();
    let critical = takes(&engine, (1_000..1_100).map(|group| alert(group, "critical")).collect()).await;
    assert_eq!(critical.declared.len(), LIMIT + 1, "minor alerts don't hide them");
    let critical = storm(&engine, &critical.declared).await.unwrap();
    assert_ne!((minor.id, minor.severity), (critical.id, critical.severity));
}

/// A group that a storm has may get worse: then it needs an incident that is as bad. All who have it hear of its end.
#[tokio::test]
async fn what_gets_worse_is_an_incident_of_its_own_and_its_end_is_heard_by_all() {
    let place = Place::new();
    let (engine, gathers, _) = place.stormy().await;
    let group = 99;
    let worse = takes(&engine, vec![alert(group, "critical")]).await;
    assert_eq!(worse.declared.len(), 1, "{worse:?} {:?}", gathers.id);
    let over = vec![alert(group, "minor").resolved(), alert(group, "critical").resolved()];
    takes(&engine, over).await;
    let own = engine.incident(worse.declared[0]).state().await.unwrap();
    let left = engine.incident(gathers.id).state().await.unwrap();
    assert_eq!((own.firing.len(), left.firing.len()), (0, gathers.firing.len() - 1));
}

/// Between two engines nothing keeps a group from having an incident and a storm.
#[tokio::test]
async fn a_group_that_two_engines_took_in_ends_at_both() {
    let place = Place::new();
    let [one, other] = [1, 2].map(|seed| place.engine(seed));
    let own = takes(&one, vec![alert(7_777, "minor")]).await.declared[0];
    let taken = takes(&other, minor(0..100)).await;
    let gathers = storm(&other, &taken.declared).await.unwrap();
    // As if the other had looked before the one declared it.
    let gathered = Gathered { group: "service-7777".to_owned(), signals: vec![alert(7_777, "minor")].into() };
    let gather = Command::Gather(Gather { gathered: vec![gathered], begins: false });
    let request = Request::new(other.new_command_id(), Actor::Automation("prometheus".to_owned()), gather);
    other.send(gathers.id, request).await.unwrap();

    place.clock.advance(Duration::from_secs(2));
    takes(&one, vec![alert(7_777, "minor").resolved()]).await;

    let (own, left) =
        (one.incident(own).state().await.unwrap(), one.incident(gathers.id).state().await.unwrap());
    assert_eq!((own.firing.len(), left.firing.len()), (0, gathers.firing.len()));
}

/// Each engine remembers what it saw of the storm last, and others gather meanwhile.
#[tokio::test]
async fn what_another_engine_gathered_meanwhile_is_known() {
    let place = Place::new();
    let (one, gathers, _) = place.stormy().await;
    let other = place.engine(2);
    assert_eq!(takes(&other, minor(200..210)).await.joined, [gathers.id]);
    assert_eq!(takes(&one, minor(300..310)).await.joined, [gathers.id]);

    place.clock.advance(Duration::from_secs(2));
    let over = [minor(200..210), minor(300..310)].concat().into_iter().map(Signal::resolved).collect();
    assert_eq!(takes(&other, over).await.pointless, 0);
    let left = one.incident(gathers.id).state().await.unwrap();
    assert_eq!(left.firing.len(), gathers.firing.len());

    // The storm is over and let its groups go; another one has another incident.
    world::play(std::slice::from_ref(&one), &place.clock, gathers.id).await;
    place.clock.advance(Duration::from_secs(86_400));
    let again = takes(&other, minor(0..100)).await;
    let next = storm(&other, &again.declared).await.unwrap();
    // Those that have an incident of their own stay with it.
    assert_eq!((again.declared.len(), next.firing.len()), (LIMIT + 1, 100 - 2 * LIMIT));
}

#[tokio::test]
async fn a_storm_that_comes_back_goes_on_in_the_incident_that_is_open() {
    let place = Place::new();
    let (engine, gathers, _) = place.stormy().await;
    place.clock.advance(Duration::from_secs(7_200));
    let again = takes(&engine, minor(1_000..1_100)).await;
    assert_eq!((again.declared.len(), again.joined), (LIMIT, vec![gathers.id]));
    let resolved = [minor(0..100), minor(1_000..1_100)].concat().into_iter().map(Signal::resolved).collect();
    takes(&place.engine(2), resolved).await;
    assert!(engine.incident(gathers.id).state().await.unwrap().firing.is_empty());
}

#[tokio::test]
async fn a_storm_that_cannot_be_read_stops_no_alert() {
    let place = Place::new();
    let (_, gathers, _) = place.stormy().await;
    crate::estrange(&place.store, gathers.id).await;
    // Whoever wrote that still holds the storm.
    let row = Index::new(gathers.version.next(), None, Urgency::PAGE);
    let row = row.with_keys(vec![Key::held("storm/SEV3".to_owned())]);
    let holds = Commit::new(Vec::new(), row, place.clock.now());
    place.store.commit(gathers.id, gathers.version.next(), &holds).await.unwrap();
    place.clock.advance(Duration::from_secs(2));
    let after = takes(&place.engine(2), minor(500..503)).await;
    assert_eq!(after.declared.len(), 3, "rather too many incidents than none");
}

#[tokio::test]
async fn an_incident_that_does_not_come_about_is_not_counted() {
    let place = Place::new();
    let store = Arc::new(Failing::new(place.store.clone(), usize::MAX, Fails::Before));
    let engine = world::engine(Arc::clone(&store) as _, &place.clock, &place.world, 1);
    for _ in 0..2 * LIMIT {
        store.fail_commits(true);
        assert!(engine.ingest("prometheus", minor(0..1)).await.is_err());
    }
    store.fail_commits(false);
    let taken = takes(&engine, minor(0..1)).await;
    assert!(taken.declared.len() == 1 && storm(&engine, &taken.declared).await.is_none());
}

#[tokio::test]
async fn a_runbook_may_let_each_group_be_an_incident() {
    let place = Place::new();
    let mut runbook = world::runbook();
    runbook.signals.storm.incidents = 0;
    let engine = Engine::builder(place.store.clone())
        .clock(Arc::clone(&place.clock) as _)
        .entropy(Arc::new(SeededEntropy::new(1)))
        .runbook(runbook)
        .ports("chat", chat(&place.world))
        .route("chat", &EVERYBODY)
        .build()
        .unwrap();
    assert_eq!(takes(&engine, minor(0..100)).await.declared.len(), 100);
}

#[tokio::test(start_paused = true)]
async fn alerts_of_one_group_that_wait_are_taken_in_together_unless_one_of_them_is_over() {
    // The second commit is slow: meanwhile the others wait.
    let store = Slow::new(MemoryStore::new(), 2, || tokio::time::sleep(Duration::from_secs(5)));
    let engine = world::engine(Arc::new(store), &clock(), &Shared::default(), 1);
    let pod = |n: usize| {
        let mut alert = alert(0, "minor");
        alert.fingerprint = format!("pod-{n}");
        alert
    };
    let id = takes(&engine, vec![pod(0)]).await.declared[0];
    let over = |alerts: Vec<Signal>| alerts.into_iter().map(Signal::resolved).collect::<Vec<_>>();
    let calls = [vec![pod(1)], vec![pod(2)], vec![pod(3), pod(4)], over(vec![pod(2)]), vec![pod(2)]];
    let calls: Vec<_> = calls.into_iter().map(|alerts| takes(&engine, alerts)).collect();

    // The caller of the third is gone before anything came of it.
    let mut calls = calls.into_iter().map(Box::pin).collect::<Vec<_>>();
    assert!(calls.iter_mut().all(|call| call.as_mut().now_or_never().is_none()));
    drop(calls.remove(2));
    let taken = futures_util::future::join_all(calls).await;

    assert!(taken.iter().all(|taken| taken.joined == [id]), "{taken:?}");
    let records = engine.incident(id).records().await.unwrap();
    let received = records.iter().filter_map(|record| match &record.fact {
        Fact::SignalsReceived(it) => Some((it.firing.len(), it.resolved.len())),
        _ => None,
    });
    assert_eq!(received.collect::<Vec<_>>(), [(1, 0), (4, 0), (0, 1), (1, 0)]);
}
