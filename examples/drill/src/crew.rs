//! The people: what Alice and Bob do next, read from the incident alone, so that a drill can go on where it was killed.

use std::collections::BTreeMap;

use incident_core::log::event::FixStep;
use incident_core::log::incident::Incident;
use incident_core::log::mitigation::Stage;
use incident_core::model::afterwards::ActionKind;
use incident_core::model::cause::CauseClass;
use incident_core::model::colour::Colour;
use incident_core::model::id::CommandId;
use incident_core::model::impact::Impact;
use incident_core::model::mitigation::{Mitigation, SwitchFeature};
use incident_core::model::phase::Phase;
use incident_core::model::role::Role;
use incident_core::model::role::{Actor, PersonId};
use incident_core::model::time::Time;
use incident_core::rules::command::{
    AddAction, Advance, Approve, Assign, Attest, Close, Command, ExecutePlan, HoldMeeting, Hypothesise,
    JudgeHypothesis, PostUpdate, Propose, RecordFix, Resolve, TickStep, Triage,
};
use incident_core::runbook::triage::Answer;
use incident_core::runbook::{CheckedBy, Priority, Runbook};

use crate::writing;

/// The checks that the shop's own probes answer.
const PROBED: [&str; 3] = ["health", "error-rate", "latency-p95"];

/// What somebody does next.
pub(crate) struct Move {
    pub(crate) who: Actor,
    pub(crate) name: String,
    /// What it is, for the person who is asked.
    pub(crate) what: String,
    pub(crate) id: CommandId,
    pub(crate) action: Action,
}

pub(crate) enum Action {
    Command(Box<Command>),
    /// Write the post-mortem and publish it.
    Publish,
}

/// The two who answer: the first leads, the second approves.
struct Crew {
    lead: (PersonId, Actor, String),
    second: (PersonId, Actor, String),
}

impl Crew {
    fn of(runbook: &Runbook) -> Option<Self> {
        let mut people = runbook.persons.iter().filter_map(|(id, person)| {
            Some((id.clone(), Actor::Human(person.identities.first()?.clone()), person.name.clone()))
        });
        Some(Self { lead: people.next()?, second: people.next()? })
    }
}

/// What is to be done now; none while there is something to wait for.
pub(crate) fn next(incident: &Incident, runbook: &Runbook, now: Time) -> Option<Move> {
    let crew = Crew::of(runbook)?;
    let id = |key: &str| CommandId::named(&format!("{}/{key}", incident.id));
    let done = |key: &str| incident.commands.contains_key(&id(key));
    let by = |(_, actor, name): &(PersonId, Actor, String), key: &str, what: &str, command| {
        let action = Action::Command(Box::new(command));
        Some(Move { who: actor.clone(), name: name.clone(), what: what.to_owned(), id: id(key), action })
    };
    let lead = |key: &str, what: &str, command| by(&crew.lead, key, what, command);
    let advance = |to: Phase| {
        lead(
            &format!("advance/{to}"),
            &format!("go on to {to}"),
            Command::Advance(Advance { to: Some(to), override_because: None }),
        )
    };

    if incident.milestones.acknowledged.is_none() {
        return lead("acknowledge", "acknowledge the incident", Command::Acknowledge);
    }
    if incident.commander().is_none() {
        let command = Command::Assign(Assign { role: Role::Commander, to: crew.lead.0.clone() });
        return lead("commander", "take the lead", command);
    }
    // Gates of the reader's own runbook may ask for other steps; they are ticked as they come.
    let steps = runbook.phase(incident.phase).steps.iter();
    if let Some(step) = steps.into_iter().find(|step| !incident.steps.contains(&step.id)) {
        let command = Command::TickStep(TickStep { step: step.id.clone(), skipped: None });
        return lead(&format!("step/{}", step.id), &step.what, command);
    }
    match incident.phase {
        Phase::Detection => advance(Phase::Triage),
        Phase::Triage if incident.triage.is_none() => {
            let answers = [
                ("data_loss", Answer::No),
                ("security_breach", Answer::No),
                ("completely_down", Answer::No),
                ("several_users", Answer::Yes),
                ("function_critical", Answer::Yes),
            ];
            let answers: BTreeMap<_, _> = answers.map(|(name, answer)| (name.to_owned(), answer)).into();
            lead(
                "triage",
                "triage: not down, but many customers and a critical function",
                Command::Triage(Triage { answers }),
            )
        }
        Phase::Triage if incident.impact.is_none() => {
            let impact = Impact {
                users_percent: Some(40.0),
                services: vec!["checkout".to_owned()],
                business: Some("About four of ten checkouts fail".to_owned()),
                data_loss: Some(false),
                security_breach: Some(false),
                customer_facing: Some(true),
                ..Impact::default()
            };
            lead("impact", "assess the impact", Command::AssessImpact(Box::new(impact)))
        }
        Phase::Triage => advance(Phase::Communication),
        Phase::Communication => advance(Phase::Investigation),
        Phase::Investigation if !done("hypothesis/flag") => lead(
            "hypothesis/flag",
            "write down: the new pricing is the cause",
            hypothesis("The feature new-pricing, turned on lately, fails", CauseClass::RecentDeployment),
        ),
        Phase::Investigation if !done("hypothesis/load") => lead(
            "hypothesis/load",
            "write down: or too many customers are",
            hypothesis("More customers than the shop can serve", CauseClass::Traffic),
        ),
        Phase::Investigation if !done("update/1") => {
            lead("update/1", "post an update", update("The new pricing is suspected", Some("Turn it off")))
        }
        Phase::Investigation => advance(Phase::Resolution),
        Phase::Resolution => mitigate(incident, &crew, now, &by).or_else(|| {
            let holds = incident.mitigations.values().any(|it| it.stage == Stage::Holds);
            if !holds {
                return None;
            }
            let judged = |key: &str, confirmed, because: &str| {
                let hypothesis = *incident.commands.get(&id(key))?;
                let what =
                    format!("{} hypothesis {hypothesis}", if confirmed { "confirm" } else { "rule out" });
                let command = JudgeHypothesis { hypothesis, confirmed, because: because.to_owned() };
                lead(&format!("judge/{key}"), &what, Command::JudgeHypothesis(command))
            };
            if !done("judge/hypothesis/flag") {
                judged("hypothesis/flag", true, "Checkouts succeed again since it is off")
            } else if !done("judge/hypothesis/load") {
                judged("hypothesis/load", false, "The number of customers was as always")
            } else {
                advance(Phase::Recovery)
            }
        }),
        Phase::Recovery => {
            let answered = |name: &String| {
                incident.checks.last.get(name).is_some_and(|state| state.attested_by.is_some())
            };
            let wanted = incident.figures.checks.iter().find(|(name, check)| {
                let mine = match check.by {
                    CheckedBy::Person => true,
                    CheckedBy::Probe => !PROBED.contains(&name.as_str()),
                    CheckedBy::Signals => false,
                };
                mine && !answered(name)
            });
            if let Some((name, check)) = wanted {
                let detail = "Looked at it myself".to_owned();
                let command = Command::Attest(Attest { check: name.clone(), colour: Colour::Green, detail });
                return by(
                    &crew.second,
                    &format!("attest/{name}"),
                    &format!("vouch that {}", check.what),
                    command,
                );
            }
            if !done("update/2") {
                return lead(
                    "update/2",
                    "post an update",
                    update("The new pricing is off, recovery is watched", None),
                );
            }
            if !incident.checks.held(&incident.figures, now) {
                return None;
            }
            let cause = "The feature new-pricing failed on four of ten checkouts".to_owned();
            lead(
                "resolve",
                "resolve the incident",
                Command::Resolve(Resolve { cause, override_because: None }),
            )
        }
        Phase::PostIncident => afterwards(incident, &crew, &done, &lead, &id),
    }
}

fn hypothesis(statement: &str, class: CauseClass) -> Command {
    Command::Hypothesise(Hypothesise { statement: statement.to_owned(), class: Some(class) })
}

fn update(progress: &str, next_steps: Option<&str>) -> Command {
    let next_steps = next_steps.map(str::to_owned);
    Command::PostUpdate(PostUpdate { progress: progress.to_owned(), next_steps, eta: None, public: None })
}

/// Propose, approve, execute: the first who is missing acts.
fn mitigate(
    incident: &Incident,
    crew: &Crew,
    now: Time,
    by: &impl Fn(&(PersonId, Actor, String), &str, &str, Command) -> Option<Move>,
) -> Option<Move> {
    let Some((proposal, mitigation)) = incident.mitigations.iter().next_back() else {
        return propose(crew, 0, by);
    };
    let tries = incident.mitigations.len();
    match (mitigation.stage, &mitigation.plan) {
        (Stage::Failed | Stage::Rejected, _) if tries < 5 => propose(crew, tries, by),
        (Stage::Planned, Some(plan)) if plan.expires_at <= now => propose(crew, tries, by),
        (Stage::Planned, Some(plan)) => {
            let (proposal, digest) = (*proposal, plan.digest);
            if mitigation.approvals.contains_key(&crew.second.0) {
                let command = Command::Execute(ExecutePlan { proposal, digest });
                return by(&crew.lead, &format!("execute/{proposal}"), "carry it out", command);
            }
            let what = format!("approve: {} (digest {})", mitigation.mitigation, digest.short());
            let command = Command::Approve(Approve { proposal, digest, break_glass: None });
            by(&crew.second, &format!("approve/{proposal}"), &what, command)
        }
        _ => None,
    }
}

fn propose(
    crew: &Crew,
    tries: usize,
    by: &impl Fn(&(PersonId, Actor, String), &str, &str, Command) -> Option<Move>,
) -> Option<Move> {
    let mitigation =
        Mitigation::SwitchFeature(SwitchFeature { feature: "new-pricing".to_owned(), on: false });
    let because = "Checkouts fail since it is on".to_owned();
    let command = Command::Propose(Propose { mitigation, system: "shop".to_owned(), because });
    by(&crew.lead, &format!("propose/{tries}"), "propose to turn new-pricing off", command)
}

fn afterwards(
    incident: &Incident,
    crew: &Crew,
    done: &impl Fn(&str) -> bool,
    lead: &impl Fn(&str, &str, Command) -> Option<Move>,
    id: &impl Fn(&str) -> CommandId,
) -> Option<Move> {
    if !done("fix") {
        let what = "Prices are looked up once a checkout, with a test that fails without it".to_owned();
        let command = Command::RecordFix(RecordFix { step: FixStep::Change, what, link: None });
        return lead("fix", "write the permanent fix down", command);
    }
    let (prevent, detect) = (ActionKind::Prevent, ActionKind::Detect);
    for (key, what, kind, priority) in [
        ("action/canary", "Turn features on for one customer in a hundred first", prevent, Priority::High),
        ("action/alert", "Alert on failed checkouts within a minute", detect, Priority::Medium),
    ] {
        if !done(key) {
            let owner = Some(crew.second.0.clone());
            let (kind, due) = (Some(kind), None);
            let command = Command::AddAction(AddAction { what: what.to_owned(), kind, priority, owner, due });
            return lead(key, &format!("add an action item: {what}"), command);
        }
    }
    if let Some((key, what, command)) = writing::next(incident, &crew.second.0, id) {
        return lead(&key, &what, command);
    }
    // The post-mortem names the tickets, and the gate wants them filed.
    if incident.actions.values().any(|action| action.ticket.is_none()) {
        return None;
    }
    if !incident.post_mortem_published {
        let (_, who, name) = crew.lead.clone();
        let what = "publish the post-mortem".to_owned();
        return Some(Move { who, name, what, id: id("publish"), action: Action::Publish });
    }
    if !done("meeting") {
        let attendees = vec![crew.lead.0.clone(), crew.second.0.clone()];
        return lead("meeting", "hold the review meeting", Command::HoldMeeting(HoldMeeting { attendees }));
    }
    lead("close", "close the incident", Command::Close(Close { override_because: None }))
}
