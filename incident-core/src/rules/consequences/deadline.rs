//! Deadlines: opened with absolute times from the runbook and calendar in force, then moved by records only.

use crate::log::event::{ObligationDropped, ObligationMet, ObligationMoved, ObligationOpened};
use crate::model::id::Seq;
use crate::model::obligation::{Obligation, ObligationKind};
use crate::model::severity::{Severity, Within};
use crate::model::time::{Time, after, before};
use crate::rules::decide::Draft;

/// By when somebody must acknowledge at the severity in force.
fn acknowledge_due(draft: &Draft<'_>) -> Time {
    let within = draft.state.figures.respond_within.get(&draft.state.severity);
    draft.cx.runbook.calendar.due(draft.cx.now, within.copied().unwrap_or(Within::NextBusinessDay))
}

/// By when the next update is due at the severity in force, if the runbook promises one.
fn update_due(draft: &Draft<'_>) -> Option<Time> {
    let every = draft.state.figures.update_every.get(&draft.state.severity)?;
    Some(after(draft.cx.now, *every))
}

fn open(draft: &mut Draft<'_>, kind: ObligationKind, due: Time, because: Seq) {
    let remind_at = remind_at(draft, kind, due);
    draft.follows(draft.cx.now, ObligationOpened { kind, due, remind_at, because });
}

/// A reminder that would come at once reminds nobody.
fn remind_at(draft: &Draft<'_>, kind: ObligationKind, due: Time) -> Option<Time> {
    let figures = &draft.state.figures;
    let ahead = match kind {
        ObligationKind::Acknowledge => return None,
        ObligationKind::Update => figures.remind_before_update,
        _ => figures.remind_before_follow_up,
    };
    Some(before(due, ahead)).filter(|time| *time > draft.cx.now)
}

pub(super) fn open_acknowledge(draft: &mut Draft<'_>, because: Seq) {
    if draft.state.obligation(ObligationKind::Acknowledge).is_none() {
        let due = acknowledge_due(draft);
        open(draft, ObligationKind::Acknowledge, due, because);
    }
}

pub(super) fn open_update(draft: &mut Draft<'_>, because: Seq) {
    if let (Some(due), None) = (update_due(draft), draft.state.obligation(ObligationKind::Update)) {
        open(draft, ObligationKind::Update, due, because);
    }
}

/// The post-mortem and the meeting, where the severity needs them.
pub(super) fn open_afterwards(draft: &mut Draft<'_>, because: Seq) {
    let afterwards = &draft.cx.runbook.afterwards;
    if !afterwards.required_for.contains(&draft.state.severity) {
        return;
    }
    let calendar = &draft.cx.runbook.calendar;
    if !draft.state.post_mortem_published {
        let due = calendar.due(draft.cx.now, afterwards.post_mortem);
        open(draft, ObligationKind::PostMortem, due, because);
    }
    let due = calendar.due(draft.cx.now, afterwards.meeting);
    open(draft, ObligationKind::Meeting, due, because);
}

pub(super) fn open_follow_up(draft: &mut Draft<'_>, action: Seq, due: Time) {
    open(draft, ObligationKind::FollowUp(action), due, action);
}

/// The day that people wrote into the ticket, or gave it here, is the day it is due; also of one that was late before.
pub(super) fn move_follow_up(draft: &mut Draft<'_>, action: Seq, because: Seq) {
    let kind = ObligationKind::FollowUp(action);
    let due = draft.state.actions.get(&action).map(|it| it.due);
    if let (Some(due), Some(owed)) = (due, draft.state.obligation(kind))
        && (owed.missed == 0 || due > draft.cx.now)
        && owed.due != due
    {
        move_to(draft, owed.seq, kind, due, because);
    }
}

pub(super) fn meet(draft: &mut Draft<'_>, kind: ObligationKind, by: Seq) {
    if let Some(obligation) = draft.state.obligation(kind).map(|owed| owed.seq) {
        draft.follows(draft.cx.now, ObligationMet { obligation, by });
    }
}

pub(super) fn drop_kinds(draft: &mut Draft<'_>, kinds: &[ObligationKind], because: Seq) {
    drop_where(draft, because, |owed| kinds.contains(&owed.kind));
}

pub(super) fn drop_all_but_follow_ups(draft: &mut Draft<'_>, because: Seq) {
    drop_where(draft, because, |owed| !matches!(owed.kind, ObligationKind::FollowUp(_)));
}

fn drop_where(draft: &mut Draft<'_>, because: Seq, drop: impl Fn(&Obligation) -> bool) {
    let dropped: Vec<Seq> =
        draft.state.obligations.values().filter(|owed| drop(owed)).map(|owed| owed.seq).collect();
    for obligation in dropped {
        draft.follows(draft.cx.now, ObligationDropped { obligation, because });
    }
}

/// Up: what is owed comes no later than the new severity promises from now, and what lapsed is promised again. Down: the promise made stays, and the slower
/// rhythm begins with the next update.
pub(super) fn severity_changed(draft: &mut Draft<'_>, from: Severity, to: Severity, because: Seq) {
    if !to.is_worse_than(from) {
        return;
    }
    let acknowledge = acknowledge_due(draft);
    hasten(draft, ObligationKind::Acknowledge, acknowledge, because);
    match update_due(draft) {
        Some(due) if draft.state.obligation(ObligationKind::Update).is_some() => {
            hasten(draft, ObligationKind::Update, due, because);
        }
        Some(_) => open_update(draft, because),
        None => {}
    }
}

fn hasten(draft: &mut Draft<'_>, kind: ObligationKind, due: Time, because: Seq) {
    let Some(owed) = draft.state.obligation(kind) else { return };
    let lapsed = !owed.armed && kind == ObligationKind::Update;
    // An acknowledgement that is late was breached already; moving it would only breach it again.
    if lapsed || (due < owed.due && owed.armed) {
        move_to(draft, owed.seq, kind, due, because);
    }
}

fn move_to(draft: &mut Draft<'_>, obligation: Seq, kind: ObligationKind, due: Time, because: Seq) {
    let remind_at = remind_at(draft, kind, due);
    draft.follows(draft.cx.now, ObligationMoved { obligation, due, remind_at, because });
}

/// Takes over the figures of the runbook in force for what runs on a rhythm; what was promised by date stays.
pub(super) fn replan(draft: &mut Draft<'_>, because: Seq) {
    let unanswered = draft.state.obligation(ObligationKind::Acknowledge).filter(|owed| owed.armed);
    if let Some(seq) = unanswered.map(|owed| owed.seq) {
        let due = acknowledge_due(draft);
        move_to(draft, seq, ObligationKind::Acknowledge, due, because);
    }
    let update = draft.state.obligation(ObligationKind::Update).map(|owed| owed.seq);
    match (update, update_due(draft)) {
        (Some(seq), Some(due)) => move_to(draft, seq, ObligationKind::Update, due, because),
        (Some(_), None) => drop_kinds(draft, &[ObligationKind::Update], because),
        (None, Some(_)) if draft.state.is_active() => open_update(draft, because),
        (None, _) => {}
    }
}
