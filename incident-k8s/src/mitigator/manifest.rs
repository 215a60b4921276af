//! Applying a declared manifest, such as the one of a maintenance page, and taking it back.

use incident_core::model::inert;
use incident_core::model::plan::{Plan, Reversible, Verification};
use incident_core::port::{AdapterError, ErrorKind, Found};
use serde_json::{Value, json};

use super::Look;
use super::draft::{Draft, guarded, is_going};
use super::intent::Asked;
use crate::diff;
use crate::merge::{difference, holds, part, settled, union};
use crate::object::{annotation, digest, items, resource_version, set, text, uid};
use crate::request::{APPLY_PATCH, MARKER, MERGE_PATCH, Request, Resource};
use crate::step::{APPLIED, Action, EXECUTE, FIND, PLAN, STATE, UID, VERIFY, is_pinned, moved, refuse};
use crate::target::Target;

const MOST_SHOWN: usize = 200;
const ABSENT: &str = "absent";

/// A manifest, with everything that the server changes when it is applied.
#[derive(Clone, Copy)]
pub(super) struct Applied<'a> {
    pub(super) plural: &'a str,
    pub(super) manifest: &'a Value,
    /// The changes as a merge patch; null if they aren't known.
    pub(super) changes: &'a Value,
}

impl Applied<'_> {
    fn resource(&self) -> Resource {
        Resource::new(text(self.manifest, "/apiVersion"), self.plural)
    }

    fn request(&self, target: &Target) -> Request {
        Request::get(&self.resource(), &target.namespace, text(self.manifest, "/metadata/name"))
    }

    /// As people name it, such as `ingress/shop`.
    fn named(&self) -> String {
        let kind = text(self.manifest, "/kind").to_ascii_lowercase();
        format!("{kind}/{}", text(self.manifest, "/metadata/name"))
    }

    /// A digest of every field that is touched, as `object` has it.
    fn state(&self, object: &Value) -> String {
        digest(&part(object, &union(self.manifest, self.changes))).to_string()
    }

    fn needs(&self, draft: &mut Draft, verbs: &str) {
        draft.needs(format!("{verbs} {} in {}", self.resource().shown(), draft.target.namespace));
    }
}

impl Look<'_> {
    pub(super) async fn plan_manifest(
        &self,
        asked: &Asked,
        plural: &str,
        manifest: &Value,
    ) -> Result<Plan, AdapterError> {
        let nothing = Applied { plural, manifest, changes: &Value::Null };
        let request = nothing.request(&asked.target);
        let object = self.find(PLAN, &request).await?;
        let mut draft = match &object {
            Some(object) => guarded(asked, object)?,
            None => Draft::of(asked),
        };
        let tried = self.apply_request(&request, manifest, None, "dry-run").dry_run();
        let tried = self.cluster.apply(PLAN, &tried, &self.budget).await?;
        let tried = tried.ok().and_then(|body| serde_json::from_slice::<Value>(&body).ok());
        let tried = tried.ok_or_else(|| {
            AdapterError::new(ErrorKind::Unavailable, PLAN)
                .with_context("the answer to the dry run can't be read")
                .not_applied()
        })?;
        let after = settled(&tried);
        let named = nothing.named();
        let (before, changes) = match &object {
            Some(object) => {
                let live = settled(object);
                let changes =
                    difference(&live, &after).ok_or_else(|| refuse("its traffic goes there already"))?;
                differences(&mut draft, &named, &live, &changes);
                (difference(&after, &live), changes)
            }
            None => {
                differences(&mut draft, &named, &Value::Null, &part(&after, manifest));
                (None, Value::Null)
            }
        };
        draft.warn(
            "When the change takes effect is up to whatever reads it; a health check from outside shows it.",
        );
        let it = Applied { plural, manifest, changes: &changes };
        it.needs(&mut draft, "get, patch");
        if object.is_none() {
            it.needs(&mut draft, "create, delete");
        }
        let reversible = self.way_back(&mut draft, &request, before.as_ref()).await;
        let action = Action::Apply {
            plural: plural.to_owned(),
            manifest: manifest.clone(),
            before: before.clone(),
            changes: changes.clone(),
        };
        let plan = self.pinned(draft, it, object.as_ref(), reversible, action)?;
        Ok(plan.with_pin(APPLIED, &self.applied_before(object.as_ref())))
    }

    /// Tries the undo patch on the object as it is now. It changes nothing yet, but the server rejects a patch that it
    /// could never store.
    async fn way_back(&self, draft: &mut Draft, request: &Request, back: Option<&Value>) -> Reversible {
        let Some(back) = back else { return Reversible::Yes };
        let patch = request.clone().patch(MERGE_PATCH, back.clone(), self.cluster.manager()).dry_run();
        match self.ask(PLAN, &patch).await {
            Ok(_) => Reversible::Yes,
            Err(error) => {
                draft.warn(format!(
                    "The server rejects the undo, so this can't be undone from here: {error}."
                ));
                Reversible::No
            }
        }
    }

    /// A digest of the fields that this adapter applied before: the next apply drops those that it doesn't repeat.
    fn applied_before(&self, object: Option<&Value>) -> String {
        let entries = object.map_or(&[][..], |object| items(object, "/metadata/managedFields"));
        let ours = entries.iter().find(|entry| {
            text(entry, "/manager") == self.cluster.manager() && text(entry, "/operation") == "Apply"
        });
        ours.map_or_else(|| "nothing".to_owned(), |entry| digest(&entry["fieldsV1"]).to_string())
    }

    /// The plan to bring everything back that applying the manifest changed.
    pub(super) async fn plan_restoring(
        &self,
        mut draft: Draft,
        done: &Applied<'_>,
        to: Option<&Value>,
    ) -> Result<Plan, AdapterError> {
        let request = done.request(&draft.target);
        let object = self.find(PLAN, &request).await?;
        let Some(object) = object.filter(|object| !is_going(object)) else {
            return Err(refuse("it is gone already"));
        };
        let live = settled(&object);
        if !holds(&live, &union(done.manifest, done.changes)) {
            return Err(refuse("it was changed since; look at what is there and change it by hand"));
        }
        let try_out = restore_request(&request, &object, to, self.cluster.manager(), "dry-run").dry_run();
        self.ask(PLAN, &try_out).await?;
        let named = done.named();
        match to {
            Some(to) => differences(&mut draft, &named, &live, to),
            None => draft.change(&named, "there", "deleted, as it was not there before"),
        }
        done.needs(&mut draft, if to.is_some() { "get, patch" } else { "get, delete" });
        let action = Action::Restore {
            plural: done.plural.to_owned(),
            manifest: done.manifest.clone(),
            to: to.cloned(),
        };
        let it = Applied { changes: to.unwrap_or(&Value::Null), ..*done };
        self.pinned(draft, it, Some(&object), Reversible::Yes, action)
    }

    fn pinned(
        &self,
        draft: Draft,
        it: Applied<'_>,
        object: Option<&Value>,
        reversible: Reversible,
        action: Action,
    ) -> Result<Plan, AdapterError> {
        let namespace = draft.target.namespace.clone();
        let mut plan = draft.plan(self, object.unwrap_or(&Value::Null), reversible, action)?;
        plan.target = format!("{}/{namespace}/{}", self.cluster.scope().cluster, it.named());
        let state = object.map_or_else(|| ABSENT.to_owned(), |object| it.state(object));
        let uid = object.map_or(ABSENT, uid);
        Ok(plan.with_pin(STATE, &state).with_pin(UID, uid))
    }

    /// Pins the version and the uid of `live`: without the uid, the server would recreate an object that was deleted.
    fn apply_request(
        &self,
        object: &Request,
        manifest: &Value,
        live: Option<&Value>,
        effect: &str,
    ) -> Request {
        let mut applied = manifest.clone();
        set(&mut applied, &["metadata", "annotations", MARKER], json!(effect));
        if let Some(live) = live {
            set(&mut applied, &["metadata", "resourceVersion"], json!(resource_version(live)));
            set(&mut applied, &["metadata", "uid"], json!(uid(live)));
        }
        object.clone().patch(APPLY_PATCH, applied, self.cluster.manager())
    }

    pub(super) async fn apply(
        &self,
        plan: &Plan,
        target: &Target,
        it: &Applied<'_>,
        before: Option<&Value>,
        effect: &str,
    ) -> Result<Value, AdapterError> {
        let request = it.request(target);
        let object = self.find(EXECUTE, &request).await?;
        if object.as_ref().is_some_and(|it| annotation(it, MARKER) == Some(effect)) {
            return Ok(json!({ "fields": before }));
        }
        let applied = plan.pins.get(APPLIED);
        let same = applied.is_none_or(|pinned| *pinned == self.applied_before(object.as_ref()));
        if !same || !is_as_pinned(plan, object.as_ref(), it) {
            return Err(moved("it was changed"));
        }
        let write = self.apply_request(&request, it.manifest, object.as_ref(), effect);
        self.cluster.apply(EXECUTE, &write, &self.budget).await?.ok();
        Ok(json!({ "fields": before }))
    }

    pub(super) async fn restore(
        &self,
        plan: &Plan,
        target: &Target,
        it: &Applied<'_>,
        to: Option<&Value>,
        effect: &str,
    ) -> Result<Value, AdapterError> {
        let request = it.request(target);
        let object = self.find(EXECUTE, &request).await?;
        if object.as_ref().is_some_and(|it| annotation(it, MARKER) == Some(effect)) {
            return Ok(Value::Null);
        }
        let Some(object) = object.filter(|object| is_as_pinned(plan, Some(object), it)) else {
            return Err(moved("it was changed"));
        };
        self.write(&restore_request(&request, &object, to, self.cluster.manager(), effect)).await?;
        Ok(Value::Null)
    }

    pub(super) async fn find_manifest(
        &self,
        plan: &Plan,
        target: &Target,
        it: &Applied<'_>,
        deletes: bool,
        effect: &str,
    ) -> Result<Found<Value>, AdapterError> {
        let object = self.find(FIND, &it.request(target)).await?;
        let gone = object.as_ref().is_none_or(|it| !is_pinned(plan, UID, uid(it)) || is_going(it));
        if deletes && gone || object.as_ref().is_some_and(|it| annotation(it, MARKER) == Some(effect)) {
            let step = &plan.payload["action"]["apply"]["before"];
            return Ok(Found::Yes(json!({ "fields": step })));
        }
        Ok(if is_as_pinned(plan, object.as_ref(), it) { Found::No } else { Found::CannotTell })
    }

    pub(super) async fn verify_manifest(
        &self,
        target: &Target,
        plural: &str,
        manifest: &Value,
        wanted: Option<&Value>,
    ) -> Result<Verification, AdapterError> {
        let it = Applied { plural, manifest, changes: &Value::Null };
        let object = self.find(VERIFY, &it.request(target)).await?;
        let holds = match (&object, wanted) {
            (None, None) => true,
            (Some(object), None) => is_going(object),
            (Some(object), Some(wanted)) => holds(&settled(object), wanted),
            _ => false,
        };
        if holds {
            return Ok(Verification::Holds);
        }
        let detail = "it was changed again since; look at who else manages it".to_owned();
        Ok(Verification::Failed { detail })
    }
}

/// Back to the fields `to`, held to the version that `object` has; or its deletion.
fn restore_request(
    request: &Request,
    object: &Value,
    to: Option<&Value>,
    manager: &str,
    effect: &str,
) -> Request {
    let Some(to) = to else { return request.clone().delete(uid(object)) };
    let mut patch = to.clone();
    set(&mut patch, &["metadata", "resourceVersion"], json!(resource_version(object)));
    // Annotations that weren't there before go, all but the one that names this effect.
    if patch.pointer("/metadata/annotations").is_some_and(Value::is_null) {
        let now = object.pointer("/metadata/annotations").and_then(Value::as_object);
        let gone = now.into_iter().flatten().map(|(name, _)| (name.clone(), Value::Null)).collect();
        set(&mut patch, &["metadata", "annotations"], Value::Object(gone));
    }
    set(&mut patch, &["metadata", "annotations", MARKER], json!(effect));
    request.clone().patch(MERGE_PATCH, patch, manager)
}

fn is_as_pinned(plan: &Plan, object: Option<&Value>, it: &Applied<'_>) -> bool {
    match object {
        None => is_pinned(plan, STATE, ABSENT),
        Some(object) => is_pinned(plan, UID, uid(object)) && is_pinned(plan, STATE, &it.state(object)),
    }
}

/// A line for each field that the merge patch `to` changes of `from`.
fn differences(draft: &mut Draft, at: &str, from: &Value, to: &Value) {
    let shown = |it: &Value| match it {
        Value::Null => "none".to_owned(),
        it => {
            let name = at.rsplit('.').next().unwrap_or_default();
            inert::clip(&inert::line(&diff::hidden(name, &it.to_string())), MOST_SHOWN)
        }
    };
    match to {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, to) in fields {
                differences(draft, &format!("{at}.{name}"), from.get(name).unwrap_or(&Value::Null), to);
            }
        }
        _ if from != to => draft.change(&inert::line(at), shown(from), shown(to)),
        _ => {}
    }
}
