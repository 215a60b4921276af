//! What people did to tickets, read back.

use incident_core::model::role::Identity;
use incident_core::model::ticket::{OpenTicket, TicketChange, TicketRef};
use incident_core::model::time::Time;
use incident_core::port::{ErrorKind, Tracker};
use serde_json::json;

use crate::fake::{Fake, Fault, State};
use crate::{first, reading, ticket, tracker};

fn at(text: &str) -> Option<Time> {
    Some(text.parse().unwrap())
}

#[tokio::test]
async fn state_owners_and_day_are_read_as_people_left_them() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    let mut open = OpenTicket::new("Ask @alice", "Raise it.");
    open.assignees = vec![Identity::new("github", "alice")];
    open.due = at("2026-04-01T17:00:00Z");
    tracker.apply(&first(1), &TicketChange::Open(open)).await.unwrap();
    let read = tracker.read(&reading(), &[ticket(1)]).await.unwrap();
    assert_eq!((read[0].title.as_str(), read[0].open), ("Ask @alice", true));
    assert_eq!(read[0].assignees, [Identity::new("github", "alice")]);
    assert_eq!(read[0].due, at("2026-04-01T17:00:00Z"), "the day stands for the time that was written");
    assert_eq!(read[0].link.as_deref(), Some("https://github.com/acme/shop/issues/1"));

    let body = fake.state().issue(1)["body"].as_str().unwrap().replace("2026-04-01\n", "2026-04-03\r\n");
    {
        let mut state = fake.state();
        state.edit(1, "body", json!(body));
        state.edit(1, "state", json!("closed"));
        state.edit(1, "assignees", json!([{ "login": "Bob" }, { "login": "carol" }]));
    }
    let read = tracker.read(&reading(), &[ticket(1)]).await.unwrap();
    assert!(!read[0].open);
    assert_eq!(read[0].assignees, [Identity::new("github", "Bob"), Identity::new("github", "carol")]);
    assert_eq!(read[0].due, at("2026-04-03T23:59:59Z"));
}

#[tokio::test]
async fn what_is_gone_is_left_out_and_what_was_transferred_is_followed() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    for number in 1..=5 {
        fake.state().put_issue("alice", &format!("no. {number}"), "");
    }
    fake.state().edit(2, "deleted", json!(true));
    fake.state().edit(3, "moved", json!("/repos/acme/shop/issues/5"));
    let asked = [ticket(4), ticket(3), ticket(2), ticket(99), TicketRef::new("not a ticket"), ticket(1)];
    let read = tracker.read(&reading(), &asked).await.unwrap();
    let read: Vec<_> = read.iter().map(|it| (it.reference.as_str(), it.title.as_str())).collect();
    assert_eq!(read, [("acme/shop#4", "no. 4"), ("acme/shop#3", "no. 5"), ("acme/shop#1", "no. 1")]);
}

#[tokio::test]
async fn tickets_that_can_only_not_be_seen_are_not_gone() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    fake.state().put_issue("alice", "there", "");
    type Change = fn(&mut State);
    let cases: [(Change, ErrorKind); 3] = [
        (|state| state.visible = false, ErrorKind::NotFound),
        (|state| state.has_issues = false, ErrorKind::Config),
        (|state| state.read_faults.push_back(("/issues/1", Fault::answer(502, ""))), ErrorKind::Unavailable),
    ];
    for (change, kind) in cases {
        change(&mut fake.state());
        let error = tracker.read(&reading(), &[ticket(1)]).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        let mut state = fake.state();
        (state.visible, state.has_issues) = (true, true);
    }
}
