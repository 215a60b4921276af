//! Whether a workload's last change is rolled out: kubectl's algorithm, put right. No I/O.

use std::time::Duration;

use incident_core::model::time::{Time, after};
use serde_json::Value;

use crate::history::{is_observed, is_paused};
use crate::object::{condition, number, text, time, whole};
use crate::target::Kind;

/// How a rollout stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rollout {
    /// Every pod is of the new revision, and available.
    Done,
    /// There are no pods, so nothing was shown.
    Vacuous,
    /// Not yet.
    Waiting(String),
    /// It won't go on by itself.
    Stalled(String),
    /// Somebody has to resume it.
    Paused,
}

/// How the rollout of `workload` stands. Where a change was made at `since`, what the controller said before that is
/// stale and says nothing about it.
pub(crate) fn rollout(kind: Kind, workload: &Value, since: Option<Time>) -> Rollout {
    if kind == Kind::Deployment && is_paused(workload) {
        return Rollout::Paused;
    }
    if !is_observed(workload) {
        return Rollout::Waiting("the controller hasn't seen the change yet".to_owned());
    }
    match kind {
        Kind::Deployment => deployment(workload, since),
        Kind::StatefulSet => stateful_set(workload),
        Kind::DaemonSet => daemon_set(workload),
        Kind::Pod | Kind::Service => Rollout::Vacuous,
    }
}

/// The progress that the workload itself gives a rollout; one that asks for none gets the API's ten minutes.
pub(crate) fn progress_deadline(workload: &Value) -> Duration {
    let seconds = workload.pointer("/spec/progressDeadlineSeconds").and_then(Value::as_u64).unwrap_or(600);
    // The largest number stands for "never".
    if seconds >= i32::MAX as u64 { Duration::from_secs(600) } else { Duration::from_secs(seconds) }
}

/// How many pods the workload shall have.
pub(crate) fn desired(kind: Kind, workload: &Value) -> i64 {
    match kind {
        Kind::DaemonSet => number(workload, "/status/desiredNumberScheduled"),
        _ => workload.pointer("/spec/replicas").and_then(whole).unwrap_or(1),
    }
}

fn deployment(workload: &Value, since: Option<Time>) -> Rollout {
    let status = |field: &str| number(workload, &format!("/status/{field}"));
    let wanted = desired(Kind::Deployment, workload);
    let progressing = condition(workload, "Progressing");
    if let Some(progressing) = progressing
        && text(progressing, "/reason") == "ProgressDeadlineExceeded"
        && is_about(time(progressing, "/lastUpdateTime"), since, progress_deadline(workload))
    {
        return Rollout::Stalled("it made no progress within its deadline".to_owned());
    }
    // Pod creation may succeed once old pods have made room, so the deadline decides.
    let failing = condition(workload, "ReplicaFailure").filter(|it| {
        text(it, "/status") == "True" && is_about(time(it, "/lastUpdateTime"), since, Duration::ZERO)
    });
    let why = failing.map(|it| format!(", pods can't be created: {}", word(text(it, "/reason"))));
    let why = why.unwrap_or_default();
    let (updated, all, available) =
        (status("updatedReplicas"), status("replicas"), status("availableReplicas"));
    if updated < wanted {
        return Rollout::Waiting(format!("{updated} of {wanted} pods are of the new revision{why}"));
    }
    if all > updated {
        return Rollout::Waiting(format!("{} pods of an old revision are left{why}", all - updated));
    }
    if available < updated {
        return Rollout::Waiting(format!("{available} of {updated} new pods are available{why}"));
    }
    done(wanted)
}

fn stateful_set(workload: &Value) -> Rollout {
    let status = |field: &str| number(workload, &format!("/status/{field}"));
    let wanted = desired(Kind::StatefulSet, workload);
    // If both revisions are the same, every pod is of that revision.
    let whole = text(workload, "/status/updateRevision") == text(workload, "/status/currentRevision");
    let ready = status("readyReplicas");
    let updated = if whole { wanted } else { status("updatedReplicas") };
    let on_delete = text(workload, "/spec/updateStrategy/type") == "OnDelete";
    let partition = number(workload, "/spec/updateStrategy/rollingUpdate/partition");
    let kept = if on_delete { 0 } else { partition.clamp(0, wanted.max(0)) };
    if updated < wanted && on_delete {
        return Rollout::Stalled(only_by_deletion(updated, wanted));
    }
    // The API fills in a partition of 0, with which kubectl takes "all ready" for "all updated".
    if updated < wanted - kept {
        return Rollout::Waiting(format!("{updated} of {} pods are of the new revision", wanted - kept));
    }
    if ready < wanted {
        return Rollout::Waiting(format!("{ready} of {wanted} pods are ready"));
    }
    if updated < wanted {
        return Rollout::Stalled(format!("its partition keeps the first {kept} pods at the old revision"));
    }
    if partition == 0 && !whole && !on_delete {
        return Rollout::Waiting("the controller hasn't finished".to_owned());
    }
    done(wanted)
}

/// Pods that only change when somebody deletes them.
fn only_by_deletion(updated: i64, wanted: i64) -> String {
    format!(
        "{updated} of {wanted} pods are of the last revision; the others change only when somebody deletes them"
    )
}

fn daemon_set(workload: &Value) -> Rollout {
    let status = |field: &str| number(workload, &format!("/status/{field}"));
    let wanted = desired(Kind::DaemonSet, workload);
    let (updated, available) = (status("updatedNumberScheduled"), status("numberAvailable"));
    if updated < wanted && text(workload, "/spec/updateStrategy/type") == "OnDelete" {
        return Rollout::Stalled(only_by_deletion(updated, wanted));
    }
    if updated < wanted {
        return Rollout::Waiting(format!("{updated} of {wanted} pods are of the new revision"));
    }
    if available < wanted {
        return Rollout::Waiting(format!("{available} of {wanted} pods are available"));
    }
    done(wanted)
}

fn done(wanted: i64) -> Rollout {
    if wanted == 0 { Rollout::Vacuous } else { Rollout::Done }
}

/// Whether a condition of the time `said` can be about a change at `since` that it reports no earlier than `after_change`
/// later. The API rounds times down to seconds, so a condition of the same second counts as older.
fn is_about(said: Option<Time>, since: Option<Time>, after_change: Duration) -> bool {
    match (said, since) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(said), Some(since)) if after_change.is_zero() => said > since,
        (Some(said), Some(since)) => after(said, Duration::from_secs(1)) >= after(since, after_change),
    }
}

/// A reason of the API, which is one word; anything else isn't repeated.
pub(crate) fn word(reason: &str) -> &str {
    let is_word =
        !reason.is_empty() && reason.len() <= 64 && reason.bytes().all(|it| it.is_ascii_alphanumeric());
    if is_word { reason } else { "for a reason it doesn't name" }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Option<Time> {
        Some(text.parse().unwrap())
    }

    fn deployment_of(wanted: i64, updated: i64, all: i64, available: i64) -> Value {
        json!({
            "metadata": {"generation": 2},
            "spec": {"replicas": wanted},
            "status": {"observedGeneration": 2, "updatedReplicas": updated, "replicas": all,
                "availableReplicas": available},
        })
    }

    #[test]
    fn a_deployment_is_done_when_every_pod_is_new_and_available() {
        let waiting = |text: &str| Rollout::Waiting(text.to_owned());
        for (workload, expect) in [
            (deployment_of(3, 3, 3, 3), Rollout::Done),
            (deployment_of(3, 1, 4, 3), waiting("1 of 3 pods are of the new revision")),
            (deployment_of(3, 3, 4, 3), waiting("1 pods of an old revision are left")),
            (deployment_of(3, 3, 3, 2), waiting("2 of 3 new pods are available")),
            (deployment_of(0, 0, 0, 0), Rollout::Vacuous),
        ] {
            assert_eq!(rollout(Kind::Deployment, &workload, None), expect, "{workload}");
        }
        let mut unseen = deployment_of(3, 3, 3, 3);
        unseen["metadata"]["generation"] = json!(3);
        assert!(matches!(rollout(Kind::Deployment, &unseen, None), Rollout::Waiting(_)));
        let mut paused = deployment_of(3, 3, 3, 3);
        paused["spec"]["paused"] = json!(true);
        assert_eq!(rollout(Kind::Deployment, &paused, None), Rollout::Paused);
    }

    #[test]
    fn a_deadline_that_passed_before_the_change_says_nothing_about_it() {
        let mut workload = deployment_of(3, 3, 4, 3);
        workload["status"]["conditions"] = json!([{"type": "Progressing", "status": "False",
            "reason": "ProgressDeadlineExceeded", "lastUpdateTime": "2026-11-23T06:18:30Z"}]);
        workload["spec"]["progressDeadlineSeconds"] = json!(8);
        // Within the second of the change, and for the whole deadline after it, the verdict can only be the old one.
        for (since, stalled) in [
            (None, true),
            (at("2026-11-23T06:18:22Z"), true),
            (at("2026-11-23T06:18:22.900Z"), true),
            (at("2026-11-23T06:18:29Z"), false),
            (at("2026-11-23T06:18:30.900Z"), false),
            (at("2026-11-23T06:18:32Z"), false),
        ] {
            let got = rollout(Kind::Deployment, &workload, since);
            assert_eq!(matches!(got, Rollout::Stalled(_)), stalled, "{since:?}");
        }
    }

    #[test]
    fn stateful_and_daemon_sets_are_held_to_the_revision_too() {
        let set = |partition: i64, updated: i64, ready: i64, update: &str| {
            json!({
                "metadata": {"generation": 2},
                "spec": {"replicas": 3, "updateStrategy": {"type": "RollingUpdate",
                    "rollingUpdate": {"partition": partition}}},
                "status": {"observedGeneration": 2, "updatedReplicas": updated, "readyReplicas": ready,
                    "updateRevision": update, "currentRevision": "db-1"},
            })
        };
        let on_delete = |updated: i64, ready: i64| {
            let mut set = set(0, updated, ready, "db-2");
            set["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
            set
        };
        for (workload, expect) in [
            (set(0, 3, 3, "db-1"), "Done"),
            (set(0, 3, 3, "db-2"), "Waiting"),
            (set(0, 1, 3, "db-2"), "Waiting"),
            (set(0, 0, 2, "db-1"), "Waiting"),
            (set(2, 1, 3, "db-2"), "Stalled"),
            (set(2, 0, 3, "db-2"), "Waiting"),
            (set(2, 3, 3, "db-1"), "Done"),
            (set(2, 0, 3, "db-1"), "Done"),
            (set(2, 3, 3, "db-2"), "Done"),
            (set(2, 3, 2, "db-1"), "Waiting"),
            (set(9, 0, 3, "db-2"), "Stalled"),
            (set(9, 3, 3, "db-1"), "Done"),
            (on_delete(3, 3), "Done"),
            (on_delete(3, 2), "Waiting"),
            (on_delete(1, 3), "Stalled"),
        ] {
            let got = format!("{:?}", rollout(Kind::StatefulSet, &workload, None));
            assert!(got.starts_with(expect), "{workload}: {got}");
        }
        let daemons = |updated: i64, available: i64| {
            json!({"metadata": {"generation": 1}, "spec": {}, "status": {"observedGeneration": 1,
                "desiredNumberScheduled": 2, "updatedNumberScheduled": updated, "numberAvailable": available}})
        };
        assert_eq!(rollout(Kind::DaemonSet, &daemons(2, 2), None), Rollout::Done);
        assert!(matches!(rollout(Kind::DaemonSet, &daemons(1, 2), None), Rollout::Waiting(_)));
        let on_delete = |updated: i64, available: i64| {
            let mut set = daemons(updated, available);
            set["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
            rollout(Kind::DaemonSet, &set, None)
        };
        assert_eq!(on_delete(2, 2), Rollout::Done);
        assert!(matches!(on_delete(1, 2), Rollout::Stalled(_)));
        assert!(matches!(on_delete(2, 1), Rollout::Waiting(_)));
    }

    #[test]
    fn an_old_failure_to_create_pods_says_nothing_about_a_change_that_is_through() {
        let mut workload = deployment_of(3, 3, 3, 3);
        workload["status"]["conditions"] = json!([{"type": "ReplicaFailure", "status": "True",
            "reason": "FailedCreate", "lastUpdateTime": "2026-11-23T06:18:30Z"}]);
        for since in [None, at("2026-11-23T06:18:30.900Z"), at("2026-11-23T06:19:00Z")] {
            assert_eq!(rollout(Kind::Deployment, &workload, since), Rollout::Done, "{since:?}");
        }
        workload["status"]["updatedReplicas"] = json!(1);
        let waits = |since| format!("{:?}", rollout(Kind::Deployment, &workload, since));
        assert!(waits(at("2026-11-23T06:18:00Z")).contains("FailedCreate"));
        assert!(!waits(at("2026-11-23T06:18:30.900Z")).contains("FailedCreate"));
    }
}
