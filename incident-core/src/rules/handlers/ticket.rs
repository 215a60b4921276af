//! What people did to the tickets of action items, where they work.

use crate::log::event::{ActionTicketSeen, EffectPlanned, TicketAdopted};
use crate::model::effect::{Effect, Receipt, TicketWork, Work};
use crate::model::inert::clip;
use crate::model::role::{Identity, PersonId};
use crate::model::text::LONGEST_NAME;
use crate::model::ticket::{Ticket, TicketRef, TicketSeen, TicketState};
use crate::model::time::to_millis;
use crate::rules::decide::Draft;

/// Records what people did to the tickets of action items. What is as it was says nothing.
pub(super) fn read_back(draft: &mut Draft<'_>, tickets: &[Ticket]) {
    let mut news = Vec::new();
    for (seq, action) in draft.state.actions.iter().filter(|(_, action)| !action.done) {
        let Some(reference) = &action.ticket else { continue };
        let ticket = tickets.iter().find(|ticket| ticket.reference == *reference);
        // That it can't be read says nothing of what people did to it.
        if ticket.is_some_and(|ticket| ticket.unread.is_some()) {
            continue;
        }
        let state = match ticket {
            Some(ticket) if ticket.open => TicketState::Open,
            Some(_) => TicketState::Closed,
            None => TicketState::Gone,
        };
        let assignees = ticket.iter().flat_map(|ticket| &ticket.assignees);
        let known = |identity: &Identity| draft.cx.runbook.person_of(identity).cloned();
        let mut owners: Vec<PersonId> = assignees.filter_map(known).collect();
        owners.sort_unstable_by_key(|owner| Some(owner) != action.owner.as_ref());
        let owner = owners.into_iter().next();
        let due = ticket.and_then(|ticket| ticket.due).map(to_millis);
        let shows = TicketSeen { state, owner, due };
        let is_new = |seen: &TicketSeen| *seen != shows;
        let is_ours = shows.state == TicketState::Open
            && shows.owner.as_ref().is_none_or(|owner| Some(owner) == action.owner.as_ref())
            && shows.due.is_none_or(|due| due == action.due);
        if action.seen.as_ref().map_or(!is_ours, is_new) {
            news.push(ActionTicketSeen { action: *seq, shows });
        }
    }
    let now = draft.cx.now;
    for fact in news {
        draft.follows(now, fact);
    }
    for ticket in tickets {
        if let Some(to) = &ticket.moved_to {
            moved(draft, &ticket.reference, to);
        }
    }
}

/// Calls a ticket by the name that the tracker gave it, unless that is so already.
pub(super) fn moved(draft: &mut Draft<'_>, from: &TicketRef, to: &TicketRef) {
    let of_actions = draft.state.actions.values().filter_map(|action| action.ticket.as_ref());
    let is_known = draft.state.ticket.iter().chain(of_actions).any(|ticket| ticket == from);
    if is_known && from != to {
        let now = draft.cx.now;
        let ticket = TicketRef::new(&clip(to.as_str(), LONGEST_NAME));
        draft.follows(now, TicketAdopted { ticket, instead_of: Some(from.clone()) });
    }
}

/// Opens another ticket for the incident in place of the one that is gone, and makes the change there that failed. What is
/// already such a second try isn't tried a third time, so that no tracker that loses every ticket gets ever more of them.
pub(super) fn open_another(draft: &mut Draft<'_>, failed: &Effect) {
    let Work::Ticket(work) = &failed.work else { return };
    let of_the_incident =
        !matches!(work, TicketWork::Open | TicketWork::FollowUp(_) | TicketWork::CloseFollowUp(_));
    if !of_the_incident || failed.instead_of.is_some() || draft.state.ticket.is_none() {
        return;
    }
    let again = |work: TicketWork| EffectPlanned {
        work: Work::Ticket(work),
        route: failed.route.clone(),
        // Whatever it was, it waits for the new ticket.
        lane: failed.lane.clone().or_else(|| Some(format!("tickets/{}", failed.route))),
        urgency: failed.urgency,
        begins_at: None,
        expires_at: failed.expires_at,
        instead_of: Some(failed.seq),
    };
    let now = draft.cx.now;
    let opens = |effect: &Effect| effect.work == Work::Ticket(TicketWork::Open);
    if !draft.state.effects.values().any(opens) {
        draft.follows(now, again(TicketWork::Open));
    }
    draft.follows(now, again(work.clone()));
}

/// A receipt that names the tickets that couldn't be read.
pub(super) fn receipt(tickets: &[Ticket]) -> Receipt {
    let unread = tickets.iter().filter_map(|ticket| Some((ticket, ticket.unread.as_ref()?)));
    let degraded = unread.map(|(ticket, why)| format!("{} can't be read: {why}", ticket.reference)).collect();
    Receipt { degraded, ..Receipt::default() }
}
