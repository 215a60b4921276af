//! Edits of a workload's pod template: from JSON to JSON, so that unknown fields survive.

use std::collections::BTreeMap;

use incident_core::model::id::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::history::Revision;
use crate::object::{items, set, text};

/// The annotation of a template whose change restarts its pods; the one that kubectl uses.
pub(crate) const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// What is done to a template. It holds no value that people didn't ask for, so no secret gets into a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Edit {
    /// It becomes that of this revision.
    Revision { number: i64, name: String, uid: String, digest: Digest },
    /// A container gets these requests and limits beside those that it has.
    Resources { container: String, requests: BTreeMap<String, String>, limits: BTreeMap<String, String> },
    /// A container gets these variables, whatever they were.
    Environment { container: String, variables: BTreeMap<String, String> },
    /// Nothing but the time of the restart, which was fixed when it was planned.
    Restart { at: String },
}

/// Why a template can't be edited like this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EditError {
    #[error("there is no container {0}; there are {1}")]
    NoContainer(String, String),
    #[error("the revision that was planned is gone")]
    RevisionGone,
}

impl Edit {
    pub(crate) fn to(revision: &Revision) -> Self {
        Self::Revision {
            number: revision.number,
            name: revision.name.clone(),
            uid: revision.uid.clone(),
            digest: revision.digest,
        }
    }

    /// `template` after this edit; a revision's own template has to be at hand.
    ///
    /// # Errors
    /// [`EditError`].
    pub(crate) fn apply(&self, template: &Value, revision: Option<&Revision>) -> Result<Value, EditError> {
        let mut edited = template.clone();
        match self {
            Self::Revision { uid, digest, .. } => {
                let kept = revision.filter(|it| it.uid == *uid && it.digest == *digest);
                edited = kept.ok_or(EditError::RevisionGone)?.template.clone();
            }
            Self::Resources { container, requests, limits } => {
                let at = container_at(template, container)?.to_string();
                for (kind, wanted) in [("requests", requests), ("limits", limits)] {
                    for (resource, quantity) in wanted {
                        let path = ["spec", "containers", &at, "resources", kind, resource];
                        set(&mut edited, &path, json!(quantity));
                    }
                }
            }
            Self::Environment { container, variables } => {
                let at = container_at(template, container)?;
                let mut env = items(template, &format!("/spec/containers/{at}/env")).to_vec();
                for (name, value) in variables {
                    let entry = json!({"name": name, "value": value});
                    match env.iter().position(|it| text(it, "/name") == name) {
                        Some(place) => env[place] = entry,
                        None => env.push(entry),
                    }
                }
                set(&mut edited, &["spec", "containers", &at.to_string(), "env"], Value::Array(env));
            }
            Self::Restart { at } => set(&mut edited, &["metadata", "annotations", RESTARTED_AT], json!(at)),
        }
        Ok(edited)
    }
}

fn container_at(template: &Value, name: &str) -> Result<usize, EditError> {
    let containers = items(template, "/spec/containers");
    let found = containers.iter().position(|it| text(it, "/name") == name);
    found.ok_or_else(|| {
        let known: Vec<_> = containers.iter().map(|it| text(it, "/name")).collect();
        EditError::NoContainer(name.to_owned(), known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }

    #[test]
    fn an_edit_changes_what_it_names_and_keeps_what_it_does_not_know() {
        let template = json!({"spec": {"fromTheFuture": {"a": 1}, "containers": [
            {"name": "web", "image": "w:1", "newField": true,
             "env": [{"name": "A", "value": "1"}, {"name": "URL", "valueFrom": {"secretKeyRef": {"name": "db"}}}],
             "resources": {"requests": {"cpu": "1"}}},
            {"name": "sidecar", "image": "s:1"},
        ]}});
        let resources = Edit::Resources {
            container: "web".to_owned(),
            requests: map([("memory", "1Gi")]),
            limits: map([("memory", "2Gi")]),
        };
        let environment = Edit::Environment {
            container: "web".to_owned(),
            variables: map([("A", "2"), ("NEW", "x"), ("URL", "y")]),
        };
        for (edit, at, expect) in [
            (
                resources,
                "/spec/containers/0/resources",
                json!({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}),
            ),
            (
                environment,
                "/spec/containers/0/env",
                json!([{"name": "A", "value": "2"}, {"name": "URL", "value": "y"}, {"name": "NEW", "value": "x"}]),
            ),
            (
                Edit::Restart { at: "2026-11-23T14:30:00Z".to_owned() },
                "/metadata",
                json!({"annotations": {RESTARTED_AT: "2026-11-23T14:30:00Z"}}),
            ),
        ] {
            let mut edited = edit.apply(&template, None).unwrap();
            assert_eq!(edited.pointer(at), Some(&expect));
            assert_eq!(edit.apply(&edited, None).unwrap(), edited, "a second time changes nothing");
            assert_eq!(edited["spec"]["fromTheFuture"], json!({"a": 1}));
            assert_eq!(edited["spec"]["containers"][0]["newField"], json!(true));
            assert_eq!(edited["spec"]["containers"][1], template["spec"]["containers"][1]);
            edited["spec"].take();
        }
    }

    #[test]
    fn a_container_has_to_be_named_and_exist() {
        let template = json!({"spec": {"containers": [{"name": "web"}, {"name": "proxy"}]}});
        let edit = Edit::Environment { container: "app".to_owned(), variables: map([]) };
        let error = edit.apply(&template, None).unwrap_err();
        assert_eq!(error, EditError::NoContainer("app".to_owned(), "web, proxy".to_owned()));
    }
}
