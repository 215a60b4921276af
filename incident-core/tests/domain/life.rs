//! A whole life, what each command writes down, and how it says no.

use incident_core::log::event::{Fact, FixStep, Record, Relation};
use incident_core::log::incident::Ending;
use incident_core::model::colour::Colour;
use incident_core::model::id::CommandId;
use incident_core::model::id::{IncidentId, Seq};
use incident_core::model::phase::Phase;
use incident_core::model::role::{Actor, Role};
use incident_core::model::severity::Severity;
use incident_core::model::ticket::TicketRef;
use incident_core::rules::command::{
    Absorb, Assign, Close, Command, CompleteAction, Correct, Declare, HoldMeeting, JudgeHypothesis, Link,
    RecordFix, Refusal, Request,
};
use incident_core::views::timeline::describe;

use crate::course::{
    action, advance, attest, because, firing, first, hypothesis, impact, note, propose, publish, severity,
    tick, triage, update,
};
use crate::scenario::{MONDAY, Scenario, declare, kinds};
use crate::timeline::timeline;
use crate::world::{person, readings, time};

#[test]
fn a_whole_life() {
    let mut it = Scenario::declared(Severity::Sev1);
    it.settles();
    it.at("+2m").does(Command::Assign(Assign { role: Role::Commander, to: person("alice") }));
    it.goes_to(Phase::Investigation).passes("3m");
    it.does(update("the last deployment is suspected"));
    it.goes_to(Phase::PostIncident).passes("1m");
    let todo = first(&it.does(action(Some("bob"))));
    let last = it.it.version;
    it.later("1h").does(publish(last));
    it.does(Command::HoldMeeting(HoldMeeting { attendees: vec![person("alice"), person("bob")] }));
    it.settles().does(Command::Close(Close { override_because: None }));
    assert_eq!(it.it.ended, Some(Ending::Closed));
    it.passes("2d");
    it.does(Command::CompleteAction(CompleteAction { action: todo, outcome: "tested".to_owned() }));
    it.settles();
    assert!(it.it.is_settled(), "{:#?}", it.it.obligations);
    insta::assert_snapshot!(timeline(&it));
}

/// One case: the command's name, where it is asked for, and what it writes down itself.
type Case = (&'static str, fn(&mut Scenario) -> Command, &'static [&'static str]);

#[test]
fn each_command_writes_down_what_happened() {
    let cases: &[Case] = &[
        ("acknowledge", |_| Command::Acknowledge, &["Acknowledged", "ObligationMet", "EffectSettled"]),
        ("triage", |_| triage(), &["SeveritySet", "Triaged"]),
        ("severity", |_| severity(Severity::Sev3), &["SeveritySet"]),
        ("impact", |_| impact(true), &["ImpactAssessed"]),
        (
            "assign",
            |_| Command::Assign(Assign { role: Role::Scribe, to: person("carol") }),
            &["RoleAssigned"],
        ),
        ("note", |_| note("seen in the logs"), &["Noted"]),
        ("tick", |_| tick("confirm-incident"), &["StepTicked"]),
        ("hypothesis", |_| hypothesis("dns"), &["Hypothesised"]),
        (
            "judge",
            |it| {
                let hypothesis = first(&it.does(hypothesis("dns")));
                let because = "it resolves".to_owned();
                Command::JudgeHypothesis(JudgeHypothesis { hypothesis, confirmed: false, because })
            },
            &["HypothesisJudged"],
        ),
        ("update", |_| update("we look"), &["UpdatePosted", "ObligationMet", "ObligationOpened"]),
        ("propose", |_| propose("deployment/a"), &["MitigationProposed"]),
        (
            "fix",
            |_| {
                let (step, what) = (FixStep::Change, "a limit".to_owned());
                Command::RecordFix(RecordFix { step, what, link: Some("https://forge.example/1".to_owned()) })
            },
            &["FixRecorded"],
        ),
        ("look", |_| readings(Colour::Green), &["ChecksRead"]),
        ("attest", |_| attest("user-reports", Colour::Green), &["CheckAttested"]),
        ("escalate", |_| Command::Escalate(because("nobody here")), &["Escalated"]),
        (
            "correct",
            |_| {
                let occurred_at = Some(time("2026-03-02T09:00:00Z"));
                let because = "the graph says so".to_owned();
                Command::Correct(Correct { record: Seq(1), text: None, occurred_at, because })
            },
            &["Corrected"],
        ),
        (
            "advance",
            |it| {
                it.does(Command::Acknowledge);
                it.does(tick("confirm-incident"));
                advance()
            },
            &["PhaseEntered"],
        ),
        ("cancel", |_| Command::Cancel(because("a test")), &["Cancelled"]),
        (
            "absorb",
            |it| {
                let other = IncidentId::new(time("2026-03-02T11:00:00Z"), [8; 16]);
                let _ = it;
                Command::Absorb(Absorb { other, because: "the same cause".to_owned() })
            },
            &["Absorbed", "EffectPlanned"],
        ),
        (
            "merge",
            |_| Command::MergeInto(IncidentId::new(time("2026-03-01T11:00:00Z"), [8; 16])),
            &["Merged"],
        ),
        (
            "link",
            |_| {
                let other = IncidentId::new(time("2026-03-01T11:00:00Z"), [8; 16]);
                Command::Link(Link { other, relation: Relation::CausedBy })
            },
            &["Linked"],
        ),
        ("action", |_| action(Some("bob")), &["ActionAdded", "ObligationOpened", "EffectPlanned"]),
        ("adopt", |_| Command::AdoptTicket(TicketRef::new("shop#9")), &["TicketAdopted"]),
        ("signals", |_| Command::Signals(vec![firing("a")]), &["SignalsReceived"]),
        (
            "replan",
            |it| {
                it.runbook.escalation.every = std::time::Duration::from_secs(60);
                Command::Replan
            },
            &["Replanned"],
        ),
    ];
    for (name, prepare, expected) in cases {
        let mut it = Scenario::declared(Severity::Sev2);
        let command = prepare(&mut it);
        let written = kinds(&it.does(command));
        assert_eq!(written.get(..expected.len()), Some(*expected), "{name} wrote {written:?}");
    }
}

#[test]
fn a_command_sent_again_is_answered_and_writes_nothing() {
    let mut it = Scenario::blank(MONDAY);
    let declare = Command::Declare(Box::new(declare(Severity::Sev2, it.start)));
    for command in [declare, Command::Acknowledge, note("once"), update("once"), severity(Severity::Sev1)] {
        let request = Request::new(it.next_command(), Actor::human("chat", "alice"), command);
        assert!(!it.sends(&request).unwrap().is_empty());
        it.later("10s");
        assert_eq!(it.sends(&request), Ok(vec![]), "{:?}", request.command.kind());
    }
}

#[test]
fn a_command_sent_again_after_the_incident_ended_is_still_answered() {
    let mut it = Scenario::declared(Severity::Sev4);
    let request = Request::new(CommandId::named("x"), Actor::human("chat", "alice"), update("once"));
    it.sends(&request).unwrap();
    it.does(Command::Cancel(because("a test")));
    assert_eq!(it.sends(&request), Ok(vec![]));
}

#[test]
fn what_happened_earlier_is_recorded_now() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.at("+10m").occurred_at = Some(time("2026-03-02T10:04:00Z"));
    let records = it.does(Command::Acknowledge);
    assert_eq!(records[0].occurred_at, time("2026-03-02T10:04:00Z"));
    assert!(records.iter().all(|record| record.recorded_at == time("2026-03-02T10:10:00Z")));
    assert_eq!(it.it.milestones.acknowledged, Some(time("2026-03-02T10:04:00Z")));
}

#[test]
fn nothing_but_a_declaration_begins_an_incident() {
    let mut it = Scenario::blank(MONDAY);
    assert_eq!(it.refuses(note("x")), Refusal::NoIncident);
    assert_eq!(it.refuses(Command::Wake), Refusal::NoIncident);
    it.does(Command::Declare(Box::new(declare(Severity::Sev2, it.start))));
    let again = Command::Declare(Box::new(Declare::new("again")));
    assert!(matches!(it.refuses(again), Refusal::Exists));
}

#[test]
fn an_assumed_severity_is_sev2_until_triage() {
    let mut it = Scenario::blank(MONDAY);
    it.does(Command::Declare(Box::new(Declare::new("slow"))));
    assert_eq!((it.it.severity, it.it.severity_assigned), (Severity::Sev2, false));
    it.does(triage());
    assert_eq!((it.it.severity, it.it.severity_assigned), (Severity::Sev1, true), "nobody knows: the worst");
}

/// A hand-over is a fact of its own: the log and the timeline say who had the role before.
#[test]
fn a_hand_over_says_who_had_the_role() {
    let mut it = Scenario::declared(Severity::Sev2);
    let assign = |to: &str| Command::Assign(Assign { role: Role::Commander, to: person(to) });
    let said = |it: &Scenario, records: &[Record]| describe(&it.it, &records[0]);
    let from = |records: &[Record]| match &records[0].fact {
        Fact::RoleAssigned(fact) => fact.from.clone(),
        other => panic!("{other:?}"),
    };

    let first = it.does(assign("alice"));
    assert_eq!((from(&first), &*said(&it, &first)), (None, "alice is incident commander"));
    let second = it.does(assign("bob"));
    assert_eq!(from(&second), Some(person("alice")));
    assert_eq!(said(&it, &second), "incident commander handed over from alice to bob");
    assert_eq!(it.it.commander(), Some(&person("bob")));
}
