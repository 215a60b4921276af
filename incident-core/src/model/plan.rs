//! From a plan to an execution: what exactly will be done, who agreed to exactly that, and what came of it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::id::{Digest, Seq};
use crate::model::mitigation::Mitigation;
use crate::model::role::PersonId;
use crate::model::time::Time;

/// What a mitigator means to do, resolved against the live system. It is digested as stored and executed as digested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Plan {
    /// What it is for.
    pub mitigation: Mitigation,
    /// The full identity of what is changed, such as `prod/shop/deployment/checkout`; at most one mitigation runs on it.
    pub target: String,
    /// What will be different, line by line, for the people who approve.
    pub changes: Vec<Change>,
    /// How much is hit.
    #[serde(default)]
    pub blast_radius: BlastRadius,
    /// Whether, and how far, there is a way back.
    pub reversible: Reversible,
    /// What the people who approve must know.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// What the plan saw – uid, revision, resourceVersion – and what execution holds the world to.
    #[serde(default)]
    pub pins: BTreeMap<String, String>,
    /// How long the change may take to show that it holds; none leaves that to the runbook, which the engine then writes in.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "humantime_serde")]
    pub verify_within: Option<Duration>,
    /// The permissions it needs, as the backend names them.
    #[serde(default)]
    pub permissions: Vec<String>,
    /// What the mitigator needs to carry it out; its own business.
    #[serde(default)]
    pub payload: Value,
}

impl Plan {
    /// A plan to do `mitigation` on `target`, with a way back unless said otherwise.
    #[must_use]
    pub fn new(mitigation: Mitigation, target: &str, reversible: Reversible) -> Self {
        Self {
            mitigation,
            target: target.to_owned(),
            changes: Vec::new(),
            blast_radius: BlastRadius::default(),
            reversible,
            warnings: Vec::new(),
            pins: BTreeMap::new(),
            verify_within: None,
            permissions: Vec::new(),
            payload: Value::Null,
        }
    }

    /// With one more change.
    #[must_use]
    pub fn with_change(mut self, what: &str, from: &str, to: &str) -> Self {
        self.changes.push(Change { what: what.to_owned(), from: from.to_owned(), to: to.to_owned() });
        self
    }

    /// With one more warning.
    #[must_use]
    pub fn with_warning(mut self, warning: &str) -> Self {
        self.warnings.push(warning.to_owned());
        self
    }

    /// With one more thing pinned.
    #[must_use]
    pub fn with_pin(mut self, name: &str, value: &str) -> Self {
        self.pins.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With so much time for the change to show that it holds.
    #[must_use]
    pub fn with_verify_within(mut self, within: Duration) -> Self {
        self.verify_within = Some(within);
        self
    }

    /// With the mitigator's own data.
    #[must_use]
    pub fn with_payload(mut self, payload: Value) -> Self {
        self.payload = payload;
        self
    }

    /// With this blast radius.
    #[must_use]
    pub fn with_blast_radius(mut self, radius: BlastRadius) -> Self {
        self.blast_radius = radius;
        self
    }
}

/// One line of a plan's difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Change {
    /// What changes.
    pub what: String,
    /// How it is.
    pub from: String,
    /// How it will be.
    pub to: String,
}

/// How much a plan hits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BlastRadius {
    /// How many instances are touched, if the mitigator can count them.
    #[serde(default)]
    pub instances: Option<u32>,
    /// The share of healthy instances that is left while it runs, in per cent; none if the plan takes nothing down.
    #[serde(default)]
    pub healthy_percent: Option<u8>,
}

impl BlastRadius {
    /// `instances` are touched.
    #[must_use]
    pub fn of(instances: u32) -> Self {
        Self { instances: Some(instances), healthy_percent: None }
    }

    /// While so many per cent stay healthy.
    #[must_use]
    pub fn leaving_healthy(mut self, percent: u8) -> Self {
        self.healthy_percent = Some(percent);
        self
    }
}

/// Whether there is a way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reversible {
    /// Wholly.
    Yes,
    /// In part; the warnings say what stays.
    Partly,
    /// There is nothing to restore, as after a restart.
    NothingToRestore,
    /// No.
    No,
}

/// What a plan is wanted for.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Intent<'a> {
    /// Do this.
    Do(&'a Mitigation),
    /// Take back what this did.
    Undo(&'a Execution),
}

/// A plan that enough persons agreed to, for a system and a severity as they were when it was started.
///
/// It can be had only from the engine, which makes one from the commit that records the start. There is no public
/// constructor, it can't be deserialized, and tests get one by really approving.
///
/// ```compile_fail
/// use incident_core::model::plan::{ApprovedPlan, Plan};
/// fn forge(plan: Plan) -> ApprovedPlan {
///     ApprovedPlan { plan, digest: Default::default(), approved_by: vec![], started: Default::default() }
/// }
/// ```
#[derive(Debug)]
pub struct ApprovedPlan {
    plan: Plan,
    digest: Digest,
    approved_by: Vec<PersonId>,
    started: Seq,
}

impl ApprovedPlan {
    #[cfg(feature = "runtime")]
    pub(crate) fn new(plan: Plan, digest: Digest, approved_by: Vec<PersonId>, started: Seq) -> Self {
        Self { plan, digest, approved_by, started }
    }

    /// What to do.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The digest of the plan as it is stored in the log.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Who agreed.
    #[must_use]
    pub fn approved_by(&self) -> &[PersonId] {
        &self.approved_by
    }

    /// The record of the log that says it was started.
    #[must_use]
    pub fn started(&self) -> Seq {
        self.started
    }
}

/// What a mitigator did. It says that the backend accepted it, not that it had its effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Execution {
    /// What was done.
    pub plan: Plan,
    /// When the backend accepted it, UTC.
    pub accepted_at: Time,
    /// What the backend calls it, if anything.
    #[serde(default)]
    pub reference: Option<String>,
    /// What undoing needs: the state before.
    #[serde(default)]
    pub before: Value,
}

impl Execution {
    /// `plan` was accepted at `accepted_at`.
    #[must_use]
    pub fn new(plan: Plan, accepted_at: Time) -> Self {
        Self { plan, accepted_at, reference: None, before: Value::Null }
    }

    /// With the backend's name for it.
    #[must_use]
    pub fn with_reference(mut self, reference: &str) -> Self {
        self.reference = Some(reference.to_owned());
        self
    }

    /// With the state before, for the way back.
    #[must_use]
    pub fn with_before(mut self, before: Value) -> Self {
        self.before = before;
        self
    }
}

/// One look at whether a change holds. Whether it helped is for the probes to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// Not yet; look again after so long.
    Pending {
        /// How long to wait.
        again: Duration,
        /// What it waits for.
        detail: String,
    },
    /// The change is in and holds.
    Holds,
    /// It isn't, and won't.
    Failed {
        /// Why.
        detail: String,
    },
}
