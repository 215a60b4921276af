//! People who declare one incident after the other and bring each to its end, whatever happens to the replicas.

use std::collections::BTreeMap;

use incident_core::log::incident::Incident;
use incident_core::log::mitigation::Stage;
use incident_core::model::id::{CommandId, IncidentId};
use incident_core::model::mitigation::{Mitigation, SwitchFeature};
use incident_core::model::phase::Phase;
use incident_core::model::role::Actor;
use incident_core::model::severity::Severity;
use incident_core::rules::command::{
    Advance, Approve, Close, Command, Declare, ExecutePlan, PostUpdate, Propose, Request, Resolve,
};
use incident_core::runtime::Engine;

use crate::fleet::FLAGS;

/// One incident, and which of the flags it is about.
pub(crate) struct Case {
    pub(crate) id: IncidentId,
    number: usize,
    pub(crate) closed: bool,
}

pub(crate) struct People {
    pub(crate) desk: Engine,
    pub(crate) cases: Vec<Case>,
    /// How many commands were answered.
    pub(crate) answered: usize,
}

impl People {
    pub(crate) fn at(desk: Engine) -> Self {
        Self { desk, cases: Vec::new(), answered: 0 }
    }

    pub(crate) fn open(&self) -> usize {
        self.cases.iter().filter(|case| !case.closed).count()
    }

    /// Declares an incident. It is declared again under the same id if nobody knows whether it was.
    pub(crate) async fn declare(&mut self) -> IncidentId {
        let id = self.desk.new_incident_id();
        let number = self.cases.len();
        let declare =
            Declare::new("checkout fails").service(&format!("shop-{number}")).severity(Severity::Sev2);
        let command = Command::Declare(Box::new(declare));
        let request =
            Request::new(CommandId::named(&format!("{id}/declare")), Actor::human("chat", "alice"), command);
        while self.desk.send(id, request.clone()).await.is_err() {
            tokio::task::yield_now().await;
        }
        self.answered += 1;
        self.cases.push(Case { id, number, closed: false });
        id
    }

    /// Takes the next step of every open case that has one.
    pub(crate) async fn go_on(&mut self) {
        for case in self.cases.iter_mut().filter(|case| !case.closed) {
            let Ok(state) = self.desk.incident(case.id).state().await else { continue };
            if state.ended.is_some() {
                case.closed = true;
                continue;
            }
            let Some((who, what, command)) = next(&state, case.number) else { continue };
            let id = CommandId::named(&format!("{}/{what}", case.id));
            // A refusal or a store that is away: it is asked again in the next round.
            let sent = self.desk.send(case.id, Request::new(id, Actor::human("chat", who), command)).await;
            self.answered += usize::from(sent.is_ok());
        }
    }

    /// How many records of each kind all logs have.
    pub(crate) async fn kinds(&self) -> BTreeMap<&'static str, usize> {
        let mut kinds = BTreeMap::new();
        for case in &self.cases {
            for record in self.desk.incident(case.id).records().await.unwrap_or_default() {
                *kinds.entry(record.fact.kind()).or_default() += 1;
            }
        }
        kinds
    }
}

fn next(it: &Incident, number: usize) -> Option<(&'static str, &'static str, Command)> {
    let why = || "because".to_owned();
    // Every seventh is answered late, so that something is always overdue.
    if it.milestones.acknowledged.is_none() {
        let late = number.is_multiple_of(7) && it.escalate_step == 0;
        return (!late).then_some(("alice", "acknowledge", Command::Acknowledge));
    }
    if it.phase < Phase::Resolution {
        let advance = Advance { to: Some(Phase::Resolution), override_because: Some(why()) };
        return Some(("alice", "advance", Command::Advance(advance)));
    }
    let Some((proposal, mitigation)) = it.mitigations.iter().next() else {
        let on = (number / FLAGS).is_multiple_of(2);
        let feature = SwitchFeature { feature: format!("flag-{}", number % FLAGS), on };
        let mitigation = Mitigation::SwitchFeature(feature);
        let propose = Propose { mitigation, system: "shop".to_owned(), because: why() };
        return Some(("alice", "propose", Command::Propose(propose)));
    };
    let proposal = *proposal;
    match (mitigation.stage, &mitigation.plan) {
        (Stage::Planned, Some(plan)) if mitigation.approvals.is_empty() => {
            let approve = Approve { proposal, digest: plan.digest, break_glass: None };
            Some(("bob", "approve", Command::Approve(approve)))
        }
        (Stage::Planned, Some(plan)) => {
            Some(("alice", "execute", Command::Execute(ExecutePlan { proposal, digest: plan.digest })))
        }
        (Stage::Holds | Stage::Failed, _) if it.phase < Phase::PostIncident => {
            let told = it.commands.contains_key(&CommandId::named(&format!("{}/update", it.id)));
            if !told {
                let update = PostUpdate {
                    progress: "it is switched".to_owned(),
                    next_steps: None,
                    eta: None,
                    public: None,
                };
                return Some(("alice", "update", Command::PostUpdate(update)));
            }
            let resolve = Resolve { cause: why(), override_because: Some(why()) };
            Some(("alice", "resolve", Command::Resolve(resolve)))
        }
        (Stage::Holds | Stage::Failed, _) => {
            Some(("alice", "close", Command::Close(Close { override_because: Some(why()) })))
        }
        _ => None,
    }
}
