//! What is wrong with settings although they read well.

use super::{RouteSettings, Settings, SideSettings};
use crate::domain::context::Route;
use crate::domain::runbook::{Finding, Runbook};

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
                side.lint_routes(place, runbook, &mut findings);
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

    fn lint_routes(&self, place: &str, runbook: &Runbook, findings: &mut Vec<Finding>) {
        let route = |it: &RouteSettings| {
            let audiences: Vec<&str> = it.audiences.iter().map(String::as_str).collect();
            let mut route = Route::new(it.name(), &audiences);
            route.fallback.clone_from(&it.fallback);
            route
        };
        let routes: Vec<Route> = self.routes.iter().map(route).collect();
        findings.extend(runbook.lint_routes(&format!("{place}.routes"), &routes));
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
        }
        if self.tracker.as_deref().is_some_and(missing) {
            error(format!("{place}.tracker"), unconfigured, configure);
        }
    }
}
