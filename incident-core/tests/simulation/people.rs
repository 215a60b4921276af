//! What people and webhooks do, by chance; much of it is refused.

use std::collections::BTreeMap;
use std::time::Duration;

use incident_core::log::incident::Incident;
use incident_core::log::mitigation::Stage;
use incident_core::model::colour::Colour;
use incident_core::model::id::{IncidentId, Seq};
use incident_core::model::mitigation::{Mitigation, RollBack, SwitchFeature};
use incident_core::model::phase::Phase;
use incident_core::model::role::{PersonId, Role};
use incident_core::model::severity::Severity;
use incident_core::model::signal::{Detection, Signal};
use incident_core::rules::command::{
    Absorb, AddAction, Advance, Approve, Assign, Attest, Because, Close, Command, CompleteAction,
    ExecutePlan, Note, PostUpdate, Propose, Redact, RedactSlot, Resolve, SetSeverity, SettleMitigation,
    StepBack, Triage, Undo,
};
use incident_core::runbook::Priority;
use incident_core::runbook::triage::Answer;

use crate::dice::Dice;
use crate::remote::Remote;

pub(crate) const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];
pub(crate) const TARGETS: [&str; 3] = ["deployment/checkout", "deployment/cart", "pricing"];

fn why() -> String {
    "because".to_owned()
}

/// Alerts, some of them twice and in any order.
pub(crate) fn alerts(dice: &Dice) -> Vec<Signal> {
    let mut alerts = Vec::new();
    for _ in 0..=dice.below(3) {
        let service = dice.one(&["checkout", "cart", "search", "mail"]);
        let name = format!("{service}-{}", dice.below(3));
        let alert = Signal::firing(&name, "errors", Detection::MetricAlert).with_label("service", service);
        let alert = if dice.permille(300) { alert.resolved() } else { alert };
        if dice.permille(300) {
            alerts.push(alert.clone());
        }
        alerts.push(alert);
    }
    alerts
}

/// What somebody tries next.
pub(crate) fn tries(dice: &Dice, it: &Incident, others: &[IncidentId], remote: &Remote) -> Option<Command> {
    let to = dice.one(&[Phase::Investigation, Phase::Resolution, Phase::Recovery]);
    let over = dice.permille(800).then(why);
    Some(match dice.below(22) {
        0 | 1 => Command::Acknowledge,
        2 => {
            let answers: BTreeMap<String, Answer> =
                [("completely_down".to_owned(), dice.one(&[Answer::Yes, Answer::No, Answer::Unknown]))]
                    .into();
            Command::Triage(Triage { answers })
        }
        3 => {
            let severity = dice.one(&[Severity::Sev1, Severity::Sev2, Severity::Sev3, Severity::Sev4]);
            Command::SetSeverity(SetSeverity { severity, because: why() })
        }
        4 => {
            let person = PersonId::new(dice.one(&PEOPLE));
            Command::Assign(Assign { role: dice.one(&[Role::Commander, Role::Scribe]), to: person })
        }
        5 | 6 => Command::PostUpdate(PostUpdate {
            progress: "on it".to_owned(),
            next_steps: None,
            eta: None,
            public: None,
        }),
        7 => Command::Note(Note { text: "a note".to_owned() }),
        8 | 9 => Command::Advance(Advance { to: Some(to), override_because: over }),
        10 | 11 => {
            let target = dice.one(&TARGETS).to_owned();
            let mitigation = if target == "pricing" {
                Mitigation::SwitchFeature(SwitchFeature { feature: target, on: false })
            } else {
                Mitigation::RollBack(RollBack { workload: target, to_revision: Some("7".to_owned()) })
            };
            Command::Propose(Propose { mitigation, system: "shop".to_owned(), because: why() })
        }
        12..=15 => return mitigate(dice, it, remote),
        16 => {
            Command::Attest(Attest { check: "user-reports".to_owned(), colour: Colour::Green, detail: why() })
        }
        17 => Command::StepBack(StepBack { to: Phase::Investigation, because: why() }),
        18 => {
            let owner = Some(PersonId::new(dice.one(&PEOPLE)));
            Command::AddAction(AddAction {
                what: "mend it".to_owned(),
                kind: None,
                priority: Priority::High,
                owner,
                due: None,
            })
        }
        19 => Command::Escalate(Because { because: why() }),
        20 if dice.permille(300) => Command::Absorb(Absorb { other: dice.one(others), because: why() }),
        20 => {
            let slots = vec![RedactSlot { slot: 0, text: it.title }];
            Command::Redact(Redact { record: Seq(1), slots, because: why() })
        }
        _ if dice.permille(250) => Command::Resolve(Resolve { cause: why(), override_because: Some(why()) }),
        _ if dice.permille(250) => Command::Reopen(Because { because: why() }),
        _ if dice.permille(60) => Command::Cancel(Because { because: why() }),
        _ if dice.permille(150) => Command::Close(Close { override_because: Some(why()) }),
        _ => return None,
    })
}

/// The next step of some mitigation.
fn mitigate(dice: &Dice, it: &Incident, remote: &Remote) -> Option<Command> {
    let all: Vec<_> = it.mitigations.iter().collect();
    if all.is_empty() {
        return None;
    }
    let (proposal, mitigation) = dice.one(&all);
    let proposal = *proposal;
    let digest = mitigation.plan.as_ref().map(|plan| plan.digest);
    Some(match (mitigation.stage, digest) {
        (Stage::Planned, Some(digest)) if dice.permille(500) => {
            Command::Approve(Approve { proposal, digest, break_glass: None })
        }
        (Stage::Planned, Some(digest)) => Command::Execute(ExecutePlan { proposal, digest }),
        (Stage::Holds, _) if dice.permille(200) => {
            Command::Undo(Undo { mitigation: proposal, because: why() })
        }
        (Stage::Unclear, _) => return settles(it, proposal, remote),
        _ => return None,
    })
}

/// Somebody goes and looks, and says what is so.
fn settles(it: &Incident, proposal: Seq, remote: &Remote) -> Option<Command> {
    let world = remote.side(it.side);
    let world = world.lock().unwrap();
    if world.any_under_way() {
        return None;
    }
    let digest = it.mitigations.get(&proposal)?.plan.as_ref()?.digest;
    let is_it = |came: &crate::remote::Came| came.effect.incident == it.id && came.plan == Some(digest);
    let happened = world.came.iter().any(is_it);
    Some(Command::SettleMitigation(SettleMitigation { proposal, happened, because: why() }))
}

/// What brings an incident to its end, step by step.
pub(crate) fn ends(it: &Incident, remote: &Remote) -> Option<(&'static str, Command)> {
    if let Some((seq, _)) = it.actions.iter().find(|(_, action)| !action.done) {
        let done = CompleteAction { action: *seq, outcome: "done".to_owned() };
        return Some(("bob", Command::CompleteAction(done)));
    }
    if it.ended.is_some() {
        return None;
    }
    if let Some((proposal, _)) = it.mitigations.iter().find(|(_, it)| it.stage == Stage::Unclear) {
        return Some(("bob", settles(it, *proposal, remote)?));
    }
    if it.mitigations.values().any(|it| it.stage.is_running()) {
        return None;
    }
    Some(match it.phase {
        Phase::PostIncident => ("alice", Command::Close(Close { override_because: Some(why()) })),
        _ => ("alice", Command::Resolve(Resolve { cause: why(), override_because: Some(why()) })),
    })
}

/// How long it takes until the next thing happens.
pub(crate) fn pause(dice: &Dice) -> Duration {
    let seconds = match dice.below(20) {
        0..=5 => 0,
        6..=12 => 1 + dice.below(20),
        13..=17 => 30 + dice.below(400),
        18 => 1_800 + dice.below(7_200),
        _ => 12 * 3_600 + dice.below(36 * 3_600),
    };
    Duration::from_secs(u64::try_from(seconds).unwrap())
}
