//! Alerts that an incident takes in.

use std::collections::BTreeMap;

use crate::domain::command::{Gathered, Refusal};
use crate::domain::decide::{Draft, LONGEST_NAME};
use crate::domain::event::{Reopened, SignalsReceived};
use crate::domain::index::takes_group;
use crate::domain::inert;
use crate::domain::phase::Phase;
use crate::domain::signal::{Fingerprints, Signal, SignalState};
use crate::domain::storm::Storm;

type Judged = Result<(), Refusal>;

pub(super) fn take_in(draft: &mut Draft<'_>, signals: &[Signal]) {
    record(draft, signals, Fingerprints::default());
}

pub(super) fn gather(draft: &mut Draft<'_>, gathered: &[Gathered]) -> Judged {
    // An engine may remember a holder that has let go since.
    if gathered.iter().any(|it| !takes_group(&draft.state, &it.group, draft.cx.now)) {
        return Err(Refusal::LetGo);
    }
    receive(draft, gathered);
    Ok(())
}

/// Takes the alerts of several groups in.
pub(super) fn receive(draft: &mut Draft<'_>, gathered: &[Gathered]) {
    let new = |storm: &Storm| {
        let names = gathered.iter().map(|it| Fingerprints::of(&it.group));
        names.filter(|group| !storm.groups.contains_key(group)).collect()
    };
    let groups = Fingerprints(draft.state.storm.as_deref().map(new).unwrap_or_default());
    record(draft, gathered.iter().flat_map(|it| it.signals.iter()), groups);
}

/// The last word on each alert counts, and what changes nothing isn't recorded.
fn record<'s>(draft: &mut Draft<'_>, signals: impl IntoIterator<Item = &'s Signal>, groups: Fingerprints) {
    let last: BTreeMap<u64, &Signal> =
        signals.into_iter().map(|signal| (Fingerprints::of(&signal.fingerprint), signal)).collect();
    let changed = |state: SignalState| {
        let fires = |alert: u64| draft.state.firing.contains(alert);
        last.iter()
            .filter(|(alert, signal)| {
                signal.state == state && fires(**alert) == (state == SignalState::Resolved)
            })
            .map(|(alert, _)| *alert)
            .collect()
    };
    let firing = Fingerprints(changed(SignalState::Firing));
    let resolved = Fingerprints(changed(SignalState::Resolved));
    let summary = firing.0.iter().chain(&resolved.0).find_map(|alert| last.get(alert));
    let Some(summary) = summary else { return };
    let summary = draft.text(&inert::clip(&summary.summary, LONGEST_NAME));
    let fires = !firing.is_empty();
    draft.fact(SignalsReceived { firing, resolved, summary, groups });
    if fires && draft.state.ended.is_none() && draft.state.phase == Phase::PostIncident {
        let because = draft.text("an alert of this incident fires again");
        draft.fact(Reopened { because });
    }
}
