//! What a pod's status says about its containers. No I/O.

use std::time::Duration;

use incident_core::model::time::{Time, since};
use serde_json::Value;

use crate::object::{items, label, name, text, time, whole};
use crate::rollout::word;

/// Reasons for which a container waits and won't start by waiting.
const BROKEN: [&str; 9] = [
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "ErrImagePull",
    "ErrImageNeverPull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "PostStartHookError",
];

/// Whether the pod has done its work and isn't meant to run any more.
pub(crate) fn is_over(pod: &Value) -> bool {
    text(pod, "/status/phase") == "Succeeded"
}

/// Whether the pod is leaving, or was evicted and stays as a record of that.
pub(crate) fn is_gone(pod: &Value) -> bool {
    text(pod, "/status/phase") == "Failed"
        || pod.pointer("/metadata/deletionTimestamp").is_some_and(|it| !it.is_null())
}

/// Whether every container of the pod runs now.
pub(crate) fn runs(pod: &Value) -> bool {
    let all = items(pod, "/spec/containers");
    let runs = |container: &Value| {
        let mut statuses = items(pod, "/status/containerStatuses").iter();
        let status = statuses.find(|it| text(it, "/name") == text(container, "/name"));
        status.is_some_and(|it| it.pointer("/state/running").is_some_and(|state| !state.is_null()))
    };
    !all.is_empty() && all.iter().all(runs)
}

/// The status of each container, those that prepare the pod first.
pub(crate) fn statuses(pod: &Value) -> impl Iterator<Item = &Value> {
    items(pod, "/status/initContainerStatuses").iter().chain(items(pod, "/status/containerStatuses"))
}

/// The first thing that keeps a container of the pod from running, if one does: `web-7d9f/app waits: CrashLoopBackOff`.
pub(crate) fn trouble(pod: &Value, now: Time, within: Duration) -> Option<String> {
    statuses(pod).find_map(|status| {
        let container = text(status, "/name");
        let waits = text(status, "/state/waiting/reason");
        if BROKEN.contains(&waits) {
            return Some(format!("{}/{container} waits: {waits}", name(pod)));
        }
        let ended = ["/state/terminated", "/lastState/terminated"].iter().find_map(|at| {
            let ended = status.pointer(at)?;
            let failed = ended.get("exitCode").and_then(whole) != Some(0);
            (failed && since(now, time(ended, "/finishedAt")?) <= within).then_some(ended)
        })?;
        let reason = word(text(ended, "/reason"));
        Some(format!("{}/{container} ended lately: {reason}", name(pod)))
    })
}

/// Names of the containers whose logs there are: regular ones, and those that prepare the pod.
pub(crate) fn containers(pod: &Value) -> impl Iterator<Item = &str> {
    ["/spec/initContainers", "/spec/containers"]
        .into_iter()
        .flat_map(|at| items(pod, at))
        .map(|it| text(it, "/name"))
}

/// The revision a pod is of, as its controller labels it.
pub(crate) fn revision(pod: &Value) -> &str {
    let by = |key: &str| label(pod, key);
    by("pod-template-hash").or_else(|| by("controller-revision-hash")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn trouble_is_seen_behind_a_phase_that_says_running() {
        let now: Time = "2026-11-23T14:30:00Z".parse().unwrap();
        let pod = |status: Value| json!({"metadata": {"name": "p"}, "status": {"phase": "Running", "containerStatuses": [status]}});
        let ended = |code: i64, at: &str| {
            json!({"name": "c", "state": {"running": {}},
                "lastState": {"terminated": {"exitCode": code, "reason": "OOMKilled", "finishedAt": at}}})
        };
        for (status, expect) in [
            (json!({"name": "c", "state": {"running": {}}}), None),
            (json!({"name": "c", "state": {"waiting": {"reason": "ContainerCreating"}}}), None),
            (
                json!({"name": "c", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}),
                Some("p/c waits: CrashLoopBackOff"),
            ),
            (ended(137, "2026-11-23T14:28:00Z"), Some("p/c ended lately: OOMKilled")),
            (ended(137, "2026-11-23T14:00:00Z"), None),
            (ended(0, "2026-11-23T14:29:00Z"), None),
        ] {
            assert_eq!(
                trouble(&pod(status.clone()), now, Duration::from_secs(300)).as_deref(),
                expect,
                "{status}"
            );
        }
    }
}
