//! Recovery checks: what was seen, and for how long all of it has been well.

use std::collections::BTreeMap;

use crate::model::colour::Colour;
use crate::model::role::PersonId;
use crate::model::time::{Time, after, since};
use crate::runbook::CheckedBy;
use crate::runbook::pinned::Figures;

/// The recovery checks of one incident.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checks {
    /// What each showed last, by name.
    pub last: BTreeMap<String, CheckState>,
    /// When the checks were last looked at, UTC.
    pub last_look: Option<Time>,
    /// Since when all of them are green without a break, UTC.
    pub green_since: Option<Time>,
    /// Until when all of them were seen green, UTC: the oldest of the probes' readings.
    pub green_until: Option<Time>,
}

/// What one check showed last.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckState {
    /// Well or not.
    pub colour: Colour,
    /// When that was seen, UTC.
    pub at: Time,
    /// What was seen.
    pub detail: String,
    /// Who vouches for it, if it wasn't a probe.
    pub attested_by: Option<PersonId>,
}

impl Checks {
    /// What the check `name` shows at `now`. A probe's reading gets too old after the longest gap; a person's word and
    /// the alerts stand until something else is said.
    #[must_use]
    pub fn colour(&self, name: &str, by: CheckedBy, firing: bool, figures: &Figures, now: Time) -> Colour {
        if by == CheckedBy::Signals {
            return if firing { Colour::Red } else { Colour::Green };
        }
        match self.last.get(name) {
            Some(state) if state.attested_by.is_some() => state.colour,
            Some(state) if by == CheckedBy::Probe && since(now, state.at) <= figures.longest_gap() => {
                state.colour
            }
            _ => Colour::Unknown,
        }
    }

    /// Takes into account what was just seen, at `now`: goes on with the hold, begins it or breaks it.
    pub(crate) fn looked(&mut self, firing: bool, figures: &Figures, now: Time) {
        let all_green = !figures.checks.is_empty()
            && figures
                .checks
                .iter()
                .all(|(name, check)| self.colour(name, check.by, firing, figures, now) == Colour::Green);
        if !all_green {
            self.green_since = None;
            self.green_until = None;
            return;
        }
        let unbroken = self.green_until.is_some_and(|last| since(now, last) <= figures.longest_gap());
        if !unbroken || self.green_since.is_none() {
            self.green_since = Some(now);
        }
        // A person's word or an alert's end is no reading: only probes carry the hold on.
        let read = figures.checks.iter().filter(|(_, check)| check.by == CheckedBy::Probe);
        let read =
            read.filter_map(|(name, _)| self.last.get(name).filter(|state| state.attested_by.is_none()));
        self.green_until = Some(read.map(|state| state.at).min().unwrap_or(now));
    }

    /// When the hold will be complete, UTC, if nothing breaks it.
    #[must_use]
    pub fn holds_at(&self, figures: &Figures) -> Option<Time> {
        Some(after(self.green_since?, figures.hold))
    }

    /// Whether every check has been green for the whole hold and was looked at lately.
    #[must_use]
    pub fn held(&self, figures: &Figures, now: Time) -> bool {
        let recent = self.green_until.is_some_and(|last| since(now, last) <= figures.longest_gap());
        recent
            && match (self.green_since, self.green_until) {
                (Some(from), Some(to)) => since(to, from) >= figures.hold,
                _ => false,
            }
    }
}
