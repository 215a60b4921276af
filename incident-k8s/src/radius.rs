//! How much a change hits: in pods, and in the share of healthy ones that stays. No I/O.

use incident_core::model::plan::BlastRadius;
use serde_json::Value;

use crate::object::{number, text, whole};
use crate::rollout::desired;
use crate::target::Kind;

/// What replacing every pod of `workload`, as its strategy does it, leaves healthy of what is healthy now. Where nothing
/// is healthy nothing can be lost.
pub(crate) fn of_rollout(kind: Kind, workload: &Value) -> BlastRadius {
    let wanted = desired(kind, workload);
    let down = most_down(kind, workload, wanted);
    of(wanted, healthy(kind, workload), wanted - down)
}

/// What running `to` pods instead leaves healthy.
pub(crate) fn of_scale(kind: Kind, workload: &Value, to: i64) -> BlastRadius {
    let from = desired(kind, workload);
    of((to - from).abs(), healthy(kind, workload), to)
}

/// What losing one pod, healthy or not, leaves of all pods that serve.
pub(crate) fn of_pod(is_healthy: bool, healthy: i64) -> BlastRadius {
    of(1, healthy, if is_healthy { healthy - 1 } else { healthy })
}

/// Everything that a change of traffic reaches.
pub(crate) fn of_traffic(instances: i64) -> BlastRadius {
    BlastRadius::of(count(instances))
}

fn of(touched: i64, healthy: i64, kept: i64) -> BlastRadius {
    let left = kept.clamp(0, healthy.max(0));
    let percent = if healthy <= 0 { 100 } else { left.saturating_mul(100) / healthy };
    BlastRadius::of(count(touched)).leaving_healthy(u8::try_from(percent).unwrap_or(100))
}

fn count(pods: i64) -> u32 {
    u32::try_from(pods.max(0)).unwrap_or(u32::MAX)
}

/// The pods that serve now.
pub(crate) fn healthy(kind: Kind, workload: &Value) -> i64 {
    let field = match kind {
        Kind::DaemonSet => "/status/numberAvailable",
        Kind::StatefulSet => "/status/readyReplicas",
        _ => "/status/availableReplicas",
    };
    number(workload, field)
}

/// How many pods the strategy takes down at once at most.
fn most_down(kind: Kind, workload: &Value, wanted: i64) -> i64 {
    let field = |pointer: &str| workload.pointer(pointer);
    match kind {
        Kind::Deployment if text(workload, "/spec/strategy/type") == "Recreate" => wanted,
        Kind::Deployment => {
            let down =
                portion(field("/spec/strategy/rollingUpdate/maxUnavailable"), wanted, false).unwrap_or(0);
            let surge = portion(field("/spec/strategy/rollingUpdate/maxSurge"), wanted, true).unwrap_or(1);
            // Neither up nor down would never end, so the controller takes one down.
            if down == 0 && surge == 0 { 1 } else { down }
        }
        Kind::StatefulSet => {
            portion(field("/spec/updateStrategy/rollingUpdate/maxUnavailable"), wanted, true)
                .unwrap_or(1)
                .max(1)
        }
        Kind::DaemonSet => {
            let surge = portion(field("/spec/updateStrategy/rollingUpdate/maxSurge"), wanted, true);
            let down = portion(field("/spec/updateStrategy/rollingUpdate/maxUnavailable"), wanted, true);
            down.unwrap_or(if surge.unwrap_or(0) > 0 { 0 } else { 1 })
        }
        Kind::Pod | Kind::Service => 1,
    }
}

/// A number or a percentage of `all`, as the API has it.
fn portion(value: Option<&Value>, all: i64, up: bool) -> Option<i64> {
    let value = value?;
    if let Some(number) = whole(value) {
        return Some(number);
    }
    let percent: i64 = value.as_str()?.strip_suffix('%')?.parse().ok()?;
    let hundredths = all.checked_mul(percent)?;
    Some(if up { (hundredths + 99) / 100 } else { hundredths / 100 })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_stays_healthy_is_what_the_controller_guarantees() {
        let deployment = |replicas: i64, available: i64, down: Value, surge: Value| {
            json!({"spec": {"replicas": replicas, "strategy": {"rollingUpdate":
                {"maxUnavailable": down, "maxSurge": surge}}}, "status": {"availableReplicas": available}})
        };
        let quarter = || json!("25%");
        for (workload, pods, percent) in [
            (deployment(4, 4, quarter(), quarter()), 4, 75),
            (deployment(1, 1, quarter(), quarter()), 1, 100),
            (deployment(3, 3, json!(0), json!(0)), 3, 66),
            (deployment(4, 0, quarter(), quarter()), 4, 100),
            (deployment(10, 2, json!(5), json!(0)), 10, 100),
            (deployment(2, 2, json!("100%"), json!(0)), 2, 0),
        ] {
            let expect = BlastRadius::of(pods).leaving_healthy(percent);
            assert_eq!(of_rollout(Kind::Deployment, &workload), expect, "{workload}");
        }
        let recreate = json!({"spec": {"replicas": 2, "strategy": {"type": "Recreate"}}, "status": {"availableReplicas": 2}});
        assert_eq!(of_rollout(Kind::Deployment, &recreate).healthy_percent, Some(0));
        let set = json!({"spec": {"replicas": 3}, "status": {"readyReplicas": 3}});
        assert_eq!(of_rollout(Kind::StatefulSet, &set).healthy_percent, Some(66));
    }

    #[test]
    fn scaling_down_and_losing_a_pod_count() {
        let workload = json!({"spec": {"replicas": 4}, "status": {"availableReplicas": 4}});
        for (to, pods, percent) in [(8, 4, 100), (2, 2, 50), (0, 4, 0)] {
            let expect = BlastRadius::of(pods).leaving_healthy(percent);
            assert_eq!(of_scale(Kind::Deployment, &workload, to), expect);
        }
        assert_eq!(of_pod(true, 3), BlastRadius::of(1).leaving_healthy(66));
        assert_eq!(of_pod(false, 3), BlastRadius::of(1).leaving_healthy(100));
    }
}
