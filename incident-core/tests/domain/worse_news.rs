//! News that is worse than what is known raises the severity and pages, as the runbook says.

use incident_core::log::event::Fact;
use incident_core::model::impact::Impact;
use incident_core::model::obligation::ObligationKind;
use incident_core::model::phase::Phase;
use incident_core::model::role::Actor;
use incident_core::model::severity::Severity;
use incident_core::model::severity::Severity::{Sev1, Sev2, Sev3, Sev4};
use incident_core::model::signal::{Signal, WorseNews};
use incident_core::rules::command::{Command, Declare};
use incident_core::views::timeline::timeline;

use crate::course::{firing, resolve_anyway};
use crate::scenario::{MONDAY, Scenario, carried};

const PAGE: &str = "page pager(responders)";

/// An incident of this severity that began with one alert.
fn alerted(severity: Severity, acknowledged: bool, policy: WorseNews) -> Scenario {
    let mut it = Scenario::blank(MONDAY);
    it.runbook.signals.worse = policy;
    let mut declare = Declare::new("disk full").severity(severity).service("checkout");
    declare.signal_group = Some("checkout".to_owned());
    declare.signals = [alert("first", "minor")].into();
    it.does(Command::Declare(Box::new(declare)));
    if acknowledged {
        it.does(Command::Acknowledge);
    }
    it.settles();
    it
}

fn alert(name: &str, severity: &str) -> Signal {
    firing(name).with_label("service", "checkout").with_label("severity", severity)
}

fn comes(it: &mut Scenario, signal: Signal) -> Vec<String> {
    it.as_actor(Actor::Automation("alerts".to_owned()));
    let records = it.does(Command::Signals(vec![signal]));
    it.as_("alice");
    carried(&records)
}

fn pages(carried: &[String]) -> usize {
    carried.iter().filter(|it| *it == PAGE).count()
}

#[test]
fn an_alert_that_is_worse_raises_and_pages_once_whether_acknowledged_or_not() {
    use WorseNews::{Page, Raise, Separate};
    for (policy, of, word, becomes, paged) in [
        (Raise, Sev3, "critical", Sev1, 1),
        (Raise, Sev2, "critical", Sev1, 1),
        (Raise, Sev4, "error", Sev2, 1),
        (Raise, Sev3, "gibberish", Sev2, 1),
        (Raise, Sev4, "warning", Sev3, 0),
        (Raise, Sev1, "critical", Sev1, 0),
        (Raise, Sev1, "warning", Sev1, 0),
        (Raise, Sev3, "info", Sev3, 0),
        (Page, Sev3, "critical", Sev3, 1),
        (Page, Sev2, "critical", Sev2, 1),
        // Such an alert has a group of its own, and comes here only if somebody hands it in.
        (Separate, Sev3, "critical", Sev3, 1),
    ] {
        for acknowledged in [false, true] {
            let name = format!("{policy:?} {of} {word} {acknowledged}");
            let mut it = alerted(of, acknowledged, policy);
            let said = comes(it.at("+5m"), alert("second", word));
            assert_eq!((it.it.severity, pages(&said)), (becomes, paged), "{name}: {said:?}");
            if paged > 0 {
                it.owed(ObligationKind::Acknowledge);
                it.settles();
                assert_eq!(comes(it.at("+6m"), alert("second", word)), [""; 0], "{name}: it is known");
            }
        }
    }
}

#[test]
fn worse_news_that_nobody_answers_climbs_the_chain() {
    let mut it = alerted(Sev3, true, WorseNews::Raise);
    comes(it.at("+5m"), alert("second", "critical"));
    it.settles();
    let before = it.records.len();
    it.passes("25m");
    let escalated = it.records[before..].iter().filter(|it| matches!(it.fact, Fact::Escalated(_))).count();
    assert!(escalated > 1, "{:?}", carried(&it.records[before..]));
}

#[test]
fn impact_that_is_worse_raises_and_pages() {
    let lost = || Impact { data_loss: Some(true), ..Impact::default() };
    let breached = || Impact { security_breach: Some(true), ..Impact::default() };
    let both = || Impact { data_loss: Some(true), security_breach: Some(true), ..Impact::default() };
    let harmless = || Impact { data_loss: Some(false), security_breach: Some(false), ..Impact::default() };
    let unknown = || Impact { users: Some(7), ..Impact::default() };
    for (name, policy, impact, becomes, paged) in [
        ("data loss", WorseNews::Raise, lost(), Sev1, 1),
        ("breach", WorseNews::Raise, breached(), Sev1, 1),
        ("both", WorseNews::Raise, both(), Sev1, 1),
        ("breach, separate alerts", WorseNews::Separate, breached(), Sev1, 1),
        ("breach, page only", WorseNews::Page, breached(), Sev3, 1),
        ("neither", WorseNews::Raise, harmless(), Sev3, 0),
        ("nobody knows", WorseNews::Raise, unknown(), Sev3, 0),
    ] {
        let mut it = alerted(Sev3, true, policy);
        let records = it.at("+5m").does(Command::AssessImpact(Box::new(impact.clone())));
        assert_eq!((it.it.severity, pages(&carried(&records))), (becomes, paged), "{name}");
        it.settles();
        let again = it.does(Command::AssessImpact(Box::new(impact)));
        assert_eq!(pages(&carried(&again)), 0, "{name}: it is known");
    }
}

#[test]
fn what_the_tree_says_of_data_loss_counts() {
    let mut it = alerted(Sev3, true, WorseNews::Raise);
    it.runbook.triage.questions.remove("data_loss");
    it.does(Command::AssessImpact(Box::new(Impact { data_loss: Some(true), ..Impact::default() })));
    assert_eq!(it.it.severity, Sev3, "this runbook doesn't ask");
}

#[test]
fn a_new_alert_after_a_long_silence_pages_again() {
    for (quiet, acknowledged, of, paged) in [
        ("59m", true, Sev2, 0),
        ("1h", true, Sev2, 1),
        ("5h", true, Sev1, 1),
        // Nobody has answered yet, so the chain is being climbed.
        ("20m", false, Sev2, 0),
    ] {
        let mut it = alerted(of, acknowledged, WorseNews::Raise);
        it.passes(quiet);
        let said = comes(&mut it, alert("second", "minor"));
        assert_eq!(pages(&said), paged, "{quiet} {of}: {said:?}");
        if paged == 1 {
            it.owed(ObligationKind::Acknowledge);
        }
    }
}

#[test]
fn where_the_table_pages_nobody_a_late_alert_is_said_and_has_to_be_answered() {
    let mut it = alerted(Sev3, true, WorseNews::Raise);
    it.passes("3h");
    let said = comes(&mut it, alert("second", "minor"));
    assert!(pages(&said) == 0 && said.iter().any(|it| it.contains("team")), "{said:?}");
    it.owed(ObligationKind::Acknowledge);
}

#[test]
fn a_worse_alert_after_resolve_reopens_raises_and_pages_once() {
    let mut it = alerted(Sev3, true, WorseNews::Raise);
    comes(&mut it, alert("first", "minor").resolved());
    it.does(resolve_anyway());
    it.settles();
    let said = comes(it.later("5m"), alert("second", "critical"));
    assert_eq!((it.it.severity, it.it.phase, pages(&said)), (Sev1, Phase::Investigation, 1), "{said:?}");
}

#[test]
fn the_timeline_says_what_was_assumed_of_an_alert() {
    let mut it = alerted(Sev3, true, WorseNews::Raise);
    let odd = firing("odd").with_label("severity", "gibberish").with_note("startsAt: expected a time");
    comes(&mut it, odd);
    let lines = timeline(&it.it, &it.records);
    let said = lines.iter().any(|line| {
        ["startsAt: expected a time", "gibberish", "SEV2 assumed", "no label service"]
            .iter()
            .all(|words| line.what.contains(words))
    });
    assert!(said, "{lines:#?}");
}

#[test]
fn an_alert_that_gets_worse_under_the_same_fingerprint_raises_once() {
    let mut it = alerted(Sev3, true, WorseNews::Raise);
    let said = comes(it.at("+5m"), alert("first", "critical"));
    assert_eq!((it.it.severity, pages(&said), it.it.firing.len()), (Sev1, 1, 1));
    it.settles();
    it.does(crate::course::severity(Sev3));
    it.settles();
    assert_eq!(comes(it.at("+6m"), alert("first", "critical")), [""; 0], "people know, and decided");
    assert_eq!(comes(it.at("+7m"), alert("first", "minor")), [""; 0]);
    assert_eq!(it.it.severity, Sev3);
}
