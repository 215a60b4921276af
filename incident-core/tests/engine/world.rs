//! A world outside that remembers everything done to it, and the engine before it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use incident_core::config::Ports;
use incident_core::log::incident::{Ending, Incident};
use incident_core::log::mitigation::Stage;
use incident_core::model::effect::Receipt;
use incident_core::model::id::{CommandId, EffectId, IncidentId};
use incident_core::model::mitigation::{Mitigation, SwitchFeature};
use incident_core::model::notice::{Notice, NoticeKind};
use incident_core::model::phase::Phase;
use incident_core::model::plan::{ApprovedPlan, Execution, Intent, Plan, Reversible, Verification};
use incident_core::model::role::{Actor, Identity, Person, PersonId};
use incident_core::model::severity::Severity;
use incident_core::model::side::Side;
use incident_core::model::time::Time;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, Clock, EffectContext, ErrorKind, Found, Mitigator, Notifier,
    Preflight, PreflightContext, ReadContext, Repeat, Store,
};
use incident_core::rules::command::{Command, Declare, Request};
use incident_core::runbook::{CheckedBy, Runbook};
use incident_core::runtime::{Engine, ManualClock, SeededEntropy};
use tokio::time::Instant;

/// A clock that goes with the runtime's paused time, and whose wall clock somebody may set.
#[derive(Debug)]
pub(crate) struct Wall {
    begun: Instant,
    set: Mutex<TimeDelta>,
}

impl Wall {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { begun: Instant::now(), set: Mutex::default() })
    }

    /// Sets the wall clock by so much, back if negative.
    pub(crate) fn step(&self, by: TimeDelta) {
        *self.set.lock().unwrap() += by;
    }
}

#[async_trait]
impl Clock for Wall {
    fn now(&self) -> Time {
        start() + self.elapsed() + *self.set.lock().unwrap()
    }

    fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    async fn sleep(&self, length: Duration) {
        tokio::time::sleep(length).await;
    }
}

/// How a backend answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answers {
    Well,
    /// Never, as long as it is waited for.
    Never,
    /// Well, after so long.
    After(Duration),
    /// That it takes nothing for so long.
    NotFor(Duration),
    /// By panicking, when it is asked how it repeats.
    ByPanic,
    /// After so long, in which its thread does nothing else.
    Blocking(Duration),
}

/// Remembers when which notice came.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    pub(crate) answers: Answers,
    pub(crate) came: Arc<Mutex<Vec<(Instant, Notice)>>>,
}

impl Journal {
    pub(crate) fn that(answers: Answers) -> Self {
        Self { answers, came: Arc::default() }
    }

    pub(crate) fn ports(&self) -> Ports {
        Ports::new().with_notifier(self.clone())
    }

    /// When the first page of an incident came, if one did.
    pub(crate) fn paged(&self, id: IncidentId) -> Option<Instant> {
        self.pages(id).first().copied()
    }

    pub(crate) fn pages(&self, id: IncidentId) -> Vec<Instant> {
        let came = self.came.lock().unwrap();
        let of_it = came.iter().filter(|(_, it)| it.incident == id && it.kind == NoticeKind::Page);
        of_it.map(|(at, _)| *at).collect()
    }
}

#[async_trait]
impl Adapter for Journal {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("journal")
    }

    async fn preflight(&self, _cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        assert_ne!(self.answers, Answers::ByPanic, "it panics");
        Ok(Preflight::default().good("it is there"))
    }
}

#[async_trait]
impl Notifier for Journal {
    fn repeat(&self, _notice: &Notice) -> Repeat {
        assert_ne!(self.answers, Answers::ByPanic, "it panics");
        Repeat::Converging
    }

    async fn deliver(&self, cx: &EffectContext, notice: &Notice) -> Result<Receipt, AdapterError> {
        match self.answers {
            Answers::Never => std::future::pending().await,
            Answers::After(length) => tokio::time::sleep(length).await,
            Answers::NotFor(wait) => {
                let error = AdapterError::new(ErrorKind::RateLimited, "post").not_applied();
                return Err(error.retry_after(Some(wait)));
            }
            Answers::Blocking(length) => {
                let (_open, never) = std::sync::mpsc::channel::<()>();
                let _ = never.recv_timeout(length);
            }
            Answers::Well | Answers::ByPanic => {}
        }
        self.came.lock().unwrap().push((Instant::now(), notice.clone()));
        Ok(Receipt::new(&cx.effect.to_string()))
    }

    async fn find(&self, _cx: &EffectContext, _notice: &Notice) -> Result<Found<Receipt>, AdapterError> {
        Ok(Found::CannotTell)
    }
}

/// What was done outside.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) notices: Vec<(EffectId, NoticeKind, bool)>,
    pub(crate) executed: Vec<EffectId>,
    /// Lose the reply to every n-th change, after making it.
    pub(crate) lose_every: usize,
    changes: usize,
}

impl World {
    /// Whether the reply to the change just made is lost.
    fn loses(&mut self) -> bool {
        self.changes += 1;
        self.lose_every > 0 && self.changes.is_multiple_of(self.lose_every)
    }
}

pub(crate) type Shared = Arc<Mutex<World>>;

#[derive(Debug)]
struct Backend(Shared);

#[async_trait]
impl Adapter for Backend {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("fake")
    }

    async fn preflight(&self, _cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        Ok(Preflight::default())
    }
}

#[async_trait]
impl Notifier for Backend {
    fn repeat(&self, _notice: &Notice) -> Repeat {
        Repeat::Lookup
    }

    async fn deliver(&self, cx: &EffectContext, notice: &Notice) -> Result<Receipt, AdapterError> {
        tokio::task::yield_now().await;
        let mut world = self.0.lock().unwrap();
        world.notices.push((cx.effect, notice.kind, notice.drill));
        if world.loses() {
            return Err(AdapterError::new(ErrorKind::Unavailable, "deliver"));
        }
        Ok(Receipt::new(&cx.effect.to_string()))
    }

    async fn find(&self, cx: &EffectContext, _notice: &Notice) -> Result<Found<Receipt>, AdapterError> {
        let there = self.0.lock().unwrap().notices.iter().any(|(effect, ..)| *effect == cx.effect);
        Ok(if there { Found::Yes(Receipt::new(&cx.effect.to_string())) } else { Found::No })
    }
}

#[async_trait]
impl Mitigator for Backend {
    async fn plan(&self, _cx: &ReadContext, intent: Intent<'_>) -> Result<Plan, AdapterError> {
        match intent {
            Intent::Do(mitigation) => Ok(Plan::new(mitigation.clone(), "shop/pricing", Reversible::Yes)),
            _ => Err(AdapterError::new(ErrorKind::Refused, "plan")),
        }
    }

    async fn execute(&self, cx: &EffectContext, plan: &ApprovedPlan) -> Result<Execution, AdapterError> {
        tokio::task::yield_now().await;
        let mut world = self.0.lock().unwrap();
        world.executed.push(cx.effect);
        if world.loses() {
            return Err(AdapterError::new(ErrorKind::Unavailable, "execute"));
        }
        Ok(Execution::new(plan.plan().clone(), cx.now))
    }

    async fn find(&self, cx: &EffectContext, plan: &Plan) -> Result<Found<Execution>, AdapterError> {
        let there = self.0.lock().unwrap().executed.contains(&cx.effect);
        Ok(if there { Found::Yes(Execution::new(plan.clone(), cx.now)) } else { Found::No })
    }

    async fn verify(
        &self,
        _cx: &EffectContext,
        _execution: &Execution,
    ) -> Result<Verification, AdapterError> {
        Ok(Verification::Holds)
    }
}

pub(crate) fn chat(world: &Shared) -> Ports {
    Ports::new().with_notifier(Backend(Arc::clone(world)))
}

pub(crate) fn shop(world: &Shared) -> Ports {
    Ports::new().with_mitigator(Backend(Arc::clone(world)))
}

pub(crate) const EVERYBODY: [&str; 7] =
    ["responders", "team", "leadership", "executives", "staff", "customers", "caretaker"];

pub(crate) fn start() -> Time {
    Time::from_timestamp_millis(1_774_000_000_000).unwrap()
}

pub(crate) fn runbook() -> Runbook {
    let mut runbook = Runbook::default();
    for id in ["alice", "bob"] {
        let identities = vec![Identity::new("chat", id)];
        let person = Person { name: id.to_owned(), identities, roles: Vec::new() };
        runbook.persons.insert(PersonId::new(id), person);
    }
    runbook.recovery.checks.retain(|_, check| check.by == CheckedBy::Person);
    runbook
}

/// An engine on `store` that reaches `world` for live incidents.
pub(crate) fn engine(store: Arc<dyn Store>, clock: &Arc<ManualClock>, world: &Shared, seed: u64) -> Engine {
    Engine::builder_on(store)
        .clock(Arc::clone(clock) as _)
        .entropy(Arc::new(SeededEntropy::new(seed)))
        .worker(&format!("worker-{seed}"))
        .runbook(runbook())
        .ports("chat", chat(world))
        .ports("shop", shop(world))
        .route("chat", &EVERYBODY)
        .build()
        .unwrap()
}

pub(crate) fn human(name: &str) -> Actor {
    Actor::human("chat", name)
}

/// Declares an incident, however often it takes.
pub(crate) async fn declare(engine: &Engine, side: Side) -> IncidentId {
    let id = engine.new_incident_id();
    let mut declare = Declare::new("checkout is down").severity(Severity::Sev3);
    declare.side = side;
    let command = Command::Declare(Box::new(declare));
    let request = Request::new(CommandId::named(&format!("declare/{id}")), human("alice"), command);
    for _ in 0..5 {
        if engine.send(id, request.clone()).await.is_ok() {
            return id;
        }
    }
    panic!("the store fails at every try");
}

/// What people do next, read from the state.
fn next(it: &Incident) -> Option<(&'static str, &'static str, Command)> {
    use incident_core::model::colour::Colour;
    use incident_core::rules::command as c;
    let why = || "because".to_owned();
    let over = |to| Command::Advance(c::Advance { to: Some(to), override_because: Some(why()) });
    if it.milestones.acknowledged.is_none() {
        return Some(("alice", "acknowledge", Command::Acknowledge));
    }
    let mitigation = it.mitigations.iter().next();
    match (it.phase, mitigation) {
        (phase, _) if phase < Phase::Resolution => Some(("alice", "advance", over(Phase::Resolution))),
        (Phase::Resolution, None) => {
            let feature = SwitchFeature { feature: "pricing".to_owned(), on: false };
            let mitigation = Mitigation::SwitchFeature(feature);
            let propose = c::Propose { mitigation, system: "shop".to_owned(), because: why() };
            Some(("alice", "propose", Command::Propose(propose)))
        }
        (Phase::Resolution, Some((seq, state))) => match (state.stage, &state.plan) {
            (Stage::Planned, Some(plan)) if state.approvals.is_empty() => {
                let approve = c::Approve { proposal: *seq, digest: plan.digest, break_glass: None };
                Some(("bob", "approve", Command::Approve(approve)))
            }
            (Stage::Planned, Some(plan)) => {
                let execute = c::ExecutePlan { proposal: *seq, digest: plan.digest };
                Some(("alice", "execute", Command::Execute(execute)))
            }
            (Stage::Holds, _) => Some(("alice", "recover", over(Phase::Recovery))),
            _ => None,
        },
        (Phase::Recovery, _) if it.checks.last.is_empty() => {
            let attest = c::Attest { check: "user-reports".to_owned(), colour: Colour::Green, detail: why() };
            Some(("bob", "attest", Command::Attest(attest)))
        }
        (Phase::Recovery, _) => {
            let resolve = c::Resolve { cause: why(), override_because: Some(why()) };
            Some(("alice", "resolve", Command::Resolve(resolve)))
        }
        _ => Some(("alice", "close", Command::Close(c::Close { override_because: Some(why()) }))),
    }
}

/// Plays people and engines in turn until the incident is closed and nothing is under way.
pub(crate) async fn play(engines: &[Engine], clock: &ManualClock, id: IncidentId) -> Incident {
    for round in 0..600_usize {
        let engine = &engines[round % engines.len()];
        if let Ok(state) = engine.incident(id).state().await {
            if state.ended == Some(Ending::Closed) && state.effects.is_empty() {
                return state;
            }
            let step = if state.ended.is_none() { next(&state) } else { None };
            if let Some((who, key, command)) = step {
                let request = Request::new(CommandId::named(&format!("{id}/{key}")), human(who), command);
                let _ = engine.send(id, request).await;
            }
        }
        let _ = engine.tick(Time::MAX_UTC).await;
        clock.advance(Duration::from_secs(1));
    }
    panic!("it doesn't come to an end: {:#?}", engines[0].incident(id).state().await);
}
