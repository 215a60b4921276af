//! Drives an incident through [`decide`] for tests: a clock that is set, persons, routes, and effects that succeed.

use std::time::Duration;

use crate::log::event::{CheckReading, EvidenceItem, Record};
use crate::log::incident::Incident;
use crate::model::colour::Colour;
use crate::model::effect::{Receipt, Repeat, TicketWork, Work};
use crate::model::id::{CommandId, Digest, IncidentId, Seq};
use crate::model::mitigation::{Mitigation, RollBack};
use crate::model::plan::{BlastRadius, Execution, Plan, Reversible};
use crate::model::role::{Actor, Identity, Person, PersonId};
use crate::model::route::{Route, Routes};
use crate::model::time::{Time, after};
use crate::rules::command::{
    Approve, Begin, Command, Conclude, Declare, EffectResult, ExecutePlan, Propose, Refusal, Request,
};
use crate::rules::context::Context;
use crate::rules::decide::decide;
use crate::rules::due::due;
use crate::runbook::{CheckedBy, Runbook};

/// One incident, its log, and the world around it.
pub(crate) struct Driver {
    pub(crate) now: Time,
    pub(crate) runbook: Runbook,
    pub(crate) routes: Routes,
    pub(crate) incident: Incident,
    pub(crate) records: Vec<Record>,
    commands: u64,
}

impl Driver {
    /// Nothing declared yet, Monday 2026-03-02 14:00 UTC; persons `alice` and `bob`, a route for everybody.
    pub(crate) fn new() -> Self {
        let now = "2026-03-02T14:00:00Z".parse().expect("a time");
        let mut runbook = Runbook::default();
        for (id, name) in [("alice", "Alice Ash"), ("bob", "Bob Birch")] {
            let identities = vec![Identity::new("test", id)];
            runbook
                .persons
                .insert(PersonId::new(id), Person { name: name.to_owned(), identities, roles: vec![] });
        }
        let mut routes = Routes::default();
        routes.notices.push(Route::new("pager", &["responders"]));
        let others = ["team", "leadership", "executives", "staff", "customers", "public"];
        routes.notices.push(Route::new("chat", &others));
        routes.tracker = Some("tracker".to_owned());
        routes.systems = vec!["cluster".to_owned()];
        routes.collectors = vec!["logs".to_owned()];
        let incident = Incident::blank(IncidentId::new(now, [7; 16]));
        Self { now, runbook, routes, incident, records: Vec::new(), commands: 0 }
    }

    /// An incident that alice has declared.
    pub(crate) fn declared(declare: Declare) -> Self {
        let mut driver = Self::new();
        driver.alice(Command::Declare(Box::new(declare)));
        driver
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, minutes: u64) -> &mut Self {
        self.now = after(self.now, Duration::from_secs(60 * minutes));
        self
    }

    /// `command` by `actor`, committed if it isn't refused.
    pub(crate) fn request(&mut self, request: &Request) -> Result<Seq, Refusal> {
        let mut entropy = [0; 16];
        entropy[..8].copy_from_slice(&self.commands.to_be_bytes());
        let cx = Context {
            now: self.now,
            runbook: &self.runbook,
            digest: self.runbook.digest(),
            live: &self.routes,
            drill: &self.routes,
            taken: &[],
            others: &[],
            open_incidents: Some(1),
            entropy,
        };
        let decision = decide(&self.incident, request, &cx)?;
        self.incident = decision.after;
        let first = decision.records.first().map_or(self.incident.version, |record| record.seq);
        self.records.extend(decision.records);
        Ok(first)
    }

    /// The next request: `actor` asks for `command`.
    pub(crate) fn next_request(&mut self, actor: Actor, command: Command) -> Request {
        self.commands += 1;
        Request::new(CommandId::named(&self.commands.to_string()), actor, command)
    }

    pub(crate) fn by(&mut self, actor: Actor, command: Command) -> Seq {
        let request = self.next_request(actor, command);
        self.request(&request).expect("not refused")
    }

    pub(crate) fn alice(&mut self, command: Command) -> Seq {
        self.by(Actor::human("test", "alice"), command)
    }

    pub(crate) fn bob(&mut self, command: Command) -> Seq {
        self.by(Actor::human("test", "bob"), command)
    }

    pub(crate) fn wake(&mut self) -> Seq {
        self.by(Actor::Engine, Command::Wake)
    }

    /// Every check that a probe answers shows `colour`.
    pub(crate) fn look(&mut self, colour: Colour) -> Seq {
        let reading = CheckReading { colour, detail: "as seen".to_owned() };
        let probed = self.incident.figures.checks.iter().filter(|(_, check)| check.by == CheckedBy::Probe);
        let readings = probed.map(|(name, _)| (name.clone(), reading.clone())).collect();
        self.by(Actor::Engine, Command::Look(readings))
    }

    /// Carries out what is due until nothing is; everything succeeds.
    pub(crate) fn settle(&mut self) -> &mut Self {
        while let Some(effect) = due(&self.incident, self.now).start.first().copied() {
            self.begin(effect);
            let result = self.success(effect);
            self.conclude(effect, result);
        }
        self
    }

    pub(crate) fn begin(&mut self, effect: Seq) -> Seq {
        let until = after(self.now, Duration::from_secs(60));
        let begin = Begin { effect, worker: "worker-1".to_owned(), until, repeat: Repeat::Lookup };
        self.by(Actor::Engine, Command::Start(vec![begin]))
    }

    pub(crate) fn conclude(&mut self, effect: Seq, result: EffectResult) -> Seq {
        let attempt = self.incident.effects.get(&effect).map_or(0, |effect| effect.attempts);
        self.by(Actor::Engine, Command::Conclude(Box::new(Conclude { effect, attempt, result })))
    }

    pub(crate) fn success(&self, effect: Seq) -> EffectResult {
        let plan = || {
            let checkout = Mitigation::RollBack(RollBack {
                workload: "deployment/checkout".to_owned(),
                to_revision: Some("41".to_owned()),
            });
            Plan::new(checkout, "prod/deployment/checkout", Reversible::Yes)
                .with_change("image", "checkout:42", "checkout:41")
                .with_blast_radius(BlastRadius::of(6).leaving_healthy(75))
        };
        match &self.incident.effects[&effect].work {
            Work::Plan(_) => EffectResult::Planned(Box::new(plan())),
            Work::Execute(_) => EffectResult::Executed(Box::new(Execution::new(plan(), self.now))),
            Work::Verify(_) => {
                EffectResult::Verified { holds: true, detail: "6 of 6 instances are ready".to_owned() }
            }
            Work::ReadTickets => EffectResult::Tickets(Vec::new()),
            Work::Collect => EffectResult::Collected(vec![EvidenceItem {
                name: "checkout.log".to_owned(),
                media_type: "text/plain".to_owned(),
                sha256: Digest::of(&[b"checkout.log"]),
                bytes: 2_048,
                truncated: false,
                redactions: 1,
                unredacted: false,
            }]),
            Work::Ticket(TicketWork::Open) => EffectResult::Done(
                Receipt::new("acme/shop#17").with_link("https://tracker.example/acme/shop/17"),
            ),
            _ => EffectResult::Done(Receipt::new(&format!("done-{}", effect.0))),
        }
    }

    /// Proposes to roll back, and has the plan made.
    pub(crate) fn propose(&mut self) -> Seq {
        let mitigation =
            Mitigation::RollBack(RollBack { workload: "deployment/checkout".to_owned(), to_revision: None });
        let because = "it began with the deployment".to_owned();
        let proposal =
            self.alice(Command::Propose(Propose { mitigation, system: "cluster".to_owned(), because }));
        self.settle();
        proposal
    }

    /// bob approves the plan.
    pub(crate) fn approve(&mut self, proposal: Seq) -> Seq {
        let digest = self.digest(proposal);
        self.bob(Command::Approve(Approve { proposal, digest, break_glass: None }))
    }

    /// alice orders the execution, without anything being carried out yet.
    pub(crate) fn order(&mut self, proposal: Seq) -> Seq {
        let digest = self.digest(proposal);
        self.alice(Command::Execute(ExecutePlan { proposal, digest }))
    }

    fn digest(&self, proposal: Seq) -> Digest {
        self.incident.mitigations[&proposal].plan.as_ref().expect("a plan").digest
    }
}
