//! What automation may decide: nothing that ends, hides or plays down an incident, unless the runbook names it.

use std::collections::BTreeSet;

use incident_core::model::role::Actor;
use incident_core::model::severity::Severity;
use incident_core::rules::command::{Close, Command, CommandKind, Refusal, Triage};
use incident_core::runbook::Reserved;
use incident_core::runbook::triage::Answer;

use crate::course::{because, resolve_anyway, severity};
use crate::samples::sample;
use crate::scenario::Scenario;

type Case = (Reserved, fn(&mut Scenario), fn() -> Command);

/// Every reserved decision, what must be true before it, and the commands that take it.
const CASES: [Case; 8] = [
    (Reserved::Merge, |_| {}, || sample(CommandKind::Absorb)),
    (Reserved::Cancel, |_| {}, || Command::Cancel(because("a test"))),
    (Reserved::Resolve, ready_to_resolve, crate::course::resolve),
    (Reserved::Close, ready_to_close, || Command::Close(Close { override_because: None })),
    (Reserved::LowerSeverity, |_| {}, || severity(Severity::Sev3)),
    (Reserved::LowerSeverity, |_| {}, || severity(Severity::Sev4)),
    (Reserved::LowerSeverity, |_| {}, harmless),
    (Reserved::Reopen, |it| drop(it.does(resolve_anyway())), || Command::Reopen(because("it came back"))),
];

fn ready_to_resolve(it: &mut Scenario) {
    it.goes_to(incident_core::Phase::Recovery);
    it.does(crate::course::attest("user-reports", incident_core::model::colour::Colour::Green));
    it.passes("20m");
}

fn ready_to_close(it: &mut Scenario) {
    it.does(resolve_anyway());
    let last = it.it.version;
    it.does(crate::course::publish(last));
}

/// Every question of the tree answered with no: the lowest severity.
fn harmless() -> Command {
    let questions = incident_core::Runbook::default().triage.questions;
    Command::Triage(Triage {
        answers: questions.into_keys().map(|question| (question, Answer::No)).collect(),
    })
}

fn as_bot(it: &mut Scenario) -> &mut Scenario {
    it.as_actor(Actor::Automation("bot".to_owned()))
}

#[test]
fn reserved_decisions_take_a_person_or_an_entry_in_the_runbook() {
    for (decision, prepare, command) in CASES {
        let mut it = Scenario::declared(Severity::Sev2);
        prepare(&mut it);
        let refusal = as_bot(&mut it).refuses(command());
        let expected = Refusal::NotByAutomation { automation: "bot".to_owned(), decision };
        assert_eq!(refusal, expected, "{:?}", command());
        let mut other = it.runbook.safety.automation.clone();
        other.insert("another".to_owned(), BTreeSet::from([decision]));
        it.runbook.safety.automation = other;
        assert_eq!(it.refuses(command()), expected, "another automation is named");
        it.runbook.safety.automation.insert("bot".to_owned(), BTreeSet::from([decision]));
        it.clone().does(command());
        it.runbook.safety.automation.clear();
        it.as_("alice").does(command());
    }
}

#[test]
fn an_automation_may_raise_a_severity() {
    let mut it = Scenario::declared(Severity::Sev2);
    as_bot(&mut it).does(severity(Severity::Sev1));
}

#[test]
fn nobody_but_the_engine_takes_the_second_half_of_a_merge() {
    let mut it = Scenario::declared(Severity::Sev2);
    for actor in [Actor::human("chat", "alice"), Actor::Automation("bot".to_owned())] {
        let id = it.next_command();
        let request = incident_core::rules::command::Request::new(id, actor, sample(CommandKind::MergeInto));
        assert!(matches!(it.sends(&request), Err(Refusal::Invalid { field: "actor", .. })));
    }
}
