//! A workload's revisions, and which of them a rollback means. No I/O.

use chrono::DateTime;
use incident_core::model::id::Digest;
use incident_core::model::time::Time;
use serde_json::Value;

use crate::object::{annotation, digest, is_controlled_by, items, name, number, text, time, uid, whole};
use crate::target::Kind;

const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
/// The annotation in which people write down why they changed something.
pub(crate) const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";
const HASH_LABEL: &str = "pod-template-hash";

/// One revision of a workload's pod template.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Revision {
    pub(crate) number: i64,
    /// The ReplicaSet or ControllerRevision that keeps it.
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) created: Time,
    /// Whether it was in force before, under another number.
    pub(crate) is_reused: bool,
    pub(crate) template: Value,
    pub(crate) digest: Digest,
    /// What somebody wrote down as its cause. Kubernetes carries it on to other revisions, so it proves nothing.
    pub(crate) change_cause: Option<String>,
}

impl Revision {
    /// The revision that `object`, a ReplicaSet or ControllerRevision, keeps.
    pub(crate) fn of(object: &Value) -> Option<Self> {
        let kept = object.pointer("/spec/template").or_else(|| object.pointer("/data/spec/template"))?;
        let template = bare(kept);
        let number = match object.get("revision").and_then(whole) {
            Some(number) => number,
            None => annotation(object, REVISION)?.parse().ok()?,
        };
        Some(Self {
            number,
            name: name(object).to_owned(),
            uid: uid(object).to_owned(),
            created: time(object, "/metadata/creationTimestamp").unwrap_or(DateTime::UNIX_EPOCH),
            is_reused: annotation(object, HISTORY).is_some_and(|it| !it.is_empty()),
            digest: digest(&template),
            template,
            change_cause: annotation(object, CHANGE_CAUSE).map(str::to_owned),
        })
    }

    /// The images of its containers.
    pub(crate) fn images(&self) -> Vec<&str> {
        items(&self.template, "/spec/containers").iter().map(|it| text(it, "/image")).collect()
    }
}

/// A template without what the controllers add to their copies of it.
pub(crate) fn bare(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(fields) = template.as_object_mut() {
        fields.remove("$patch");
    }
    for pointer in ["/metadata", "/metadata/labels"] {
        if let Some(fields) = template.pointer_mut(pointer).and_then(Value::as_object_mut) {
            fields.remove(HASH_LABEL);
            // The API writes it into copies and leaves it out elsewhere.
            if fields.get("creationTimestamp").is_some_and(Value::is_null) {
                fields.remove("creationTimestamp");
            }
        }
    }
    template
}

/// The template of a live workload.
pub(crate) fn template(workload: &Value) -> Value {
    bare(workload.pointer("/spec/template").unwrap_or(&Value::Null))
}

/// The revisions that belong to `workload`, newest first.
pub(crate) fn revisions(workload: &Value, kept: &[Value]) -> Vec<Revision> {
    let own = kept.iter().filter(|object| is_controlled_by(object, uid(workload)));
    let mut revisions: Vec<_> = own.filter_map(Revision::of).collect();
    revisions.sort_by_key(|revision| std::cmp::Reverse(revision.number));
    revisions
}

/// Whether the controller has seen the workload as it is written down.
pub(crate) fn is_observed(workload: &Value) -> bool {
    number(workload, "/status/observedGeneration") >= number(workload, "/metadata/generation")
}

/// The revision that is in force, as people name it.
pub(crate) fn current<'a>(workload: &Value, revisions: &'a [Revision]) -> Option<&'a Revision> {
    let live = digest(&template(workload));
    let numbered = annotation(workload, REVISION).and_then(|text| text.parse::<i64>().ok());
    let same = |revision: &&Revision| revision.digest == live;
    let by_number = revisions.iter().find(|it| Some(it.number) == numbered);
    by_number.filter(same).or_else(|| revisions.iter().find(same)).or(by_number)
}

/// Why there is nothing to roll back to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoRevision {
    #[error("it is paused; resume it first")]
    Paused,
    #[error("it is being deleted")]
    Deleting,
    #[error("there is no earlier revision; it keeps {limit}")]
    NoHistory { limit: i64 },
    #[error("there is no revision {wanted}; there are {known}")]
    Unknown { wanted: String, known: String },
    #[error("it is at revision {0} already")]
    AlreadyThere(i64),
    #[error(
        "revision {current} was itself brought back after revision {candidate}, so \"previous\" would bring back what \
         was left; name one of {known}"
    )]
    Ambiguous { current: i64, candidate: i64, known: String },
}

/// The revision that a rollback of `workload` goes to.
///
/// # Errors
/// [`NoRevision`]; each is an answer of its own.
pub(crate) fn resolve<'a>(
    kind: Kind,
    workload: &Value,
    revisions: &'a [Revision],
    wanted: Option<&str>,
) -> Result<&'a Revision, NoRevision> {
    if workload.pointer("/metadata/deletionTimestamp").is_some() {
        return Err(NoRevision::Deleting);
    }
    if kind == Kind::Deployment && is_paused(workload) {
        return Err(NoRevision::Paused);
    }
    let known = || revisions.iter().map(|it| it.number.to_string()).collect::<Vec<_>>().join(", ");
    let current = current(workload, revisions);
    let live = digest(&template(workload));
    if let Some(wanted) = wanted {
        let named = revisions.iter().find(|it| it.number.to_string() == wanted);
        let found = named.ok_or_else(|| NoRevision::Unknown { wanted: wanted.to_owned(), known: known() })?;
        return if found.digest == live { Err(NoRevision::AlreadyThere(found.number)) } else { Ok(found) };
    }
    let candidate = revisions.iter().find(|it| {
        it.digest != live && current.is_none_or(|current| it.uid != current.uid && it.number < current.number)
    });
    let limit = workload.pointer("/spec/revisionHistoryLimit").and_then(whole).unwrap_or(10);
    let candidate = candidate.ok_or(NoRevision::NoHistory { limit })?;
    match current {
        Some(current) if current.is_reused || candidate.created > current.created => {
            Err(NoRevision::Ambiguous {
                current: current.number,
                candidate: candidate.number,
                known: known(),
            })
        }
        _ => Ok(candidate),
    }
}

pub(crate) fn is_paused(workload: &Value) -> bool {
    workload.pointer("/spec/paused").and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn workload(revision: i64, image: &str) -> Value {
        json!({
            "metadata": {"uid": "w", "annotations": {REVISION: revision.to_string()}},
            "spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}},
        })
    }

    fn replica_set(number: i64, image: &str, created: i64) -> Value {
        json!({
            "metadata": {
                "name": format!("web-{image}"), "uid": image,
                "creationTimestamp": DateTime::from_timestamp(created, 0).unwrap().to_rfc3339(),
                "annotations": {REVISION: number.to_string()},
                "ownerReferences": [{"uid": "w", "controller": true}],
            },
            "spec": {"template": {
                "metadata": {"labels": {HASH_LABEL: image}},
                "spec": {"containers": [{"name": "web", "image": image}]},
            }},
        })
    }

    fn labelled(mut workload: Value) -> Value {
        workload["spec"]["template"]["metadata"] = json!({"labels": {}});
        workload
    }

    #[test]
    fn a_rollback_goes_where_a_person_would_expect_or_says_why_not() {
        let kept = [replica_set(1, "a", 10), replica_set(2, "b", 20), replica_set(3, "c", 30)];
        let foreign = json!({"metadata": {"ownerReferences": [{"uid": "x", "controller": true}]}});
        let mut all = kept.to_vec();
        all.push(foreign);
        let live = labelled(workload(3, "c"));
        let revisions = revisions(&live, &all);
        let known = || "3, 2, 1".to_owned();
        for (wanted, expect) in [
            (None, Ok(2)),
            (Some("1"), Ok(1)),
            (Some("3"), Err(NoRevision::AlreadyThere(3))),
            (Some("7"), Err(NoRevision::Unknown { wanted: "7".to_owned(), known: known() })),
            (Some("-1"), Err(NoRevision::Unknown { wanted: "-1".to_owned(), known: known() })),
        ] {
            let got = resolve(Kind::Deployment, &live, &revisions, wanted).map(|it| it.number);
            assert_eq!(got, expect, "{wanted:?}");
        }
        let change = |pointer: &str, value: Value| {
            let mut live = live.clone();
            live.pointer_mut(pointer).unwrap()["changed"] = value;
            let text = live.to_string().replace("changed", "paused");
            serde_json::from_str::<Value>(&text).unwrap()
        };
        let paused = change("/spec", json!(true));
        assert_eq!(resolve(Kind::Deployment, &paused, &revisions, None), Err(NoRevision::Paused));
        let only = &revisions[..1];
        assert_eq!(resolve(Kind::Deployment, &live, only, None), Err(NoRevision::NoHistory { limit: 10 }));
    }

    #[test]
    fn previous_never_brings_back_what_was_just_left() {
        // 1 was brought back and is 3 now; 2 is the bad one. All of it may have happened within a second.
        let mut at_once = replica_set(3, "a", 20);
        at_once["metadata"]["annotations"][HISTORY] = json!("1");
        let live = labelled(workload(3, "a"));
        let at_once = revisions(&live, &[at_once, replica_set(2, "bad", 20)]);
        let why = resolve(Kind::Deployment, &live, &at_once, None).unwrap_err();
        assert!(matches!(why, NoRevision::Ambiguous { candidate: 2, .. }), "{why}");
        let kept = [replica_set(3, "a", 10), replica_set(2, "bad", 20)];
        let revisions = revisions(&live, &kept);
        let ambiguous = NoRevision::Ambiguous { current: 3, candidate: 2, known: "3, 2".to_owned() };
        assert_eq!(resolve(Kind::Deployment, &live, &revisions, None), Err(ambiguous));
        assert_eq!(resolve(Kind::Deployment, &live, &revisions, Some("2")).map(|it| it.number), Ok(2));
    }

    #[test]
    fn a_controller_revision_is_one_too() {
        let object = json!({
            "metadata": {"name": "db-1", "uid": "r", "creationTimestamp": "2026-11-23T06:17:56Z",
                "ownerReferences": [{"uid": "w", "controller": true}]},
            "revision": 4,
            "data": {"spec": {"template": {"$patch": "replace", "spec": {"containers": []}}}},
        });
        let revision = Revision::of(&object).unwrap();
        assert_eq!((revision.number, revision.template), (4, json!({"spec": {"containers": []}})));
    }
}
