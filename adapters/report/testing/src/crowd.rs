//! An incident in which very much happens.

use std::time::Duration;

use incident_core::log::chain::{encode, origin};
use incident_core::log::event::{CheckReading, Record};
use incident_core::log::incident::Incident;
use incident_core::model::colour::Colour;
use incident_core::model::id::{CommandId, IncidentId};
use incident_core::model::role::Actor;
use incident_core::model::route::Routes;
use incident_core::model::severity::Severity;
use incident_core::model::signal::{Detection, Signal};
use incident_core::model::time::Time;
use incident_core::model::time::after;
use incident_core::rules::command::{Advance, Command, Declare, Note, PostUpdate, Request};
use incident_core::rules::context::Context;
use incident_core::rules::decide::decide;
use incident_core::rules::due::due;
use incident_core::runbook::Runbook;

use super::Log;
use super::corpus::runbook;

/// An incident with at least so many records: observations, alerts and checks that flap, updates that come late or not.
///
/// It is played through the core's rules, in time that is turned by hand; nothing is connected to it.
#[must_use]
pub fn crowded(records: usize) -> Log {
    let mut it = Crowd::declared();
    it.does(Command::Acknowledge);
    for _ in 0..3 {
        let override_because = Some("everybody agreed".to_owned());
        it.does(Command::Advance(Advance { to: None, override_because }));
    }
    let mut round = 0_u64;
    while it.records.len() < records {
        round += 1;
        it.passes(Duration::from_secs(200));
        it.notices(round);
        for at in 0..6 {
            let text =
                format!("Observation {at} of round {round}: the queue has {} entries", round * 37 % 1_000);
            it.does(Command::Note(Note { text }));
        }
        if round.is_multiple_of(7) || round % 50 < 10 {
            let progress = "Still at it".to_owned();
            it.does(Command::PostUpdate(PostUpdate { progress, next_steps: None, eta: None, public: None }));
        }
    }
    let (_, head) = encode(&it.records, origin(it.incident.id));
    Log { incident: it.incident, records: it.records, head, runbook: it.runbook }
}

struct Crowd {
    now: Time,
    runbook: Runbook,
    incident: Incident,
    records: Vec<Record>,
    commands: u64,
}

impl Crowd {
    fn declared() -> Self {
        let now = "2026-03-02T14:00:00Z".parse().expect("a time");
        let incident = Incident::blank(IncidentId::new(now, [7; 16]));
        let mut it = Self { now, runbook: runbook(), incident, records: Vec::new(), commands: 0 };
        let declare = Declare::new("Everything at once").severity(Severity::Sev2).service("all");
        it.does(Command::Declare(Box::new(declare)));
        it
    }

    fn does(&mut self, command: Command) {
        self.by(Actor::human("chat", "alice"), command);
    }

    /// `actor` asks for `command`, which isn't refused.
    fn by(&mut self, actor: Actor, command: Command) {
        self.commands += 1;
        let request = Request::new(CommandId::named(&self.commands.to_string()), actor, command);
        let mut entropy = [0; 16];
        entropy[..8].copy_from_slice(&self.commands.to_be_bytes());
        let nothing = Routes::default();
        let cx = Context {
            now: self.now,
            runbook: &self.runbook,
            digest: self.runbook.digest(),
            live: &nothing,
            drill: &nothing,
            taken: &[],
            others: &[],
            open_incidents: Some(1),
            entropy,
        };
        let decision = decide(&self.incident, &request, &cx).expect("not refused");
        self.incident = decision.after;
        self.records.extend(decision.records);
    }

    /// Lets time pass, with what becomes due in it.
    fn passes(&mut self, length: Duration) {
        self.now = after(self.now, length);
        if due(&self.incident, self.now).wake {
            self.by(Actor::Engine, Command::Wake);
        }
    }

    /// Checks are looked at, and alerts begin and end.
    fn notices(&mut self, round: u64) {
        let colour = if round.is_multiple_of(2) { Colour::Red } else { Colour::Green };
        let reading = CheckReading { colour, detail: "as seen".to_owned() };
        let checks =
            self.incident.figures.checks.keys().map(|name| (name.clone(), reading.clone())).collect();
        self.by(Actor::Engine, Command::Look(checks));
        let alert =
            Signal::firing(&format!("alert-{}", round % 7), "A queue is too long", Detection::MetricAlert);
        let alert = if round.is_multiple_of(3) { alert.resolved() } else { alert };
        self.by(Actor::Automation("alertmanager".to_owned()), Command::Signals(vec![alert]));
    }
}
