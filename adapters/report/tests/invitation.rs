//! Invitations: what calendars read in them, and what nobody can smuggle into one.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking, and documents itself by its name"
)]

mod support;

use std::time::Duration;

use incident_core::model::role::Role;
use incident_core::model::role::{Identity, PersonId};
use incident_core::model::severity::Severity;
use incident_core::model::time::Time;
use incident_core::rules::command::{Assign, Because, Command, Declare, Resolve, ScheduleMeeting};
use incident_report::{Invitation, InvitationError, Invitee};
use proptest::prelude::*;
use support::as_it_was;
use support::driver::Driver;

fn organizer() -> Invitee {
    Invitee::new("Incident bot", "incidents@example.org")
}

/// Alice and Bob respond, and both have an address.
fn responded(title: &str) -> Driver {
    let mut declare = Declare::new(title).severity(Severity::Sev2);
    declare.link = Some("https://tracker.example/acme/shop/17".to_owned());
    let mut driver = Driver::declare(declare);
    for (person, email) in [("alice", "alice@example.org"), ("bob", "bob+oncall@example.org")] {
        let known = driver.runbook.persons.get_mut(&PersonId::new(person)).unwrap();
        known.identities.push(Identity::new("email", email));
    }
    driver.alice(Command::Acknowledge);
    let (role, to) = (Role::OpsLead, PersonId::new("bob"));
    driver.alice(Command::Assign(Assign { role, to }));
    driver
}

fn resolve(driver: &mut Driver) {
    let override_because = Some("everybody agreed".to_owned());
    driver.alice(Command::Resolve(Resolve { cause: "a bad deployment".to_owned(), override_because }));
}

fn announce(driver: &mut Driver, starts_at: &str) {
    if driver.incident.milestones.resolved.is_none() {
        resolve(driver);
    }
    let starts_at: Time = starts_at.parse().unwrap();
    let place = Some("Room 4; bring tea, please".to_owned());
    driver.alice(Command::ScheduleMeeting(ScheduleMeeting {
        starts_at,
        length: None,
        invitees: vec![],
        place,
    }));
}

fn ics(driver: &Driver) -> String {
    let invitation = Invitation::announced(&driver.incident, &driver.runbook, organizer()).unwrap();
    invitation.to_ics("example.org").unwrap()
}

/// What a calendar reads: the lines unfolded, each a name, parameters and a value. Written from RFC 5545 alone.
fn read(file: &str) -> Vec<(String, String, String)> {
    assert!(file.ends_with("\r\n"));
    let mut lines: Vec<String> = Vec::new();
    for line in file.strip_suffix("\r\n").unwrap().split("\r\n") {
        assert!(line.len() <= 75, "{} octets: {line}", line.len());
        assert!(!line.chars().any(char::is_control), "{line:?}");
        match line.strip_prefix(' ') {
            Some(more) => lines.last_mut().unwrap().push_str(more),
            None => lines.push(line.to_owned()),
        }
    }
    let parse = |line: String| {
        let mut quoted = false;
        let colon = line.find(|it| {
            quoted ^= it == '"';
            it == ':' && !quoted
        });
        let (left, value) = line.split_at(colon.unwrap());
        let (name, parameters) = left.split_once(';').unwrap_or((left, ""));
        (name.to_owned(), parameters.to_owned(), value[1..].to_owned())
    };
    lines.into_iter().map(parse).collect()
}

/// The text that a TEXT value stands for.
fn unescaped(value: &str) -> String {
    let mut text = String::new();
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next().unwrap() {
                'n' | 'N' => text.push('\n'),
                escaped => text.push(escaped),
            },
            ';' | ',' => panic!("unescaped {character} in {value}"),
            _ => text.push(character),
        }
    }
    text
}

fn value<'a>(lines: &'a [(String, String, String)], name: &str) -> &'a str {
    let mut found = lines.iter().filter(|(it, _, _)| it == name);
    let value = &found.next().unwrap_or_else(|| panic!("no {name}")).2;
    assert!(found.next().is_none(), "two of {name}");
    value
}

#[test]
fn an_invitation_reads_as_it_should() {
    let mut driver = responded("Checkout drops orders");
    announce(&mut driver, "2026-03-03T09:00:00Z");
    as_it_was("invitation.ics", &ics(&driver).replace("\r\n", "\n"));
}

#[test]
fn an_update_and_a_cancellation_are_of_the_same_meeting() {
    let mut driver = responded("Checkout drops orders");
    let mut seen = Vec::new();
    announce(&mut driver, "2026-03-03T09:00:00Z");
    seen.push(read(&ics(&driver)));
    announce(&mut driver, "2026-03-03T10:30:00Z");
    seen.push(read(&ics(&driver)));
    driver.alice(Command::CancelMeeting(Because { because: "we have written to each other".to_owned() }));
    seen.push(read(&ics(&driver)));
    for (at, (method, status, start)) in [
        ("REQUEST", "CONFIRMED", "20260303T090000Z"),
        ("REQUEST", "CONFIRMED", "20260303T103000Z"),
        ("CANCEL", "CANCELLED", "20260303T103000Z"),
    ]
    .into_iter()
    .enumerate()
    {
        let it = &seen[at];
        assert_eq!(value(it, "METHOD"), method);
        assert_eq!(value(it, "STATUS"), status);
        assert_eq!(value(it, "DTSTART"), start);
        assert_eq!(value(it, "SEQUENCE"), at.to_string());
        assert_eq!(value(it, "UID"), format!("{}@example.org", driver.incident.id));
    }
}

#[test]
fn responders_are_invited_and_whoever_has_no_address_is_named() {
    let mut driver = responded("Checkout drops orders");
    driver.runbook.persons.get_mut(&PersonId::new("bob")).unwrap().identities.pop();
    announce(&mut driver, "2026-03-03T09:00:00Z");
    let invitation = Invitation::announced(&driver.incident, &driver.runbook, organizer()).unwrap();
    assert_eq!(invitation.invitees, [Invitee::new("Alice Ash", "alice@example.org")]);
    assert_eq!(invitation.unreached, [PersonId::new("bob")]);
    assert_eq!(invitation.length, Duration::from_secs(3_600));
}

#[test]
fn no_meeting_is_announced_of_itself() {
    let driver = responded("Checkout drops orders");
    assert_eq!(Invitation::announced(&driver.incident, &driver.runbook, organizer()), None);
}

#[test]
fn the_latest_start_keeps_the_promise_over_weekend_and_holiday_in_the_teams_zone() {
    let mut driver = responded("Checkout drops orders");
    driver.runbook.calendar.zone = "Europe/Zurich".parse().unwrap();
    driver.runbook.calendar.holidays = vec!["2026-03-09".parse().unwrap()];
    // Friday, 16:00 in Zurich.
    driver.now = "2026-03-06T15:00:00Z".parse().unwrap();
    assert_eq!(Invitation::latest_start(&driver.incident, &driver.runbook), None);
    resolve(&mut driver);
    // Two business days after Friday: Monday is a holiday, so Wednesday; an hour before the office closes.
    let closes = driver.runbook.calendar.closes;
    let due =
        "2026-03-11".parse::<chrono::NaiveDate>().unwrap().and_time(closes) - chrono::TimeDelta::hours(2);
    assert_eq!(Invitation::latest_start(&driver.incident, &driver.runbook), Some(due.and_utc()));
}

#[test]
fn one_that_has_no_address_is_named_and_stops_nobody_else() {
    let mut driver = responded("Checkout drops orders");
    announce(&mut driver, "2026-03-03T09:00:00Z");
    let invitation = Invitation::announced(&driver.incident, &driver.runbook, organizer()).unwrap();
    for domain in ["", "localhost", "example.org\r\nATTENDEE:mailto:eve@example.org", "exa mple.org"] {
        assert_eq!(invitation.to_ics(domain), Err(InvitationError::Domain), "{domain:?}");
    }
    for email in [
        "",
        "alice",
        "a b@example.org",
        "a@example.org\r\nX-A:b",
        "a\"@example.org",
        "a@ex,ample.org",
        "a@b@example.org",
    ] {
        let mut invitation = invitation.clone();
        invitation.invitees[1].email = email.to_owned();
        let lines = read(&invitation.to_ics("example.org").unwrap());
        let invited: Vec<&str> =
            lines.iter().filter(|it| it.0 == "ATTENDEE").map(|it| it.2.as_str()).collect();
        assert_eq!(invited, ["mailto:alice@example.org"], "{email:?}");
        assert_eq!(invitation.refused().collect::<Vec<_>>(), [&invitation.invitees[1]], "{email:?}");
        invitation.organizer.email = email.to_owned();
        assert_eq!(invitation.to_ics("example.org"), Err(InvitationError::Organizer), "{email:?}");
        // As the runbook has it.
        let bob = driver.runbook.persons.get_mut(&PersonId::new("bob")).unwrap();
        *bob.identities.last_mut().unwrap() = Identity::new("email", email);
        let invitation = Invitation::announced(&driver.incident, &driver.runbook, organizer()).unwrap();
        assert_eq!(invitation.unreached, [PersonId::new("bob")], "{email:?}");
        assert_eq!(invitation.invitees.len(), 1, "{email:?}");
    }
}

fn words() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\r\nATTENDEE:mailto:eve@example.org\r\n".to_owned()),
        Just("\nBEGIN:VEVENT".to_owned()),
        Just("\rEND:VCALENDAR".to_owned()),
        Just("\";X=\"".to_owned()),
        Just("\\n;,:\\".to_owned()),
        Just("\u{202e}\u{85}\u{2028}\u{0}\t".to_owned()),
        "\\PC{0,40}",
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_people_write_stays_text(title in words(), place in words(), topic in words(), name in words()) {
        let mut driver = responded("Checkout drops orders");
        announce(&mut driver, "2026-03-03T09:00:00Z");
        let mut invitation = Invitation::announced(&driver.incident, &driver.runbook, organizer()).unwrap();
        let plain = read(&invitation.to_ics("example.org").unwrap());
        invitation.title = title.clone();
        invitation.place = Some(place);
        invitation.agenda[0].topic = topic;
        invitation.organizer.name = name.clone();
        invitation.invitees[0].name = name;
        let hostile = read(&invitation.to_ics("example.org").unwrap());
        let names = |lines: &[(String, String, String)]| lines.iter().map(|it| it.0.clone()).collect::<Vec<_>>();
        prop_assert_eq!(names(&plain), names(&hostile));
        for (was, is) in plain.iter().zip(&hostile) {
            if !["SUMMARY", "DESCRIPTION", "LOCATION"].contains(&was.0.as_str()) {
                prop_assert_eq!(&was.2, &is.2);
            }
            let parameters = |it: &str| it.split('"').skip(2).collect::<Vec<_>>().concat();
            prop_assert_eq!(parameters(&was.1), parameters(&is.1));
        }
        let seen: String = title.replace("\r\n", "\n").chars().filter_map(|it| match it {
            '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
            '\t' => Some(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
            it if it.is_control() => None,
            it => Some(it),
        }).collect();
        prop_assert_eq!(unescaped(value(&hostile, "SUMMARY")), seen);
    }
}
