//! What a plan says, and when there is none.

use incident_core::config::ConfigError;
use incident_core::model::mitigation::{ClearCache, Custom, RollingRestart};
use incident_core::model::plan::{Change, Reversible};
use incident_core::port::ErrorKind;

use super::*;
use crate::config::{CacheConfig, CustomConfig, VerifyConfig};

#[tokio::test]
async fn a_plan_says_what_changes_pins_what_it_saw_and_writes_nothing() {
    let service = Service::start().await;
    let mitigator = service.mitigator(|_| ());
    let plan = plan(&mitigator, false).await.unwrap();
    let host = service.fake.url().split_off("http://".len());
    assert_eq!(plan.target, format!("{host}/feature/new-pricing"));
    let change =
        |what: &str, from: &str, to: &str| Change { what: what.into(), from: from.into(), to: to.into() };
    assert_eq!(
        plan.changes,
        [
            change("the feature new-pricing", "true", "false"),
            change(
                "request to be sent",
                "none",
                &format!("PUT {host}/flags/new-pricing with {{\"value\":false}}")
            ),
        ]
    );
    assert_eq!(plan.reversible, Reversible::Yes);
    assert_eq!(plan.warnings, Vec::<String>::new());
    assert_eq!((&*plan.pins["value"], &*plan.pins["version"], &*plan.pins["backend"]), ("true", "7", &*host));
    assert!(service.fake.writes().is_empty());
}

#[tokio::test]
async fn what_is_so_already_is_refused_and_says_so() {
    let service = Service::start().await;
    let error = plan(&service.mitigator(|_| ()), true).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.to_string().contains("the feature new-pricing is already so: true"), "{error}");
}

#[tokio::test]
async fn a_state_that_no_call_leads_back_to_is_not_reversible() {
    let service = Service::start().await;
    service.meddle(json!("30 percent"));
    let plan = plan(&service.mitigator(|_| ()), false).await.unwrap();
    assert_eq!(plan.reversible, Reversible::No);
    assert_eq!(plan.warnings, ["No declared call takes it back."]);
}

#[tokio::test]
async fn a_plan_that_could_not_look_warns_of_it() {
    let service = Service::start().await;
    let plan = plan(&service.mitigator(|feature| feature.read = None), false).await.unwrap();
    assert_eq!(plan.changes[0].from, "not known");
    assert_eq!(plan.reversible, Reversible::Partly);
    assert!(plan.warnings.iter().any(|warning| warning.starts_with("The state can't be read")));
    assert!(plan.warnings.iter().any(|warning| warning.starts_with("Nothing verifies it")));
    assert!(!plan.pins.contains_key("value"));
}

#[tokio::test]
async fn what_the_service_says_is_shown_inert() {
    let service = Service::start().await;
    service.meddle(json!("\u{202e}@channel\n[click](x)"));
    let plan = plan(&service.mitigator(|_| ()), false).await.unwrap();
    assert!(!plan.changes[0].from.contains(['\u{202e}', '\n']), "{}", plan.changes[0].from);
    assert!(!plan.changes[0].from.contains("@channel"));
}

#[tokio::test]
async fn what_is_not_declared_is_refused_with_what_is() {
    let service = Service::start().await;
    let mut config = HttpConfig::new(&service.fake.url());
    config.mitigations.features.insert("new-pricing".to_owned(), feature());
    config.mitigations.caches.insert("prices".to_owned(), CacheConfig::new(CallConfig::new("DELETE", "/c")));
    config.mitigations.custom.insert("drain".to_owned(), CustomConfig::new(CallConfig::new("POST", "/d")));
    let mitigator = mitigator(config);
    let custom = |target: &str, parameters: &[(&str, &str)]| {
        let parameters = parameters.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Mitigation::Custom(Custom { name: "drain".into(), target: target.into(), parameters })
    };
    for (mitigation, because) in [
        (
            Mitigation::SwitchFeature(SwitchFeature { feature: "old".into(), on: false }),
            "known are the feature new-pricing, the cache prices, drain on drain",
        ),
        (
            Mitigation::ClearCache(ClearCache { cache: "prices".into(), part: Some("eu".into()) }),
            "this isn't declared",
        ),
        (custom("elsewhere", &[]), "it acts on drain and on nothing else"),
        (custom("drain", &[("force", "yes")]), "a declared call takes no parameters"),
        (
            Mitigation::RollingRestart(RollingRestart { workload: "deployment/checkout".into() }),
            "it only switches features",
        ),
    ] {
        let error = mitigator.plan(&reading(), Intent::Do(&mitigation)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused);
        assert!(error.to_string().contains(because), "{error}");
    }
    assert!(service.fake.asked().is_empty());
}

#[tokio::test]
async fn a_state_without_the_declared_value_is_a_fault_of_the_configuration() {
    let service = Service::start().await;
    let mitigator = service.mitigator(|feature| feature.read.as_mut().unwrap().value = "/enabled".to_owned());
    let error = plan(&mitigator, false).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(error.to_string().contains("nothing at /enabled"), "{error}");
}

#[tokio::test]
async fn a_giant_state_is_not_read_to_its_end() {
    let fake = Fake::start(|_| Reply::Endless).await;
    let mut config = HttpConfig::new(&fake.url());
    config.mitigations.features.insert("new-pricing".to_owned(), feature());
    let error = plan(&mitigator(config), false).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooLarge);
}

#[test]
fn declarations_that_cannot_work_are_refused_by_their_field() {
    let feature = |change: fn(&mut FeatureConfig)| {
        let mut config = HttpConfig::new("http://localhost");
        let mut feature = feature();
        change(&mut feature);
        config.mitigations.features.insert("f".to_owned(), feature);
        config
    };
    let custom = |change: fn(&mut CustomConfig)| {
        let mut config = HttpConfig::new("http://localhost");
        let mut custom = CustomConfig::new(CallConfig::new("POST", "/x"));
        change(&mut custom);
        config.mitigations.custom.insert("c".to_owned(), custom);
        config
    };
    for (config, field) in [
        (feature(|it| (it.on, it.off) = (None, None)), "mitigations.features.f"),
        (feature(|it| it.off_value = json!(true)), "mitigations.features.f.off_value"),
        (feature(|it| it.off.as_mut().unwrap().method = "GET".into()), "mitigations.features.f.off.method"),
        (feature(|it| it.on.as_mut().unwrap().path = "x".into()), "mitigations.features.f.on.path"),
        (feature(|it| it.read.as_mut().unwrap().value = "x".into()), "mitigations.features.f.read.value"),
        (
            feature(|it| it.verify = Some(VerifyConfig { is: Some(json!(1)), ..VerifyConfig::default() })),
            "mitigations.features.f.verify.is",
        ),
        (custom(|it| it.value = Some(json!(1))), "mitigations.custom.c.read"),
        (custom(|it| it.verify = Some(VerifyConfig::default())), "mitigations.custom.c.verify"),
        (
            custom(|it| {
                it.verify = Some(VerifyConfig {
                    path: Some("/v".into()),
                    value: Some("/v".into()),
                    ..VerifyConfig::default()
                });
            }),
            "mitigations.custom.c.verify.is",
        ),
    ] {
        let error: ConfigError = HttpBackend::new(config).unwrap_err();
        assert_eq!(error.field, field, "{error}");
    }
}
