//! Storms: one incident takes the alerts of many groups in, for as long as enough of them come.

use incident_core::domain::command::{Command, CommandKind, Declare, Gathered, Refusal, StormDeclared};
use incident_core::domain::index::{Key, keys};
use incident_core::domain::signal::Signal;
use incident_core::domain::{Phase, Severity};

use crate::course::{because, firing, resolve_anyway};
use crate::samples::sample;
use crate::scenario::{MONDAY, Scenario, carried, count, kinds};
use crate::world::{long, time};

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
    declare.storm = Some(StormDeclared { groups: 3, within: long("10m"), gathered });
    let records = it.does(Command::Declare(Box::new(declare)));
    assert_eq!(kinds(&records)[..2], ["Declared", "SignalsReceived"]);
    assert!(carried(&records).contains(&"page pager(responders)".to_owned()), "{:?}", carried(&records));
    it.settles();
    it
}

pub(crate) fn gather(names: &[&str]) -> Command {
    Command::Gather(groups(names))
}

fn held(name: &str, until: &str) -> Vec<Key> {
    vec![Key::until(name.to_owned(), time(until))]
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
fn a_storm_lets_go_when_too_few_follow_and_keeps_the_groups_it_has() {
    let mut it = storm();
    assert_eq!(keys(&it.it), held("storm/SEV2", "2026-03-02T10:10:00Z"));
    it.at("+9m").does(gather(&["mail"]));
    assert_eq!(keys(&it.it), held("storm/SEV2", "2026-03-02T10:19:00Z"), "the third begins another window");
    it.at("+18m").does(gather(&["orders"]));
    assert_eq!(keys(&it.it), held("storm/SEV2", "2026-03-02T10:19:00Z"), "one more doesn't");

    it.at("+19m");
    assert_eq!(it.refuses(gather(&["billing"])), Refusal::LetGo);
    assert_eq!(it.refuses(gather(&["cart", "billing"])), Refusal::LetGo, "all or none");
    it.does(Command::Gather(vec![gathered("cart", &[firing("cart").resolved(), firing("cart, too")])]));
    assert_eq!(it.it.firing.len(), 4);
}

#[test]
fn after_resolve_a_storm_takes_only_its_own_groups_and_only_within_the_flap_window() {
    let mut it = storm();
    it.at("+1m").does(Command::Gather(vec![gathered("cart", &[firing("cart").resolved()])]));
    it.does(resolve_anyway());
    it.settles();
    assert_eq!(it.refuses(gather(&["mail"])), Refusal::LetGo, "a group that isn't known is another incident");
    let records = it.at("+10m").does(gather(&["cart"]));
    assert_eq!(kinds(&records)[..2], ["SignalsReceived", "Reopened"]);
    it.settles();
    it.at("+11m").does(resolve_anyway());
    it.at("+26m");
    assert_eq!(it.refuses(gather(&["cart"])), Refusal::LetGo);
}

#[test]
fn a_storm_that_ended_takes_nothing() {
    for kind in [CommandKind::Cancel, CommandKind::MergeInto] {
        let mut it = storm();
        it.does(sample(kind));
        assert_eq!(it.refuses(gather(&["cart"])), Refusal::LetGo, "{kind}");
        assert_eq!(keys(&it.it), [], "{kind}");
    }
}

#[test]
fn there_is_one_storm_of_a_severity_on_each_side() {
    let declare = |severity, drill| {
        let mut declare = Declare::new("alert storm").severity(severity);
        declare.storm = Some(StormDeclared { groups: 3, within: long("10m"), gathered: groups(&["cart"]) });
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
    declare.signals = vec![firing("cart")];
    it.does(Command::Declare(Box::new(declare)));
    it.settles();
    assert_eq!(it.refuses(gather(&["mail"])), Refusal::LetGo, "another group");
    it.does(Command::Gather(vec![gathered("cart", &[firing("cart").resolved()])]));
    it.at("+1h").does(resolve_anyway());
    it.at("+1h14m").does(gather(&["cart"]));
    assert_eq!((it.it.phase, count(&it.records, "Reopened")), (Phase::Investigation, 1));
    it.does(Command::Gather(vec![gathered("cart", &[firing("cart").resolved()])]));
    it.does(resolve_anyway());
    it.at("+1h30m");
    assert_eq!(it.refuses(gather(&["cart"])), Refusal::LetGo, "the flap window is over");
    it.does(Command::Reopen(because("it came back")));
    it.does(gather(&["cart"]));
}
