//! Changing how many pods run.

use incident_core::model::plan::{Execution, Plan, Reversible, Verification};
use incident_core::port::{AdapterError, Found};
use serde_json::{Value, json};

use super::Look;
use super::draft::{Draft, guarded};
use super::floor::wake;
use super::intent::Asked;
use crate::history::is_observed;
use crate::object::{condition, items, number, resource_version, text, uid};
use crate::radius;
use crate::request::{MERGE_PATCH, Request, Resource};
use crate::rollout::{desired, word};
use crate::step::{Action, EXECUTE, FIND, GENERATION, PLAN, UID, VERIFY, is_pinned, moved, refuse};
use crate::target::{Kind, Target};

impl Look<'_> {
    pub(super) async fn plan_scale(&self, asked: &Asked, replicas: u32) -> Result<Plan, AdapterError> {
        let target = &asked.target;
        if target.kind == Kind::DaemonSet {
            return Err(refuse("a daemonset has a pod on each node; its number isn't to be chosen"));
        }
        let workload = self.ask(PLAN, &Request::of(target)).await?;
        let mut draft = guarded(asked, &workload)?;
        let (from, to) = (desired(target.kind, &workload), i64::from(replicas));
        let namespace = target.namespace.clone();
        draft.needs(format!("list {} in {namespace}", Resource::AUTOSCALERS.shown()));
        if let Some(found) = self.autoscaler(target).await? {
            if draft.overrides(found.key()) {
                draft.warn("This overrides the autoscaler, which sets the number again within seconds.");
            } else if from == 0 && !found.keda {
                // An HPA is inactive at 0 replicas, so raising its minimum would start nothing.
                wake(&mut draft, &found, to)?;
            } else {
                return self.plan_floor(draft, &workload, &found, to).await;
            }
        }
        self.limit(from, to)?;
        self.plan_replicas(draft, &workload, from, to).await
    }

    pub(super) async fn plan_replicas(
        &self,
        mut draft: Draft,
        workload: &Value,
        from: i64,
        to: i64,
    ) -> Result<Plan, AdapterError> {
        let target = draft.target.clone();
        if from == to {
            return Err(refuse(format!("it has {to} replicas already")));
        }
        let request = self.scale_request(&target, None, to).dry_run();
        self.ask(PLAN, &request).await?;
        draft.change("replicas", from.to_string(), to.to_string());
        if to == 0 {
            draft.warn("No pod is left: the service stops.");
        } else if to > from {
            draft.warn("Whether quota and nodes have room shows only when the pods are made.");
        }
        if target.kind == Kind::StatefulSet && to < from {
            draft.warn("The volumes of the pods that go stay, unless their retention policy says otherwise.");
        }
        draft.needs(format!("get {} in {}", target.kind.resource().shown(), target.namespace));
        draft.needs(format!("patch {}/scale in {}", target.kind.resource().shown(), target.namespace));
        let radius = radius::of_scale(target.kind, workload, to);
        let plan = draft.plan(self, workload, Reversible::Yes, Action::Replicas { from, to })?;
        Ok(plan.with_blast_radius(radius))
    }

    /// A jump beyond the limits is more likely a slip than a wish.
    pub(super) fn limit(&self, from: i64, to: i64) -> Result<(), AdapterError> {
        let limits = self.catalogue.scale;
        let most = i64::from(limits.replicas).min(from.max(1).saturating_mul(i64::from(limits.factor)));
        if to > from && to > most {
            return Err(refuse(format!(
                "from {from} replicas at most {most} are allowed in one step (scale.replicas, scale.factor)"
            )));
        }
        Ok(())
    }

    fn scale_request(&self, target: &Target, version: Option<&str>, to: i64) -> Request {
        let mut patch = json!({"spec": {"replicas": to}});
        if let Some(version) = version {
            patch["metadata"] = json!({"resourceVersion": version});
        }
        Request::of(target).subresource("scale").patch(MERGE_PATCH, patch, self.cluster.manager())
    }

    pub(super) async fn set_replicas(
        &self,
        plan: &Plan,
        target: &Target,
        from: i64,
        to: i64,
        effect: &str,
    ) -> Result<Value, AdapterError> {
        let workload = self.ask(EXECUTE, &Request::of(target)).await?;
        let before = json!({ "replicas": from });
        if self.is_manager(&workload, effect) {
            return Ok(before);
        }
        if !is_pinned(plan, UID, uid(&workload)) {
            return Err(moved("it was deleted and made anew"));
        }
        if desired(target.kind, &workload) != from {
            return Err(moved("its number of replicas was changed"));
        }
        let mut request = self.scale_request(target, Some(resource_version(&workload)), to);
        for (name, value) in &mut request.query {
            if *name == "fieldManager" {
                *value = self.manager_of(effect);
            }
        }
        self.write(&request).await?;
        Ok(before)
    }

    /// A scale has no annotations, so the effect is named as the field's manager.
    fn manager_of(&self, effect: &str) -> String {
        format!("{}/{effect}", self.cluster.manager())
    }

    fn is_manager(&self, workload: &Value, effect: &str) -> bool {
        let manager = self.manager_of(effect);
        items(workload, "/metadata/managedFields").iter().any(|entry| text(entry, "/manager") == manager)
    }

    pub(super) async fn find_replicas(
        &self,
        plan: &Plan,
        target: &Target,
        from: i64,
        effect: &str,
    ) -> Result<Found<Value>, AdapterError> {
        let Some(workload) = self.find(FIND, &Request::of(target)).await? else {
            return Ok(Found::CannotTell);
        };
        if self.is_manager(&workload, effect) {
            return Ok(Found::Yes(json!({ "replicas": from })));
        }
        let generation = number(&workload, "/metadata/generation").to_string();
        let untouched = is_pinned(plan, UID, uid(&workload)) && is_pinned(plan, GENERATION, &generation);
        Ok(if untouched { Found::No } else { Found::CannotTell })
    }

    pub(super) async fn verify_replicas(
        &self,
        done: &Execution,
        target: &Target,
        from: i64,
        to: i64,
    ) -> Result<Verification, AdapterError> {
        let request = Request::of(target);
        let workload = self.ask(VERIFY, &request).await?;
        let has = |workload: &Value| {
            let all = number(workload, "/status/replicas");
            ready(workload) >= to && is_observed(workload) && (to > 0 || all == 0)
        };
        let workload = self.settling(&request, workload, has).await;
        let now = desired(target.kind, &workload);
        // Once the workload runs, its autoscaler may choose a higher number.
        let woken = from == 0 && now > to;
        if now != to && !woken {
            let detail = format!("it shall have {now} replicas again; look for an autoscaler or GitOps");
            return Ok(Verification::Failed { detail });
        }
        Ok(self.has_ready(done, target, &workload, to))
    }

    pub(super) fn has_ready(
        &self,
        done: &Execution,
        target: &Target,
        workload: &Value,
        least: i64,
    ) -> Verification {
        let (ready, all) = (ready(workload), number(workload, "/status/replicas"));
        if is_observed(workload) && ready >= least && (least > 0 || all == 0) {
            return Verification::Holds;
        }
        let failure = condition(workload, "ReplicaFailure").filter(|it| text(it, "/status") == "True");
        let why = failure.map(|it| format!(", pods can't be created: {}", word(text(it, "/reason"))));
        let detail = format!("{ready} of {least} pods of {target} are ready{}", why.unwrap_or_default());
        self.pending(done, self.catalogue.verify_within, detail)
    }
}

pub(super) fn ready(workload: &Value) -> i64 {
    number(workload, "/status/readyReplicas")
}
