//! What people did to the tickets of action items, where they work.

use crate::domain::decide::Draft;
use crate::domain::event::ActionTicketSeen;
use crate::domain::role::{Identity, PersonId};
use crate::domain::ticket::{Ticket, TicketSeen, TicketState};
use crate::domain::time::to_millis;

/// Records what people did to the tickets of action items. What is as it was says nothing.
pub(super) fn read_back(draft: &mut Draft<'_>, tickets: &[Ticket]) {
    let mut news = Vec::new();
    for (seq, action) in draft.state.actions.iter().filter(|(_, action)| !action.done) {
        let Some(reference) = &action.ticket else { continue };
        let ticket = tickets.iter().find(|ticket| ticket.reference == *reference);
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
}
