//! What effects make of the state: planned, started, settled.

use super::with_mitigation;
use crate::log::event::{EffectPlanned, EffectSettled, EffectStarted, Record};
use crate::log::incident::Incident;
use crate::log::mitigation::Stage;
use crate::model::effect::{Effect, EffectState, Outcome, Receipt, TicketWork, Work};
use crate::model::severity::Audience;
use crate::model::ticket::TicketRef;

pub(super) fn effect_planned(it: &mut Incident, record: &Record, fact: &EffectPlanned) {
    if let Work::Notify(notify) = &fact.work {
        it.notified.extend(notify.audiences.iter().cloned());
        it.unreached.retain(|audience| !notify.audiences.contains(audience));
    }
    let effect = Effect {
        seq: record.seq,
        work: fact.work.clone(),
        route: fact.route.clone(),
        lane: fact.lane.clone(),
        urgency: fact.urgency,
        planned_at: record.recorded_at,
        expires_at: fact.expires_at,
        state: EffectState::Ready(fact.begins_at.unwrap_or(record.recorded_at)),
        since: record.recorded_at,
        attempts: 0,
        fruitless: 0,
        first_started: None,
        unclear: 0,
        maybe_before: false,
        repeat: None,
        instead_of: fact.instead_of,
    };
    it.effects.insert(record.seq, effect);
}

pub(super) fn effect_started(it: &mut Incident, record: &Record, fact: &EffectStarted) {
    if let Some(effect) = it.effects.get_mut(&fact.effect) {
        effect.maybe_before |= !matches!(effect.state, EffectState::Ready(_));
        effect.state = EffectState::Started { attempt: fact.attempt, until: fact.until, how: fact.how };
        effect.since = record.recorded_at;
        effect.attempts = fact.attempt;
        effect.fruitless = effect.fruitless.saturating_add(1);
        effect.first_started.get_or_insert(record.recorded_at);
        effect.repeat = Some(fact.repeat);
    }
}

pub(super) fn effect_settled(it: &mut Incident, record: &Record, fact: &EffectSettled) {
    let Some(effect) = it.effects.remove(&fact.effect) else { return };
    if let Outcome::Done(receipt) = &fact.outcome {
        done(it, &effect, receipt);
    }
    match &effect.work {
        Work::Notify(notify) => {
            if fact.outcome.is_done() {
                it.reached.extend(notify.audiences.iter().cloned());
                it.paged |= notify.kind.is_page() && notify.audiences.iter().any(Audience::may_respond);
            }
            // What was refused may still go out on a fallback route, so its notice stays.
            let carried =
                |other: &Effect| matches!(&other.work, Work::Notify(it) if it.notice == notify.notice);
            if fact.outcome.is_done() && !it.effects.values().any(carried) {
                it.notices.remove(&notify.notice);
            } else if let Some(issued) = it.notices.get_mut(&notify.notice) {
                issued.delivered |= fact.outcome.is_done();
            }
        }
        Work::Plan(proposal) | Work::Execute(proposal) | Work::Verify(proposal) => {
            let failed = match &fact.outcome {
                Outcome::Done(_) => None,
                Outcome::HandedToPerson { .. } => Some(Stage::Unclear),
                _ => Some(Stage::Failed),
            };
            // What was rejected or settled meanwhile stays so.
            let concerned = match &effect.work {
                Work::Plan(_) => Stage::Proposed,
                Work::Execute(_) => Stage::Ordered,
                _ => Stage::Executed,
            };
            if let Some(stage) = failed {
                with_mitigation(it, *proposal, |mitigation| {
                    if mitigation.stage != concerned {
                        return;
                    }
                    mitigation.stage = stage;
                    if stage == Stage::Failed && mitigation.budget.is_some() {
                        mitigation.ended_at = Some(record.recorded_at);
                    }
                });
            }
        }
        _ => {}
    }
}

pub(super) fn ticket_moved(it: &mut Incident, old: &TicketRef, new: &TicketRef) {
    let moved = |ticket: &Option<TicketRef>| ticket.as_ref() == Some(old);
    if moved(&it.ticket) {
        it.ticket = Some(new.clone());
    }
    let actions = it.actions.iter().filter(|(_, action)| moved(&action.ticket));
    for action in actions.map(|(seq, _)| *seq).collect::<Vec<_>>() {
        if let Some(action) = it.actions.get_mut(&action) {
            action.ticket = Some(new.clone());
        }
    }
}

fn done(it: &mut Incident, effect: &Effect, receipt: &Receipt) {
    if let Some(lane) = &effect.lane {
        let first = it.lanes.get(lane).and_then(|receipts| receipts.first());
        let receipts = first.into_iter().chain([receipt]).cloned().collect();
        it.lanes.insert(lane.clone(), receipts);
    }
    match &effect.work {
        Work::Ticket(TicketWork::Open) => {
            let opened = TicketRef::new(&receipt.reference);
            // One that a person adopted meanwhile stays the incident's. One that replaces a deleted ticket doesn't yield.
            match effect.instead_of {
                Some(_) => it.ticket = Some(opened),
                None => drop(it.ticket.get_or_insert(opened)),
            }
            it.links.extend(receipt.link.clone());
        }
        Work::Ticket(TicketWork::FollowUp(action)) => {
            if let Some(action) = it.actions.get_mut(action) {
                action.ticket = Some(TicketRef::new(&receipt.reference));
            }
        }
        _ => {}
    }
}
