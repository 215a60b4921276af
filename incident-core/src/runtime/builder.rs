//! How an engine is built.

use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use tokio::sync::Notify;

use super::check;
use super::clock::{SystemClock, SystemEntropy};
use super::engine::{Engine, Inner};
use super::places::Told;
use super::registry::Registry;
use super::storm::Storms;
use super::timekeeper::Timekeeper;
use crate::config::Ports;
#[cfg(feature = "toml")]
use crate::config::{Built, BuiltEvidence};
use crate::model::id::CommandId;
use crate::model::route::Route;
use crate::model::side::Side;
use crate::port::{Clock, Entropy, EvidenceStore, Store};
use crate::runbook::{Finding, Runbook};

/// Builds an [`Engine`].
#[derive(Debug)]
pub struct EngineBuilder {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    evidence: Option<Arc<dyn EvidenceStore>>,
    /// Every runbook that was given, in order.
    runbooks: Vec<Runbook>,
    live: Registry,
    drill: Registry,
    worker: Option<String>,
    lease: Duration,
    parallel: usize,
    pages_nobody: bool,
}

impl EngineBuilder {
    /// With the default runbook, the machine's clock and nothing registered.
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            evidence: None,
            runbooks: Vec::new(),
            live: Registry::default(),
            drill: Registry::default(),
            worker: None,
            lease: Duration::from_secs(15),
            parallel: 64,
            pages_nobody: false,
        }
    }

    /// Lets the engine start although no route reaches anybody whom a page could wake: for a tool that only reads, for tests,
    /// for another engine on the store that pages. Every declaration then says on its timeline that nobody was reached.
    #[must_use]
    pub fn pages_nobody(mut self) -> Self {
        self.pages_nobody = true;
        self
    }

    /// With this runbook instead of the default one.
    #[must_use]
    pub fn runbook(mut self, runbook: Runbook) -> Self {
        self.runbooks.push(runbook);
        self
    }

    /// With everything that settings built: their runbook if they name one, the ports and routes of both sides, and where
    /// evidence is kept.
    #[cfg(feature = "toml")]
    #[must_use]
    pub fn configured(mut self, built: Built) -> Self {
        self.runbooks.extend(built.runbook);
        self.pages_nobody |= built.pages_nobody;
        match built.evidence {
            Some(BuiltEvidence::Folder(folder)) => {
                self.evidence = Some(Arc::new(crate::local::FolderEvidence::new(folder)));
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

    /// With at most so many calls to one backend at once and so many pages beside them, 64 by default; the loop works on as
    /// many incidents at once, not counting those that wait for slow calls.
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

    /// What is wrong with the runbook, the routes and the ports together, the worst first.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        let default = Runbook::default();
        let runbook = self.runbooks.last().unwrap_or(&default);
        check::check(runbook, &self.live, &self.drill, self.pages_nobody)
    }

    /// The engine. What [`check`](Self::check) warns of is in the report of [`Engine::preflight`].
    ///
    /// # Errors
    /// [`BuildError`] if live and drill share an adapter, two different runbooks are given, or [`check`](Self::check) finds
    /// an error, such as a deadline of zero, a route without an adapter, or routes that reach nobody to page.
    pub fn build(mut self) -> Result<Engine, BuildError> {
        check::apart(&self.live, &self.drill)?;
        if self.runbooks.windows(2).any(|pair| pair[0] != pair[1]) {
            return Err(BuildError::TwoRunbooks);
        }
        check::refuse(&self.check())?;
        let runbook = self.runbooks.pop().unwrap_or_default();
        let digest = runbook.digest();
        let told = Arc::<Told>::default();
        let [live, drill] = [self.live, self.drill].map(|side| side.with_backends(self.parallel, &told));
        let worker = self.worker.unwrap_or_else(|| CommandId::new(self.entropy.bytes()).to_string());
        Ok(Engine(Arc::new(Inner {
            store: self.store,
            time: Timekeeper::new(self.clock),
            entropy: self.entropy,
            evidence: self.evidence,
            runbook: RwLock::new((Arc::new(runbook), digest)),
            live,
            drill,
            worker,
            lease: self.lease,
            parallel: self.parallel,
            queues: Mutex::default(),
            lanes: Mutex::default(),
            storms: Storms::default(),
            resting: Mutex::default(),
            alarms: Mutex::default(),
            busy: Mutex::default(),
            slow: AtomicUsize::new(0),
            slowed: Notify::new(),
            told,
            stopping: AtomicBool::new(false),
            figures: Mutex::default(),
            pages_nobody: self.pages_nobody,
        })))
    }
}

/// Why an engine can't be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The runbook, the routes or the ports have errors.
    #[error("the runbook or the routes have errors:{}", listed(.findings))]
    Check {
        /// The errors, each with its place and its remedy.
        findings: Vec<Finding>,
    },
    /// One adapter is registered for live incidents and for drills.
    #[error("the live adapter {name:?} is also registered for drills; build a separate one for drills")]
    Shared {
        /// The live ports' name.
        name: String,
    },
    /// Two runbooks are given, and they differ.
    #[error("two different runbooks are given, in code and in the settings; keep one of them")]
    TwoRunbooks,
}

fn listed(findings: &[Finding]) -> String {
    findings
        .iter()
        .map(|finding| format!("\n- {}: {}; {}", finding.place, finding.what, finding.then))
        .collect()
}
