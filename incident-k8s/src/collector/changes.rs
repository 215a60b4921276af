//! What changed shortly before the incident began, and since: candidates for its cause.

use incident_core::model::time::{Time, before};
use incident_core::port::Capture;
use serde_json::{Value, json};

use super::{Collection, Found, Noted, document};
use crate::budget::Budget;
use crate::diff;
use crate::history::{Revision, revisions, template};
use crate::object::{digest, items, name, text, time};
use crate::request::{Request, Resource};

/// One change, and when it was.
pub(super) struct Candidate {
    at: Time,
    what: Value,
}

/// A ConfigMap or Secret that was written lately.
pub(super) struct Configured {
    namespace: String,
    named: String,
    at: Time,
    what: Value,
}

impl Collection<'_> {
    /// All candidates, the latest first. Configuration is used by workloads of its own namespace alone.
    pub(super) fn changes(
        &self,
        mut all: Vec<Candidate>,
        configured: Vec<Configured>,
        noted: &[Noted],
    ) -> Capture {
        for Configured { namespace, named, at, mut what } in configured {
            let uses = |it: &&Noted| it.target.namespace == namespace && it.uses.contains(&named);
            let used_by: Vec<String> = noted.iter().filter(uses).map(|it| it.target.to_string()).collect();
            what["used_by"] = json!(used_by);
            all.push(Candidate { at, what });
        }
        all.sort_by_key(|candidate| std::cmp::Reverse(candidate.at));
        let shown: Vec<Value> = all.into_iter().map(|it| self.shown(it)).collect();
        document("changes", json!({ "started_at": self.onset.known(), "changes": shown }))
    }

    /// ConfigMaps, and Secrets if that is configured, that were written lately. Only what every object has is asked for:
    /// what they hold may be heavy, and is nobody's business here.
    pub(super) async fn configuration(&self, places: &[String], budget: &Budget) -> Vec<Configured> {
        let mut kinds = vec![("configmap", Resource::CONFIG_MAPS)];
        if self.config.secrets {
            kinds.push(("secret", Resource::SECRETS));
        }
        let mut found = Vec::new();
        for place in places {
            for (kind, resource) in &kinds {
                let request = Request::list(resource, Some(place)).metadata_only();
                let listed = self.listed(&format!("{kind}s in {place}"), &request, budget).await;
                for object in listed.into_iter().flat_map(|it| it.items) {
                    found.extend(self.configured(kind, place, &object));
                }
            }
        }
        found
    }

    fn is_recent(&self, at: Time) -> bool {
        at >= before(self.onset.time(), self.config.changes_within) && at <= self.now
    }

    fn shown(&self, candidate: Candidate) -> Value {
        let Candidate { at, mut what } = candidate;
        what["at"] = json!(at);
        let (distance, seconds) = self.onset.distance(at);
        what[distance] = json!(seconds);
        what
    }

    /// Revisions that were made, with what they changed.
    pub(super) fn revised(&self, found: &Found, all: &mut Vec<Candidate>) {
        let history = revisions(&found.object, found.kept.as_deref().unwrap_or_default());
        for (place, revision) in history.iter().enumerate().filter(|(_, it)| self.is_recent(it.created)) {
            let earlier: Option<&Revision> =
                history[place + 1..].iter().max_by_key(|it| (it.created < revision.created, it.number));
            let changes =
                earlier.map(|it| diff::templates(&it.template, &revision.template, self.cluster.harmless()));
            let what = json!({
                "kind": "revision", "workload": found.target.placed(), "revision": revision.number,
                "after": earlier.map(|it| it.number), "images": revision.images(), "changes": changes,
                "is_current": digest(&template(&found.object)) == revision.digest,
            });
            all.push(Candidate { at: revision.created, what });
        }
    }

    /// Who wrote which fields when, as the server itself notes it; this finds scaling and revisions that were reused.
    pub(super) fn written(&self, of: &str, object: &Value, all: &mut Vec<Candidate>) {
        for entry in items(object, "/metadata/managedFields") {
            let about = text(entry, "/subresource");
            let recent = time(entry, "/time").filter(|at| self.is_recent(*at) && about != "status");
            if let Some(at) = recent {
                let what = json!({
                    "kind": "write", "object": of, "manager": entry["manager"], "operation": entry["operation"],
                    "subresource": entry.get("subresource"), "fields": fields(&entry["fieldsV1"]),
                });
                all.push(Candidate { at, what });
            }
        }
    }

    /// Configuration by its name, its version and which keys were written; never what it says.
    fn configured(&self, kind: &str, namespace: &str, object: &Value) -> Option<Configured> {
        let entries = items(object, "/metadata/managedFields");
        let written = entries.iter().max_by_key(|it| time(it, "/time"));
        let at = written.and_then(|it| time(it, "/time"));
        let at = at.or_else(|| time(object, "/metadata/creationTimestamp"));
        let at = at.filter(|at| self.is_recent(*at))?;
        let what = json!({
            "kind": kind, "name": name(object), "namespace": namespace,
            "resource_version": object["metadata"]["resourceVersion"],
            "manager": written.map(|it| it["manager"].clone()),
            "fields": written.map(|it| fields(&it["fieldsV1"])),
        });
        let named = format!("{kind}/{}", name(object));
        Some(Configured { namespace: namespace.to_owned(), named, at, what })
    }
}

/// The fields of a manager, to the second level: `spec.template`, `metadata.annotations`.
fn fields(tree: &Value) -> Vec<String> {
    let own = |it: &str| it.strip_prefix("f:").map(str::to_owned);
    let mut found = Vec::new();
    for (first, inner) in tree.as_object().into_iter().flatten() {
        let Some(first) = own(first) else { continue };
        let below: Vec<String> =
            inner.as_object().into_iter().flatten().filter_map(|(name, _)| own(name)).collect();
        match below.is_empty() {
            true => found.push(first),
            false => found.extend(below.into_iter().map(|second| format!("{first}.{second}"))),
        }
    }
    found
}
