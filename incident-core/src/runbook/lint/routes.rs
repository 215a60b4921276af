//! Whether the routes of one side reach whom the runbook promises to tell.

use std::collections::BTreeSet;

use super::{Finding, Findings};
use crate::model::route::Route;
use crate::model::severity::{Audience, Severity};
use crate::runbook::Runbook;

impl Runbook {
    /// What is wrong with `routes` under this runbook, the worst first. `place` is where they are written, such as
    /// `live.routes`.
    ///
    /// An error is what no incident could go well with: no route reaches anybody inside, two routes share a name, a fallback
    /// leads nowhere or round in a circle. An audience that no route reaches is a warning: each incident says so again.
    #[must_use]
    pub fn lint_routes(&self, place: &str, routes: &[Route]) -> Vec<Finding> {
        let mut found = Findings::default();
        reached(self, place, routes, &mut found);
        for (at, route) in routes.iter().enumerate() {
            let place = format!("{place}[{at}]");
            if routes[..at].iter().any(|other| other.name == route.name) {
                let what = format!("another route is called {:?}, too", route.name);
                found.error(format!("{place}.name"), what, "give it a name of its own");
            }
            fallback(routes, route, &place, &mut found);
            audiences(self, route, &format!("{place}.audiences"), &mut found);
        }
        found.0.sort();
        found.0
    }

    /// Whom the runbook ever tells anything.
    fn told(&self) -> BTreeSet<Audience> {
        let mut told = BTreeSet::from([Audience::new(Audience::RESPONDERS)]);
        told.extend(Severity::ALL.into_iter().flat_map(|severity| self.audiences(severity, true)));
        told.extend(self.escalation.chain.iter().map(|step| step.audience.clone()));
        told
    }
}

/// Whether a page finds anybody at all.
pub(crate) fn reaches_anybody(routes: &[Route]) -> bool {
    routes.iter().flat_map(|route| &route.audiences).any(|it| !it.is_external())
}

fn reached(runbook: &Runbook, place: &str, routes: &[Route], found: &mut Findings) {
    if !reaches_anybody(routes) {
        let what = "no route reaches anybody inside the organisation, so nobody can be paged";
        found.error(place, what, "add a route for the audience `responders`");
        return;
    }
    let reached: BTreeSet<&Audience> = routes.iter().flat_map(|route| &route.audiences).collect();
    let chain: Vec<_> = runbook.escalation.chain.iter().map(|step| &step.audience).collect();
    for audience in runbook.told().iter().filter(|it| !reached.contains(it)) {
        let skipped = if chain.contains(&audience) { "; escalation skips it" } else { "" };
        let what = format!("no route for audience \"{audience}\"{skipped}");
        found.warning(place, what, "add a route for this audience, or take it out of the runbook");
    }
    if !reached.contains(&Audience::new(Audience::CARETAKER)) {
        let what = "no route for audience \"caretaker\", who hears of broken and missing routes";
        found.warning(place, what, "add a route for the audience `caretaker`");
    }
}

fn audiences(runbook: &Runbook, route: &Route, place: &str, found: &mut Findings) {
    let told = runbook.told();
    let unknown = |it: &&Audience| it.as_str() != Audience::CARETAKER && !told.contains(*it);
    for audience in route.audiences.iter().filter(unknown) {
        let known: Vec<_> = told.iter().map(Audience::as_str).collect();
        let what = format!("the runbook tells no audience \"{audience}\" anything");
        found.warning(place, what, format!("use one of: {}, caretaker", known.join(", ")));
    }
    if route.audiences.iter().any(Audience::is_external) && !route.audiences.iter().all(Audience::is_external)
    {
        let what =
            "people inside and outside the organisation share this route and read each other's notices";
        found.warning(place, what, "give people outside a route of their own");
    }
}

fn fallback(routes: &[Route], route: &Route, place: &str, found: &mut Findings) {
    let place = format!("{place}.fallback");
    let of = |name: &str| routes.iter().find(|it| it.name == name);
    let (mut at, mut seen) = (route, vec![route.name.as_str()]);
    while let Some(name) = at.fallback.as_deref() {
        if seen.contains(&name) {
            // Each circle is named once, at its first route.
            let first = routes.iter().find(|it| seen.contains(&it.name.as_str()));
            if name == route.name && first.is_some_and(|first| first.name == route.name) {
                let what = format!("the fallbacks lead round in a circle: {} → {name}", seen.join(" → "));
                found.error(place, what, "let the last route have no fallback");
            }
            return;
        }
        let Some(next) = of(name) else {
            if at.name == route.name {
                let known: Vec<_> = routes.iter().map(|it| it.name.as_str()).collect();
                let what = format!("there is no route {name:?}");
                found.error(place, what, format!("use one of: {}", known.join(", ")));
            }
            return;
        };
        seen.push(name);
        at = next;
    }
}
