use super::Level::{self, Error, Warning};
use super::*;

/// The findings about the default with `text` laid over it.
fn findings(text: &str) -> Vec<(Level, String)> {
    let runbook = Runbook::from_toml(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    runbook.lint().into_iter().map(|finding| (finding.level, finding.place)).collect()
}

#[test]
fn the_default_has_no_findings() {
    assert_eq!(Runbook::default().lint(), []);
}

#[test]
fn each_mistake_is_found_where_it_was_made() {
    for (text, level, place) in [
        // Phrases.
        ("phrases.update = 'Updates every 15 minutes.'", Error, "phrases.update"),
        ("phrases.update = 'SEV2: updates every 15 minutes.'", Error, "phrases.update"),
        ("phrases.update = 'SEV2: updates every 30 minutes.'", Warning, "phrases.update"),
        ("phrases.opening_sev1 = 'Updates every 15 minutes.'", Warning, "phrases.opening_sev1"),
        ("phrases.update = '{updaet_every}'", Warning, "phrases.update"),
        // Triage.
        ("triage.first = 'x'\ntriage.questions = {}", Error, "triage.first"),
        ("triage.questions.several_users.no.ask = 'x'", Error, "triage.questions.several_users.no"),
        ("triage.questions.several_users.no.ask = 'data_loss'", Error, "triage.questions.completely_down"),
        ("triage.questions.several_users.no = { severity = 'sev3' }", Warning, "triage.questions"),
        (
            "triage.questions.x = { ask = '?', yes.severity = 'sev1', no.severity = 'sev2' }",
            Warning,
            "triage.questions.x",
        ),
        // Gates and steps.
        ("phases.triage.gates = [{ step = 'roll-back' }]", Error, "phases.triage.gates[0]"),
        (
            "phases.triage.steps = [{ id = 'ack-alert', what = 'x', who = 'scribe' }]",
            Error,
            "phases.triage.steps[0].id",
        ),
        ("phases.triage.expected = { from = '5m', to = '1m' }", Warning, "phases.triage.expected"),
        ("afterwards.documentation = ['redraw']", Warning, "afterwards.documentation[0]"),
        ("afterwards.publish_needs = ['start', 'update_gap']", Error, "afterwards.publish_needs[1]"),
        ("afterwards.timeline_gap = '0s'", Error, "afterwards.timeline_gap"),
        // Alerts.
        ("signals.severities.Hot = 'sev1'", Error, "signals.severities.\"Hot\""),
        ("signals.severities.' hot' = 'sev1'", Error, "signals.severities.\" hot\""),
        ("signals.severities.critical = 'ignore'", Warning, "signals.severities.\"critical\""),
        ("signals.unknown = 'sev4'", Warning, "signals.unknown"),
        ("signals.rules = []", Error, "signals.rules"),
        ("signals.rules = [{ service_label = '' }]", Error, "signals.rules[0].service_label"),
        ("signals.rules = [{ service_label = 'a' }, { service_label = 'b' }]", Warning, "signals.rules[0]"),
        ("signals.rules = [{ service_label = 'a', matches = { team = 'x' } }]", Warning, "signals.rules"),
        // People.
        ("escalation.chain = []", Error, "escalation.chain"),
        ("escalation.chain = [{ audience = 'public' }]", Error, "escalation.chain[0].audience"),
        (
            "escalation.chain = [{ audience = 'team', persons = ['bob'] }]",
            Error,
            "escalation.chain[0].persons",
        ),
        ("safety.break_glass = ['bob']", Error, "safety.break_glass"),
        (
            "safety.by_kind = { end_queries = false, clear_cache = false }\n\
             persons.a = { name = 'A', identities = ['x:1'] }\npersons.b = { name = 'B', identities = ['x:1'] }",
            Error,
            "persons.b.identities",
        ),
        ("safety.approvals.sev4.persons = 0", Warning, "safety.approvals.sev4"),
        // Figures.
        ("recovery.hold = '2m'", Error, "recovery.probe_every"),
        ("recovery.probe_every = '0s'", Error, "recovery.probe_every"),
        ("escalation.every = '0s'", Error, "escalation.every"),
        ("severities.sev3.respond_within = { elapsed = '0s' }", Error, "severities.sev3.respond_within"),
        ("afterwards.follow_ups.low = { elapsed = '0s' }", Error, "afterwards.follow_ups.low"),
        ("reminders.before_update = '15m'", Error, "reminders.before_update"),
        ("safety.min_healthy_percent = 101", Error, "safety.min_healthy_percent"),
        ("safety.budget_per_hour = 0", Warning, "safety.budget_per_hour"),
        ("calendar.weekdays = []", Error, "calendar.weekdays"),
        ("calendar.closes = '09:00'", Error, "calendar.closes"),
    ] {
        let found = findings(text);
        assert!(found.contains(&(level, place.to_owned())), "{text}: {found:?}");
        assert!(found.len() <= 2, "{text}: {found:?}");
    }
}

#[test]
fn a_zero_hold_or_cadence_is_an_error() {
    for (text, places) in [
        ("recovery.hold = '0s'", ["recovery.hold", "recovery.probe_every"]),
        ("severities.sev1.update_every = '0s'", ["reminders.before_update", "severities.sev1.update_every"]),
    ] {
        assert_eq!(findings(text), places.map(|place| (Error, place.to_owned())), "{text}");
    }
}

#[test]
fn a_gate_on_checks_needs_checks() {
    let mut runbook = Runbook::default();
    runbook.recovery.checks.clear();
    assert_eq!(runbook.lint()[0].place, "phases.recovery.gates[0]");
}

#[test]
fn persons_must_suffice_for_the_approvals_asked_of_them() {
    const ALICE: &str = "persons.alice = { name = 'Alice', identities = ['x:1'], roles = ['ops_lead'] }\n";
    const BOB: &str = "persons.bob = { name = 'Bob', identities = ['x:2'], roles = ['commander'] }\n";
    const MUTE: &str = "persons.mute = { name = 'Mute' }\n";
    for (text, places) in [
        ([ALICE, BOB, ""], vec![]),
        ([ALICE, MUTE, ""], vec!["safety.by_kind.clear_cache", "safety.by_kind.end_queries"]),
        ([ALICE, BOB, "safety.approvals.sev2.persons = 3"], vec!["safety.approvals.sev2"]),
        ([ALICE, BOB, "safety.approvals.sev3.roles = ['scribe']"], vec!["safety.approvals.sev3"]),
        (
            [ALICE, BOB, "safety.by_kind.end_queries = { persons = 1, roles = ['commander', 'scribe'] }"],
            vec![],
        ),
        (
            [
                ALICE,
                BOB,
                "safety.by_kind.end_queries = { persons = 1, roles = ['commander'] }\n\
                 safety.approvals.sev1.roles = ['ops_lead']",
            ],
            vec!["safety.by_kind.clear_cache", "safety.by_kind.end_queries"],
        ),
    ] {
        let expect: Vec<_> = places.into_iter().map(|place| (Error, place.to_owned())).collect();
        assert_eq!(findings(&text.concat()), expect, "{text:?}");
    }
    // Without persons, only what no person could ever meet is an error.
    let disjoint = "safety.approvals.sev1.roles = ['scribe']\nsafety.by_kind.end_queries.roles = ['deputy']";
    assert_eq!(findings(disjoint), [(Error, "safety.by_kind.end_queries".to_owned())]);
}

#[test]
fn every_missing_entry_is_named() {
    let mut runbook = Runbook::default();
    runbook.severities.remove(&Severity::Sev3);
    runbook.safety.approvals.remove(&Severity::Sev2);
    runbook.phases.remove(&Phase::Triage);
    runbook.afterwards.follow_ups.remove(&Priority::High);
    let found: Vec<_> = runbook.lint().into_iter().map(|finding| (finding.level, finding.place)).collect();
    let places = ["afterwards.follow_ups.high", "phases.triage", "safety.approvals.sev2", "severities.sev3"];
    assert_eq!(found, places.map(|place| (Warning, place.to_owned())));
}

#[test]
fn a_finding_reads_as_a_sentence() {
    let runbook = Runbook::from_toml("escalation.chain = []").unwrap();
    assert_eq!(
        runbook.lint()[0].to_string(),
        "error: escalation.chain: nobody is paged when nobody answers; name at least one audience"
    );
}
