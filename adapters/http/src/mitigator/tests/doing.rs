//! Carrying out, looking for, verifying and taking back.

use incident_core::model::mitigation::{ClearCache, Custom};
use incident_core::model::plan::{Reversible, Verification};
use incident_core::port::{Applied, ErrorKind, Found};

use super::*;
use crate::config::{CacheConfig, CustomConfig, VerifyConfig};

#[tokio::test]
async fn a_plan_is_carried_out_by_the_call_it_shows_with_the_effects_id() {
    let service = Service::start().await;
    let mitigator = service.mitigator(|_| ());
    let plan = plan(&mitigator, false).await.unwrap();
    let done = mitigator.carry_out(&effect(3), &plan).await.unwrap();
    assert_eq!(done.plan, plan);
    assert_eq!(service.flag().value, json!(false));
    assert_eq!(service.flag().effect, Some(effect(3).effect.to_string()));
    assert_eq!(done.reference, service.flag().effect);
    assert_eq!(mitigator.verify(&later(3, 1), &done).await.unwrap(), Verification::Holds);
}

#[tokio::test]
async fn a_world_that_moved_is_not_touched() {
    let service = Service::start().await;
    let mitigator = service.mitigator(|_| ());
    let plan = plan(&mitigator, false).await.unwrap();
    // There and back again: the value is as pinned, the version isn't.
    service.meddle(json!(false));
    service.meddle(json!(true));
    let error = mitigator.carry_out(&effect(3), &plan).await.unwrap_err();
    assert_eq!((error.kind, error.applied), (ErrorKind::Precondition, Applied::No));
    assert!(service.fake.writes().is_empty());
}

#[tokio::test]
async fn the_second_time_fails_on_its_pins() {
    let service = Service::start().await;
    let mitigator = service.mitigator(|_| ());
    let plan = plan(&mitigator, false).await.unwrap();
    mitigator.carry_out(&effect(3), &plan).await.unwrap();
    let error = mitigator.carry_out(&effect(3), &plan).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Precondition);
    assert_eq!(service.fake.writes().len(), 1);
}

#[tokio::test]
async fn what_is_pinned_goes_along_as_a_condition() {
    let service = Service::start().await;
    let mitigator = service.mitigator(|feature| {
        let read = feature.read.as_mut().unwrap();
        read.etag = true;
        read.version_header = Some("X-Flag-Version".to_owned());
    });
    let plan = plan(&mitigator, false).await.unwrap();
    mitigator.carry_out(&effect(3), &plan).await.unwrap();
    let write = &service.fake.writes()[0];
    assert_eq!(write.headers["if-match"], "\"7\"");
    assert_eq!(write.headers["x-flag-version"], "7");
}

#[tokio::test]
async fn a_plan_of_another_configuration_is_not_carried_out() {
    let service = Service::start().await;
    let plan = plan(&service.mitigator(|_| ()), false).await.unwrap();
    let changed = service.mitigator(|feature| feature.off.as_mut().unwrap().path = "/flags/other".to_owned());
    let moved = Service::start().await.mitigator(|_| ());
    for mitigator in [changed, moved] {
        let error = mitigator.carry_out(&effect(3), &plan).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Precondition, "{error}");
        assert_eq!(mitigator.find(&effect(3), &plan).await.unwrap(), Found::CannotTell);
    }
    let mut foreign = plan;
    foreign.payload = json!({ "revision": 4 });
    let error = service.mitigator(|_| ()).carry_out(&effect(3), &foreign).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
}

#[tokio::test]
async fn a_lost_answer_is_a_maybe_that_looking_resolves() {
    for (fault, cx) in [(Fault::LostAnswer, effect(3)), (Fault::Silence, hasty(3))] {
        let service = Service::start().await;
        let mitigator = service.mitigator(with_receipt);
        let plan = plan(&mitigator, false).await.unwrap();
        service.fail(fault);
        let error = mitigator.carry_out(&cx, &plan).await.unwrap_err();
        assert_eq!((error.kind, error.applied), (ErrorKind::Unavailable, Applied::Maybe), "{fault:?}");
        assert!(matches!(mitigator.find(&effect(3), &plan).await.unwrap(), Found::Yes(_)), "{fault:?}");
        assert_eq!(service.fake.writes().len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_service_that_is_gone_was_not_changed() {
    let service = Service::start().await;
    let mitigator = service.mitigator(|feature| feature.read = None);
    let plan = plan(&mitigator, false).await.unwrap();
    drop(service);
    tokio::task::yield_now().await;
    let error = mitigator.carry_out(&hasty(3), &plan).await.unwrap_err();
    assert_eq!((error.kind, error.applied), (ErrorKind::Unavailable, Applied::No), "{error}");
}

/// What `find` says, by name.
async fn found(mitigator: &HttpMitigator, plan: &Plan) -> &'static str {
    match mitigator.find(&effect(3), plan).await.unwrap() {
        Found::Yes(_) => "yes",
        Found::No => "no",
        Found::CannotTell => "can't tell",
    }
}

#[tokio::test]
async fn without_receipts_only_an_unchanged_state_tells() {
    let service = Service::start().await;
    let mitigator = service.mitigator(|_| ());
    let plan = plan(&mitigator, false).await.unwrap();
    assert_eq!(found(&mitigator, &plan).await, "no");
    service.meddle(json!(0.3));
    assert_eq!(found(&mitigator, &plan).await, "can't tell");
    service.meddle(json!(true));
    assert_eq!(found(&mitigator, &plan).await, "can't tell", "it may have been done and taken back");
    service.meddle(json!(false));
    assert_eq!(found(&mitigator, &plan).await, "can't tell", "somebody else may have set it");
    let blind = service.mitigator(|feature| feature.read = None);
    assert_eq!(found(&blind, &plan).await, "can't tell");
}

#[tokio::test]
async fn receipts_tell_our_change_from_the_same_by_somebody_else() {
    let service = Service::start().await;
    let mitigator = service.mitigator(with_receipt);
    let plan = plan(&mitigator, false).await.unwrap();
    assert_eq!(found(&mitigator, &plan).await, "no");
    service.meddle(json!(false));
    assert_eq!(found(&mitigator, &plan).await, "can't tell", "an unnamed change may have come after ours");
    service.flag.lock().unwrap().effect = Some(effect(3).effect.to_string());
    assert_eq!(found(&mitigator, &plan).await, "yes");
}

#[tokio::test]
async fn a_list_of_receipts_is_definite() {
    let service = Service::start().await;
    let mitigator = service.mitigator(|feature| {
        feature.read.as_mut().unwrap().receipt = Some("/value/by".to_owned());
        feature.read.as_mut().unwrap().value = "/value/on".to_owned();
    });
    service.meddle(json!({ "on": true, "by": ["someone"] }));
    let plan = plan(&mitigator, false).await.unwrap();
    service.meddle(json!({ "on": false, "by": ["someone", "another"] }));
    assert_eq!(found(&mitigator, &plan).await, "no");
    service.meddle(json!({ "on": true, "by": [effect(3).effect.to_string(), "another"] }));
    assert_eq!(found(&mitigator, &plan).await, "yes");
}

#[tokio::test]
async fn verification_waits_and_then_fails() {
    let service = Service::start().await;
    let mitigator = service.mitigator(|_| ());
    let plan = plan(&mitigator, false).await.unwrap();
    assert_eq!(plan.verify_within, Some(Duration::from_secs(120)), "the plan states the patience");
    let done = mitigator.carry_out(&effect(3), &plan).await.unwrap();
    service.meddle(json!(true));
    let again = Duration::from_secs(5);
    let detail = "it is true, not yet false".to_owned();
    let pending = Verification::Pending { again, detail };
    assert_eq!(mitigator.verify(&later(3, 119), &done).await.unwrap(), pending);
    let failed = Verification::Failed { detail: "it is true and not false within 2 min".to_owned() };
    assert_eq!(mitigator.verify(&later(3, 120), &done).await.unwrap(), failed);
}

#[tokio::test]
async fn the_way_back_leads_to_what_was_pinned() {
    let service = Service::start().await;
    let mitigator = service.mitigator(|_| ());
    let done = mitigator.carry_out(&effect(3), &plan(&mitigator, false).await.unwrap()).await.unwrap();
    let back = undo(&mitigator, &done).await.unwrap();
    assert_eq!(back.mitigation, switch(true));
    assert_eq!((&*back.changes[0].from, &*back.changes[0].to), ("false", "true"));
    assert_eq!(back.target, done.plan.target);
    let restored = mitigator.carry_out(&effect(9), &back).await.unwrap();
    assert_eq!(service.flag().value, json!(true));
    assert_eq!(mitigator.verify(&later(9, 1), &restored).await.unwrap(), Verification::Holds);
    let forth = undo(&mitigator, &restored).await.unwrap();
    assert_eq!(forth.mitigation, switch(false), "taking back what took it back");
    service.meddle(json!(false));
    let error = undo(&mitigator, &restored).await.unwrap_err();
    assert!(error.to_string().contains("already so"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_restored_is_refused() {
    let service = Service::start().await;
    let mitigator = service.mitigator(|_| ());
    service.meddle(json!(0.3));
    let done = mitigator.carry_out(&effect(3), &plan(&mitigator, false).await.unwrap()).await.unwrap();
    let error = undo(&mitigator, &done).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.to_string().contains("it was 0.3 before"), "{error}");
}

#[tokio::test]
async fn what_was_done_elsewhere_is_not_taken_back_here() {
    let (service, other) = (Service::start().await, Service::start().await);
    let mitigator = service.mitigator(|_| ());
    let done = mitigator.carry_out(&effect(3), &plan(&mitigator, false).await.unwrap()).await.unwrap();
    let error = undo(&other.mitigator(|_| ()), &done).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.to_string().contains("another base URL"), "{error}");
}

#[tokio::test]
async fn a_cache_is_cleared_and_needs_no_way_back() {
    let service = Service::start().await;
    let mut config = HttpConfig::new(&service.fake.url());
    let mut cache = CacheConfig::new(CallConfig::new("PUT", "/cache").with_body(json!({ "value": 0 })));
    cache.verify = Some(VerifyConfig {
        path: Some("/cache".to_owned()),
        value: Some("/value".to_owned()),
        is: Some(json!(0)),
        ..VerifyConfig::default()
    });
    config.mitigations.caches.insert("prices".to_owned(), cache);
    let mitigator = mitigator(config);
    let clear = Mitigation::ClearCache(ClearCache { cache: "prices".into(), part: None });
    let plan = mitigator.plan(&reading(), Intent::Do(&clear)).await.unwrap();
    assert_eq!(plan.reversible, Reversible::NothingToRestore);
    let done = mitigator.carry_out(&effect(3), &plan).await.unwrap();
    assert_eq!(mitigator.verify(&effect(3), &done).await.unwrap(), Verification::Holds);
    service.meddle(json!(12));
    assert!(matches!(mitigator.verify(&effect(3), &done).await.unwrap(), Verification::Pending { .. }));
    assert_eq!(undo(&mitigator, &done).await.unwrap_err().kind, ErrorKind::Refused);
}

#[tokio::test]
async fn a_custom_call_has_the_inverse_that_is_declared() {
    let service = Service::start().await;
    let mut config = HttpConfig::new(&service.fake.url());
    let call = |value: &str| CallConfig::new("POST", "/route").with_body(json!({ "value": value }));
    let mut custom = CustomConfig::new(call("us"));
    custom.target = Some("edge".to_owned());
    custom.inverse = Some(call("eu"));
    custom.read = Some(ReadConfig::new("/route", "/value"));
    custom.value = Some(json!("us"));
    config.mitigations.custom.insert("route-to-us".to_owned(), custom);
    service.meddle(json!("eu"));
    let mitigator = mitigator(config);
    let mitigation = Mitigation::Custom(Custom {
        name: "route-to-us".into(),
        target: "edge".into(),
        parameters: Default::default(),
    });
    let plan = mitigator.plan(&reading(), Intent::Do(&mitigation)).await.unwrap();
    assert_eq!((&*plan.changes[0].from, &*plan.changes[0].to), ("\"eu\"", "\"us\""));
    assert_eq!(plan.reversible, Reversible::Yes);
    let done = mitigator.carry_out(&effect(3), &plan).await.unwrap();
    let back = undo(&mitigator, &done).await.unwrap();
    assert_eq!((&*back.changes[0].from, &*back.changes[0].to), ("\"us\"", "\"eu\""));
    let restored = mitigator.carry_out(&effect(9), &back).await.unwrap();
    assert_eq!(service.flag().value, json!("eu"));
    assert_eq!(mitigator.verify(&effect(9), &restored).await.unwrap(), Verification::Holds);
}

#[tokio::test]
async fn preflight_reads_and_names_what_is_wrong() {
    use incident_core::port::{Adapter, PreflightContext};
    let service = Service::start().await;
    let good = service.mitigator(|_| ()).preflight(&PreflightContext::new(now())).await.unwrap();
    assert!(good.is_good());
    let wrong = service.mitigator(|feature| feature.read.as_mut().unwrap().version = Some("/v".to_owned()));
    let found = wrong.preflight(&PreflightContext::new(now())).await.unwrap();
    assert!(!found.is_good());
    assert!(found.checks[0].missing.as_ref().unwrap().contains("nothing at /v"));
    assert!(service.fake.writes().is_empty());
}
