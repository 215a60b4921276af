//! The engine.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::Duration;

use tokio::sync::Notify;

use super::batch::Begun;
use super::builder::{BuildError, EngineBuilder};
use super::check;
use super::intake::GroupLane;
use super::kept::Kept;
use super::places::Told;
use super::queue::Queue;
use super::registry::Registry;
use super::storm::Storms;
use super::timekeeper::Timekeeper;
use crate::log::incident::Incident;
use crate::log::index::declare_key;
use crate::model::id::{CommandId, Digest, IncidentId, Seq};
use crate::model::role::Actor;
use crate::model::side::Side;
use crate::model::time::Time;
use crate::port::{Entropy, EvidenceStore, Store};
use crate::rules::command::{Command, Declare, Refusal, Request};
use crate::runbook::Runbook;
use crate::runbook::pinned::Figures;

use super::error::CommandError;
use super::handle::{Done, IncidentHandle};

/// Carries incidents through their life: takes commands, does what is due, and keeps every promise in the store.
///
/// Cheap to clone. Any number of engines may share one store; any of them may die at any moment. Dropping a future of the
/// engine is a crash at that await: nothing recorded is lost, and a call that was under way is looked for before it is
/// repeated.
#[derive(Clone)]
pub struct Engine(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) store: Arc<dyn Store>,
    pub(super) time: Timekeeper,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) evidence: Option<Arc<dyn EvidenceStore>>,
    /// The runbook in force, and its digest.
    pub(super) runbook: RwLock<(Arc<Runbook>, Digest)>,
    pub(super) live: Registry,
    pub(super) drill: Registry,
    pub(super) worker: String,
    pub(super) lease: Duration,
    pub(super) parallel: usize,
    /// The commit queue of every incident in use.
    pub(super) queues: Mutex<Kept<IncidentId, Queue>>,
    /// The groups whose alerts are taken in, each by its source and its key.
    pub(super) lanes: Mutex<Kept<(String, String), GroupLane>>,
    /// The storms whose alerts are gathered.
    pub(super) storms: Storms,
    /// Incidents that this engine can do nothing for at the moment: it has no adapter or place for them, or can't read them.
    pub(super) resting: Mutex<BTreeMap<IncidentId, Rest>>,
    /// The hour in which somebody was last told of an incident that is left alone.
    pub(super) alarms: Mutex<BTreeMap<IncidentId, u64>>,
    /// Incidents that a pass of this engine is at, and what wakes each pass.
    pub(super) busy: Mutex<BTreeMap<IncidentId, Arc<Notify>>>,
    /// How many of these passes only wait for slow calls.
    pub(super) slow: AtomicUsize,
    /// Wakes a running loop when a pass begins to do so.
    pub(super) slowed: Notify,
    /// Where a running loop hears of commits and of free places.
    pub(super) told: Arc<Told>,
    /// Whether a loop was told to stop and finishes its calls.
    pub(super) stopping: AtomicBool,
    /// The figures of the incidents in use: those of one runbook are kept once.
    pub(super) figures: Mutex<Vec<Weak<Figures>>>,
    /// Whether the engine may run although it can page nobody.
    pub(super) pages_nobody: bool,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("worker", &self.0.worker)
            .field("store", &self.0.store)
            .finish_non_exhaustive()
    }
}

/// What a running loop is told.
#[derive(Debug)]
pub(super) enum News {
    /// A commit led to this state, and began these effects for the loop to carry out.
    Committed { state: Arc<Incident>, begun: Vec<Begun> },
    /// There is a place free that this incident waits for.
    Room(IncidentId),
}

/// Until when an incident is left alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    pub(super) until: Time,
    /// The version at which nothing could be done; what is planned after it ends the rest.
    pub(super) version: Seq,
}

/// A lock whose holder panicked is taken over: what it guards is replaced whole, never left half changed.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine {
    /// Begins an engine on `store`, with the default runbook, the machine's clock and nothing registered.
    pub fn builder(store: impl Store) -> EngineBuilder {
        Self::builder_on(Arc::new(store))
    }

    /// Like [`builder`](Self::builder), for a store that is shared.
    #[must_use]
    pub fn builder_on(store: Arc<dyn Store>) -> EngineBuilder {
        EngineBuilder::new(store)
    }

    /// The runbook in force.
    #[must_use]
    pub fn runbook(&self) -> Arc<Runbook> {
        self.in_force().0
    }

    /// Puts another runbook in force, checked as at the start. Open incidents keep the runbook they have until
    /// [`replan`](IncidentHandle::replan). What the check warns of is in the report of [`preflight`](Self::preflight).
    ///
    /// # Errors
    /// [`BuildError::Check`] if the runbook has errors or doesn't fit the routes and ports; the one in force stays.
    pub fn set_runbook(&self, runbook: Runbook) -> Result<(), BuildError> {
        let Inner { live, drill, pages_nobody, .. } = &*self.0;
        check::refuse(&check::check(&runbook, live, drill, *pages_nobody))?;
        let digest = runbook.digest();
        *self.0.runbook.write().unwrap_or_else(PoisonError::into_inner) = (Arc::new(runbook), digest);
        Ok(())
    }

    /// The store, for what an engine has no verb for, such as listing incidents.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.0.store
    }

    /// The engine's time, UTC: the clock's, except that it doesn't follow a clock that is set back or that jumps for a moment.
    #[must_use]
    pub fn now(&self) -> Time {
        self.0.time.now()
    }

    /// Whether a loop was told to stop: nothing begins any more.
    pub(super) fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }

    /// The incident `id`, to command and to read. It needn't exist.
    #[must_use]
    pub fn incident(&self, id: IncidentId) -> IncidentHandle {
        IncidentHandle::new(self.clone(), id)
    }

    /// Declares an incident.
    ///
    /// # Errors
    /// [`CommandError`]. After [`CommandError::Unknown`], send the declaration again to the incident that the error names,
    /// under the command's id, with [`IncidentHandle::declare`]: declaring another incident would page a second time.
    /// [`declare_once`](Self::declare_once) needs no such care.
    pub async fn declare(&self, actor: Actor, declare: Declare) -> Result<IncidentHandle, CommandError> {
        let id = self.new_incident_id();
        let request = Request::new(self.new_command_id(), actor.clone(), Command::Declare(Box::new(declare)));
        self.send(id, request).await?;
        Ok(self.incident(id).as_actor(actor))
    }

    /// Declares an incident at most once under `name`, such as the id of a chat command or a request's idempotency key. Called
    /// again under the same name, after any error and by any engine on the store, it gives the incident of the first call,
    /// also when that has ended. Live incidents and drills have names of their own.
    ///
    /// ```
    /// # use incident_core::model::role::Actor;
    /// # use incident_core::model::severity::Severity;
    /// # use incident_core::rules::command::Declare;
    /// # use incident_core::{Engine, store::MemoryStore};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let engine = Engine::builder(MemoryStore::new()).pages_nobody().build()?;
    /// # let alice = Actor::Automation("bot".to_owned());
    /// let declare = Declare::new("Checkout is down").severity(Severity::Sev1);
    /// let first = engine.declare_once("slash-command-42", alice.clone(), declare.clone()).await?;
    /// let again = engine.declare_once("slash-command-42", alice, declare).await?;
    /// assert_eq!(first.id(), again.id());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`CommandError`]; after every one it is safe to call this again.
    pub async fn declare_once(
        &self,
        name: &str,
        actor: Actor,
        declare: Declare,
    ) -> Result<IncidentHandle, CommandError> {
        let key = declare_key(declare.side, name);
        let declare = declare.once(name);
        loop {
            let held = self.0.store.holder(&key).await;
            if let Some(held) = held.map_err(|error| CommandError::Store(Arc::new(error)))? {
                return Ok(self.incident(held.by).as_actor(actor));
            }
            match self.declare(actor.clone(), declare.clone()).await {
                // Another call with this name was faster: its incident holds the key now.
                Err(CommandError::Refused(Refusal::KeyTaken { key: taken })) if taken == key => {}
                declared => return declared,
            }
        }
    }

    /// Sends a command to an incident. Sent again with the same id, it is answered and not repeated.
    ///
    /// Once queued, it is carried out although its caller is gone.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn send(&self, id: IncidentId, request: Request) -> Result<Done, CommandError> {
        self.submit(id, request).await
    }

    /// A new id for an incident declared now.
    #[must_use]
    pub fn new_incident_id(&self) -> IncidentId {
        IncidentId::new(self.now(), self.0.entropy.bytes())
    }

    /// A new id for a command.
    #[must_use]
    pub fn new_command_id(&self) -> CommandId {
        CommandId::new(self.0.entropy.bytes())
    }

    /// The runbook in force and its digest.
    pub(super) fn in_force(&self) -> (Arc<Runbook>, Digest) {
        self.0.runbook.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets an incident share the figures of others under the same runbook.
    pub(super) fn share_figures(&self, incident: &mut Incident) {
        let mut known = locked(&self.0.figures);
        match known.iter().filter_map(Weak::upgrade).find(|figures| *figures == incident.figures) {
            Some(figures) => incident.figures = figures,
            None => {
                known.retain(|figures| figures.strong_count() > 0);
                known.push(Arc::downgrade(&incident.figures));
            }
        }
    }

    pub(super) fn registry(&self, side: Side) -> &Registry {
        Registry::of(&self.0.live, &self.0.drill, side)
    }

    /// How long one call to a backend may take: less than the lease, so that its outcome is recorded within it.
    pub(super) fn deadline(&self) -> Duration {
        self.0.lease.saturating_mul(2) / 3
    }
}
