//! What people do on GitHub, as commands.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use incident_core::log::event::Origin;
use incident_core::log::incident::Incident;
use incident_core::model::role::Actor;
use incident_core::model::severity::Severity;
use incident_core::model::ticket::TicketRef;
use incident_core::rules::command::{Command, Request};
use incident_github::{Happening, TicketEvent};
use serde_json::{Value, json};

const ISSUES: &str = include_str!("payloads/issues.json");
const COMMENT: &str = include_str!("payloads/issue_comment.json");
const US: &str = "incident-bot";

/// What GitHub sends, changed at these places.
fn payload(of: &str, changes: &[(&str, Value)]) -> Vec<u8> {
    let mut payload: Value = serde_json::from_str(of).unwrap();
    for (pointer, value) in changes {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        payload.pointer_mut(parent).unwrap()[field] = value.clone();
    }
    payload.to_string().into_bytes()
}

fn read(event: &str, body: &[u8]) -> Option<TicketEvent> {
    TicketEvent::read(US, event, body).unwrap()
}

fn issues(changes: &[(&str, Value)]) -> TicketEvent {
    read("issues", &payload(ISSUES, changes)).unwrap()
}

/// The incident of the ticket, at SEV2.
fn incident() -> Incident {
    let mut incident = Incident::blank("019d0a3e-5d00-7707-8707-070707070707".parse().unwrap());
    incident.ticket = Some(TicketRef::new("Acme/shop#17"));
    incident.severity = Severity::Sev2;
    incident
}

fn commands(event: &TicketEvent, incident: &Incident) -> Vec<Command> {
    event.requests(incident).into_iter().map(|request| request.command).collect()
}

fn said(command: &Command) -> String {
    match command {
        Command::Note(it) => format!("note: {}", it.text),
        Command::SetSeverity(it) => format!("{}: {}", it.severity, it.because),
        Command::Resolve(it) => format!("resolve, overriding {:?}: {}", it.override_because, it.cause),
        Command::Reopen(it) => format!("reopen: {}", it.because),
        Command::MoveTicket(it) => format!("{} is {}", it.from, it.to),
        other => format!("{other:?}"),
    }
}

#[test]
fn an_event_says_who_did_what_to_which_ticket_of_which_incident() {
    let event = read("issue_comment", COMMENT.as_bytes()).unwrap();
    assert_eq!((event.by.as_str(), event.ticket.as_str()), ("alice", "acme/shop#17"));
    assert_eq!(event.incident, Some(incident().id));
    assert_eq!(
        event.what,
        Happening::Commented("The pool of connections is full.\r\nLooking at the limit.".to_owned())
    );
    assert_eq!(event.link.as_deref(), Some("https://github.com/acme/shop/issues/17#issuecomment-492700400"));
    let requests: Vec<Request> = event.requests(&incident());
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].actor, Actor::human("github", "alice"));
    let mut origin = Origin::new("github");
    origin.link = event.link;
    assert_eq!(requests[0].origin, origin);
    assert_eq!(requests[0].occurred_at, "2026-03-20T10:01:00Z".parse().ok());
}

#[test]
fn each_change_of_the_incidents_ticket_becomes_its_command_and_overrides_no_gate() {
    let closed = |reason: Value| issues(&[("/issue/state_reason", reason)]);
    let labelled = |name: &str| issues(&[("/action", json!("labeled")), ("/label", json!({ "name": name }))]);
    let told = "note: alice closed the ticket acme/shop#17 as";
    for (event, expect) in [
        (
            closed(json!("completed")),
            vec![
                format!("{told} completed"),
                "resolve, overriding None: not said: alice closed the ticket".to_owned(),
            ],
        ),
        (closed(json!("not_planned")), vec![format!("{told} not_planned")]),
        (closed(json!("duplicate")), vec![format!("{told} duplicate")]),
        (
            issues(&[("/action", json!("reopened"))]),
            vec!["reopen: alice opened the ticket acme/shop#17 again".to_owned()],
        ),
        (labelled("SEV1"), vec!["SEV1: alice labelled the ticket acme/shop#17".to_owned()]),
        (labelled("sev2"), vec![]),
        (labelled("team-a"), vec![]),
        (
            issues(&[("/action", json!("unlabeled")), ("/label", json!({ "name": "sev2" }))]),
            vec!["note: alice removed the label sev2 from the ticket acme/shop#17".to_owned()],
        ),
        (issues(&[("/action", json!("unlabeled")), ("/label", json!({ "name": "team-a" }))]), vec![]),
        (
            issues(&[("/action", json!("assigned")), ("/assignee", json!({ "login": "bob" }))]),
            vec!["note: alice assigned bob to the ticket acme/shop#17".to_owned()],
        ),
        (
            issues(&[("/action", json!("unassigned")), ("/assignee", json!({ "login": "bob" }))]),
            vec!["note: alice unassigned bob from the ticket acme/shop#17".to_owned()],
        ),
        (
            issues(&[
                ("/action", json!("edited")),
                ("/changes", json!({ "title": { "from": "x" } })),
                ("/issue/title", json!("checkout is down")),
            ]),
            vec!["note: alice renamed the ticket acme/shop#17 to “checkout is down”".to_owned()],
        ),
        (
            issues(&[
                ("/action", json!("transferred")),
                (
                    "/changes",
                    json!({ "new_issue": { "number": 5 }, "new_repository": { "full_name": "acme/web" } }),
                ),
            ]),
            vec!["Acme/shop#17 is acme/web#5".to_owned()],
        ),
        (
            issues(&[("/action", json!("transferred"))]),
            vec![
                "note: alice transferred the ticket acme/shop#17; GitHub doesn't say where it is now"
                    .to_owned(),
            ],
        ),
        // The same, as it is told at the new place.
        (
            issues(&[
                ("/action", json!("opened")),
                ("/repository/full_name", json!("acme/web")),
                ("/issue/number", json!(5)),
                (
                    "/changes",
                    json!({ "old_issue": { "number": 17 }, "old_repository": { "full_name": "acme/shop" } }),
                ),
            ]),
            vec!["Acme/shop#17 is acme/web#5".to_owned()],
        ),
        (
            issues(&[("/action", json!("deleted"))]),
            vec!["note: alice deleted the ticket acme/shop#17".to_owned()],
        ),
    ] {
        let got: Vec<String> = commands(&event, &incident()).iter().map(said).collect();
        assert_eq!(got, expect, "{event:?}");
    }
}

#[test]
fn what_concerns_none_of_its_tickets_asks_nothing_of_an_incident() {
    let mut other = incident();
    for ticket in [None, Some(TicketRef::new("acme/shop#1")), Some(TicketRef::new("acme/web#17"))] {
        other.ticket = ticket;
        assert!(commands(&issues(&[]), &other).is_empty(), "{:?}", other.ticket);
    }
}

#[test]
fn what_no_person_did_to_a_ticket_is_no_event() {
    for (event, of, changes) in [
        ("ping", ISSUES, vec![]),
        ("push", ISSUES, vec![]),
        ("issues", ISSUES, vec![("/sender/login", json!("Incident-Bot"))]),
        ("issues", ISSUES, vec![("/sender/type", json!("Bot"))]),
        ("issues", ISSUES, vec![("/sender/login", json!("their-app[bot]")), ("/sender/type", Value::Null)]),
        ("issues", ISSUES, vec![("/action", json!("edited"))]),
        ("issues", ISSUES, vec![("/action", json!("opened"))]),
        ("issues", ISSUES, vec![("/action", json!("locked"))]),
        ("issues", ISSUES, vec![("/action", json!("labeled")), ("/label", Value::Null)]),
        ("issues", ISSUES, vec![("/action", json!("something_new"))]),
        ("issues", ISSUES, vec![("/issue/pull_request", json!({ "url": "x" }))]),
        ("issue_comment", COMMENT, vec![("/sender/login", json!(US))]),
        ("issue_comment", COMMENT, vec![("/action", json!("edited"))]),
        ("issue_comment", COMMENT, vec![("/action", json!("pinned"))]),
        ("issue_comment", COMMENT, vec![("/issue/pull_request", json!({ "url": "x" }))]),
    ] {
        assert_eq!(read(event, &payload(of, &changes)), None, "{event} {changes:?}");
    }
}

#[test]
fn a_marker_counts_only_on_an_issue_of_ours() {
    for (author, expect) in [("incident-bot", true), ("INCIDENT-bot", true), ("mallory", false)] {
        let event = issues(&[("/issue/user/login", json!(author))]);
        assert_eq!(event.incident.is_some(), expect, "{author}");
    }
    assert_eq!(issues(&[("/issue/user", Value::Null)]).incident, None);
    assert_eq!(issues(&[("/issue/body", Value::Null)]).incident, None);
}

#[test]
fn the_same_event_makes_the_same_requests_and_another_one_others() {
    let ids = |event: &TicketEvent| event.requests(&incident()).iter().map(|it| it.id).collect::<Vec<_>>();
    let one = ids(&issues(&[]));
    assert_eq!(one, ids(&issues(&[])));
    assert_ne!(one[0], one[1]);
    let later = ids(&issues(&[("/issue/updated_at", json!("2026-03-20T10:05:00Z"))]));
    assert!(one.iter().all(|id| !later.contains(id)));
}

#[test]
fn what_is_not_from_github_is_an_error_that_repeats_nothing() {
    for body in [
        "hunter2",
        "{}",
        r#"{ "action": "hunter2" }"#,
        "[]",
        "null",
        "payload=%7B%22hunter2%22%3A1%7D",
        &ISSUES.replace("\"full_name\"", "\"nothing\""),
        &ISSUES.replace("\"acme/shop\"", "\"../hunter2\""),
        &ISSUES.replace("\"number\": 17", "\"number\": \"hunter2\""),
        &ISSUES.replace("\"login\": \"alice\"", "\"login\": \"hunter2 <x>\""),
    ] {
        let error = TicketEvent::read(US, "issues", body.as_bytes()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn a_comment_that_is_too_long_or_empty_is_cut_or_left() {
    let commented =
        |body: String| read("issue_comment", &payload(COMMENT, &[("/comment/body", json!(body))])).unwrap();
    let Command::Note(note) = &commands(&commented("é".repeat(60_000)), &incident())[0] else {
        panic!("no note")
    };
    assert!(note.text.len() <= 8 * 1024 && note.text.ends_with('…'));
    assert!(commands(&commented(" \r\n".to_owned()), &incident()).is_empty());
}

/// Fields that GitHub leaves out or sends as null: accounts that are gone, imports, emptied texts.
#[test]
fn what_is_missing_hides_nothing_of_what_is_there() {
    let without = |of: &str, places: &[&str]| -> Vec<u8> {
        let mut payload: Value = serde_json::from_str(of).unwrap();
        for place in places {
            let (parent, field) = place.rsplit_once('/').unwrap();
            payload.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(field);
        }
        payload.to_string().into_bytes()
    };
    let closed = |body: &[u8]| {
        let event = read("issues", body).unwrap();
        assert_eq!(event.ticket.as_str(), "acme/shop#17");
        (event.by, commands(&read("issues", body).unwrap(), &incident()).len())
    };
    for (body, by) in [
        (without(ISSUES, &["/sender"]), "ghost"),
        (payload(ISSUES, &[("/sender", Value::Null)]), "ghost"),
        (payload(ISSUES, &[("/sender/login", Value::Null)]), "ghost"),
        (payload(ISSUES, &[("/sender/login", json!("ghost"))]), "ghost"),
        (payload(ISSUES, &[("/sender/type", json!("Mannequin"))]), "alice"),
        (without(ISSUES, &["/sender/type"]), "alice"),
        (payload(ISSUES, &[("/sender/login", json!("octocat_acme"))]), "octocat_acme"),
        (payload(ISSUES, &[("/issue/body", Value::Null)]), "alice"),
        (without(ISSUES, &["/issue/body", "/issue/user", "/issue/html_url"]), "alice"),
        (payload(ISSUES, &[("/issue/user", json!("odd")), ("/issue/labels", json!(7))]), "alice"),
        (payload(ISSUES, &[("/issue/closed_at", json!("soon")), ("/issue/updated_at", json!(7))]), "alice"),
        (payload(ISSUES, &[("/issue/state_reason", Value::Null)]), "alice"),
    ] {
        assert_eq!(closed(&body), (by.to_owned(), 2), "{}", String::from_utf8_lossy(&body));
    }
    let named_by_url = payload(
        ISSUES,
        &[
            ("/repository", json!({})),
            ("/issue/repository_url", json!("https://api.github.com/repos/acme/shop")),
        ],
    );
    assert_eq!(closed(&named_by_url).0, "alice");
    let bom = [b"\xef\xbb\xbf", ISSUES.as_bytes()].concat();
    assert_eq!(closed(&bom).0, "alice");
    let half = ISSUES.replace("checkout is slow", "checkout \\ud83d is slow");
    assert_eq!(closed(half.as_bytes()).0, "alice");

    let commented = |changes: &[(&str, Value)]| read("issue_comment", &payload(COMMENT, changes)).unwrap();
    assert_eq!(commented(&[("/comment/user", Value::Null)]).by, "alice");
    assert_eq!(commands(&commented(&[("/comment/user", Value::Null)]), &incident()).len(), 1);
    assert!(
        commands(&commented(&[("/comment/body", Value::Null)]), &incident()).is_empty(),
        "it says nothing"
    );
}

#[test]
fn what_is_wrong_with_a_body_is_said_and_not_guessed() {
    let error = |body: &[u8]| TicketEvent::read(US, "issues", body).unwrap_err().to_string();
    for (body, expect) in [
        (
            &b"payload=%7B%22action%22%3A%22closed%22%7D"[..],
            "set the webhook's content type to application/json",
        ),
        (b"<html>", "it isn't JSON"),
        (b"", "it isn't JSON"),
        (b"[1]", "it isn't a JSON object"),
        (b"{}", "`action` is missing"),
        (br#"{"action":"closed","issue":{}}"#, "`issue.number` is missing"),
        (br#"{"action":"closed","issue":{"number":1}}"#, "`repository.full_name` is missing"),
    ] {
        let said = error(body);
        assert!(said.ends_with(expect), "{said}");
        assert_eq!(said.contains("content type"), body.starts_with(b"payload"), "{said}");
    }
}
