//! Carrying effects out: the claim before a call, and what came of it.

use super::Handled;
use std::time::Duration;

use serde_json::Value;

use super::approved_by;
use super::mitigation::rule_in_force;
use super::ticket::{self, moved, open_another, read_back};
use crate::log::event::{
    EffectFailed, EffectSettled, EffectStarted, EffectUnclear, EvidenceKept, Fact, MitigationExecuted,
    MitigationPlanned, MitigationVerified,
};
use crate::log::mitigation::Stage;
use crate::log::wake::{HEARTBEAT, may_expire};
use crate::model::effect::{Applied, Effect, EffectState, Outcome, Receipt, Start, Work};
use crate::model::id::{Digest, EffectId, Seq};
use crate::model::inert::clip;
use crate::model::plan::Plan;
use crate::model::text::LONGEST_NAME;
use crate::model::ticket::TicketRef;
use crate::model::time::{after, spoken};
use crate::rules::backoff::{
    GIVE_UP_AFTER, LONGEST_ASKED, PAGE_FALLS_BACK_AFTER, PAGE_WAITS, SOONEST, retry_at,
};
use crate::rules::command::{Begin, Conclude, EffectResult, Failure, Refusal};
use crate::rules::decide::Draft;
use crate::rules::due::{Move, is_startable, next_move};

/// The most bytes a plan may have: it is kept for good, and people agree to what they can read.
const LONGEST_PLAN: usize = 64 * 1024;
/// The deepest nesting of an adapter's own data.
const DEEPEST: usize = 64;

/// Claims effects for a worker. What can't be begun any more is settled instead, and what isn't to be begun now is left.
pub(super) fn start(draft: &mut Draft<'_>, begins: &[Begin]) -> Handled {
    let now = draft.cx.now;
    for begin in begins {
        let Some(effect) = draft.state.effects.get(&begin.effect) else { continue };
        if !is_startable(&draft.state, effect, now) {
            continue;
        }
        // Attempts of which no word comes back count like those that fail.
        if tried_enough(draft, effect) {
            let why = format!("{} attempts brought no answer", effect.fruitless);
            let (seq, outcome) = (effect.seq, given_up(effect, true, why));
            settled(draft, seq, outcome);
            continue;
        }
        let (seq, attempt, work) = (effect.seq, effect.attempts.saturating_add(1), effect.work.clone());
        let how = match next_move(effect, now) {
            Move::Start(how) => how,
            Move::HandOver => {
                let why = "it may have happened, and nobody can be asked".to_owned();
                settled(draft, seq, Outcome::HandedToPerson { why });
                continue;
            }
        };
        // What may have been carried out already has to be looked for, whatever became of the approvals.
        if let (Work::Execute(proposal), Start::Call) = (&work, how)
            && let Err(refusal) = approved_by(&draft.state, *proposal, draft.cx.runbook, now)
        {
            settled(draft, seq, Outcome::Refused { error: refusal.to_string() });
            continue;
        }
        let Begin { effect, worker, until, repeat } = begin.clone();
        let worker = clip(&worker, LONGEST_NAME);
        let until = until.min(after(now, HEARTBEAT));
        draft.follows(now, EffectStarted { effect, attempt, worker, until, repeat, how });
    }
    Ok(())
}

/// Records what came of an attempt. A stale worker's failure changes nothing, its success settles.
pub(super) fn conclude(draft: &mut Draft<'_>, it: &Conclude) -> Handled {
    let Some(effect) = draft.state.effects.get(&it.effect).cloned() else { return Ok(()) };
    if !fits(&effect.work, &it.result) {
        let problem = "it isn't an outcome of this work; expected one of its own kind".to_owned();
        return Err(Refusal::Invalid { field: "result", problem });
    }
    let current = matches!(effect.state, EffectState::Started { attempt, .. } if attempt == it.attempt);
    match &it.result {
        EffectResult::Done(receipt) => {
            settled(draft, effect.seq, Outcome::Done(short(receipt)));
            if let (Work::Ticket(_), Some(from)) = (&effect.work, &receipt.moved_from) {
                moved(draft, &TicketRef::new(from), &TicketRef::new(&receipt.reference));
            }
        }
        EffectResult::Planned(plan) => planned(draft, &effect, plan)?,
        EffectResult::Executed(execution) => {
            if let Work::Execute(proposal) = effect.work {
                settled(draft, effect.seq, done(execution.reference.as_deref()));
                let now = draft.cx.now;
                let mut execution = execution.clone();
                for data in [&mut execution.before, &mut execution.plan.payload] {
                    if is_too_deep(data) {
                        *data = Value::String(data.to_string());
                    }
                }
                draft.follows(now, MitigationExecuted { proposal, execution, because: None });
            }
        }
        EffectResult::Verified { holds, detail } => {
            if let Work::Verify(proposal) = effect.work {
                settled(draft, effect.seq, done(None));
                let detail = draft.text(&clip(detail, 1_024));
                let now = draft.cx.now;
                draft.follows(now, MitigationVerified { proposal, holds: *holds, detail });
            }
        }
        EffectResult::Collected(items) => {
            settled(draft, effect.seq, done(None));
            if !items.is_empty() {
                let mut items = items.clone();
                for item in &mut items {
                    item.name = clip(&item.name, LONGEST_NAME);
                    item.media_type = clip(&item.media_type, LONGEST_NAME);
                }
                let kept = EvidenceKept { collector: effect.route.clone(), items };
                let now = draft.cx.now;
                draft.follows(now, kept);
            }
        }
        EffectResult::Tickets(tickets) => {
            settled(draft, effect.seq, Outcome::Done(short(&ticket::receipt(tickets))));
            read_back(draft, tickets);
        }
        EffectResult::Pending { again } if current => {
            let look_at = after(draft.cx.now, (*again).clamp(SOONEST, LONGEST_ASKED));
            let (effect, attempt) = (effect.seq, it.attempt);
            draft.follows(draft.cx.now, EffectUnclear { effect, attempt, look_at, pending: true });
        }
        EffectResult::CannotTell if current => cannot_tell(draft, &effect, it.attempt),
        EffectResult::TicketGone { error } if current => {
            settled(draft, effect.seq, Outcome::Refused { error: clip(error, 1_024) });
            open_another(draft, &effect);
        }
        EffectResult::Failed(failure) if current => failed(draft, &effect, it.attempt, failure),
        EffectResult::Pending { .. }
        | EffectResult::CannotTell
        | EffectResult::TicketGone { .. }
        | EffectResult::Failed(_) => {}
    }
    Ok(())
}

/// Whether `result` can come of `work`: anything may fail or be unclear, but only a plan makes a plan.
fn fits(work: &Work, result: &EffectResult) -> bool {
    match result {
        EffectResult::Done(_) => matches!(work, Work::Notify(_) | Work::Ticket(_) | Work::Merge(_)),
        EffectResult::Planned(_) => matches!(work, Work::Plan(_)),
        EffectResult::Executed(_) => matches!(work, Work::Execute(_)),
        EffectResult::Verified { .. } => matches!(work, Work::Verify(_)),
        EffectResult::Collected(_) => matches!(work, Work::Collect),
        EffectResult::Tickets(_) => matches!(work, Work::ReadTickets),
        EffectResult::TicketGone { .. } => matches!(work, Work::Ticket(_)),
        EffectResult::Pending { .. } | EffectResult::CannotTell | EffectResult::Failed(_) => true,
    }
}

fn planned(draft: &mut Draft<'_>, effect: &Effect, plan: &Plan) -> Handled {
    let Work::Plan(proposal) = effect.work else { return Ok(()) };
    let Some(mitigation) = draft.state.mitigations.get(&proposal) else { return Ok(()) };
    if mitigation.stage != Stage::Proposed || draft.state.ended.is_some() {
        settled(draft, effect.seq, done(None));
        return Ok(());
    }
    let (asked, offered) = (&mitigation.mitigation, &plan.mitigation);
    // What people were told is proposed is what they agree to; a way back may be of another kind.
    let is_another = (asked.kind(), asked.target()) != (offered.kind(), offered.target());
    if mitigation.undoes.is_none() && is_another {
        let error = format!("the plan is to {offered}, which isn't what was proposed; propose that instead");
        settled(draft, effect.seq, Outcome::Refused { error: clip(&error, 1_024) });
        return Ok(());
    }
    if is_too_deep(&plan.payload) {
        let error = format!("the plan's data is nested deeper than {DEEPEST} levels");
        settled(draft, effect.seq, Outcome::Refused { error });
        return Ok(());
    }
    let rule = rule_in_force(&draft.state, mitigation, plan, draft.cx.runbook);
    // The people who approve agree to the patience, too.
    let mut plan = plan.clone();
    plan.verify_within.get_or_insert(draft.cx.runbook.safety.verify_within);
    let plan = serde_json::to_string(&plan).map_err(|_| Refusal::Invalid {
        field: "plan",
        problem: "it can't be written as JSON; expected plain data".to_owned(),
    })?;
    if plan.len() > LONGEST_PLAN {
        let error = format!("the plan has {} bytes; expected at most {LONGEST_PLAN}", plan.len());
        settled(draft, effect.seq, Outcome::Refused { error });
        return Ok(());
    }
    settled(draft, effect.seq, done(None));
    let digest = Digest::of(&[plan.as_bytes()]);
    let expires_at = after(draft.cx.now, draft.cx.runbook.safety.plan_lifetime);
    draft.follows(draft.cx.now, MitigationPlanned { proposal, plan, digest, expires_at, rule });
    Ok(())
}

fn cannot_tell(draft: &mut Draft<'_>, effect: &Effect, attempt: u32) {
    if matches!(effect.work, Work::Execute(_)) {
        let why = "the system can't tell whether it was carried out".to_owned();
        return settled(draft, effect.seq, Outcome::HandedToPerson { why });
    }
    let look_at = retry_at(id(draft, effect), effect.fruitless, None, draft.cx.now);
    draft.follows(draft.cx.now, EffectUnclear { effect: effect.seq, attempt, look_at, pending: false });
}

fn failed(draft: &mut Draft<'_>, effect: &Effect, attempt: u32, failure: &Failure) {
    let error = clip(&failure.error, 1_024);
    let applied = failure.applied;
    // A look that said No answers for the attempts before it; without one they may have done it.
    let looked = matches!(effect.state, EffectState::Started { how: Start::Look, .. });
    let maybe = applied == Applied::Maybe || (effect.maybe_before && !looked);
    // A backend that asks to wait has answered. What never expires by itself is given up all the same.
    let asked_to_wait = failure.wait.is_some() && applied == Applied::No && may_expire(effect);
    let hopeless = !failure.retry && applied == Applied::No;
    let too_long = failure.wait.filter(|wait| patience(draft, effect).is_some_and(|most| *wait > most));
    let error = match too_long {
        Some(wait) => clip(&format!("the backend asks to wait {}: {error}", spoken(wait)), 1_024),
        None => error,
    };
    if hopeless
        || too_long.is_some()
        || (!asked_to_wait && tried_enough(draft, effect))
        || falls_back(draft, effect)
    {
        let outcome = given_up(effect, maybe, error);
        return settled(draft, effect.seq, outcome);
    }
    let retry_at = retry_at(id(draft, effect), effect.fruitless, failure.wait, draft.cx.now);
    let effect = effect.seq;
    draft.follows(draft.cx.now, EffectFailed { effect, attempt, applied, error, retry_at, asked_to_wait });
}

/// Whether an effect is given up after so many attempts.
fn tried_enough(draft: &Draft<'_>, effect: &Effect) -> bool {
    effect.fruitless >= GIVE_UP_AFTER || falls_back(draft, effect)
}

/// Whether a page goes on to the fallback of its route, which it does soon.
fn falls_back(draft: &Draft<'_>, effect: &Effect) -> bool {
    effect.attempts >= PAGE_FALLS_BACK_AFTER && has_fallback(draft, effect)
}

/// Whether another route carries a page if this one can't.
fn has_fallback(draft: &Draft<'_>, effect: &Effect) -> bool {
    matches!(&effect.work, Work::Notify(notify) if notify.kind.is_page())
        && effect.instead_of.is_none()
        && draft.routes().fallback(&effect.route).is_some()
}

/// How long a backend may keep a page waiting; none for anything else, which waits as long as it is asked to.
///
/// A page that has another route goes there soon. One that has none waits for as long as an escalation does: then the
/// chain goes on, and its next round tries this route again.
fn patience(draft: &Draft<'_>, effect: &Effect) -> Option<Duration> {
    match &effect.work {
        Work::Notify(notify) if !notify.kind.is_page() => None,
        Work::Notify(_) if has_fallback(draft, effect) => Some(PAGE_WAITS),
        Work::Notify(_) => Some(draft.state.figures.escalate_every.max(PAGE_WAITS)),
        _ => None,
    }
}

/// How an effect ends that nobody tries any more. What may have happened and mustn't happen twice is left to a person.
fn given_up(effect: &Effect, maybe: bool, error: String) -> Outcome {
    match effect.work {
        Work::Execute(_) | Work::Ticket(_) if maybe => {
            Outcome::HandedToPerson { why: format!("it may have happened: {error}") }
        }
        // Only a look says whether a change holds, and there was none.
        Work::Verify(_) => {
            Outcome::HandedToPerson { why: format!("nobody can say whether it holds: {error}") }
        }
        _ => Outcome::Refused { error },
    }
}

/// How an effect ends whose time is over.
pub(super) fn out_of_time(effect: &Effect) -> Outcome {
    let begun = effect.maybe_before || !matches!(effect.state, EffectState::Ready(_));
    match effect.work {
        Work::Ticket(_) if begun => Outcome::HandedToPerson {
            why: "its time passed before it was known whether it happened".to_owned(),
        },
        // The last look said that it still waits: within its patience the change didn't take hold.
        Work::Verify(_) if effect.attempts > 0 && effect.fruitless == 0 => Outcome::Expired,
        Work::Verify(_) => Outcome::HandedToPerson {
            why: "its time passed, and nobody could say whether it holds".to_owned(),
        },
        _ => Outcome::Expired,
    }
}

fn id(draft: &Draft<'_>, effect: &Effect) -> EffectId {
    EffectId { incident: draft.state.id, seq: effect.seq }
}

/// Whether `data` is nested deeper than what a record is sure to be read back with. What was done is kept all the same,
/// as text; what is only planned is refused.
fn is_too_deep(data: &Value) -> bool {
    let mut open = vec![(data, 0)];
    while let Some((data, depth)) = open.pop() {
        match data {
            _ if depth > DEEPEST => return true,
            Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(fields) => open.extend(fields.values().map(|value| (value, depth + 1))),
            _ => {}
        }
    }
    false
}

/// A receipt as it is kept. What a backend says too much is cut off, for its word that it was done must count.
fn short(receipt: &Receipt) -> Receipt {
    let mut short = Receipt::new(&clip(&receipt.reference, LONGEST_NAME));
    short.link = receipt.link.as_ref().map(|it| clip(it, LONGEST_NAME));
    short.conversation = receipt.conversation.as_ref().map(|it| clip(it, LONGEST_NAME));
    short.degraded = receipt.degraded.iter().take(16).map(|it| clip(it, LONGEST_NAME)).collect();
    short.moved_from = receipt.moved_from.as_ref().map(|it| clip(it, LONGEST_NAME));
    short
}

fn done(reference: Option<&str>) -> Outcome {
    Outcome::Done(Receipt::new(&clip(reference.unwrap_or_default(), LONGEST_NAME)))
}

fn settled(draft: &mut Draft<'_>, effect: Seq, outcome: Outcome) {
    let now = draft.cx.now;
    draft.follows(now, Fact::EffectSettled(EffectSettled { effect, outcome }));
}
