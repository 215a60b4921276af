//! An occurrence is a fingerprint and a start. The order in which messages arrive isn't the order of events.

use incident_core::model::phase::Phase;
use incident_core::model::role::Actor;
use incident_core::model::signal::Signal;
use incident_core::rules::command::{Command, Declare};

use crate::course::{firing, resolve_anyway};
use crate::scenario::{MONDAY, Scenario, carried, count, kinds};
use crate::world::time;

/// On Monday at this time.
fn at(clock: &str) -> incident_core::model::time::Time {
    time(&format!("2026-03-02T{clock}Z"))
}

fn fires(since: &str) -> Signal {
    firing("disk").started_at(at(since))
}

fn over(since: &str, until: &str) -> Signal {
    fires(since).resolved().ended_at(at(until))
}

/// It is 10:00, and the alert `disk` has fired since 09:55.
fn alerted() -> Scenario {
    let mut it = Scenario::blank(MONDAY);
    let mut declare = Declare::new("disk full").severity(incident_core::model::severity::Severity::Sev2);
    declare.signal_group = Some("checkout".to_owned());
    declare.signals = [fires("09:55:00")].into();
    it.does(Command::Declare(Box::new(declare)));
    it.settles();
    it
}

fn hears(it: &mut Scenario, signal: Signal) -> Vec<&'static str> {
    it.as_actor(Actor::Automation("alerts".to_owned()));
    let records = it.does(Command::Signals(vec![signal]));
    it.as_("alice");
    kinds(&records)
}

#[test]
fn the_end_state_is_that_of_the_latest_occurrence_in_whatever_order_messages_arrive() {
    let long_ago = firing("disk").resolved().started_at(at("08:00:00"));
    for (name, messages, still_fires) in [
        ("repeated", vec![fires("09:55:00"), fires("09:55:00")], true),
        ("over", vec![over("09:55:00", "10:10:00")], false),
        ("stale: the same start", vec![over("09:55:00", "10:10:00"), fires("09:55:00")], false),
        ("stale: another replica's start", vec![over("09:55:00", "10:10:00"), fires("09:55:15")], false),
        ("stale: began before the end", vec![over("09:55:00", "10:10:00"), fires("10:09:59")], false),
        ("a new occurrence", vec![over("09:55:00", "10:10:00"), fires("10:20:00")], true),
        ("a new occurrence at the end", vec![over("09:55:00", "10:10:00"), fires("10:10:00")], true),
        ("no end is told", vec![fires("09:55:00").resolved(), fires("09:55:00")], false),
        ("no end is told, and a later start", vec![fires("09:55:00").resolved(), fires("10:20:00")], true),
        ("no start is told", vec![firing("disk").resolved(), firing("disk")], true),
        ("an older end comes late", vec![over("09:00:00", "09:30:00")], true),
        ("an older end without its time", vec![long_ago], true),
        ("the end of another replica", vec![over("09:54:45", "10:10:00")], false),
        ("the end comes before its beginning", vec![over("10:11:00", "10:12:00"), fires("10:11:00")], false),
        (
            "two occurrences, the last end comes first",
            vec![over("10:20:00", "10:25:00"), fires("10:20:00"), over("09:55:00", "10:10:00")],
            false,
        ),
        (
            "a wrong clock says that it ends in ten years",
            {
                let end = time("2036-03-02T10:00:00Z");
                vec![fires("09:55:00").resolved().ended_at(end), fires("10:20:00")]
            },
            true,
        ),
    ] {
        let mut one_by_one = alerted();
        one_by_one.at("+30m");
        messages.iter().for_each(|signal| drop(hears(&mut one_by_one, signal.clone())));
        assert_eq!(!one_by_one.it.firing.is_empty(), still_fires, "{name}");
        let mut together = alerted();
        together.at("+30m").does(Command::Signals(messages));
        assert_eq!(!together.it.firing.is_empty(), still_fires, "{name}, in one webhook");
    }
}

#[test]
fn a_stale_repetition_is_on_the_timeline_once_and_does_nothing() {
    let mut it = alerted();
    hears(&mut it, over("09:55:00", "10:10:00"));
    it.at("+15m").does(resolve_anyway());
    it.settles();
    assert_eq!(hears(it.at("+16m"), fires("09:55:00")), ["SignalsReceived"]);
    assert_eq!(hears(it.at("+17m"), fires("09:55:00")), [""; 0]);
    assert!(it.it.firing.is_empty() && it.it.phase == Phase::PostIncident);
    let line = incident_core::views::timeline::timeline(&it.it, &it.records);
    assert!(line.iter().any(|line| line.what.contains("stale")), "{line:#?}");
}

/// Senders that never say that an alert is over (`send_resolved: false`) still say when it began again.
#[test]
fn a_new_occurrence_after_resolve_reopens_and_pages_although_nobody_said_that_the_last_was_over() {
    let mut it = alerted();
    it.at("+20m").does(resolve_anyway());
    it.settles();
    assert_eq!(hears(it.at("+21m"), fires("09:55:00")), [""; 0], "it has fired all the time");
    assert_eq!(hears(&mut it, fires("09:55:15")), [""; 0], "another replica's start");
    let records = it.at("+25m").does(Command::Signals(vec![fires("10:24:00")]));
    assert_eq!(kinds(&records)[..2], ["SignalsReceived", "Reopened"]);
    assert!(carried(&records).contains(&"page pager(responders)".to_owned()));
    assert_eq!(count(&it.records, "Reopened"), 1);
}

#[test]
fn alerts_without_a_fingerprint_are_told_apart_by_their_labels() {
    let mut it = alerted();
    let pod = |name: &str| firing("").with_label("pod", name);
    it.does(Command::Signals(vec![pod("a"), pod("b"), pod("a")]));
    assert_eq!(it.it.firing.len(), 3);
    it.does(Command::Signals(vec![pod("b").resolved()]));
    assert_eq!(it.it.firing.len(), 2);
}
