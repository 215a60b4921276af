//! The people, and the engine that does what they approved.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use incident_core::config::Ports;
use incident_core::log::mitigation::{MitigationState, Stage};
use incident_core::model::id::Seq;
use incident_core::model::mitigation::Mitigation;
use incident_core::model::plan::{ApprovedPlan, Execution, Intent, Plan, Verification};
use incident_core::model::role::{Actor, Identity, Person, PersonId};
use incident_core::model::severity::Severity;
use incident_core::model::time::Time;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, EffectContext, ErrorKind, Found, Mitigator, Preflight,
    PreflightContext, ReadContext,
};
use incident_core::rules::command::Declare;
use incident_core::runbook::Runbook;
use incident_core::runtime::{Engine, IncidentHandle};
use incident_core::store::MemoryStore;

use crate::place::Place;

pub(crate) struct Crew {
    engine: Engine,
    incident: IncidentHandle,
}

impl Crew {
    pub(crate) async fn at(place: &Place) -> Self {
        Self::with(place.backend().into_ports()).await
    }

    /// A crew whose engine dies right after its first execution, before that is recorded.
    pub(crate) async fn dying_once(place: &Place) -> Self {
        let mitigator = place.backend().into_mitigator().unwrap();
        let dying = DiesOnce { inner: Arc::new(mitigator), died: AtomicBool::new(false) };
        Self::with(Ports::new().with_mitigator(dying)).await
    }

    async fn with(ports: Ports) -> Self {
        let mut runbook = Runbook::default();
        for id in ["alice", "bob"] {
            let identities = vec![Identity::new("chat", id)];
            let person = Person { name: id.to_owned(), identities, roles: Vec::new() };
            runbook.persons.insert(PersonId::new(id), person);
        }
        // One after the other on the same target, and pods that never run are no healthy ones.
        runbook.safety.cooldown = Duration::ZERO;
        runbook.safety.min_healthy_percent = 0;
        runbook.safety.budget_per_hour = 100;
        let engine = Engine::builder(MemoryStore::new())
            .runbook(runbook)
            .ports("cluster", ports)
            .pages_nobody()
            .build()
            .unwrap();
        let declare = Declare::new("checkout is down").severity(Severity::Sev3);
        let incident = engine.declare(person("alice"), declare).await.unwrap();
        Self { engine, incident }
    }

    pub(crate) async fn propose(&self, mitigation: Mitigation) -> Seq {
        self.incident.propose("cluster", mitigation, "it is broken").await.unwrap().seq
    }

    pub(crate) async fn propose_undo(&self, of: Seq) -> Seq {
        self.incident.undo(of, "it didn't help").await.unwrap().seq
    }

    /// Two people agree to the plan and order it.
    pub(crate) async fn approve(&self, proposal: Seq) {
        let planned = self.until(proposal, |it| it.plan.is_some()).await;
        let digest = planned.plan.unwrap().digest;
        for name in ["alice", "bob"] {
            // One of them is enough where one is; the second one hears that then.
            let _ = self.incident.clone().as_actor(person(name)).approve(proposal, digest).await;
        }
        self.incident.clone().as_actor(person("bob")).execute(proposal, digest).await.unwrap();
    }

    /// Proposes, approves and carries out; ends when the backend has accepted it.
    pub(crate) async fn carry_out(&self, mitigation: Mitigation) -> Seq {
        let proposal = self.propose(mitigation).await;
        self.finish(proposal).await;
        proposal
    }

    pub(crate) async fn take_back(&self, of: Seq) {
        let proposal = self.propose_undo(of).await;
        self.finish(proposal).await;
    }

    async fn finish(&self, proposal: Seq) {
        self.approve(proposal).await;
        let done = self.until(proposal, |it| it.stage > Stage::Ordered).await;
        assert!(done.execution.is_some(), "{:?}: {:#?}", done.stage, self.told().await);
    }

    /// What is told once it is clear that there will be no plan.
    pub(crate) async fn unplanned(&self, mitigation: Mitigation) -> String {
        let proposal = self.propose(mitigation).await;
        self.engine.tick(Time::MAX_UTC).await.unwrap();
        assert!(self.incident.state().await.unwrap().mitigations[&proposal].plan.is_none());
        self.told().await.join("\n")
    }

    /// Waits until it is verified: it holds where pods run, and has failed where nothing ever runs.
    pub(crate) async fn settled(&self, place: &Place, proposal: Seq) {
        let end = self.until(proposal, |it| it.ended_at.is_some()).await;
        assert!(end.stage == Stage::Holds || !place.is_fake(), "{:#?}", self.told().await);
    }

    /// Waits until the change holds.
    pub(crate) async fn held(&self, proposal: Seq) {
        let end = self.until(proposal, |it| it.ended_at.is_some()).await;
        assert_eq!(end.stage, Stage::Holds);
    }

    /// How the mitigation ended.
    pub(crate) async fn end(&self, proposal: Seq) -> Stage {
        self.until(proposal, |it| it.ended_at.is_some()).await.stage
    }

    pub(crate) async fn until(
        &self,
        proposal: Seq,
        so: impl Fn(&MitigationState) -> bool,
    ) -> MitigationState {
        let waiting = async {
            loop {
                self.engine.tick(Time::MAX_UTC).await.unwrap();
                let state = self.incident.state().await.unwrap();
                let it = &state.mitigations[&proposal];
                if so(it) {
                    return it.clone();
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(90), waiting).await.expect("it takes too long")
    }

    pub(crate) async fn told(&self) -> Vec<String> {
        let (state, records) = (self.incident.state().await.unwrap(), self.incident.records().await.unwrap());
        let lines = incident_core::views::timeline::timeline(&state, &records);
        lines.into_iter().map(|line| line.what).collect()
    }
}

fn person(name: &str) -> Actor {
    Actor::human("chat", name)
}

/// A mitigator that loses what it knows right after it has acted, once.
#[derive(Debug)]
struct DiesOnce {
    inner: Arc<dyn Mitigator>,
    died: AtomicBool,
}

#[async_trait]
impl Adapter for DiesOnce {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn preflight(&self, cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        self.inner.preflight(cx).await
    }
}

#[async_trait]
impl Mitigator for DiesOnce {
    async fn plan(&self, cx: &ReadContext, intent: Intent<'_>) -> Result<Plan, AdapterError> {
        self.inner.plan(cx, intent).await
    }

    async fn execute(&self, cx: &EffectContext, plan: &ApprovedPlan) -> Result<Execution, AdapterError> {
        let done = self.inner.execute(cx, plan).await?;
        if self.died.swap(true, Ordering::SeqCst) {
            return Ok(done);
        }
        Err(AdapterError::new(ErrorKind::Unavailable, "die").maybe_applied())
    }

    async fn find(&self, cx: &EffectContext, plan: &Plan) -> Result<Found<Execution>, AdapterError> {
        self.inner.find(cx, plan).await
    }

    async fn verify(&self, cx: &EffectContext, execution: &Execution) -> Result<Verification, AdapterError> {
        self.inner.verify(cx, execution).await
    }
}
