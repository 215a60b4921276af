//! Live or drill.

use serde::{Deserialize, Serialize};

/// Whether an incident is real. It never changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Real.
    #[default]
    Live,
    /// Practice: it reaches only what is registered for drills.
    Drill,
}
