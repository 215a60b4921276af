//! GitHub's limits, and what fails otherwise.

use std::time::Duration;

use incident_core::model::ticket::TicketChange;
use incident_core::port::{Applied, ErrorKind, Retry, Tracker};
use incident_github::{ChangesConfig, GithubBackend};
use serde_json::json;

use crate::fake::{Fake, Fault, t0};
use crate::{HASTE, comment, first, opening, reading, tracker};

fn limited(status: u16, headers: &[(&'static str, String)], message: &str) -> Fault {
    Fault::Answer(status, headers.to_vec(), json!({ "message": message }))
}

#[tokio::test]
async fn each_kind_of_limit_asks_for_its_own_wait_and_did_nothing() {
    let secondary = "You have exceeded a secondary rate limit.";
    let reset = (t0().timestamp() + 300).to_string();
    let remaining = |left: &str| ("x-ratelimit-remaining", left.to_owned());
    for (fault, seconds) in [
        (limited(429, &[("retry-after", "17".to_owned())], secondary), 17..=17),
        (limited(403, &[("retry-after", "17".to_owned())], secondary), 17..=17),
        (
            limited(403, &[remaining("0"), ("x-ratelimit-reset", reset.clone())], "API rate limit exceeded"),
            299..=301,
        ),
        (limited(429, &[remaining("0"), ("x-ratelimit-reset", reset.clone())], ""), 299..=301),
        (limited(403, &[remaining("4000"), ("x-ratelimit-reset", reset)], secondary), 60..=60),
        (limited(429, &[], ""), 60..=60),
    ] {
        let fake = Fake::start().await;
        fake.state().faults.push_back(fault.clone());
        let error = tracker(&fake).apply(&first(1), &opening()).await.unwrap_err();
        assert_eq!((error.kind, error.applied), (ErrorKind::RateLimited, Applied::No), "{fault:?}");
        let Retry::After(Some(wait)) = error.retry else { panic!("{fault:?}: {:?}", error.retry) };
        assert!(seconds.contains(&wait.as_secs()), "{fault:?}: {wait:?}");
    }
}

#[tokio::test]
async fn while_github_wants_silence_no_port_says_a_word() {
    let fake = Fake::start().await;
    fake.state().faults.push_back(limited(403, &[("retry-after", "90".to_owned())], "secondary rate limit"));
    let mut config = fake.config();
    config.changes = Some(ChangesConfig::default());
    let ports = GithubBackend::connect(config).unwrap().into_ports();
    let (tracker, collector) = (ports.tracker.unwrap(), ports.collector.unwrap());
    tracker.apply(&first(1), &opening()).await.unwrap_err();
    let before = fake.lines().len();
    let refused = [
        tracker.apply(&first(2), &opening()).await.unwrap_err(),
        tracker.find(&first(1), &opening()).await.unwrap_err(),
        collector.collect(&reading()).await.unwrap_err(),
    ];
    for error in refused {
        let Retry::After(Some(wait)) = error.retry else { panic!("{error}") };
        assert!(error.kind == ErrorKind::RateLimited && wait > Duration::from_secs(80), "{error} {wait:?}");
    }
    assert_eq!(fake.lines().len(), before, "nothing was sent");
}

#[tokio::test]
async fn what_finds_no_place_in_time_is_not_sent() {
    let fake = Fake::start().await;
    let mut config = fake.config();
    config.content.per_minute = 1;
    let tracker = GithubBackend::connect(config).unwrap().into_tracker();
    tracker.apply(&first(1), &opening()).await.unwrap();
    let error = tracker.apply(&first(2), &comment(1, "we look")).await.unwrap_err();
    assert_eq!((error.kind, error.applied), (ErrorKind::RateLimited, Applied::No));
    let Retry::After(Some(wait)) = error.retry else { panic!("{error}") };
    assert!((50..=60).contains(&wait.as_secs()), "{wait:?}");
    assert_eq!(fake.writes().len(), 1);
}

#[tokio::test]
async fn what_fails_says_whether_it_may_have_happened_and_is_sent_once() {
    for (fault, kind, applied) in [
        (Fault::answer(500, "Server Error"), ErrorKind::Unavailable, Applied::Maybe),
        (Fault::answer(503, "Service Unavailable"), ErrorKind::Unavailable, Applied::Maybe),
        (Fault::LoseReply, ErrorKind::Unavailable, Applied::Maybe),
        (Fault::AnswerLate, ErrorKind::Unavailable, Applied::Maybe),
        (Fault::Hang, ErrorKind::Unavailable, Applied::Maybe),
        (Fault::Answer(201, Vec::new(), json!([])), ErrorKind::Unavailable, Applied::Maybe),
        (Fault::answer(401, "Bad credentials"), ErrorKind::Auth, Applied::No),
        (Fault::answer(403, "Resource not accessible by integration"), ErrorKind::Permission, Applied::No),
        (Fault::answer(422, "Validation Failed"), ErrorKind::Invalid, Applied::No),
        (
            Fault::Answer(307, vec![("location", "/repos/acme/new/issues".to_owned())], json!({})),
            ErrorKind::Config,
            Applied::No,
        ),
    ] {
        let fake = Fake::start().await;
        fake.state().faults.push_back(fault.clone());
        let cx = first(1).with_deadline(HASTE);
        let error = tracker(&fake).apply(&cx, &opening()).await.unwrap_err();
        assert_eq!((error.kind, error.applied), (kind, applied), "{fault:?}: {error}");
        assert_eq!(fake.writes().len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn whoever_never_connected_did_nothing() {
    let config = Fake::start().await.config();
    let tracker = GithubBackend::connect(config).unwrap().into_tracker();
    let error = tracker.apply(&first(1), &TicketChange::Open(Default::default())).await.unwrap_err();
    assert_eq!((error.kind, error.applied), (ErrorKind::Unavailable, Applied::No), "{error}");
}
