//! How commands say no: each refusal names what is wrong.

use std::collections::BTreeMap;

use incident_core::log::event::FixStep;
use incident_core::model::colour::Colour;
use incident_core::model::effect::{EffectState, Receipt, Repeat};
use incident_core::model::id::{Digest, IncidentId, Seq};
use incident_core::model::impact::Impact;
use incident_core::model::phase::Phase;
use incident_core::model::role::Actor;
use incident_core::model::role::Role;
use incident_core::model::severity::Severity;
use incident_core::model::ticket::TicketRef;
use incident_core::model::time::after;
use incident_core::rules::command::{
    Absorb, AddAction, Advance, Approve, Assign, Attest, Begin, Command, CompleteAction, Conclude, Correct,
    Declare, EffectResult, ExecutePlan, HoldMeeting, JudgeHypothesis, Proposal, RecordFix, Redact, Refusal,
    Reject, Request, Resolve, SetSeverity, SettleMitigation, StepBack, TickStep, Undo,
};
use incident_core::runbook::Priority;

use crate::course::{
    attest, because, hypothesis, note, propose, publish, resolve_anyway, severity, tick, update,
};
use crate::scenario::{MONDAY, Scenario};
use crate::world::{long, person, time};

#[test]
fn only_the_engine_tells_of_its_timers_looks_and_calls() {
    let mut it = Scenario::declared(Severity::Sev2);
    let page = it.due().start[0];
    it.starts(page);
    let conclude =
        Conclude { effect: page, attempt: 1, result: EffectResult::Done(Receipt::new("sent, I say")) };
    let commands = [
        Command::Wake,
        Command::Look(BTreeMap::new()),
        Command::Start(Vec::new()),
        Command::Conclude(Box::new(conclude)),
    ];
    for actor in [Actor::human("chat", "alice"), Actor::Automation("bot".to_owned())] {
        for command in &commands {
            let request = Request::new(it.next_command(), actor.clone(), command.clone());
            let refused = it.sends(&request);
            assert!(matches!(refused, Err(Refusal::Invalid { field: "actor", .. })), "{refused:?}");
        }
    }
}

#[test]
fn a_claim_lasts_a_day_at_most() {
    let mut it = Scenario::declared(Severity::Sev2);
    let effect = it.due().start[0];
    let until = after(it.now, long("300d"));
    let begin = Begin { effect, worker: "w1".to_owned(), until, repeat: Repeat::Visible };
    it.does(Command::Start(vec![begin]));
    let EffectState::Started { until, .. } = *it.state_of(effect) else { panic!("it was started") };
    assert_eq!(it.since_start(until), "1 d");
}

/// Each refusal says which field is wrong, or what is missing.
#[test]
fn a_refusal_names_the_field() {
    let far = Some(time("2100-01-01T00:00:00Z"));
    let other = IncidentId::new(time("2026-03-01T11:00:00Z"), [8; 16]);
    let cases: Vec<(Command, &str)> = vec![
        (note(" "), "text"),
        (update(""), "progress"),
        (hypothesis("\n"), "statement"),
        (Command::Cancel(because("")), "because"),
        (Command::Escalate(because("")), "because"),
        (Command::SetSeverity(SetSeverity { severity: Severity::Sev1, because: String::new() }), "because"),
        (Command::Assign(Assign { role: Role::Scribe, to: person("mallory") }), "person mallory"),
        (tick("no-such-step"), "step no-such-step"),
        (Command::TickStep(TickStep { step: "scale".to_owned(), skipped: Some(" ".to_owned()) }), "skipped"),
        (
            Command::AssessImpact(Box::new(Impact { users_percent: Some(101.0), ..Impact::default() })),
            "users_percent",
        ),
        (
            Command::AssessImpact(Box::new(Impact { money: Some(String::new()), ..Impact::default() })),
            "money",
        ),
        (
            Command::Attest(Attest {
                check: "moon".to_owned(),
                colour: Colour::Green,
                detail: "x".to_owned(),
            }),
            "check moon",
        ),
        (attest("health", Colour::Green), "check"),
        (attest("no-alert-firing", Colour::Green), "check"),
        (propose(" "), "target"),
        (Command::Undo(Undo { mitigation: Seq(99), because: "x".to_owned() }), "mitigation #99"),
        (
            Command::Approve(Approve { proposal: Seq(99), digest: Digest::default(), break_glass: None }),
            "mitigation #99",
        ),
        (Command::WithdrawApproval(Proposal { proposal: Seq(99) }), "mitigation #99"),
        (Command::Reject(Reject { proposal: Seq(99), because: "x".to_owned() }), "mitigation #99"),
        (Command::Execute(ExecutePlan { proposal: Seq(99), digest: Digest::default() }), "mitigation #99"),
        (
            Command::SettleMitigation(SettleMitigation {
                proposal: Seq(99),
                happened: true,
                because: "x".to_owned(),
            }),
            "mitigation #99",
        ),
        (Command::RecordFix(RecordFix { step: FixStep::Change, what: String::new(), link: None }), "what"),
        (
            Command::RecordFix(RecordFix {
                step: FixStep::Change,
                what: "x".to_owned(),
                link: Some(String::new()),
            }),
            "link",
        ),
        (
            Command::JudgeHypothesis(JudgeHypothesis {
                hypothesis: Seq(99),
                confirmed: true,
                because: "x".to_owned(),
            }),
            "hypothesis #99",
        ),
        (
            Command::Correct(Correct {
                record: Seq(99),
                text: None,
                occurred_at: None,
                because: "x".to_owned(),
            }),
            "record #99",
        ),
        (
            Command::Correct(Correct {
                record: Seq(0),
                text: None,
                occurred_at: None,
                because: "x".to_owned(),
            }),
            "record #0",
        ),
        (
            Command::Correct(Correct {
                record: Seq(1),
                text: None,
                occurred_at: None,
                because: "x".to_owned(),
            }),
            "text",
        ),
        (
            Command::Correct(Correct {
                record: Seq(1),
                text: None,
                occurred_at: far,
                because: "x".to_owned(),
            }),
            "occurred_at",
        ),
        (Command::Redact(Redact { record: Seq(1), slots: vec![], because: "x".to_owned() }), "slots"),
        (Command::Advance(Advance { to: Some(Phase::Detection), override_because: None }), "to"),
        (Command::Advance(Advance { to: Some(Phase::PostIncident), override_because: None }), "to"),
        (Command::Absorb(Absorb { other, because: "x".to_owned() }), "other"),
        (Command::MergeInto(IncidentId::new(time("2026-03-03T11:00:00Z"), [8; 16])), "into"),
        (
            Command::CompleteAction(CompleteAction { action: Seq(99), outcome: "x".to_owned() }),
            "action item #99",
        ),
        (
            Command::AddAction(AddAction {
                what: "x".to_owned(),
                kind: None,
                priority: Priority::Low,
                owner: Some(person("mallory")),
                due: None,
            }),
            "person mallory",
        ),
        (
            Command::AddAction(AddAction {
                what: "x".to_owned(),
                kind: None,
                priority: Priority::Low,
                owner: None,
                due: Some(time(MONDAY)),
            }),
            "due",
        ),
        (
            Command::AddAction(AddAction {
                what: String::new(),
                kind: None,
                priority: Priority::Low,
                owner: None,
                due: None,
            }),
            "what",
        ),
        (Command::AdoptTicket(TicketRef::new("")), "ticket"),
        (
            Command::Resolve(Resolve { cause: String::new(), override_because: Some("we know".to_owned()) }),
            "cause",
        ),
        (
            Command::Resolve(Resolve { cause: "x".to_owned(), override_because: Some(String::new()) }),
            "override_because",
        ),
    ];
    for (command, field) in cases {
        let mut it = Scenario::declared(Severity::Sev2);
        let refusal = it.refuses(command.clone());
        assert!(refusal.to_string().starts_with(field), "{command:?}: {refusal}");
    }
}

#[test]
fn what_is_refused_after_resolve_names_the_field_too() {
    let cases: Vec<(Command, &str)> = vec![
        (Command::Reopen(because("")), "because"),
        (publish(Seq(10_000)), "record #10000"),
        (Command::HoldMeeting(HoldMeeting { attendees: vec![] }), "attendees"),
        (Command::HoldMeeting(HoldMeeting { attendees: vec![person("mallory")] }), "person mallory"),
    ];
    for (command, field) in cases {
        let mut it = Scenario::declared(Severity::Sev2);
        it.does(resolve_anyway());
        let refusal = it.refuses(command.clone());
        assert!(refusal.to_string().starts_with(field), "{command:?}: {refusal}");
    }
}

#[test]
fn a_step_back_needs_an_earlier_phase() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.goes_to(Phase::Investigation);
    let back = Command::StepBack(StepBack { to: Phase::Recovery, because: "x".to_owned() });
    assert!(it.refuses(back).to_string().starts_with("to: "));
}

#[test]
fn a_declaration_names_the_field_it_is_refused_for() {
    let with = |change: fn(&mut Declare)| {
        let mut declare = Declare::new("checkout is down");
        change(&mut declare);
        Command::Declare(Box::new(declare))
    };
    let cases: [(Command, &str); 6] = [
        (with(|it| it.title = String::new()), "title"),
        (with(|it| it.title = "x".repeat(257)), "title"),
        (with(|it| it.service = Some("a\nb".to_owned())), "service"),
        (with(|it| it.link = Some(" ".to_owned())), "link"),
        (with(|it| it.signal_group = Some("x".repeat(513))), "signal_group"),
        (with(|it| it.started_at = Some(time("2026-03-02T10:01:01Z"))), "started_at"),
    ];
    for (command, field) in cases {
        let refusal = Scenario::blank(MONDAY).refuses(command);
        assert!(refusal.to_string().starts_with(field), "{field}: {refusal}");
    }
}

#[test]
fn what_already_is_needs_no_second_record() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.does(Command::Acknowledge);
    it.does(tick("scale"));
    it.does(Command::Assign(Assign { role: Role::Scribe, to: person("carol") }));
    let again: BTreeMap<&str, Command> = [
        ("acknowledge", Command::Acknowledge),
        ("tick", tick("scale")),
        ("assign", Command::Assign(Assign { role: Role::Scribe, to: person("carol") })),
        ("severity", severity(Severity::Sev2)),
        ("replan", Command::Replan),
    ]
    .into();
    for (name, command) in again {
        assert!(matches!(it.refuses(command), Refusal::Already(_)), "{name}");
    }
}
