//! Action items: what is to be done, by whom, until when.

use super::Handled;
use super::afterwards::is_known;
use crate::log::event::{ActionAdded, ActionAssigned, ActionCompleted};
use crate::log::incident::Action;
use crate::model::id::Seq;
use crate::model::time::{Time, to_millis};
use crate::rules::command::{AddAction, AssignAction, CompleteAction, Refusal};
use crate::rules::decide::Draft;

pub(super) fn add(draft: &mut Draft<'_>, it: &AddAction) -> Handled {
    it.owner.iter().try_for_each(|owner| is_known(draft, owner))?;
    let within = draft.cx.runbook.follow_up_within(it.priority);
    let due = it.due.map_or_else(|| draft.cx.runbook.calendar.due(draft.cx.now, within), to_millis);
    is_to_come(draft, due)?;
    let what = draft.words("what", &it.what)?;
    let (kind, priority, owner) = (it.kind, it.priority, it.owner.clone());
    draft.fact(ActionAdded { what, kind, priority, owner, due });
    Ok(())
}

pub(super) fn assign(draft: &mut Draft<'_>, it: &AssignAction) -> Handled {
    let action = open(draft, it.action)?;
    if it.owner.is_none() && it.due.is_none() {
        let problem = "neither an owner nor a date is given; expected one of them".to_owned();
        return Err(Refusal::Invalid { field: "owner", problem });
    }
    // A filed item lives in its ticket: two places for one owner would contradict each other.
    if let Some(ticket) = &action.ticket {
        let ticket = crate::rules::decide::shown(ticket.as_str());
        let problem = format!("ticket {ticket} says whose it is; expected the change there, it is read back");
        return Err(Refusal::Invalid { field: "action", problem });
    }
    it.owner.iter().try_for_each(|owner| is_known(draft, owner))?;
    let due = it.due.map(to_millis);
    due.iter().try_for_each(|due| is_to_come(draft, *due))?;
    draft.fact(ActionAssigned { action: it.action, owner: it.owner.clone(), due });
    Ok(())
}

pub(super) fn complete(draft: &mut Draft<'_>, it: &CompleteAction) -> Handled {
    open(draft, it.action)?;
    let outcome = draft.words("outcome", &it.outcome)?;
    draft.fact(ActionCompleted { action: it.action, outcome });
    Ok(())
}

fn open<'d>(draft: &'d Draft<'_>, action: Seq) -> Result<&'d Action, Refusal> {
    match draft.state.actions.get(&action) {
        None => Err(Refusal::NotFound { what: "action item", name: action.to_string() }),
        Some(action) if action.done => Err(Refusal::Already("the action item is done already")),
        Some(action) => Ok(action),
    }
}

fn is_to_come(draft: &Draft<'_>, due: Time) -> Handled {
    if due > draft.cx.now {
        return Ok(());
    }
    Err(Refusal::Invalid { field: "due", problem: "it is in the past; expected a later time".to_owned() })
}
