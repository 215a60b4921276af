//! What to do now, by whom, until when.

use crate::log::incident::Incident;
use crate::log::mitigation::{MitigationState, Stage};
use crate::model::colour::Colour;
use crate::model::id::Seq;
use crate::model::inert;
use crate::model::obligation::{Obligation, ObligationKind};
use crate::model::phase::{Gate, Phase};
use crate::model::role::{PersonId, Role};
use crate::model::time::{Time, after, spoken};
use crate::rules::command::Refusal;
use crate::rules::completeness::findings;
use crate::rules::gate::unmet_at;
use crate::rules::handlers::approved_by;
use crate::runbook::{CheckedBy, Runbook};

/// Something that people should do now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NextStep {
    /// What to do, in one inert line of plain text.
    pub what: String,
    /// Whose it is.
    pub who: Who,
    /// Until when, UTC, if there is a limit.
    pub by: Option<Time>,
    /// What asks for it.
    pub why: Why,
    /// Whether a deadline of it has passed already.
    pub overdue: bool,
    /// A command, query or link of the runbook that helps; shown, never run.
    pub how: Option<String>,
}

/// Whose a step is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Who {
    /// This person's.
    Person(PersonId),
    /// That of whoever takes this role; nobody has it yet.
    Role(Role),
    /// That of whoever comes first.
    Anybody,
}

/// What asks for a step.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The obligation that this record opened.
    Obligation(Seq),
    /// The mitigation that this record proposed: nobody knows whether it was carried out.
    Unclear(Seq),
    /// The mitigation that this record proposed: its plan waits for approval.
    Approval(Seq),
    /// The mitigation that this record proposed: its plan is approved and may be executed.
    Execution(Seq),
    /// Nobody has this role.
    Role(Role),
    /// The phase can't be left without it.
    Gate(Gate),
    /// Nothing holds the response back from this phase; none after the last one.
    Advance(Option<Phase>),
    /// The step of the runbook's checklist with this id.
    Step(String),
}

/// How urgent a step is; the first goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Unclear,
    Overdue,
    Soon,
    Lead,
    Gate,
    Advance,
    Step,
    Later,
}

/// What people should do at `now`, the most urgent first.
///
/// Mitigations that nobody knows the state of come first, then what is overdue; then what has a deadline within a
/// day, the soonest first; then who leads, what the phase can't be left without, its checklist in the runbook's order,
/// and what is due later. Of an incident that has ended only its obligations are left.
#[must_use]
pub fn next_steps(incident: &Incident, runbook: &Runbook, now: Time) -> Vec<NextStep> {
    if !incident.exists() {
        return Vec::new();
    }
    let mut steps: Vec<(Rank, NextStep)> =
        incident.obligations.values().map(|it| owed(incident, it, runbook, now)).collect();
    if incident.ended.is_none() {
        let mitigations = incident.mitigations.iter();
        steps.extend(mitigations.filter_map(|(seq, it)| mitigation(incident, *seq, it, runbook, now)));
        steps.extend(lead(incident));
        steps.extend(phase(incident, runbook, now));
    }
    // The sort is stable: what is equally urgent stays in the runbook's order.
    steps.sort_by_key(|(rank, step)| (*rank, step.by.unwrap_or(Time::MAX_UTC)));
    steps.into_iter().map(|(_, step)| step).collect()
}

fn step(what: &str, who: Who, why: Why) -> NextStep {
    NextStep { what: inert::line(what), who, by: None, why, overdue: false, how: None }
}

fn role(incident: &Incident, role: Role) -> Who {
    incident.roles.get(&role).map_or(Who::Role(role), |person| Who::Person(person.clone()))
}

fn owed(incident: &Incident, owed: &Obligation, runbook: &Runbook, now: Time) -> (Rank, NextStep) {
    let overdue = owed.missed > 0 || owed.due <= now;
    let missed = if owed.missed > 0 { format!(" (missed: {})", owed.missed) } else { String::new() };
    let (what, who) = match owed.kind {
        ObligationKind::Acknowledge => {
            ("Acknowledge the incident".to_owned(), role(incident, Role::Responder))
        }
        ObligationKind::Update => ("Post an update".to_owned(), role(incident, Role::Commander)),
        ObligationKind::PostMortem => {
            let owner = incident.document.owner.clone().map(Who::Person);
            (publish(incident, runbook), owner.unwrap_or_else(|| role(incident, Role::Commander)))
        }
        ObligationKind::Meeting => ("Hold the review meeting".to_owned(), role(incident, Role::Commander)),
        ObligationKind::FollowUp(seq) => {
            let action = incident.actions.get(&seq);
            let words = action.map_or("", |it| incident.texts.get(it.what));
            let owner = action.and_then(|it| it.owner.clone()).map_or(Who::Anybody, Who::Person);
            (format!("Finish action item {seq}: {words}"), owner)
        }
    };
    let step = step(&format!("{what}{missed}"), who, Why::Obligation(owed.seq));
    let rank = if overdue { Rank::Overdue } else { soon(owed.due, now) };
    (rank, NextStep { by: Some(owed.due), overdue, ..step })
}

/// What the post-mortem lacks before it can be published, the first of it in words.
fn publish(incident: &Incident, runbook: &Runbook) -> String {
    let lacking: Vec<_> = findings(incident, runbook).into_iter().filter(|finding| finding.blocks).collect();
    match lacking.first() {
        None => "Publish the post-mortem".to_owned(),
        Some(first) => format!("Publish the post-mortem, which lacks {}. {first}", lacking.len()),
    }
}

fn soon(due: Time, now: Time) -> Rank {
    if due <= after(now, crate::log::wake::HEARTBEAT) { Rank::Soon } else { Rank::Later }
}

fn mitigation(
    incident: &Incident,
    seq: Seq,
    it: &MitigationState,
    runbook: &Runbook,
    now: Time,
) -> Option<(Rank, NextStep)> {
    let what = match it.undoes {
        Some(undone) => format!("take back {undone} ({seq})"),
        None => format!("{} ({seq})", it.mitigation),
    };
    let ops = || role(incident, Role::OpsLead);
    if it.stage == Stage::Unclear {
        let words = format!("Find out whether it was carried out, and settle it: {what}");
        return Some((Rank::Unclear, step(&words, ops(), Why::Unclear(seq))));
    }
    let plan = it.plan.as_ref().filter(|plan| it.stage == Stage::Planned && plan.expires_at > now)?;
    let digest = plan.digest.short();
    let step = match approved_by(incident, seq, runbook, now) {
        Ok(_) => step(&format!("Execute plan {digest}: {what}"), ops(), Why::Execution(seq)),
        Err(Refusal::NotApproved { given, needed }) => {
            let words =
                format!("Approve or reject plan {digest}, {given} of {needed} approvals given: {what}");
            step(&words, Who::Anybody, Why::Approval(seq))
        }
        Err(_) => return None,
    };
    Some((Rank::Soon, NextStep { by: Some(plan.expires_at), ..step }))
}

fn lead(incident: &Incident) -> Option<(Rank, NextStep)> {
    let needed = incident.is_active() && incident.commander().is_none();
    let take = || step("Take command, or name who does", Who::Anybody, Why::Role(Role::Commander));
    needed.then(|| (Rank::Lead, take()))
}

/// What is left to do in the phase: its gates, then its checklist.
fn phase(incident: &Incident, runbook: &Runbook, now: Time) -> Vec<(Rank, NextStep)> {
    // Where nobody says what can be reached, the incident's own ticket shows that there is a tracker.
    let gates = unmet_at(incident, incident.phase, runbook, now, incident.ticket.is_some());
    let asked = |step: &&crate::model::phase::Step| !gates.contains(&Gate::Step(step.id.clone()));
    let checklist = runbook.phase(incident.phase).steps.iter();
    let unticked: Vec<_> = checklist.filter(|step| !incident.steps.contains(&step.id)).collect();
    let mut steps = Vec::new();
    if gates.is_empty() {
        let next = incident.phase.next();
        let what = match next {
            Some(Phase::PostIncident) => "Say that it is resolved, and what the cause was".to_owned(),
            Some(next) => format!("Go on to {next}: nothing holds {} back", incident.phase),
            None => "Close the incident: nothing is left to decide".to_owned(),
        };
        steps.push((Rank::Advance, step(&what, role(incident, Role::Commander), Why::Advance(next))));
    }
    let named = |gate: &Gate| match gate {
        // An obligation of the same name asks for it already, with a deadline.
        Gate::Acknowledged => incident.obligation(ObligationKind::Acknowledge).is_some(),
        Gate::PostMortemPublished => incident.obligation(ObligationKind::PostMortem).is_some(),
        _ => false,
    };
    for gate in gates.iter().filter(|gate| !named(gate)) {
        let line = unticked.iter().find(|line| *gate == Gate::Step(line.id.clone()));
        let next = match line {
            Some(line) => from_checklist(incident, line, Why::Gate(gate.clone())),
            None => {
                let (what, who) = for_gate(incident, gate, now);
                step(&what, who, Why::Gate(gate.clone()))
            }
        };
        steps.push((Rank::Gate, next));
    }
    let rest = unticked.iter().copied().filter(asked);
    steps.extend(rest.map(|line| (Rank::Step, from_checklist(incident, line, Why::Step(line.id.clone())))));
    steps
}

fn from_checklist(incident: &Incident, line: &crate::model::phase::Step, why: Why) -> NextStep {
    NextStep { how: line.how.clone(), ..step(&line.what, role(incident, line.who), why) }
}

/// What to do about a gate, and whose that is.
fn for_gate(incident: &Incident, gate: &Gate, now: Time) -> (String, Who) {
    let (what, who) = match gate {
        Gate::Acknowledged => ("Acknowledge the incident".to_owned(), Role::Responder),
        Gate::StartKnown => {
            ("Find out when it began, and correct the first record's time".to_owned(), Role::Responder)
        }
        Gate::SeverityAssigned => {
            ("Answer the triage questions, or set the severity".to_owned(), Role::Commander)
        }
        Gate::ImpactAssessed => {
            ("Assess the impact: users, services, business, data, security".to_owned(), Role::Commander)
        }
        Gate::AudiencesNotified => {
            ("See that every audience of the severity is told".to_owned(), Role::CommsLead)
        }
        Gate::Hypotheses(count) => {
            let missing = u64::from(*count).saturating_sub(incident.hypotheses.len() as u64);
            (format!("Write down likely causes: {missing} more"), Role::OpsLead)
        }
        Gate::MitigatedOrFixed => {
            ("Propose a mitigation, or deploy the permanent fix".to_owned(), Role::OpsLead)
        }
        Gate::ChecksHeld => (checks(incident, now), Role::OpsLead),
        Gate::PostMortemPublished => ("Publish the post-mortem".to_owned(), Role::Commander),
        Gate::ActionsFiled => ("Give every action item an owner and a ticket".to_owned(), Role::Commander),
        Gate::Step(id) => (format!("Do step {id}, or skip it with a reason"), Role::Responder),
    };
    (what, role(incident, who))
}

/// What keeps the recovery checks from having held.
fn checks(incident: &Incident, now: Time) -> String {
    let (checks, figures) = (&incident.checks, &incident.figures);
    let firing = !incident.firing.is_empty();
    let colour = |name: &str, by| checks.colour(name, by, firing, figures, now);
    let lacking: Vec<String> = figures
        .checks
        .iter()
        .map(|(name, check)| (name, check.by, colour(name, check.by)))
        .filter(|(_, _, colour)| *colour != Colour::Green)
        .map(|(name, by, colour)| match by {
            CheckedBy::Person => format!("{name} ({colour}, a person must attest it)"),
            _ => format!("{name} ({colour})"),
        })
        .collect();
    match checks.holds_at(figures) {
        _ if !lacking.is_empty() => format!("Get every recovery check green: {}", lacking.join(", ")),
        Some(at) => {
            format!("Wait: every check is green, and must stay so until {}", crate::model::time::stamp(at))
        }
        None => format!("Wait until every check has been green for {}", spoken(figures.hold)),
    }
}

#[cfg(test)]
mod tests;
