//! Changes of a workload's pod template: planned with a dry run, made in one patch, followed until they are rolled out.

use incident_core::model::id::Digest;
use incident_core::model::inert;
use incident_core::model::plan::{Execution, Plan, Reversible, Verification};
use incident_core::model::time::since;
use incident_core::port::{AdapterError, ErrorKind, Found};
use serde_json::{Value, json};
use std::time::Duration;

use super::Look;
use super::draft::{Draft, guarded, is_going};
use super::intent::Asked;
use super::rollback;
use crate::diff;
use crate::history::{CHANGE_CAUSE, Revision, is_paused, template};
use crate::object::{annotation, digest, resource_version, uid, whole};
use crate::ownership::appliers;
use crate::radius;
use crate::request::{JSON_PATCH, MARKER, Request, Resource, replacement};
use crate::rollout::{Rollout, progress_deadline, rollout};
use crate::step::{
    Action, Doomed, EXECUTE, FIND, GENERATION, PLAN, REVISION, TEMPLATE, UID, VERIFY, is_pinned, moved,
    refuse,
};
use crate::target::{Kind, Target};
use crate::template::{Edit, EditError};

const TEMPLATE_AT: &str = "/spec/template";
/// How long after a change a pod that holds a StatefulSet up is still given.
const PATIENCE: Duration = Duration::from_secs(30);

impl Look<'_> {
    pub(super) async fn plan_edit(&self, asked: &Asked, edit: &Edit) -> Result<Plan, AdapterError> {
        let workload = self.ask(PLAN, &Request::of(&asked.target)).await?;
        let draft = guarded(asked, &workload)?;
        if asked.target.kind == Kind::Deployment && is_paused(&workload) {
            return Err(refuse("it is paused, so nothing would happen; resume it first"));
        }
        let edit = match edit {
            Edit::Restart { .. } => Edit::Restart { at: self.now.format("%Y-%m-%dT%H:%M:%SZ").to_string() },
            other => other.clone(),
        };
        self.plan_template(draft, &workload, edit, None, Vec::new()).await
    }

    /// The plan to make `edit`. The server tries it out, and what it would store is what people see and what is looked
    /// for afterwards.
    pub(super) async fn plan_template(
        &self,
        mut draft: Draft,
        workload: &Value,
        edit: Edit,
        revision: Option<&Revision>,
        doomed: Vec<Doomed>,
    ) -> Result<Plan, AdapterError> {
        let target = draft.target.clone();
        let before = template(workload);
        let edited = edit.apply(&before, revision).map_err(|error| refuse(error.to_string()))?;
        if edited == before {
            return Err(refuse("it is so already"));
        }
        let mut patch = replacement(workload, TEMPLATE_AT, &edited, "dry-run", &cause(target.kind, revision));
        // Nothing is stored, so a change of status in between is no conflict.
        if let Some(operations) = patch.as_array_mut() {
            operations.remove(0);
        }
        let request = Request::of(&target).patch(JSON_PATCH, patch, self.cluster.manager()).dry_run();
        let tried = self.ask(PLAN, &request).await?;
        for pod in &doomed {
            self.ask(PLAN, &deletion(&target, pod).dry_run()).await?;
        }
        let after = template(&tried);
        if after == before {
            return Err(refuse(
                "the server's admission puts it back to what it is; look for the policy that does",
            ));
        }
        if let [(name, wanted)] = &cause(target.kind, revision)[..] {
            let shown = |it: Option<&str>| {
                it.map_or_else(|| "none".to_owned(), |it| inert::clip(&inert::line(it), 200))
            };
            let (from, to) = (annotation(workload, name), *wanted);
            if from != to {
                draft.change("change cause", shown(from), shown(to));
            }
        }
        draft.changes.extend(diff::templates(&before, &after, &self.harmless(&edit)));
        for pod in &doomed {
            draft.change(&format!("pod {}", pod.name), "holds the rollout up", "deleted");
        }
        let (resource, namespace) = (target.kind.resource().shown(), &target.namespace);
        draft.needs(format!("get, patch {resource} in {namespace}"));
        if revision.is_some() {
            draft.needs(format!("get {} in {namespace}", rollback::keeper(target.kind).shown()));
        }
        if !doomed.is_empty() {
            draft.needs(format!("get, delete pods in {namespace}"));
        }
        let reversible = reversible(&mut draft, workload, &edit);
        caveats(&mut draft, workload, &edit, &after);
        let radius = radius::of_rollout(target.kind, workload);
        let action = Action::Template { edit, to: digest(&after), doomed };
        let plan = draft.plan(self, workload, reversible, action)?;
        Ok(plan.with_pin(TEMPLATE, &digest(&before).to_string()).with_blast_radius(radius))
    }

    pub(super) async fn edit_template(
        &self,
        plan: &Plan,
        target: &Target,
        edit: &Edit,
        to: Digest,
        doomed: &[Doomed],
        effect: &str,
    ) -> Result<Value, AdapterError> {
        let request = Request::of(target);
        let (workload, revision) = tokio::join!(self.ask(EXECUTE, &request), self.kept(target, edit));
        let workload = workload?;
        let live = template(&workload);
        let was_made = annotation(&workload, MARKER) == Some(effect) && digest(&live) == to;
        if !was_made {
            if let Some(what) = what_moved(plan, target, &workload) {
                return Err(moved(what));
            }
            let revision = revision?;
            let edited = edit.apply(&live, revision.as_ref()).map_err(|error| match error {
                EditError::RevisionGone => moved("the revision was removed"),
                EditError::NoContainer(..) => moved("the container was removed"),
            })?;
            let patch =
                replacement(&workload, TEMPLATE_AT, &edited, effect, &cause(target.kind, revision.as_ref()));
            self.write(&Request::of(target).patch(JSON_PATCH, patch, self.cluster.manager())).await?;
        }
        for pod in doomed {
            self.delete_doomed(target, pod).await?;
        }
        Ok(json!({ "template": plan.pins.get(TEMPLATE), "revision": plan.pins.get(REVISION) }))
    }

    /// Deletes a pod that holds the rollout up. One that is gone or was made anew needs no deletion.
    async fn delete_doomed(&self, target: &Target, pod: &Doomed) -> Result<(), AdapterError> {
        match self.write(&deletion(target, pod)).await {
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Precondition) => Ok(()),
            // The template is changed already: a look finds out that the pod is left.
            Err(error) => Err(error.maybe_applied()),
            Ok(()) => Ok(()),
        }
    }

    /// The revision that `edit` goes to, as it is kept now.
    async fn kept(&self, target: &Target, edit: &Edit) -> Result<Option<Revision>, AdapterError> {
        let Edit::Revision { name, .. } = edit else { return Ok(None) };
        let request = Request::get(&rollback::keeper(target.kind), &target.namespace, name);
        Ok(self.find(EXECUTE, &request).await?.as_ref().and_then(Revision::of))
    }

    pub(super) async fn find_template(
        &self,
        plan: &Plan,
        target: &Target,
        to: Digest,
        doomed: &[Doomed],
        effect: &str,
    ) -> Result<Found<Value>, AdapterError> {
        let Some(workload) = self.find(FIND, &Request::of(target)).await? else {
            return Ok(Found::CannotTell);
        };
        if annotation(&workload, MARKER) == Some(effect) {
            let done = json!({ "template": plan.pins.get(TEMPLATE), "revision": plan.pins.get(REVISION) });
            let stands = digest(&template(&workload)) == to;
            for pod in doomed.iter().filter(|_| stands) {
                let request = Request::get(&Resource::PODS, &target.namespace, &pod.name);
                let left = self.find(FIND, &request).await?;
                if left.is_some_and(|it| uid(&it) == pod.uid && !is_going(&it)) {
                    return Ok(Found::No);
                }
            }
            return Ok(Found::Yes(done));
        }
        let untouched = what_moved(plan, target, &workload).is_none();
        Ok(if untouched { Found::No } else { Found::CannotTell })
    }

    pub(super) async fn verify_template(
        &self,
        done: &Execution,
        target: &Target,
        to: Digest,
    ) -> Result<Verification, AdapterError> {
        let failed = |detail: &str| Ok(Verification::Failed { detail: detail.to_owned() });
        let request = Request::of(target);
        let Some(workload) = self.find(VERIFY, &request).await? else {
            return failed("it was deleted");
        };
        let is_settled = |workload: &Value| {
            digest(&template(workload)) != to
                || !matches!(rollout(target.kind, workload, Some(done.accepted_at)), Rollout::Waiting(_))
        };
        let workload = self.settling(&request, workload, is_settled).await;
        if !is_pinned(&done.plan, UID, uid(&workload)) {
            return failed("it was deleted and made anew");
        }
        if digest(&template(&workload)) != to {
            return failed("its pod template was changed again since; look at who else manages it");
        }
        let within = self.catalogue.verify_within.max(progress_deadline(&workload) + PATIENCE);
        match rollout(target.kind, &workload, Some(done.accepted_at)) {
            Rollout::Done | Rollout::Vacuous => Ok(Verification::Holds),
            Rollout::Paused => failed("it was paused since; resume it"),
            Rollout::Stalled(detail) => Ok(Verification::Failed { detail }),
            Rollout::Waiting(detail) => {
                if target.kind == Kind::StatefulSet && since(self.now, done.accepted_at) >= PATIENCE {
                    let stuck = self.stuck_pods(VERIFY, target, &workload, to).await?;
                    if !stuck.is_empty() {
                        let names: Vec<_> = stuck.iter().map(|pod| pod.name.as_str()).collect();
                        let names = names.join(", ");
                        let detail = format!(
                            "{names} still runs another revision and isn't ready, and the controller waits for it: \
                             propose the custom mitigation delete-pod"
                        );
                        return Ok(Verification::Failed { detail });
                    }
                }
                Ok(self.pending(done, within, detail))
            }
        }
    }
}

/// What isn't as pinned, if anything. Status may change as it likes; the template may not, and neither may it have been
/// changed and changed back.
fn what_moved(plan: &Plan, target: &Target, workload: &Value) -> Option<&'static str> {
    if !is_pinned(plan, UID, uid(workload)) {
        return Some("it was deleted and made anew");
    }
    if !is_pinned(plan, TEMPLATE, &digest(&template(workload)).to_string()) {
        return Some("its pod template was changed");
    }
    // A Deployment's revision counts the changes of its template; its generation those of everything, replicas too.
    let revision = annotation(workload, "deployment.kubernetes.io/revision").unwrap_or_default();
    let generation = workload.pointer("/metadata/generation").and_then(whole).unwrap_or(0);
    let counted = match target.kind {
        Kind::Deployment => is_pinned(plan, REVISION, revision),
        _ => is_pinned(plan, GENERATION, &generation.to_string()),
    };
    if !counted && !is_pinned(plan, crate::step::RESOURCE_VERSION, resource_version(workload)) {
        return Some("it was changed");
    }
    if target.kind == Kind::Deployment && is_paused(workload) {
        return Some("it was paused");
    }
    None
}

/// The change cause that a rollback restores, as kubectl does. Otherwise the controller would copy the bad revision's
/// cause onto the good one.
fn cause(kind: Kind, revision: Option<&Revision>) -> Vec<(&'static str, Option<&str>)> {
    let revision = revision.filter(|_| kind == Kind::Deployment);
    revision.map(|it| (CHANGE_CAUSE, it.change_cause.as_deref())).into_iter().collect()
}

fn deletion(target: &Target, pod: &Doomed) -> Request {
    Request::get(&Resource::PODS, &target.namespace, &pod.name).delete(&pod.uid)
}

fn reversible(draft: &mut Draft, workload: &Value, edit: &Edit) -> Reversible {
    if matches!(edit, Edit::Restart { .. }) {
        return Reversible::NothingToRestore;
    }
    if workload.pointer("/spec/revisionHistoryLimit").and_then(whole) == Some(0) {
        draft.warn("It keeps no old revisions, so this can't be taken back from here.");
        return Reversible::No;
    }
    Reversible::Yes
}

/// What the people who approve must know.
fn caveats(draft: &mut Draft, workload: &Value, edit: &Edit, to: &Value) {
    draft.warn("It replaces the pods: their memory, local files and logs are gone then.");
    if matches!(edit, Edit::Revision { .. }) {
        let used = diff::configuration(to);
        let used = if used.is_empty() {
            String::new()
        } else {
            format!(" It reads {} as they are now.", used.join(", "))
        };
        draft.warn(format!(
            "It brings back the pod template alone: not replicas, strategy, configuration, secrets, services, volumes or \
             migrations.{used}"
        ));
    }
    if annotation(workload, "kubectl.kubernetes.io/last-applied-configuration").is_some() {
        draft.warn("It was made with kubectl apply; the next apply of the same manifest undoes this.");
    }
    for manager in appliers(workload) {
        draft.warn(format!("{manager} manages it with server-side apply; its next apply undoes this."));
    }
    if crate::object::text(workload, "/spec/updateStrategy/type") == "OnDelete" {
        draft.warn("Its update strategy is OnDelete: nothing happens until somebody deletes its pods.");
    }
    let kept = crate::object::number(workload, "/spec/updateStrategy/rollingUpdate/partition");
    if kept > 0 {
        draft.warn(format!("Its partition keeps the first {kept} pods as they are."));
    }
    if let Edit::Resources { requests, limits, .. } = edit
        && requests.is_empty()
        && !limits.is_empty()
    {
        draft.warn("Only limits are set: an autoscaler looks at requests, and pods without them get the limits as theirs.");
    }
}
