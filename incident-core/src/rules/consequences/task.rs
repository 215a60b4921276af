//! Effects that aren't notices: tickets, plans, executions, evidence, merges.

use std::time::Duration;

use crate::log::event::{EffectPlanned, EffectSettled};
use crate::log::incident::Ending;
use crate::model::effect::Urgency;
use crate::model::effect::{Effect, EffectState, LinkTo, Outcome, TicketWork, Work};
use crate::model::id::{IncidentId, Seq};
use crate::model::time::after;
use crate::rules::decide::Draft;
use crate::runbook::pinned::SHORTEST_RHYTHM;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// The most records that one comment on a ticket tells of.
const MOST_IN_A_COMMENT: usize = 20;

/// An effect in no lane that may begin at once and is pointless `worth` from now.
fn owed(draft: &Draft<'_>, work: Work, route: &str, urgency: Urgency, worth: Duration) -> EffectPlanned {
    let expires_at = after(draft.cx.now, worth);
    let route = route.to_owned();
    EffectPlanned { work, route, lane: None, urgency, begins_at: None, expires_at, instead_of: None }
}

fn plan_effect(draft: &mut Draft<'_>, work: Work, route: &str, urgency: Urgency, worth: Duration) {
    let planned = owed(draft, work, route, urgency, worth);
    draft.follows(draft.cx.now, planned);
}

/// Changes the incident's ticket, or a follow-up's, if there is a tracker. A ticket that is a week late helps nobody.
pub(super) fn ticket(draft: &mut Draft<'_>, work: TicketWork) {
    let Some(tracker) = &draft.routes().tracker else { return };
    // A status section that waits to be written is written with what is true then.
    let waits = |effect: &Effect| {
        effect.work == Work::Ticket(TicketWork::Sync) && matches!(effect.state, EffectState::Ready(_))
    };
    if work == TicketWork::Sync && draft.state.effects.values().any(waits) {
        return;
    }
    let lane = match &work {
        TicketWork::FollowUp(action) | TicketWork::CloseFollowUp(action) => {
            Some(format!("tickets/{tracker}/follow-up/{}", action.0))
        }
        // What it links to may not be there yet, and nothing waits for that.
        TicketWork::Link(_) => None,
        _ => Some(format!("tickets/{tracker}")),
    };
    let mut planned = owed(draft, Work::Ticket(work), tracker, Urgency::ROUTINE, DAY * 7);
    planned.lane = lane;
    draft.follows(draft.cx.now, planned);
}

/// Links the incident's ticket to that of another incident.
pub(super) fn link(draft: &mut Draft<'_>, other: IncidentId, relation: &str) {
    ticket(draft, TicketWork::Link(LinkTo::Incident { other, relation: relation.to_owned() }));
}

/// Links the incident's ticket, which is there now, to those of the follow-ups that were faster.
pub(super) fn link_follow_ups(draft: &mut Draft<'_>) {
    let filed = draft.state.actions.iter().filter(|(_, action)| action.ticket.is_some());
    for action in filed.map(|(seq, _)| *seq).collect::<Vec<_>>() {
        ticket(draft, TicketWork::Link(LinkTo::FollowUp(action)));
    }
}

/// Comments on the incident's ticket with what `record` says; together with the comment before if that still waits.
pub(super) fn comment(draft: &mut Draft<'_>, record: Seq) {
    let of_ticket = |effect: &&Effect| {
        use TicketWork::{Close, Comment, Comments, Open, Reopen};
        matches!(effect.work, Work::Ticket(Open | Comment(_) | Comments(_) | Close(_) | Reopen(_)))
    };
    let last = draft.state.effects.values().filter(of_ticket).max_by_key(|effect| effect.seq);
    let waits = last.filter(|last| matches!(last.state, EffectState::Ready(_)) && last.attempts == 0);
    let told = match waits.map(|waits| (waits.seq, &waits.work)) {
        Some((effect, Work::Ticket(TicketWork::Comment(first)))) => Some((effect, vec![*first])),
        Some((effect, Work::Ticket(TicketWork::Comments(told)))) => Some((effect, told.clone())),
        _ => None,
    };
    let Some((effect, mut told)) = told.filter(|(_, told)| told.len() < MOST_IN_A_COMMENT) else {
        return ticket(draft, TicketWork::Comment(record));
    };
    draft.follows(draft.cx.now, EffectSettled { effect, outcome: Outcome::Superseded { by: record } });
    told.push(record);
    ticket(draft, TicketWork::Comments(told));
}

/// Collects evidence from every source. After a while there is nothing left to collect.
pub(super) fn collect(draft: &mut Draft<'_>) {
    for collector in &draft.routes().collectors {
        plan_effect(draft, Work::Collect, collector, Urgency::ACTION, MINUTE * 10);
    }
}

pub(super) fn plan(draft: &mut Draft<'_>, proposal: Seq, system: &str) {
    plan_effect(draft, Work::Plan(proposal), system, Urgency::ACTION, MINUTE * 10);
}

/// The plan's own lifetime bounds when it may begin; what may have been carried out is looked for without end.
pub(super) fn execute(draft: &mut Draft<'_>, proposal: Seq) {
    let Some(mitigation) = draft.state.mitigations.get(&proposal) else { return };
    let Some(plan) = &mitigation.plan else { return };
    let (system, expires_at) = (mitigation.system.clone(), plan.expires_at);
    let mut planned = owed(draft, Work::Execute(proposal), &system, Urgency::ACTION, Duration::ZERO);
    planned.expires_at = expires_at;
    draft.follows(draft.cx.now, planned);
}

/// The plan says how long the change may take to show that it holds.
pub(super) fn verify(draft: &mut Draft<'_>, proposal: Seq) {
    let Some(mitigation) = draft.state.mitigations.get(&proposal) else { return };
    let system = mitigation.system.clone();
    let stated = mitigation.execution.as_ref().and_then(|it| it.plan.verify_within);
    let within = stated.unwrap_or(draft.cx.runbook.safety.verify_within);
    plan_effect(draft, Work::Verify(proposal), &system, Urgency::ACTION, within);
}

/// Reads the tickets of open action items back on a rhythm, as long as there are any; also after a reading that `failed`.
pub(super) fn read_tickets(draft: &mut Draft<'_>, failed: Option<Seq>) {
    let Some(tracker) = &draft.routes().tracker else { return };
    let every = draft.cx.runbook.afterwards.read_tickets_every.max(SHORTEST_RHYTHM);
    let open = draft.state.actions.values().any(|action| !action.done && action.ticket.is_some());
    if !open || draft.state.effects.values().any(|effect| effect.work == Work::ReadTickets) {
        return;
    }
    let mut planned = owed(draft, Work::ReadTickets, tracker, Urgency::BACKGROUND, every + DAY * 7);
    planned.begins_at = Some(after(draft.cx.now, every));
    planned.instead_of = failed;
    draft.follows(draft.cx.now, planned);
}

/// Once every action item is done, there is no ticket to read.
pub(super) fn drop_reading(draft: &mut Draft<'_>, by: Seq) {
    if draft.state.actions.values().all(|action| action.done) {
        drop_ready(draft, by, |effect| effect.work == Work::ReadTickets);
    }
}

/// A plan that nobody will approve needn't be made.
pub(super) fn drop_plans(draft: &mut Draft<'_>, by: Seq) {
    drop_ready(draft, by, |effect| matches!(effect.work, Work::Plan(_)));
}

/// Tells the absorbed incident. One effect with an id of its own, so a crash between the two is finished by the next pass.
pub(super) fn merge(draft: &mut Draft<'_>, other: IncidentId) {
    plan_effect(draft, Work::Merge(other), "engine", Urgency::ACTION, DAY * 7);
}

/// A ticket that somebody adopted needn't be opened.
pub(super) fn drop_opening(draft: &mut Draft<'_>, by: Seq) {
    drop_ready(draft, by, |effect| effect.work == Work::Ticket(TicketWork::Open));
}

/// Ends every effect that hasn't begun and that the incident's end makes pointless.
pub(super) fn drop_unstarted(draft: &mut Draft<'_>, by: Seq) {
    let cancelled = draft.state.ended == Some(Ending::Cancelled);
    drop_ready(draft, by, |effect| match effect.work {
        Work::Ticket(TicketWork::Open | TicketWork::FollowUp(_) | TicketWork::CloseFollowUp(_)) => false,
        Work::ReadTickets => false,
        Work::Merge(_) => cancelled,
        _ => true,
    });
}

fn drop_ready(draft: &mut Draft<'_>, by: Seq, pointless: impl Fn(&Effect) -> bool) {
    let ready = |effect: &&Effect| matches!(effect.state, EffectState::Ready(_)) && pointless(effect);
    let effects: Vec<Seq> = draft.state.effects.values().filter(ready).map(|effect| effect.seq).collect();
    for effect in effects {
        draft.follows(draft.cx.now, EffectSettled { effect, outcome: Outcome::Superseded { by } });
    }
}
