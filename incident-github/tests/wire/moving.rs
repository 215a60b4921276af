//! Tickets that people transfer, delete or lock, and what is gone by the time it is asked for.

use incident_core::model::effect::Receipt;
use incident_core::model::role::Identity;
use incident_core::model::ticket::{
    CloseTicket, OpenTicket, ReopenTicket, SetTicket, TicketChange, TicketRef,
};
use incident_core::port::{Applied, EffectContext, ErrorKind, Found, Retry, Tracker};
use incident_github::GithubBackend;
use serde_json::{Value, json};

use crate::fake::{Fake, Fault, State};
use crate::{again, comment, first, labels, opening, reading, ticket, tracker};

fn every_change(of: &TicketRef) -> Vec<TicketChange> {
    let mut set = SetTicket::new(of.clone(), "Severity: SEV1");
    set.add_labels = vec!["sev1".to_owned()];
    set.remove_labels = vec!["sev2".to_owned()];
    vec![
        comment_on(of, "we look"),
        TicketChange::Set(set),
        TicketChange::Close(CloseTicket::new(of.clone(), "It is over.")),
        TicketChange::Reopen(ReopenTicket::new(of.clone(), "It came back.")),
    ]
}

fn comment_on(of: &TicketRef, words: &str) -> TicketChange {
    TicketChange::Comment(incident_core::model::ticket::CommentTicket::new(of.clone(), words))
}

/// After the ticket was opened.
fn later(number: u64) -> EffectContext {
    first(number).with_earlier(vec![Receipt::new("acme/shop#1")])
}

#[tokio::test]
async fn a_transferred_ticket_is_followed_and_its_new_name_told() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    tracker.apply(&first(1), &opening()).await.unwrap();
    let there = fake.state().transfer(1);
    let new = TicketRef::new(&format!("acme/web#{there}"));
    // By its old name, as long as the engine doesn't know the new one, and by the new one then.
    for (number, of) in [(10, ticket(1)), (20, new.clone())] {
        for (number, change) in (number..).zip(every_change(&of)) {
            let receipt = tracker.apply(&later(number), &change).await.unwrap();
            assert_eq!(receipt.reference, new.as_str(), "{change:?}");
            let moved_from = (of != new).then(|| "acme/shop#1".to_owned());
            assert_eq!(receipt.moved_from, moved_from, "{change:?}");
            let found =
                tracker.find(&later(number).with_attempt(2, crate::fake::t0()), &change).await.unwrap();
            assert!(matches!(found, Found::Yes(_)) || matches!(change, TicketChange::Close(_)), "{change:?}");
        }
    }
    let state = fake.state();
    let labels = state.issues[1]["labels"].as_array().unwrap();
    assert!(labels.iter().any(|label| label["name"] == "sev1"), "{labels:?}");
    assert_eq!(state.said(there).len(), 6, "three comments each, each once");
    assert!(state.said(1).is_empty());
}

#[tokio::test]
async fn only_what_we_opened_for_this_incident_is_changed_elsewhere() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    tracker.apply(&first(1), &opening()).await.unwrap();
    let strangers = fake.state().put_issue("mallory", "theirs", "words");
    let there = fake.state().transfer(strangers);
    let change = comment_on(&TicketRef::new(&format!("acme/web#{there}")), "we look");
    let before = fake.writes().len();
    let error = tracker.apply(&later(2), &change).await.unwrap_err();
    assert_eq!((error.kind, error.applied), (ErrorKind::Invalid, Applied::No), "{error}");
    assert_eq!(fake.writes().len(), before);
}

#[tokio::test]
async fn a_transferred_ticket_is_read_under_its_old_name_with_the_new_one() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    tracker.apply(&first(1), &opening()).await.unwrap();
    let there = fake.state().transfer(1);
    fake.state().edit(there, "state", json!("closed"));
    let read = tracker.read(&reading(), &[ticket(1)]).await.unwrap();
    assert_eq!(read[0].reference, ticket(1));
    assert_eq!(read[0].moved_to, Some(TicketRef::new(&format!("acme/web#{there}"))));
}

#[tokio::test]
async fn a_ticket_that_is_gone_says_so_for_good_and_one_out_of_sight_does_not() {
    type Hide = fn(&mut State);
    let cases: [(bool, Hide); 4] = [
        (true, |state| state.edit(1, "deleted", json!(true))),
        (true, |state| state.edit(1, "vanished", json!(true))),
        (true, |state| state.edit(1, "moved", json!("/repos/secret/place/issues/5"))),
        (false, |state| state.visible = false),
    ];
    for (gone, hide) in cases {
        let fake = Fake::start().await;
        let tracker = tracker(&fake);
        tracker.apply(&first(1), &opening()).await.unwrap();
        hide(&mut fake.state());
        for (number, change) in (10..).zip(every_change(&ticket(1))) {
            let error = tracker.apply(&later(number), &change).await.unwrap_err();
            assert_eq!((error.kind, error.applied), (ErrorKind::NotFound, Applied::No), "{error}");
            assert_eq!(error.retry == Retry::Never, gone, "{change:?}: {error}");
            let found = tracker.find(&later(number), &change).await;
            let is_no = matches!(found, Ok(Found::No));
            assert!(if gone { is_no } else { found.is_err() }, "{change:?}: {found:?}");
        }
    }
}

#[tokio::test]
async fn a_locked_issue_is_closed_without_the_comment() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    tracker.apply(&first(1), &opening()).await.unwrap();
    let locked = || Fault::answer(403, "Unable to create comment because issue is locked.");
    fake.state().faults.push_back(locked());
    let error = tracker.apply(&first(2), &comment(1, "we look")).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Refused, Retry::Never));
    fake.state().faults.push_back(locked());
    let close = TicketChange::Close(CloseTicket::new(ticket(1), "It is over."));
    let receipt = tracker.apply(&first(3), &close).await.unwrap();
    assert_eq!(fake.state().issue(1)["state"], "closed");
    assert!(receipt.degraded[0].contains("locked"), "{receipt:?}");
    // An archived repository takes nothing at all.
    fake.state().archived = true;
    let error = tracker.apply(&first(4), &close).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Refused, Retry::Never));
}

#[tokio::test]
async fn what_was_cancelled_is_closed_as_not_planned() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    tracker.apply(&first(1), &opening()).await.unwrap();
    let mut close = CloseTicket::new(ticket(1), "A false alarm.");
    close.not_planned = true;
    tracker.apply(&first(2), &TicketChange::Close(close)).await.unwrap();
    assert_eq!(fake.state().issue(1)["state_reason"], "not_planned");
}

#[tokio::test]
async fn an_assignee_or_a_milestone_that_goes_meanwhile_hinders_no_ticket() {
    let fake = Fake::start().await;
    {
        let mut state = fake.state();
        // They are there when they are looked for, and gone when the issue is opened.
        state.read_faults.push_back(("/assignees/carol", Fault::Answer(204, Vec::new(), Value::Null)));
        let milestones = json!([{ "number": 7, "title": "Q2", "state": "open" }]);
        state.read_faults.push_back(("/milestones", Fault::Answer(200, Vec::new(), milestones)));
    }
    let mut config = fake.config();
    config.milestone = Some("Q2".to_owned());
    let tracker = GithubBackend::connect(config).unwrap().into_tracker();
    let mut open = OpenTicket::new("Raise the limit", "Raise it.").with_labels(labels());
    open.assignees = vec![Identity::new("github", "carol")];
    open.due = "2026-04-01T17:00:00Z".parse().ok();
    let receipt = tracker.apply(&first(1), &TicketChange::Open(open)).await.unwrap();
    assert_eq!(receipt.degraded, ["GitHub refused the assignees", "GitHub refused the milestone"]);
    assert_eq!(fake.state().issues.len(), 1);
}

#[tokio::test]
async fn a_renamed_repository_is_followed() {
    let fake = Fake::start().await;
    let mut config = fake.config();
    config.repository = "acme/old".to_owned();
    let tracker = GithubBackend::connect(config).unwrap().into_tracker();
    let receipt = tracker.apply(&first(1), &opening()).await.unwrap();
    assert_eq!(receipt.reference, "acme/shop#1");
    assert!(receipt.degraded[0].contains("acme/shop"), "{receipt:?}");
    let change = comment(1, "we look");
    tracker.apply(&later(2), &change).await.unwrap();
    assert_eq!(fake.state().said(1).len(), 1);
}

/// Lists that show an issue only after the look gave it up, and after another one was opened.
#[tokio::test]
async fn an_issue_that_shows_late_stays_and_the_second_one_is_its_duplicate() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    fake.state().lag = 3;
    fake.state().faults.push_back(Fault::LoseReply);
    tracker.apply(&first(1), &opening()).await.unwrap_err();
    assert_eq!(tracker.find(&again(1), &opening()).await.unwrap(), Found::No, "it isn't listed yet");
    fake.state().lag = 0;
    let receipt = tracker.apply(&again(1), &opening()).await.unwrap();
    assert_eq!(receipt.reference, "acme/shop#1");
    assert_eq!(receipt.degraded, ["acme/shop#2 was opened twice and is closed as a duplicate"]);
    let state = fake.state();
    assert_eq!((&state.issue(1)["state"], &state.issue(2)["state"]), (&json!("open"), &json!("closed")));
    assert_eq!(state.issue(2)["state_reason"], "duplicate");
    assert!(state.said(2)[0].starts_with("Duplicate of acme/shop#1"), "{:?}", state.said(2));
}

#[tokio::test]
async fn too_quick_or_too_much_waits() {
    for message in ["was submitted too quickly", "has been spammed"] {
        let fake = Fake::start().await;
        let body = json!({ "message": "Validation Failed", "errors": [{ "resource": "Issue", "message": message }] });
        fake.state().faults.push_back(Fault::Answer(422, Vec::new(), body));
        let error = tracker(&fake).apply(&first(1), &opening()).await.unwrap_err();
        assert_eq!((error.kind, error.applied), (ErrorKind::RateLimited, Applied::No), "{error}");
        assert!(matches!(error.retry, Retry::After(Some(wait)) if wait.as_secs() >= 60), "{:?}", error.retry);
    }
}

#[tokio::test]
async fn one_ticket_out_of_sight_hides_no_other() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    tracker.apply(&first(1), &opening()).await.unwrap();
    let tickets = [ticket(1), TicketRef::new("other/place#4"), ticket(99)];
    let read = tracker.read(&reading(), &tickets).await.unwrap();
    let shown: Vec<_> = read.iter().map(|it| (it.reference.as_str(), it.unread.is_some())).collect();
    assert_eq!(shown, [("acme/shop#1", false), ("other/place#4", true)], "{read:?}");
    fake.state().visible = false;
    tracker.read(&reading(), &tickets).await.unwrap_err();
}
