//! Sending traffic elsewhere.

use incident_core::model::mitigation::RouteTraffic;
use incident_core::port::ErrorKind;
use serde_json::json;

use super::*;
use crate::config::RouteConfig;
use crate::support::Fault;
use crate::support::samples::{ingress, service};

fn route(to: &str) -> Mitigation {
    Mitigation::RouteTraffic(RouteTraffic { service: "checkout".to_owned(), to: to.to_owned() })
}

async fn shop() -> Shop {
    let shop = Shop::with(|config| {
        let page = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "shop"},
            "spec": {"defaultBackend": {"service": {"name": "page", "port": {"number": 80}}}, "tls": []}});
        let fresh = json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "sorry"},
            "spec": {"text": "back soon"}});
        config.routes.insert("checkout".to_owned(), [
            ("blue".to_owned(), RouteConfig::selector([("app", "blue")])),
            ("nowhere".to_owned(), RouteConfig::selector([("app", "none")])),
            ("page".to_owned(), RouteConfig::manifest(page)),
            ("sorry".to_owned(), RouteConfig::manifest(fresh)),
            ("banner".to_owned(), RouteConfig::manifest(json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
                "metadata": {"name": "shop", "annotations": {"banner": "on"}}}))),
            ("local".to_owned(), RouteConfig::manifest(json!({
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": "checkout"},
                "spec": {"internalTrafficPolicy": "Local"}}))),
            ("typo".to_owned(), RouteConfig::manifest(json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "shop"},
                "spec": {"defaultBackend": {"service": {"name": "page"}}}}))),
        ].into());
    })
    .await;
    shop.fake.put([
        deployment("checkout", "web:1"),
        deployment("blue", "web:0"),
        service("checkout", "checkout"),
    ]);
    shop
}

#[tokio::test]
async fn a_service_selects_other_pods_and_the_old_ones_again() {
    let shop = shop().await;
    let plan = shop.planned(&route("blue")).await;
    assert_eq!(lines(&plan), ["pods that get the traffic: app=checkout -> app=blue (3 ready)"]);
    assert_eq!(plan.target, "prod/shop/service/checkout");
    let done = shop.done(&plan).await;
    let selector = || shop.fake.get("services/checkout").unwrap()["spec"]["selector"].clone();
    assert_eq!(selector(), json!({"app": "blue"}));
    assert_eq!(shop.verify(&done, 1).await, Verification::Holds);
    assert_eq!(shop.find(&plan).await, Found::Yes(()));
    assert!(shop.execute(&plan).await.is_ok());
    assert_eq!(shop.fake.writes().len(), 1);
    let back = shop.undo(&done).await.unwrap();
    shop.mitigator.carry_out(&effect(9), &back).await.unwrap();
    assert_eq!(selector(), json!({"app": "checkout"}));
}

#[tokio::test]
async fn traffic_is_not_sent_where_nobody_is_ready() {
    let shop = shop().await;
    assert!(shop.refusal(&route("nowhere")).await.contains("no ready pod has the labels app=none"));
    assert!(shop.refusal(&route("moon")).await.contains("no such place"));
    let plan = shop.planned(&route("blue")).await;
    shop.fake.change("services/checkout", |it| it["spec"]["selector"] = json!({"app": "other"}));
    assert_eq!(shop.find(&plan).await, Found::CannotTell);
    assert_eq!(shop.execute(&plan).await.unwrap_err().kind, ErrorKind::Precondition);
}

#[tokio::test]
async fn a_maintenance_manifest_is_applied_and_its_fields_come_back() {
    let shop = shop().await;
    let before = ingress("shop", "checkout");
    shop.fake.put([before.clone()]);
    let plan = shop.planned(&route("page")).await;
    assert_eq!(plan.target, "prod/shop/ingress/shop");
    let line = "ingress/shop.spec.defaultBackend.service.name: \"checkout\" -> \"page\"".to_owned();
    assert!(lines(&plan).contains(&line), "{:?}", lines(&plan));
    let done = shop.done(&plan).await;
    let [sent] = &shop.fake.writes()[..] else { panic!("one write") };
    assert_eq!((sent.content_type.as_str(), sent.parameter("force")), ("application/apply-patch+yaml", None));
    assert_eq!(shop.verify(&done, 1).await, Verification::Holds);
    assert_eq!(shop.find(&plan).await, Found::Yes(()));
    let back = shop.undo(&done).await.unwrap();
    let undone = shop.mitigator.carry_out(&effect(9), &back).await.unwrap();
    assert_eq!(shop.fake.get("ingresses/shop").unwrap()["spec"], before["spec"]);
    assert_eq!(shop.verify(&undone, 1).await, Verification::Holds);
}

#[tokio::test]
async fn another_managers_field_is_named_and_never_taken_by_force() {
    let shop = shop().await;
    shop.fake.put([ingress("shop", "other")]);
    shop.fake
        .change("ingresses/shop", |it| it["spec"]["defaultBackend"]["service"]["name"] = json!("checkout"));
    let error = shop.plan(&route("page")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(error.to_string().contains(".spec.defaultBackend.service.name belongs to somebody"), "{error}");
    assert!(shop.fake.writes().is_empty());
}

#[tokio::test]
async fn an_object_that_was_not_there_is_deleted_on_the_way_back() {
    let shop = shop().await;
    let plan = shop.planned(&route("sorry")).await;
    assert!(plan.permissions.iter().any(|it| it.contains("delete widgets.example.com")), "{plan:#?}");
    shop.fake.fail_write(Fault::CutAfter);
    assert!(shop.execute(&plan).await.is_err());
    assert_eq!(shop.find(&plan).await, Found::Yes(()));
    let done = shop.done(&plan).await;
    assert!(shop.fake.get("widgets/sorry").is_some());
    let back = shop.undo(&done).await.unwrap();
    let undone = shop.mitigator.carry_out(&effect(9), &back).await.unwrap();
    assert!(shop.fake.get("widgets/sorry").is_none());
    assert_eq!(shop.verify(&undone, 1).await, Verification::Holds);
}

/// An Ingress with rules of its own and no backend for everything else.
fn bare_ingress() -> Value {
    let mut bare = ingress("shop", "checkout");
    bare["spec"].as_object_mut().unwrap().remove("defaultBackend");
    bare["spec"]["rules"] = json!([{"host": "shop.example", "http": {"paths": [{"path": "/", "pathType": "Prefix",
        "backend": {"service": {"name": "checkout", "port": {"number": 80}}}}]}}]);
    bare
}

/// Carries out what sends the traffic to `to`, as effect number `seq`.
async fn send(shop: &Shop, to: &str, seq: u64) -> Execution {
    let plan = shop.planned(&route(to)).await;
    shop.mitigator.carry_out(&effect(seq), &plan).await.unwrap()
}

async fn take_back(shop: &Shop, done: &Execution, seq: u64) {
    let back = shop.undo(done).await.unwrap();
    let undone = shop.mitigator.carry_out(&effect(seq), &back).await.unwrap();
    assert_eq!(shop.verify(&undone, 1).await, Verification::Holds);
}

#[tokio::test]
async fn a_backend_that_was_absent_is_absent_again_and_the_page_can_be_shown_again() {
    let shop = shop().await;
    shop.fake.put([bare_ingress()]);
    let before = shop.fake.get("ingresses/shop").unwrap()["spec"].clone();
    for round in 0..3 {
        let plan = shop.planned(&route("page")).await;
        assert_eq!(plan.reversible, incident_core::model::plan::Reversible::Yes);
        let done = send(&shop, "page", 10 + round * 2).await;
        assert_eq!(shop.verify(&done, 1).await, Verification::Holds);
        take_back(&shop, &done, 11 + round * 2).await;
        assert_eq!(shop.fake.get("ingresses/shop").unwrap()["spec"], before, "round {round}");
    }
}

#[tokio::test]
async fn a_manifest_is_applied_to_a_service_whose_selector_was_switched_before() {
    let shop = shop().await;
    let switched = send(&shop, "blue", 10).await;
    let local = send(&shop, "local", 11).await;
    assert_eq!(shop.fake.get("services/checkout").unwrap()["spec"]["internalTrafficPolicy"], "Local");
    take_back(&shop, &local, 12).await;
    let live = shop.fake.get("services/checkout").unwrap();
    assert_eq!(
        (&live["spec"]["internalTrafficPolicy"], &live["spec"]["selector"]),
        (&Value::Null, &json!({"app": "blue"}))
    );
    let back = shop.undo(&switched).await.unwrap();
    shop.mitigator.carry_out(&effect(13), &back).await.unwrap();
}

#[tokio::test]
async fn what_a_second_place_drops_of_the_first_is_shown_and_comes_back() {
    let shop = shop().await;
    shop.fake.put([bare_ingress()]);
    let before = shop.fake.get("ingresses/shop").unwrap();
    let page = send(&shop, "page", 10).await;
    let with_page = shop.fake.get("ingresses/shop").unwrap()["spec"].clone();
    let plan = shop.planned(&route("banner")).await;
    let shown = lines(&plan).join("\n");
    assert!(shown.contains("spec.defaultBackend") && shown.contains("-> none"), "{shown}");
    assert!(shown.contains("annotations.banner: none -> \"on\""), "{shown}");
    let banner = shop.mitigator.carry_out(&effect(11), &plan).await.unwrap();
    take_back(&shop, &banner, 12).await;
    assert_eq!(shop.fake.get("ingresses/shop").unwrap()["spec"], with_page);
    take_back(&shop, &page, 13).await;
    let after = shop.fake.get("ingresses/shop").unwrap();
    assert_eq!(
        (&after["spec"], &after["metadata"]["annotations"]["banner"]),
        (&before["spec"], &Value::Null)
    );
    assert_eq!(after["metadata"]["annotations"]["team"], "shop");
}

#[tokio::test]
async fn what_was_deleted_in_the_moment_of_writing_is_not_made_anew() {
    let shop = shop().await;
    shop.fake.put([bare_ingress()]);
    let plan = shop.planned(&route("page")).await;
    let gone: fn(&mut crate::support::State) = |state| state.remove(&key("ingresses/shop"));
    shop.fake.fail_write(Fault::Before(gone));
    let error = shop.execute(&plan).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Precondition, "{error}");
    assert!(shop.fake.get("ingresses/shop").is_none());
}

#[tokio::test]
async fn what_the_server_says_of_a_manifest_names_the_field() {
    let shop = shop().await;
    shop.fake.put([bare_ingress()]);
    let error = shop.plan(&route("typo")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(error.to_string().contains("spec.defaultBackend.service.port"), "{error}");
}

#[tokio::test]
async fn an_ingress_that_is_being_deleted_gets_no_plan() {
    let shop = shop().await;
    shop.fake.put([bare_ingress()]);
    shop.fake
        .change("ingresses/shop", |it| it["metadata"]["deletionTimestamp"] = json!("2026-11-23T14:00:00Z"));
    assert!(shop.refusal(&route("page")).await.contains("being deleted"));
}
