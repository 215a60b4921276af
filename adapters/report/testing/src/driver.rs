//! Plays an incident through the core's public rules, in time that is turned by hand; every effect succeeds.

use std::time::Duration;

use incident_core::domain::check::Colour;
use incident_core::domain::command::{
    Advance, Approve, Begin, Command, Conclude, Declare, EffectResult, ExecutePlan, Propose, Request,
};
use incident_core::domain::context::{Context, Route, Routes};
use incident_core::domain::decide::decide;
use incident_core::domain::due::due;
use incident_core::domain::effect::{Repeat, TicketWork, Work};
use incident_core::domain::event::{CheckReading, EvidenceItem, Record};
use incident_core::domain::incident::Incident;
use incident_core::domain::mitigation::Mitigation;
use incident_core::domain::plan::{BlastRadius, Execution, Plan, Reversible};
use incident_core::domain::runbook::CheckedBy;
use incident_core::domain::time::after;
use incident_core::domain::{
    Actor, CommandId, Digest, Identity, IncidentId, Person, PersonId, Receipt, Runbook, Seq, Time,
};

/// One incident, its log, and the world around it.
#[derive(Debug)]
pub struct Driver {
    /// What time it is, UTC.
    pub now: Time,
    /// The runbook in force.
    pub runbook: Runbook,
    routes: Routes,
    /// The incident as it stands.
    pub incident: Incident,
    /// Its log.
    pub records: Vec<Record>,
    commands: u64,
    /// Whether the mitigations that are carried out hold.
    pub holds: bool,
}

impl Driver {
    /// `declare` by Alice on a Monday at 14:00 UTC. The route to customers is missing.
    #[must_use]
    pub fn declare(declare: Declare) -> Self {
        let now = "2026-03-02T14:00:00Z".parse().expect("a time");
        let mut runbook = Runbook::default();
        for (id, name) in [("alice", "Alice Ash"), ("bob", "Bob Birch"), ("carol", "Carol Chestnut")] {
            let identities = vec![Identity::new("chat", id)];
            let person = Person { name: name.to_owned(), identities, roles: vec![] };
            runbook.persons.insert(PersonId::new(id), person);
        }
        let mut routes = Routes::default();
        routes.notices.push(Route::new("pager", &["responders"]));
        routes.notices.push(Route::new("chat", &["team", "leadership", "executives", "staff"]));
        routes.tracker = Some("tracker".to_owned());
        routes.systems = vec!["cluster".to_owned(), "flags".to_owned()];
        routes.collectors = vec!["logs".to_owned()];
        let incident = Incident::blank(IncidentId::new(now, [7; 16]));
        let mut driver =
            Self { now, runbook, routes, incident, records: Vec::new(), commands: 0, holds: true };
        driver.alice(Command::Declare(Box::new(declare)));
        driver.settle();
        driver
    }

    /// Lets so many minutes pass, with what becomes due in them.
    pub fn wait(&mut self, minutes: u64) -> &mut Self {
        for _ in 0..minutes {
            self.wait_seconds(60);
            if due(&self.incident, self.now).wake {
                self.by(Actor::Engine, Command::Wake);
            }
            self.settle();
        }
        self
    }

    /// Lets so many seconds pass; what becomes due is left lying.
    pub fn wait_seconds(&mut self, seconds: u64) {
        self.now = after(self.now, Duration::from_secs(seconds));
    }

    /// `command` by Alice.
    pub fn alice(&mut self, command: Command) -> Seq {
        self.by(Actor::human("chat", "alice"), command)
    }

    /// `command` by Bob.
    pub fn bob(&mut self, command: Command) -> Seq {
        self.by(Actor::human("chat", "bob"), command)
    }

    /// `command` by `actor`, which the runbook doesn't refuse.
    pub fn by(&mut self, actor: Actor, command: Command) -> Seq {
        self.commands += 1;
        let request = Request::new(CommandId::named(&self.commands.to_string()), actor, command);
        self.request(&request)
    }

    /// Does what `request` asks for.
    pub fn request(&mut self, request: &Request) -> Seq {
        let mut entropy = [0; 16];
        entropy[..8].copy_from_slice(&self.commands.to_be_bytes());
        let cx = Context {
            now: self.now,
            runbook: &self.runbook,
            live: &self.routes,
            drill: &self.routes,
            taken: &[],
            open_incidents: Some(1),
            entropy,
        };
        let decision = decide(&self.incident, request, &cx).expect("not refused");
        self.incident = decision.after;
        let first = decision.records.first().map_or(self.incident.version, |record| record.seq);
        self.records.extend(decision.records);
        first
    }

    /// Goes on to the next phase, whatever its gates say.
    pub fn advance(&mut self) -> &mut Self {
        let override_because = Some("everybody agreed".to_owned());
        self.alice(Command::Advance(Advance { to: None, override_because }));
        self.settle()
    }

    /// Every check that a probe answers shows `colour`, but those that `except` names.
    pub fn look(&mut self, colour: Colour, except: &[(&str, Colour)]) {
        let probed = self.incident.figures.checks.iter().filter(|(_, check)| check.by == CheckedBy::Probe);
        let readings = probed.map(|(name, _)| {
            let colour = except.iter().find(|(other, _)| other == name).map_or(colour, |(_, other)| *other);
            (name.clone(), CheckReading { colour, detail: "as seen".to_owned() })
        });
        let readings = readings.collect();
        self.by(Actor::Engine, Command::Look(readings));
        self.settle();
    }

    /// Has `mitigation` proposed, planned, agreed to and carried out, a few minutes apart.
    pub fn mitigate(&mut self, system: &str, mitigation: Mitigation, because: &str) -> Seq {
        let (system, because) = (system.to_owned(), because.to_owned());
        let proposal = self.alice(Command::Propose(Propose { mitigation, system, because }));
        self.settle().carry_out(proposal);
        proposal
    }

    /// Has the plan of `proposal` agreed to and carried out.
    pub fn carry_out(&mut self, proposal: Seq) {
        let digest = self.incident.mitigations[&proposal].plan.as_ref().expect("a plan").digest;
        self.wait(2);
        self.bob(Command::Approve(Approve { proposal, digest, break_glass: None }));
        self.wait(1);
        self.alice(Command::Execute(ExecutePlan { proposal, digest }));
        self.settle().wait(2);
    }

    /// Carries out what is due until nothing is.
    pub fn settle(&mut self) -> &mut Self {
        while let Some(effect) = due(&self.incident, self.now).start.first().copied() {
            let until = after(self.now, Duration::from_secs(60));
            let begin = Begin { effect, worker: "worker-1".to_owned(), until, repeat: Repeat::Lookup };
            self.by(Actor::Engine, Command::Start(vec![begin]));
            let attempt = self.incident.effects.get(&effect).map_or(0, |effect| effect.attempts);
            let result = self.outcome(effect);
            self.by(Actor::Engine, Command::Conclude(Box::new(Conclude { effect, attempt, result })));
        }
        self
    }

    fn outcome(&self, effect: Seq) -> EffectResult {
        let plan = |proposal: &Seq| {
            let mitigation = self.incident.mitigations[proposal].mitigation.clone();
            Plan::new(mitigation, "prod/deployment/checkout", Reversible::Yes)
                .with_change("image", "checkout:42", "checkout:41")
                .with_blast_radius(BlastRadius::of(6).leaving_healthy(75))
        };
        match &self.incident.effects[&effect].work {
            Work::Plan(it) => EffectResult::Planned(Box::new(plan(it))),
            Work::Execute(it) => EffectResult::Executed(Box::new(Execution::new(plan(it), self.now))),
            Work::Verify(_) => {
                EffectResult::Verified { holds: self.holds, detail: "6 of 6 instances are ready".to_owned() }
            }
            Work::ReadTickets => EffectResult::Tickets(Vec::new()),
            Work::Collect => EffectResult::Collected(vec![EvidenceItem {
                name: "checkout.log".to_owned(),
                media_type: "text/plain".to_owned(),
                sha256: Digest::of(&[b"checkout.log"]),
                bytes: 2_048,
                truncated: false,
                redactions: 1,
            }]),
            Work::Ticket(TicketWork::Open) => EffectResult::Done(
                Receipt::new("acme/shop#17").with_link("https://tracker.example/acme/shop/17"),
            ),
            _ => EffectResult::Done(Receipt::new(&format!("done-{}", effect.0))),
        }
    }
}
