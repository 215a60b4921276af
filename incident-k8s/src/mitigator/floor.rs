//! Changing the least number of replicas that an autoscaler may choose.

use incident_core::model::plan::{Execution, Plan, Reversible, Verification};
use incident_core::port::{AdapterError, Found};
use serde_json::{Value, json};

use super::Look;
use super::draft::Draft;
use super::scale::ready;
use crate::history::is_observed;
use crate::object::{annotation, controller, name, resource_version, text, uid, whole};
use crate::radius;
use crate::request::{MARKER, MERGE_PATCH, Request, Resource};
use crate::rollout::desired;
use crate::step::{Action, Autoscaler, EXECUTE, FIND, PLAN, VERIFY, moved, refuse};
use crate::target::{Target, is_name};

impl Look<'_> {
    /// What chooses the number of the workload's replicas, if anything does.
    pub(super) async fn autoscaler(&self, target: &Target) -> Result<Option<Scaler>, AdapterError> {
        let namespace = Some(target.namespace.as_str());
        let scales = |object: &&Value| {
            let kind = text(object, "/spec/scaleTargetRef/kind");
            let kind = if kind.is_empty() { "Deployment" } else { kind };
            kind == target.kind.camel() && text(object, "/spec/scaleTargetRef/name") == target.name
        };
        let autoscalers = self.list(PLAN, &Request::list(&Resource::AUTOSCALERS, namespace)).await?;
        let Some(found) = autoscalers.into_iter().find(|object| scales(&object)) else { return Ok(None) };
        // KEDA makes an autoscaler of its own from a ScaledObject, and would set it back.
        let of_keda = controller(&found).filter(|owner| text(owner, "/kind") == "ScaledObject");
        if let Some(owner) = of_keda.map(|owner| text(owner, "/name")).filter(|name| is_name(name)) {
            let request = Request::get(&Resource::SCALED_OBJECTS, &target.namespace, owner);
            let object = self.find(PLAN, &request).await?;
            return Ok(Some(Scaler {
                keda: true,
                object: object.ok_or_else(|| refuse("its ScaledObject is gone"))?,
            }));
        }
        Ok(Some(Scaler { keda: false, object: found }))
    }

    pub(super) async fn plan_floor(
        &self,
        mut draft: Draft,
        workload: &Value,
        found: &Scaler,
        to: i64,
    ) -> Result<Plan, AdapterError> {
        let (Scaler { keda, object }, target, key) = (found, draft.target.clone(), found.key());
        draft.guard(object)?;
        let paused = ["autoscaling.keda.sh/paused", "autoscaling.keda.sh/paused-replicas"];
        if paused.iter().any(|it| annotation(object, it).is_some()) {
            let why = "KEDA is paused for it; scale it with override = keda, or resume KEDA";
            return Err(refuse(why));
        }
        let most = object.pointer(most_at(*keda)).and_then(whole).unwrap_or(100);
        if to > most {
            return Err(refuse(format!(
                "its autoscaler {} may choose {most} at most; raise that first, or override = {key}",
                name(object)
            )));
        }
        if to == 0 && !keda {
            let why = format!("its autoscaler would stand still at 0; override = {key} if that is meant");
            return Err(refuse(why));
        }
        let from = object.pointer(floor_at(*keda)).and_then(whole);
        if from == Some(to) {
            return Err(refuse(format!("its autoscaler keeps at least {to} replicas already")));
        }
        let now = desired(target.kind, workload);
        self.limit(now.max(from.unwrap_or(1)), to)?;
        let autoscaler =
            Autoscaler { keda: *keda, name: name(object).to_owned(), uid: uid(object).to_owned() };
        let request = self.floor_request(&target, &autoscaler, None, Some(to), "dry-run").dry_run();
        self.ask(PLAN, &request).await?;
        let shown = from.map_or_else(|| "not set".to_owned(), |it| it.to_string());
        draft.change(&format!("least replicas of the autoscaler {}", autoscaler.name), shown, to.to_string());
        draft.warn(format!(
            "An autoscaler chooses the number, so its least number is changed and not the workload's {now} replicas."
        ));
        if to < now {
            draft.warn("Whether fewer pods run then is the autoscaler's choice.");
        }
        let resource = resource(*keda);
        draft.needs(format!("get, patch {} in {}", resource.shown(), target.namespace));
        draft.needs(format!("get {} in {}", target.kind.resource().shown(), target.namespace));
        let radius = radius::of_scale(target.kind, workload, to.max(now));
        let action = Action::Floor { autoscaler, from, to: Some(to) };
        Ok(draft.plan(self, workload, Reversible::Yes, action)?.with_blast_radius(radius))
    }

    pub(super) fn floor_request(
        &self,
        target: &Target,
        autoscaler: &Autoscaler,
        version: Option<&str>,
        to: Option<i64>,
        effect: &str,
    ) -> Request {
        let field = if autoscaler.keda { "minReplicaCount" } else { "minReplicas" };
        let mut patch = json!({"metadata": {"annotations": {MARKER: effect}}, "spec": {field: to}});
        if let Some(version) = version {
            patch["metadata"]["resourceVersion"] = json!(version);
        }
        Request::get(&resource(autoscaler.keda), &target.namespace, &autoscaler.name).patch(
            MERGE_PATCH,
            patch,
            self.cluster.manager(),
        )
    }

    pub(super) async fn read_floor(
        &self,
        operation: &'static str,
        target: &Target,
        autoscaler: &Autoscaler,
    ) -> Result<(Value, Option<i64>), AdapterError> {
        let request = Request::get(&resource(autoscaler.keda), &target.namespace, &autoscaler.name);
        let object = self.ask(operation, &request).await?;
        let floor = object.pointer(floor_at(autoscaler.keda)).and_then(whole);
        Ok((object, floor))
    }

    pub(super) async fn set_floor(
        &self,
        target: &Target,
        autoscaler: &Autoscaler,
        from: Option<i64>,
        to: Option<i64>,
        effect: &str,
    ) -> Result<Value, AdapterError> {
        let (object, floor) = self.read_floor(EXECUTE, target, autoscaler).await?;
        let before = json!({ "least": from });
        if annotation(&object, MARKER) == Some(effect) {
            return Ok(before);
        }
        if uid(&object) != autoscaler.uid || floor != from {
            return Err(moved("the autoscaler was changed"));
        }
        let version = Some(resource_version(&object));
        self.write(&self.floor_request(target, autoscaler, version, to, effect)).await?;
        Ok(before)
    }

    pub(super) async fn find_floor(
        &self,
        target: &Target,
        autoscaler: &Autoscaler,
        from: Option<i64>,
        effect: &str,
    ) -> Result<Found<Value>, AdapterError> {
        let (object, floor) = self.read_floor(FIND, target, autoscaler).await?;
        Ok(if annotation(&object, MARKER) == Some(effect) {
            Found::Yes(json!({ "least": from }))
        } else if uid(&object) == autoscaler.uid && floor == from {
            Found::No
        } else {
            Found::CannotTell
        })
    }

    pub(super) async fn verify_floor(
        &self,
        done: &Execution,
        target: &Target,
        autoscaler: &Autoscaler,
        to: Option<i64>,
    ) -> Result<Verification, AdapterError> {
        let (_, floor) = self.read_floor(VERIFY, target, autoscaler).await?;
        // The API fills in what isn't given.
        if floor != to && to.is_some() {
            let detail = "the autoscaler's least number was changed again since".to_owned();
            return Ok(Verification::Failed { detail });
        }
        let request = Request::of(target);
        let workload = self.ask(VERIFY, &request).await?;
        let least = to.unwrap_or(0);
        let workload = self.settling(&request, workload, |it| is_observed(it) && ready(it) >= least).await;
        Ok(self.has_ready(done, target, &workload, least))
    }
}

/// Checks and warns when a workload is started whose autoscaler is inactive because there are no replicas.
pub(super) fn wake(draft: &mut Draft, found: &Scaler, to: i64) -> Result<(), AdapterError> {
    draft.guard(&found.object)?;
    let called = name(&found.object);
    let bound = |at: &str, otherwise| found.object.pointer(at).and_then(whole).unwrap_or(otherwise);
    let (least, most) = (bound(floor_at(false), 1), bound(most_at(false), i64::MAX));
    if to < least || to > most {
        return Err(refuse(format!(
            "its autoscaler {called} allows {least} to {most} replicas; ask for a number between {least} and {most}"
        )));
    }
    draft.warn(format!(
        "Its autoscaler {called} is inactive at 0 replicas. This starts the workload; from then on the autoscaler chooses \
         the number."
    ));
    Ok(())
}

/// An autoscaler as it was found.
pub(super) struct Scaler {
    pub(super) keda: bool,
    object: Value,
}

impl Scaler {
    /// As an override names it.
    pub(super) fn key(&self) -> &'static str {
        if self.keda { "keda" } else { "hpa" }
    }
}

pub(super) fn resource(keda: bool) -> Resource {
    if keda { Resource::SCALED_OBJECTS } else { Resource::AUTOSCALERS }
}

fn floor_at(keda: bool) -> &'static str {
    if keda { "/spec/minReplicaCount" } else { "/spec/minReplicas" }
}

fn most_at(keda: bool) -> &'static str {
    if keda { "/spec/maxReplicaCount" } else { "/spec/maxReplicas" }
}
