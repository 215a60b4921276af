//! After an unknown outcome: looking before repeating.

use std::time::Duration;

use incident_core::model::effect::Receipt;
use incident_core::model::ticket::{CloseTicket, OpenTicket, SetTicket, TicketChange};
use incident_core::port::{Applied, ErrorKind, Found, Repeat, Tracker};
use incident_github::{GithubBackend, GithubTracker};
use serde_json::json;

use crate::fake::{Fake, Fault};
use crate::{HASTE, again, comment, effect, first, numbers, opening, ticket, tracker};

/// Goes on as the engine does.
async fn go_on(tracker: &GithubTracker, number: u64, change: &TicketChange) -> Receipt {
    match tracker.find(&again(number), change).await.unwrap() {
        Found::Yes(receipt) => receipt,
        Found::No => tracker.apply(&again(number), change).await.unwrap(),
        Found::CannotTell => panic!("it can't tell"),
    }
}

#[tokio::test]
async fn a_lost_reply_leaves_one_issue_even_if_lists_lag() {
    for lag in 0..3 {
        let fake = Fake::start().await;
        fake.state().lag = lag;
        fake.state().faults.push_back(Fault::LoseReply);
        let tracker = tracker(&fake);
        let lost = tracker.apply(&first(1), &opening()).await.unwrap_err();
        assert_eq!((lost.kind, lost.applied), (ErrorKind::Unavailable, Applied::Maybe));
        let receipt = go_on(&tracker, 1, &opening()).await;
        assert_eq!(receipt.reference, "acme/shop#1");
        assert_eq!(fake.state().issues.len(), 1, "with lists that lag by {lag}");
    }
}

#[tokio::test]
async fn a_look_that_has_less_time_than_lists_may_lag_cannot_tell() {
    let fake = Fake::start().await;
    let mut config = fake.config();
    config.lag = Duration::from_secs(5);
    let tracker = GithubBackend::connect(config).unwrap().into_tracker();
    let found = tracker.find(&again(1).with_deadline(HASTE), &opening()).await.unwrap();
    assert_eq!(found, Found::CannotTell);
}

#[tokio::test]
async fn an_issue_is_found_on_whatever_page_it_is() {
    for (newer, pages) in [(98, 1), (99, 1), (100, 2), (101, 2), (250, 3)] {
        let fake = Fake::start().await;
        let tracker = tracker(&fake);
        tracker.apply(&first(1), &opening()).await.unwrap();
        for number in 0..newer {
            let number = fake.state().put_issue("alice", &format!("other {number}"), "words");
            fake.state().edit(number, "pull_request", json!({ "merged_at": null }));
        }
        fake.state().asked.clear();
        assert!(matches!(tracker.find(&again(1), &opening()).await.unwrap(), Found::Yes(_)), "{newer}");
        let lists = fake.lines().iter().filter(|line| line.contains("/issues")).count();
        assert_eq!(lists, pages, "{newer} newer ones");
    }
}

#[tokio::test]
async fn a_list_that_is_longer_than_is_read_cannot_tell() {
    let fake = Fake::start().await;
    for number in 0..2_001 {
        fake.state().put_issue("alice", &format!("other {number}"), "words");
    }
    let tracker = tracker(&fake);
    assert_eq!(tracker.find(&again(1), &opening()).await.unwrap(), Found::CannotTell);
    // What is older than the effect needn't be read.
    let later = again(1).with_attempt(2, fake.state().now);
    assert_eq!(tracker.find(&later, &opening()).await.unwrap(), Found::No);
}

#[tokio::test]
async fn a_comment_is_found_on_whatever_page_it_is() {
    for before in [99, 100, 101, 200] {
        let fake = Fake::start().await;
        let tracker = tracker(&fake);
        tracker.apply(&first(1), &opening()).await.unwrap();
        for number in 0..before {
            fake.state().put_comment("alice", 1, &format!("other words {number}"));
        }
        fake.state().faults.push_back(Fault::LoseReply);
        tracker.apply(&first(2), &comment(1, "the words")).await.unwrap_err();
        go_on(&tracker, 2, &comment(1, "the words")).await;
        let said = fake.state().said(1);
        assert_eq!(said.iter().filter(|it| it.starts_with("the words")).count(), 1, "after {before}");
    }
}

#[tokio::test]
async fn a_marker_that_somebody_copied_or_that_is_on_a_pull_request_is_not_ours() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    let body = format!("<!-- ir:op={} incident={} -->", effect(1), effect(1).incident);
    fake.state().put_issue("mallory", "copied", &body);
    let pull = fake.state().put_issue("incident-bot", "a pull request", &body);
    fake.state().edit(pull, "pull_request", json!({}));
    assert_eq!(tracker.find(&again(1), &opening()).await.unwrap(), Found::No);
    fake.state().put_issue("Incident-Bot", "ours, however it is cased", &body);
    let Found::Yes(receipt) = tracker.find(&again(1), &opening()).await.unwrap() else { panic!("not found") };
    assert_eq!(receipt.reference, "acme/shop#3");
}

#[tokio::test]
async fn a_close_that_only_said_why_goes_on_and_says_nothing_twice() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    tracker.apply(&first(1), &opening()).await.unwrap();
    let close = TicketChange::Close(CloseTicket::new(ticket(1), "Resolved."));
    let met =
        [Fault::answer(502, "Server Error"), Fault::LoseReply, Fault::answer(403, "Must have admin rights")];
    for (number, fault) in (2..).zip(met) {
        let before = fake.state().said(1).len();
        fake.state().edit(1, "state", json!("open"));
        // The comment comes first, then the state.
        fake.state().faults.extend([Fault::Pass, fault]);
        let error = tracker.apply(&first(number), &close).await.unwrap_err();
        assert_eq!(error.applied, Applied::Maybe, "the comment is there: {error}");
        go_on(&tracker, number, &close).await;
        assert_eq!(fake.state().issue(1)["state"], "closed");
        assert_eq!(fake.state().said(1).len(), before + 1);
        go_on(&tracker, number, &close).await;
        assert_eq!(fake.state().said(1).len(), before + 1);
    }
}

#[tokio::test]
async fn of_a_long_comment_only_what_is_missing_is_written() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    tracker.apply(&first(1), &opening()).await.unwrap();
    let long = (0..4_000).map(|line| format!("line {line} {}\n", "word ".repeat(8))).collect::<String>();
    fake.state().faults.extend([Fault::AnswerLate]);
    let late = tracker.apply(&first(2).with_deadline(HASTE), &comment(1, &long)).await.unwrap_err();
    assert_eq!(late.applied, Applied::Maybe);
    assert_eq!(fake.state().said(1).len(), 1, "the first part is there");
    go_on(&tracker, 2, &comment(1, &long)).await;
    let said = fake.state().said(1);
    assert_eq!(said.len(), 4);
    assert_eq!(numbers(&said.join("\n")), (0..4_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_found_issue_tells_what_it_lacks() {
    let fake = Fake::start().await;
    fake.state().push = false;
    fake.state().faults.push_back(Fault::LoseReply);
    let tracker = tracker(&fake);
    let long = OpenTicket::new("long", &"words ".repeat(12_000)).with_labels(crate::labels());
    let change = TicketChange::Open(long);
    tracker.apply(&first(1), &change).await.unwrap_err();
    let Found::Yes(receipt) = tracker.find(&again(1), &change).await.unwrap() else { panic!("not found") };
    assert_eq!(
        receipt.degraded,
        [
            "GitHub dropped the label incident",
            "GitHub dropped the label sev2",
            "part 2 of 2 of its text is missing"
        ]
    );
}

#[tokio::test]
async fn what_repeats_to_the_same_state_is_compared() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    tracker.apply(&first(1), &opening()).await.unwrap();
    let change = TicketChange::Set(SetTicket::new(ticket(1), "Status: identified"));
    assert_eq!(tracker.repeat(&change), Repeat::Converging);
    assert_eq!(tracker.find(&first(2), &change).await.unwrap(), Found::No);
    tracker.apply(&first(2), &change).await.unwrap();
    assert!(matches!(tracker.find(&first(2), &change).await.unwrap(), Found::Yes(_)));
}
