//! Scaling, by the workload or by what scales it.

use incident_core::model::mitigation::Scale;
use incident_core::port::ErrorKind;
use serde_json::json;

use super::*;
use crate::support::Fault;
use crate::support::samples::{autoscaler, daemon_set};

fn scale(workload: &str, replicas: u32) -> Mitigation {
    Mitigation::Scale(Scale { workload: workload.to_owned(), replicas })
}

async fn shop() -> Shop {
    let shop = Shop::new().await;
    shop.fake.put([deployment("checkout", "web:1")]);
    shop
}

fn replicas(shop: &Shop) -> i64 {
    shop.fake.get("deployments/checkout").unwrap()["spec"]["replicas"].as_i64().unwrap()
}

#[tokio::test]
async fn a_workload_is_scaled_through_its_subresource_and_back() {
    let shop = shop().await;
    let plan = shop.planned(&scale("deployment/checkout", 6)).await;
    assert_eq!(lines(&plan), ["replicas: 3 -> 6"]);
    assert_eq!(
        plan.permissions,
        [
            "list horizontalpodautoscalers.autoscaling in shop",
            "get deployments.apps in shop",
            "patch deployments.apps/scale in shop"
        ]
    );
    assert_eq!(plan.blast_radius.healthy_percent, Some(100));
    let done = shop.done(&plan).await;
    assert_eq!(replicas(&shop), 6);
    assert_eq!(shop.fake.writes()[0].path, "/apis/apps/v1/namespaces/shop/deployments/checkout/scale");
    assert_eq!(shop.verify(&done, 1).await, Verification::Holds);
    assert_eq!(shop.find(&plan).await, Found::Yes(()));
    assert!(shop.execute(&plan).await.is_ok());
    assert_eq!(shop.fake.writes().len(), 1, "the same effect again is no second one");
    let back = shop.undo(&done).await.unwrap();
    assert_eq!(
        (lines(&back), back.blast_radius.healthy_percent),
        (vec!["replicas: 6 -> 3".to_owned()], Some(50))
    );
    shop.mitigator.carry_out(&effect(9), &back).await.unwrap();
    assert_eq!(replicas(&shop), 3);
}

#[tokio::test]
async fn a_slip_a_daemon_set_and_the_present_number_are_refused() {
    let shop = shop().await;
    shop.fake.put([daemon_set("agent", "agent:1")]);
    for (mitigation, why) in [
        (scale("deployment/checkout", 10), "at most 9"),
        (scale("deployment/checkout", 3), "already"),
        (scale("daemonset/agent", 3), "on each node"),
        (scale("pod/checkout", 3), "isn't a deployment"),
        (custom("scale", "deployment/checkout", [("replicas", "many")]), "isn't a number"),
        (custom("scale", "deployment/checkout", [("replicas", "6"), ("override", "hpa")]), "doesn't manage"),
        (
            custom("scale", "deployment/checkout", [("replicas", "6"), ("override", "argocd")]),
            "doesn't manage",
        ),
        (custom("scale", "deployment/checkout", [("replicas", "6"), ("force", "yes")]), "isn't known"),
    ] {
        let error = shop.plan(&mitigation).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused);
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[tokio::test]
async fn an_autoscaler_gets_a_new_least_number_instead() {
    let shop = shop().await;
    shop.fake.put([autoscaler("checkout", 2, 8)]);
    let plan = shop.planned(&scale("deployment/checkout", 6)).await;
    assert_eq!(lines(&plan), ["least replicas of the autoscaler checkout-hpa: 2 -> 6"]);
    assert_eq!(plan.target, "prod/shop/deployment/checkout");
    assert!(plan.permissions.contains(&"get, patch horizontalpodautoscalers.autoscaling in shop".to_owned()));
    let done = shop.done(&plan).await;
    let least =
        || shop.fake.get("horizontalpodautoscalers/checkout-hpa").unwrap()["spec"]["minReplicas"].clone();
    assert_eq!((least(), replicas(&shop)), (json!(6), 3));
    assert!(
        matches!(shop.verify(&done, 1).await, Verification::Pending { .. }),
        "the autoscaler takes its time"
    );
    shop.fake.change("deployments/checkout", |it| it["spec"]["replicas"] = json!(6));
    assert_eq!(shop.verify(&done, 1).await, Verification::Holds);
    assert_eq!(shop.find(&plan).await, Found::Yes(()));
    let back = shop.undo(&done).await.unwrap();
    shop.mitigator.carry_out(&effect(9), &back).await.unwrap();
    assert_eq!(least(), json!(2));

    assert!(shop.refusal(&scale("deployment/checkout", 9)).await.contains("may choose 8 at most"));
    assert!(shop.refusal(&scale("deployment/checkout", 0)).await.contains("stand still"));
    let managed = json!({"metadata": {"annotations": {"meta.helm.sh/release-name": "checkout"}}});
    shop.fake.change("horizontalpodautoscalers/checkout-hpa", |it| json_patch::merge(it, &managed));
    assert!(shop.refusal(&scale("deployment/checkout", 7)).await.contains("helm rollback checkout"));
    let both = custom("scale", "deployment/checkout", [("replicas", "7"), ("override", "helm")]);
    assert!(lines(&shop.planned(&both).await)[0].starts_with("least replicas"));
    let overriding = custom("scale", "deployment/checkout", [("replicas", "9"), ("override", "hpa")]);
    let plan = shop.planned(&overriding).await;
    assert_eq!(lines(&plan), ["replicas: 6 -> 9"]);
    assert!(plan.warnings.iter().any(|it| it.contains("overrides the autoscaler")), "{plan:#?}");
}

#[tokio::test]
async fn what_keda_made_is_changed_where_keda_reads_it() {
    let shop = shop().await;
    shop.fake.state().absent.clear();
    let mut made = autoscaler("checkout", 1, 8);
    made["metadata"]["ownerReferences"] =
        json!([{"kind": "ScaledObject", "name": "checkout", "uid": "k", "controller": true}]);
    let scaled = json!({
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
        "metadata": {"name": "checkout", "namespace": "shop"},
        "spec": {"scaleTargetRef": {"name": "checkout"}, "maxReplicaCount": 8},
    });
    shop.fake.put([made, scaled]);
    let plan = shop.planned(&scale("deployment/checkout", 5)).await;
    assert_eq!(lines(&plan), ["least replicas of the autoscaler checkout: not set -> 5"]);
    let done = shop.done(&plan).await;
    let least = || shop.fake.get("scaledobjects/checkout").unwrap()["spec"].get("minReplicaCount").cloned();
    assert_eq!(least(), Some(json!(5)));
    let back = shop.undo(&done).await.unwrap();
    shop.mitigator.carry_out(&effect(9), &back).await.unwrap();
    assert_eq!(least(), None, "what wasn't set isn't set again");
    shop.fake.change("scaledobjects/checkout", |it| {
        it["metadata"]["annotations"] = json!({"autoscaling.keda.sh/paused": "true"});
    });
    assert!(shop.refusal(&scale("deployment/checkout", 5)).await.contains("KEDA is paused"));
}

#[tokio::test]
async fn nobody_knows_the_autoscaler_so_nothing_is_scaled() {
    let shop = shop().await;
    shop.fake.state().denied.insert("list horizontalpodautoscalers".to_owned());
    let error = shop.plan(&scale("deployment/checkout", 5)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Permission);
}

#[tokio::test]
async fn a_scale_that_others_made_is_not_ours_and_one_that_was_lost_is_found() {
    let shop = shop().await;
    let plan = shop.planned(&scale("deployment/checkout", 6)).await;
    assert_eq!(shop.find(&plan).await, Found::No);
    shop.fake.change("deployments/checkout", |it| it["spec"]["replicas"] = json!(6));
    assert_eq!(shop.find(&plan).await, Found::CannotTell);
    let error = shop.execute(&plan).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Precondition, "{error}");

    let shop = self::shop().await;
    let plan = shop.planned(&scale("deployment/checkout", 6)).await;
    shop.fake.fail_write(Fault::CutAfter);
    assert!(shop.execute(&plan).await.is_err());
    assert_eq!(shop.find(&plan).await, Found::Yes(()));
    let done = shop.done(&plan).await;
    shop.fake.change("deployments/checkout", |it| it["spec"]["replicas"] = json!(2));
    let seen = shop.verify(&done, 1).await;
    assert!(
        matches!(&seen, Verification::Failed { detail } if detail.contains("2 replicas again")),
        "{seen:?}"
    );
}

#[tokio::test]
async fn pods_that_quota_keeps_out_are_seen_when_it_is_verified() {
    let shop = shop().await;
    let done = shop.done(&shop.planned(&scale("deployment/checkout", 6)).await).await;
    shop.fake.state().controllers = false;
    shop.fake.change("deployments/checkout", |it| {
        it["status"]["readyReplicas"] = json!(3);
        it["status"]["conditions"] =
            json!([{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}]);
    });
    let seen = shop.verify(&done, 5_000).await;
    assert!(matches!(&seen, Verification::Failed { detail } if detail.contains("FailedCreate")), "{seen:?}");
}

#[tokio::test]
async fn a_workload_at_zero_is_scaled_itself_because_its_autoscaler_is_inactive() {
    let shop = shop().await;
    shop.fake.put([autoscaler("checkout", 2, 8)]);
    shop.fake.change("deployments/checkout", |it| it["spec"]["replicas"] = json!(0));
    let plan = shop.planned(&scale("deployment/checkout", 3)).await;
    assert_eq!(lines(&plan), ["replicas: 0 -> 3"]);
    assert!(plan.warnings.iter().any(|it| it.contains("inactive at 0")), "{plan:#?}");
    let done = shop.done(&plan).await;
    assert_eq!((replicas(&shop), shop.verify(&done, 1).await), (3, Verification::Holds));
    // The autoscaler chooses the number from then on.
    shop.fake.change("deployments/checkout", |it| it["spec"]["replicas"] = json!(5));
    assert_eq!(shop.verify(&done, 1).await, Verification::Holds);
    shop.fake.change("deployments/checkout", |it| it["spec"]["replicas"] = json!(0));
    let why = shop.refusal(&scale("deployment/checkout", 1)).await;
    assert!(why.contains("allows 2 to 8 replicas"), "{why}");
}

#[tokio::test]
async fn undoing_a_floor_is_refused_after_somebody_changed_it() {
    let shop = shop().await;
    shop.fake.put([autoscaler("checkout", 2, 8)]);
    let done = shop.done(&shop.planned(&scale("deployment/checkout", 6)).await).await;
    shop.fake.change("horizontalpodautoscalers/checkout-hpa", |it| it["spec"]["minReplicas"] = json!(7));
    assert!(shop.undo(&done).await.unwrap_err().to_string().contains("changed since"));
}

#[tokio::test]
async fn a_workload_that_is_being_deleted_gets_no_plan_and_no_undo() {
    let shop = shop().await;
    let done = shop.done(&shop.planned(&scale("deployment/checkout", 6)).await).await;
    shop.fake.change("deployments/checkout", |it| {
        it["metadata"]["deletionTimestamp"] = json!("2026-11-23T14:00:00Z");
    });
    let restart = custom("rolling-restart", "deployment/checkout", []);
    let env = custom("set-env", "deployment/checkout", [("container", "web"), ("env.A", "b")]);
    for mitigation in
        [scale("deployment/checkout", 4), restart, env, roll_back("deployment/checkout", Some("1"))]
    {
        assert!(shop.refusal(&mitigation).await.contains("being deleted"), "{mitigation:?}");
    }
    assert!(shop.undo(&done).await.unwrap_err().to_string().contains("being deleted"));
}
