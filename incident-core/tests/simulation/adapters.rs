//! Adapters to the world outside, one of each way to repeat; their calls get lost, come late, or are put off.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use incident_core::config::Ports;
use incident_core::model::effect::Receipt;
use incident_core::model::id::{Digest, EffectId};
use incident_core::model::notice::Notice;
use incident_core::model::plan::{
    ApprovedPlan, BlastRadius, Execution, Intent, Plan, Reversible, Verification,
};
use incident_core::model::ticket::{Ticket, TicketChange, TicketRef};
use incident_core::model::time::after;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, EffectContext, ErrorKind, Found, Mitigator, Notifier, Preflight,
    PreflightContext, Probe, ReadContext, Reading, Repeat, Tracker,
};

use crate::defects::Defect;
use crate::dice::{Faults, Life};
use crate::promises::Watch;
use crate::remote::{Came, Deed, World};

/// How long a place remembers ids.
const REMEMBERS: Duration = Duration::from_secs(3_600);

pub(crate) fn dedupes(place: &str) -> bool {
    matches!(place, "room" | "status")
}

/// One place outside, as one replica reaches it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) faults: Faults,
    pub(crate) watch: Watch,
    pub(crate) life: Life,
    pub(crate) defect: Option<Defect>,
}

impl Place {
    pub(crate) fn notifier(self) -> Ports {
        Ports::new().with_notifier(self)
    }

    pub(crate) fn tracker(self) -> Ports {
        Ports::new().with_tracker(self)
    }

    pub(crate) fn shop(self) -> Ports {
        Ports::new().with_mitigator(self.clone()).with_probe("health", self)
    }

    fn error(kind: ErrorKind) -> AdapterError {
        AdapterError::new(kind, "call the simulated place")
    }

    /// Does a deed outside, or something like it.
    async fn call(&self, cx: &EffectContext, deed: Deed) -> Result<(), AdapterError> {
        self.faults.yields().await;
        self.life.goes_on().await;
        self.watch.call(self.name, cx).await;
        let (dice, chance) = (&self.faults.dice, self.faults.weather().call);
        let fault = if dice.permille(chance) { 1 + dice.below(6) } else { 0 };
        let dedupes = dedupes(self.name);
        match fault {
            1 => {
                self.faults.count("connection refused");
                return Err(Self::error(ErrorKind::Unavailable).not_applied());
            }
            2 => {
                self.faults.count("reply lost");
                self.world.lock().unwrap().take(deed, dedupes);
                return Err(Self::error(ErrorKind::Unavailable));
            }
            3 => {
                self.faults.count("late");
                self.world.lock().unwrap().delay(deed);
                return std::future::pending().await;
            }
            4 => {
                self.faults.count("put off");
                let wait = Duration::from_secs(30 + u64::try_from(dice.below(600)).unwrap());
                self.world.lock().unwrap().put_off.insert((cx.effect, cx.attempt), after(cx.now, wait));
                let wait = (self.defect != Some(Defect::HidesTheWait)).then_some(wait);
                return Err(Self::error(ErrorKind::RateLimited).not_applied().retry_after(wait));
            }
            5 => {
                self.faults.count("server error");
                if dice.permille(500) {
                    self.world.lock().unwrap().take(deed, dedupes);
                }
                return Err(Self::error(ErrorKind::Unavailable));
            }
            6 if dice.permille(150) => {
                self.faults.count("refused for good");
                return Err(Self::error(ErrorKind::Refused));
            }
            _ => {}
        }
        if self.defect == Some(Defect::RecordsBeforeDoing) && dice.permille(200) {
            return Ok(());
        }
        if self.defect == Some(Defect::SendsOutOfOrder) && self.name == "chat" {
            let mut world = self.world.lock().unwrap();
            if world.held_back.is_empty() && dice.permille(300) {
                world.held_back.push(deed);
            } else {
                world.take(deed, dedupes);
                for earlier in std::mem::take(&mut world.held_back) {
                    world.take(earlier, dedupes);
                }
            }
            return Ok(());
        }
        let done = self.world.lock().unwrap().take(deed, dedupes);
        self.faults.yields().await;
        self.life.goes_on().await;
        if done { Ok(()) } else { Err(Self::error(ErrorKind::Precondition)) }
    }

    /// Looks for an effect outside.
    async fn look(&self, effect: EffectId) -> Result<Found<()>, AdapterError> {
        self.faults.yields().await;
        self.life.goes_on().await;
        let (dice, chance) = (&self.faults.dice, self.faults.weather().call);
        if dice.permille(chance / 2) {
            self.faults.count("look failed");
            return Err(Self::error(ErrorKind::Unavailable));
        }
        let world = self.world.lock().unwrap();
        Ok(if self.defect == Some(Defect::NeverFinds) {
            Found::No
        } else if world.has(self.name, effect) {
            Found::Yes(())
        } else if world.expects(self.name, effect) || dice.permille(chance / 4) {
            Found::CannotTell
        } else {
            Found::No
        })
    }

    fn receipt(&self, effect: EffectId) -> Receipt {
        Receipt::new(&format!("{}/{effect}", self.name)).in_conversation("c-1")
    }

    fn deed(&self, cx: &EffectContext, marked: bool, drill: bool) -> Deed {
        let came = Came { place: self.name, effect: cx.effect, marked, late: false, drill, plan: None };
        Deed { came, pinned: None }
    }
}

#[async_trait]
impl Adapter for Place {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(self.name)
    }

    async fn preflight(&self, _: &PreflightContext) -> Result<Preflight, AdapterError> {
        Ok(Preflight::default())
    }
}

fn found(found: &Found<()>, receipt: Receipt) -> Found<Receipt> {
    match found {
        Found::Yes(()) => Found::Yes(receipt),
        Found::No => Found::No,
        Found::CannotTell => Found::CannotTell,
    }
}

#[async_trait]
impl Notifier for Place {
    fn repeat(&self, _: &Notice) -> Repeat {
        match self.name {
            "room" => Repeat::Native { within: REMEMBERS },
            "status" => Repeat::Converging,
            "chat" => Repeat::Lookup,
            _ => Repeat::Visible,
        }
    }

    async fn deliver(&self, cx: &EffectContext, notice: &Notice) -> Result<Receipt, AdapterError> {
        self.call(cx, self.deed(cx, notice.possible_repeat, notice.drill)).await?;
        Ok(self.receipt(cx.effect))
    }

    async fn find(&self, cx: &EffectContext, _: &Notice) -> Result<Found<Receipt>, AdapterError> {
        Ok(found(&self.look(cx.effect).await?, self.receipt(cx.effect)))
    }
}

#[async_trait]
impl Tracker for Place {
    fn repeat(&self, _: &TicketChange) -> Repeat {
        Repeat::Lookup
    }

    async fn apply(&self, cx: &EffectContext, change: &TicketChange) -> Result<Receipt, AdapterError> {
        let drill = matches!(change, TicketChange::Open(open) if open.title.contains("DRILL"));
        self.call(cx, self.deed(cx, false, drill)).await?;
        let ticket = change.ticket().map_or_else(|| format!("shop#{}", cx.effect.seq.0), ToString::to_string);
        Ok(Receipt::new(&ticket))
    }

    async fn find(&self, cx: &EffectContext, change: &TicketChange) -> Result<Found<Receipt>, AdapterError> {
        let ticket = change.ticket().map_or_else(|| format!("shop#{}", cx.effect.seq.0), ToString::to_string);
        Ok(found(&self.look(cx.effect).await?, Receipt::new(&ticket)))
    }

    async fn read(&self, _: &ReadContext, tickets: &[TicketRef]) -> Result<Vec<Ticket>, AdapterError> {
        self.faults.yields().await;
        self.life.goes_on().await;
        Ok(tickets.iter().map(|ticket| Ticket::new(ticket.clone(), true, "follow-up")).collect())
    }
}

/// What a plan is known by: its bytes as they are stored.
pub(crate) fn digest(plan: &Plan) -> Digest {
    Digest::of(&[serde_json::to_string(plan).unwrap().as_bytes()])
}

#[async_trait]
impl Mitigator for Place {
    async fn plan(&self, _: &ReadContext, intent: Intent<'_>) -> Result<Plan, AdapterError> {
        self.faults.yields().await;
        self.life.goes_on().await;
        let mitigation = match intent {
            Intent::Do(mitigation) => mitigation,
            Intent::Undo(execution) => &execution.plan.mitigation,
            _ => return Err(Self::error(ErrorKind::Refused)),
        };
        let version = self.world.lock().unwrap().version(mitigation.target());
        Ok(Plan::new(mitigation.clone(), mitigation.target(), Reversible::Yes)
            .with_blast_radius(BlastRadius::of(4).leaving_healthy(75))
            .with_pin("version", &version.to_string()))
    }

    async fn execute(&self, cx: &EffectContext, approved: &ApprovedPlan) -> Result<Execution, AdapterError> {
        let mut plan = approved.plan().clone();
        if self.defect == Some(Defect::ExecutesAnotherPlan) && self.faults.dice.permille(300) {
            plan = plan.with_change("image", "v7", "v9");
        }
        let version = plan.pins.get("version").and_then(|it| it.parse().ok()).unwrap_or_default();
        let mut deed = self.deed(cx, false, false);
        deed.came.plan = Some(digest(&plan));
        deed.pinned = Some((plan.target.clone(), version));
        self.call(cx, deed).await?;
        Ok(Execution::new(approved.plan().clone(), cx.now))
    }

    async fn find(&self, cx: &EffectContext, plan: &Plan) -> Result<Found<Execution>, AdapterError> {
        Ok(match self.look(cx.effect).await? {
            Found::Yes(()) => Found::Yes(Execution::new(plan.clone(), cx.now)),
            Found::No => Found::No,
            Found::CannotTell => Found::CannotTell,
        })
    }

    async fn verify(&self, _: &EffectContext, _: &Execution) -> Result<Verification, AdapterError> {
        self.faults.yields().await;
        self.life.goes_on().await;
        Ok(if self.faults.dice.permille(self.faults.weather().call) {
            Verification::Pending { again: Duration::from_secs(10), detail: "not yet".to_owned() }
        } else {
            Verification::Holds
        })
    }
}

#[async_trait]
impl Probe for Place {
    async fn look(&self, _: &ReadContext) -> Result<Reading, AdapterError> {
        self.faults.yields().await;
        self.life.goes_on().await;
        if self.faults.dice.permille(self.faults.weather().call / 4) {
            return Err(Self::error(ErrorKind::Unavailable));
        }
        let red = self.world.lock().unwrap().red;
        Ok(if red { Reading::red("it fails") } else { Reading::green("it answers") })
    }
}
