//! What a plan carries for the mitigator, and what it pins.

use std::collections::BTreeMap;

use incident_core::model::id::Digest;
use incident_core::model::plan::Plan;
use incident_core::port::{AdapterError, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::object::{annotation, number, resource_version, uid};
use crate::target::Target;
use crate::template::Edit;

pub(crate) const PLAN: &str = "plan the mitigation";
pub(crate) const EXECUTE: &str = "carry out the plan";
pub(crate) const FIND: &str = "look for the change";
pub(crate) const VERIFY: &str = "verify the change";

/// Names of pins.
pub(crate) const CLUSTER: &str = "cluster";
pub(crate) const UID: &str = "uid";
pub(crate) const RESOURCE_VERSION: &str = "resourceVersion";
pub(crate) const GENERATION: &str = "generation";
pub(crate) const REVISION: &str = "revision";
pub(crate) const TEMPLATE: &str = "template";
pub(crate) const STATE: &str = "state";
pub(crate) const APPLIED: &str = "applied";

/// The payload of a plan: what is done to which object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) target: Target,
    pub(crate) action: Action,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Action {
    /// The pod template is edited; it then has the digest `to`, as the server's dry run showed. The pods that would
    /// hold the rollout up are deleted.
    Template { edit: Edit, to: Digest, doomed: Vec<Doomed> },
    /// The number of replicas, through the scale subresource.
    Replicas { from: i64, to: i64 },
    /// The least number of replicas that an autoscaler may choose.
    Floor { autoscaler: Autoscaler, from: Option<i64>, to: Option<i64> },
    /// One pod is removed; its controller makes another one.
    Pod { removal: Removal, owner: Owner },
    /// A service selects other pods.
    Selector { from: BTreeMap<String, String>, to: BTreeMap<String, String> },
    /// A manifest is applied. `changes` is the merge patch that shows everything the server changes by it, and `before`
    /// the one that takes all of it back; none if the object didn't exist.
    Apply {
        plural: String,
        manifest: Value,
        before: Option<Value>,
        #[serde(default)]
        changes: Value,
    },
    /// What was applied is taken back; none means that the object is deleted.
    Restore { plural: String, manifest: Value, to: Option<Value> },
}

/// A pod that is deleted, if it is still the one with this uid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Doomed {
    pub(crate) name: String,
    pub(crate) uid: String,
}

/// What chooses the number of replicas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Autoscaler {
    pub(crate) keda: bool,
    pub(crate) name: String,
    pub(crate) uid: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Removal {
    /// Through the eviction subresource, which honours disruption budgets.
    Evict,
    /// Whatever disruption budgets say.
    Delete,
}

/// What makes another pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Owner {
    pub(crate) kind: String,
    pub(crate) name: String,
}

impl Step {
    /// The step of a plan that this adapter made for this cluster.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for another adapter's plan, [`ErrorKind::Precondition`] for another cluster's.
    pub(crate) fn of(plan: &Plan, cluster: &str, operation: &'static str) -> Result<Self, AdapterError> {
        let step = serde_json::from_value(plan.payload.clone()).map_err(|_| {
            AdapterError::new(ErrorKind::Invalid, operation)
                .with_context("this plan isn't one of this adapter")
        })?;
        if plan.pins.get(CLUSTER).is_none_or(|pinned| pinned != cluster) {
            let context = "it was planned for another cluster; hand it to that one's adapter";
            return Err(AdapterError::new(ErrorKind::Precondition, operation).with_context(context));
        }
        Ok(step)
    }

    /// The payload of a plan.
    pub(crate) fn payload(&self) -> Result<Value, AdapterError> {
        serde_json::to_value(self)
            .map_err(|error| AdapterError::new(ErrorKind::Invalid, PLAN).caused_by(error))
    }
}

/// Pins what is seen of `object`. The version is what was seen, for people; held to are the others.
pub(crate) fn pin(plan: Plan, object: &Value) -> Plan {
    let plan = plan.with_pin(UID, uid(object)).with_pin(RESOURCE_VERSION, resource_version(object));
    let plan = match number(object, "/metadata/generation") {
        0 => plan,
        generation => plan.with_pin(GENERATION, &generation.to_string()),
    };
    match annotation(object, "deployment.kubernetes.io/revision") {
        Some(revision) => plan.with_pin(REVISION, revision),
        None => plan,
    }
}

pub(crate) fn is_pinned(plan: &Plan, name: &str, value: &str) -> bool {
    plan.pins.get(name).is_some_and(|pinned| pinned == value)
}

/// The world isn't as pinned.
pub(crate) fn moved(what: &str) -> AdapterError {
    AdapterError::new(ErrorKind::Precondition, EXECUTE)
        .with_context(format!("{what} since the plan was made; make a new one"))
}

/// This isn't done, and what to do instead.
pub(crate) fn refuse(context: impl Into<String>) -> AdapterError {
    AdapterError::new(ErrorKind::Refused, PLAN).with_context(context)
}
