//! Settings whose adapters are built.

use std::collections::BTreeMap;

use crate::config::{BuiltEvidence, Ports};
use crate::domain::context::Route;
use crate::domain::incident::Side;
use crate::domain::runbook::{CheckedBy, Finding, Runbook};

/// Settings whose adapters are built: what an engine is made of.
#[derive(Debug)]
#[non_exhaustive]
pub struct Built {
    /// The runbook.
    pub runbook: Runbook,
    /// Where evidence is kept.
    pub evidence: Option<BuiltEvidence>,
    /// Whether an engine may start although no live route reaches anybody whom a page could wake.
    pub pages_nobody: bool,
    /// What live incidents reach.
    pub live: BuiltSide,
    /// What drills reach.
    pub drill: BuiltSide,
}

impl Built {
    /// One side.
    #[must_use]
    pub fn side(&self, side: Side) -> &BuiltSide {
        match side {
            Side::Live => &self.live,
            Side::Drill => &self.drill,
        }
    }

    /// What can only be seen once the adapters are built, the worst first: a check that the runbook leaves to a probe and
    /// that none answers, a probe whose check it doesn't know, and a check that two adapters answer.
    ///
    /// It comes beside [`Settings::lint`](super::Settings::lint).
    #[must_use]
    pub fn lint(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (place, side) in [("live", &self.live), ("drill", &self.drill)] {
            if !side.ports.is_empty() {
                side.lint(place, &self.runbook, &mut findings);
            }
        }
        findings.sort();
        findings
    }
}

/// What incidents of one side reach, built.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct BuiltSide {
    /// The ports, by name.
    pub ports: BTreeMap<String, Ports>,
    /// The routes, and the ports that each goes through.
    pub routes: Vec<(Route, String)>,
    /// The ports that keep the tickets.
    pub tracker: Option<String>,
}

impl BuiltSide {
    fn lint(&self, place: &str, runbook: &Runbook, findings: &mut Vec<Finding>) {
        let mut answers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, ports) in &self.ports {
            for check in ports.probes.keys() {
                answers.entry(check).or_default().push(name);
            }
        }
        for (check, adapters) in &answers {
            let place = format!("{place}.adapters.{}", adapters[0]);
            if !runbook.recovery.checks.contains_key(*check) {
                let what = format!("its probe answers {check:?}, which is no check of the runbook");
                findings.push(Finding::warning(&place, &what, "correct the probe's name, or add the check"));
            }
            if adapters.len() > 1 {
                let what = format!("several adapters answer the check {check:?}: {}", adapters.join(", "));
                findings.push(Finding::error(&place, &what, "leave the check to one of them"));
            }
        }
        for (name, check) in &runbook.recovery.checks {
            if check.by == CheckedBy::Probe && !answers.contains_key(name.as_str()) {
                let what = format!("no probe answers the check {name:?}, so a person must attest it");
                let then = "configure a probe of this name, or leave the check to persons";
                findings.push(Finding::warning(&format!("{place}.adapters"), &what, then));
            }
        }
    }
}
