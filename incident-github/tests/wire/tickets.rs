//! Opening, commenting, setting, closing, opening again, linking.

use std::time::Duration;

use incident_core::model::role::Identity;
use incident_core::model::ticket::{
    CloseTicket, LinkTicket, OpenTicket, ReopenTicket, SetTicket, TicketChange, TicketRef,
};
use incident_core::port::{Applied, ErrorKind, Retry, Tracker};
use incident_github::GithubBackend;
use serde_json::{Value, json};

use crate::fake::{Fake, Fault};
use crate::{comment, effect, first, opening, ticket, tracker};

fn names(issue: &Value) -> Vec<&str> {
    issue["labels"].as_array().unwrap().iter().map(|label| label["name"].as_str().unwrap()).collect()
}

fn follow_up() -> OpenTicket {
    let mut open = OpenTicket::new("Raise the pool's limit", "Follow-up of the incident.\n\nRaise it.");
    open.labels = vec!["incident-followup".to_owned(), "priority:high".to_owned()];
    open.assignees = vec![Identity::new("slack", "U1"), Identity::new("github", "alice")];
    open.due = "2026-04-01T17:00:00Z".parse().ok();
    open.parent = Some(ticket(1));
    open
}

#[tokio::test]
async fn an_incident_becomes_an_issue_with_a_section_and_a_marker() {
    let fake = Fake::start().await;
    let receipt = tracker(&fake).apply(&first(12), &opening()).await.unwrap();
    assert_eq!(receipt.reference, "acme/shop#1");
    assert_eq!(receipt.link.as_deref(), Some("https://github.com/acme/shop/issues/1"));
    assert!(receipt.degraded.is_empty(), "{receipt:?}");
    let state = fake.state();
    let issue = state.issue(1);
    assert_eq!(issue["title"], "[INCIDENT] checkout is slow");
    assert_eq!(names(issue), ["incident", "sev2"]);
    let marker = format!("<!-- ir:op={} incident={} -->", effect(12), effect(12).incident);
    let body = format!("<!-- incident-status -->\n- Severity: SEV2\n<!-- /incident-status -->\n\n{marker}");
    assert_eq!(issue["body"], body);
}

#[tokio::test]
async fn a_follow_up_has_owner_day_milestone_and_a_link_to_its_incident() {
    let fake = Fake::start().await;
    fake.state().milestones = vec![
        json!({ "number": 1, "title": "Q1", "state": "closed" }),
        json!({ "number": 2, "title": "Q2", "state": "open" }),
    ];
    let mut config = fake.config();
    config.milestone = Some("Q2".to_owned());
    let tracker = GithubBackend::connect(config).unwrap().into_tracker();
    tracker.apply(&first(1), &opening()).await.unwrap();
    let receipt = tracker.apply(&first(2), &TicketChange::Open(follow_up())).await.unwrap();
    assert!(receipt.degraded.is_empty(), "{receipt:?}");
    let state = fake.state();
    let (incident, issue) = (state.issue(1), state.issue(2));
    assert_eq!(incident["milestone"], Value::Null, "the milestone is for follow-ups");
    assert_eq!(issue["milestone"]["number"], 2);
    assert_eq!(issue["assignees"][0]["login"], "alice");
    assert_eq!(names(issue), ["incident-followup", "priority:high"]);
    let body = issue["body"].as_str().unwrap();
    for line in ["Due: 2026-04-01", "Part of acme/shop#1", "Raise it."] {
        assert!(body.lines().any(|it| it == line), "{line} isn't in {body}");
    }
}

#[tokio::test]
async fn what_cannot_be_had_is_left_out_and_said() {
    let fake = Fake::start().await;
    let mut config = fake.config();
    config.milestone = Some("Q2".to_owned());
    let tracker = GithubBackend::connect(config).unwrap().into_tracker();
    let mut open = follow_up();
    open.assignees = vec![
        Identity::new("github", "BOB"),
        Identity::new("github", "mallory"),
        Identity::new("github", "../x"),
    ];
    let receipt = tracker.apply(&first(1), &TicketChange::Open(open)).await.unwrap();
    assert_eq!(
        receipt.degraded,
        ["mallory can't be assigned here", "../x can't be assigned here", "there is no open milestone Q2"]
    );
    assert_eq!(fake.state().issue(1)["assignees"][0]["login"], "BOB");
}

#[tokio::test]
async fn what_github_drops_without_a_word_is_in_the_receipt() {
    let fake = Fake::start().await;
    fake.state().push = false;
    let receipt = tracker(&fake).apply(&first(1), &TicketChange::Open(follow_up())).await.unwrap();
    assert_eq!(
        receipt.degraded,
        [
            "GitHub dropped the label incident-followup",
            "GitHub dropped the label priority:high",
            "GitHub dropped the assignee alice"
        ]
    );
}

#[tokio::test]
async fn a_missing_label_is_created_once_with_a_colour_and_a_description() {
    let fake = Fake::start().await;
    fake.state().labels.remove("sev2");
    let tracker = tracker(&fake);
    tracker.apply(&first(1), &opening()).await.unwrap();
    tracker.apply(&first(2), &opening()).await.unwrap();
    let created: Vec<Value> =
        fake.writes().into_iter().filter(|it| it.path.ends_with("/shop/labels")).map(|it| it.body).collect();
    assert_eq!(
        created,
        [json!({ "name": "sev2", "color": "d93f0b", "description": "High: a major degradation" })]
    );
    assert_eq!(names(fake.state().issue(2)), ["incident", "sev2"]);
}

#[tokio::test]
async fn a_label_that_somebody_else_creates_meanwhile_is_there() {
    let fake = Fake::start().await;
    {
        let mut state = fake.state();
        state.read_faults.push_back(("/labels/sev2", Fault::answer(404, "Not Found")));
    }
    let receipt = tracker(&fake).apply(&first(1), &opening()).await.unwrap();
    assert!(receipt.degraded.is_empty(), "{receipt:?}");
}

#[tokio::test]
async fn a_label_that_was_there_and_is_gone_is_created_with_the_next_try() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    tracker.apply(&first(1), &opening()).await.unwrap();
    fake.state().labels.remove("sev2");
    let error = tracker.apply(&first(2), &opening()).await.unwrap_err();
    assert_eq!((error.applied, error.retry), (Applied::No, Retry::After(Some(Duration::from_secs(1)))));
    tracker.apply(&first(2).with_attempt(2, crate::fake::t0()), &opening()).await.unwrap();
    assert_eq!(names(fake.state().issue(2)), ["incident", "sev2"]);
}

#[tokio::test]
async fn a_label_that_may_not_be_created_hinders_no_ticket() {
    let fake = Fake::start().await;
    fake.state().labels.remove("sev2");
    fake.state().faults.push_back(Fault::answer(403, "Must have push access"));
    let receipt = tracker(&fake).apply(&first(1), &opening()).await.unwrap();
    assert_eq!(receipt.degraded.len(), 1, "{receipt:?}");
    assert!(receipt.degraded[0].starts_with("the label sev2 is missing: "), "{receipt:?}");
}

#[tokio::test]
async fn a_change_of_severity_swaps_its_label_and_touches_no_other() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    tracker.apply(&first(1), &opening()).await.unwrap();
    {
        let mut state = fake.state();
        state.put_label("team: a/b");
        let mut labels = state.issue(1)["labels"].clone();
        labels.as_array_mut().unwrap().push(json!({ "name": "team: a/b" }));
        state.edit(1, "labels", labels);
        let body = format!("mine\r\n{}\r\nyours", state.issue(1)["body"].as_str().unwrap());
        state.edit(1, "body", json!(body));
    }
    let mut set = SetTicket::new(ticket(1), "Severity: SEV1\nStatus: identified");
    set.add_labels = vec!["sev1".to_owned()];
    set.remove_labels = ["sev2", "sev3", "sev4"].map(str::to_owned).to_vec();
    let change = TicketChange::Set(set);
    tracker.apply(&first(2), &change).await.unwrap();
    assert_eq!(names(fake.state().issue(1)), ["incident", "team: a/b", "sev1"]);
    let body = fake.state().issue(1)["body"].as_str().unwrap().to_owned();
    assert!(
        body.starts_with("mine\r\n<!-- incident-status -->\n- Severity: SEV1\n- Status: identified\n<!--"),
        "{body}"
    );
    assert!(body.ends_with("\r\nyours") && !body.contains("SEV2"), "{body}");
    let before = fake.writes().len();
    tracker.apply(&first(3), &change).await.unwrap();
    assert_eq!(fake.writes().len(), before, "what is so already isn't written again");
}

#[tokio::test]
async fn closing_says_why_and_how_and_opening_again_says_why() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    tracker.apply(&first(1), &opening()).await.unwrap();
    let close = TicketChange::Close(CloseTicket::new(ticket(1), "Resolved at noon."));
    tracker.apply(&first(2), &close).await.unwrap();
    let issue = fake.state().issue(1).clone();
    assert_eq!((&issue["state"], &issue["state_reason"]), (&json!("closed"), &json!("completed")));
    let reopen = TicketChange::Reopen(ReopenTicket::new(ticket(1), "It came back."));
    tracker.apply(&first(3), &reopen).await.unwrap();
    let issue = fake.state().issue(1).clone();
    assert_eq!((&issue["state"], &issue["state_reason"]), (&json!("open"), &json!("reopened")));
    let said = fake.state().said(1);
    assert!(said[0].starts_with("Resolved at noon.") && said[1].starts_with("It came back."), "{said:?}");
}

#[tokio::test]
async fn a_duplicate_is_linked_so_that_github_sees_it_and_only_once() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    tracker.apply(&first(1), &opening()).await.unwrap();
    let link = TicketChange::Link(LinkTicket::new(ticket(1), "acme/shop#7", "duplicate of"));
    tracker.apply(&first(2), &link).await.unwrap();
    tracker.apply(&first(2).with_attempt(2, crate::fake::t0()), &link).await.unwrap();
    let said = fake.state().said(1);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("Duplicate of acme/shop#7\n"), "{said:?}");
}

#[tokio::test]
async fn a_ticket_elsewhere_is_not_changed() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    for reference in ["acme/other#1", "acme/shop#x", "17", "https://github.com/acme/shop/issues/1"] {
        let change = TicketChange::Close(CloseTicket::new(TicketRef::new(reference), "over"));
        let error = tracker.apply(&first(1), &change).await.unwrap_err();
        assert_eq!((error.kind, error.applied), (ErrorKind::Invalid, Applied::No), "{reference}");
    }
    assert!(fake.lines().is_empty());
    let cased = TicketChange::Close(CloseTicket::new(TicketRef::new("Acme/SHOP#1"), "over"));
    fake.state().put_issue("alice", "adopted", "by hand");
    tracker.apply(&first(1), &cased).await.unwrap();
}

#[tokio::test]
async fn each_refusal_is_understood() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    fake.state().put_issue("alice", "adopted", "by hand");
    type Change = fn(&mut crate::fake::State);
    let cases: [(Change, ErrorKind); 5] = [
        (|state| state.edit(1, "deleted", json!(true)), ErrorKind::NotFound),
        (|state| state.edit(1, "moved", json!("/repos/acme/shop/issues/2")), ErrorKind::NotFound),
        (|state| state.has_issues = false, ErrorKind::Config),
        (|state| state.archived = true, ErrorKind::Refused),
        (|state| state.visible = false, ErrorKind::NotFound),
    ];
    for (number, (change, kind)) in (1..).zip(cases) {
        let issue = fake.state().issue(1).clone();
        change(&mut fake.state());
        let error = tracker.apply(&first(number), &comment(1, "we look")).await.unwrap_err();
        assert_eq!((error.kind, error.applied), (kind, Applied::No), "{error}");
        let mut state = fake.state();
        (state.has_issues, state.archived, state.visible) = (true, false, true);
        state.issues[0] = issue;
    }
}
