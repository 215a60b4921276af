//! The engine behind the bot, and who hears what.

use std::collections::BTreeSet;

use incident_core::model::severity::{Audience, Severity};
use incident_core::port::store::Store;
use incident_core::runtime::EngineBuilder;
use incident_core::{Engine, Ports, Runbook};
use incident_slack::intake::knows_people;

/// The route that the organisation is told over.
pub(crate) const INSIDE: &str = "slack";

/// Every audience that the runbook tells anything, within the organisation and outside it.
pub(crate) fn audiences(runbook: &Runbook) -> (Vec<String>, Vec<String>) {
    let mut all: BTreeSet<String> =
        [Audience::RESPONDERS, Audience::TEAM, "caretaker"].map(str::to_owned).into();
    for severity in Severity::ALL {
        all.extend(runbook.audiences(severity, true).iter().map(|audience| audience.as_str().to_owned()));
    }
    all.extend(runbook.escalation.chain.iter().map(|step| step.audience.as_str().to_owned()));
    all.into_iter().partition(|name| !Audience::new(name).is_external())
}

/// An engine that tells the organisation over `inside`, and writes what is for people outside where `outside` leads.
pub(crate) fn engine(store: impl Store, runbook: Runbook, inside: Ports, outside: Ports) -> EngineBuilder {
    let (within, without) = audiences(&runbook);
    let within: Vec<&str> = within.iter().map(String::as_str).collect();
    let without: Vec<&str> = without.iter().map(String::as_str).collect();
    let builder = Engine::builder(store).runbook(runbook).ports(INSIDE, inside).route(INSIDE, &within);
    if without.is_empty() {
        return builder;
    }
    builder.ports("slack-outside", outside).route("slack-outside", &without)
}

/// What this bot can't do under the runbook as it is, for whoever starts it.
pub(crate) fn limits(runbook: &Runbook) -> Vec<String> {
    let mut limits = Vec::new();
    let (_, outside) = audiences(runbook);
    if !outside.is_empty() {
        limits.push(format!(
            "nobody outside reads Slack: a person has to publish what is written for {}",
            outside.join(", ")
        ));
    }
    if !knows_people(runbook) {
        limits.push(
            "the runbook names nobody with a Slack account: everybody's commands count, and no mitigation can be approved"
                .to_owned(),
        );
    }
    limits.push("drills are recorded, and told nobody: no route is made for them".to_owned());
    limits
}
