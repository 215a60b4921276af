//! Alerts: a storm is one record, a repetition none, and one that comes back wakes somebody.

use incident_core::log::event::{Fact, SignalsReceived};
use incident_core::log::index::{Key, keys, signal_key};
use incident_core::model::id::Seq;
use incident_core::model::obligation::ObligationKind;
use incident_core::model::phase::Phase;
use incident_core::model::role::Actor;
use incident_core::model::severity::Severity;
use incident_core::model::side::Side;
use incident_core::model::signal::Signal;
use incident_core::rules::command::{Command, Declare, Refusal};

use crate::course::{because, facts, firing, publish, resolve_anyway};
use crate::samples::{older, sample};
use crate::scenario::{MONDAY, Scenario, carried, count, kinds};
use crate::world::time;

/// An incident that began with the alert `disk` of the group `checkout`.
fn alerted() -> Scenario {
    let mut it = Scenario::blank(MONDAY);
    let mut declare = Declare::new("disk full").severity(Severity::Sev2).service("checkout");
    declare.signal_group = Some("checkout".to_owned());
    declare.signals = [firing("disk").started_at(time("2026-03-02T09:55:00Z"))].into();
    it.does(Command::Declare(Box::new(declare)));
    it.settles();
    it
}

fn signals(signals: &[Signal]) -> Command {
    Command::Signals(signals.to_vec())
}

fn received(it: &Scenario) -> Vec<SignalsReceived> {
    facts(&it.records, |fact| match fact {
        Fact::SignalsReceived(received) => Some(received.clone()),
        _ => None,
    })
}

#[test]
fn a_storm_is_a_few_records() {
    let storm: Vec<Signal> = (0..10_000).map(|alert| firing(&format!("pod-{alert}"))).collect();
    let mut it = Scenario::blank(MONDAY);
    let mut declare = Declare::new("everything is down");
    declare.signals = storm.clone().into();
    let records = it.does(Command::Declare(Box::new(declare)));
    assert!(records.len() < 100, "{}", records.len());
    assert_eq!(it.it.firing.len(), 10_000);
    assert_eq!(it.does(signals(&storm)), [], "again: nothing");
    let over: Vec<Signal> = storm.into_iter().map(Signal::resolved).collect();
    assert_eq!(kinds(&it.does(signals(&over))), ["SignalsReceived"]);
    assert!(it.it.firing.is_empty());
}

#[test]
fn the_declaration_knows_when_the_first_alert_began() {
    let it = alerted();
    assert_eq!(it.it.milestones.started, Some(time("2026-03-02T09:55:00Z")));
    assert!(it.it.start_known);
}

#[test]
fn an_alert_with_a_wrong_clock_is_taken_in_all_the_same() {
    for clock in ["2099-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "+262000-01-01T00:00:00Z"] {
        let mut it = Scenario::blank(MONDAY);
        let mut declare = Declare::new("disk full");
        declare.signals = [firing("disk").started_at(time(clock))].into();
        it.does(Command::Declare(Box::new(declare)));
        assert!(!it.it.start_known && it.it.milestones.started == Some(it.start), "{clock}");
    }
}

#[test]
fn one_wrong_clock_does_not_hide_when_another_alert_began() {
    let mut it = Scenario::blank(MONDAY);
    let mut declare = Declare::new("disk full");
    let wrong = firing("cpu").started_at(time("1970-01-02T00:00:00Z"));
    declare.signals = [wrong, firing("disk").started_at(time("2026-03-02T09:55:00Z"))].into();
    it.does(Command::Declare(Box::new(declare)));
    assert_eq!(it.it.milestones.started, Some(time("2026-03-02T09:55:00Z")));
    assert!(it.it.start_known);
}

/// An incident that is told afterwards and whose start nobody knows didn't begin when it was written down.
#[test]
fn an_assumed_start_is_no_later_than_what_is_known() {
    for (occurred, declared, assumed) in [
        (None, Some("2026-03-02T08:00:00Z"), "2026-03-02T08:00:00Z"),
        (Some("2026-03-02T07:00:00Z"), None, "2026-03-02T07:00:00Z"),
        (Some("2026-03-02T07:00:00Z"), Some("2026-03-02T08:00:00Z"), "2026-03-02T07:00:00Z"),
        (None, None, MONDAY),
    ] {
        let mut it = Scenario::blank(MONDAY);
        it.occurred_at = occurred.map(time);
        let mut declare = Declare::new("disk full");
        declare.declared_at = declared.map(time);
        it.does(Command::Declare(Box::new(declare)));
        assert_eq!((it.it.milestones.started, it.it.start_known), (Some(time(assumed)), false));
    }
}

#[test]
fn what_is_known_already_writes_nothing() {
    let mut it = alerted();
    assert_eq!(it.does(signals(&[firing("disk"), firing("disk")])), []);
    assert_eq!(it.does(signals(&[firing("cpu").resolved()])), [], "it never fired");
}

#[test]
fn of_several_words_on_one_alert_the_last_counts() {
    let mut it = alerted();
    assert_eq!(it.does(signals(&[firing("disk").resolved(), firing("disk")])), []);
    it.does(signals(&[firing("cpu").resolved(), firing("cpu")]));
    assert_eq!(it.it.firing.len(), 2);
}

#[test]
fn an_alert_that_ends_is_recorded_and_resolves_nothing_by_itself() {
    let mut it = alerted();
    it.does(signals(&[firing("disk").resolved()]));
    assert_eq!(received(&it).last().unwrap().resolved.len(), 1);
    assert_eq!(it.it.phase, Phase::Detection);
}

#[test]
fn an_alert_that_comes_back_after_resolve_reopens_once_and_pages() {
    let mut it = alerted();
    it.does(signals(&[firing("disk").resolved()]));
    it.does(resolve_anyway());
    it.settles().as_actor(Actor::Automation("alerts".to_owned()));
    let records = it.later("5m").does(signals(&[firing("disk")]));
    assert_eq!(kinds(&records)[..2], ["SignalsReceived", "Reopened"]);
    assert!(carried(&records).contains(&"page pager(responders)".to_owned()));
    it.owed(ObligationKind::Acknowledge);
    it.does(signals(&[firing("cpu")]));
    it.does(signals(&[firing("disk"), firing("cpu")]));
    assert_eq!(count(&it.records, "Reopened"), 1);
}

#[test]
fn an_alert_that_was_never_over_does_not_reopen() {
    let mut it = alerted();
    it.does(resolve_anyway());
    assert_eq!(it.does(signals(&[firing("disk")])), [], "it has fired all the time");
}

#[test]
fn a_group_is_held_until_resolve_and_then_for_the_flap_window() {
    let mut it = alerted();
    let name = signal_key(Side::Live, "checkout");
    assert_eq!(keys(&it.it), [Key::held(name.clone())]);
    it.at("+1h").does(resolve_anyway());
    let until = time("2026-03-02T11:15:00Z");
    assert_eq!(keys(&it.it), [Key::until(name.clone(), until)]);
    it.at("+1h5m").does(Command::Reopen(because("it came back")));
    assert_eq!(keys(&it.it), [Key::held(name)]);
}

/// A closed incident takes no alert as its own, so it mustn't keep a new incident from being declared: nobody would be
/// paged. Its key still names it as what recurs.
#[test]
fn a_closed_incident_lets_its_group_go_within_the_flap_window() {
    let mut it = alerted();
    it.at("+1h").does(resolve_anyway());
    let last = it.it.version;
    it.at("+1h2m").does(publish(last));
    it.does(sample(incident_core::rules::command::CommandKind::Close));
    let until = it.now;
    assert_eq!(keys(&it.it), [Key::until(signal_key(Side::Live, "checkout"), until)]);
}

#[test]
fn whatever_ended_otherwise_holds_no_group() {
    for kind in [
        incident_core::rules::command::CommandKind::Cancel,
        incident_core::rules::command::CommandKind::MergeInto,
    ] {
        let mut it = alerted();
        it.does(sample(kind));
        assert_eq!(keys(&it.it), [], "{kind}");
    }
}

#[test]
fn a_drill_holds_a_group_of_its_own() {
    let mut it = Scenario::blank(MONDAY);
    it.taken = vec!["signal/checkout".to_owned()];
    let mut declare = Declare::new("practice").drill();
    declare.signal_group = Some("checkout".to_owned());
    it.does(Command::Declare(Box::new(declare)));
    assert_eq!(keys(&it.it)[0].name, "drill/signal/checkout");
}

#[test]
fn a_group_that_another_incident_holds_is_taken() {
    let mut it = Scenario::blank(MONDAY);
    it.taken = vec!["signal/checkout".to_owned()];
    let mut declare = Declare::new("again");
    declare.signal_group = Some("checkout".to_owned());
    assert!(matches!(it.refuses(Command::Declare(Box::new(declare))), Refusal::KeyTaken { .. }));
}

#[test]
fn a_recurrence_names_what_it_repeats() {
    let mut it = Scenario::blank(MONDAY);
    let mut declare = Declare::new("again");
    declare.recurrence_of = Some(older());
    it.does(Command::Declare(Box::new(declare)));
    assert_eq!(it.it.related.keys().copied().collect::<Vec<_>>(), [older()]);
}

#[test]
fn after_the_end_an_alert_is_written_down_and_pages_nobody_here() {
    let mut it = alerted();
    it.does(Command::Cancel(because("a test")));
    it.settles();
    assert_eq!(kinds(&it.does(signals(&[firing("cpu")]))), ["SignalsReceived"]);
    assert!(it.it.is_settled() && it.it.version > Seq::ZERO);
}
