//! Webhooks and probes as they go over the wire, and what comes of a backend that misbehaves.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod fake;

use std::sync::Arc;
use std::time::Duration;

use fake::{Asked, Fake, Reply, nobody};
use incident_core::config::{Ports, Secret};
use incident_core::model::id::{Digest, EffectId, IncidentId, Seq};
use incident_core::model::notice::{ApprovalRequest, Label, Line, Notice, NoticeKind, Recipient};
use incident_core::model::role::{Identity, PersonId};
use incident_core::model::severity::Audience;
use incident_core::model::side::Side;
use incident_core::model::time::Time;
use incident_core::port::{
    AdapterError, Applied, Colour, EffectContext, ErrorKind, Found, Notifier, PreflightContext, Probe,
    ReadContext, Reading, Repeat, Retry,
};
use incident_http::{
    Comparison, HttpBackend, HttpConfig, Op, ProbeConfig, SecretValue, TextOrSecret, WebhookConfig,
    verify_signature,
};
use serde_json::{Value, json};

fn now() -> Time {
    "2026-11-23T14:30:00Z".parse().unwrap()
}

fn incident() -> IncidentId {
    IncidentId::new(now(), [1; 16])
}

fn effect() -> EffectContext {
    EffectContext::new(EffectId { incident: incident(), seq: Seq(7) }, now())
}

fn notice() -> Notice {
    let mut notice = Notice::new(
        incident(),
        Seq(5),
        NoticeKind::Update,
        vec![Audience::new(Audience::TEAM)],
        "checkout is slow",
    );
    (notice.started_at, notice.issued_at, notice.next_update) = (Some(now()), now(), Some(now()));
    notice
}

fn webhook(url: &str, dedupes_for: Option<Duration>) -> Arc<dyn Notifier> {
    let mut config = HttpConfig::new(url);
    let secret = SecretValue::held(Secret::new("s3cret".to_owned()));
    let mut webhook = WebhookConfig::new(TextOrSecret::text("/hooks/incident"), secret);
    webhook.dedupes_for = dedupes_for;
    config.webhook = Some(webhook);
    HttpBackend::new(config).unwrap().into_ports().notifier.unwrap()
}

/// What delivering to a service that does this to every request comes to.
async fn delivering_to(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> (AdapterError, usize) {
    let fake = Fake::start(answer).await;
    let cx = effect().with_deadline(Duration::from_millis(200));
    let error = webhook(&fake.url(), None).deliver(&cx, &notice()).await.unwrap_err();
    (error, fake.asked().len())
}

#[tokio::test]
async fn a_notice_is_posted_signed_in_the_documented_shape() {
    let fake = Fake::start(|_| Reply::status(202)).await;
    let mut notice = notice();
    notice.lines = vec![Line { label: Label::NextSteps, text: "roll back".to_owned() }];
    notice.commander = Some(PersonId::new("alice"));
    notice.service = Some("checkout".to_owned());
    notice.approval = Some(ApprovalRequest::new(Seq(9), Digest([0xab; 32])));
    notice.links = vec!["https://example.org/1".to_owned(), "javascript:alert(1)".to_owned()];
    let mut bob = Recipient::new(PersonId::new("bob"), "Bob");
    bob.identities = vec![Identity::new("slack", "U1")];
    notice.recipients = vec![bob];
    let receipt = webhook(&fake.url(), None).deliver(&effect(), &notice).await.unwrap();

    let [asked] = &fake.asked()[..] else { panic!("one request") };
    let id = effect().effect.to_string();
    assert_eq!(receipt.reference, id);
    assert!(asked.is("POST", "/hooks/incident"));
    assert_eq!(asked.headers["x-incident-effect"], id);
    assert_eq!(asked.headers["content-type"], "application/json");
    let signature = &asked.headers["x-incident-signature"];
    assert_eq!(verify_signature("s3cret", signature, &asked.body, now(), Duration::from_secs(1)), Ok(()));
    let expected = json!({
        "schema": 1, "id": id, "incident": incident().to_string(), "seq": 5,
        "kind": "update", "severity": "sev2", "status": "investigating", "audiences": ["team"],
        "drill": false, "possible_repeat": false,
        "title": "checkout is slow", "service": "checkout", "commander": "alice",
        "headline": notice.headline(), "text": notice.to_text(),
        "started_at": "2026-11-23T14:30:00Z", "issued_at": "2026-11-23T14:30:00Z",
        "next_update": "2026-11-23T14:30:00Z",
        "lines": [{ "label": "next_steps", "text": "roll back" }],
        "recipients": [{ "person": "bob", "name": "Bob", "identities": ["slack:U1"] }],
        "approval": { "plan": 9, "digest": "ab".repeat(32) },
        "links": ["https://example.org/1"],
    });
    assert_eq!(asked.json(), expected);
}

#[tokio::test]
async fn hostile_text_stays_text() {
    let fake = Fake::start(|_| Reply::status(200)).await;
    let mut notice = notice();
    notice.title = "\"},\"drill\":true,\"x\":{\"\r\n\u{1b}[2J\u{202e}@here".to_owned();
    notice.lines = vec![Line { label: Label::Summary, text: "a\u{0}b\n@channel \u{2028}".to_owned() }];
    webhook(&fake.url(), None).deliver(&effect(), &notice).await.unwrap();
    let document = fake.asked()[0].json();
    assert_eq!(document["drill"], json!(false));
    assert_eq!(document.get("x"), None);
    let texts =
        ["/title", "/headline", "/lines/0/text"].map(|at| document.pointer(at).and_then(Value::as_str));
    for text in texts.map(Option::unwrap) {
        assert!(!text.chars().any(char::is_control), "{text:?}");
        assert!(
            !text.contains("@here") && !text.contains("@channel") && !text.contains('\u{202e}'),
            "{text:?}"
        );
    }
}

#[tokio::test]
async fn a_drill_says_so_whatever_the_notice_says() {
    let fake = Fake::start(|_| Reply::status(200)).await;
    let cx = effect().with_side(Side::Drill);
    webhook(&fake.url(), None).deliver(&cx, &notice()).await.unwrap();
    let document = fake.asked()[0].json();
    assert_eq!(document["drill"], json!(true));
    assert!(document["text"].as_str().unwrap().starts_with("[DRILL]"));
}

#[tokio::test]
async fn a_repetition_is_visible_unless_the_receiver_dedupes() {
    let day = Duration::from_secs(24 * 3600);
    assert_eq!(webhook("http://localhost", None).repeat(&notice()), Repeat::Visible);
    let native = webhook("http://localhost", Some(day));
    assert_eq!(native.repeat(&notice()), Repeat::Native { within: day });
    assert_eq!(native.find(&effect(), &notice()).await.unwrap(), Found::CannotTell);
}

#[tokio::test]
async fn a_silent_or_dropped_request_may_have_been_carried_out_and_is_sent_once() {
    for silent in [true, false] {
        let reply = move |_: &Asked| if silent { Reply::Silence } else { Reply::Cut };
        let (error, requests) = delivering_to(reply).await;
        assert_eq!((error.kind, error.applied), (ErrorKind::Unavailable, Applied::Maybe), "{error}");
        assert_eq!(error.retry, Retry::After(None));
        assert_eq!(requests, 1);
    }
}

#[tokio::test]
async fn a_refused_connection_carried_nothing_out() {
    let error = webhook(&nobody().await, None).deliver(&effect(), &notice()).await.unwrap_err();
    assert_eq!((error.kind, error.applied), (ErrorKind::Unavailable, Applied::No), "{error}");
}

#[tokio::test]
async fn a_redirected_write_is_not_followed() {
    for (status, applied) in [(302, Applied::Maybe), (307, Applied::No)] {
        let (error, requests) = delivering_to(move |asked| match &*asked.path {
            "/hooks/incident" => Reply::status(status).with("location", "/elsewhere"),
            _ => Reply::status(200),
        })
        .await;
        assert_eq!((error.kind, error.applied), (ErrorKind::Config, applied));
        assert_eq!(requests, 1);
    }
}

/// A proxy, a deploy, an expired token: each refuses for a while what must not be lost.
#[tokio::test]
async fn a_notice_is_given_up_only_for_what_is_known_to_be_final() {
    let final_ones = [410, 413, 422];
    for status in (300..=599).filter(|status| ![304].contains(status)) {
        let page = b"<html>p@ss</html>".to_vec();
        let answer = move |_: &Asked| Reply::Answer(status, Vec::new(), page.clone());
        let fake = Fake::start(answer).await;
        let error = webhook(&fake.url(), None).deliver(&effect(), &notice()).await.unwrap_err();
        let expected = if final_ones.contains(&status) { Retry::Never } else { Retry::After(None) };
        assert_eq!(error.retry, expected, "{status}: {error}");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(&status.to_string()) && !shown.contains("p@ss"), "{shown}");
        assert!(error.to_string().len() < 200, "{error}");
    }
    let (error, _) = delivering_to(|_| Reply::status(403).with("retry-after", "30")).await;
    assert_eq!(error.retry, Retry::After(Some(Duration::from_secs(30))));
}

#[tokio::test]
async fn a_webhooks_path_arrives_encoded_where_it_has_to_be() {
    let fake = Fake::start(|_| Reply::status(200)).await;
    let mut config = HttpConfig::new(&fake.url());
    let secret = SecretValue::held(Secret::new("s3cret".to_owned()));
    config.webhook = Some(WebhookConfig::new(TextOrSecret::text("/hooks/<team>|{all}"), secret));
    let notifier = HttpBackend::new(config).unwrap().into_ports().notifier.unwrap();
    notifier.deliver(&effect(), &notice()).await.unwrap();
    assert!(fake.asked()[0].is("POST", "/hooks/%3Cteam%3E%7C%7Ball%7D"));
}

#[tokio::test]
async fn a_giant_answer_to_a_write_is_cut_off_and_the_write_stands() {
    let fake = Fake::start(|_| Reply::Endless).await;
    webhook(&fake.url(), None).deliver(&effect(), &notice()).await.unwrap();
}

#[tokio::test]
async fn a_backend_that_asks_to_wait_is_heard_in_both_dialects() {
    for (status, value, seconds) in
        [(429, "30", 30), (429, "Mon, 23 Nov 2026 14:31:00 GMT", 60), (503, "5", 5)]
    {
        let (error, _) = delivering_to(move |_| Reply::status(status).with("retry-after", value)).await;
        assert_eq!(error.retry, Retry::After(Some(Duration::from_secs(seconds))), "{status} {value}");
    }
}

fn probe(url: &str, change: impl FnOnce(&mut ProbeConfig)) -> Arc<dyn Probe> {
    let mut config = HttpConfig::new(url);
    let mut probe = ProbeConfig::new("/health");
    probe.require = vec![Comparison::new("/error_rate", Op::Le, json!(0.001))];
    change(&mut probe);
    config.probes.insert("errors".to_owned(), probe);
    HttpBackend::new(config).unwrap().into_ports().probes.remove("errors").unwrap()
}

async fn look(url: &str, change: impl FnOnce(&mut ProbeConfig)) -> Result<Reading, AdapterError> {
    let cx = ReadContext::new(incident(), now()).with_deadline(Duration::from_millis(200));
    probe(url, change).look(&cx).await
}

#[tokio::test]
async fn a_probe_reads_status_and_fields() {
    for (status, body, colour, detail) in [
        (200, r#"{"error_rate":0.0005}"#, Colour::Green, ""),
        (200, r#"{"error_rate":0.4,"note":"p@ss"}"#, Colour::Red, "; /error_rate is 0.4, wanted ≤ 0.001"),
        (503, r#"{"error_rate":0}"#, Colour::Red, ", wanted 200"),
        (404, "gone p@ss", Colour::Red, ", wanted 200"),
        (302, "", Colour::Red, ", wanted 200"),
        (200, r#"{"error_rate":null}"#, Colour::Unknown, "; the value at /error_rate isn't a number"),
        (200, "{}", Colour::Unknown, "; the answer has nothing at /error_rate"),
        (200, "<html>p@ss</html>", Colour::Unknown, "; the answer isn't JSON"),
    ] {
        let fake = Fake::start(move |_| Reply::Answer(status, Vec::new(), body.as_bytes().to_vec())).await;
        let reading = look(&fake.url(), |_| ()).await.unwrap();
        assert_eq!(reading.colour, colour, "{}", reading.detail);
        assert!(reading.detail.starts_with(&format!("HTTP {status} in ")), "{}", reading.detail);
        assert!(reading.detail.ends_with(detail), "{}", reading.detail);
        assert!(!reading.detail.contains("p@ss"), "never a body: {}", reading.detail);
        assert!(fake.asked()[0].is("GET", "/health"));
    }
}

/// What Prometheus and its kin answer to a query.
#[tokio::test]
async fn a_querys_answer_is_green_or_red_only_if_it_is_a_proof() {
    let vector = |value: &str| {
        format!(
            r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{}},"value":[1774000000.1,{value}]}}]}}}}"#
        )
    };
    let nothing = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
    let with = |answer: &str, more: &str| format!("{},{more}}}", &answer[..answer.len() - 1]);
    let warned = r#""warnings":["receive series from store-1: unavailable"]"#;
    let failed = r#"{"status":"error","errorType":"timeout","error":"p@ss timed out"}"#;
    for (status, body, colour, detail) in [
        (200, vector(r#""0.0004""#), Colour::Green, ""),
        (200, vector("0.0004"), Colour::Green, ""),
        (200, vector(r#""4e-04""#), Colour::Green, ""),
        (200, format!("\u{feff}{}\r\n", vector(r#""0.0004""#)), Colour::Green, ""),
        (200, with(&vector(r#""0.0004""#), r#""infos":["not a counter"]"#), Colour::Green, ""),
        (200, vector(r#""0.12""#), Colour::Red, "; /data/result/0/value/1 is 0.12, wanted ≤ 0.001"),
        (200, vector(r#""+Inf""#), Colour::Red, " is +Inf, wanted ≤ 0.001"),
        (200, vector(r#""-Inf""#), Colour::Green, ""),
        (200, vector(r#""NaN""#), Colour::Unknown, " is not a number (NaN)"),
        (200, vector("null"), Colour::Unknown, " isn't a number"),
        (200, nothing.to_owned(), Colour::Unknown, "; the answer has nothing at /data/result/0/value/1"),
        (200, with(nothing, warned), Colour::Unknown, "; the query's answer is partial"),
        (200, with(&vector(r#""0.0004""#), warned), Colour::Unknown, "; the query's answer is partial"),
        (200, with(&vector(r#""0.12""#), warned), Colour::Unknown, "; the query's answer is partial"),
        (200, with(&vector(r#""0.0004""#), r#""isPartial":true"#), Colour::Unknown, " is partial"),
        (200, failed.to_owned(), Colour::Unknown, "; the query failed"),
        (422, failed.to_owned(), Colour::Unknown, "; the query failed"),
        (503, failed.to_owned(), Colour::Unknown, "; the query failed"),
        (200, "NaN".to_owned(), Colour::Unknown, "; the answer isn't JSON"),
        (200, String::new(), Colour::Unknown, "; the answer isn't JSON"),
    ] {
        let bytes = body.clone().into_bytes();
        let fake = Fake::start(move |_| Reply::Answer(status, Vec::new(), bytes.clone())).await;
        let at = "/data/result/0/value/1";
        let require = |it: &mut ProbeConfig| it.require = vec![Comparison::new(at, Op::Le, json!(0.001))];
        let reading = look(&fake.url(), require).await.unwrap();
        assert_eq!(reading.colour, colour, "{body}: {}", reading.detail);
        assert!(reading.detail.ends_with(detail), "{body}: {}", reading.detail);
        assert!(!reading.detail.contains("p@ss"), "{}", reading.detail);
    }
}

#[tokio::test]
async fn an_outage_is_red_and_what_is_about_us_is_an_error() {
    let silent = Fake::start(|_| Reply::Silence).await;
    let cut = Fake::start(|_| Reply::Cut).await;
    let refused = nobody().await;
    for (url, detail) in [
        (silent.url(), "no answer in time"),
        (cut.url(), "the connection ended without a valid answer"),
        (refused, "connection refused"),
    ] {
        assert_eq!(look(&url, |_| ()).await.unwrap(), Reading::red(detail));
    }
    for (status, kind) in
        [(401, ErrorKind::Auth), (403, ErrorKind::Permission), (429, ErrorKind::RateLimited)]
    {
        let fake = Fake::start(move |_| Reply::status(status)).await;
        assert_eq!(look(&fake.url(), |_| ()).await.unwrap_err().kind, kind);
        let wanted = |probe: &mut ProbeConfig| (probe.status, probe.require) = (status, Vec::new());
        let reading = look(&fake.url(), wanted).await.unwrap();
        assert_eq!(reading.colour, Colour::Green, "unless it is what is wanted");
    }
    let unresolved = look("http://nobody.invalid", |_| ()).await;
    assert_ne!(unresolved.ok().map(|reading| reading.colour), Some(Colour::Green));
}

#[tokio::test]
async fn a_slow_answer_is_red_and_a_giant_one_unknown() {
    let fake = Fake::start(|_| Reply::json(&json!({ "error_rate": 0 }))).await;
    let slow = look(&fake.url(), |probe| probe.slower_than = Some(Duration::from_nanos(1))).await.unwrap();
    assert_eq!(slow.colour, Colour::Red);
    assert!(slow.detail.contains("slower than"), "{}", slow.detail);
    let giant = Fake::start(|_| Reply::Endless).await;
    let unknown = look(&giant.url(), |_| ()).await.unwrap();
    assert_eq!(unknown.colour, Colour::Unknown);
    assert!(unknown.detail.ends_with("the answer is over 256 KiB"), "{}", unknown.detail);
}

#[tokio::test]
async fn preflight_asks_and_never_writes() {
    let fake = Fake::start(|asked| match &*asked.path {
        "/health" => Reply::status(404),
        _ => Reply::status(200),
    })
    .await;
    let found = probe(&fake.url(), |_| ()).preflight(&PreflightContext::new(now())).await.unwrap();
    assert!(found.checks[0].missing.as_ref().unwrap().contains("HTTP 404"), "{found:?}");
    let gone = probe(&nobody().await, |_| ()).preflight(&PreflightContext::new(now())).await.unwrap_err();
    assert_eq!(gone.kind, ErrorKind::Unavailable);
    let ports: Ports = {
        let mut config = HttpConfig::new(&fake.url());
        let secret = SecretValue::held(Secret::new("s".to_owned()));
        config.webhook = Some(WebhookConfig::new(TextOrSecret::text("/x"), secret));
        HttpBackend::new(config).unwrap().into_ports()
    };
    assert!(ports.notifier.unwrap().preflight(&PreflightContext::new(now())).await.unwrap().is_good());
    assert!(fake.writes().is_empty());
}
