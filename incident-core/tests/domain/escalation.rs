//! Nobody answers: who is paged next, and when.

use incident_core::log::event::{Escalated, Fact};
use incident_core::model::severity::Audience;
use incident_core::model::severity::Severity;
use incident_core::rules::command::Command;
use incident_core::runbook::EscalationStep;

use crate::course::{because, facts, resolve_anyway};
use crate::scenario::{Scenario, carried};
use crate::world::{long, person};

fn escalated(it: &Scenario) -> Vec<Escalated> {
    facts(&it.records, |fact| match fact {
        Fact::Escalated(escalated) => Some(escalated.clone()),
        _ => None,
    })
}

/// When which step of the chain was paged.
fn pages(it: &Scenario) -> Vec<(String, String)> {
    let of = |record: &incident_core::log::event::Record| match &record.fact {
        Fact::Escalated(step) => Some((it.since_start(record.recorded_at), step.audience.to_string())),
        _ => None,
    };
    it.records.iter().filter_map(of).collect()
}

#[test]
fn the_chain_is_paged_in_order_every_five_minutes_and_begins_again() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.passes("52m");
    let paged = pages(&it);
    let expected = [
        ("30 min", "responders"),
        ("35 min", "team"),
        ("40 min", "leadership"),
        ("45 min", "responders"),
        ("50 min", "team"),
    ];
    assert_eq!(paged, expected.map(|(at, whom)| (at.to_owned(), whom.to_owned())));
}

#[test]
fn an_acknowledgement_ends_it() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.passes("36m").does(Command::Acknowledge);
    it.passes("2h");
    assert_eq!(escalated(&it).len(), 2);
}

#[test]
fn so_does_resolving() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.passes("36m").does(resolve_anyway());
    it.passes("2h");
    assert_eq!(escalated(&it).len(), 2);
}

#[test]
fn after_downtime_it_goes_on_with_one_step() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.passes("31m");
    it.at("+5h").does(Command::Wake);
    assert_eq!(pages(&it).len(), 2);
    it.passes("5m");
    assert_eq!(pages(&it).last().unwrap(), &("5 h 5 min".to_owned(), "leadership".to_owned()));
}

#[test]
fn a_step_names_its_people() {
    let mut it =
        Scenario::with_runbook(Severity::Sev2, |it| it.escalation.chain[0].persons = vec![person("bob")]);
    it.at("+30m").does(Command::Wake);
    assert_eq!(escalated(&it)[0].persons, [person("bob")]);
}

#[test]
fn a_person_pages_the_next_step_and_then_the_one_after_it() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.does(Command::Acknowledge);
    for whom in ["responders", "team", "leadership", "responders"] {
        it.later("1m").does(Command::Escalate(because("we need help")));
        assert_eq!(escalated(&it).last().unwrap().audience.as_str(), whom);
    }
}

#[test]
fn the_timer_goes_on_where_a_person_left_off() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.does(Command::Escalate(because("I am alone")));
    it.passes("31m");
    let paged: Vec<String> = pages(&it).into_iter().map(|(_, whom)| whom).collect();
    assert_eq!(paged, ["responders", "team"]);
}

#[test]
fn a_new_begin_pages_from_the_first_step() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.does(Command::Escalate(because("help")));
    it.does(resolve_anyway());
    it.does(Command::Reopen(because("it came back")));
    it.does(Command::Escalate(because("help")));
    assert_eq!(escalated(&it).last().unwrap().step, 0);
}

/// The runbook's mistake, which its lint names; somebody is paged all the same, and the engine doesn't spin.
#[test]
fn an_empty_chain_pages_those_on_call() {
    let mut it = Scenario::with_runbook(Severity::Sev2, |it| it.escalation.chain.clear());
    it.passes("36m");
    let paged: Vec<String> = pages(&it).into_iter().map(|(_, whom)| whom).collect();
    assert_eq!(paged, ["responders", "responders"]);
}

#[test]
fn a_chain_that_leads_outside_pages_those_on_call_instead() {
    let outside = EscalationStep { audience: Audience::new(Audience::PUBLIC), persons: vec![] };
    let mut it = Scenario::with_runbook(Severity::Sev2, |it| it.escalation.chain = vec![outside]);
    let records = it.at("+30m").does(Command::Wake);
    assert!(carried(&records).contains(&"page pager(responders)".to_owned()));
    assert!(carried(&records).iter().all(|line| !line.contains("public")));
}

#[test]
fn a_chain_without_a_rhythm_does_not_spin() {
    let mut it = Scenario::with_runbook(Severity::Sev2, |it| it.escalation.every = long("0s"));
    it.at("+30m").does(Command::Wake);
    assert_eq!(it.does(Command::Wake), []);
}
