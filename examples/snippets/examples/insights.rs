//! How a team did in a year: its incidents are played on an engine whose clock is turned by hand, then counted.
//!
//! `cargo run -p incident-snippets --example insights` prints the Markdown and writes `insights.html`.

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use incident_core::local::Console;
use incident_core::log::event::FixStep;
use incident_core::model::cause::CauseClass;
use incident_core::model::id::{Digest, Seq};
use incident_core::model::time::after;
use incident_core::rules::command::Command;
use incident_core::runbook::Priority;
use incident_core::runtime::ManualClock;
use incident_core::store::MemoryStore;
use incident_core::{
    Actor, Declare, Engine, Identity, IncidentHandle, IncidentId, Person, PersonId, Ports, Runbook, Severity,
    Time,
};
use incident_report::{History, Insights, Period, insights_html};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let insights = year(2026).await?;
    write!(io::stdout(), "{}", insights.to_markdown())?;
    std::fs::write(Path::new("insights.html"), insights_html(&insights))?;
    Ok(())
}

/// What a program of yours does: load a period from its store, and count.
async fn count(engine: &Engine, period: Period) -> Result<Insights, Box<dyn Error>> {
    let history = History::load(engine.store(), period.from, period.until).await?;
    Ok(Insights::of(&history, &engine.runbook(), period, engine.now()))
}

/// A year of incidents, the same for the same seed.
pub(crate) async fn year(seed: u64) -> Result<Insights, Box<dyn Error>> {
    let period = Period::new("2026-01-01T00:00:00Z".parse()?, "2027-01-01T00:00:00Z".parse()?);
    let mut year = Year::begin(seed, period.from)?;
    while year.now() < period.until {
        year.quiet().await?;
        year.incident().await?;
    }
    year.until(period.until).await?;
    count(&year.engine, period).await
}

/// A team, its engine, and the chance that breaks things.
struct Year {
    engine: Engine,
    clock: Arc<ManualClock>,
    dice: Dice,
}

impl Year {
    fn begin(seed: u64, at: Time) -> Result<Self, Box<dyn Error>> {
        let mut runbook = Runbook::default();
        for (id, name) in [("alice", "Alice Ash"), ("bob", "Bob Birch")] {
            let identities = vec![Identity::new("chat", id)];
            let person = Person { name: name.to_owned(), identities, roles: vec![] };
            runbook.persons.insert(PersonId::new(id), person);
        }
        let clock = Arc::new(ManualClock::new(at));
        let everybody = ["responders", "team", "leadership", "executives", "staff", "customers", "caretaker"];
        let engine = Engine::builder(MemoryStore::new())
            .clock(clock.clone())
            .runbook(runbook)
            .ports("chat", Ports::new().with_notifier(Console::to(io::sink())))
            .route("chat", &everybody)
            .drill_ports("practice", Ports::new().with_notifier(Console::to(io::sink())))
            .drill_route("practice", &everybody)
            .build()?;
        Ok(Self { engine, clock, dice: Dice(seed) })
    }

    fn now(&self) -> Time {
        self.engine.now()
    }

    /// Lets time pass, with whatever becomes due in it.
    async fn until(&self, time: Time) -> Result<(), Box<dyn Error>> {
        loop {
            let next = self.engine.tick(after(self.now(), Duration::from_secs(1))).await?.next_wake;
            match next.filter(|next| *next < time) {
                // What can't be done now is tried again a little later.
                Some(next) => self.clock.set(next.max(after(self.now(), Duration::from_secs(60))).min(time)),
                None => self.clock.set(time.max(self.now())),
            }
            if self.now() >= time {
                return Ok(());
            }
        }
    }

    async fn minutes(&self, minutes: u64) -> Result<(), Box<dyn Error>> {
        self.until(after(self.now(), Duration::from_secs(60 * minutes))).await
    }

    /// A few days without an incident.
    async fn quiet(&mut self) -> Result<(), Box<dyn Error>> {
        let minutes = 60 * self.dice.between(30, 190);
        self.minutes(minutes).await
    }

    /// Something breaks, is noticed, looked into, put right, and gone over.
    async fn incident(&mut self) -> Result<(), Box<dyn Error>> {
        use CauseClass::{Data, OutsideDependency, RecentDeployment, ResourceExhaustion, Traffic};
        use Severity::{Sev1, Sev2, Sev3, Sev4};
        let broke = self.now();
        let service =
            self.dice.of(&["checkout", "checkout", "checkout", "search", "search", "mail", "accounts"]);
        let severity = self.dice.of(&[Sev1, Sev2, Sev2, Sev3, Sev3, Sev3, Sev4]);
        let class = self.dice.of(&[
            RecentDeployment,
            RecentDeployment,
            ResourceExhaustion,
            OutsideDependency,
            Traffic,
            Data,
        ]);
        let what =
            Declare::new(&format!("{service} fails")).service(service).severity(severity).started_at(broke);
        let what = if self.dice.one_in(12) { what.drill() } else { what };
        let noticed = self.dice.between(2, 25);
        self.minutes(noticed).await?;
        let incident = self.declare(what).await?;
        if self.dice.one_in(15) {
            incident.cancel("the probe was wrong").await?;
            return Ok(());
        }
        let answered = self.dice.between(1, 19);
        self.minutes(answered).await?;
        incident.acknowledge().await?;
        let suspected = incident.hypothesise("It began with the last change", Some(class)).await?;
        for _ in 0..self.dice.between(1, 6) {
            let wait = self.dice.between(8, 34);
            self.minutes(wait).await?;
            incident.post_update("Looking into it", Some("Go on"), None).await?;
        }
        incident.confirm(suspected.seq, "It ended with it").await?;
        incident.record_fix(FixStep::Deployment, "Took the change back", None).await?;
        let watched = self.dice.between(15, 40);
        self.minutes(watched).await?;
        incident.resolve_over("The last change", "the checks are not wired up yet").await?;
        self.afterwards(&incident).await
    }

    /// Under an id from the dice: how much entropy the engine takes between two incidents is a matter of timing.
    async fn declare(&mut self, what: Declare) -> Result<IncidentHandle, Box<dyn Error>> {
        let mut entropy = [0; 16];
        entropy[..8].copy_from_slice(&self.dice.roll().to_be_bytes());
        let id = IncidentId::new(self.now(), entropy);
        let incident = self.engine.incident(id).as_actor(Actor::human("chat", "alice"));
        incident.send(Command::Declare(Box::new(what))).await?;
        Ok(incident)
    }

    async fn afterwards(&mut self, incident: &IncidentHandle) -> Result<(), Box<dyn Error>> {
        let mut open: Vec<Seq> = Vec::new();
        for _ in 0..self.dice.between(0, 3) {
            let owner = (!self.dice.one_in(4)).then(|| PersonId::new("bob"));
            let priority = self.dice.of(&[Priority::High, Priority::Medium, Priority::Low]);
            let what =
                self.dice.of(&["Test it before a deployment", "Alert on it", "Write the runbook's step"]);
            open.push(incident.add_action(what, None, priority, owner, None).await?.seq);
        }
        let written = self.dice.between(6, 60);
        self.minutes(60 * written).await?;
        let up_to = incident.state().await?.version;
        let because = "we know enough";
        incident.publish_post_mortem_over(None, Digest::sha256(b"the document"), up_to, because).await?;
        incident.hold_meeting(vec![PersonId::new("alice"), PersonId::new("bob")]).await?;
        for action in open {
            if !self.dice.one_in(3) {
                incident.complete_action(action, "Done").await?;
            }
        }
        incident.close_over(because).await?;
        Ok(())
    }
}

/// Chance that a seed repeats: the generator known as SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.roll() % (most - least + 1)
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.roll().is_multiple_of(chances)
    }

    fn of<T: Copy>(&mut self, sides: &[T]) -> T {
        sides[usize::try_from(self.roll() % sides.len() as u64).unwrap_or_default()]
    }
}
