//! Sending traffic elsewhere.

use incident_core::domain::mitigation::RouteTraffic;
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
