//! Mitigations, from the intent to the way back.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// What a responder wants done, in the runbook's words. How it is done is the mitigator's to plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", remote = "Self")]
#[non_exhaustive]
pub enum Mitigation {
    /// Go back to an earlier revision of a workload or function.
    RollBack(RollBack),
    /// Change how many replicas run.
    Scale(Scale),
    /// Change what an instance may use.
    SetResources(SetResources),
    /// Restart every instance, a few at a time.
    RollingRestart(RollingRestart),
    /// Restart one instance.
    RestartInstance(RestartInstance),
    /// Turn a feature off, or back on.
    SwitchFeature(SwitchFeature),
    /// Send traffic elsewhere, or to a maintenance page.
    RouteTraffic(RouteTraffic),
    /// End queries that have run too long.
    EndQueries(EndQueries),
    /// Add an index without locking the table.
    AddIndex(AddIndex),
    /// Clear a cache, or a named part of it.
    ClearCache(ClearCache),
    /// Anything else that a mitigator declares by name.
    Custom(Custom),
}

/// A rollback. It names the revision it goes to, because "undo" is a toggle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollBack {
    /// The workload, such as `deployment/checkout`.
    pub workload: String,
    /// The revision to go to; none lets the plan resolve the previous one, and name it.
    #[serde(default)]
    pub to_revision: Option<String>,
}

/// A change of the number of replicas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// The workload.
    pub workload: String,
    /// How many replicas it shall have.
    pub replicas: u32,
}

/// A change of what an instance may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetResources {
    /// The workload.
    pub workload: String,
    /// The container; named always, because a default would hit sidecars.
    pub container: String,
    /// Requests by resource, such as `memory` = `512Mi`.
    #[serde(default)]
    pub requests: BTreeMap<String, String>,
    /// Limits by resource.
    #[serde(default)]
    pub limits: BTreeMap<String, String>,
}

/// A restart of every instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollingRestart {
    /// The workload.
    pub workload: String,
}

/// A restart of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestartInstance {
    /// The instance, such as a pod's name.
    pub instance: String,
}

/// A feature turned off or on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchFeature {
    /// The feature's flag or variable.
    pub feature: String,
    /// Whether it shall be on.
    pub on: bool,
}

/// Traffic sent elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteTraffic {
    /// The service or load balancer.
    pub service: String,
    /// Where to: a backend's name or `maintenance`.
    pub to: String,
}

/// Queries ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndQueries {
    /// The database.
    pub database: String,
    /// Queries that have run longer than so many seconds.
    pub longer_than_seconds: u64,
}

/// An index added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddIndex {
    /// The database.
    pub database: String,
    /// The table.
    pub table: String,
    /// The columns, in order.
    pub columns: Vec<String>,
}

/// A cache cleared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClearCache {
    /// The cache.
    pub cache: String,
    /// The part of it, such as a key prefix; none means all of it.
    #[serde(default)]
    pub part: Option<String>,
}

/// What a mitigator declares by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Custom {
    /// The name the mitigator knows it by.
    pub name: String,
    /// What it acts on; at most one mitigation runs on a target at a time.
    pub target: String,
    /// Its parameters.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
}

/// The kind of a [`Mitigation`], as rules name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "each is documented at the variant of Mitigation")]
pub enum MitigationKind {
    RollBack,
    Scale,
    SetResources,
    RollingRestart,
    RestartInstance,
    SwitchFeature,
    RouteTraffic,
    EndQueries,
    AddIndex,
    ClearCache,
    Custom,
}

impl Serialize for Mitigation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// By way of a value: a tagged enum reads its fields from a buffer, which can't hold a number as serde_json gives it under
/// `arbitrary_precision` – and any crate of the program may switch that on.
impl<'de> Deserialize<'de> for Mitigation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Mitigation {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> MitigationKind {
        match self {
            Self::RollBack(_) => MitigationKind::RollBack,
            Self::Scale(_) => MitigationKind::Scale,
            Self::SetResources(_) => MitigationKind::SetResources,
            Self::RollingRestart(_) => MitigationKind::RollingRestart,
            Self::RestartInstance(_) => MitigationKind::RestartInstance,
            Self::SwitchFeature(_) => MitigationKind::SwitchFeature,
            Self::RouteTraffic(_) => MitigationKind::RouteTraffic,
            Self::EndQueries(_) => MitigationKind::EndQueries,
            Self::AddIndex(_) => MitigationKind::AddIndex,
            Self::ClearCache(_) => MitigationKind::ClearCache,
            Self::Custom(_) => MitigationKind::Custom,
        }
    }

    /// What it acts on, in the mitigator's own naming.
    #[must_use]
    pub fn target(&self) -> &str {
        match self {
            Self::RollBack(it) => &it.workload,
            Self::Scale(it) => &it.workload,
            Self::SetResources(it) => &it.workload,
            Self::RollingRestart(it) => &it.workload,
            Self::RestartInstance(it) => &it.instance,
            Self::SwitchFeature(it) => &it.feature,
            Self::RouteTraffic(it) => &it.service,
            Self::EndQueries(it) => &it.database,
            Self::AddIndex(it) => &it.database,
            Self::ClearCache(it) => &it.cache,
            Self::Custom(it) => &it.target,
        }
    }
}

impl fmt::Display for Mitigation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RollBack(it) => match &it.to_revision {
                Some(revision) => write!(f, "roll {} back to revision {revision}", it.workload),
                None => write!(f, "roll {} back to the previous revision", it.workload),
            },
            Self::Scale(it) => write!(f, "scale {} to {} replicas", it.workload, it.replicas),
            Self::SetResources(it) => write!(f, "set the resources of {} in {}", it.container, it.workload),
            Self::RollingRestart(it) => write!(f, "restart {}", it.workload),
            Self::RestartInstance(it) => write!(f, "restart the instance {}", it.instance),
            Self::SwitchFeature(it) => {
                write!(f, "turn the feature {} {}", it.feature, if it.on { "on" } else { "off" })
            }
            Self::RouteTraffic(it) => write!(f, "route {} to {}", it.service, it.to),
            Self::EndQueries(it) => {
                write!(f, "end queries on {} that run for over {} s", it.database, it.longer_than_seconds)
            }
            Self::AddIndex(it) => {
                write!(f, "add an index on {}({}) in {}", it.table, it.columns.join(", "), it.database)
            }
            Self::ClearCache(it) => match &it.part {
                Some(part) => write!(f, "clear {part} in the cache {}", it.cache),
                None => write!(f, "clear the cache {}", it.cache),
            },
            Self::Custom(it) => write!(f, "{} on {}", it.name, it.target),
        }
    }
}

impl MitigationKind {
    /// Whether it takes instances down, so that a plan must say how many stay healthy.
    #[must_use]
    pub fn takes_instances_down(self) -> bool {
        matches!(
            self,
            Self::RollBack | Self::Scale | Self::SetResources | Self::RollingRestart | Self::RestartInstance
        )
    }

    /// Whether it destroys what evidence is made of, so that evidence is collected before.
    #[must_use]
    pub fn replaces_evidence(self) -> bool {
        self.takes_instances_down() || matches!(self, Self::EndQueries | Self::ClearCache | Self::Custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::ApprovalRule;

    #[test]
    fn what_is_not_known_is_not_half_understood() {
        let known = r#"{"kind":"scale","workload":"deployment/checkout","replicas":3}"#;
        assert!(serde_json::from_str::<Mitigation>(known).is_ok());
        for newer in [
            r#"{"kind":"scale","workload":"deployment/checkout","replicas":3,"only_zone":"a"}"#,
            r#"{"kind":"evaporate","workload":"deployment/checkout"}"#,
        ] {
            assert!(serde_json::from_str::<Mitigation>(newer).is_err(), "{newer}");
        }
        assert!(serde_json::from_str::<ApprovalRule>(r#"{"persons":1,"not_before":"08:00"}"#).is_err());
    }
}
