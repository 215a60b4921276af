//! The engine and how it is built.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::Duration;

use tokio::sync::mpsc;

use super::clock::{SystemClock, SystemEntropy};
use super::queue::Queue;
use super::registry::{Registry, overlap};
use crate::config::{Built, BuiltEvidence, Ports};
use crate::domain::command::{Command, Declare, Request};
use crate::domain::context::Route;
use crate::domain::figures::Figures;
use crate::domain::id::{CommandId, Digest, IncidentId, Seq};
use crate::domain::incident::{Incident, Side};
use crate::domain::role::Actor;
use crate::domain::runbook::Runbook;
use crate::domain::time::Time;
use crate::local::FolderEvidence;
use crate::port::{Clock, Entropy, EvidenceStore, Store};

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
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) evidence: Option<Arc<dyn EvidenceStore>>,
    /// The runbook in force, and its digest.
    runbook: RwLock<(Arc<Runbook>, Digest)>,
    live: Registry,
    drill: Registry,
    pub(super) worker: String,
    pub(super) lease: Duration,
    pub(super) parallel: usize,
    /// The commit queue of every incident in use.
    pub(super) queues: Mutex<BTreeMap<IncidentId, Arc<Queue>>>,
    /// Incidents that this engine can do nothing for until a time: it has no adapter for them, or can't read them.
    pub(super) resting: Mutex<BTreeMap<IncidentId, Time>>,
    /// The hour in which somebody was last told of an incident that can't be read.
    pub(super) alarms: Mutex<BTreeMap<IncidentId, u64>>,
    /// Incidents that a pass of this engine is at.
    pub(super) busy: Mutex<BTreeSet<IncidentId>>,
    /// Where a running loop hears of commits, and takes the effects that they began.
    pub(super) handoff: Mutex<Option<mpsc::UnboundedSender<Begun>>>,
    /// How many commits wait, or work, to carry out the effects that they began.
    pub(super) carrying: AtomicUsize,
    /// The figures of the incidents in use: those of one runbook are kept once.
    figures: Mutex<Vec<Weak<Figures>>>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("worker", &self.0.worker)
            .field("store", &self.0.store)
            .finish_non_exhaustive()
    }
}

/// The state that a commit led to, and the effects that it began.
pub(super) type Begun = (Arc<Incident>, Vec<Seq>);

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
        EngineBuilder {
            store,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            evidence: None,
            runbook: Runbook::default(),
            live: Registry::default(),
            drill: Registry::default(),
            worker: None,
            lease: Duration::from_secs(15),
            parallel: 64,
        }
    }

    /// The runbook in force.
    #[must_use]
    pub fn runbook(&self) -> Arc<Runbook> {
        self.in_force().0
    }

    /// Puts another runbook in force. It touches no open incident until somebody asks for that with
    /// [`replan`](IncidentHandle::replan).
    pub fn set_runbook(&self, runbook: Runbook) {
        let digest = runbook.digest();
        *self.0.runbook.write().unwrap_or_else(PoisonError::into_inner) = (Arc::new(runbook), digest);
    }

    /// The store, for what an engine has no verb for, such as listing incidents.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.0.store
    }

    /// The engine's time, UTC.
    #[must_use]
    pub fn now(&self) -> Time {
        crate::domain::time::to_millis(self.0.clock.now())
    }

    /// The incident `id`, to command and to read. It needn't exist.
    #[must_use]
    pub fn incident(&self, id: IncidentId) -> IncidentHandle {
        IncidentHandle::new(self.clone(), id)
    }

    /// Declares an incident.
    ///
    /// # Errors
    /// [`CommandError`]; after [`CommandError::Unknown`] it is safe to send the same request again through
    /// [`send`](Self::send).
    pub async fn declare(&self, actor: Actor, declare: Declare) -> Result<IncidentHandle, CommandError> {
        let id = self.new_incident_id();
        let request = Request::new(self.new_command_id(), actor.clone(), Command::Declare(Box::new(declare)));
        self.send(id, request).await?;
        Ok(self.incident(id).as_actor(actor))
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

    /// Lets an incident share the figures of others under the same runbook: they are a third of its size.
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

/// Builds an [`Engine`].
#[derive(Debug)]
pub struct EngineBuilder {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    evidence: Option<Arc<dyn EvidenceStore>>,
    runbook: Runbook,
    live: Registry,
    drill: Registry,
    worker: Option<String>,
    lease: Duration,
    parallel: usize,
}

impl EngineBuilder {
    /// With this runbook.
    #[must_use]
    pub fn runbook(mut self, runbook: Runbook) -> Self {
        self.runbook = runbook;
        self
    }

    /// With everything that settings built: the runbook, the ports and routes of both sides, and where evidence is kept.
    #[must_use]
    pub fn configured(mut self, built: Built) -> Self {
        self.runbook = built.runbook;
        match built.evidence {
            Some(BuiltEvidence::Folder(folder)) => {
                self.evidence = Some(Arc::new(FolderEvidence::new(folder)));
            }
            Some(BuiltEvidence::Store(store)) => self.evidence = Some(store),
            None => {}
        }
        for (side, built) in [(Side::Live, built.live), (Side::Drill, built.drill)] {
            for (name, ports) in built.ports {
                self = self.ports_for(side, &name, ports);
            }
            for (route, ports) in built.routes {
                self = self.route_for(side, route, &ports);
            }
            if let Some(tracker) = built.tracker {
                self = self.tracker_for(side, &tracker);
            }
        }
        self
    }

    /// With this clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// With this entropy.
    #[must_use]
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// With a place to keep evidence; without one none is collected.
    #[must_use]
    pub fn evidence(mut self, evidence: impl EvidenceStore) -> Self {
        self.evidence = Some(Arc::new(evidence));
        self
    }

    /// Under this name, which no other engine on the store may have; a random one by default.
    #[must_use]
    pub fn worker(mut self, name: &str) -> Self {
        self.worker = Some(name.to_owned());
        self
    }

    /// With leases of this length, 15 s by default: after so long another engine takes over from one that died. A call to
    /// a backend gets two thirds of it.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_millis(10));
        self
    }

    /// Working on at most so many incidents at once, 64 by default.
    #[must_use]
    pub fn parallel(mut self, incidents: usize) -> Self {
        self.parallel = incidents.max(1);
        self
    }

    /// Registers the ports of a backend for live incidents.
    #[must_use]
    pub fn ports(self, name: &str, ports: Ports) -> Self {
        self.ports_for(Side::Live, name, ports)
    }

    /// Registers the ports of a backend for drills. No adapter may be registered for both.
    #[must_use]
    pub fn drill_ports(self, name: &str, ports: Ports) -> Self {
        self.ports_for(Side::Drill, name, ports)
    }

    /// Registers the ports of a backend for one side.
    #[must_use]
    pub fn ports_for(mut self, side: Side, name: &str, ports: Ports) -> Self {
        self.side(side).add(name, ports);
        self
    }

    /// Sends live notices to `audiences` through the notifier of the ports called `ports`.
    #[must_use]
    pub fn route(self, ports: &str, audiences: &[&str]) -> Self {
        self.route_for(Side::Live, Route::new(ports, audiences), ports)
    }

    /// Sends drills' notices to `audiences` through the notifier of the ports called `ports`.
    #[must_use]
    pub fn drill_route(self, ports: &str, audiences: &[&str]) -> Self {
        self.route_for(Side::Drill, Route::new(ports, audiences), ports)
    }

    /// Sends notices of one side along `route`, through the notifier of the ports called `ports`.
    #[must_use]
    pub fn route_for(mut self, side: Side, route: Route, ports: &str) -> Self {
        self.side(side).route(route, ports);
        self
    }

    /// Keeps the tickets of one side with the tracker of the ports called `ports`.
    #[must_use]
    pub fn tracker_for(mut self, side: Side, ports: &str) -> Self {
        self.side(side).track_with(ports);
        self
    }

    /// Keeps live tickets with the tracker of the ports called `ports`.
    #[must_use]
    pub fn tracker(self, ports: &str) -> Self {
        self.tracker_for(Side::Live, ports)
    }

    fn side(&mut self, side: Side) -> &mut Registry {
        match side {
            Side::Live => &mut self.live,
            Side::Drill => &mut self.drill,
        }
    }

    /// The engine.
    ///
    /// # Errors
    /// [`BuildError`] if live and drill aren't apart, or a route or tracker has no adapter.
    pub fn build(self) -> Result<Engine, BuildError> {
        if let Some(name) = overlap(&self.live, &self.drill) {
            return Err(BuildError::Shared { name });
        }
        for registry in [&self.live, &self.drill] {
            let reach = registry.reach();
            if let Some(route) = reach.notices.iter().find(|route| registry.notifier(&route.name).is_none()) {
                return Err(BuildError::NoNotifier { route: route.name.clone() });
            }
            if let Some(name) = reach.tracker.as_ref().filter(|name| registry.tracker(name).is_none()) {
                return Err(BuildError::NoTracker { name: name.clone() });
            }
        }
        let digest = self.runbook.digest();
        let worker = self.worker.unwrap_or_else(|| CommandId::new(self.entropy.bytes()).to_string());
        Ok(Engine(Arc::new(Inner {
            store: self.store,
            clock: self.clock,
            entropy: self.entropy,
            evidence: self.evidence,
            runbook: RwLock::new((Arc::new(self.runbook), digest)),
            live: self.live,
            drill: self.drill,
            worker,
            lease: self.lease,
            parallel: self.parallel,
            queues: Mutex::default(),
            resting: Mutex::default(),
            alarms: Mutex::default(),
            busy: Mutex::default(),
            handoff: Mutex::default(),
            carrying: AtomicUsize::new(0),
            figures: Mutex::default(),
        })))
    }
}

/// Why an engine can't be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// One adapter is registered for live incidents and for drills.
    #[error(
        "an adapter of the live ports {name:?} is registered for drills, too; build another one for drills"
    )]
    Shared {
        /// The live ports' name.
        name: String,
    },
    /// A route leads nowhere.
    #[error("the route {route:?} names ports without a notifier; register them first")]
    NoNotifier {
        /// The route.
        route: String,
    },
    /// The tracker isn't there.
    #[error("the tracker {name:?} names ports without a tracker; register them first")]
    NoTracker {
        /// The ports' name.
        name: String,
    },
}
