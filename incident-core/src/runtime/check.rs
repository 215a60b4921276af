//! The one check of runbook, routes and ports together: before an engine is built, and before it takes another runbook.

use std::collections::BTreeMap;

use super::builder::BuildError;
use super::registry::{Registry, overlap};
use crate::runbook::{CheckedBy, Finding, Level, Runbook, reaches_anybody};

/// What is wrong with a runbook for these registries, the worst first.
pub(super) fn check(
    runbook: &Runbook,
    live: &Registry,
    drill: &Registry,
    pages_nobody: bool,
) -> Vec<Finding> {
    let mut findings = runbook.lint();
    for (side, registry) in [("live", live), ("drill", drill)] {
        let routes = &registry.reach().notices;
        // An engine without drills needs no drill routes, and one that pages nobody needs no live ones.
        let needs_routes = match side {
            "live" => !pages_nobody || reaches_anybody(routes),
            _ => !routes.is_empty(),
        };
        if needs_routes {
            findings.extend(runbook.lint_routes(&format!("{side}.routes"), routes));
        }
        names(side, registry, &mut findings);
        if !registry.ports().is_empty() {
            probes(&format!("{side}.adapters"), registry, runbook, &mut findings);
        }
    }
    for name in live.ports().keys().filter(|name| drill.ports().contains_key(*name)) {
        findings.push(Finding::warning(
            &format!("drill.adapters.{name}"),
            &format!("live and drill both have an adapter named {name:?}"),
            "give the drill adapter a name of its own, so that nobody mistakes one for the other",
        ));
    }
    findings.sort();
    findings
}

/// The errors among `findings`, unless there are none.
///
/// An approval that nobody could give fails closed: preflight says so, and the engine still pages.
pub(super) fn refuse(findings: &[Finding]) -> Result<(), BuildError> {
    let is_error = |it: &&Finding| it.level == Level::Error && !it.place.starts_with("safety.");
    let errors: Vec<Finding> = findings.iter().filter(is_error).cloned().collect();
    if errors.is_empty() { Ok(()) } else { Err(BuildError::Check { findings: errors }) }
}

/// Whether live and drill share an adapter.
pub(super) fn apart(live: &Registry, drill: &Registry) -> Result<(), BuildError> {
    overlap(live, drill).map_or(Ok(()), |name| Err(BuildError::Shared { name }))
}

fn names(side: &str, registry: &Registry, findings: &mut Vec<Finding>) {
    for name in registry.repeated() {
        findings.push(Finding::error(
            &format!("{side}.adapters.{name}"),
            "two adapters are registered under this name",
            "give each adapter a name of its own",
        ));
    }
    for (at, (route, ports)) in registry.routes().enumerate() {
        if registry.ports().get(ports).is_none_or(|it| it.notifier.is_none()) {
            let notifiers = registry.ports().iter().filter(|(_, it)| it.notifier.is_some());
            findings.push(Finding::error(
                &format!("{side}.routes[{at}].adapter"),
                &format!("the route {route:?} names {ports:?}, which is no adapter that delivers notices"),
                &register("notifier", &notifiers.map(|it| it.0).collect::<Vec<_>>()),
            ));
        }
    }
    if let Some(name) = &registry.reach().tracker
        && registry.tracker(name).is_none()
    {
        let trackers = registry.ports().iter().filter(|(_, it)| it.tracker.is_some());
        findings.push(Finding::error(
            &format!("{side}.tracker"),
            &format!("it names {name:?}, which is no adapter that keeps tickets"),
            &register("tracker", &trackers.map(|it| it.0).collect::<Vec<_>>()),
        ));
    }
}

fn register(port: &str, named: &[&String]) -> String {
    match named.is_empty() {
        true => format!("register a {port} under this name"),
        false => format!(
            "register a {port} under this name, or use one of: {}",
            named.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", ")
        ),
    }
}

fn probes(place: &str, registry: &Registry, runbook: &Runbook, findings: &mut Vec<Finding>) {
    let mut answers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (check, _, adapter) in registry.probes() {
        answers.entry(check).or_default().push(adapter);
    }
    for (check, adapters) in &answers {
        let place = format!("{place}.{}", adapters[0]);
        if !runbook.recovery.checks.contains_key(*check) {
            let known: Vec<_> = runbook.recovery.checks.keys().map(String::as_str).collect();
            findings.push(Finding::warning(
                &place,
                &format!("its probe is named {check:?}, and the runbook has no check of this name"),
                &format!("use one of: {}; or add the check to `recovery.checks`", known.join(", ")),
            ));
        }
        if adapters.len() > 1 {
            findings.push(Finding::error(
                &place,
                &format!("several adapters have a probe for the check {check:?}: {}", adapters.join(", ")),
                "keep one of them",
            ));
        }
    }
    let unanswered = runbook
        .recovery
        .checks
        .iter()
        .filter(|(name, check)| check.by == CheckedBy::Probe && !answers.contains_key(name.as_str()));
    for (name, _) in unanswered {
        findings.push(Finding::warning(
            place,
            &format!("no probe for the check {name:?}, so a person must attest it"),
            "configure a probe of this name, or set the check to `by = \"person\"`",
        ));
    }
}
