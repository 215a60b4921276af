//! The state of one incident, folded from its records.

use serde::{Deserialize, Serialize};

/// Whether an incident is real. It never changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Real.
    #[default]
    Live,
    /// Practice: it reaches only what is registered for drills.
    Drill,
}
