//! When an incident next wants something, from its state alone.

use std::time::Duration;

use crate::log::incident::Incident;
use crate::model::effect::{Effect, EffectState, TicketWork, Work};
use crate::model::time::{Time, after, is_ahead};

/// The longest an incident that owes something goes without being looked at.
pub const HEARTBEAT: Duration = Duration::from_secs(24 * 3_600);

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

/// Whether the wait of an effect was recorded by a clock that was beyond doubt ahead: a wait is a length, so it counts as over.
/// A mitigation that may be running keeps its date, because its state is unknown.
pub(crate) fn has_no_wait(effect: &Effect, now: Time) -> bool {
    let executes = matches!(effect.work, Work::Execute(_)) && !matches!(effect.state, EffectState::Ready(_));
    is_ahead(effect.since, now) && !executes
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

pub(crate) fn begins_at(effect: &Effect) -> Time {
    match effect.state {
        EffectState::Ready(time) | EffectState::Unknown(time) => time,
        EffectState::Started { until, .. } => until,
    }
}

/// Whether what must come before an effect is there: the earlier ones of its lane, and its ticket.
pub(crate) fn can_begin(incident: &Incident, effect: &Effect) -> bool {
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
