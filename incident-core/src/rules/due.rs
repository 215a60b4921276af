//! What is due: a function of the state and the time, and of nothing else.

use crate::log::incident::Incident;
use crate::log::wake::{HEARTBEAT, begins_at, can_begin, has_no_wait, may_expire, next_wake};
use crate::model::effect::{Effect, EffectState, Repeat, Start, Work};
use crate::model::id::Seq;
use crate::model::time::{Time, after};

/// After so many looks that couldn't tell, an effect counts as one that nobody can be asked about.
const UNCLEAR_AT_MOST: u32 = 3;

/// What an incident wants at one time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Due {
    /// Whether a timer has something to write: a reminder, a breach, an escalation, an expiry.
    pub wake: bool,
    /// Whether probes should look.
    pub look: bool,
    /// The effects that may begin, the most urgent first, then in order of planning.
    pub start: Vec<Seq>,
    /// When the incident next wants something, UTC; none exactly when nothing is owed.
    pub next: Option<Time>,
}

/// What is due at `now`.
#[must_use]
pub fn due(incident: &Incident, now: Time) -> Due {
    let mut start: Vec<&Effect> =
        incident.effects.values().filter(|effect| is_startable(incident, effect, now)).collect();
    start.sort_by_key(|effect| (std::cmp::Reverse(effect.urgency), effect.seq));
    let timers = incident.obligations.values().filter_map(crate::model::obligation::Obligation::next);
    let heartbeat = !incident.is_settled() && now >= after(incident.recorded_at, HEARTBEAT);
    Due {
        wake: heartbeat
            || incident.obligations.values().any(|owed| owed.is_misdated(now))
            || timers.min().is_some_and(|time| time <= now)
            || incident.effects.values().any(|effect| expires(effect, now)),
        look: incident.next_look().is_some_and(|time| time <= now),
        start: start.into_iter().map(|effect| effect.seq).collect(),
        next: next_wake(incident),
    }
}

/// Whether an effect may begin at `now`.
pub(crate) fn is_startable(incident: &Incident, effect: &Effect, now: Time) -> bool {
    !expires(effect, now)
        && (begins_at(effect) <= now || has_no_wait(effect, now))
        && can_begin(incident, effect)
}

/// What to do with an effect that is startable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// Begin it this way.
    Start(Start),
    /// It may have happened and nobody can be asked: leave it to a person.
    HandOver,
}

/// How to go on with an effect: the one table for live work, for recovery and for replay.
pub(crate) fn next_move(effect: &Effect, now: Time) -> Move {
    if matches!(effect.state, EffectState::Ready(_)) {
        return Move::Start(Start::Call);
    }
    let (repeat, harmless) = match effect.work {
        Work::Plan(_) | Work::Verify(_) | Work::Collect | Work::ReadTickets | Work::Merge(_) => (None, true),
        Work::Execute(_) => return Move::Start(Start::Look),
        Work::Notify(_) | Work::Ticket(_) => (effect.repeat, false),
    };
    if harmless {
        return Move::Start(Start::Call);
    }
    let first = effect.first_started.unwrap_or(effect.planned_at);
    match repeat {
        Some(Repeat::Converging) => Move::Start(Start::Call),
        Some(Repeat::Native { within }) if now <= after(first, within) => Move::Start(Start::Call),
        Some(Repeat::Lookup) if effect.unclear < UNCLEAR_AT_MOST => Move::Start(Start::Look),
        // A double page beats a missed one; a double ticket doesn't beat asking somebody.
        _ if matches!(effect.work, Work::Notify(_)) => Move::Start(Start::CallMarked),
        _ => Move::HandOver,
    }
}

/// Whether the time of an effect is over at `now`.
pub(crate) fn expires(effect: &Effect, now: Time) -> bool {
    effect.expires_at <= now && may_expire(effect) && !is_under_way(effect, now)
}

fn is_under_way(effect: &Effect, now: Time) -> bool {
    matches!(effect.state, EffectState::Started { until, .. } if until > now)
}
