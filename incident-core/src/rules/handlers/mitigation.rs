//! Propose, plan, approve, execute, undo: nothing is changed that wasn't agreed to exactly.

use super::Handled;
use serde_json::Value;

use crate::log::event::{
    ApprovalWithdrawn, EffectSettled, ExecutionOrdered, MitigationExecuted, MitigationProposed,
    MitigationRejected, MitigationVerified, PlanApproved,
};
use crate::log::incident::Incident;
use crate::log::index::{budget_key, target_key};
use crate::log::mitigation::{MitigationState, PlanState, Stage};
use crate::model::effect::{Effect, EffectState, Outcome, Work};
use crate::model::id::{Digest, Seq};
use crate::model::mitigation::{Mitigation, MitigationKind};
#[cfg(feature = "runtime")]
use crate::model::plan::ApprovedPlan;
use crate::model::plan::{Execution, Plan};
use crate::model::role::{Actor, PersonId};
use crate::model::text::LONGEST_TEXT;
use crate::model::time::{Time, after};
use crate::rules::command::{
    Approve, ExecutePlan, Proposal, Propose, Refusal, Reject, SettleMitigation, Undo,
};
use crate::rules::decide::{Draft, bounded, name, shown};
use crate::runbook::{ApprovalRule, Runbook};

pub(super) fn propose(draft: &mut Draft<'_>, it: &Propose) -> Handled {
    name("target", it.mitigation.target())?;
    words_of(&it.mitigation)?;
    proposed(draft, it.mitigation.clone(), &it.system, None, &it.because)
}

/// Checks every word of a mitigation, for a person reads them before agreeing.
fn words_of(mitigation: &Mitigation) -> Handled {
    let not = |problem: String| Err(Refusal::Invalid { field: "mitigation", problem });
    let Ok(value) = serde_json::to_value(mitigation) else {
        return not("it can't be written as JSON; expected plain data".to_owned());
    };
    let (mut open, mut total) = (vec![&value], 0);
    while let Some(value) = open.pop() {
        match value {
            Value::String(words) => {
                bounded("mitigation", words)?;
                total += words.len();
            }
            Value::Array(items) => open.extend(items),
            Value::Object(fields) => {
                for (name, value) in fields {
                    bounded("mitigation", name)?;
                    total += name.len();
                    open.push(value);
                }
            }
            _ => {}
        }
    }
    if total > LONGEST_TEXT {
        return not(format!("its words have {total} bytes; expected at most {LONGEST_TEXT}"));
    }
    Ok(())
}

pub(super) fn undo(draft: &mut Draft<'_>, it: &Undo) -> Handled {
    let undone = find(&draft.state, it.mitigation)?;
    if undone.execution.is_none() {
        let why = match undone.stage {
            Stage::Ordered => {
                "the system hasn't accepted it yet; withdraw the approval, or wait for the answer"
            }
            Stage::Unclear => "nobody knows yet whether it was carried out; settle that first",
            _ => "it was never carried out, so there is nothing to take back",
        };
        return Err(Refusal::Unsafe(why.to_owned()));
    }
    let (mitigation, system) = (undone.mitigation.clone(), undone.system.clone());
    proposed(draft, mitigation, &system, Some(it.mitigation), &it.because)
}

fn proposed(
    draft: &mut Draft<'_>,
    mitigation: Mitigation,
    system: &str,
    undoes: Option<Seq>,
    because: &str,
) -> Handled {
    if !draft.routes().systems.iter().any(|known| known == system) {
        return Err(Refusal::NotFound { what: "system", name: shown(system) });
    }
    if !matches!(draft.request.actor, Actor::Human(_)) {
        let brake = draft.cx.runbook.safety.storm_brake;
        if draft.cx.open_incidents.is_none_or(|open| open >= brake) {
            let why = format!(
                "automation may propose nothing while {brake} or more incidents are open, or nobody knows"
            );
            return Err(Refusal::Unsafe(why));
        }
    }
    let because = draft.words("because", because)?;
    let proposer = draft.person();
    draft.fact(MitigationProposed { mitigation, system: system.to_owned(), undoes, because, proposer });
    Ok(())
}

pub(super) fn approve(draft: &mut Draft<'_>, it: &Approve) -> Handled {
    let person = draft.needs_person()?;
    let mitigation = find(&draft.state, it.proposal)?;
    let plan = fresh_plan(mitigation, it.digest, draft.cx.now)?;
    if mitigation.approvals.contains_key(&person) && it.break_glass.is_none() {
        return Err(Refusal::Already("this person has approved it already"));
    }
    let digest = plan.digest;
    if it.break_glass.is_some() && !draft.cx.runbook.safety.break_glass.contains(&person) {
        return Err(Refusal::Unsafe("the runbook doesn't let this person act alone".to_owned()));
    }
    let break_glass = draft.maybe_words("break_glass", it.break_glass.as_ref())?;
    draft.fact(PlanApproved { proposal: it.proposal, digest, person, break_glass });
    Ok(())
}

pub(super) fn withdraw(draft: &mut Draft<'_>, it: &Proposal) -> Handled {
    let person = draft.needs_person()?;
    let mitigation = find(&draft.state, it.proposal)?;
    if !mitigation.approvals.contains_key(&person) {
        return Err(Refusal::NotFound { what: "approval by", name: person.to_string() });
    }
    let begun = |effect: &Effect| {
        effect.work == Work::Execute(it.proposal) && !matches!(effect.state, EffectState::Ready(_))
    };
    let may_run = match mitigation.stage {
        Stage::Planned => false,
        Stage::Ordered => draft.state.effects.values().any(begun),
        _ => true,
    };
    if may_run {
        return Err(Refusal::Already("it may have begun already; undo it"));
    }
    draft.fact(ApprovalWithdrawn { proposal: it.proposal, person });
    Ok(())
}

pub(super) fn reject(draft: &mut Draft<'_>, it: &Reject) -> Handled {
    let stage = find(&draft.state, it.proposal)?.stage;
    if !matches!(stage, Stage::Proposed | Stage::Planned) {
        return Err(Refusal::Already("it is past being rejected; undo it if it was carried out"));
    }
    let because = draft.words("because", &it.because)?;
    draft.fact(MitigationRejected { proposal: it.proposal, because });
    Ok(())
}

pub(super) fn execute(draft: &mut Draft<'_>, it: &ExecutePlan) -> Handled {
    draft.needs_person()?;
    let mitigation = find(&draft.state, it.proposal)?;
    let plan = fresh_plan(mitigation, it.digest, draft.cx.now)?;
    approved_by(&draft.state, it.proposal, draft.cx.runbook, draft.cx.now)?;
    // The way back is always open: what guards against one more change doesn't hold up the undoing of one.
    let undoes = mitigation.undoes;
    if undoes.is_none() {
        healthy_enough(mitigation, plan, draft.cx.runbook)?;
    }
    let side = draft.state.side;
    let key = target_key(side, &plan.plan.target);
    let elsewhere = draft.cx.taken.contains(&key);
    let here = draft.state.mitigations.iter().find(|(seq, other)| {
        let same = other.plan.as_ref().is_some_and(|it| it.plan.target == plan.plan.target);
        let cooling =
            other.ended_at.is_some_and(|end| after(end, draft.state.figures.cooldown) > draft.cx.now);
        let busy = other.stage.is_running() && undoes != Some(**seq);
        same && (busy || (cooling && undoes.is_none()))
    });
    if elsewhere || here.is_some() {
        return Err(Refusal::Unsafe(format!(
            "{} is under another mitigation, or cooling down after one; wait or undo that one",
            plan.plan.target
        )));
    }
    let used = |slot: u32| {
        let key = budget_key(side, &mitigation.system, slot);
        draft.cx.taken.contains(&key)
            || crate::log::index::keys(&draft.state)
                .iter()
                .any(|held| held.name == key && held.until.is_none_or(|until| until > draft.cx.now))
    };
    let budget = draft.cx.runbook.safety.budget_per_hour;
    let budget = budget.min(MOST_PLACES);
    // Beyond the budget there are places for the way back.
    let beyond = (budget..budget + MOST_PLACES).filter(|_| undoes.is_some());
    let Some(budget_slot) = places(&draft.state, it.proposal, budget).chain(beyond).find(|slot| !used(*slot))
    else {
        return Err(Refusal::Unsafe(format!(
            "the budget of {budget} mitigations an hour on this system is spent"
        )));
    };
    let (digest, target) = (plan.digest, plan.plan.target.clone());
    draft.fact(ExecutionOrdered { proposal: it.proposal, digest, target, budget_slot });
    Ok(())
}

/// The most places that a budget has.
const MOST_PLACES: u32 = 1_000;

/// The places of an hour's budget, in an order of the mitigation's own: whoever began with the first would find one after
/// the other taken, and each costs a look.
fn places(incident: &Incident, proposal: Seq, budget: u32) -> impl Iterator<Item = u32> {
    let digest = Digest::of(&[&incident.id.to_bytes(), &proposal.0.to_be_bytes()]);
    let first = u32::from(u16::from_be_bytes([digest.0[0], digest.0[1]]));
    (0..budget).map(move |place| first.wrapping_add(place) % budget.max(1))
}

/// A person says what a machine couldn't tell: whether it was carried out, or, once that is known, whether it holds.
pub(super) fn settle(draft: &mut Draft<'_>, it: &SettleMitigation) -> Handled {
    draft.needs_person()?;
    let mitigation = find(&draft.state, it.proposal)?;
    if mitigation.stage != Stage::Unclear {
        return Err(Refusal::Already("what became of it is known already"));
    }
    let plan = mitigation.plan.as_ref().map(|plan| plan.plan.clone());
    let executed = mitigation.execution.is_some();
    let detail = draft.words("because", &it.because)?;
    let seq = it.proposal;
    match plan {
        Some(plan) if it.happened && !executed => {
            let execution = Box::new(Execution::new(plan, draft.cx.now));
            draft.fact(MitigationExecuted { proposal: seq, execution, because: Some(detail) });
        }
        _ => {
            let holds = it.happened && executed;
            draft.fact(MitigationVerified { proposal: seq, holds, detail });
        }
    }
    Ok(())
}

pub(super) fn find(incident: &Incident, proposal: Seq) -> Result<&MitigationState, Refusal> {
    let found = incident.mitigations.get(&proposal);
    found.ok_or_else(|| Refusal::NotFound { what: "mitigation", name: proposal.to_string() })
}

fn fresh_plan(mitigation: &MitigationState, digest: Digest, now: Time) -> Result<&PlanState, Refusal> {
    let plan = mitigation.plan.as_ref().filter(|plan| plan.digest == digest).ok_or(Refusal::OtherPlan)?;
    if mitigation.stage != Stage::Planned {
        return Err(Refusal::Already("it was decided already"));
    }
    if plan.expires_at <= now { Err(Refusal::PlanExpired) } else { Ok(plan) }
}

/// A plan that takes instances down must say how many stay healthy; saying nothing means no.
fn healthy_enough(mitigation: &MitigationState, plan: &PlanState, runbook: &Runbook) -> Handled {
    let least = runbook.safety.min_healthy_percent;
    match plan.plan.blast_radius.healthy_percent {
        Some(healthy) if healthy >= least => Ok(()),
        Some(healthy) => Err(Refusal::Unsafe(format!(
            "it leaves {healthy} % of the instances healthy; at least {least} % are needed"
        ))),
        None if kinds(mitigation, &plan.plan).iter().any(|kind| kind.takes_instances_down()) => {
            Err(Refusal::Unsafe("its plan doesn't say how many instances stay healthy".to_owned()))
        }
        None => Ok(()),
    }
}

/// What was proposed and what the plan would do: a way back may be of another kind than the way there.
fn kinds(mitigation: &MitigationState, plan: &Plan) -> [MitigationKind; 2] {
    [mitigation.mitigation.kind(), plan.mitigation.kind()]
}

/// Who must agree to `plan` under the severity and runbook in force: the stricter rule of the kinds it is of.
pub(super) fn rule_in_force(
    incident: &Incident,
    mitigation: &MitigationState,
    plan: &Plan,
    runbook: &Runbook,
) -> ApprovalRule {
    let [proposed, planned] =
        kinds(mitigation, plan).map(|kind| runbook.approval_rule(incident.severity, kind));
    proposed.stricter(&planned)
}

/// Who agreed to the plan of `proposal`, if that is enough at `now` under the stricter of the rule recorded with the plan
/// and the rule of the severity and runbook in force.
pub(crate) fn approved_by(
    incident: &Incident,
    proposal: Seq,
    runbook: &Runbook,
    now: Time,
) -> Result<Vec<PersonId>, Refusal> {
    let mitigation = find(incident, proposal)?;
    let plan = mitigation.plan.as_ref().ok_or(Refusal::OtherPlan)?;
    if plan.expires_at <= now {
        return Err(Refusal::PlanExpired);
    }
    let rule = rule_in_force(incident, mitigation, &plan.plan, runbook).stricter(&plan.rule);
    let alone = |(person, glass): (&PersonId, &bool)| *glass && runbook.safety.break_glass.contains(person);
    if mitigation.approvals.iter().any(alone) {
        return Ok(mitigation.approvals.keys().cloned().collect());
    }
    let counts = |person: &&PersonId| {
        let roles = runbook.persons.get(*person).map(|person| &person.roles);
        let fits = roles
            .is_some_and(|has| rule.roles.is_empty() || rule.roles.iter().any(|role| has.contains(role)));
        fits && (rule.proposer_counts || mitigation.proposer.as_ref() != Some(*person))
    };
    let persons: Vec<PersonId> = mitigation.approvals.keys().filter(counts).cloned().collect();
    let given = u32::try_from(persons.len()).unwrap_or(u32::MAX);
    // A rule that asks for nobody would let a plan pass that nobody saw.
    let needed = rule.persons.max(1);
    if given < needed { Err(Refusal::NotApproved { given, needed }) } else { Ok(persons) }
}

/// The plan that the effect `started` may carry out now: only for an effect whose start is recorded, and checked again.
#[cfg(feature = "runtime")]
pub(crate) fn hand_out(
    incident: &Incident,
    started: Seq,
    runbook: &Runbook,
    now: Time,
) -> Result<ApprovedPlan, Refusal> {
    let unstarted = || Refusal::NotFound { what: "started execution", name: started.to_string() };
    let effect = incident.effects.get(&started).ok_or_else(unstarted)?;
    let (Work::Execute(proposal), EffectState::Started { .. }) = (&effect.work, &effect.state) else {
        return Err(unstarted());
    };
    let approved_by = approved_by(incident, *proposal, runbook, now)?;
    let plan = find(incident, *proposal)?.plan.as_ref().ok_or(Refusal::OtherPlan)?;
    Ok(ApprovedPlan::new(plan.plan.clone(), plan.digest, approved_by, started))
}

/// Records that the change which `undo` took back no longer holds, if it was still to be verified.
pub(crate) fn taken_back(draft: &mut Draft<'_>, undo: Seq) {
    let undone = draft.state.mitigations.get(&undo).and_then(|it| it.undoes);
    let Some(proposal) = undone else { return };
    let runs = draft.state.mitigations.get(&proposal).is_some_and(|it| it.stage.is_running());
    if runs {
        let detail = draft.text(&format!("mitigation {undo} took it back"));
        draft.follows(draft.cx.now, MitigationVerified { proposal, holds: false, detail });
    }
}

/// Ends the effects of a mitigation that a person settled.
pub(crate) fn settle_effects(draft: &mut Draft<'_>, proposal: Seq, by: Seq) {
    let of_it = |work: &Work| matches!(work, Work::Plan(it) | Work::Execute(it) | Work::Verify(it) if *it == proposal);
    let open: Vec<Seq> = draft.state.effects.values().filter(|it| of_it(&it.work)).map(|it| it.seq).collect();
    for effect in open {
        draft.follows(draft.cx.now, EffectSettled { effect, outcome: Outcome::Superseded { by } });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::log::chain::{encode, origin, verify};
    use crate::model::id::IncidentId;
    use crate::model::severity::Severity;
    use crate::rules::command::{Command, Declare, EffectResult, SettleMitigation};
    use crate::rules::test_driver::Driver;

    #[test]
    fn every_place_of_a_budget_is_tried_and_few_incidents_begin_with_the_same() {
        let incident = |n| Incident::blank(IncidentId::new(Time::UNIX_EPOCH, [n; 16]));
        for budget in [0, 1, 7, 1_000] {
            let tried: BTreeSet<u32> = places(&incident(1), Seq(9), budget).collect();
            assert_eq!(tried, (0..budget).collect());
        }
        let first: BTreeSet<_> = (0..100).map(|n| places(&incident(n), Seq(9), 1_000).next()).collect();
        assert!(first.len() > 80, "{}", first.len());
    }

    #[test]
    fn how_a_person_found_out_is_told_and_part_of_the_chain() {
        let mut driver = Driver::declared(Declare::new("checkout is down").severity(Severity::Sev2));
        driver.settle();
        let proposal = driver.propose();
        driver.approve(proposal);
        driver.order(proposal);
        let effect = driver.incident.effects.values().next().expect("the execution").seq;
        driver.begin(effect);
        driver.conclude(effect, EffectResult::CannotTell);
        let because = "the revision in the cluster is 41".to_owned();
        let settle = SettleMitigation { proposal, happened: true, because };
        let settled = driver.bob(Command::SettleMitigation(settle));

        let told = crate::views::timeline::timeline(&driver.incident, &driver.records);
        let line = told.iter().find(|entry| entry.seq == settled).expect("a line");
        assert!(line.what.ends_with(": the revision in the cluster is 41"), "{}", line.what);
        let id = driver.incident.id;
        let (log, head) = encode(&driver.records, origin(id));
        assert_eq!(verify(id, &log, Some(head)).map(|it| it.head), Ok(head));
    }
}
