//! One odd alert costs no other: what can be read of it is taken, and what can't is noted.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use incident_core::model::signal::Signal;
use incident_core::model::signal::SignalState::{Firing, Resolved};
use incident_prometheus::Webhook;

/// An alert with nothing odd about it.
const GOOD: &str = r#"{"status":"firing","labels":{"alertname":"Stuck","service":"orders"},"annotations":{"summary":"stuck"},"startsAt":"2026-03-06T17:55:00Z","endsAt":"0001-01-01T00:00:00Z","fingerprint":"g00d"}"#;

/// The odd alert of a webhook between two good ones, which are read whole.
fn between(odd: &str) -> Signal {
    let body = format!(r#"{{"version":"4","alerts":[{GOOD},{odd},{GOOD}]}}"#);
    beside(body.as_bytes())
}

fn beside(body: &[u8]) -> Signal {
    let shown = String::from_utf8_lossy(body);
    let webhook = Webhook::parse(body).unwrap_or_else(|error| panic!("{shown}: {error}"));
    let [before, odd, after] = <[Signal; 3]>::try_from(webhook.signals).unwrap_or_else(|_| panic!("{shown}"));
    for good in [before, after] {
        assert_eq!((good.summary.as_str(), good.fingerprint.as_str()), ("stuck", "g00d"), "{shown}");
        assert!(good.started_at.is_some() && good.notes.is_empty() && good.labels.len() == 2, "{shown}");
    }
    odd
}

/// An alert with one field of its own.
fn with(field: &str) -> String {
    let name = field.split(':').next().unwrap();
    let others = [
        r#""status":"firing""#,
        r#""labels":{"alertname":"Odd","service":"orders"}"#,
        r#""annotations":{"summary":"odd"}"#,
        r#""startsAt":"2026-03-06T17:55:00Z""#,
        r#""fingerprint":"0dd""#,
    ];
    let others = others.iter().filter(|other| !other.starts_with(name)).copied();
    format!("{{{}}}", others.chain([field]).collect::<Vec<_>>().join(","))
}

#[test]
fn a_good_alert_beside_an_odd_one_is_taken_whole_and_the_odd_one_as_far_as_it_goes() {
    for (field, note) in [
        (r#""status":"suppressed""#, "status: expected \"firing\" or \"resolved\"; taken as firing"),
        (r#""status":"""#, "status: expected \"firing\" or \"resolved\"; taken as firing"),
        (r#""status":null"#, "status: expected \"firing\" or \"resolved\"; taken as firing"),
        (r#""status":7"#, "status: expected a text"),
        (r#""status":{"state":"active"}"#, "status: expected a text"),
        (r#""labels":"""#, "labels: expected an object of texts"),
        (r#""labels":["alertname"]"#, "labels: expected an object of texts"),
        (r#""labels":{"alertname":"Odd","service":"orders","shard":null}"#, "a label is null"),
        (r#""labels":{"alertname":"Odd","service":"orders","shard":3}"#, "a label: expected a text"),
        (r#""labels":{"alertname":"Odd","service":"orders","shard":true}"#, "a label: expected a text"),
        (r#""labels":{"alertname":"Odd","service":"orders","shard":{"a":[]}}"#, "a label: expected a text"),
        (r#""labels":{"alertname":"Odd","service":"orders","shard":NaN}"#, "a label is null"),
        (r#""labels":{"alertname":"Odd","service":"orders","n":"\ud83d"}"#, "some characters can't be read"),
        (r#""labels":{"alertname":"Odd","service":"orders","\ude00":"x"}"#, ""),
        (r#""annotations":"""#, "annotations: expected an object of texts"),
        (r#""annotations":{"summary":0.016}"#, "annotation summary: expected a text"),
        (r#""annotations":{"summary":null,"title":"odd"}"#, "annotation summary is null"),
        (r#""annotations":{"summary":"odd \ud83d"}"#, "some characters can't be read"),
        (r#""annotations":{"summary":"a path C:\odd"}"#, ""),
        (r#""annotations":{"summary":"odd","runbook_url":null}"#, ""),
        (r#""annotations":{"summary":"odd","value":0.016,"more":{"x":[1]}}"#, ""),
        (r#""annotations":null"#, ""),
        (
            r#""startsAt":"2026-03-06T17:55:00""#,
            "startsAt: expected a time with its zone, as in RFC 3339; it is unknown",
        ),
        (
            r#""startsAt":"yesterday""#,
            "startsAt: expected a time with its zone, as in RFC 3339; it is unknown",
        ),
        (
            r#""startsAt":"2026-02-30T17:55:00Z""#,
            "startsAt: expected a time with its zone, as in RFC 3339; it is unknown",
        ),
        (r#""startsAt":1700000000"#, "startsAt: expected a text"),
        (r#""startsAt":{}"#, "startsAt: expected a text"),
        (r#""startsAt":null"#, ""),
        (r#""generatorURL":false"#, "generatorURL: expected a text"),
        (r#""generatorURL":null"#, ""),
        (r#""fingerprint":4711"#, "fingerprint: expected a text"),
        (r#""fingerprint":null"#, ""),
        (r#""fingerprint":"""#, ""),
        (r#""values":null,"valueString":"[ var='B' \ud83d ]""#, ""),
        (r#""endsAt":"never""#, ""),
    ] {
        let odd = between(&with(field));
        assert_eq!(odd.state, Firing, "{field}");
        assert_eq!(odd.notes.first().map_or("", String::as_str), note, "{field}");
        assert!(!odd.fingerprint.is_empty(), "{field}");
        let told = odd.summary.contains("odd") || odd.summary == "Odd" || odd.summary == "0.016";
        assert!(told || field.contains("summary"), "{field}: {}", odd.summary);
        assert!(odd.notes.iter().all(|note| !note.contains("yesterday")), "a note repeats nothing");
    }
}

#[test]
fn an_alert_that_is_no_object_fires_because_somebody_must_look_at_it() {
    for odd in ["null", "7", "\"hunter2\"", "[]", "[{}]", "true", "NaN"] {
        let odd = between(odd);
        assert_eq!((odd.state, odd.summary.as_str()), (Firing, "an alert that can't be read"));
        assert_eq!(odd.notes, ["the alert: expected an object"]);
    }
    assert_eq!(between("{}").notes, ["status: expected \"firing\" or \"resolved\"; taken as firing"]);
}

#[test]
fn a_status_and_a_time_in_other_clothes_are_known() {
    for status in ["resolved", "Resolved", "RESOLVED", " resolved "] {
        assert_eq!(between(&with(&format!(r#""status":"{status}""#))).state, Resolved, "{status}");
    }
    let expected = Some("2026-03-06T17:55:00Z".parse().unwrap());
    for time in [
        "\"2026-03-06T18:55:00+01:00\"",
        "\"2026-03-06T17:55:00.000+0000\"",
        "\"2026-03-06 17:55:00Z\"",
        "\"1772819700\"",
        "1772819700",
        "1772819700000",
    ] {
        assert_eq!(between(&with(&format!("\"startsAt\":{time}"))).started_at, expected, "{time}");
    }
    for unknown in ["\"0001-01-01T00:00:00Z\"", "\"\"", "0", "-1", "99999999999999999999"] {
        assert_eq!(between(&with(&format!("\"startsAt\":{unknown}"))).started_at, None, "{unknown}");
    }
}

#[test]
fn when_an_alert_ended_is_read_of_one_that_is_over() {
    let ended = r#""endsAt":"2026-03-06T18:30:00Z""#;
    let over = with(r#""status":"resolved""#).replace("{\"labels\"", &format!("{{{ended},\"labels\""));
    assert_eq!(between(&over).ended_at, Some("2026-03-06T18:30:00Z".parse().unwrap()));
    assert_eq!(between(&with(ended)).ended_at, None);
}

#[test]
fn oddities_of_the_whole_body_cost_no_alert() {
    let odd = with(r#""fingerprint":"0dd""#);
    let list = format!("[{GOOD},{odd},{GOOD}]");
    for body in [
        format!("\u{feff}{{\"alerts\":{list}}}"),
        format!("\u{feff}  {{\"alerts\":{list}}}\r\n\r\n"),
        format!("{{\"alerts\":{list}}}\n\n"),
        format!("{{\"alerts\":{list},\"receiver\":[\"x\"]}}"),
        format!("{{\"alerts\":{list},\"groupKey\":7}}"),
        format!("{{\"alerts\":{list},\"truncatedAlerts\":\"many\"}}"),
        format!("{{\"alerts\":{list},\"truncatedAlerts\":-1}}"),
        format!(
            "{{\"alerts\":{list},\"groupLabels\":\"\",\"commonLabels\":\"\",\"commonAnnotations\":\"\"}}"
        ),
        format!("{{\"alerts\":{list},\"title\":null,\"message\":null,\"state\":\"alerting\"}}"),
        format!("{{\"alerts\":{list},\"commonAnnotations\":{{\"x\":\"cut \\ud83d\"}}}}"),
        format!("{{\"alerts\":{list},\"\\ud83d\":1}}"),
        format!("{{\"alerts\":{list},\"value\":NaN,\"limit\":-Infinity}}"),
        format!("{{\"alerts\":[{GOOD}],\"alerts\":[{odd},{GOOD}]}}"),
        format!("{{\"alerts\":null,\"alerts\":{list}}}"),
        format!("{{\"message\":\"two\nlines\tand a tab\",\"alerts\":{list}}}"),
    ] {
        assert_eq!(beside(body.as_bytes()).summary, "odd", "{body}");
    }
    let mut bytes = format!("{{\"message\":\"?\",\"alerts\":{list}}}").into_bytes();
    let place = bytes.iter().position(|byte| *byte == b'?').unwrap();
    bytes[place] = 0xff;
    assert_eq!(beside(&bytes).summary, "odd");
}

#[test]
fn what_cannot_be_read_beside_the_alerts_is_noted() {
    for (field, note) in [
        (r#""receiver":["x"]"#, "receiver: expected a text"),
        (r#""groupKey":7"#, "groupKey: expected a text"),
        (r#""truncatedAlerts":"many""#, "truncatedAlerts: expected a number, 0 or more"),
    ] {
        let webhook = Webhook::parse(format!(r#"{{"alerts":[],{field}}}"#).as_bytes()).unwrap();
        assert_eq!(webhook.notes, [note]);
    }
    let counted = Webhook::parse(br#"{"alerts":[],"truncatedAlerts":"7"}"#).unwrap();
    assert_eq!((counted.truncated, counted.notes.len()), (7, 0));
}

#[test]
fn alerts_without_a_fingerprint_are_told_apart() {
    let of = |fields: &str| between(&format!(r#"{{"status":"firing",{fields}}}"#)).fingerprint;
    let odd = r#""startsAt":"?""#;
    assert_eq!(of(r#""labels":{"a":"1","b":"2"}"#), of(&format!(r#""labels":{{"b":"2","a":"1"}},{odd}"#)));
    assert_ne!(of(r#""labels":{"a":"1"}"#), of(r#""labels":{"a":"2"}"#));
    assert_ne!(of(r#""annotations":{"summary":"x"}"#), of(r#""annotations":{"summary":"y"}"#));
}
