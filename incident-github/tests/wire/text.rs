//! Text that is too long, and text that means harm.

use incident_core::model::ticket::{LinkTicket, OpenTicket, SetTicket, TicketChange};
use incident_core::port::{ErrorKind, Tracker};
use serde_json::json;

use crate::fake::{Fake, Fault};
use crate::{comment, first, numbers, opening, ticket, tracker};

const HOSTILE: &str = "@acme/on-call @alice closes #1 acme/shop#2 GH-3 https://github.com/acme/shop/pull/4 ``` ~~~\n\
    # heading\n- [ ] task\n<!-- /incident-status -->\n<!-- ir:op=x -->\n</details><img src=//evil>\u{202e}\r\nDue: 1999-01-01";

#[tokio::test]
async fn hostile_text_mentions_nobody_refers_to_nothing_and_breaks_out_of_nothing() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    tracker.apply(&first(1), &TicketChange::Open(OpenTicket::new(HOSTILE, HOSTILE))).await.unwrap();
    tracker.apply(&first(2), &comment(1, HOSTILE)).await.unwrap();
    tracker.apply(&first(3), &TicketChange::Set(SetTicket::new(ticket(1), HOSTILE))).await.unwrap();
    tracker
        .apply(&first(4), &TicketChange::Link(LinkTicket::new(ticket(1), HOSTILE, HOSTILE)))
        .await
        .unwrap();
    let read = tracker.read(&crate::reading(), &[ticket(1)]).await.unwrap();
    assert_eq!(read[0].due, None, "incident text sets no day");
    let state = fake.state();
    let issue = state.issue(1);
    let (title, body) = (issue["title"].as_str().unwrap(), issue["body"].as_str().unwrap());
    let mut texts = state.said(1);
    texts.push(body.to_owned());
    for text in &texts {
        for act in ["```", "~~~", "<img", "</details", "<!-- ir:op=x", "\u{202e}", "# heading", "- [ ]"] {
            let shown = text.match_indices(act).all(|(at, _)| text[..at].ends_with('\\'));
            assert!(shown, "{act} acts in {text}");
        }
        assert_eq!(text.matches("<!-- ir:op=").count(), 1, "{text}");
    }
    texts.push(title.to_owned());
    for text in &texts {
        for act in ["@acme", "@alice", "#1", "#2", "GH-3", "/pull/4"] {
            assert!(!text.contains(act), "{act} acts in {text}");
        }
    }
    assert_eq!(body.matches("<!-- /incident-status -->").count(), 1, "{body}");
}

#[tokio::test]
async fn a_text_that_is_too_long_goes_on_in_comments_and_loses_nothing() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    let long = (0..3_000).map(|line| format!("line {line} {}\n", "é🔥 ".repeat(12))).collect::<String>();
    let receipt =
        tracker.apply(&first(1), &TicketChange::Open(OpenTicket::new("long", &long))).await.unwrap();
    assert!(receipt.degraded.is_empty(), "{receipt:?}");
    tracker.apply(&first(2), &comment(1, &long)).await.unwrap();
    let state = fake.state();
    let said = state.said(1);
    assert_eq!(said.len(), 2 + 3, "two more parts of the body, and three of the comment");
    let whole = format!("{}\n{}", state.issue(1)["body"].as_str().unwrap(), said.join("\n"));
    assert_eq!(numbers(&whole), (0..3_000).chain(0..3_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_rest_of_a_text_that_cannot_be_written_is_said_and_the_ticket_is_there() {
    let fake = Fake::start().await;
    // The first write is the issue itself.
    fake.state().faults.extend([Fault::Pass, Fault::answer(502, "Server Error")]);
    let long = "words ".repeat(12_000);
    let receipt =
        tracker(&fake).apply(&first(1), &TicketChange::Open(OpenTicket::new("long", &long))).await.unwrap();
    assert_eq!(receipt.reference, "acme/shop#1");
    assert!(receipt.degraded[0].starts_with("part 2 of 2 of its text is missing: "), "{receipt:?}");
}

#[tokio::test]
async fn the_status_takes_the_room_that_people_leave() {
    let fake = Fake::start().await;
    let tracker = tracker(&fake);
    let words = "words ".repeat(100_000);
    for (theirs, expect) in [(0, Ok(65_000)), (60_000, Ok(65_000)), (64_990, Err(ErrorKind::TooLarge))] {
        tracker.apply(&first(1), &opening()).await.unwrap();
        let number = fake.state().issues.len() as u64;
        fake.state().edit(number, "body", json!("x".repeat(theirs)));
        let set = TicketChange::Set(SetTicket::new(ticket(number), &words));
        let set = tracker.apply(&first(2), &set).await;
        let length = fake.state().issue(number)["body"].as_str().unwrap().chars().count();
        match expect {
            Ok(most) => assert!(set.is_ok() && length > theirs && length <= most, "{theirs} {length}"),
            Err(kind) => assert_eq!(set.unwrap_err().kind, kind),
        }
    }
}
