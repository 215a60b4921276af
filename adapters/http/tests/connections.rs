//! How many connections a backend opens, and which it uses again.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod fake;

use std::sync::Arc;

use fake::{Fake, Reply};
use futures_util::future::join_all;
use incident_core::config::Secret;
use incident_core::model::id::{EffectId, IncidentId, Seq};
use incident_core::model::notice::{Notice, NoticeKind};
use incident_core::model::severity::Audience;
use incident_core::model::time::Time;
use incident_core::port::{EffectContext, Notifier};
use incident_http::{HttpBackend, HttpConfig, SecretValue, TextOrSecret, WebhookConfig};
use serde_json::json;

/// What the README promises.
const MOST: usize = 32;

fn webhook(fake: &Fake) -> Arc<dyn Notifier> {
    let mut config = HttpConfig::new(&fake.url());
    let secret = SecretValue::held(Secret::new("s3cret".to_owned()));
    config.webhook = Some(WebhookConfig::new(TextOrSecret::text("/hooks/incident"), secret));
    HttpBackend::new(config).unwrap().into_ports().notifier.unwrap()
}

async fn deliver(to: &Arc<dyn Notifier>, number: u64) {
    let incident = IncidentId::new(Time::UNIX_EPOCH, [1; 16]);
    let cx = EffectContext::new(EffectId { incident, seq: Seq(number) }, Time::UNIX_EPOCH);
    let audiences = vec![Audience::new(Audience::TEAM)];
    let notice = Notice::new(incident, Seq(1), NoticeKind::Update, audiences, "checkout is slow");
    to.deliver(&cx, &notice).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_burst_opens_no_more_connections_than_the_limit() {
    let fake = Fake::start(|_| Reply::json(&json!({ "taken": true }))).await;
    let webhook = webhook(&fake);
    for _ in 0..4 {
        let burst = (1..=500).map(|number| {
            let webhook = Arc::clone(&webhook);
            tokio::spawn(async move { deliver(&webhook, number).await })
        });
        join_all(burst).await.into_iter().for_each(Result::unwrap);
    }
    assert_eq!(fake.asked().len(), 2_000);
    assert!(fake.connections() <= MOST, "{}", fake.connections());
}

#[tokio::test]
async fn one_after_the_other_they_share_one_connection() {
    let fake = Fake::start(|_| Reply::json(&json!({ "taken": true }))).await;
    let webhook = webhook(&fake);
    for number in 1..=8 {
        deliver(&webhook, number).await;
    }
    assert_eq!(fake.connections(), 1);
}

#[tokio::test]
async fn a_connection_that_the_service_closes_makes_room_for_another() {
    let fake = Fake::start(|_| Reply::status(202).with("connection", "close")).await;
    let webhook = webhook(&fake);
    let more_than_fit = 2 * MOST as u64;
    for number in 1..=more_than_fit {
        deliver(&webhook, number).await;
    }
    assert_eq!(fake.connections() as u64, more_than_fit);
}

#[tokio::test]
async fn a_connection_whose_answer_is_too_long_makes_room_for_another() {
    let fake = Fake::start(|_| Reply::Endless).await;
    let webhook = webhook(&fake);
    let more_than_fit = 2 * MOST as u64;
    join_all((1..=more_than_fit).map(|number| deliver(&webhook, number))).await;
    assert_eq!(fake.connections() as u64, more_than_fit);
}
