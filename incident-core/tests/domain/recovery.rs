//! Recovered is what every check said, without a break, for the whole hold.

use std::collections::BTreeMap;

use incident_core::log::event::CheckReading;
use incident_core::model::colour::Colour;
use incident_core::model::phase::Gate;
use incident_core::model::phase::Phase;
use incident_core::model::severity::Severity;
use incident_core::rules::command::{Command, Refusal};
use incident_core::runbook::{Check, CheckedBy, Runbook};

use crate::course::{advance_to, attest, firing, resolve};
use crate::scenario::{Scenario, carried, kinds};
use crate::world::{one_probe, readings, time};

/// In recovery at 10:00, with one probe: the hold is 15 minutes, readings may be 6 minutes apart.
fn recovering() -> Scenario {
    recovering_with(one_probe)
}

fn recovering_with(change: impl FnOnce(&mut Runbook)) -> Scenario {
    let mut it = Scenario::with_runbook(Severity::Sev2, change);
    it.does(Command::Acknowledge);
    it.does(advance_to(Phase::Recovery));
    it
}

fn sees(it: &mut Scenario, colour: Colour) {
    let reading = CheckReading { colour, detail: "seen".to_owned() };
    it.does(Command::Look(BTreeMap::from([("health".to_owned(), reading)])));
}

fn held(it: &Scenario) -> bool {
    match it.clone().tries(resolve()) {
        Ok(_) => true,
        Err(Refusal::Gates { unmet, .. }) if unmet == [Gate::ChecksHeld] => false,
        Err(other) => panic!("{other}"),
    }
}

/// Each line: when what was seen, and whether it has held at the time after it.
#[test]
fn what_holds_and_what_breaks_it() {
    use Colour::{Green as G, Red as R, Unknown as U};
    type Seen = &'static [(&'static str, Colour)];
    let cases: [(&str, Seen, &str, bool); 13] = [
        ("nothing was seen", &[], "+20m", false),
        ("every five minutes", &[("+0m", G), ("+5m", G), ("+10m", G), ("+15m", G)], "+15m", true),
        ("to the second", &[("+0m", G), ("+6m", G), ("+12m", G), ("+14m59s", G)], "+15m", false),
        (
            "it is counted from what was seen",
            &[("+0m", G), ("+6m", G), ("+12m", G), ("+14m", G)],
            "+16m",
            false,
        ),
        ("exactly 2/5 apart", &[("+0m", G), ("+6m", G), ("+12m", G), ("+18m", G)], "+18m", true),
        ("a second more", &[("+0m", G), ("+6m1s", G), ("+12m", G), ("+18m", G)], "+18m", false),
        (
            "and it begins again",
            &[("+0m", G), ("+10m", G), ("+15m", G), ("+20m", G), ("+25m", G)],
            "+25m",
            true,
        ),
        ("red breaks it", &[("+0m", G), ("+5m", R), ("+6m", G), ("+11m", G), ("+16m", G)], "+16m", false),
        (
            "and it begins again",
            &[("+0m", R), ("+1m", G), ("+6m", G), ("+11m", G), ("+16m", G)],
            "+16m",
            true,
        ),
        ("unknown breaks it", &[("+0m", G), ("+5m", U), ("+6m", G), ("+11m", G), ("+16m", G)], "+16m", false),
        ("silence breaks it", &[("+0m", G), ("+5m", G), ("+10m", G), ("+15m", G)], "+21m1s", false),
        ("not yet", &[("+0m", G), ("+5m", G), ("+10m", G), ("+15m", G)], "+21m", true),
        ("red at last", &[("+0m", G), ("+5m", G), ("+10m", G), ("+15m", G), ("+16m", R)], "+16m", false),
    ];
    for (what, seen, at, expected) in cases {
        let mut it = recovering();
        for (when, colour) in seen {
            sees(it.at(when), *colour);
        }
        it.at(at);
        assert_eq!(held(&it), expected, "{what}: {seen:?} at {at}");
    }
}

#[test]
fn what_was_green_before_the_recovery_does_not_count() {
    let mut it = Scenario::with_runbook(Severity::Sev2, one_probe);
    it.does(Command::Acknowledge);
    it.does(advance_to(Phase::Resolution));
    for at in ["+0m", "+5m", "+10m", "+15m"] {
        sees(it.at(at), Colour::Green);
    }
    it.does(advance_to(Phase::Recovery));
    assert!(!held(&it));
}

#[test]
fn a_probe_that_is_silent_is_unknown() {
    let mut it = recovering();
    it.does(Command::Look(BTreeMap::new()));
    assert_eq!(it.it.checks.last["health"].colour, Colour::Unknown);
}

#[test]
fn a_probe_nobody_asked_for_is_left_out() {
    let mut it = recovering();
    let reading = CheckReading { colour: Colour::Green, detail: "x".to_owned() };
    it.does(Command::Look(BTreeMap::from([("moon".to_owned(), reading)])));
    assert!(!it.it.checks.last.contains_key("moon"));
}

/// With a person's word besides the probe's.
fn two_checks(runbook: &mut Runbook) {
    one_probe(runbook);
    let check = Check { what: "users say so".to_owned(), by: CheckedBy::Person };
    runbook.recovery.checks.insert("user-reports".to_owned(), check);
}

#[test]
fn a_persons_word_is_needed_and_stands() {
    let mut it = recovering_with(two_checks);
    for at in ["+0m", "+5m", "+10m", "+15m"] {
        sees(it.at(at), Colour::Green);
    }
    assert!(!held(&it), "nobody vouched");
    it.does(attest("user-reports", Colour::Green));
    for at in ["+20m", "+25m", "+30m"] {
        sees(it.at(at), Colour::Green);
    }
    assert!(held(&it), "from when somebody did");
    it.does(attest("user-reports", Colour::Red));
    assert!(!held(&it), "until somebody says otherwise");
}

/// A word of somebody, or of an alert, isn't a reading: probes that are silent for longer than 2/5 break the hold.
#[test]
fn no_other_word_bridges_a_probes_silence() {
    let words: [fn(&mut Scenario); 2] = [
        |it| drop(it.does(attest("user-reports", Colour::Green))),
        |it| {
            it.does(Command::Signals(vec![firing("disk")]));
            it.does(Command::Signals(vec![firing("disk").resolved()]));
        },
    ];
    for (word, broken_by) in words.into_iter().zip(["attested", "an alert"]) {
        let mut it = recovering_with(two_checks);
        it.does(attest("user-reports", Colour::Green));
        sees(it.at("+0m"), Colour::Green);
        word(it.at("+6m"));
        sees(it.at("+12m"), Colour::Green);
        sees(it.at("+16m"), Colour::Green);
        assert!(!held(&it), "{broken_by}");
        word(it.at("+22m"));
        assert!(!held(it.at("+27m")), "{broken_by}: nor does it keep what held from growing old");
    }
}

#[test]
fn where_no_probe_is_a_person_may_vouch_for_its_check() {
    let mut it = recovering();
    assert!(it.refuses(attest("health", Colour::Green)).to_string().starts_with("check"));
    it.live.probes.clear();
    it.does(attest("health", Colour::Green));
    for at in ["+0m", "+5m", "+10m", "+15m"] {
        it.at(at).does(Command::Look(BTreeMap::new()));
    }
    assert!(held(&it));
}

#[test]
fn only_a_person_vouches() {
    let mut it = recovering_with(two_checks);
    it.as_("stranger");
    assert!(matches!(it.refuses(attest("user-reports", Colour::Green)), Refusal::NotAPerson { .. }));
}

#[test]
fn an_alert_that_fires_breaks_the_hold() {
    let mut it = recovering_with(|runbook| {
        one_probe(runbook);
        let check = Check { what: "no alert".to_owned(), by: CheckedBy::Signals };
        runbook.recovery.checks.insert("no-alert-firing".to_owned(), check);
    });
    for at in ["+0m", "+5m", "+10m"] {
        sees(it.at(at), Colour::Green);
    }
    it.does(Command::Signals(vec![firing("disk")]));
    sees(it.at("+11m"), Colour::Green);
    it.does(Command::Signals(vec![firing("disk").resolved()]));
    for at in ["+15m", "+20m", "+25m"] {
        sees(it.at(at), Colour::Green);
    }
    assert!(!held(&it));
    sees(it.at("+26m"), Colour::Green);
    assert!(held(&it), "15 minutes after it was over");
}

#[test]
fn a_step_back_and_again_begins_the_hold_anew() {
    let mut it = recovering();
    for at in ["+0m", "+5m", "+10m"] {
        sees(it.at(at), Colour::Green);
    }
    let back =
        incident_core::rules::command::StepBack { to: Phase::Resolution, because: "not sure".to_owned() };
    it.does(Command::StepBack(back));
    it.does(advance_to(Phase::Recovery));
    sees(it.at("+15m"), Colour::Green);
    assert!(!held(&it));
}

/// Resolved after the hold; probes look on until the watch ends.
fn resolved() -> Scenario {
    let mut it = recovering();
    for at in ["+0m", "+5m", "+10m", "+15m"] {
        sees(it.at(at), Colour::Green);
    }
    it.does(resolve());
    it.settles();
    it
}

#[test]
fn a_check_that_turns_red_after_resolve_reopens() {
    let mut it = resolved();
    let reading = CheckReading { colour: Colour::Red, detail: "503".to_owned() };
    let records = it.at("+20m").does(Command::Look(BTreeMap::from([("health".to_owned(), reading)])));
    assert_eq!(kinds(&records)[..2], ["ChecksRead", "Reopened"]);
    assert!(carried(&records).contains(&"page pager(responders)".to_owned()));
}

#[test]
fn a_probe_that_fails_after_resolve_reopens_nothing() {
    let mut it = resolved();
    it.at("+20m").does(Command::Look(BTreeMap::new()));
    assert_eq!(it.it.phase, Phase::PostIncident);
}

#[test]
fn probes_look_from_triage_to_the_end_of_the_watch() {
    let mut it = Scenario::with_runbook(Severity::Sev2, one_probe);
    assert!(!it.due().look, "not before triage");
    let mut it2 = it.clone();
    it.does(advance_to(Phase::Triage));
    assert!(it.due().look);
    it2.does(Command::Cancel(crate::course::because("a test")));
    assert!(!it2.due().look, "nor after the end");
    let mut it = resolved();
    assert!(it.at("+16m").due().look);
    sees(it.at("+29m30s"), Colour::Green);
    assert!(!it.at("+40m").due().look, "the next look would come after the watch");
}

#[test]
fn recovered_is_when_the_hold_began() {
    let it = resolved();
    assert_eq!(it.it.milestones.recovered, Some(time("2026-03-02T10:00:00Z")));
    assert_eq!(it.it.milestones.resolved, Some(time("2026-03-02T10:15:00Z")));
}

#[test]
fn a_runbook_without_checks_holds_nothing() {
    let mut it = recovering_with(|runbook| runbook.recovery.checks.clear());
    it.at("+1h").does(readings(Colour::Green));
    assert!(!held(&it));
}

/// A runbook is laid over the default without being judged, and old logs keep their figures.
#[test]
fn no_rhythm_of_zero_keeps_the_engine_from_resting() {
    let zero = std::time::Duration::ZERO;
    let mut it = Scenario::with_runbook(Severity::Sev2, |it| {
        one_probe(it);
        it.recovery.probe_every = zero;
        it.recovery.hold = zero;
        it.reminders.chase_every = zero;
        it.reminders.before_update = zero;
        it.reminders.before_follow_up = zero;
        it.escalation.every = zero;
        it.afterwards.read_tickets_every = zero;
        it.safety.verify_within = zero;
        it.severities.values_mut().for_each(|severity| severity.update_every = Some(zero));
    });
    it.does(crate::course::action(Some("bob")));
    it.goes_to(Phase::Triage);
    let mut passes = 0;
    let until = incident_core::model::time::after(it.now, crate::world::long("1s"));
    while let Some(next) = incident_core::log::wake::next_wake(&it.it).filter(|next| *next <= until) {
        it.now = it.now.max(next);
        if it.due().wake {
            it.does(Command::Wake);
        }
        if it.due().look {
            it.does(readings(Colour::Green));
        }
        it.settles();
        passes += 1;
        assert!(passes < 100, "the engine never rests");
    }
}
