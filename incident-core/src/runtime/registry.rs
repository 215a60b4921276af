//! What is registered, for live incidents and for drills: two registries with nothing in common.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::places::{Backend, Told};
use crate::config::Ports;
use crate::model::route::{Route, Routes};
use crate::model::side::Side;
use crate::port::{Collector, Mitigator, Notifier, Probe, Tracker};

/// The ports of one side, by name, and the routes over them.
#[derive(Debug, Clone, Default)]
pub(super) struct Registry {
    ports: BTreeMap<String, Ports>,
    routes: BTreeMap<String, String>,
    backends: BTreeMap<String, Arc<Backend>>,
    reach: Routes,
    repeated: Vec<String>,
}

impl Registry {
    pub(super) fn add(&mut self, name: &str, ports: Ports) {
        if ports.mitigator.is_some() {
            self.reach.systems.push(name.to_owned());
        }
        if ports.collector.is_some() {
            self.reach.collectors.push(name.to_owned());
        }
        self.reach.probes.extend(ports.probes.keys().cloned());
        if self.ports.insert(name.to_owned(), ports).is_some() {
            self.repeated.push(name.to_owned());
        }
    }

    /// The names under which more than one adapter was registered.
    pub(super) fn repeated(&self) -> &[String] {
        &self.repeated
    }

    /// Every route's name in order of registration, and the name of the ports it goes through.
    pub(super) fn routes(&self) -> impl Iterator<Item = (&String, &String)> {
        self.reach.notices.iter().filter_map(|route| self.routes.get_key_value(&route.name))
    }

    /// Notices to the route's audiences go out through the ports called `ports`.
    pub(super) fn route(&mut self, route: Route, ports: &str) {
        self.routes.insert(route.name.clone(), ports.to_owned());
        self.reach.notices.push(route);
    }

    pub(super) fn track_with(&mut self, ports: &str) {
        self.reach.tracker = Some(ports.to_owned());
    }

    /// What an incident of this side can reach.
    pub(super) fn reach(&self) -> &Routes {
        &self.reach
    }

    pub(super) fn notifier(&self, route: &str) -> Option<&Arc<dyn Notifier>> {
        self.ports.get(self.routes.get(route)?)?.notifier.as_ref()
    }

    pub(super) fn tracker(&self, name: &str) -> Option<&Arc<dyn Tracker>> {
        self.ports.get(name)?.tracker.as_ref()
    }

    pub(super) fn mitigator(&self, name: &str) -> Option<&Arc<dyn Mitigator>> {
        self.ports.get(name)?.mitigator.as_ref()
    }

    pub(super) fn collector(&self, name: &str) -> Option<&Arc<dyn Collector>> {
        self.ports.get(name)?.collector.as_ref()
    }

    /// Every probe, by its check and with the name of its ports.
    pub(super) fn probes(&self) -> impl Iterator<Item = (&String, &Arc<dyn Probe>, &String)> {
        self.ports
            .iter()
            .flat_map(|(name, ports)| ports.probes.iter().map(move |(check, it)| (check, it, name)))
    }

    /// With the places of each backend.
    pub(super) fn with_backends(mut self, most: usize, told: &Arc<Told>) -> Self {
        let backend = |name: &String| (name.clone(), Arc::new(Backend::new(name, most, told)));
        self.backends = self.ports.keys().map(backend).collect();
        self
    }

    /// The backend that a notice on `route` goes to.
    pub(super) fn notifies(&self, route: &str) -> Option<&Arc<Backend>> {
        self.backends.get(self.routes.get(route)?)
    }

    /// The backend whose ports are called `name`.
    pub(super) fn backend(&self, name: &str) -> Option<&Arc<Backend>> {
        self.backends.get(name)
    }

    pub(super) fn backends(&self) -> impl Iterator<Item = &Arc<Backend>> {
        self.backends.values()
    }

    pub(super) fn ports(&self) -> &BTreeMap<String, Ports> {
        &self.ports
    }
}

/// What stands in the way of two registries being apart.
pub(super) fn overlap(live: &Registry, drill: &Registry) -> Option<String> {
    let same = |a: &Ports, b: &Ports| {
        let address = |ports: &Ports| {
            ports.adapters().map(std::ptr::from_ref).map(<*const _>::cast::<()>).collect::<Vec<_>>()
        };
        let of_b = address(b);
        address(a).iter().any(|a| of_b.contains(a))
    };
    let pairs = live.ports.iter().flat_map(|a| drill.ports.iter().map(move |b| (a, b)));
    pairs.into_iter().find(|((_, a), (_, b))| same(a, b)).map(|((name, _), _)| name.clone())
}

impl Registry {
    /// The registry's side, for messages.
    pub(super) fn of<'a>(live: &'a Self, drill: &'a Self, side: Side) -> &'a Self {
        match side {
            Side::Live => live,
            Side::Drill => drill,
        }
    }
}
