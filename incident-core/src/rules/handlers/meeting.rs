//! The review meeting: announced, moved, called off, held.

use std::time::Duration;

use super::Handled;
use super::afterwards::are_known;
use crate::log::event::{MeetingCancelled, MeetingHeld, MeetingScheduled};
use crate::model::time::to_millis;
use crate::rules::command::{Because, HoldMeeting, Refusal, ScheduleMeeting};
use crate::rules::decide::{Draft, name};

/// No meeting takes longer: a calendar would show a mistake as a whole day.
const LONGEST: Duration = Duration::from_secs(8 * 3_600);

/// Announces the meeting. That it is later than promised isn't refused, for people may have agreed on it: it is found.
pub(super) fn schedule(draft: &mut Draft<'_>, it: &ScheduleMeeting) -> Handled {
    let starts_at = to_millis(it.starts_at);
    if starts_at <= draft.cx.now {
        let problem = "it is in the past; expected a later time".to_owned();
        return Err(Refusal::Invalid { field: "starts_at", problem });
    }
    let agenda = &draft.cx.runbook.afterwards.agenda;
    let length = it
        .length
        .unwrap_or_else(|| agenda.iter().fold(Duration::ZERO, |sum, item| sum.saturating_add(item.length)));
    if length.is_zero() || length > LONGEST {
        let problem = "expected a length up to 8 hours".to_owned();
        return Err(Refusal::Invalid { field: "length", problem });
    }
    let invitees = match &it.invitees[..] {
        [] => draft.state.responders.iter().cloned().collect(),
        named => {
            are_known(draft, "invitees", named)?;
            named.to_vec()
        }
    };
    let place = it.place.as_deref().map(|place| name("place", place)).transpose()?;
    let same = draft.state.document.meeting.as_ref().is_some_and(|meeting| {
        let before = (meeting.starts_at, meeting.length, &meeting.invitees, &meeting.place);
        !meeting.cancelled && before == (starts_at, length, &invitees, &place)
    });
    if same {
        return Err(Refusal::Already("the meeting is announced so already"));
    }
    draft.fact(MeetingScheduled { starts_at, length, invitees, place });
    Ok(())
}

pub(super) fn cancel(draft: &mut Draft<'_>, it: &Because) -> Handled {
    if draft.state.document.meeting.as_ref().is_none_or(|meeting| meeting.cancelled) {
        return Err(Refusal::Already("no meeting is announced"));
    }
    let because = draft.words("because", &it.because)?;
    draft.fact(MeetingCancelled { because });
    Ok(())
}

pub(super) fn hold(draft: &mut Draft<'_>, it: &HoldMeeting) -> Handled {
    are_known(draft, "attendees", &it.attendees)?;
    draft.fact(MeetingHeld { attendees: it.attendees.clone() });
    Ok(())
}
