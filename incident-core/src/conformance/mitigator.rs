//! The suite for mitigators. What is carried out was really approved: an engine proposes, a person agrees, and the engine
//! hands the plan out.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::backend::{
    Backend, Checked, Fault, HASTE, How, Outcome, Report, all_of, ensure, given, hides, in_time, is_final,
    may_have_happened, now, passes_on, reading, writes_since,
};
use super::log::Log;
use crate::config::Ports;
use crate::model::id::EffectId;
use crate::model::mitigation::Mitigation;
use crate::model::plan::{ApprovedPlan, Execution, Intent, Plan, Verification};
use crate::model::role::{Actor, Identity, Person, PersonId};
use crate::model::severity::Severity;
use crate::model::time::Time;
use crate::port::{
    Adapter, AdapterError, Capabilities, EffectContext, ErrorKind, Found, Mitigator, Preflight,
    PreflightContext, ReadContext,
};
use crate::rules::command::{Approve, Command, Declare, ExecutePlan, Propose, Request};
use crate::runbook::Runbook;
use crate::runtime::{Engine, ManualClock};
use crate::store::MemoryStore;

/// A mitigator, and the system behind it. Its [`writes`](Backend::writes) are requests that would change the system.
#[async_trait]
pub trait MitigatorHarness: Backend {
    /// The mitigator, set up as in production, towards the harness's backend.
    async fn mitigator(&self) -> Arc<dyn Mitigator>;

    /// Something that it can do, and that changes the state.
    fn mitigation(&self) -> Mitigation;

    /// The state of what is changed, in any words that differ when it does.
    async fn state(&self) -> String;

    /// Somebody else changes the same thing.
    async fn meddle(&self);

    /// Whether the change can carry the effect's id. False where nothing is left to carry it, as after a removal.
    fn carries_the_id(&self) -> bool {
        true
    }
}

/// Checks every promise, each on a backend of its own.
pub async fn check<H: MitigatorHarness>(make: impl Fn() -> H) -> Report {
    let mut report = Report::default();
    macro_rules! cases {
        ($($case:ident: $promise:literal;)*) => {
            $(report.add(stringify!($case), $promise, $case(&make()).await);)*
        };
    }
    cases! {
        a_plan_only_reads: "planning changes nothing, and the plan says what it is for, on what, and what changes";
        a_plan_pins_the_world: "a plan made before the world moved is refused, and changes nothing";
        twice_has_one_effect: "carrying out the same plan twice has one effect";
        looking_knows_or_says_so: "`find` says Yes only after, No only before, and changes nothing";
        another_effects_change_is_not_ours: "`find` doesn't say Yes to one effect because another made the same change";
        a_lost_reply_is_maybe: "a lost reply may have been carried out, and `find` doesn't say No";
        a_late_answer_is_a_lost_one: "who isn't answered in time doesn't know, and carrying out again has no second effect";
        the_change_shows: "`verify` comes to say that it holds, and changes nothing";
        what_was_never_done_does_not_hold: "`verify` doesn't say that a change holds which was never carried out";
        there_and_back: "undoing a reversible change brings the state back";
        a_refusal_is_final: "a refusal for good asks for no retry, and nothing changed";
        a_wait_is_passed_on: "a wait that the backend asks for is passed on, in its own dialect";
        a_write_is_sent_once: "the adapter never sends a write again by itself";
        a_deadline_is_kept: "a plan and an execution end within their deadline";
        no_secret_is_shown: "no secret is in Debug, in a plan, in an error with all its causes, or in a log";
        preflight_writes_nothing: "preflight changes nothing outside";
    }
    report
}

async fn planned(backend: &dyn MitigatorHarness) -> Result<(Arc<dyn Mitigator>, Plan), How> {
    let mitigator = backend.mitigator().await;
    let plan = mitigator.plan(&reading(), Intent::Do(&backend.mitigation())).await?;
    Ok((mitigator, plan))
}

type Executed = Result<Execution, AdapterError>;

/// Hands a plan to an adapter that an engine approved and began, `times` in a row, within `deadline`.
#[derive(Debug)]
struct Relay {
    to: Arc<dyn Mitigator>,
    plan: Plan,
    times: usize,
    deadline: Duration,
    came_of_it: Mutex<Vec<Executed>>,
    effect: Mutex<Option<EffectId>>,
}

#[async_trait]
impl Adapter for Relay {
    fn capabilities(&self) -> Capabilities {
        self.to.capabilities()
    }

    async fn preflight(&self, _: &PreflightContext) -> Result<Preflight, AdapterError> {
        Ok(Preflight::default())
    }
}

#[async_trait]
impl Mitigator for Relay {
    async fn plan(&self, _: &ReadContext, _: Intent<'_>) -> Result<Plan, AdapterError> {
        Ok(self.plan.clone())
    }

    async fn execute(&self, cx: &EffectContext, plan: &ApprovedPlan) -> Executed {
        *self.effect.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.effect);
        let cx = cx.clone().with_deadline(self.deadline);
        for _ in 0..self.times {
            let came = in_time_or_late(self.to.execute(&cx, plan), self.deadline).await;
            self.came_of_it.lock().unwrap_or_else(PoisonError::into_inner).push(came);
        }
        Err(AdapterError::new(ErrorKind::Refused, "be over"))
    }

    async fn find(&self, _: &EffectContext, _: &Plan) -> Result<Found<Execution>, AdapterError> {
        Ok(Found::CannotTell)
    }

    async fn verify(&self, _: &EffectContext, _: &Execution) -> Result<Verification, AdapterError> {
        Ok(Verification::Holds)
    }
}

async fn in_time_or_late(call: impl Future<Output = Executed>, deadline: Duration) -> Executed {
    match tokio::time::timeout(deadline + Duration::from_secs(3), call).await {
        Ok(came) => came,
        Err(_) => {
            Err(AdapterError::new(ErrorKind::Unavailable, "go on after its deadline").with_context(LATE))
        }
    }
}

const LATE: &str = "the call went on long after its deadline";

/// What came of it, under which effect.
struct Done {
    came_of_it: Vec<Executed>,
    effect: EffectId,
}

impl Done {
    fn first(&mut self) -> Result<Executed, How> {
        if self.came_of_it.is_empty() {
            return Err(How("it was approved, and never carried out".to_owned()));
        }
        Ok(self.came_of_it.remove(0))
    }
}

/// Proposes, approves and carries out `plan`, as an engine and two persons do.
async fn really(to: Arc<dyn Mitigator>, plan: Plan, times: usize, deadline: Duration) -> Result<Done, How> {
    let broken = |what: &str| How(format!("the engine {what}"));
    let mitigation = plan.mitigation.clone();
    let relay =
        Arc::new(Relay { to, plan, times, deadline, came_of_it: Mutex::default(), effect: Mutex::default() });
    let mut system = Ports::new();
    system.mitigator = Some(Arc::clone(&relay) as Arc<dyn Mitigator>);
    let mut runbook = Runbook::default();
    for id in ["alice", "bob", "carol"] {
        let identities = vec![Identity::new("suite", id)];
        runbook
            .persons
            .insert(PersonId::new(id), Person { name: id.to_owned(), identities, roles: Vec::new() });
    }
    runbook.safety.min_healthy_percent = 0;
    let engine = Engine::builder(MemoryStore::new())
        .clock(Arc::new(ManualClock::new(now())))
        .runbook(runbook)
        .lease(Duration::from_secs(60))
        .ports("system", system)
        .pages_nobody()
        .build()
        .map_err(|error| broken(&error.to_string()))?;
    let by = |who: &str| Actor::human("suite", who);
    let declared = engine.declare(by("alice"), Declare::new("a suite is run").severity(Severity::Sev3)).await;
    let id = declared.map_err(|error| broken(&error.to_string()))?.id();
    let because = "the suite asks for it".to_owned();
    let says = |who: &'static str, command| {
        let engine = engine.clone();
        async move { engine.send(id, Request::new(engine.new_command_id(), by(who), command)).await }
    };
    let proposed =
        says("alice", Command::Propose(Propose { mitigation, system: "system".to_owned(), because })).await;
    let proposal = proposed.map_err(|error| broken(&error.to_string()))?.seq;
    for _ in 0..4 {
        let _ = engine.tick(Time::MAX_UTC).await;
    }
    let state = engine.incident(id).state().await.map_err(|error| broken(&error.to_string()))?;
    let digest = state.mitigations.get(&proposal).and_then(|it| it.plan.as_ref()).map(|plan| plan.digest);
    let digest = digest.ok_or_else(|| broken("takes the plan for another one than was proposed"))?;
    for who in ["bob", "carol"] {
        let approved = says(who, Command::Approve(Approve { proposal, digest, break_glass: None })).await;
        approved.map_err(|error| broken(&error.to_string()))?;
    }
    let ordered = says("alice", Command::Execute(ExecutePlan { proposal, digest })).await;
    ordered.map_err(|error| broken(&error.to_string()))?;
    let _ = engine.tick(Time::MAX_UTC).await;
    let came_of_it = std::mem::take(&mut *relay.came_of_it.lock().unwrap_or_else(PoisonError::into_inner));
    let effect = relay.effect.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(Done { came_of_it, effect: effect.ok_or_else(|| broken("never began it"))? })
}

const PATIENCE: Duration = Duration::from_secs(10);

fn looking(effect: EffectId) -> EffectContext {
    EffectContext::new(effect, now()).with_attempt(2, now())
}

async fn a_plan_only_reads(backend: &dyn MitigatorHarness) -> Outcome {
    let before = backend.state().await;
    let (_, plan) = planned(backend).await?;
    ensure!(backend.state().await == before && backend.writes().await == 0, "planning changed something");
    let (asked, offered) = (backend.mitigation(), &plan.mitigation);
    let same = (asked.kind(), asked.target()) == (offered.kind(), offered.target());
    ensure!(same, "the plan is for {offered}, and {asked} was asked for");
    ensure!(!plan.target.is_empty(), "the plan names no target");
    ensure!(!plan.changes.is_empty(), "the plan doesn't say what changes");
    Ok(Checked::Kept)
}

async fn a_plan_pins_the_world(backend: &dyn MitigatorHarness) -> Outcome {
    let (mitigator, plan) = planned(backend).await?;
    ensure!(!plan.pins.is_empty(), "the plan pins nothing of what it saw");
    backend.meddle().await;
    let moved = backend.state().await;
    let came = really(mitigator, plan, 1, PATIENCE).await?.first()?;
    ensure!(came.is_err(), "the world moved after the plan, and it was carried out");
    ensure!(
        backend.state().await == moved,
        "the world moved after the plan, and it was changed all the same"
    );
    Ok(Checked::Kept)
}

async fn twice_has_one_effect(backend: &dyn MitigatorHarness) -> Outcome {
    let (mitigator, plan) = planned(backend).await?;
    let before = backend.inbox().await.len();
    really(mitigator, plan, 2, PATIENCE).await?.first()??;
    let changes = backend.inbox().await.len().saturating_sub(before);
    ensure!(changes == 1, "one plan was carried out twice, and the system was changed {changes} times");
    Ok(Checked::Kept)
}

async fn looking_knows_or_says_so(backend: &dyn MitigatorHarness) -> Outcome {
    let (mitigator, plan) = planned(backend).await?;
    let nobody = super::backend::context(99);
    let before = mitigator.find(&nobody, &plan).await?;
    ensure!(!matches!(before, Found::Yes(_)), "it finds what was never carried out");
    let mut done = really(Arc::clone(&mitigator), plan.clone(), 1, PATIENCE).await?;
    done.first()??;
    let writes = backend.writes().await;
    let found = mitigator.find(&looking(done.effect), &plan).await?;
    ensure!(!matches!(found, Found::No), "it says No of what was carried out");
    writes_since(backend, writes, 0).await?;
    Ok(Checked::Kept)
}

async fn another_effects_change_is_not_ours(backend: &dyn MitigatorHarness) -> Outcome {
    given!(backend.carries_the_id());
    let (mitigator, plan) = planned(backend).await?;
    let mut done = really(Arc::clone(&mitigator), plan.clone(), 1, PATIENCE).await?;
    done.first()??;
    let other = super::backend::effect(99);
    ensure!(other != done.effect, "the suite used the id of the effect twice");
    let found = mitigator.find(&looking(other), &plan).await?;
    ensure!(
        !matches!(found, Found::Yes(_)),
        "the change was made by {}, and it says Yes to {other}: does the change carry the effect's id?",
        done.effect
    );
    Ok(Checked::Kept)
}

async fn a_lost_reply_is_maybe(backend: &dyn MitigatorHarness) -> Outcome {
    let (mitigator, plan) = planned(backend).await?;
    given!(backend.meets(Fault::LoseReply).await);
    let mut done = really(Arc::clone(&mitigator), plan.clone(), 1, PATIENCE).await?;
    let Err(error) = done.first()? else {
        return Err(How("the reply was lost, and the call says it was done".to_owned()));
    };
    may_have_happened(&error)?;
    let found = mitigator.find(&looking(done.effect), &plan).await?;
    ensure!(!matches!(found, Found::No), "the reply was lost, it was carried out, and it says No");
    Ok(Checked::Kept)
}

async fn a_late_answer_is_a_lost_one(backend: &dyn MitigatorHarness) -> Outcome {
    let (mitigator, plan) = planned(backend).await?;
    let before = backend.inbox().await.len();
    given!(backend.meets(Fault::AnswerLate).await);
    let mut done = really(Arc::clone(&mitigator), plan.clone(), 2, HASTE).await?;
    let Err(error) = done.first()? else {
        return Err(How("nobody answered in time, and the call says it was done".to_owned()));
    };
    ensure!(error.context != LATE, "{LATE}");
    may_have_happened(&error)?;
    let found = mitigator.find(&looking(done.effect), &plan).await?;
    ensure!(!matches!(found, Found::No), "it was carried out, the answer came late, and it says No");
    let changes = backend.inbox().await.len().saturating_sub(before);
    ensure!(changes == 1, "the answer came late, and the system was changed {changes} times");
    Ok(Checked::Kept)
}

async fn the_change_shows(backend: &dyn MitigatorHarness) -> Outcome {
    let (mitigator, plan) = planned(backend).await?;
    let mut done = really(Arc::clone(&mitigator), plan, 1, PATIENCE).await?;
    let execution = done.first()??;
    let writes = backend.writes().await;
    for _ in 0..50 {
        match mitigator.verify(&looking(done.effect), &execution).await? {
            Verification::Holds => {
                writes_since(backend, writes, 0).await?;
                return Ok(Checked::Kept);
            }
            Verification::Failed { detail } => {
                return Err(How(format!("the change is in, and it says: {detail}")));
            }
            Verification::Pending { again, .. } => {
                tokio::time::sleep(again.min(Duration::from_millis(50))).await;
            }
        }
    }
    Err(How("after fifty looks it is still not known whether the change holds".to_owned()))
}

async fn what_was_never_done_does_not_hold(backend: &dyn MitigatorHarness) -> Outcome {
    let (mitigator, plan) = planned(backend).await?;
    let never = Execution::new(plan, now());
    for _ in 0..3 {
        match mitigator.verify(&looking(super::backend::effect(99)), &never).await {
            Ok(Verification::Holds) => {
                return Err(How("nothing was carried out, and `verify` says that it holds".to_owned()));
            }
            Ok(Verification::Pending { again, .. }) => {
                tokio::time::sleep(again.min(Duration::from_millis(50))).await;
            }
            // It failed, or a look can't make sense of it.
            Ok(Verification::Failed { .. }) | Err(_) => break,
        }
    }
    Ok(Checked::Kept)
}

async fn there_and_back(backend: &dyn MitigatorHarness) -> Outcome {
    let before = backend.state().await;
    let (mitigator, plan) = planned(backend).await?;
    given!(plan.reversible == crate::model::plan::Reversible::Yes);
    let mut there = really(Arc::clone(&mitigator), plan, 1, PATIENCE).await?;
    let execution = there.first()??;
    ensure!(backend.state().await != before, "it was carried out, and nothing changed");
    let back = mitigator.plan(&reading(), Intent::Undo(&execution)).await?;
    really(Arc::clone(&mitigator), back, 1, PATIENCE).await?.first()??;
    let after = backend.state().await;
    ensure!(after == before, "it was undone, and the state is {after:?} instead of {before:?}");
    Ok(Checked::Kept)
}

async fn fails(backend: &dyn MitigatorHarness, fault: Fault) -> Result<Option<AdapterError>, How> {
    let (mitigator, plan) = planned(backend).await?;
    if !backend.meets(fault).await {
        return Ok(None);
    }
    match really(mitigator, plan, 1, PATIENCE).await?.first()? {
        Ok(_) => Err(How(format!("the backend met {fault:?}, and the call says it was done"))),
        Err(error) => Ok(Some(error)),
    }
}

async fn a_refusal_is_final(backend: &dyn MitigatorHarness) -> Outcome {
    let before = backend.state().await;
    let Some(error) = fails(backend, Fault::Refuse).await? else { return Ok(Checked::NotApplicable) };
    ensure!(backend.state().await == before, "it was refused, and something changed");
    is_final(&error).map(|()| Checked::Kept)
}

async fn a_wait_is_passed_on(backend: &dyn MitigatorHarness) -> Outcome {
    let wait = Duration::from_secs(17);
    let Some(error) = fails(backend, Fault::Wait(wait)).await? else { return Ok(Checked::NotApplicable) };
    passes_on(&error, wait).map(|()| Checked::Kept)
}

async fn a_write_is_sent_once(backend: &dyn MitigatorHarness) -> Outcome {
    let (_, plan) = planned(backend).await?;
    let mut met = false;
    for fault in [Fault::Refuse, Fault::Wait(Duration::from_secs(1)), Fault::Break] {
        if backend.meets(fault).await {
            met = true;
            let before = backend.writes().await;
            really(backend.mitigator().await, plan.clone(), 1, PATIENCE).await?;
            writes_since(backend, before, 1).await?;
        }
    }
    given!(met);
    Ok(Checked::Kept)
}

async fn a_deadline_is_kept(backend: &dyn MitigatorHarness) -> Outcome {
    let (mitigator, plan) = planned(backend).await?;
    given!(backend.meets(Fault::Hang).await);
    let Err(error) = really(mitigator, plan, 1, HASTE).await?.first()? else {
        return Err(How("the backend never answered, and the call says it was done".to_owned()));
    };
    ensure!(error.context != LATE, "{LATE}");
    may_have_happened(&error).map(|()| Checked::Kept)
}

async fn no_secret_is_shown(backend: &dyn MitigatorHarness) -> Outcome {
    given!(backend.secret().is_some());
    let log = Log::default();
    let listening = log.listen();
    let (mitigator, plan) = planned(backend).await?;
    hides(backend, "Debug", &format!("{mitigator:?}"))?;
    hides(backend, "a plan", &format!("{plan:?}"))?;
    for fault in [Fault::Refuse, Fault::Break, Fault::Unreachable] {
        if backend.meets(fault).await {
            let came = really(Arc::clone(&mitigator), plan.clone(), 1, PATIENCE).await?.first()?;
            if let Err(error) = came {
                hides(backend, &format!("the error after {fault:?}"), &all_of(&error))?;
            }
        }
    }
    drop(listening);
    hides(backend, "a log", &log.heard())?;
    Ok(Checked::Kept)
}

async fn preflight_writes_nothing(backend: &dyn MitigatorHarness) -> Outcome {
    let mitigator = backend.mitigator().await;
    let before = backend.state().await;
    let _ = mitigator.preflight(&PreflightContext::new(now())).await;
    ensure!(backend.state().await == before && backend.writes().await == 0, "preflight changed something");
    let cx = reading().with_deadline(HASTE);
    let _ = in_time(mitigator.plan(&cx, Intent::Do(&backend.mitigation()))).await?;
    Ok(Checked::Kept)
}
