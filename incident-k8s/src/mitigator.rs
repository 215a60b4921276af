//! Mitigations of workloads, pods and traffic.

mod draft;
mod floor;
mod intent;
mod manifest;
mod pod;
mod rollback;
mod scale;
mod selector;
mod template;
mod undo;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use incident_core::model::plan::{ApprovedPlan, Execution, Intent, Plan, Verification};
use incident_core::model::time::{Time, after, since, spoken};
use incident_core::port::{
    Adapter, AdapterError, Capabilities, EffectContext, Found, Mitigator, Preflight, PreflightContext,
    ReadContext,
};
use serde_json::Value;

use crate::access;
use crate::budget::Budget;
use crate::catalogue::Catalogue;
use crate::client::Cluster;
use crate::diff::Harmless;
use crate::request::Request;
use crate::step::{Action, EXECUTE, FIND, Step, VERIFY, refuse};
use crate::template::Edit;
use intent::{Asked, Wanted};
use manifest::Applied;

pub(crate) use rollback::is_ready;
pub(crate) use selector::ready_endpoints;

/// How long one look watches an unfinished change; most finish within this time.
const FOLLOWED: Duration = Duration::from_secs(2);

/// Rolls back, scales, restarts, evicts, sets resources and environment, and routes traffic away, on one cluster.
///
/// # Expected flow
/// `plan` reads the live objects and lets the server try the change (`dryRun=All`), so that admission, quota and
/// validation speak before anybody approves. `execute` reads again, fails if anything that was pinned moved, and sends
/// one write that is held to the version just read. `verify` follows the corrected rollout algorithm, one look at a
/// time.
///
/// # Guarantees
/// - A write is sent once, and names the effect: in the annotation `incident-rs.github.io/effect`, or as the field
///   manager where an object has no annotations to change. [`find`](Mitigator::find) looks for that name.
/// - Fields that this adapter doesn't know survive: objects are JSON, and only what changes is patched.
/// - What Argo CD, Flux, Helm or an operator manages isn't touched unless the mitigation names whom it overrides.
///
/// # Caveats
/// A rollback brings back the pod template alone: replicas, configuration, secrets, services and migrations stay.
pub struct K8sMitigator {
    cluster: Cluster,
    catalogue: Arc<Catalogue>,
}

impl K8sMitigator {
    pub(crate) fn new(cluster: Cluster, catalogue: Catalogue) -> Self {
        Self { cluster, catalogue: Arc::new(catalogue) }
    }

    async fn draft_plan(&self, cx: &ReadContext, intent: Intent<'_>) -> Result<Plan, AdapterError> {
        let look = self.look(cx.now, cx.deadline);
        match intent {
            Intent::Do(mitigation) => {
                let asked = Asked::of(mitigation, &self.catalogue, self.cluster.scope())?;
                match &asked.wanted {
                    Wanted::RollBack { to, .. } => look.plan_rollback(&asked, to.as_deref()).await,
                    Wanted::Edit { edit, .. } => look.plan_edit(&asked, edit).await,
                    Wanted::Scale { replicas, .. } => look.plan_scale(&asked, *replicas).await,
                    Wanted::Remove { removal, .. } => look.plan_removal(&asked, *removal).await,
                    Wanted::Select { labels, .. } => look.plan_selector(&asked, labels).await,
                    Wanted::Apply { manifest, plural, .. } => {
                        look.plan_manifest(&asked, plural, manifest).await
                    }
                }
            }
            Intent::Undo(execution) => look.plan_undo(execution).await,
            _ => Err(refuse("this adapter is too old for what is asked")),
        }
    }

    /// Carries `plan` out; whether enough people agreed to it is the type of [`Mitigator::execute`]'s to say.
    pub(crate) async fn carry_out(&self, cx: &EffectContext, plan: &Plan) -> Result<Execution, AdapterError> {
        let look = self.look(cx.now, cx.deadline);
        let step = Step::of(plan, &self.cluster.scope().cluster, EXECUTE)?;
        let effect = cx.effect.to_string();
        let before = match &step.action {
            Action::Template { edit, to, doomed } => {
                look.edit_template(plan, &step.target, edit, *to, doomed, &effect).await?
            }
            Action::Replicas { from, to } => {
                look.set_replicas(plan, &step.target, *from, *to, &effect).await?
            }
            Action::Floor { autoscaler, from, to } => {
                look.set_floor(&step.target, autoscaler, *from, *to, &effect).await?
            }
            Action::Pod { removal, .. } => look.remove_pod(plan, &step.target, *removal).await?,
            Action::Selector { from, to } => look.set_selector(plan, &step.target, from, to, &effect).await?,
            Action::Apply { plural, manifest, before, changes } => {
                let it = Applied { plural, manifest, changes };
                look.apply(plan, &step.target, &it, before.as_ref(), &effect).await?
            }
            Action::Restore { plural, manifest, to } => {
                let it = Applied { plural, manifest, changes: to.as_ref().unwrap_or(&Value::Null) };
                look.restore(plan, &step.target, &it, to.as_ref(), &effect).await?
            }
        };
        Ok(Execution::new(plan.clone(), cx.now).with_reference(&effect).with_before(before))
    }

    async fn look_for(&self, cx: &EffectContext, plan: &Plan) -> Result<Found<Execution>, AdapterError> {
        let look = self.look(cx.now, cx.deadline);
        let step = Step::of(plan, &self.cluster.scope().cluster, FIND)?;
        let effect = cx.effect.to_string();
        let found = match &step.action {
            Action::Template { to, doomed, .. } => {
                look.find_template(plan, &step.target, *to, doomed, &effect).await?
            }
            Action::Replicas { from, .. } => look.find_replicas(plan, &step.target, *from, &effect).await?,
            Action::Floor { autoscaler, from, .. } => {
                look.find_floor(&step.target, autoscaler, *from, &effect).await?
            }
            Action::Pod { .. } => look.find_removal(plan, &step.target).await?,
            Action::Selector { from, .. } => look.find_selector(plan, &step.target, from, &effect).await?,
            Action::Apply { plural, manifest, changes, .. } => {
                let it = Applied { plural, manifest, changes };
                look.find_manifest(plan, &step.target, &it, false, &effect).await?
            }
            Action::Restore { plural, manifest, to } => {
                let it = Applied { plural, manifest, changes: to.as_ref().unwrap_or(&Value::Null) };
                look.find_manifest(plan, &step.target, &it, to.is_none(), &effect).await?
            }
        };
        Ok(match found {
            Found::Yes(before) => {
                Found::Yes(Execution::new(plan.clone(), cx.now).with_reference(&effect).with_before(before))
            }
            Found::No => Found::No,
            Found::CannotTell => Found::CannotTell,
        })
    }

    async fn look_at(&self, cx: &EffectContext, done: &Execution) -> Result<Verification, AdapterError> {
        let look = self.look(cx.now, cx.deadline);
        let step = Step::of(&done.plan, &self.cluster.scope().cluster, VERIFY)?;
        match &step.action {
            Action::Template { to, .. } => look.verify_template(done, &step.target, *to).await,
            Action::Replicas { from, to } => look.verify_replicas(done, &step.target, *from, *to).await,
            Action::Floor { autoscaler, to, .. } => {
                look.verify_floor(done, &step.target, autoscaler, *to).await
            }
            Action::Pod { owner, .. } => look.verify_removal(done, &step.target, owner).await,
            Action::Selector { to, .. } => look.verify_selector(done, &step.target, to).await,
            Action::Apply { plural, manifest, .. } => {
                look.verify_manifest(&step.target, plural, manifest, Some(manifest)).await
            }
            Action::Restore { plural, manifest, to } => {
                look.verify_manifest(&step.target, plural, manifest, to.as_ref()).await
            }
        }
    }

    fn look(&self, now: Time, deadline: Duration) -> Look<'_> {
        Look { cluster: &self.cluster, catalogue: &self.catalogue, budget: Budget::within(deadline), now }
    }
}

/// One call of the engine: where, by when, and what time it is.
struct Look<'a> {
    cluster: &'a Cluster,
    catalogue: &'a Catalogue,
    budget: Budget,
    now: Time,
}

impl Look<'_> {
    async fn ask(&self, operation: &'static str, request: &Request) -> Result<Value, AdapterError> {
        self.cluster.ask(operation, request, &self.budget).await
    }

    async fn find(&self, operation: &'static str, request: &Request) -> Result<Option<Value>, AdapterError> {
        self.cluster.find(operation, request, &self.budget).await
    }

    async fn list(&self, operation: &'static str, request: &Request) -> Result<Vec<Value>, AdapterError> {
        let listed = self.cluster.list(operation, request, &self.budget).await?;
        if listed.truncated {
            return Err(AdapterError::new(incident_core::port::ErrorKind::TooLarge, operation)
                .with_context("there are more objects than a plan can look at"));
        }
        Ok(listed.items)
    }

    async fn write(&self, request: &Request) -> Result<(), AdapterError> {
        self.cluster.write(EXECUTE, request, &self.budget).await
    }

    /// The variables whose values this plan may show, including those named in `edit`.
    fn harmless(&self, edit: &Edit) -> Harmless {
        let asked = match edit {
            Edit::Environment { variables, .. } => variables.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        };
        self.cluster.harmless().with(asked)
    }

    /// Watches the object for a moment until it is as wanted; returns its last state.
    async fn settling(&self, request: &Request, seen: Value, wanted: impl Fn(&Value) -> bool) -> Value {
        if wanted(&seen) {
            return seen;
        }
        let moment = self.budget.share(50).no_longer_than(FOLLOWED);
        self.cluster.watch(VERIFY, request, seen, wanted, &moment).await
    }

    /// Not yet, until `within` has passed since it was accepted.
    fn pending(&self, done: &Execution, within: Duration, detail: String) -> Verification {
        if self.now < after(done.accepted_at, within) {
            return Verification::Pending { again: again(since(self.now, done.accepted_at)), detail };
        }
        Verification::Failed { detail: format!("{detail}, and {} have passed", spoken(within)) }
    }
}

/// How long to wait between two looks at a change: short at first, because most changes finish soon.
fn again(elapsed: Duration) -> Duration {
    Duration::from_secs(match elapsed.as_secs() {
        0..10 => 1,
        10..30 => 2,
        _ => 5,
    })
}

impl fmt::Debug for K8sMitigator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("K8sMitigator").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

#[async_trait]
impl Adapter for K8sMitigator {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("kubernetes")
    }

    async fn preflight(&self, cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        let budget = Budget::within(cx.deadline);
        let mut needed = access::of_mitigations(&self.catalogue);
        needed.extend(access::of_keda(&self.cluster, &budget).await);
        access::review(&self.cluster, &needed, &budget).await
    }
}

#[async_trait]
impl Mitigator for K8sMitigator {
    async fn plan(&self, cx: &ReadContext, intent: Intent<'_>) -> Result<Plan, AdapterError> {
        self.draft_plan(cx, intent).await
    }

    async fn execute(&self, cx: &EffectContext, plan: &ApprovedPlan) -> Result<Execution, AdapterError> {
        self.carry_out(cx, plan.plan()).await
    }

    async fn find(&self, cx: &EffectContext, plan: &Plan) -> Result<Found<Execution>, AdapterError> {
        self.look_for(cx, plan).await
    }

    async fn verify(&self, cx: &EffectContext, execution: &Execution) -> Result<Verification, AdapterError> {
        self.look_at(cx, execution).await
    }
}

#[cfg(test)]
mod tests;
