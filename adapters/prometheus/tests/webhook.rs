//! What is read of a webhook, of whatever version, and what is said of one that can't be.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use incident_core::model::inert;
use incident_core::model::signal::Signal;
use incident_core::model::signal::SignalState::{Firing, Resolved};
use incident_core::runtime::Engine;
use incident_core::store::MemoryStore;
use incident_core::views::timeline::timeline;
use incident_prometheus::{Limits, Webhook, WebhookError};

const FIRING_25: &str = include_str!("fixtures/alertmanager-0.25-firing.json");
const RESOLVED_25: &str = include_str!("fixtures/alertmanager-0.25-resolved.json");
const FIRING_33: &str = include_str!("fixtures/alertmanager-0.33-firing.json");
const GRAFANA: &str = include_str!("fixtures/grafana-1-firing.json");

fn parse(body: &str) -> Webhook {
    Webhook::parse(body.as_bytes()).unwrap()
}

/// A webhook with one alert, whose fields are these.
fn alert(fields: &str) -> String {
    format!(r#"{{"alerts":[{{"status":"firing",{fields}}}]}}"#)
}

fn only(body: &str) -> Signal {
    let [signal] = parse(body).signals.try_into().unwrap();
    signal
}

#[test]
fn every_version_is_read() {
    for (name, body, states, summary, started) in [
        ("0.25", FIRING_25, &[Firing, Resolved][..], "parcels are not taken", "2026-03-01T08:15:30.250Z"),
        ("0.25 resolved", RESOLVED_25, &[Resolved], "parcels are not taken", "2026-03-01T08:15:30.250Z"),
        ("0.33", FIRING_33, &[Firing], "search takes 2.4 s", "2026-03-02T19:04:11.614Z"),
        ("Grafana", GRAFANA, &[Firing], "a till is offline", "2026-03-03T05:00:00Z"),
    ] {
        let webhook = parse(body);
        assert_eq!(webhook.receiver, "incidents", "{name}");
        assert!(webhook.group_key.contains("alertname"), "{name}");
        let read: Vec<_> = webhook.signals.iter().map(|signal| signal.state).collect();
        assert_eq!(read, states, "{name}");
        assert_eq!(webhook.signals[0].summary, summary, "{name}");
        assert_eq!(webhook.signals[0].started_at, Some(started.parse().unwrap()), "{name}");
    }
}

#[test]
fn labels_fingerprint_and_link_are_the_alerts_own() {
    let first = &parse(FIRING_25).signals[0];
    assert_eq!(first.fingerprint, "1f6b0c2a9d3e4f57");
    assert_eq!(first.labels["queue"], "parcels");
    let link = "http://metrics.example:9090/graph?g0.expr=queue_age_seconds+%3E+600&g0.tab=1";
    assert_eq!(first.link.as_deref(), Some(link));
}

#[test]
fn a_group_that_was_cut_short_resolves_only_what_it_lists() {
    let webhook = parse(RESOLVED_25);
    assert_eq!((webhook.truncated, webhook.signals.len()), (7, 1));
}

#[tokio::test]
async fn what_a_cut_group_does_not_list_still_fires() {
    let engine = Engine::builder(MemoryStore::new()).pages_nobody().build().unwrap();
    let mut body = FIRING_25.replace(r#""status":"resolved""#, r#""status":"firing""#);
    let declared = engine.ingest("alertmanager", parse(&body).signals).await.unwrap().declared;
    body = RESOLVED_25.to_owned();
    engine.ingest("alertmanager", parse(&body).signals).await.unwrap();
    let state = engine.incident(declared[0]).state().await.unwrap();
    assert_eq!(state.firing.len(), 1, "letters were not in the list");
}

#[test]
fn the_groups_status_says_nothing_about_an_alert() {
    let body = r#"{"status":"resolved","alerts":[{"status":"firing","labels":{"alertname":"A"}}]}"#;
    assert_eq!(only(body).state, Firing);
}

#[test]
fn the_summary_is_the_best_that_there_is() {
    for (fields, summary) in [
        (r#""annotations":{"description":"d","summary":"s","title":"t"}"#, "s"),
        (r#""annotations":{"description":"d","title":"t"}"#, "t"),
        (r#""annotations":{"description":"d","message":"m"}"#, "m"),
        (r#""annotations":{"description":"d","runbook_url":"r"}"#, "d"),
        (r#""annotations":{"summary":""},"labels":{"alertname":"A"}"#, "A"),
        (r#""annotations":null,"labels":{"alertname":"A"}"#, "A"),
        (r#""labels":null"#, ""),
    ] {
        assert_eq!(only(&alert(fields)).summary, summary, "{fields}");
    }
}

#[test]
fn an_alert_without_a_fingerprint_is_told_by_its_labels() {
    let of = |labels: &str| only(&alert(&format!(r#""labels":{labels},"fingerprint":"""#))).fingerprint;
    assert_eq!(of(r#"{"a":"1","b":"2"}"#), of(r#"{"b":"2","a":"1"}"#));
    assert_ne!(of(r#"{"a":"1","b":"2"}"#), of(r#"{"a":"1b","":"2"}"#));
}

#[test]
fn no_time_and_no_usable_link_are_none() {
    for fields in [
        r#""startsAt":"0001-01-01T00:00:00Z","generatorURL":"""#,
        r#""startsAt":"","generatorURL":"javascript:alert(1)""#,
        r#""startsAt":null,"generatorURL":null"#,
        r#""generatorURL":"/graph""#,
    ] {
        let signal = only(&alert(fields));
        assert_eq!((signal.started_at, signal.link), (None, None), "{fields}");
    }
}

#[test]
fn unknown_fields_and_versions_pass() {
    let body = r#"{"version":"9","new":{"deep":[1,null,{"x":[]}]},"alerts":[],"later":1e308}"#;
    assert_eq!(parse(body), Webhook::default());
}

#[test]
fn what_is_no_webhook_is_refused_in_words_that_are_not_the_senders() {
    for (body, expected) in [
        ("[]", "the body: expected an object"),
        ("\"hunter2\"", "the body: expected an object"),
        ("null", "the body: expected an object"),
        (r#"[{"labels":{"hunter2":"X"},"annotations":{}}]"#, "the body: expected an object"),
        (r#"{"version":"4"}"#, "alerts: expected a list of alerts"),
        (r#"{"alerts":"hunter2"}"#, "alerts: expected a list of alerts"),
        (r#"{"state":"alerting","title":"[Alerting] hunter2"}"#, "alerts: expected a list of alerts"),
    ] {
        let error = Webhook::parse(body.as_bytes()).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.starts_with(expected) && shown.contains("version 4"), "{body}: {shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn what_is_no_json_is_said_by_line_and_column() {
    for (body, line, column) in [
        ("", 1, 0),
        ("{\"alerts\":[\n{\"status\":\"hunter2", 2, 18),
        ("{\"alerts\":[]} trailing", 1, 15),
        ("{\"alerts\":[{]}", 1, 13),
    ] {
        let error = Webhook::parse(body.as_bytes()).unwrap_err();
        assert_eq!(error, WebhookError::Syntax { line, column }, "{body}");
    }
}

#[test]
fn what_is_beyond_the_limits_is_left_out_and_said() {
    let limits = Limits::default().with_alerts(2).with_labels(2).with_text(16);
    let within = |body: &str| Webhook::parse_within(body.as_bytes(), &limits).unwrap();
    let bytes = Webhook::parse_within(b"{ }", &limits.with_bytes(2)).unwrap_err();
    assert_eq!(bytes, WebhookError::TooLarge { limit: 2 });

    let one = r#"{"status":"firing"}"#;
    let many = within(&format!(r#"{{"truncatedAlerts":5,"alerts":[{one},{one},{one}]}}"#));
    assert_eq!((many.signals.len(), many.truncated), (2, 6));
    assert_eq!(many.notes, ["alerts: only the first 2 are taken"]);

    let labels = within(&alert(r#""labels":{"a":"","b":"","c":"","severity":"critical","d":""}"#));
    let kept: Vec<_> = labels.signals[0].labels.keys().collect();
    assert_eq!(kept, ["a", "b", "severity"]);
    assert_eq!(labels.signals[0].notes, ["2 labels are left out"]);

    let long = alert(r#""labels":{"alertname":"it is far too long"},"generatorURL":"http://long.example""#);
    let signal = within(&long).signals.remove(0);
    assert_eq!((signal.labels["alertname"].as_str(), signal.link), ("it is far too…", None));
    assert_eq!(signal.notes, ["a label is shortened", "generatorURL: too long, left out"]);
}

#[test]
fn what_is_nested_deeply_takes_no_deep_stack() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(parse(&format!(r#"{{"x":{deep},"alerts":[]}}"#)), Webhook::default());
    for odd in [
        alert(&format!(r#""labels":{{"a":{deep}}}"#)),
        alert(&format!(r#""labels":{deep}"#)),
        format!(r#"{{"alerts":[{deep}]}}"#),
    ] {
        assert_eq!(only(&odd).notes.len().min(1), 1);
    }
}

#[tokio::test]
async fn hostile_texts_act_nowhere() {
    let hostile = r#"<!channel> @everyone \u001b[2J\u202egnp.exe\n- [x] `rm`"#;
    let body = alert(&format!(
        r#""labels":{{"service":"{hostile}","severity":"{hostile}"}},"annotations":{{"summary":"{hostile}"}}"#
    ));
    let signals = parse(&body).signals;
    assert!(signals[0].summary.contains('\u{1b}'), "it is kept as it was sent");
    let engine = Engine::builder(MemoryStore::new()).pages_nobody().build().unwrap();
    let declared = engine.ingest("alertmanager", signals).await.unwrap().declared;
    let handle = engine.incident(declared[0]);
    let state = handle.state().await.unwrap();
    for line in timeline(&state, &handle.records().await.unwrap()) {
        assert_eq!(line.what, inert::line(&line.what));
    }
}
