//! Plays an incident through the core's public rules, in time that is turned by hand.

use incident_core::log::event::Record;
use incident_core::log::incident::Incident;
use incident_core::model::id::{CommandId, IncidentId};
use incident_core::model::role::Actor;
use incident_core::model::route::{Route, Routes};
use incident_core::model::time::Time;
use incident_core::rules::command::{Command, Declare, Request};
use incident_core::rules::context::Context;
use incident_core::rules::decide::decide;
use incident_core::runbook::Runbook;
use incident_report_testing::corpus;

/// One incident, its log, and the time.
pub(crate) struct Driver {
    pub(crate) now: Time,
    pub(crate) runbook: Runbook,
    pub(crate) incident: Incident,
    pub(crate) records: Vec<Record>,
    commands: u64,
}

impl Driver {
    /// `declare` by Alice on a Monday at 14:00 UTC, under the runbook of the corpus.
    pub(crate) fn declare(declare: Declare) -> Self {
        Self::under(corpus("outage").runbook, declare)
    }

    pub(crate) fn under(runbook: Runbook, declare: Declare) -> Self {
        let now = "2026-03-02T14:00:00Z".parse().unwrap();
        let incident = Incident::blank(IncidentId::new(now, [7; 16]));
        let mut driver = Self { now, runbook, incident, records: Vec::new(), commands: 0 };
        driver.alice(Command::Declare(Box::new(declare)));
        driver
    }

    pub(crate) fn alice(&mut self, command: Command) {
        self.commands += 1;
        let id = CommandId::named(&self.commands.to_string());
        let request = Request::new(id, Actor::human("chat", "alice"), command);
        let mut routes = Routes::default();
        routes.notices.push(Route::new("chat", &["responders", "team", "leadership", "executives", "staff"]));
        let cx = Context {
            now: self.now,
            runbook: &self.runbook,
            digest: self.runbook.digest(),
            live: &routes,
            drill: &routes,
            taken: &[],
            others: &[],
            open_incidents: Some(1),
            entropy: [u8::try_from(self.commands).unwrap(); 16],
        };
        let decision = decide(&self.incident, &request, &cx).unwrap();
        self.incident = decision.after;
        self.records.extend(decision.records);
    }
}
