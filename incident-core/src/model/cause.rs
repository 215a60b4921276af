//! Classes of root causes.

use serde::{Deserialize, Serialize};

/// The classes of root causes that the runbook knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CauseClass {
    /// A bug, a configuration error or a changed limit that was deployed lately.
    RecentDeployment,
    /// Memory, CPU, disk or a pool ran out.
    ResourceExhaustion,
    /// Somebody else's API, database or network.
    OutsideDependency,
    /// An attack, a crowd or bots.
    Traffic,
    /// Corrupt or oversized data, or an endless loop over it.
    Data,
}
