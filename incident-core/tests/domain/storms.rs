//! Storms: one incident takes the alerts of many groups in, for as long as enough of them come.

use incident_core::log::event::Fact;
use incident_core::log::index::{Key, keys};
use incident_core::log::storm::StormWindow;
use incident_core::model::phase::Phase;
use incident_core::model::severity::Severity;
use incident_core::model::signal::Signal;
use incident_core::model::time::Time;
use incident_core::rules::command::{
    Command, CommandKind, Declare, Gather, Gathered, Refusal, StormDeclared,
};

use crate::course::{because, firing, resolve_anyway};
use crate::samples::sample;
use crate::scenario::{MONDAY, Scenario, carried, count, kinds};
use crate::world::{long, time};

fn window() -> StormWindow {
    StormWindow { groups: 3, within: long("10m") }
}

fn gathered(group: &str, alerts: &[Signal]) -> Gathered {
    Gathered { group: group.to_owned(), signals: alerts.to_vec().into() }
}

/// Each group with an alert of its own that fires.
fn groups(names: &[&str]) -> Vec<Gathered> {
    names.iter().map(|name| gathered(name, &[firing(name)])).collect()
}

/// An incident that gathers a storm, which goes on while three groups come in ten minutes. It began with `cart` and `search`.
pub(crate) fn storm() -> Scenario {
    let mut it = Scenario::blank(MONDAY);
    let mut declare = Declare::new("alert storm").severity(Severity::Sev2);
    let gathered = groups(&["cart", "search"]);
    declare.storm = Some(StormDeclared { window: window(), gathered });
    let records = it.does(Command::Declare(Box::new(declare)));
    assert_eq!(kinds(&records)[..2], ["Declared", "SignalsReceived"]);
    assert!(carried(&records).contains(&"page pager(responders)".to_owned()), "{:?}", carried(&records));
    it.settles();
    it
}

pub(crate) fn gather(names: &[&str]) -> Command {
    Command::Gather(Gather { gathered: groups(names), begins: false })
}

fn begins(names: &[&str]) -> Command {
    Command::Gather(Gather { gathered: groups(names), begins: true })
}

fn hears(group: &str, alerts: &[Signal]) -> Command {
    Command::Gather(Gather { gathered: vec![gathered(group, alerts)], begins: false })
}

fn until(it: &Scenario) -> Time {
    it.it.storm.as_ref().unwrap().until()
}

#[test]
fn further_groups_join_and_page_nobody() {
    let mut it = storm();
    let records = it.at("+1m").does(gather(&["mail", "orders"]));
    assert_eq!(kinds(&records), ["SignalsReceived"]);
    assert_eq!(it.it.firing.len(), 4);
    assert!(
        ["cart", "search", "mail", "orders"].iter().all(|group| it.it.storm.as_ref().unwrap().has(group))
    );
    assert_eq!(it.does(gather(&["mail"])), [], "it is known");
}

#[test]
fn a_storm_takes_no_new_group_when_too_few_follow_and_keeps_the_groups_it_has() {
    let mut it = storm();
    assert_eq!(until(&it), time("2026-03-02T10:10:00Z"));
    it.at("+9m").does(gather(&["mail"]));
    assert_eq!(until(&it), time("2026-03-02T10:19:00Z"), "the third begins another window");
    it.at("+18m").does(gather(&["orders"]));
    assert_eq!(until(&it), time("2026-03-02T10:19:00Z"), "one more doesn't");

    it.at("+19m");
    assert_eq!(it.refuses(gather(&["billing"])), Refusal::LetGo);
    assert_eq!(it.refuses(gather(&["cart", "billing"])), Refusal::LetGo, "all or none");
    it.does(hears("cart", &[firing("cart").resolved(), firing("cart, too")]));
    assert_eq!(it.it.firing.len(), 4);
    assert_eq!(keys(&it.it), [Key::held("storm/SEV2".to_owned())], "there is no other while it is open");
}

#[test]
fn a_storm_that_begins_again_pages_again() {
    let mut it = storm();
    let records = it.at("+1h").does(begins(&["mail"]));
    assert_eq!(kinds(&records)[..2], ["SignalsReceived", "Escalated"]);
    assert!(carried(&records).contains(&"page pager(responders)".to_owned()), "{:?}", carried(&records));
    assert_eq!(until(&it), time("2026-03-02T11:10:00Z"));
    it.settles();
    let records = it.at("+1h5m").does(gather(&["orders"]));
    assert_eq!(carried(&records), Vec::<String>::new(), "and takes further groups in");
}

#[test]
fn after_resolve_a_storm_takes_only_its_own_groups_and_only_within_the_flap_window() {
    let mut it = storm();
    it.at("+1m").does(hears("cart", &[firing("cart").resolved()]));
    it.does(resolve_anyway());
    it.settles();
    assert_eq!(it.refuses(gather(&["mail"])), Refusal::LetGo, "a group that isn't known is another incident");
    let records = it.at("+10m").does(gather(&["cart"]));
    assert_eq!(kinds(&records)[..2], ["SignalsReceived", "Reopened"]);
    it.settles();
    it.at("+11m").does(resolve_anyway());
    let records = it.clone().at("+12m").does(begins(&["mail"]));
    assert_eq!(kinds(&records)[..2], ["SignalsReceived", "Reopened"], "a new storm reopens it");
    it.at("+26m");
    assert_eq!(it.refuses(gather(&["cart"])), Refusal::LetGo);
    assert_eq!(it.refuses(begins(&["cart"])), Refusal::LetGo);
}

/// Sources tell their alerts apart only within a group.
#[test]
fn equal_alerts_of_different_groups_are_told_apart() {
    let mut it = storm();
    it.does(hears("mail", &[firing("cart")]));
    assert_eq!(it.it.firing.len(), 3);
    it.does(hears("cart", &[firing("cart").resolved()]));
    assert_eq!(it.it.firing.len(), 2);
    it.does(hears("mail", &[firing("cart").resolved()]));
    assert_eq!(it.it.firing.len(), 1);
}

#[test]
fn the_log_names_groups_that_were_gathered() {
    let mut it = storm();
    let names: Vec<String> = (0..40).map(|n| format!("group-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let records = it.does(gather(&names));
    let Fact::SignalsReceived(received) = &records[0].fact else { panic!("{records:?}") };
    let words = it.it.texts.get(received.summary);
    assert!(words.contains("group-") && words.ends_with("and 35 more)"), "{words}");
}

#[test]
fn a_storm_knows_when_its_first_alert_began() {
    let mut it = Scenario::blank(MONDAY);
    let mut declare = Declare::new("alert storm");
    let gathered = vec![gathered("cart", &[firing("cart").started_at(time("2026-03-02T09:55:00Z"))])];
    declare.storm = Some(StormDeclared { window: window(), gathered });
    it.does(Command::Declare(Box::new(declare)));
    assert_eq!(it.it.milestones.started, Some(time("2026-03-02T09:55:00Z")));
}

#[test]
fn a_storm_that_makes_no_sense_is_refused() {
    let storm = |window: StormWindow, group: Option<&str>| {
        let mut declare = Declare::new("alert storm");
        declare.signal_group = group.map(str::to_owned);
        declare.storm = Some(StormDeclared { window, gathered: groups(&["cart"]) });
        Scenario::blank(MONDAY).refuses(Command::Declare(Box::new(declare)))
    };
    for refusal in [
        storm(window(), Some("cart")),
        storm(StormWindow { groups: 0, ..window() }, None),
        storm(StormWindow { within: std::time::Duration::ZERO, ..window() }, None),
    ] {
        assert!(matches!(refusal, Refusal::Invalid { field: "storm", .. }), "{refusal}");
    }
}

#[test]
fn a_storm_that_ended_takes_nothing() {
    for kind in [CommandKind::Cancel, CommandKind::MergeInto] {
        let mut it = storm();
        it.does(sample(kind));
        assert_eq!(it.refuses(gather(&["cart"])), Refusal::LetGo, "{kind}");
        assert_eq!(it.refuses(begins(&["cart"])), Refusal::LetGo, "{kind}");
        assert_eq!(keys(&it.it), [], "{kind}");
    }
}

#[test]
fn there_is_one_storm_of_a_severity_on_each_side() {
    let declare = |severity, drill| {
        let mut declare = Declare::new("alert storm").severity(severity);
        declare.storm = Some(StormDeclared { window: window(), gathered: groups(&["cart"]) });
        Command::Declare(Box::new(if drill { declare.drill() } else { declare }))
    };
    let mut it = Scenario::blank(MONDAY);
    it.taken = vec!["storm/SEV2".to_owned()];
    assert_eq!(
        it.refuses(declare(Severity::Sev2, false)),
        Refusal::KeyTaken { key: "storm/SEV2".to_owned() }
    );
    it.clone().does(declare(Severity::Sev1, false));
    it.does(declare(Severity::Sev2, true));
    assert_eq!(keys(&it.it)[0].name, "drill/storm/SEV2");
}

#[test]
fn the_storm_keeps_the_severity_it_is_named_after() {
    let mut it = storm();
    it.does(crate::course::severity(Severity::Sev1));
    assert_eq!(keys(&it.it)[0].name, "storm/SEV2");
}

#[test]
fn an_incident_gathers_its_own_group_until_it_lets_it_go() {
    let mut it = Scenario::blank(MONDAY);
    let mut declare = Declare::new("disk full").severity(Severity::Sev2);
    declare.signal_group = Some("cart".to_owned());
    declare.signals = [firing("cart")].into();
    it.does(Command::Declare(Box::new(declare)));
    it.settles();
    assert_eq!(it.refuses(gather(&["mail"])), Refusal::LetGo, "another group");
    it.does(hears("cart", &[firing("cart").resolved()]));
    it.at("+1h").does(resolve_anyway());
    it.at("+1h14m").does(gather(&["cart"]));
    assert_eq!((it.it.phase, count(&it.records, "Reopened")), (Phase::Investigation, 1));
    it.does(hears("cart", &[firing("cart").resolved()]));
    it.does(resolve_anyway());
    it.at("+1h30m");
    assert_eq!(it.refuses(gather(&["cart"])), Refusal::LetGo, "the flap window is over");
    it.does(Command::Reopen(because("it came back")));
    it.does(gather(&["cart"]));
}
