//! Resources, environment, features and restarts, and who else manages the workload.

use std::collections::BTreeMap;

use incident_core::model::mitigation::{RollingRestart, SetResources, SwitchFeature};
use incident_core::model::plan::Reversible;
use incident_core::port::ErrorKind;
use serde_json::json;

use super::*;
use crate::config::FeatureConfig;

fn limits(container: &str, memory: &str) -> Mitigation {
    Mitigation::SetResources(SetResources {
        workload: "deployment/checkout".to_owned(),
        container: container.to_owned(),
        requests: BTreeMap::new(),
        limits: [("memory".to_owned(), memory.to_owned())].into(),
    })
}

fn restart() -> Mitigation {
    Mitigation::RollingRestart(RollingRestart { workload: "deployment/checkout".to_owned() })
}

fn switch(feature: &str, on: bool) -> Mitigation {
    Mitigation::SwitchFeature(SwitchFeature { feature: feature.to_owned(), on })
}

async fn shop() -> Shop {
    let shop = Shop::with(|config| {
        let feature = FeatureConfig::new("deployment/checkout", "web", "FEATURE_X");
        config.features.insert("x".to_owned(), feature);
    })
    .await;
    shop.fake.put([deployment("checkout", "web:1")]);
    shop
}

fn container(shop: &Shop, at: usize) -> Value {
    shop.fake.get("deployments/checkout").unwrap()["spec"]["template"]["spec"]["containers"][at].clone()
}

#[tokio::test]
async fn each_edit_changes_one_container_holds_and_can_be_taken_back() {
    let env = custom("set-env", "deployment/checkout", [("container", "web"), ("env.FEATURE_X", "false")]);
    for (mitigation, line) in [
        (limits("web", "512Mi"), "memory limit of web: 256Mi -> 512Mi"),
        (env, "env FEATURE_X of web: true -> false"),
        (switch("x", false), "env FEATURE_X of web: true -> false"),
    ] {
        let shop = shop().await;
        let (web, sidecar) = (container(&shop, 0), container(&shop, 1));
        let plan = shop.planned(&mitigation).await;
        assert_eq!(lines(&plan), [line]);
        assert_eq!(
            (plan.target.as_str(), plan.reversible),
            ("prod/shop/deployment/checkout", Reversible::Yes)
        );
        let done = shop.done(&plan).await;
        assert_ne!(container(&shop, 0), web);
        assert_eq!(container(&shop, 1), sidecar, "a container that isn't named is left alone");
        assert_eq!(shop.verify(&done, 1).await, Verification::Holds);
        assert_eq!(shop.find(&plan).await, Found::Yes(()));
        assert!(shop.refusal(&mitigation).await.contains("already"));
        let back = shop.undo(&done).await.unwrap();
        shop.mitigator.carry_out(&effect(9), &back).await.unwrap();
        assert_eq!(container(&shop, 0), web);
    }
}

#[tokio::test]
async fn a_restart_has_its_time_from_the_plan_so_twice_is_once() {
    let shop = shop().await;
    let plan = shop.planned(&restart()).await;
    assert_eq!(lines(&plan), ["time of restart: none -> 2026-11-23T14:30:00Z"]);
    assert_eq!(plan.reversible, Reversible::NothingToRestore);
    let pods = shop.pods("checkout");
    let done = shop.done(&plan).await;
    let restarted = shop.pods("checkout");
    assert!(pods.iter().all(|pod| !restarted.contains(pod)));
    shop.done(&plan).await;
    assert_eq!(shop.pods("checkout"), restarted);
    assert_eq!(shop.verify(&done, 1).await, Verification::Holds);
    assert!(shop.undo(&done).await.unwrap_err().to_string().contains("nothing to restore"));
    shop.fake.change("deployments/checkout", |it| it["spec"]["paused"] = json!(true));
    assert!(shop.refusal(&restart()).await.contains("paused"));
}

#[tokio::test]
async fn what_cannot_be_is_said_before_anybody_approves() {
    let shop = shop().await;
    for (mitigation, kind, why) in [
        (limits("app", "512Mi"), ErrorKind::Refused, "no container app; there are web, sidecar"),
        (limits("web", "1Mi"), ErrorKind::Invalid, "spec.template.spec.containers[0].resources.requests"),
        (limits("web", "lots"), ErrorKind::Refused, "the limit of memory isn't a quantity"),
        (limits("web", "2GB"), ErrorKind::Refused, "expected one such as 500m"),
        (switch("y", false), ErrorKind::Refused, "there are: x"),
        (custom("set-env", "deployment/checkout", [("container", "web")]), ErrorKind::Refused, "no variable"),
        (custom("drop-tables", "deployment/checkout", []), ErrorKind::Refused, "isn't declared"),
    ] {
        let error = shop.plan(&mitigation).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[tokio::test]
async fn without_old_revisions_there_is_no_way_back_and_the_plan_says_so() {
    let shop = shop().await;
    shop.fake.change("deployments/checkout", |it| it["spec"]["revisionHistoryLimit"] = json!(0));
    let plan = shop.planned(&limits("web", "512Mi")).await;
    assert_eq!(plan.reversible, Reversible::No);
    let done = shop.done(&plan).await;
    assert!(shop.undo(&done).await.unwrap_err().to_string().contains("no longer kept"));
}

#[tokio::test]
async fn who_else_manages_it_is_named_with_the_remedy_and_overridden_only_by_name() {
    let argo =
        json!({"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/checkout"}});
    let helm = json!({"annotations": {"meta.helm.sh/release-name": "checkout"}});
    let flux = json!({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}});
    let owner =
        json!({"ownerReferences": [{"kind": "Rollout", "name": "web", "uid": "r", "controller": true}]});
    for (metadata, remedy, key) in [
        (argo, "argocd app rollback", "argocd"),
        (helm, "helm rollback checkout", "helm"),
        (flux, "flux suspend kustomization apps", "flux"),
        (owner, "change rollout/web", "owner"),
    ] {
        let shop = shop().await;
        shop.fake.change("deployments/checkout", |it| json_patch::merge(&mut it["metadata"], &metadata));
        let scale = custom("scale", "deployment/checkout", [("replicas", "4")]);
        for mitigation in [limits("web", "512Mi"), restart(), switch("x", false), scale] {
            let error = shop.plan(&mitigation).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Refused);
            assert!(error.to_string().contains(remedy), "{error}");
            assert!(error.to_string().contains(&format!("override = {key}")), "{error}");
        }
        let other = custom("rolling-restart", "deployment/checkout", [("override", "hpa, vpa")]);
        assert_eq!(shop.plan(&other).await.unwrap_err().kind, ErrorKind::Refused);
        let overriding = custom("rolling-restart", "deployment/checkout", [("override", key)]);
        let plan = shop.planned(&overriding).await;
        assert_eq!(plan.mitigation, overriding, "the override is part of what is approved and recorded");
        assert!(plan.warnings.iter().any(|it| it.starts_with("This overrides")), "{plan:#?}");
        let done = shop.done(&plan).await;
        assert_eq!(shop.verify(&done, 1).await, Verification::Holds);
    }
}

#[tokio::test]
async fn no_value_of_the_environment_or_an_argument_is_in_a_plan_unless_people_named_it() {
    let shop = shop().await;
    shop.fake.change("deployments/checkout", |it| {
        let web = &mut it["spec"]["template"]["spec"]["containers"][0];
        web["image"] = json!("web:2");
        web["env"].as_array_mut().unwrap().push(json!({"name": "NOBODY_KNOWS", "value": "hunter2"}));
        web["args"] = json!(["--password", "hunter2", "-phunter2", "-u", "root:hunter2"]);
    });
    let plan = shop.planned(&roll_back("deployment/checkout", Some("1"))).await;
    let shown = serde_json::to_string(&plan).unwrap();
    assert!(shown.contains("env NOBODY_KNOWS of web") && shown.contains("arguments of web"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    let done = shop.done(&plan).await;
    let shown = serde_json::to_string(&shop.undo(&done).await.unwrap()).unwrap();
    assert!(!shown.contains("hunter2"), "{shown}");
}
