//! A thousand webhooks as senders really write them, and worse, through the reader and an engine: each alert ends in an
//! incident that told somebody, or in a named reason.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "storm/grammar.rs"]
mod grammar;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use grammar::Dice;
use incident_core::config::Ports;
use incident_core::log::incident::Incident;
use incident_core::model::effect::Receipt;
use incident_core::model::id::IncidentId;
use incident_core::model::notice::{Notice, NoticeKind};
use incident_core::model::phase::Phase;
use incident_core::model::role::{Actor, Identity, Person, PersonId};
use incident_core::model::severity::Audience;
use incident_core::model::signal::Signal;
use incident_core::model::signal::{Fingerprints, Judged};
use incident_core::model::time::Time;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, EffectContext, Found, Notifier, Preflight, PreflightContext, Repeat,
};
use incident_core::rules::command::{Command, Resolve};
use incident_core::runbook::Runbook;
use incident_core::runtime::{Engine, Intake, ManualClock, SeededEntropy};
use incident_core::store::MemoryStore;
use incident_core::views::timeline::timeline;
use incident_prometheus::Webhook;

/// How many webhooks come.
const WEBHOOKS: usize = 1_000;

/// What was told of each incident.
type Told = Arc<Mutex<BTreeMap<IncidentId, BTreeSet<NoticeKind>>>>;

/// A pager that remembers.
#[derive(Debug)]
struct Pager(Told);

#[async_trait]
impl Adapter for Pager {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("pager")
    }

    async fn preflight(&self, _cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        Ok(Preflight::default())
    }
}

#[async_trait]
impl Notifier for Pager {
    fn repeat(&self, _notice: &Notice) -> Repeat {
        Repeat::Visible
    }

    async fn deliver(&self, cx: &EffectContext, notice: &Notice) -> Result<Receipt, AdapterError> {
        self.0.lock().unwrap().entry(notice.incident).or_default().insert(notice.kind);
        Ok(Receipt::new(&cx.effect.to_string()))
    }

    async fn find(&self, _cx: &EffectContext, _notice: &Notice) -> Result<Found<Receipt>, AdapterError> {
        Ok(Found::CannotTell)
    }
}

/// An engine, the world around it, and the incidents that it has declared.
struct Play {
    engine: Engine,
    clock: Arc<ManualClock>,
    told: Told,
    runbook: Runbook,
    incidents: Vec<IncidentId>,
    dice: Dice,
}

impl Play {
    fn new(seed: u64) -> Self {
        let clock = Arc::new(ManualClock::new("2026-03-06T18:00:00Z".parse().unwrap()));
        let told = Told::default();
        let mut runbook = Runbook::default();
        let identities = vec![Identity::new("chat", "alice")];
        let alice = Person { name: "Alice".to_owned(), identities, roles: Vec::new() };
        runbook.persons.insert(PersonId::new("alice"), alice);
        let everybody = ["responders", "team", "leadership", "executives", "staff", "customers", "caretaker"];
        let engine = Engine::builder(MemoryStore::new())
            .clock(Arc::clone(&clock) as _)
            .entropy(Arc::new(SeededEntropy::new(seed)))
            .runbook(runbook.clone())
            .ports("pager", Ports::new().with_notifier(Pager(Arc::clone(&told))))
            .route("pager", &everybody)
            .build()
            .unwrap();
        Self { engine, clock, told, runbook, incidents: Vec::new(), dice: Dice::new(seed) }
    }

    fn now(&self) -> Time {
        incident_core::port::Clock::now(&*self.clock)
    }

    async fn states(&self) -> Vec<Incident> {
        let mut states = Vec::new();
        for id in &self.incidents {
            states.push(self.engine.incident(*id).state().await.unwrap());
        }
        states
    }

    /// People do something about an incident now and then.
    async fn people(&mut self) {
        let Some(id) = self.dice.one_of(&self.incidents).copied() else { return };
        let handle = self.engine.incident(id).as_actor(Actor::human("chat", "alice"));
        let resolve =
            Resolve { cause: "a full disk".to_owned(), override_because: Some("it is over".to_owned()) };
        // What isn't possible now is refused, as it should be.
        let _ = match self.dice.below(6) {
            0 | 1 => handle.acknowledge().await,
            2 | 3 => handle.send(Command::Resolve(resolve)).await,
            4 => handle.cancel("a false alarm").await,
            _ => return,
        };
    }

    /// Says why an alert that fires isn't where it should be.
    async fn accounts_for(&self, signal: &Signal, taken: &Intake) -> Result<(), String> {
        let policy = &self.runbook.signals;
        let (_, rule) = policy.rule_for(signal).unwrap();
        if let Judged::Ignored(word) = policy.judge(rule, signal) {
            let known = taken.ignored.contains_key(&word);
            return known.then_some(()).ok_or(format!("ignored without saying so: {word}"));
        }
        let mut group = String::new();
        policy.write_group(&mut group, rule, signal);
        let own = Fingerprints::of(&signal.identity());
        let gathered = Fingerprints::of(&format!("{group}\n{}", signal.identity()));
        let mut found = Vec::new();
        for it in self.states().await {
            let is_ours = it.signal_group.as_deref() == Some(&group) && it.firing.contains(own);
            let fires = is_ours || (it.storm.is_some() && it.firing.contains(gathered));
            if fires && it.ended.is_none() {
                let severe = policy.severity(signal).is_some_and(|of| it.severity <= of);
                found.push((it.id, severe, self.has_heard(&it), it.phase));
            } else if it.saw_end(&group, signal) && it.signal_group.as_deref() == Some(&group) {
                let records = self.engine.incident(it.id).records().await.unwrap();
                let lines = timeline(&it, &records);
                let noted =
                    lines.iter().any(|line| line.what.contains("stale") || line.what.contains("resolved"));
                return noted.then_some(()).ok_or(format!("stale without saying so in {}", it.id));
            }
        }
        // One that was resolved while an alert fires stays so until the alert fires anew.
        let accounted = found
            .iter()
            .any(|(_, severe, heard, phase)| *heard && (*severe || *phase == Phase::PostIncident));
        accounted.then_some(()).ok_or(format!("group {group}: {found:?}"))
    }

    /// Whether somebody has heard of an incident, as loudly as its severity asks.
    fn has_heard(&self, it: &Incident) -> bool {
        let told = self.told.lock().unwrap();
        let Some(told) = told.get(&it.id) else { return false };
        let audiences = self.runbook.audiences(it.severity, false);
        let pages = audiences.iter().any(|audience| audience.as_str() == Audience::RESPONDERS);
        told.contains(&NoticeKind::Page) || (!pages && !told.is_empty())
    }

    async fn take(&mut self, body: &[u8]) {
        let shown = String::from_utf8_lossy(body).into_owned();
        let webhook = Webhook::parse(body).unwrap_or_else(|error| panic!("{error}: {shown}"));
        let signals = webhook.signals;
        let taken = self.engine.ingest("alertmanager", signals.clone()).await;
        let taken = taken.unwrap_or_else(|error| panic!("{error:?}: {shown}"));
        self.incidents.extend(&taken.declared);
        self.engine.tick(Time::MAX_UTC).await.unwrap();
        let over =
            |signal: &Signal| signals.iter().any(|it| !it.is_firing() && it.identity() == signal.identity());
        for signal in signals.iter().filter(|signal| signal.is_firing() && !over(signal)) {
            if let Err(why) = self.accounts_for(signal, &taken).await {
                panic!("{why}\nat {}: {signal:#?}\n{taken:?}\n{shown}", self.now());
            }
        }
    }
}

#[tokio::test]
async fn each_alert_of_a_thousand_odd_webhooks_tells_somebody_or_has_a_named_reason() {
    for seed in 1..=2 {
        let mut play = Play::new(seed);
        let mut odd = 0;
        for _ in 0..WEBHOOKS / 2 {
            let wait = *play.dice.one_of(&[0, 0, 1, 20, 120, 900, 4_000]).unwrap();
            play.clock.advance(Duration::from_secs(wait));
            let now = play.now();
            let body = grammar::webhook(&mut play.dice, now);
            odd += usize::from(serde_json::from_slice::<serde_json::Value>(&body).is_err());
            play.take(&body).await;
            play.people().await;
        }
        assert!(odd > 20, "the grammar makes odd bodies: {odd}");
        assert!(play.incidents.len() > 20, "{}", play.incidents.len());
    }
}
