//! What is wrong with a runbook although it reads well.

mod figures;
mod people;
mod routes;
mod signals;
mod tree;
mod words;

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::{Priority, Runbook};
use crate::model::phase::{Gate, Phase};
use crate::model::severity::Severity;

/// How bad a [`Finding`] is. The worse orders first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The runbook promises what can't be kept.
    Error,
    /// It works, but hardly as meant.
    Warning,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// Something wrong with a runbook, and what to do about it.
///
/// It prints as `error: recovery.hold: it is zero; …`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// Where, as a path in the TOML: `phases.triage.gates[0]`.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub then: String,
}

impl Finding {
    /// Something that can't be kept.
    #[must_use]
    pub fn error(place: &str, what: &str, then: &str) -> Self {
        Self { level: Level::Error, place: place.to_owned(), what: what.to_owned(), then: then.to_owned() }
    }

    /// Something that hardly works as meant.
    #[must_use]
    pub fn warning(place: &str, what: &str, then: &str) -> Self {
        Self { level: Level::Warning, ..Self::error(place, what, then) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}; {}", self.level, self.place, self.what, self.then)
    }
}

#[cfg(feature = "runtime")]
pub(crate) use routes::reaches_anybody;

impl Runbook {
    /// What is wrong with this runbook, the worst first, then by place; the default has no findings.
    #[must_use]
    pub fn lint(&self) -> Vec<Finding> {
        let mut found = Findings::default();
        entries(self, &mut found);
        gates_and_steps(self, &mut found);
        tree::check(&self.triage, &mut found);
        figures::check(self, &mut found);
        people::check(self, &mut found);
        signals::check(&self.signals, &mut found);
        words::check(self, &mut found);
        found.0.sort();
        found.0
    }
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn error(&mut self, place: impl Into<String>, what: impl Into<String>, then: impl Into<String>) {
        self.add(Level::Error, place, what, then);
    }

    fn warning(&mut self, place: impl Into<String>, what: impl Into<String>, then: impl Into<String>) {
        self.add(Level::Warning, place, what, then);
    }

    fn add(
        &mut self,
        level: Level,
        place: impl Into<String>,
        what: impl Into<String>,
        then: impl Into<String>,
    ) {
        self.0.push(Finding { level, place: place.into(), what: what.into(), then: then.into() });
    }
}

/// What a key of one of the runbook's tables is called in TOML.
pub(super) fn key(of: &impl Serialize) -> String {
    serde_json::to_value(of).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn entries(runbook: &Runbook, found: &mut Findings) {
    let mut missing = |table: &str, key: String| {
        found.warning(
            format!("{table}.{key}"),
            "it is missing",
            "write it down; until then the default's counts",
        );
    };
    for severity in Severity::ALL {
        if !runbook.severities.contains_key(&severity) {
            missing("severities", key(&severity));
        }
        if !runbook.safety.approvals.contains_key(&severity) {
            missing("safety.approvals", key(&severity));
        }
    }
    for phase in Phase::ALL.iter().filter(|phase| !runbook.phases.contains_key(phase)) {
        missing("phases", key(phase));
    }
    for priority in
        Priority::ALL.iter().filter(|priority| !runbook.afterwards.follow_ups.contains_key(priority))
    {
        missing("afterwards.follow_ups", key(priority));
    }
}

fn gates_and_steps(runbook: &Runbook, found: &mut Findings) {
    let mut known = BTreeSet::new();
    for phase in Phase::ALL {
        let policy = runbook.phase(phase);
        let place = format!("phases.{}", key(&phase));
        for (index, step) in policy.steps.iter().enumerate() {
            if !known.insert(step.id.as_str()) {
                let what = format!("the id {:?} is taken by an earlier step", step.id);
                found.error(format!("{place}.steps[{index}].id"), what, "give it another id");
            }
        }
        for (index, gate) in policy.gates.iter().enumerate() {
            let place = format!("{place}.gates[{index}]");
            match gate {
                Gate::Step(id) if !known.contains(id.as_str()) => found.error(
                    place,
                    format!("nobody can meet it: this and the earlier phases have no step {id:?}"),
                    "add the step, or take the gate out",
                ),
                Gate::ChecksHeld if runbook.recovery.checks.is_empty() => found.error(
                    place,
                    "nobody can meet it: there are no recovery checks",
                    "add a check to recovery.checks, or take the gate out",
                ),
                _ => {}
            }
        }
        if policy.expected.from > policy.expected.to {
            found.warning(format!("{place}.expected"), "it ends before it begins", "swap `from` and `to`");
        }
    }
    afterwards(runbook, &known, found);
}

/// `known` are the ids of all steps.
fn afterwards(runbook: &Runbook, known: &BTreeSet<&str>, found: &mut Findings) {
    for (index, kind) in runbook.afterwards.publish_needs.iter().enumerate() {
        if !kind.may_block() {
            found.error(
                format!("afterwards.publish_needs[{index}]"),
                format!(
                    "nothing can be held back for {kind}: it can only be explained, or ends with publishing"
                ),
                "take it out",
            );
        }
    }
    for (index, id) in runbook.afterwards.documentation.iter().enumerate() {
        if !known.contains(id.as_str()) {
            found.warning(
                format!("afterwards.documentation[{index}]"),
                format!("nobody is told to decide on it: no phase has a step {id:?}"),
                "add the step, or take it out here",
            );
        }
    }
}

#[cfg(test)]
mod tests;
