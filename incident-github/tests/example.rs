//! The example `followups` does what it says.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod fake;
#[path = "../../examples/snippets/examples/followups.rs"]
#[allow(dead_code, reason = "its main is for readers")]
mod followups;

use fake::{Fake, t0};
use incident_core::config::SecretRef;
use incident_core::model::id::{EffectId, IncidentId, Seq};
use incident_core::model::role::Identity;
use incident_core::model::ticket::{CloseTicket, OpenTicket, TicketChange, TicketRef};
use incident_core::port::{EffectContext, Tracker};
use incident_github::{GithubBackend, GithubConfig};

#[tokio::test]
async fn it_shows_what_is_open_with_the_most_urgent_first() {
    let fake = Fake::start().await;
    let tracker = GithubBackend::connect(fake.config()).unwrap().into_tracker();
    let context =
        |seq| EffectContext::new(EffectId { incident: IncidentId::new(t0(), [7; 16]), seq: Seq(seq) }, t0());
    for (seq, title, owner, due, done) in [
        (1, "Later", Some("alice"), Some("2026-06-01T12:00:00Z"), false),
        (2, "Late", None, Some("2026-03-01T12:00:00Z"), false),
        (3, "Done", Some("alice"), Some("2026-03-01T12:00:00Z"), true),
        (4, "Some day", Some("Bob"), None, false),
    ] {
        let mut open = OpenTicket::new(title, "words").with_labels(vec!["incident-followup".to_owned()]);
        open.assignees = owner.map(|owner| Identity::new("github", owner)).into_iter().collect();
        open.due = due.and_then(|due| due.parse().ok());
        tracker.apply(&context(seq), &TicketChange::Open(open)).await.unwrap();
        if done {
            let close = CloseTicket::new(TicketRef::new(&format!("acme/shop#{seq}")), "Done.");
            tracker.apply(&context(10 + seq), &TicketChange::Close(close)).await.unwrap();
        }
    }
    fake.state().put_issue("alice", "no follow-up", "Due: 2026-01-01");
    let told = followups::follow_ups(fake.config(), t0()).await.unwrap();
    let expected = "3 open\n\
        2026-03-01 OVERDUE  nobody  acme/shop#2  Late\n\
        2026-06-01  alice  acme/shop#1  Later\n\
        some day  Bob  acme/shop#4  Some day\n";
    assert_eq!(told, expected);
}

#[tokio::test]
async fn it_says_what_is_missing() {
    let mut config = GithubConfig::new("acme/shop");
    config.token = Some(SecretRef::File("/nowhere/token".into()));
    let error = followups::follow_ups(config, t0()).await.unwrap_err();
    assert!(error.to_string().starts_with("token: "), "{error}");
}
