//! What a timer writes: reminders, breaches, escalations, expiries. Each once, whoever comes first.

use std::time::Duration;

use super::effect::out_of_time;
use super::response::page_step;
use crate::log::event::{EffectSettled, ObligationBreached, ObligationMoved, ObligationReminded, Reviewed};
use crate::log::wake::HEARTBEAT;
use crate::model::id::Seq;
use crate::model::obligation::{Obligation, ObligationKind};
use crate::model::time::{Time, after, since};
use crate::rules::command::Refusal;
use crate::rules::decide::Draft;
use crate::rules::due::expires;
use crate::runbook::pinned::SHORTEST_RHYTHM;

pub(super) fn wake(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    let now = draft.cx.now;
    let open: Vec<Seq> = draft.state.obligations.keys().copied().collect();
    for seq in open {
        obligation(draft, seq);
    }
    let expired = draft.state.effects.values().filter(|it| expires(it, now));
    let expired: Vec<_> = expired.map(|it| (it.seq, out_of_time(it))).collect();
    for (effect, outcome) in expired {
        draft.follows(now, EffectSettled { effect, outcome });
    }
    let quiet = draft.records.is_empty() && !draft.state.is_settled();
    if quiet && now >= after(draft.state.recorded_at, HEARTBEAT) {
        let owed = draft.state.obligations.len() + draft.state.effects.len();
        draft.follows(now, Reviewed { owed: u32::try_from(owed).unwrap_or(u32::MAX) });
    }
    Ok(())
}

fn obligation(draft: &mut Draft<'_>, seq: Seq) {
    let now = draft.cx.now;
    let Some(mut owed) = draft.state.obligations.get(&seq).cloned() else { return };
    let misdated = owed.is_misdated(now);
    if misdated && owed.armed {
        // A clock that was ahead gave the date; what was promised is the length of time.
        let due = after(now, since(owed.due, owed.since));
        let remind_at = owed.remind_at.map(|at| after(now, since(at, owed.since)));
        draft.follows(now, ObligationMoved { obligation: seq, due, remind_at, because: seq });
        (owed.due, owed.remind_at) = (due, remind_at);
    }
    if owed.armed && owed.due <= now {
        let again = cadence(draft, &owed);
        let missed = again.map_or(1, |every| missed(owed.due, every, now));
        let next_due = again.map(|every| after(owed.due, every.saturating_mul(missed)));
        draft.follows(owed.due, ObligationBreached { obligation: seq, missed, next_due });
    } else if owed.remind_at.is_some_and(|time| time <= now) {
        draft.follows(now, ObligationReminded { obligation: seq });
    }
    let escalate =
        draft.state.obligations.get(&seq).and_then(|owed| Some((owed.escalate_at?, owed.escalate_step)));
    match escalate {
        Some((at, step)) if at <= now || misdated => page_step(draft, step, None),
        _ => {}
    }
}

/// How often what is overdue comes due again; none if it doesn't.
fn cadence(draft: &Draft<'_>, owed: &Obligation) -> Option<Duration> {
    let figures = &draft.state.figures;
    let every = match owed.kind {
        ObligationKind::Acknowledge => None,
        ObligationKind::Update => figures.update_every.get(&draft.state.severity).copied(),
        ObligationKind::PostMortem | ObligationKind::Meeting | ObligationKind::FollowUp(_) => {
            Some(figures.chase_every)
        }
    };
    every.filter(|every| *every >= SHORTEST_RHYTHM)
}

/// How many deadlines in a row passed up to `now`, the first at `due`.
fn missed(due: Time, every: Duration, now: Time) -> u32 {
    let later = since(now, due).as_millis() / every.as_millis().max(1);
    u32::try_from(later).unwrap_or(u32::MAX).saturating_add(1)
}
