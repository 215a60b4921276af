//! Settings whose adapters are built.

use std::collections::BTreeMap;

use crate::config::{BuiltEvidence, Ports};
use crate::model::route::Route;
use crate::model::side::Side;
use crate::runbook::Runbook;

/// Settings whose adapters are built: what an engine is made of.
#[derive(Debug)]
#[non_exhaustive]
pub struct Built {
    /// The runbook that the settings name; the engine's own otherwise.
    pub runbook: Option<Runbook>,
    /// Where evidence is kept.
    pub evidence: Option<BuiltEvidence>,
    /// Whether an engine may start although no live route reaches anybody whom a page could wake.
    pub pages_nobody: bool,
    /// What live incidents reach.
    pub live: BuiltSide,
    /// What drills reach.
    pub drill: BuiltSide,
}

impl Built {
    /// One side.
    #[must_use]
    pub fn side(&self, side: Side) -> &BuiltSide {
        match side {
            Side::Live => &self.live,
            Side::Drill => &self.drill,
        }
    }
}

/// What incidents of one side reach, built.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct BuiltSide {
    /// The ports, by name.
    pub ports: BTreeMap<String, Ports>,
    /// The routes, and the ports that each goes through.
    pub routes: Vec<(Route, String)>,
    /// The ports that keep the tickets.
    pub tracker: Option<String>,
}
