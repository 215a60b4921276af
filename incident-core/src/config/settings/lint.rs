//! What is wrong with settings although they read well.

use std::collections::BTreeSet;

use super::{Settings, SideSettings};
use crate::domain::runbook::{Finding, Runbook};
use crate::domain::severity::{Audience, Severity};

impl Settings {
    /// Contradictions between these settings and a runbook, the worst first: an audience without a route, a route
    /// without an adapter, a route on which people outside would read what isn't for them.
    ///
    /// What can be seen only once the adapters are built is in [`Built::lint`](super::Built::lint).
    #[must_use]
    pub fn lint(&self, runbook: &Runbook) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (place, side) in [("live", &self.live), ("drill", &self.drill)] {
            if !side.is_empty() {
                side.lint_audiences(place, runbook, &mut findings);
                side.lint_names(place, &mut findings);
            }
        }
        for name in self.live.adapters.keys().filter(|name| self.drill.adapters.contains_key(*name)) {
            findings.push(Finding::warning(
                &format!("drill.adapters.{name}"),
                "live and drill have adapters of the same name",
                "give the drill's a name of its own, so that nobody mistakes one for the other",
            ));
        }
        findings.sort();
        findings
    }
}

impl SideSettings {
    fn is_empty(&self) -> bool {
        self.adapters.is_empty() && self.routes.is_empty() && self.tracker.is_none()
    }

    fn lint_audiences(&self, place: &str, runbook: &Runbook, findings: &mut Vec<Finding>) {
        let mut promised: BTreeSet<Audience> = BTreeSet::from([Audience::new(Audience::RESPONDERS)]);
        promised.extend(Severity::ALL.into_iter().flat_map(|severity| runbook.audiences(severity, true)));
        promised.extend(runbook.escalation.chain.iter().map(|step| step.audience.clone()));
        let reached: BTreeSet<&str> =
            self.routes.iter().flat_map(|route| route.audiences.iter().map(String::as_str)).collect();
        for audience in promised.iter().filter(|audience| !reached.contains(audience.as_str())) {
            findings.push(Finding::error(
                &format!("{place}.routes"),
                &format!("the runbook promises to tell {audience}, and no route reaches them"),
                "add a route for this audience, or take it out of the runbook",
            ));
        }
        if !reached.contains(Audience::CARETAKER) {
            findings.push(Finding::warning(
                &format!("{place}.routes"),
                "no route reaches the caretaker, who is told what the engine can't do",
                "add a route for the audience `caretaker`",
            ));
        }
        for (at, route) in self.routes.iter().enumerate() {
            let place = format!("{place}.routes[{at}].audiences");
            let audiences: Vec<_> = route.audiences.iter().map(|it| Audience::new(it)).collect();
            let unknown = |it: &&Audience| it.as_str() != Audience::CARETAKER && !promised.contains(*it);
            for audience in audiences.iter().filter(unknown) {
                findings.push(Finding::warning(
                    &place,
                    &format!("the runbook never tells {audience} anything"),
                    "correct the name, or take it out",
                ));
            }
            if audiences.iter().any(Audience::is_external) && !audiences.iter().all(Audience::is_external) {
                findings.push(Finding::warning(
                    &place,
                    "people outside the organisation and inside share it, and would read each other's notices",
                    "give those outside a route of their own, unless nobody outside sees this one",
                ));
            }
        }
    }

    fn lint_names(&self, place: &str, findings: &mut Vec<Finding>) {
        let missing = |adapter: &str| !self.adapters.contains_key(adapter);
        let mut error = |place: String, what, then| findings.push(Finding::error(&place, what, then));
        let (unconfigured, configure) =
            ("it names an adapter that isn't configured", "configure it under adapters");
        for (at, route) in self.routes.iter().enumerate() {
            let place = format!("{place}.routes[{at}]");
            if missing(&route.adapter) {
                error(format!("{place}.adapter"), unconfigured, configure);
            }
            if self.routes[..at].iter().any(|other| other.name() == route.name()) {
                error(format!("{place}.name"), "another route has this name", "give it a name of its own");
            }
            let known = |name: &String| {
                self.routes.iter().any(|other| other.name() == name && other.name() != route.name())
            };
            if route.fallback.as_ref().is_some_and(|name| !known(name)) {
                error(format!("{place}.fallback"), "it is no other route", "name another route");
            }
        }
        if self.tracker.as_deref().is_some_and(missing) {
            error(format!("{place}.tracker"), unconfigured, configure);
        }
    }
}
