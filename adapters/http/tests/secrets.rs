//! No secret shows itself: not in a `Debug` output, and not in any layer of an error.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod fake;

use std::error::Error;
use std::time::Duration;

use fake::{Fake, Reply, nobody};
use incident_core::config::{Ports, Secret};
use incident_core::model::id::{EffectId, IncidentId, Seq};
use incident_core::model::notice::{Notice, NoticeKind};
use incident_core::model::severity::Audience;
use incident_core::model::time::Time;
use incident_core::port::{EffectContext, ReadContext};
use incident_http::{HttpBackend, HttpConfig, ProbeConfig, SecretValue, TextOrSecret, WebhookConfig};

const SECRETS: [&str; 4] = ["t0ken", "s1gning", "/hooks/p4th", "b0dy"];

fn held(secret: &str) -> SecretValue {
    SecretValue::held(Secret::new(secret.to_owned()))
}

fn config(url: &str) -> HttpConfig {
    let mut config = HttpConfig::new(url);
    let token = TextOrSecret::Secret(held("t0ken").with_prefix("Bearer "));
    config.headers.insert("Authorization".to_owned(), token);
    config.webhook = Some(WebhookConfig::new(TextOrSecret::Secret(held("/hooks/p4th")), held("s1gning")));
    config.probes.insert("health".to_owned(), ProbeConfig::new("/hooks/p4th"));
    config
}

fn assert_no_secret_in(shown: &str) {
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

fn assert_no_secret_in_any_layer_of(error: &dyn Error) {
    let mut layer = Some(error);
    while let Some(error) = layer {
        assert_no_secret_in(&format!("{error} {error:?} {error:#?}"));
        layer = error.source();
    }
}

/// What fails, and how, at a backend with this address.
async fn check(url: &str) {
    let config = config(url);
    assert_no_secret_in(&format!("{:?}", config.headers));
    assert_no_secret_in(&format!("{:?}", config.webhook));
    let ports: Ports = HttpBackend::new(config).unwrap().into_ports();
    assert_no_secret_in(&format!("{ports:?} {ports:#?}"));
    let now: Time = "2026-11-23T14:30:00Z".parse().unwrap();
    let incident = IncidentId::new(now, [1; 16]);
    let notice = Notice::new(incident, Seq(1), NoticeKind::Page, vec![Audience::new(Audience::TEAM)], "down");
    let deadline = Duration::from_millis(100);
    let cx = EffectContext::new(EffectId { incident, seq: Seq(2) }, now).with_deadline(deadline);
    let error = ports.notifier.unwrap().deliver(&cx, &notice).await.unwrap_err();
    assert_no_secret_in_any_layer_of(&error);
    match ports.probes["health"].look(&ReadContext::new(incident, now).with_deadline(deadline)).await {
        Ok(reading) => assert_no_secret_in(&reading.detail),
        Err(error) => assert_no_secret_in_any_layer_of(&error),
    }
}

#[tokio::test]
async fn secrets_are_sent_and_never_shown() {
    for reply in [
        || Reply::Silence,
        || Reply::Cut,
        || Reply::Answer(401, vec![("www-authenticate", "b0dy".to_owned())], b"t0ken b0dy".to_vec()),
        || Reply::Answer(302, vec![("location", "/b0dy".to_owned())], Vec::new()),
        || Reply::Answer(500, Vec::new(), b"s1gning b0dy".to_vec()),
    ] {
        let fake = Fake::start(move |_| reply()).await;
        check(&fake.url()).await;
        for asked in fake.asked() {
            assert_eq!(asked.path, "/hooks/p4th");
            assert_eq!(asked.headers["authorization"], "Bearer t0ken");
        }
    }
    check(&nobody().await).await;
    check("http://nobody.invalid").await;
}

#[test]
fn the_configuration_hides_even_what_should_not_be_in_it() {
    let mut config = config("http://me:t0ken@host/b0dy?s1gning");
    config.headers.insert("X-Plain".to_owned(), TextOrSecret::text("t0ken"));
    assert_no_secret_in(&format!("{:?} {:#?}", config.headers, config.webhook));
    config.probes.clear();
    assert_no_secret_in(&format!("{config:?}"));
    assert_no_secret_in_any_layer_of(&HttpBackend::new(config).unwrap_err());
}
