//! What changed shortly before the incident began, and since: candidates for its cause.

use incident_core::domain::id::Digest;
use incident_core::domain::time::{Time, before, since};
use incident_core::port::Capture;
use serde_json::{Value, json};

use super::{Collection, Found, document, namespaces};
use crate::diff;
use crate::history::{Revision, revisions, template};
use crate::object::{digest, items, name, text, time};
use crate::request::{Request, Resource};

/// One change, and when it was.
struct Candidate {
    at: Time,
    what: Value,
}

impl Collection<'_> {
    pub(super) async fn changes(&self, found: &[Found]) -> Capture {
        let mut all = Vec::new();
        for it in found {
            self.revised(it, &mut all);
            self.written(&it.target.to_string(), &it.object, &mut all);
        }
        for namespace in namespaces(found) {
            let request = Request::list(&Resource::CONFIG_MAPS, Some(namespace));
            for object in self.listed(&format!("configmaps in {namespace}"), &request).await.items {
                self.configured("configmap", &object, found, &mut all);
            }
            if self.config.secrets {
                let request = Request::list(&Resource::SECRETS, Some(namespace)).metadata_only();
                for object in self.listed(&format!("secrets in {namespace}"), &request).await.items {
                    self.configured("secret", &object, found, &mut all);
                }
            }
        }
        all.sort_by_key(|candidate| std::cmp::Reverse(candidate.at));
        let shown: Vec<Value> = all.into_iter().map(|it| self.shown(it)).collect();
        document("changes", &json!({ "started_at": self.started_at, "changes": shown }))
    }

    fn is_recent(&self, at: Time) -> bool {
        at >= before(self.started_at, self.config.changes_within) && at <= self.now
    }

    fn shown(&self, candidate: Candidate) -> Value {
        let Candidate { at, mut what } = candidate;
        what["at"] = json!(at);
        if at <= self.started_at {
            what["seconds_before_start"] = json!(since(self.started_at, at).as_secs());
        } else {
            what["seconds_after_start"] = json!(since(at, self.started_at).as_secs());
        }
        what
    }

    /// Revisions that were made, with what they changed.
    fn revised(&self, found: &Found, all: &mut Vec<Candidate>) {
        let history = revisions(&found.object, &found.kept);
        for (place, revision) in history.iter().enumerate().filter(|(_, it)| self.is_recent(it.created)) {
            let earlier: Option<&Revision> =
                history[place + 1..].iter().max_by_key(|it| (it.created < revision.created, it.number));
            let changes = earlier.map(|it| diff::templates(&it.template, &revision.template));
            let what = json!({
                "kind": "revision", "workload": found.target.to_string(), "revision": revision.number,
                "after": earlier.map(|it| it.number), "images": revision.images(), "changes": changes,
                "is_current": digest(&template(&found.object)) == revision.digest,
            });
            all.push(Candidate { at: revision.created, what });
        }
    }

    /// Who wrote which fields when, as the server itself notes it; this finds scaling and revisions that were reused.
    fn written(&self, of: &str, object: &Value, all: &mut Vec<Candidate>) {
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

    /// Configuration by its name, version and digest; never what it says.
    fn configured(&self, kind: &str, object: &Value, found: &[Found], all: &mut Vec<Candidate>) {
        let written =
            items(object, "/metadata/managedFields").iter().filter_map(|it| time(it, "/time")).max();
        let at = written.or_else(|| time(object, "/metadata/creationTimestamp"));
        let Some(at) = at.filter(|at| self.is_recent(*at)) else { return };
        let named = format!("{kind}/{}", name(object));
        let uses = |it: &&Found| diff::configuration(&template(&it.object)).contains(&named);
        let used_by: Vec<String> = found.iter().filter(uses).map(|it| it.target.to_string()).collect();
        // A digest of a short secret could be guessed from; the server isn't even asked for secrets' data.
        let data = (kind == "configmap").then(|| sha256(object));
        let what = json!({
            "kind": kind, "name": name(object), "resource_version": object["metadata"]["resourceVersion"],
            "used_by": used_by, "data_sha256": data,
        });
        all.push(Candidate { at, what });
    }
}

fn sha256(object: &Value) -> Digest {
    digest(&json!([object.get("data"), object.get("binaryData")]))
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
