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
        ("phrases.updates = 'We look.'", Warning, "phrases.updates"),
        ("phrases.acknowledged = 'We look.'", Warning, "phrases.acknowledged"),
        ("phrases.public_update = '{progress}'", Warning, "phrases.public_update"),
        (
            "public = ['linkz', 'severity', 'status', 'service', 'started_at', 'now', 'public', 'update_every', \
             'next_update', 'duration', 'resolved_at', 'watch']",
            Error,
            "public[0]",
        ),
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
        ("persons.a = { name = 'A', identities = ['alice'] }", Error, "persons.a.identities"),
        ("persons.a = { name = 'A', identities = [':U1'] }", Error, "persons.a.identities"),
        ("persons.a = { name = 'A', identities = ['slack:'] }", Error, "persons.a.identities"),
        ("safety.by_kind.clear_cache.persons = 0", Warning, "safety.by_kind.clear_cache"),
        // Figures.
        ("escalation.every = '10M'", Error, "escalation.every"),
        ("severities.sev1.respond_within = { elapsed = '15M' }", Error, "severities.sev1.respond_within"),
        ("severities.sev3.update_every = '2M'", Error, "severities.sev3.update_every"),
        ("recovery.watch = '15M'", Error, "recovery.watch"),
        ("safety.cooldown = '1M'", Error, "safety.cooldown"),
        ("signals.flap_window = '15M'", Error, "signals.flap_window"),
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
        assert!(found.len() <= 6, "{text}: {found:?}");
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

/// Each finding says where, what was found and what to do.
#[test]
fn routes_are_checked_against_the_runbook() {
    use crate::model::route::Route;
    let everybody = ["responders", "team", "leadership", "executives", "staff", "caretaker"];
    let good = || vec![Route::new("page", &everybody), Route::new("status", &["customers", "public"])];
    let lint = |routes: &[Route]| -> Vec<String> {
        Runbook::default().lint_routes("live.routes", routes).iter().map(ToString::to_string).collect()
    };
    assert_eq!(lint(&good()), [""; 0]);
    type Spoil = fn(&mut Vec<Route>);
    let cases: [(Spoil, &[&str]); 9] = [
        (
            |it| it.clear(),
            &[
                "error: live.routes: no route reaches anybody inside the organisation, so nobody can be paged; add a \
               route for the audience `responders`",
            ],
        ),
        (
            |it| drop(it.remove(0)),
            &[
                "error: live.routes: no route reaches anybody inside the organisation, so nobody can be paged; add a \
               route for the audience `responders`",
            ],
        ),
        (
            |it| it[0].audiences.retain(|it| it.as_str() != "leadership"),
            &[
                "warning: live.routes: no route for audience \"leadership\"; escalation skips it; add a route for this \
               audience, or take it out of the runbook",
            ],
        ),
        (
            |it| it[0].audiences.retain(|it| it.as_str() != "caretaker"),
            &[
                "warning: live.routes: no route for audience \"caretaker\", who hears of broken and missing routes; add \
               a route for the audience `caretaker`",
            ],
        ),
        (
            |it| it[1].audiences.push(crate::model::severity::Audience::new("tema")),
            &[
                "warning: live.routes[1].audiences: people inside and outside the organisation share this route and \
                 read each other's notices; give people outside a route of their own",
                "warning: live.routes[1].audiences: the runbook tells no audience \"tema\" anything; use one of: \
                 customers, executives, leadership, public, responders, staff, team, caretaker",
            ],
        ),
        (
            |it| it[1].name = "page".to_owned(),
            &["error: live.routes[1].name: another route is called \"page\", too; give it a name of its own"],
        ),
        (
            |it| it[0].fallback = Some("phone".to_owned()),
            &["error: live.routes[0].fallback: there is no route \"phone\"; use one of: page, status"],
        ),
        (
            |it| it[0].fallback = Some("page".to_owned()),
            &[
                "error: live.routes[0].fallback: the fallbacks lead round in a circle: page → page; let the last route \
               have no fallback",
            ],
        ),
        (
            |it| {
                it[0].fallback = Some("status".to_owned());
                it[1].fallback = Some("page".to_owned());
            },
            &[
                "error: live.routes[0].fallback: the fallbacks lead round in a circle: page → status → page; let the \
               last route have no fallback",
            ],
        ),
    ];
    for (spoil, expected) in cases {
        let mut routes = good();
        spoil(&mut routes);
        assert_eq!(lint(&routes), expected);
    }
}
