//! Restarting one instance: its pod is evicted or deleted, and its controller makes another one.

use incident_core::model::plan::{Execution, Plan, Reversible, Verification};
use incident_core::port::{AdapterError, Found};
use serde_json::{Value, json};

use super::Look;
use super::draft::{Draft, is_going};
use super::intent::Asked;
use super::rollback::is_ready;
use crate::object::{controller, is_controlled_by, items, name, number, selector, selects, text, uid, whole};
use crate::radius;
use crate::request::{Request, Resource};
use crate::rollout::{Rollout, rollout};
use crate::step::{Action, FIND, Owner, PLAN, Removal, UID, VERIFY, moved, refuse};
use crate::target::{Kind, Target, is_name};

impl Look<'_> {
    pub(super) async fn plan_removal(&self, asked: &Asked, removal: Removal) -> Result<Plan, AdapterError> {
        let target = &asked.target;
        let pod = self.ask(PLAN, &Request::of(target)).await?;
        if is_going(&pod) {
            return Err(refuse("it is going already"));
        }
        let owner =
            controller(&pod).ok_or_else(|| refuse("nothing would make it anew: it has no controller"))?;
        let owner = Owner { kind: text(owner, "/kind").to_owned(), name: text(owner, "/name").to_owned() };
        let siblings = keeper(&owner).ok_or_else(|| {
            refuse("its controller isn't a replicaset, statefulset or daemonset, so nobody knows what comes after")
        })?;
        let controller = self.ask(PLAN, &Request::get(&siblings, &target.namespace, &owner.name)).await?;
        let mut draft = Draft::of(asked);
        let (what, how) = match removal {
            Removal::Evict => ("pod", "evicted"),
            Removal::Delete => ("pod, whatever disruption budgets say", "deleted"),
        };
        draft.change(what, state(&pod), format!("{how} and made anew by {}", shown(&owner)));
        self.budgets(&mut draft, &pod, removal).await?;
        self.ask(PLAN, &removal_request(target, uid(&pod), removal).dry_run()).await?;
        draft.warn("Its memory, local files and logs are gone then.");
        if owner.kind == "StatefulSet" {
            draft.warn("It keeps its name and volumes; the new one starts only when this one has ended.");
        }
        let radius = radius::of_pod(is_ready(&pod), ready(&controller));
        let plan = draft.plan(self, &pod, Reversible::NothingToRestore, Action::Pod { removal, owner })?;
        Ok(plan.with_blast_radius(radius))
    }

    /// What disruption budgets say of losing the pod. One that forbids it is an answer, and nothing is tried in its
    /// place.
    async fn budgets(&self, draft: &mut Draft, pod: &Value, removal: Removal) -> Result<(), AdapterError> {
        let namespace = draft.target.namespace.clone();
        draft.needs(match removal {
            Removal::Evict => format!("create pods/eviction in {namespace}"),
            Removal::Delete => format!("delete pods in {namespace}"),
        });
        draft.needs(format!("get, list pods in {namespace}"));
        let request = Request::list(&Resource::DISRUPTION_BUDGETS, Some(&namespace));
        let budgets = self.list(PLAN, &request).await?;
        for budget in budgets.iter().filter(|budget| selects(budget, "/spec/selector", pod)) {
            let allowed = number(budget, "/status/disruptionsAllowed");
            match removal {
                Removal::Evict if allowed <= 0 && is_ready(pod) => {
                    return Err(refuse(format!(
                        "the disruption budget {} allows no pod to go now ({} healthy, {} needed)",
                        name(budget),
                        number(budget, "/status/currentHealthy"),
                        number(budget, "/status/desiredHealthy")
                    )));
                }
                Removal::Delete if allowed <= 0 => draft.warn(format!(
                    "The disruption budget {} allows no pod to go now, and this passes it by.",
                    name(budget)
                )),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) async fn remove_pod(
        &self,
        plan: &Plan,
        target: &Target,
        removal: Removal,
    ) -> Result<Value, AdapterError> {
        let pinned = plan.pins.get(UID).map(String::as_str).unwrap_or_default();
        let outcome = self.write(&removal_request(target, pinned, removal)).await;
        outcome.map_err(|error| match error.kind {
            incident_core::port::ErrorKind::NotFound => moved("the pod went"),
            _ => error,
        })?;
        Ok(Value::Null)
    }

    /// Whether the pod is gone. Who made it go makes no difference: going once more adds nothing.
    pub(super) async fn find_removal(
        &self,
        plan: &Plan,
        target: &Target,
    ) -> Result<Found<Value>, AdapterError> {
        let pod = self.find(FIND, &Request::of(target)).await?;
        let stays =
            pod.is_some_and(|pod| plan.pins.get(UID).is_some_and(|it| it == uid(&pod)) && !is_going(&pod));
        Ok(if stays { Found::No } else { Found::Yes(Value::Null) })
    }

    pub(super) async fn verify_removal(
        &self,
        done: &Execution,
        target: &Target,
        owner: &Owner,
    ) -> Result<Verification, AdapterError> {
        let within = self.catalogue.verify_within;
        let pod = self.find(VERIFY, &Request::of(target)).await?;
        if pod.is_some_and(|pod| done.plan.pins.get(UID).is_some_and(|it| it == uid(&pod))) {
            return Ok(self.pending(done, within, format!("{target} is still there")));
        }
        let namespace = &target.namespace;
        let Some(siblings) = keeper(owner) else { return Ok(Verification::Holds) };
        let replaced = "its ReplicaSet was replaced; check the rollout of its deployment";
        let Some(controller) = self.find(VERIFY, &Request::get(&siblings, namespace, &owner.name)).await?
        else {
            return Ok(self.pending(done, within, replaced.to_owned()));
        };
        let wanted = wanted(&controller);
        if wanted == 0 && owner.kind == "ReplicaSet" {
            return self.verify_successor(done, target, &controller).await;
        }
        // The controller's own count may be stale, so the pods themselves are counted.
        let ready = self.ready_pods(namespace, &controller, done.plan.pins.get(UID)).await?;
        if ready >= wanted {
            return Ok(Verification::Holds);
        }
        Ok(self.pending(done, within, format!("{ready} of {wanted} pods of {} are ready", shown(owner))))
    }

    /// If a rollout replaced the pod's ReplicaSet, the whole Deployment has to be rolled out.
    async fn verify_successor(
        &self,
        done: &Execution,
        target: &Target,
        replica_set: &Value,
    ) -> Result<Verification, AdapterError> {
        let deployment =
            controller(replica_set).map(|owner| text(owner, "/name")).filter(|name| is_name(name));
        let Some(deployment) = deployment else { return Ok(Verification::Holds) };
        let request = Request::get(&Resource::DEPLOYMENTS, &target.namespace, deployment);
        let workload = self.ask(VERIFY, &request).await?;
        Ok(match rollout(Kind::Deployment, &workload, None) {
            Rollout::Done | Rollout::Vacuous => Verification::Holds,
            Rollout::Paused => {
                self.pending(done, self.catalogue.verify_within, "its deployment is paused".to_owned())
            }
            Rollout::Waiting(detail) | Rollout::Stalled(detail) => {
                self.pending(done, self.catalogue.verify_within, format!("deployment/{deployment}: {detail}"))
            }
        })
    }

    /// The ready pods of `controller`, without the one that was to go.
    async fn ready_pods(
        &self,
        namespace: &str,
        controller: &Value,
        gone: Option<&String>,
    ) -> Result<i64, AdapterError> {
        let Some(selector) = selector(controller, "/spec/selector") else { return Ok(0) };
        let pods = Request::list(&Resource::PODS, Some(namespace)).with("labelSelector", selector);
        let pods = self.list(VERIFY, &pods).await?;
        let counts = pods.iter().filter(|pod| {
            is_controlled_by(pod, uid(controller))
                && is_ready(pod)
                && !is_going(pod)
                && gone.is_none_or(|gone| gone != uid(pod))
        });
        Ok(i64::try_from(counts.count()).unwrap_or(i64::MAX))
    }
}

fn removal_request(target: &Target, uid: &str, removal: Removal) -> Request {
    match removal {
        Removal::Delete => Request::of(target).delete(uid),
        // The client library's own eviction sends its options under a name that the server doesn't read.
        Removal::Evict => {
            let body = json!({
                "apiVersion": "policy/v1", "kind": "Eviction",
                "metadata": {"name": target.name, "namespace": target.namespace},
                "deleteOptions": {"preconditions": {"uid": uid}},
            });
            Request::post(Request::of(target).subresource("eviction").path, body)
        }
    }
}

/// What keeps the number of pods, if this adapter knows its kind.
fn keeper(owner: &Owner) -> Option<Resource> {
    if !is_name(&owner.name) {
        return None;
    }
    match owner.kind.as_str() {
        "ReplicaSet" => Some(Resource::REPLICA_SETS),
        "StatefulSet" => Some(Resource::STATEFUL_SETS),
        "DaemonSet" => Some(Resource::DAEMON_SETS),
        _ => None,
    }
}

fn shown(owner: &Owner) -> String {
    format!("{}/{}", owner.kind.to_ascii_lowercase(), owner.name)
}

fn ready(controller: &Value) -> i64 {
    number(controller, "/status/readyReplicas").max(number(controller, "/status/numberReady"))
}

fn wanted(controller: &Value) -> i64 {
    let replicas = controller.pointer("/spec/replicas").and_then(whole);
    replicas.unwrap_or_else(|| number(controller, "/status/desiredNumberScheduled"))
}

/// How a pod is, in a few words.
fn state(pod: &Value) -> String {
    let restarts: i64 =
        items(pod, "/status/containerStatuses").iter().map(|it| number(it, "/restartCount")).sum();
    let ready = if is_ready(pod) { "ready" } else { "not ready" };
    format!("{ready}, {restarts} restarts")
}
