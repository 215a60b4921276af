//! Whatever is sent in whatever field: it is refused by name, or stored as it is; nothing panics, nothing is spoiled.

use std::time::Duration;

use incident_core::log::event::Origin;
use incident_core::model::effect::Repeat;
use incident_core::model::impact::Impact;
use incident_core::model::notice::NoticeKind;
use incident_core::model::role::Actor;
use incident_core::model::severity::Severity;
use incident_core::model::time::Time;
use incident_core::rules::command::{Command, CommandKind, EffectResult, Refusal, Request};
use serde_json::Value;

use crate::accepted::{accepted, outcomes, proposals};
use crate::scenario::Scenario;
use crate::world::time;

fn strings() -> Vec<String> {
    vec![
        String::new(),
        " \n ".to_owned(),
        "x".repeat(1 << 20),
        "\u{0}\u{7}\u{1b}[2J\r\n".to_owned(),
        "\u{202e}desrever\u{2066}".to_owned(),
        "@everyone @channel <!here>".to_owned(),
        "</script><img src=x onerror=alert(1)>".to_owned(),
        "```\n# heading\n```".to_owned(),
        "\"}],\"fact\":{\"closed\":{}}".to_owned(),
        "\u{10ffff}\u{feff}🧨".to_owned(),
    ]
}

const TIMES: [&str; 6] = [
    "-262143-01-01T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "1969-12-31T23:59:59.999999999Z",
    "2026-03-02T09:59:60.5Z",
    "9999-12-31T23:59:59Z",
    "+262142-12-31T23:59:59.999999999Z",
];

const NUMBERS: [u64; 3] = [0, u32::MAX as u64, u64::MAX];

/// The places of all leaves in `value`, as JSON pointers.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| leaves(value, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().zip(0..).for_each(|(value, i): (_, u32)| leaves(value, &format!("{at}/{i}"), found));
        }
        _ => found.push(at.to_owned()),
    }
}

/// What may stand in place of `value`.
fn instead(value: &Value) -> Vec<Value> {
    match value {
        Value::String(text) if text.parse::<Time>().is_ok() => TIMES.map(Value::from).to_vec(),
        Value::String(_) => strings().into_iter().map(Value::from).collect(),
        Value::Number(_) => NUMBERS.map(Value::from).to_vec(),
        _ => Vec::new(),
    }
}

/// `command` with each of its fields replaced by each hostile value, as far as that is a command at all.
fn twisted(command: &Command) -> Vec<(String, Command)> {
    let value = serde_json::to_value(command).unwrap();
    let mut places = Vec::new();
    leaves(&value, "", &mut places);
    let mut twisted = Vec::new();
    for place in places {
        for hostile in instead(value.pointer(&place).unwrap()) {
            let mut value = value.clone();
            *value.pointer_mut(&place).unwrap() = hostile;
            twisted.extend(serde_json::from_value(value).ok().map(|command| (place.clone(), command)));
        }
    }
    twisted
}

/// The most bytes that one command may add to a log, whatever it is about.
const MOST: usize = 256 * 1024;

fn is_refused_or_stored(mut it: Scenario, place: &str, command: Command) {
    // What was done has to be kept, and what undoing needs with it, however much that is.
    let most = if place.contains("/executed/") { usize::MAX } else { MOST };
    let before = it.log.len();
    match it.tries(command) {
        Ok(_) => {
            let bytes = |stored: &incident_core::log::chain::StoredRecord| {
                stored.body.len() + stored.slots.iter().map(Vec::len).sum::<usize>()
            };
            let added: usize = it.log[before..].iter().map(bytes).sum();
            assert!(added < most, "{place}: {added} bytes");
            it.later("1h").does(Command::Wake);
        }
        Err(refusal) => {
            let said = refusal.to_string();
            assert!(said.len() < 300, "{place}: a refusal never repeats what was given: {said:?}");
            assert!(!said.chars().any(char::is_control), "{place}: {said:?}");
            if let Refusal::Invalid { field, .. } = refusal {
                assert!(
                    place.contains(field) || ["target", "ticket", "result"].contains(&field),
                    "{place} is called {field}"
                );
            }
        }
    }
}

#[test]
fn what_is_twisted_here_is_accepted_as_it_is() {
    for kind in CommandKind::ALL {
        let (mut it, command) = accepted(*kind);
        it.does(command);
    }
    for command in proposals() {
        Scenario::declared(Severity::Sev2).does(command);
    }
    for (mut it, command) in outcomes() {
        it.does(command);
    }
}

#[test]
fn every_field_of_every_command() {
    for kind in CommandKind::ALL {
        let (it, command) = accepted(*kind);
        for (place, twisted) in twisted(&command) {
            is_refused_or_stored(it.clone(), &place, twisted);
        }
    }
}

#[test]
fn every_field_of_every_mitigation() {
    for command in proposals() {
        for (place, twisted) in twisted(&command) {
            is_refused_or_stored(Scenario::declared(Severity::Sev2), &place, twisted);
        }
    }
}

#[test]
fn every_field_of_every_outcome() {
    for (it, command) in outcomes() {
        // A plan is twisted where it is made, not again where it was done.
        for (place, twisted) in
            twisted(&command).into_iter().filter(|(place, _)| !place.contains("executed/plan"))
        {
            is_refused_or_stored(it.clone(), &place, twisted);
        }
    }
}

#[test]
fn whoever_sends_it_from_wherever_whenever() {
    let note = || crate::course::note("x");
    for hostile in strings() {
        let mut requests = vec![
            Request::new(
                incident_core::model::id::CommandId::named("x"),
                Actor::human("chat", &hostile),
                note(),
            ),
            Request::new(
                incident_core::model::id::CommandId::named("x"),
                Actor::Automation(hostile.clone()),
                note(),
            ),
        ];
        let origins =
            [Origin::new(&hostile), Origin { source: "chat".to_owned(), link: Some(hostile.clone()) }];
        for origin in origins {
            let mut request = Request::new(
                incident_core::model::id::CommandId::named("x"),
                Actor::human("chat", "alice"),
                note(),
            );
            request.origin = origin;
            requests.push(request);
        }
        for request in requests {
            let mut it = Scenario::declared(Severity::Sev2);
            match it.sends(&request) {
                Ok(_) => assert!(it.log.last().unwrap().body.len() < 8 * 1024),
                Err(refusal) => assert!(refusal.to_string().len() < 300),
            }
        }
    }
    for hostile in TIMES {
        let mut it = Scenario::declared(Severity::Sev2);
        it.occurred_at = Some(time(hostile));
        if let Err(refusal) = it.tries(note()) {
            assert!(refusal.to_string().starts_with("occurred_at"), "{refusal}");
        }
    }
}

#[test]
fn no_clock_breaks_it() {
    for now in [TIMES[0], TIMES[1], TIMES[4], "+200000-01-01T00:00:00Z"] {
        let mut it = Scenario::blank("2026-03-02T10:00:00Z");
        it.now = time(now);
        let declare = incident_core::rules::command::Declare::new("x").severity(Severity::Sev1);
        it.does(Command::Declare(Box::new(declare)));
        it.is_whole();
        it.now = Time::MIN_UTC;
        it.does(crate::course::note("x"));
        it.is_whole();
    }
}

/// What an adapter hands over is its own business, but it must never make the log unreadable.
#[test]
fn what_a_backend_keeps_for_the_way_back_however_deep() {
    for depth in [10, 100, 120, 124, 126, 128, 200, 400] {
        let deep = (0..depth).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        let (mut it, command) = outcomes().remove(2);
        let Command::Conclude(mut conclude) = command else { unreachable!() };
        let EffectResult::Executed(execution) = &mut conclude.result else { unreachable!() };
        execution.before = deep.clone();
        it.does(Command::Conclude(conclude));
        let (mut it, command) = outcomes().remove(1);
        let Command::Conclude(mut conclude) = command else { unreachable!() };
        let EffectResult::Planned(plan) = &mut conclude.result else { unreachable!() };
        plan.payload = deep;
        it.does(Command::Conclude(conclude));
    }
}

#[test]
fn lengths_without_end() {
    for length in [Duration::MAX, Duration::from_secs(u64::MAX), Duration::from_nanos(1), Duration::ZERO] {
        let mut it = Scenario::declared(Severity::Sev2);
        let page = it.notice_on("pager", NoticeKind::Page);
        it.starts_as(page, Repeat::Native { within: length });
        it.does(Command::Wake);
        let mut it = Scenario::blank(crate::scenario::MONDAY);
        it.runbook.recovery.hold = length;
        it.runbook.recovery.watch = length;
        it.runbook.safety.cooldown = length;
        it.runbook.signals.flap_window = length;
        it.runbook.safety.plan_lifetime = length;
        it.runbook.reminders.before_update = length;
        it.does(crate::samples::sample(CommandKind::Declare));
        it.does(crate::course::propose("deployment/a"));
        it.settles().does(crate::course::resolve_anyway());
    }
}

#[test]
fn shares_that_are_no_shares() {
    for share in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e300] {
        let impact = Impact { users_percent: Some(share), ..Impact::default() };
        let refusal = Scenario::declared(Severity::Sev2).refuses(Command::AssessImpact(Box::new(impact)));
        assert!(refusal.to_string().starts_with("users_percent"), "{refusal}");
    }
}
