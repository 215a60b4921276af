//! What is due: a function of the state and the time, and of nothing else.

use std::time::Duration;

use crate::log::incident::Incident;
use crate::model::effect::{Effect, EffectState, Repeat, Start, TicketWork, Work};
use crate::model::id::Seq;
use crate::model::time::{Time, after};

/// The longest an incident that owes something goes without being looked at.
pub const HEARTBEAT: Duration = Duration::from_secs(24 * 3_600);
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

/// When the incident next wants something, from its recorded times alone.
///
/// None exactly when nothing is owed; otherwise at most [`HEARTBEAT`] after the last record.
#[must_use]
pub fn next_wake(incident: &Incident) -> Option<Time> {
    if incident.is_settled() {
        return None;
    }
    let now = incident.recorded_at;
    let timers = incident
        .obligations
        .values()
        .filter_map(|owed| if owed.is_misdated(now) { Some(now) } else { owed.next() });
    let effects = incident.effects.values().map(|effect| {
        let begin = match can_begin(incident, effect) {
            true if has_no_wait(effect, now) => now,
            true => begins_at(effect),
            false => Time::MAX_UTC,
        };
        if may_expire(effect) { begin.min(ends_at(effect)) } else { begin }
    });
    let heartbeat = after(incident.recorded_at, HEARTBEAT);
    timers.chain(effects).chain(incident.next_look()).chain([heartbeat]).min()
}

/// Whether an effect may begin at `now`.
pub(crate) fn is_startable(incident: &Incident, effect: &Effect, now: Time) -> bool {
    !expires(effect, now)
        && (begins_at(effect) <= now || has_no_wait(effect, now))
        && can_begin(incident, effect)
}

/// Whether the wait of an effect was recorded by a clock that was beyond doubt ahead: a wait is a length, so it counts as over.
/// Of what may be changing a system at this moment nobody can know, and it keeps its date.
fn has_no_wait(effect: &Effect, now: Time) -> bool {
    let executes = matches!(effect.work, Work::Execute(_)) && !matches!(effect.state, EffectState::Ready(_));
    Incident::is_ahead(effect.since, now) && !executes
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

/// What may have changed a system doesn't just expire: it has to be found out.
pub(crate) fn may_expire(effect: &Effect) -> bool {
    !matches!(effect.work, Work::Execute(_)) || matches!(effect.state, EffectState::Ready(_))
}

/// When an effect expires: what is under way isn't cut off.
fn ends_at(effect: &Effect) -> Time {
    match effect.state {
        EffectState::Started { until, .. } => effect.expires_at.max(until),
        EffectState::Ready(_) | EffectState::Unknown(_) => effect.expires_at,
    }
}

fn begins_at(effect: &Effect) -> Time {
    match effect.state {
        EffectState::Ready(time) | EffectState::Unknown(time) => time,
        EffectState::Started { until, .. } => until,
    }
}

/// Whether what must come before an effect is there: the earlier ones of its lane, and its ticket.
fn can_begin(incident: &Incident, effect: &Effect) -> bool {
    let has_ticket = match &effect.work {
        Work::Ticket(TicketWork::Open | TicketWork::FollowUp(_)) => true,
        Work::Ticket(TicketWork::CloseFollowUp(action)) => {
            incident.actions.get(action).is_some_and(|action| action.ticket.is_some())
        }
        Work::Ticket(_) => incident.ticket.is_some(),
        _ => true,
    };
    has_ticket && incident.is_first_in_lane(effect)
}
