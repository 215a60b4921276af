//! Alerts that an incident takes in.

use super::Handled;
use std::collections::{BTreeMap, BTreeSet};

use super::response::page_step;
use crate::log::event::{Reopened, SignalsReceived};
use crate::log::firing::{Messages, News};
use crate::log::index::takes_group;
use crate::model::inert;
use crate::model::obligation::ObligationKind;
use crate::model::phase::Phase;
use crate::model::signal::{Fingerprints, Signal};
use crate::model::text::LONGEST_NAME;
use crate::model::time::since;
use crate::rules::command::{Gather, Gathered, Refusal};
use crate::rules::decide::{Draft, past};

/// How many groups a line names; the others are counted.
const NAMED: usize = 5;
/// How many different notes a record keeps.
const NOTED: usize = 5;

pub(super) fn take_in(draft: &mut Draft<'_>, signals: &[Signal]) {
    begin(draft, signals, &[]);
}

/// Takes in the alerts that an incident begins with; `notes` say why it does.
pub(super) fn begin(draft: &mut Draft<'_>, signals: &[Signal], notes: &[String]) {
    let signals = signals.iter().map(|signal| (Fingerprints::of(&signal.identity()), signal));
    Received::of(signals, notes).record(draft);
}

pub(super) fn gather(draft: &mut Draft<'_>, it: &Gather) -> Handled {
    let begins = it.begins && draft.state.storm.is_some();
    // An engine may remember a holder that has let go since.
    let lets_go = |it: &Gathered| !takes_group(&draft.state, &it.group, begins, draft.cx.now);
    if it.gathered.iter().any(|it| lets_go(it) && !only_stale(draft, it)) {
        return Err(Refusal::LetGo);
    }
    if draft.state.storm.is_none() {
        it.gathered.iter().for_each(|it| take_in(draft, &it.signals));
        return Ok(());
    }
    let reopened = receive(draft, &it.gathered, begins, &[]);
    if begins && !reopened {
        let because = draft.text("the alert storm begins again");
        page_step(draft, 0, Some(because));
    }
    Ok(())
}

/// Whether a storm's incident saw each of these alerts end: it notes them even after its own end.
fn only_stale(draft: &Draft<'_>, it: &Gathered) -> bool {
    draft.state.storm.is_some() && it.signals.iter().all(|alert| draft.state.saw_end(&it.group, alert))
}

/// Takes the alerts of several groups into the incident that gathers them. Says whether that reopened it.
///
/// Sources tell their alerts apart only within a group, so the group is part of what stands for one.
pub(super) fn receive(draft: &mut Draft<'_>, gathered: &[Gathered], begins: bool, notes: &[String]) -> bool {
    let known = |group: &str| draft.state.storm.as_ref().is_some_and(|storm| storm.has(group));
    let new: BTreeMap<u64, &str> = gathered
        .iter()
        .filter(|it| !known(&it.group))
        .map(|it| (Fingerprints::of(&it.group), it.group.as_str()))
        .collect();
    let signals = gathered.iter().flat_map(|it| {
        it.signals.iter().map(|alert| (Fingerprints::in_group(&it.group, &alert.identity()), alert))
    });
    let signals: Vec<_> = signals.collect();
    Received { begins, groups: new, ..Received::of(signals, notes) }.record(draft)
}

/// What came in, in the order in which it came, and the groups that are new to a storm, by their names.
#[derive(Default)]
struct Received<'s> {
    messages: Vec<(u64, &'s Signal)>,
    groups: BTreeMap<u64, &'s str>,
    begins: bool,
    notes: &'s [String],
}

impl<'s> Received<'s> {
    fn of(messages: impl IntoIterator<Item = (u64, &'s Signal)>, notes: &'s [String]) -> Self {
        Self { messages: messages.into_iter().collect(), notes, ..Self::default() }
    }

    /// Records it, but for what changes nothing. Says whether that reopened the incident.
    fn record(self, draft: &mut Draft<'_>) -> bool {
        let before = draft.state.firing.clone();
        let mut heard = Messages::new(&before, draft.cx.now);
        let policy = &draft.cx.runbook.signals;
        let (mut said, mut stale) = (BTreeMap::new(), BTreeSet::new());
        for (alert, signal) in &self.messages {
            // An end that a wrong clock puts into the future would make stale whatever fires until then.
            let ended = signal.ended_at.and_then(|time| past("ended_at", time, draft.cx.now).ok());
            let severity = if signal.is_firing() { policy.severity(signal) } else { None };
            match heard.hear(*alert, signal, ended, severity) {
                News::Fires | News::Over => drop(said.insert(*alert, *signal)),
                News::Stale if before.occurrence(*alert).is_some_and(|known| !known.repeated) => {
                    said.entry(*alert).or_insert(signal);
                    stale.insert(*alert);
                }
                News::Stale | News::Known => {}
            }
        }
        let (firing, resolved): (BTreeMap<_, _>, BTreeMap<_, _>) =
            heard.changed().partition(|(_, occurrence)| occurrence.fires);
        let told = firing.keys().chain(resolved.keys()).chain(&stale).find_map(|alert| said.get(alert));
        let Some(first) = told.copied().or_else(|| self.messages.first().map(|(_, signal)| *signal)) else {
            return false;
        };
        if firing.is_empty() && resolved.is_empty() && stale.is_empty() && self.groups.is_empty() {
            return false;
        }
        let new = firing.keys().filter_map(|alert| said.get(alert).copied());
        let summary = draft.text(&inert::clip(&self.summary(first), LONGEST_NAME));
        let noted = self.notes(draft, new);
        let noted = (!noted.is_empty()).then(|| draft.text(&noted));
        let received = SignalsReceived {
            after_quiet: !firing.is_empty() && !self.begins && after_quiet(draft),
            severities: firing.values().map(|it| it.severity).collect(),
            firing_since: firing.values().map(|it| it.started).collect(),
            resolved_since: resolved.values().map(|it| it.started).collect(),
            resolved_at: resolved.values().map(|it| it.ended).collect(),
            firing: Fingerprints(firing.into_keys().collect()),
            resolved: Fingerprints(resolved.into_keys().collect()),
            stale: Fingerprints(stale),
            groups: Fingerprints(self.groups.into_keys().collect()),
            storm_begins: self.begins,
            summary,
            noted,
        };
        let fires = !received.firing.is_empty();
        draft.fact(received);
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

    /// Why these alerts are here, and what was assumed, shortened or couldn't be read of those that are new.
    fn notes<'a>(&self, draft: &Draft<'_>, new: impl Iterator<Item = &'a Signal>) -> String {
        let policy = &draft.cx.runbook.signals;
        let mut notes: Vec<String> = self.notes.to_vec();
        for signal in new {
            for note in policy.notes(signal) {
                if notes.len() >= NOTED {
                    break;
                }
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        }
        inert::clip(&notes.join("; "), LONGEST_NAME)
    }
}

/// Whether somebody acknowledged the incident, and no alert has come since for as long as the runbook says.
fn after_quiet(draft: &Draft<'_>) -> bool {
    let state = &draft.state;
    let quiet = |latest| since(draft.cx.now, latest) >= draft.cx.runbook.signals.quiet;
    state.is_active()
        && state.obligation(ObligationKind::Acknowledge).is_none()
        && state.firing.latest().is_some_and(quiet)
}
