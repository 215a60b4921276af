//! The world outside: it remembers all that was done to it, does it once or twice, early or late.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use incident_core::model::id::{Digest, EffectId};
use incident_core::model::side::Side;
use incident_core::model::time::Time;

/// Something that came in.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    pub(crate) place: &'static str,
    pub(crate) effect: EffectId,
    pub(crate) marked: bool,
    /// Whether it arrived long after it was sent, so that others may have overtaken it.
    pub(crate) late: bool,
    pub(crate) drill: bool,
    /// What was carried out, if it was a plan.
    pub(crate) plan: Option<Digest>,
}

/// What a call would do once it gets through.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    pub(crate) came: Came,
    /// The target, and the version that it was seen at.
    pub(crate) pinned: Option<(String, u64)>,
}

#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) came: Vec<Came>,
    /// What was sent and hasn't arrived yet.
    under_way: Vec<Deed>,
    /// The versions of what can be changed.
    targets: BTreeMap<String, u64>,
    /// Until when an attempt was put off.
    pub(crate) put_off: BTreeMap<(EffectId, u32), Time>,
    /// What a defect keeps, to send it after the next.
    pub(crate) held_back: Vec<Deed>,
    pub(crate) red: bool,
}

/// Live and drill are two worlds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remote {
    live: Arc<Mutex<World>>,
    drill: Arc<Mutex<World>>,
}

impl Remote {
    pub(crate) fn side(&self, side: Side) -> Arc<Mutex<World>> {
        Arc::clone(match side {
            Side::Live => &self.live,
            Side::Drill => &self.drill,
        })
    }
}

impl World {
    /// Takes a deed; false if the world moved since it was planned.
    pub(crate) fn take(&mut self, deed: Deed, dedupes: bool) -> bool {
        if let Some((target, seen)) = &deed.pinned {
            let version = self.targets.entry(target.clone()).or_default();
            if version != seen {
                return false;
            }
            *version += 1;
        }
        if !(dedupes && self.has(deed.came.place, deed.came.effect)) {
            self.came.push(deed.came);
        }
        true
    }

    pub(crate) fn delay(&mut self, mut deed: Deed) {
        deed.came.late = true;
        self.under_way.push(deed);
    }

    pub(crate) fn has(&self, place: &str, effect: EffectId) -> bool {
        self.came.iter().any(|it| it.place == place && it.effect == effect)
    }

    /// Whether something of an effect may still arrive.
    pub(crate) fn expects(&self, place: &str, effect: EffectId) -> bool {
        self.under_way.iter().any(|it| it.came.place == place && it.came.effect == effect)
    }

    pub(crate) fn any_under_way(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// What was under way arrives.
    pub(crate) fn arrive(&mut self) {
        let held_back = std::mem::take(&mut self.held_back);
        for deed in std::mem::take(&mut self.under_way).into_iter().chain(held_back) {
            let dedupes = crate::adapters::dedupes(deed.came.place);
            self.take(deed, dedupes);
        }
    }

    pub(crate) fn version(&self, target: &str) -> u64 {
        self.targets.get(target).copied().unwrap_or_default()
    }

    /// Somebody else changes something.
    pub(crate) fn meddle(&mut self, target: &str) {
        *self.targets.entry(target.to_owned()).or_default() += 1;
    }
}
