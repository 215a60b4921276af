//! One seed: replicas, people, a store and a world, in time that chance turns.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use incident_core::model::id::{CommandId, IncidentId};
use incident_core::model::role::{Actor, Identity, Person, PersonId};
use incident_core::model::severity::Severity;
use incident_core::model::side::Side;
use incident_core::model::time::Time;
use incident_core::model::time::after;
use incident_core::port::{Clock, Store as _};
use incident_core::rules::command::{Command, Declare, Request};
use incident_core::runbook::{CheckedBy, Runbook};
use incident_core::runtime::{AuditProblem, Engine, ManualClock, SeededEntropy};
use incident_core::store::MemoryStore;

use crate::adapters::Place;
use crate::defects::Defect;
use crate::dice::{Dice, Faults, Life, Weather};
use crate::people::{self, PEOPLE, TARGETS};
use crate::promises::{Broken, SKEW, Watch};
use crate::store::Shared;

/// The nights before Berlin's and New York's clocks change, and days on which nothing is special.
const STARTS: [&str; 5] = [
    "2026-03-28T22:30:00Z",
    "2026-10-24T22:30:00Z",
    "2026-11-01T04:00:00Z",
    "2026-06-15T09:00:00Z",
    "2026-12-24T16:00:00Z",
];

/// What came of a seed.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) broken: Option<Broken>,
    /// What was watched, for who wants to read its trace.
    pub(crate) watch: Watch,
    pub(crate) faults: BTreeMap<&'static str, usize>,
    pub(crate) incidents: usize,
    /// How many of them gathered a storm of alerts.
    pub(crate) storms: usize,
    pub(crate) hours: f64,
}

/// A clock that is a little wrong.
#[derive(Debug)]
struct Skewed {
    clock: Arc<ManualClock>,
    ahead: bool,
    by: Duration,
}

#[async_trait]
impl Clock for Skewed {
    fn now(&self) -> Time {
        let now = self.clock.now();
        if self.ahead { after(now, self.by) } else { incident_core::model::time::before(now, self.by) }
    }

    fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    async fn sleep(&self, length: Duration) {
        self.clock.sleep(length).await;
    }
}

/// A process, with the life that its store and its adapters share.
struct Replica {
    engine: Engine,
    life: Life,
}

struct Sim {
    dice: Dice,
    faults: Faults,
    watch: Watch,
    clock: Arc<ManualClock>,
    store: Shared,
    defect: Option<Defect>,
    replicas: Vec<Replica>,
    started: u64,
    commands: u64,
}

/// How often what fails, and how many processes there are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) weather: Weather,
    pub(crate) replicas: usize,
}

impl Setup {
    fn drawn(dice: &Dice) -> Self {
        let weather = dice.one(&[
            Weather { crash: 0, store: 0, call: 0 },
            Weather { crash: 60, store: 10, call: 60 },
            Weather { crash: 200, store: 30, call: 200 },
            Weather { crash: 60, store: 0, call: 500 },
            Weather { crash: 400, store: 5, call: 100 },
        ]);
        Self { weather, replicas: 1 + dice.below(3) }
    }
}

/// Plays a seed; chance also says how.
pub(crate) fn run(seed: u64, defect: Option<Defect>) -> Run {
    let dice = Dice::new(seed);
    let setup = Setup::drawn(&dice);
    run_as(seed, dice, setup, defect)
}

/// Plays a seed in this setup.
pub(crate) fn run_as(seed: u64, dice: Dice, setup: Setup, defect: Option<Defect>) -> Run {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(Sim::new(seed, dice, setup, defect).play())
}

impl Sim {
    fn new(seed: u64, dice: Dice, setup: Setup, defect: Option<Defect>) -> Self {
        let faults = Faults::new(dice.clone(), setup.weather);
        let watch = Watch::default();
        let start: Time = dice.one(&STARTS).parse().unwrap();
        let store = Shared {
            inner: MemoryStore::new(),
            faults: faults.clone(),
            watch: watch.clone(),
            life: Life::default(),
            defect,
        };
        let clock = Arc::new(ManualClock::new(start));
        let (started, commands) = (seed << 20, 0);
        let mut sim =
            Self { dice, faults, watch, clock, store, defect, replicas: Vec::new(), started, commands };
        for _ in 0..setup.replicas {
            let replica = sim.start(false);
            sim.replicas.push(replica);
        }
        sim
    }

    /// A new process. Not every one has every adapter, unless it is `whole`.
    fn start(&mut self, whole: bool) -> Replica {
        self.started += 1;
        let life = Life::default();
        let skew = u64::try_from(self.dice.below(2)).unwrap() * SKEW;
        let clock = Skewed {
            clock: Arc::clone(&self.clock),
            ahead: self.dice.permille(500),
            by: Duration::from_secs(skew),
        };
        let mut builder = Engine::builder(Shared { life: life.clone(), ..self.store.clone() })
            .clock(Arc::new(clock))
            .entropy(Arc::new(SeededEntropy::new(self.started)))
            .worker(&format!("w{}", self.started & 0xfffff))
            .lease(Duration::from_secs(15))
            .runbook(runbook(&self.dice));
        for side in [Side::Live, Side::Drill] {
            let place = |name| Place {
                name,
                world: self.watch.remote.side(side),
                faults: self.faults.clone(),
                watch: self.watch.clone(),
                life: life.clone(),
                defect: self.defect,
            };
            let has = |_: &str| whole || !self.dice.permille(100);
            let routes = [
                ("pager", &["responders"][..]),
                ("phone", &[]),
                ("chat", &["team", "leadership", "caretaker"]),
                ("room", &["executives", "staff"]),
                ("status", &["customers", "public"]),
            ];
            let mut there: Vec<&str> =
                routes.iter().map(|(name, _)| *name).filter(|name| has(name)).collect();
            // An engine whose routes reach nobody inside isn't built.
            if !["pager", "chat", "room"].iter().any(|name| there.contains(name)) {
                there.push("pager");
            }
            for (name, audiences) in routes.into_iter().filter(|(name, _)| there.contains(name)) {
                builder = builder.ports_for(side, name, place(name).notifier());
                let mut route = incident_core::model::route::Route::new(name, audiences);
                if name == "pager" && there.contains(&"phone") {
                    route = route.with_fallback("phone");
                }
                builder = builder.route_for(side, route, name);
            }
            if has("tickets") {
                builder = builder
                    .ports_for(side, "tickets", place("tickets").tracker())
                    .tracker_for(side, "tickets");
            }
            if has("shop") {
                builder = builder.ports_for(side, "shop", place("shop").shop());
            }
        }
        Replica { engine: builder.build().unwrap(), life }
    }

    async fn play(mut self) -> Run {
        let start = self.clock.now();
        let steps = 20 + self.dice.below(40);
        for _ in 0..steps {
            self.step().await;
            if self.watch.broken().is_some() {
                break;
            }
        }
        let mut broken = self.watch.broken();
        if broken.is_none() {
            broken = self.comes_to_rest().await.or_else(|| self.watch.broken());
        }
        let elapsed = incident_core::model::time::since(self.clock.now(), start);
        let incidents = self.watch.incidents();
        let gathers = |id: &&IncidentId| self.watch.state(**id).is_some_and(|it| it.storm.is_some());
        let storms = incidents.iter().filter(gathers).count();
        let incidents = incidents.len();
        Run {
            broken,
            watch: self.watch.clone(),
            faults: self.faults.counted(),
            incidents,
            storms,
            hours: elapsed.as_secs_f64() / 3_600.0 * f64::from(u32::try_from(incidents).unwrap()),
        }
    }

    async fn step(&mut self) {
        self.clock.advance(people::pause(&self.dice));
        if self.dice.permille(20) {
            self.faults.count("clock set back");
            self.clock.set(incident_core::model::time::before(self.clock.now(), Duration::from_secs(SKEW)));
        }
        for side in [Side::Live, Side::Drill] {
            let world = self.watch.remote.side(side);
            let mut world = world.lock().unwrap();
            world.red = self.dice.permille(200);
            if self.dice.permille(500) {
                world.arrive();
            }
            if self.dice.permille(30) {
                world.meddle(self.dice.one(&TARGETS));
            }
        }
        if self.dice.permille(40) {
            // A process with other settings takes the place of one.
            self.faults.count("settings changed");
            let at = self.dice.below(self.replicas.len());
            self.replicas[at] = self.start(false);
        }
        self.people().await;
        self.tick().await;
    }

    async fn people(&mut self) {
        let known = self.watch.incidents();
        let at = self.dice.below(self.replicas.len());
        let engine = self.replicas[at].engine.clone();
        if known.is_empty() || (known.len() < 4 && self.dice.permille(60)) {
            let side = if self.dice.permille(250) { Side::Drill } else { Side::Live };
            if self.dice.permille(300) {
                let _ = engine.ingest_for(side, "prometheus", people::alerts(&self.dice)).await;
                return;
            }
            let mut declare = Declare::new("checkout is down").service("checkout");
            declare.severity = self.dice.permille(700).then_some(self.dice.one(&[
                Severity::Sev1,
                Severity::Sev2,
                Severity::Sev3,
            ]));
            declare.side = side;
            let id = engine.new_incident_id();
            self.says(&engine, id, "alice", Command::Declare(Box::new(declare))).await;
            return;
        }
        if self.dice.permille(100) {
            let _ = engine.ingest("prometheus", people::alerts(&self.dice)).await;
        }
        for _ in 0..=self.dice.below(3) {
            let id = self.dice.one(&known);
            let Some(state) = self.watch.state(id) else { continue };
            let command = people::tries(&self.dice, &state, &known, &self.watch.remote);
            let who = self.dice.one(&PEOPLE);
            if let Some(command) = command {
                self.says(&engine, id, who, command).await;
            }
        }
    }

    /// Sends a command, and again under the same id if nobody knows what became of it.
    async fn says(&mut self, engine: &Engine, id: IncidentId, who: &str, command: Command) {
        self.commands += 1;
        let request =
            Request::new(CommandId::named(&format!("{}", self.commands)), Actor::human("chat", who), command);
        for _ in 0..3 {
            match engine.send(id, request.clone()).await {
                Err(error) if error.refusal().is_none() => {}
                _ => return,
            }
        }
    }

    /// All replicas work at once; some of them die on the way.
    async fn tick(&mut self) {
        let crash = self.faults.weather().crash;
        let mut deaths = Vec::new();
        let mut ticks = Vec::new();
        for Replica { engine, life } in &self.replicas {
            let dies = self.dice.permille(crash);
            if dies {
                life.ends_after(self.dice.below(60));
            }
            deaths.push(dies);
            let (engine, life) = (engine.clone(), life.clone());
            ticks.push(async move {
                tokio::select! {
                    biased;
                    () = life.ended() => {}
                    _ = engine.tick(Time::MAX_UTC) => {}
                }
            });
        }
        futures_util::future::join_all(ticks).await;
        for (at, died) in deaths.into_iter().enumerate() {
            if died {
                self.faults.count("crash");
                self.replicas[at].life.ends_after(0);
                self.replicas[at] = self.start(false);
            }
        }
    }

    /// The storm is over: whole replicas, people who bring everything to its end, and time.
    async fn comes_to_rest(&mut self) -> Option<Broken> {
        self.faults.end();
        self.replicas.clear();
        for _ in 0..2 {
            let replica = self.start(true);
            self.replicas.push(replica);
        }
        for round in 0..4_000 {
            for side in [Side::Live, Side::Drill] {
                let world = self.watch.remote.side(side);
                let mut world = world.lock().unwrap();
                world.arrive();
                world.red = false;
            }
            let mut waits = false;
            for id in self.watch.incidents() {
                let state = self.watch.state(id)?;
                if let Some((who, command)) = people::ends(&state, &self.watch.remote) {
                    let engine = self.replicas[round % 2].engine.clone();
                    self.says(&engine, id, who, command).await;
                    waits = true;
                } else {
                    waits |= state.ended.is_none();
                }
            }
            self.tick().await;
            if let Some(broken) = self.watch.broken() {
                return Some(broken);
            }
            let next = self.store.inner.next_wake().await.unwrap();
            match next {
                None if !waits => break,
                Some(next) if next > self.clock.now() => {
                    let next =
                        if waits { next.min(after(self.clock.now(), Duration::from_secs(60))) } else { next };
                    self.clock.set(next);
                }
                _ => self.clock.advance(Duration::from_secs(5)),
            }
        }
        if let Some(broken) = self.watch.at_rest(self.clock.now()).into_iter().next() {
            return Some(broken);
        }
        let audit = self.replicas[0].engine.audit().await.unwrap();
        audit.findings.first().map(|found| {
            let promise = match found.problem {
                AuditProblem::Unreadable(_) => 9,
                AuditProblem::Version { .. } => 8,
                _ => 2,
            };
            Broken { promise, how: format!("{}: the audit says: {}", found.incident, found.problem) }
        })
    }
}

fn runbook(dice: &Dice) -> Runbook {
    let mut runbook = Runbook::default();
    for id in PEOPLE {
        let identities = vec![Identity::new("chat", id)];
        runbook
            .persons
            .insert(PersonId::new(id), Person { name: id.to_owned(), identities, roles: Vec::new() });
    }
    runbook.recovery.checks.retain(|name, check| check.by == CheckedBy::Person || name == "health");
    runbook.calendar.zone = "Europe/Berlin".parse().unwrap();
    if dice.permille(200) {
        runbook.escalation.every = Duration::from_secs(600);
        runbook.safety.cooldown = Duration::from_secs(60);
    }
    // Two at once are a storm here, for a hundred would take an engine all day.
    runbook.signals.storm.incidents = dice.one(&[0, 1, 2]);
    runbook
}
