//! Alerts that an incident takes in.

use std::collections::BTreeMap;

use super::response::page_step;
use crate::domain::command::{Gather, Gathered, Refusal};
use crate::domain::decide::{Draft, LONGEST_NAME};
use crate::domain::event::{Reopened, SignalsReceived};
use crate::domain::index::takes_group;
use crate::domain::inert;
use crate::domain::phase::Phase;
use crate::domain::signal::{Fingerprints, Signal, SignalState};

type Judged = Result<(), Refusal>;

/// How many groups a line names; the others are counted.
const NAMED: usize = 5;

pub(super) fn take_in(draft: &mut Draft<'_>, signals: &[Signal]) {
    let signals = signals.iter().map(|signal| (Fingerprints::of(&signal.fingerprint), signal));
    Received::of(signals).record(draft);
}

pub(super) fn gather(draft: &mut Draft<'_>, it: &Gather) -> Judged {
    let begins = it.begins && draft.state.storm.is_some();
    // An engine may remember a holder that has let go since.
    if it.gathered.iter().any(|it| !takes_group(&draft.state, &it.group, begins, draft.cx.now)) {
        return Err(Refusal::LetGo);
    }
    if draft.state.storm.is_none() {
        it.gathered.iter().for_each(|it| take_in(draft, &it.signals));
        return Ok(());
    }
    let reopened = receive(draft, &it.gathered, begins);
    if begins && !reopened {
        let because = draft.text("the alert storm begins again");
        page_step(draft, 0, Some(because));
    }
    Ok(())
}

/// Takes the alerts of several groups into the incident that gathers them. Says whether that reopened it.
///
/// Sources tell their alerts apart only within a group, so the group is part of what stands for one.
pub(super) fn receive(draft: &mut Draft<'_>, gathered: &[Gathered], begins: bool) -> bool {
    let known = |group: &str| draft.state.storm.as_ref().is_some_and(|storm| storm.has(group));
    let new: BTreeMap<u64, &str> = gathered
        .iter()
        .filter(|it| !known(&it.group))
        .map(|it| (Fingerprints::of(&it.group), it.group.as_str()))
        .collect();
    let signals = gathered.iter().flat_map(|it| {
        it.signals
            .iter()
            .map(|alert| (Fingerprints::of(&format!("{}\n{}", it.group, alert.fingerprint)), alert))
    });
    Received { begins, groups: new, ..Received::of(signals) }.record(draft)
}

/// What came in: the last word on each alert, and the groups that are new to a storm, by their names.
#[derive(Default)]
struct Received<'s> {
    last: BTreeMap<u64, &'s Signal>,
    groups: BTreeMap<u64, &'s str>,
    begins: bool,
}

impl<'s> Received<'s> {
    fn of(signals: impl IntoIterator<Item = (u64, &'s Signal)>) -> Self {
        Self { last: signals.into_iter().collect(), ..Self::default() }
    }

    /// Records it, but for what changes nothing. Says whether that reopened the incident.
    fn record(self, draft: &mut Draft<'_>) -> bool {
        let changed = |state: SignalState| {
            let fires = |alert: u64| draft.state.firing.contains(alert);
            let changes = |alert: u64| fires(alert) == (state == SignalState::Resolved);
            let of_state = self.last.iter().filter(|(_, signal)| signal.state == state);
            Fingerprints(of_state.map(|(alert, _)| *alert).filter(|alert| changes(*alert)).collect())
        };
        let (firing, resolved) = (changed(SignalState::Firing), changed(SignalState::Resolved));
        let first = firing.0.iter().chain(&resolved.0).find_map(|alert| self.last.get(alert));
        let Some(first) = first.or_else(|| self.last.values().next()) else { return false };
        if firing.is_empty() && resolved.is_empty() && self.groups.is_empty() {
            return false;
        }
        let summary = draft.text(&inert::clip(&self.summary(first), LONGEST_NAME));
        let fires = !firing.is_empty();
        let groups = Fingerprints(self.groups.into_keys().collect());
        draft.fact(SignalsReceived { firing, resolved, summary, groups, storm_begins: self.begins });
        let reopens = fires && draft.state.ended.is_none() && draft.state.phase == Phase::PostIncident;
        if reopens {
            let because = draft.text("an alert of this incident fires again");
            draft.fact(Reopened { because });
        }
        reopens
    }

    /// What the first alert says, and of which new groups it is one.
    fn summary(&self, first: &Signal) -> String {
        if self.groups.is_empty() {
            return first.summary.clone();
        }
        let names: Vec<&str> = self.groups.values().copied().take(NAMED).collect();
        let more = match self.groups.len() - names.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{} ({}{more})", inert::clip(&first.summary, LONGEST_NAME / 2), names.join(", "))
    }
}
