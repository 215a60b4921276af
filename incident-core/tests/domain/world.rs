//! The world the scenarios play in: people, routes, a plan to carry out, answers of backends.

use std::collections::BTreeMap;
use std::time::Duration;

use incident_core::log::event::CheckReading;
use incident_core::log::incident::Incident;
use incident_core::model::colour::Colour;
use incident_core::model::effect::{Applied, Effect, Receipt, Repeat, TicketWork, Work};
use incident_core::model::mitigation::{Mitigation, RollBack};
use incident_core::model::plan::{BlastRadius, Execution, Plan, Reversible};
use incident_core::model::role::{Identity, Person, PersonId, Role};
use incident_core::model::route::{Route, Routes};
use incident_core::model::severity::Audience;
use incident_core::model::ticket::Ticket;
use incident_core::model::time::Time;
use incident_core::rules::command::{Command, EffectResult, Failure};
use incident_core::runbook::Runbook;
use incident_core::runbook::{Check, CheckedBy};

/// The checks that a probe answers here.
pub(crate) const PROBES: [&str; 4] = ["pods-ready", "health", "error-rate", "latency-p95"];

pub(crate) fn time(text: &str) -> Time {
    text.parse().unwrap()
}

pub(crate) fn long(text: &str) -> Duration {
    humantime::parse_duration(text).unwrap()
}

pub(crate) fn person(id: &str) -> PersonId {
    PersonId::new(id)
}

/// The default runbook with three persons; alice has two accounts.
pub(crate) fn runbook() -> Runbook {
    let mut runbook = Runbook::default();
    for (id, roles, accounts) in [
        ("alice", vec![Role::Commander, Role::OpsLead], vec!["chat:alice", "forge:alice-m"]),
        ("bob", vec![Role::OpsLead], vec!["chat:bob"]),
        ("carol", vec![Role::Scribe], vec!["chat:carol"]),
    ] {
        let identities = accounts
            .into_iter()
            .map(|account| {
                let (system, name) = account.split_once(':').unwrap();
                Identity::new(system, name)
            })
            .collect();
        runbook.persons.insert(person(id), Person { name: id.to_owned(), identities, roles });
    }
    runbook
}

/// With recovery checked by one probe alone.
pub(crate) fn one_probe(runbook: &mut Runbook) {
    let check = Check { what: "it answers".to_owned(), by: CheckedBy::Probe };
    runbook.recovery.checks = BTreeMap::from([("health".to_owned(), check)]);
}

pub(crate) fn live() -> Routes {
    let mut routes = Routes::default();
    routes.notices = vec![
        Route::new("pager", &[Audience::RESPONDERS]).with_fallback("phone"),
        Route::new("phone", &[]),
        Route::new("chat", &[Audience::TEAM, Audience::LEADERSHIP, Audience::EXECUTIVES, Audience::STAFF]),
        Route::new("status", &[Audience::CUSTOMERS, Audience::PUBLIC]),
        Route::new("mail", &[Audience::CARETAKER]),
    ];
    routes.tracker = Some("tickets".to_owned());
    routes.systems = vec!["shop".to_owned()];
    routes.collectors = vec!["logs".to_owned()];
    routes.probes = PROBES.map(str::to_owned).to_vec();
    routes
}

pub(crate) fn drill() -> Routes {
    let mut routes = Routes::default();
    let everybody = [
        Audience::RESPONDERS,
        Audience::TEAM,
        Audience::LEADERSHIP,
        Audience::EXECUTIVES,
        Audience::STAFF,
        Audience::CUSTOMERS,
        Audience::PUBLIC,
    ];
    routes.notices = vec![Route::new("drill-chat", &everybody)];
    routes.systems = vec!["drill-shop".to_owned()];
    routes
}

pub(crate) fn roll_back(workload: &str) -> Mitigation {
    Mitigation::RollBack(RollBack { workload: workload.to_owned(), to_revision: Some("7".to_owned()) })
}

/// A plan for `mitigation` that leaves four fifths of the instances healthy.
pub(crate) fn plan_of(mitigation: &Mitigation) -> Plan {
    let target = format!("prod/{}", mitigation.target());
    Plan::new(mitigation.clone(), &target, Reversible::Yes)
        .with_change("image", "v8", "v7")
        .with_pin("uid", "u-1")
        .with_blast_radius(BlastRadius::of(5).leaving_healthy(80))
}

/// Every probe shows `colour`.
pub(crate) fn readings(colour: Colour) -> Command {
    let reading = CheckReading { colour, detail: "seen".to_owned() };
    Command::Look(PROBES.into_iter().map(|probe| (probe.to_owned(), reading.clone())).collect())
}

/// What a healthy backend answers to `effect`.
pub(crate) fn ideal(incident: &Incident, effect: &Effect, now: Time) -> EffectResult {
    let mitigation = |seq| &incident.mitigations[seq];
    match &effect.work {
        Work::Ticket(TicketWork::Open) => {
            EffectResult::Done(Receipt::new("shop#1").with_link("https://tickets.example/1"))
        }
        Work::Ticket(TicketWork::FollowUp(action)) => {
            EffectResult::Done(Receipt::new(&format!("shop#{}", action.0)))
        }
        Work::Plan(seq) => EffectResult::Planned(Box::new(plan_of(&mitigation(seq).mitigation))),
        Work::Execute(seq) => {
            let plan = mitigation(seq).plan.clone().expect("only a plan is executed").plan;
            EffectResult::Executed(Box::new(Execution::new(plan, now).with_reference("rollout-1")))
        }
        Work::Verify(_) => EffectResult::Verified { holds: true, detail: "5 of 5 are new".to_owned() },
        Work::Collect => EffectResult::Collected(Vec::new()),
        Work::ReadTickets => EffectResult::Tickets(tickets(incident)),
        _ => EffectResult::Done(Receipt::new(&format!("m-{}", effect.seq.0)).in_conversation("c-1")),
    }
}

/// The tickets of the action items, as we wrote them.
pub(crate) fn tickets(incident: &Incident) -> Vec<Ticket> {
    let references = incident.actions.values().filter_map(|action| action.ticket.clone());
    references.map(|reference| Ticket::new(reference, true, "[follow-up] as written")).collect()
}

/// What a second time does for this kind of work here.
pub(crate) fn usual_repeat(work: &Work) -> Repeat {
    match work {
        Work::Notify(_) => Repeat::Native { within: Duration::from_secs(86_400) },
        Work::Ticket(_) => Repeat::Lookup,
        _ => Repeat::Converging,
    }
}

pub(crate) fn failure(applied: Applied, retry: bool, wait: Option<&str>) -> EffectResult {
    EffectResult::Failed(Failure {
        applied,
        retry,
        wait: wait.map(long),
        error: "the backend said no".to_owned(),
    })
}
