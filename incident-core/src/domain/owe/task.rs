//! Effects that aren't notices: tickets, plans, executions, evidence, merges.

use std::time::Duration;

use crate::domain::decide::Draft;
use crate::domain::effect::{Effect, EffectState, Outcome, TicketWork, Work};
use crate::domain::event::{EffectPlanned, EffectSettled};
use crate::domain::id::{IncidentId, Seq};
use crate::domain::incident::Ending;
use crate::domain::index::Urgency;
use crate::domain::time::after;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3_600);

fn plan_effect(
    draft: &mut Draft<'_>,
    work: Work,
    route: &str,
    lane: Option<String>,
    urgency: Urgency,
    worth: Duration,
) {
    let expires_at = after(draft.cx.now, worth);
    let planned =
        EffectPlanned { work, route: route.to_owned(), lane, urgency, expires_at, instead_of: None };
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
            format!("tickets/{tracker}/follow-up/{}", action.0)
        }
        _ => format!("tickets/{tracker}"),
    };
    plan_effect(draft, Work::Ticket(work), tracker, Some(lane), Urgency::ROUTINE, DAY * 7);
}

/// Collects evidence from every source. After a while there is nothing left to collect.
pub(super) fn collect(draft: &mut Draft<'_>) {
    for collector in &draft.routes().collectors {
        plan_effect(draft, Work::Collect, collector, None, Urgency::ACTION, MINUTE * 10);
    }
}

pub(super) fn plan(draft: &mut Draft<'_>, proposal: Seq, system: &str) {
    plan_effect(draft, Work::Plan(proposal), system, None, Urgency::ACTION, MINUTE * 10);
}

/// The plan's own lifetime bounds when it may begin; what may have been carried out is looked for without end.
pub(super) fn execute(draft: &mut Draft<'_>, proposal: Seq) {
    let Some(mitigation) = draft.state.mitigations.get(&proposal) else { return };
    let Some(plan) = &mitigation.plan else { return };
    let (route, expires_at) = (mitigation.system.clone(), plan.expires_at);
    let planned = EffectPlanned {
        work: Work::Execute(proposal),
        route,
        lane: None,
        urgency: Urgency::ACTION,
        expires_at,
        instead_of: None,
    };
    draft.follows(draft.cx.now, planned);
}

/// A change that doesn't show within an hour doesn't hold.
pub(super) fn verify(draft: &mut Draft<'_>, proposal: Seq) {
    let Some(mitigation) = draft.state.mitigations.get(&proposal) else { return };
    let system = mitigation.system.clone();
    plan_effect(draft, Work::Verify(proposal), &system, None, Urgency::ACTION, MINUTE * 60);
}

/// Tells the absorbed incident. One effect with an id of its own, so a crash between the two is finished by the next pass.
pub(super) fn merge(draft: &mut Draft<'_>, other: IncidentId) {
    plan_effect(draft, Work::Merge(other), "engine", None, Urgency::ACTION, DAY * 7);
}

/// A ticket that somebody adopted needn't be opened.
pub(super) fn drop_opening(draft: &mut Draft<'_>, by: Seq) {
    let pointless = |effect: &&Effect| {
        effect.work == Work::Ticket(TicketWork::Open) && matches!(effect.state, EffectState::Ready(_))
    };
    if let Some(effect) = draft.state.effects.values().find(pointless).map(|effect| effect.seq) {
        draft.follows(draft.cx.now, EffectSettled { effect, outcome: Outcome::Superseded { by } });
    }
}

/// Ends every effect that hasn't begun and that the incident's end makes pointless.
pub(super) fn drop_unstarted(draft: &mut Draft<'_>, by: Seq) {
    let pointless = |effect: &&Effect| {
        matches!(effect.state, EffectState::Ready(_))
            && !matches!(
                effect.work,
                Work::Ticket(TicketWork::Open | TicketWork::FollowUp(_) | TicketWork::CloseFollowUp(_))
            )
            && !(draft.state.ended != Some(Ending::Cancelled) && matches!(effect.work, Work::Merge(_)))
    };
    let effects: Vec<Seq> = draft.state.effects.values().filter(pointless).map(|effect| effect.seq).collect();
    for effect in effects {
        draft.follows(draft.cx.now, EffectSettled { effect, outcome: Outcome::Superseded { by } });
    }
}
