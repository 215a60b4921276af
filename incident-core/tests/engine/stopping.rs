//! A loop that is told to stop begins nothing new, and lengths of zero don't keep it busy.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use incident_core::config::Ports;
use incident_core::log::event::Fact;
use incident_core::model::effect::Receipt;
use incident_core::model::notice::Notice;
use incident_core::model::phase::Phase;
use incident_core::model::severity::Severity;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, EffectContext, Found, Notifier, Preflight, PreflightContext, Probe,
    ReadContext, Reading, Repeat,
};
use incident_core::rules::command::Declare;
use incident_core::runbook::{CheckedBy, Runbook};
use incident_core::runtime::Engine;
use incident_core::store::MemoryStore;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::bulkheads::runs;
use crate::world::{self, Answers, Journal, Wall, human};

/// Takes three seconds for each notice.
#[derive(Debug, Clone, Default)]
struct Steady(Arc<AtomicUsize>);

#[async_trait]
impl Adapter for Steady {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("chat")
    }

    async fn preflight(&self, _cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        Ok(Preflight::default())
    }
}

#[async_trait]
impl Notifier for Steady {
    fn repeat(&self, _notice: &Notice) -> Repeat {
        Repeat::Converging
    }

    async fn deliver(&self, cx: &EffectContext, _notice: &Notice) -> Result<Receipt, AdapterError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(3)).await;
        Ok(Receipt::new(&cx.effect.to_string()))
    }

    async fn find(&self, _cx: &EffectContext, _notice: &Notice) -> Result<Found<Receipt>, AdapterError> {
        Ok(Found::CannotTell)
    }
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_is_told_to_stop_begins_nothing_and_finishes_its_calls() {
    let chat = Steady::default();
    let engine = Engine::builder(MemoryStore::new())
        .clock(Wall::new())
        .runbook(world::runbook())
        .ports("chat", Ports::new().with_notifier(chat.clone()))
        .route("chat", &["team"])
        .build()
        .unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let looping = engine.clone();
    let running = tokio::spawn(async move { looping.run(async { drop(stopped.await) }).await });
    let declare = Declare::new("checkout is slow").severity(Severity::Sev3);
    let incident = engine.declare(human("alice"), declare).await.unwrap();
    // The lane has one notice under way and others behind it.
    for n in 0..5 {
        incident.post_update(&format!("step {n}"), None, None).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begun = Instant::now();
    let _ = stop.send(());
    tokio::time::sleep(Duration::from_millis(100)).await;
    incident.post_update("while it stops", None, None).await.unwrap();
    running.await.unwrap();

    assert!(begun.elapsed() < Duration::from_millis(2_500), "{:?}", begun.elapsed());
    assert_eq!(chat.0.load(Ordering::Relaxed), 1, "only the first was sent");
    let log = incident.records().await.unwrap();
    let started = log.iter().filter(|record| matches!(record.fact, Fact::EffectStarted(_))).count();
    let settled = log.iter().filter(|record| matches!(record.fact, Fact::EffectSettled(_))).count();
    assert!(started == 1 && settled >= 1, "what was begun is recorded: {started}, {settled}");

    // What was left is done by the next one.
    runs(&engine);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(incident.state().await.unwrap().effects.is_empty());
}

/// Counts how often it is asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts(Arc<AtomicUsize>);

#[async_trait]
impl Adapter for Counts {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("probe")
    }

    async fn preflight(&self, _cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        Ok(Preflight::default())
    }
}

#[async_trait]
impl Probe for Counts {
    async fn look(&self, _: &ReadContext) -> Result<Reading, AdapterError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Reading::green("it answers"))
    }
}

/// The default runbook with every length of time that drives a timer as short as the check lets it be.
fn shortest() -> Runbook {
    const SHORTEST: Duration = Duration::from_nanos(1);
    let mut runbook = world::runbook();
    for policy in runbook.severities.values_mut() {
        policy.update_every = policy.update_every.map(|_| SHORTEST);
    }
    runbook.reminders.before_update = Duration::ZERO;
    runbook.escalation.every = SHORTEST;
    runbook.recovery.probe_every = SHORTEST;
    runbook.recovery.hold = SHORTEST * 3;
    let check = Runbook::default().recovery.checks.into_iter().find(|(_, it)| it.by != CheckedBy::Person);
    runbook.recovery.checks.extend(check);
    runbook
}

#[tokio::test(start_paused = true)]
async fn tiny_lengths_do_not_loop_without_a_pause() {
    let runbook = shortest();
    let check = runbook.recovery.checks.iter().find(|(_, it)| it.by != CheckedBy::Person).unwrap().0.clone();
    let (pager, probe) = (Journal::that(Answers::Well), Counts::default());
    let engine = Engine::builder(MemoryStore::new())
        .clock(Wall::new())
        .runbook(runbook)
        .ports("pager", pager.ports())
        .ports("probes", Ports::new().with_probe(&check, probe.clone()))
        .route("pager", &world::EVERYBODY)
        .build()
        .unwrap();
    runs(&engine);
    let declare = Declare::new("checkout is down").severity(Severity::Sev1);
    let incident = engine.declare(human("alice"), declare).await.unwrap();
    use incident_core::rules::command::{Advance, Command};
    let over = |to| Command::Advance(Advance { to: Some(to), override_because: Some("a test".to_owned()) });
    incident.send(over(Phase::Recovery)).await.unwrap();
    // Paused time goes on only while nothing runs, so a loop without a pause never ends this.
    tokio::time::timeout(Duration::from_secs(600), tokio::time::sleep(Duration::from_secs(60)))
        .await
        .unwrap();

    let records = incident.records().await.unwrap().len();
    let (looks, told) = (probe.0.load(Ordering::Relaxed), pager.came.lock().unwrap().len());
    assert!(looks > 0 && looks < 1_000, "{looks} looks in a minute");
    assert!(records < 2_000 && told < 500, "{records} records, {told} notices in a minute");
    let other = engine.declare(human("alice"), Declare::new("search is down")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(pager.paged(other.id()).is_some());
}
