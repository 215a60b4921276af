//! Applying a declared manifest, such as the one of a maintenance page, and taking it back.

use incident_core::domain::inert;
use incident_core::domain::plan::{Plan, Reversible, Verification};
use incident_core::port::{AdapterError, Found};
use serde_json::{Value, json};

use super::Look;
use super::draft::{Draft, guarded};
use super::intent::Asked;
use crate::object::{annotation, digest, resource_version, set, text, uid};
use crate::request::{APPLY_PATCH, MARKER, MERGE_PATCH, Request, Resource};
use crate::step::{Action, EXECUTE, FIND, PLAN, STATE, UID, VERIFY, is_pinned, moved, refuse};
use crate::target::Target;

const MOST_SHOWN: usize = 200;
const ABSENT: &str = "absent";

impl Look<'_> {
    pub(super) async fn plan_manifest(
        &self,
        asked: &Asked,
        plural: &str,
        manifest: &Value,
    ) -> Result<Plan, AdapterError> {
        let request = object_request(&asked.target, plural, manifest);
        let object = self.find(PLAN, &request).await?;
        let mut draft = match &object {
            Some(object) => guarded(asked, object)?,
            None => Draft::of(asked),
        };
        let tried =
            self.ask(PLAN, &self.apply_request(&request, manifest, None, "dry-run").dry_run()).await?;
        let before = object.as_ref().map(|object| part(object, manifest));
        let after = part(&tried, manifest);
        if before.as_ref() == Some(&after) {
            return Err(refuse("its traffic goes there already"));
        }
        let kind = text(manifest, "/kind").to_ascii_lowercase();
        let named = format!("{kind}/{}", text(manifest, "/metadata/name"));
        differences(&mut draft, &named, before.as_ref(), &after);
        draft.warn(
            "When the change takes effect is up to whatever reads it; a health check from outside shows it.",
        );
        draft.needs(format!(
            "get, patch {} in {}",
            resource(plural, manifest).shown(),
            asked.target.namespace
        ));
        if before.is_none() {
            draft.needs(format!(
                "create, delete {} in {}",
                resource(plural, manifest).shown(),
                asked.target.namespace
            ));
        }
        let action =
            Action::Apply { plural: plural.to_owned(), manifest: manifest.clone(), before: before.clone() };
        self.pinned(draft, &named, object.as_ref(), before.as_ref(), action)
    }

    /// The plan to bring the fields of `manifest` back to what they were.
    pub(super) async fn plan_restoring(
        &self,
        mut draft: Draft,
        plural: &str,
        manifest: &Value,
        to: Option<&Value>,
    ) -> Result<Plan, AdapterError> {
        let request = object_request(&draft.target, plural, manifest);
        let object = self.find(PLAN, &request).await?;
        let Some(object) = object else { return Err(refuse("it is gone already")) };
        let before = part(&object, manifest);
        if !holds(&object, manifest) {
            return Err(refuse("it was changed since; look at what is there and change it by hand"));
        }
        let try_out = restore_request(&request, &object, to, self.cluster.manager(), "dry-run").dry_run();
        self.ask(PLAN, &try_out).await?;
        let kind = text(manifest, "/kind").to_ascii_lowercase();
        let named = format!("{kind}/{}", text(manifest, "/metadata/name"));
        match to {
            Some(to) => differences(&mut draft, &named, Some(&before), to),
            None => draft.change(&named, "there", "deleted, as it was not there before"),
        }
        let verbs = if to.is_some() { "get, patch" } else { "get, delete" };
        draft.needs(format!("{verbs} {} in {}", resource(plural, manifest).shown(), draft.target.namespace));
        let (plural, manifest, to) = (plural.to_owned(), manifest.clone(), to.cloned());
        let action = Action::Restore { plural, manifest, to };
        self.pinned(draft, &named, Some(&object), Some(&before), action)
    }

    fn pinned(
        &self,
        draft: Draft,
        named: &str,
        object: Option<&Value>,
        before: Option<&Value>,
        action: Action,
    ) -> Result<Plan, AdapterError> {
        let namespace = draft.target.namespace.clone();
        let mut plan = draft.plan(self, object.unwrap_or(&Value::Null), Reversible::Yes, action)?;
        plan.target = format!("{}/{namespace}/{named}", self.cluster.scope().cluster);
        let state = before.map_or_else(|| ABSENT.to_owned(), |before| digest(before).to_string());
        let uid = object.map_or(ABSENT, uid);
        Ok(plan.with_pin(STATE, &state).with_pin(UID, uid))
    }

    fn apply_request(
        &self,
        object: &Request,
        manifest: &Value,
        version: Option<&str>,
        effect: &str,
    ) -> Request {
        let mut applied = manifest.clone();
        set(&mut applied, &["metadata", "annotations", MARKER], json!(effect));
        if let Some(version) = version {
            set(&mut applied, &["metadata", "resourceVersion"], json!(version));
        }
        object.clone().patch(APPLY_PATCH, applied, self.cluster.manager())
    }

    pub(super) async fn apply(
        &self,
        plan: &Plan,
        target: &Target,
        plural: &str,
        manifest: &Value,
        before: Option<&Value>,
        effect: &str,
    ) -> Result<Value, AdapterError> {
        let request = object_request(target, plural, manifest);
        let object = self.find(EXECUTE, &request).await?;
        if object.as_ref().is_some_and(|it| annotation(it, MARKER) == Some(effect)) {
            return Ok(json!({ "fields": before }));
        }
        if !is_as_pinned(plan, object.as_ref(), manifest) {
            return Err(moved("it was changed"));
        }
        let version = object.as_ref().map(resource_version);
        self.write(&self.apply_request(&request, manifest, version, effect)).await?;
        Ok(json!({ "fields": before }))
    }

    pub(super) async fn restore(
        &self,
        plan: &Plan,
        target: &Target,
        plural: &str,
        manifest: &Value,
        to: Option<&Value>,
        effect: &str,
    ) -> Result<Value, AdapterError> {
        let request = object_request(target, plural, manifest);
        let object = self.find(EXECUTE, &request).await?;
        if object.as_ref().is_some_and(|it| annotation(it, MARKER) == Some(effect)) {
            return Ok(Value::Null);
        }
        let Some(object) = object.filter(|object| is_as_pinned(plan, Some(object), manifest)) else {
            return Err(moved("it was changed"));
        };
        self.write(&restore_request(&request, &object, to, self.cluster.manager(), effect)).await?;
        Ok(Value::Null)
    }

    pub(super) async fn find_manifest(
        &self,
        plan: &Plan,
        target: &Target,
        plural: &str,
        manifest: &Value,
        deletes: bool,
        effect: &str,
    ) -> Result<Found<Value>, AdapterError> {
        let object = self.find(FIND, &object_request(target, plural, manifest)).await?;
        let gone = object.as_ref().is_none_or(|it| !is_pinned(plan, UID, uid(it)));
        if deletes && gone || object.as_ref().is_some_and(|it| annotation(it, MARKER) == Some(effect)) {
            let step = &plan.payload["action"]["apply"]["before"];
            return Ok(Found::Yes(json!({ "fields": step })));
        }
        Ok(if is_as_pinned(plan, object.as_ref(), manifest) { Found::No } else { Found::CannotTell })
    }

    pub(super) async fn verify_manifest(
        &self,
        target: &Target,
        plural: &str,
        manifest: &Value,
        wanted: Option<&Value>,
    ) -> Result<Verification, AdapterError> {
        let object = self.find(VERIFY, &object_request(target, plural, manifest)).await?;
        let holds = match (&object, wanted) {
            (None, None) => true,
            (Some(object), Some(wanted)) => holds(object, wanted),
            _ => false,
        };
        if holds {
            return Ok(Verification::Holds);
        }
        let detail = "it was changed again since; look at who else manages it".to_owned();
        Ok(Verification::Failed { detail })
    }
}

fn resource(plural: &str, manifest: &Value) -> Resource {
    Resource::new(text(manifest, "/apiVersion"), plural)
}

fn object_request(target: &Target, plural: &str, manifest: &Value) -> Request {
    Request::get(&resource(plural, manifest), &target.namespace, text(manifest, "/metadata/name"))
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
    set(&mut patch, &["metadata", "annotations", MARKER], json!(effect));
    request.clone().patch(MERGE_PATCH, patch, manager)
}

fn is_as_pinned(plan: &Plan, object: Option<&Value>, manifest: &Value) -> bool {
    match object {
        None => is_pinned(plan, STATE, ABSENT),
        Some(object) => {
            let state = digest(&part(object, manifest)).to_string();
            is_pinned(plan, UID, uid(object)) && is_pinned(plan, STATE, &state)
        }
    }
}

/// The fields of `object` that `shape` has, with null where it has none: what a merge patch makes it again.
fn part(object: &Value, shape: &Value) -> Value {
    match shape {
        Value::Object(fields) => {
            let inner = |name: &str| object.get(name).unwrap_or(&Value::Null);
            Value::Object(fields.iter().map(|(name, it)| (name.clone(), part(inner(name), it))).collect())
        }
        _ => object.clone(),
    }
}

/// Whether `object` has all that `wanted` says; the server may have filled in more inside lists.
fn holds(object: &Value, wanted: &Value) -> bool {
    match (object, wanted) {
        (_, Value::Null) => object.is_null(),
        (Value::Object(_), Value::Object(fields)) => {
            fields.iter().all(|(name, it)| holds(object.get(name).unwrap_or(&Value::Null), it))
        }
        (Value::Array(have), Value::Array(want)) => {
            have.len() == want.len() && have.iter().zip(want).all(|(have, want)| holds(have, want))
        }
        (Value::Null, Value::Object(fields)) => fields.values().all(|it| holds(&Value::Null, it)),
        _ => object == wanted,
    }
}

fn differences(draft: &mut Draft, at: &str, from: Option<&Value>, to: &Value) {
    if let Value::Object(fields) = to {
        for (name, to) in fields {
            differences(draft, &format!("{at}.{name}"), from.and_then(|from| from.get(name)), to);
        }
    } else if from != Some(to) {
        let shown = |it: Option<&Value>| match it {
            None | Some(Value::Null) => "none".to_owned(),
            Some(it) => inert::clip(&inert::line(&it.to_string()), MOST_SHOWN),
        };
        draft.change(&inert::line(at), shown(from), shown(Some(to)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_an_object_makes_it_again() {
        let live = json!({"spec": {"a": 1, "rules": [1], "other": true}, "metadata": {"name": "x"}});
        let manifest = json!({"metadata": {"name": "x"}, "spec": {"a": 2, "b": {"c": 3}, "rules": [9]}});
        let kept = part(&live, &manifest);
        assert_eq!(
            kept,
            json!({"metadata": {"name": "x"}, "spec": {"a": 1, "b": {"c": null}, "rules": [1]}})
        );
        assert!(holds(&live, &kept) && !holds(&live, &manifest));
        let mut restored = live.clone();
        json_patch::merge(&mut restored, &manifest);
        assert!(holds(&restored, &manifest));
        json_patch::merge(&mut restored, &kept);
        assert_eq!(restored["spec"]["a"], 1);
        assert_eq!(restored["spec"]["other"], json!(true));
        assert!(holds(&restored, &kept));
    }
}
