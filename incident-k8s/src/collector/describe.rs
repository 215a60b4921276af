//! What there is to see of workloads, pods and events, as data. No I/O, and no value of a variable.

use chrono::DateTime;
use incident_core::model::time::Time;
use serde_json::{Value, json};

use super::Found;
use crate::history::{current, is_observed, revisions};
use crate::mitigator::is_ready;
use crate::object::{controller, items, name, number, text, time};
use crate::ownership::managers;
use crate::pods::{revision, statuses};

pub(super) fn pod(namespace: &str, pod: &Value) -> Value {
    let owner = controller(pod).map(|it| format!("{}/{}", text(it, "/kind"), text(it, "/name")));
    json!({
        "name": name(pod), "namespace": namespace, "revision": revision(pod), "owner": owner, "node": text(pod, "/spec/nodeName"),
        "phase": text(pod, "/status/phase"), "ready": is_ready(pod), "reason": text(pod, "/status/reason"),
        "started_at": text(pod, "/status/startTime"), "deleted_at": pod.pointer("/metadata/deletionTimestamp"),
        "quality_of_service": text(pod, "/status/qosClass"),
        "conditions": items(pod, "/status/conditions").iter().map(condition).collect::<Vec<_>>(),
        "containers": statuses(pod).map(|it| container(pod, it)).collect::<Vec<_>>(),
    })
}

fn container(pod: &Value, status: &Value) -> Value {
    let of = |it: &&Value| text(it, "/name") == text(status, "/name");
    let all = ["/spec/containers", "/spec/initContainers"].into_iter().flat_map(|at| items(pod, at));
    let resources = all.clone().find(of).map(|it| it["resources"].clone());
    json!({
        "name": text(status, "/name"), "image": text(status, "/image"), "image_id": text(status, "/imageID"),
        "ready": status["ready"], "restarts": number(status, "/restartCount"), "resources": resources,
        "state": state(&status["state"]), "last_state": state(&status["lastState"]),
    })
}

fn state(state: &Value) -> Value {
    let Some((kind, of)) = state.as_object().and_then(|it| it.iter().next()) else { return Value::Null };
    json!({
        "is": kind, "reason": of["reason"], "message": of["message"], "exit_code": of["exitCode"],
        "signal": of["signal"], "started_at": of["startedAt"], "finished_at": of["finishedAt"],
    })
}

fn condition(it: &Value) -> Value {
    json!({
        "type": it["type"], "status": it["status"], "reason": it["reason"], "message": it["message"],
        "since": it["lastTransitionTime"], "updated_at": it["lastUpdateTime"],
    })
}

/// A workload with the history of its rollouts. What couldn't be listed is null.
pub(super) fn workload(found: &Found) -> Value {
    let Found { target, object, kept, pods } = found;
    let history = revisions(object, kept.as_deref().unwrap_or_default());
    let live = current(object, &history).map(|it| it.number);
    let shown: Vec<Value> = history
        .iter()
        .map(|it| {
            json!({
                "revision": it.number, "is_current": Some(it.number) == live, "kept_by": it.name,
                "created_at": it.created, "images": it.images(), "change_cause": it.change_cause,
                "template_sha256": it.digest.to_string(),
            })
        })
        .collect();
    json!({
        "workload": target.to_string(), "namespace": target.namespace, "uid": object["metadata"]["uid"],
        "generation": object["metadata"]["generation"], "is_observed": is_observed(object),
        "paused": object["spec"]["paused"], "replicas": object["spec"]["replicas"],
        "strategy": object["spec"].get("strategy").or_else(|| object["spec"].get("updateStrategy")),
        "status": status(object), "managed_by": managers(object).iter().map(ToString::to_string).collect::<Vec<_>>(),
        "revisions": kept.is_some().then_some(shown), "pods": pods.as_ref().map(Vec::len),
    })
}

fn status(object: &Value) -> Value {
    let mut status = object["status"].clone();
    if let Some(conditions) = status.get_mut("conditions") {
        *conditions = items(object, "/status/conditions").iter().map(condition).collect();
    }
    status
}

/// When an event really happened last: newer writers leave the old field empty.
pub(super) fn last_seen(event: &Value) -> Time {
    let places = ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/metadata/creationTimestamp"];
    places.into_iter().find_map(|at| time(event, at)).unwrap_or(DateTime::UNIX_EPOCH)
}

pub(super) fn event(namespace: &str, event: &Value) -> Value {
    let of = &event["involvedObject"];
    let count = number(event, "/series/count").max(number(event, "/count")).max(1);
    json!({
        "last_seen": last_seen(event), "first_seen": time(event, "/firstTimestamp"), "count": count,
        "namespace": namespace, "type": event["type"], "reason": event["reason"], "about": format!("{}/{}", text(of, "/kind"), text(of, "/name")),
        "message": event.get("message").or_else(|| event.get("note")),
    })
}

/// What a pod or node uses, as the metrics API has it.
pub(super) fn usage(metrics: &Value) -> Value {
    let containers: Vec<Value> = items(metrics, "/containers")
        .iter()
        .map(|it| json!({ "name": it["name"], "usage": it["usage"] }))
        .collect();
    json!({
        "name": name(metrics), "at": metrics["timestamp"], "window": metrics["window"],
        "usage": metrics.get("usage"), "containers": containers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_the_time_at_which_it_happened_last() {
        for (event, expect) in [
            (json!({"lastTimestamp": "2026-11-23T14:01:00Z", "eventTime": null}), "2026-11-23T14:01:00Z"),
            (
                json!({"lastTimestamp": null, "eventTime": "2026-11-23T14:02:00.000001Z"}),
                "2026-11-23T14:02:00.000001Z",
            ),
            (
                json!({"series": {"lastObservedTime": "2026-11-23T14:03:00Z"}, "eventTime": "2026-11-23T14:00:00Z"}),
                "2026-11-23T14:03:00Z",
            ),
            (json!({"metadata": {"creationTimestamp": "2026-11-23T14:04:00Z"}}), "2026-11-23T14:04:00Z"),
        ] {
            assert_eq!(last_seen(&event), expect.parse::<Time>().unwrap(), "{event}");
        }
        assert_eq!(last_seen(&json!({})), DateTime::UNIX_EPOCH);
    }
}
