//! How an engine is built.

use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use tokio::sync::Notify;

use super::clock::{SystemClock, SystemEntropy};
use super::engine::{Engine, Inner};
use super::places::Told;
use super::registry::{Registry, overlap};
use super::storm::Storms;
use super::timekeeper::Timekeeper;
use crate::config::Ports;
#[cfg(feature = "toml")]
use crate::config::{Built, BuiltEvidence};
use crate::domain::context::Route;
use crate::domain::id::CommandId;
use crate::domain::incident::Side;
use crate::domain::runbook::{Finding, Level, Runbook, reaches_anybody};
use crate::port::{Clock, Entropy, EvidenceStore, Store};

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
            runbook: Runbook::default(),
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

    /// With this runbook.
    #[must_use]
    pub fn runbook(mut self, runbook: Runbook) -> Self {
        self.runbook = runbook;
        self
    }

    /// With everything that settings built: the runbook, the ports and routes of both sides, and where evidence is kept.
    #[cfg(feature = "toml")]
    #[must_use]
    pub fn configured(mut self, built: Built) -> Self {
        self.runbook = built.runbook;
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

    /// What is wrong with the runbook and the routes, the worst first.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = self.runbook.lint();
        for (place, registry) in [("live.routes", &self.live), ("drill.routes", &self.drill)] {
            let routes = &registry.reach().notices;
            let is_live = place.starts_with("live");
            // Nobody need hold drills, and nobody need page who says so.
            let skipped =
                if is_live { self.pages_nobody && !reaches_anybody(routes) } else { routes.is_empty() };
            if !skipped {
                findings.extend(self.runbook.lint_routes(place, routes));
            }
        }
        findings.sort();
        findings
    }

    /// The engine. What [`check`](Self::check) warns of is in the report of [`Engine::preflight`].
    ///
    /// # Errors
    /// [`BuildError`] if live and drill aren't apart, a route or tracker has no adapter, or [`check`](Self::check) finds an
    /// error, such as a runbook that can't be kept or routes that reach nobody to page.
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
        let findings = self.check();
        // What nobody could approve fails closed: it is said by preflight, and stops no engine from paging.
        let is_error =
            |finding: &Finding| finding.level == Level::Error && !finding.place.starts_with("safety.");
        if findings.iter().any(is_error) {
            return Err(BuildError::Check { findings: findings.into_iter().filter(is_error).collect() });
        }
        let digest = self.runbook.digest();
        let told = Arc::<Told>::default();
        let [live, drill] = [self.live, self.drill].map(|side| side.with_backends(self.parallel, &told));
        let worker = self.worker.unwrap_or_else(|| CommandId::new(self.entropy.bytes()).to_string());
        Ok(Engine(Arc::new(Inner {
            store: self.store,
            time: Timekeeper::new(self.clock),
            entropy: self.entropy,
            evidence: self.evidence,
            runbook: RwLock::new((Arc::new(self.runbook), digest)),
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
            warnings: findings,
        })))
    }
}

/// Why an engine can't be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The runbook or the routes can't be kept.
    #[error("the engine can't keep what its runbook promises:{}", listed(.findings))]
    Check {
        /// The errors, each with its place and its remedy.
        findings: Vec<Finding>,
    },
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

fn listed(findings: &[Finding]) -> String {
    findings
        .iter()
        .map(|finding| format!("\n- {}: {}; {}", finding.place, finding.what, finding.then))
        .collect()
}
