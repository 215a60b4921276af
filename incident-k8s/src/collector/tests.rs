//! What is taken down, how much of it, and what isn't.

use std::collections::BTreeSet;
use std::time::Duration;

use incident_core::model::id::IncidentId;
use incident_core::model::time::{Time, after};
use incident_core::port::{Applied, Onset};
use serde_json::json;

use super::*;
use crate::backend::K8sBackend;
use crate::config::K8sConfig;
use crate::support::samples::{deployment, set_image, stateful_set};
use crate::support::{Answer, Fake, Fault};

fn at(minutes: u64) -> Time {
    after("2026-11-23T14:00:00Z".parse().unwrap(), Duration::from_secs(minutes * 60))
}

/// A cluster whose deployment got a bad image two minutes before the incident.
async fn cluster() -> Fake {
    let fake = Fake::start().await;
    fake.put([deployment("checkout", "web:1")]);
    fake.state().now = at(28);
    fake.change("deployments/checkout", set_image("web:bad"));
    fake.state().now = at(35);
    fake
}

async fn collect(fake: &Fake, evidence: EvidenceConfig) -> Result<Vec<Capture>, AdapterError> {
    collect_since(Onset::Known(at(30)), fake, evidence).await
}

async fn collect_since(
    onset: Onset,
    fake: &Fake,
    evidence: EvidenceConfig,
) -> Result<Vec<Capture>, AdapterError> {
    let mut config = K8sConfig::new("prod", "shop");
    config.evidence = Some(evidence);
    let ports = K8sBackend::with_client(config, fake.client()).unwrap().into_ports();
    let cx = ReadContext::new(IncidentId::new(at(30), [1; 16]), at(35)).with_onset(onset);
    ports.collector.unwrap().collect(&cx).await
}

fn of_checkout() -> EvidenceConfig {
    EvidenceConfig::new(["deployment/checkout"])
}

fn named<'a>(captures: &'a [Capture], name: &str) -> &'a Capture {
    captures.iter().find(|it| it.name == name).unwrap_or_else(|| panic!("no {name} among {captures:?}"))
}

fn data(captures: &[Capture], name: &str) -> Value {
    let capture = named(captures, name);
    assert_eq!(capture.media_type, "application/json");
    serde_json::from_slice(&capture.bytes).unwrap()
}

fn everything(captures: &[Capture]) -> String {
    captures.iter().map(|it| String::from_utf8(it.bytes.clone()).unwrap()).collect()
}

#[tokio::test]
async fn pods_revisions_and_their_containers_are_described() {
    let fake = cluster().await;
    fake.put([stateful_set("db", "db:1")]);
    let captures = collect(&fake, EvidenceConfig::new(["deployment/checkout", "sts/db"])).await.unwrap();
    let pods = data(&captures, "pods");
    assert_eq!(pods.as_array().unwrap().len(), 7, "of both revisions, and of the database");
    let broken = pods.as_array().unwrap().iter().find(|it| it["ready"] == json!(false)).unwrap();
    assert_eq!(broken["containers"][0]["state"]["reason"], "CrashLoopBackOff");
    assert_eq!(broken["containers"][0]["restarts"], 4);
    let workloads = data(&captures, "workloads");
    let revisions = &workloads[0]["revisions"];
    assert_eq!(revisions[0]["images"], json!(["web:bad", "shop/proxy:7"]));
    assert_eq!((&revisions[0]["is_current"], &revisions[1]["revision"]), (&json!(true), &json!(1)));
    let index = data(&captures, "index");
    assert_eq!(index["workloads"], json!(["prod/shop/deployment/checkout", "prod/shop/statefulset/db"]));
    let missing = index["missing"].to_string();
    assert!(missing.contains("no metrics API"), "{missing}");
}

#[tokio::test]
async fn events_come_in_the_order_in_which_they_happened() {
    let fake = cluster().await;
    let event = |name: &str, times: Value| {
        let mut event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": "shop"},
            "reason": name, "message": "token=abcdef0123456789 refused", "involvedObject": {"kind": "Pod", "name": "p"}});
        json_patch::merge(&mut event, &times);
        event
    };
    fake.put([
        event("new", json!({"lastTimestamp": null, "eventTime": "2026-11-23T14:31:00.000000Z"})),
        event("old", json!({"lastTimestamp": "2026-11-23T14:10:00Z", "count": 4})),
        event("series", json!({"series": {"lastObservedTime": "2026-11-23T14:33:00Z", "count": 9}})),
    ]);
    let captures = collect(&fake, of_checkout()).await.unwrap();
    let events = data(&captures, "events");
    let seen: Vec<_> =
        events.as_array().unwrap().iter().map(|it| (it["reason"].as_str(), it["count"].as_i64())).collect();
    assert_eq!(seen, [(Some("old"), Some(4)), (Some("new"), Some(1)), (Some("series"), Some(9))]);
    assert!(!everything(&captures).contains("abcdef0123456789"));
}

#[tokio::test]
async fn logs_of_all_revisions_and_of_containers_that_died_are_kept_within_bounds() {
    let fake = cluster().await;
    let broken: Vec<String> = {
        let state = fake.state();
        let bad = |pod: &Value| pod["status"]["conditions"][0]["status"] == "False";
        state.all("pods").filter(|(_, pod)| bad(pod)).map(|(key, _)| key.name.clone()).collect()
    };
    let pods: Vec<String> = fake.state().all("pods").map(|(key, _)| key.name.clone()).collect();
    let mut dying = "an ordinary line that is somewhat longer than the shortest\n".repeat(2_000).into_bytes();
    dying.extend(b"panic: password=hunter2 \xff\xfe\n");
    fake.with(|state| {
        for pod in &pods {
            let line = b"2026-11-23T14:34:00Z started\n".to_vec();
            state.logs.insert((pod.clone(), "web".to_owned(), false), line);
        }
        state.logs.insert((broken[0].clone(), "web".to_owned(), true), dying);
    });
    let mut evidence = of_checkout();
    evidence.most_bytes_per_container = 8_192;
    let captures = collect(&fake, evidence).await.unwrap();
    for pod in &pods {
        assert!(!named(&captures, &format!("logs/shop/{pod}/web")).truncated);
    }
    let died = named(&captures, &format!("logs/shop/{}/web.previous", broken[0]));
    assert!(died.truncated && died.bytes.len() < 8_300, "{} bytes", died.bytes.len());
    let text = String::from_utf8(died.bytes.clone()).unwrap();
    assert!(
        text.starts_with("an ordinary line")
            && text.ends_with("panic: password=[redacted] \u{fffd}\u{fffd}\n"),
        "{text}"
    );
    let logs: Vec<_> = fake.asked().into_iter().filter(|it| it.path.ends_with("/log")).collect();
    assert!(
        logs.iter()
            .all(|it| it.parameter("timestamps") == Some("true") && it.parameter("tailLines").is_some())
    );
    assert!(logs[0].path.contains(&broken[0]), "what is broken comes first");

    let mut evidence = of_checkout();
    evidence.most_bytes = 12 * 1024;
    let captures = collect(&fake, evidence).await.unwrap();
    let total: usize =
        captures.iter().filter(|it| it.name.starts_with("logs/")).map(|it| it.bytes.len()).sum();
    assert!(total <= 12 * 1024 + 100, "{total}");
    assert!(data(&captures, "index")["missing"].to_string().contains("only 3 fit in all"));
}

#[tokio::test]
async fn what_changed_shortly_before_is_a_list_of_candidates_without_values() {
    let fake = cluster().await;
    let config = |kind: &str, name: &str, value: &str| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "shop"}, "data": {"key": value}});
    fake.state().now = at(25);
    fake.put([config("ConfigMap", "limits", "s3cret-value"), config("Secret", "db", "aHVudGVyMg==")]);
    fake.state().now = at(26);
    fake.change("deployments/checkout", |it| it["spec"]["replicas"] = json!(2));
    fake.state().now = at(35);
    let captures = collect(&fake, of_checkout()).await.unwrap();
    let changes = data(&captures, "changes");
    let list = changes["changes"].as_array().unwrap();
    let revision = list.iter().find(|it| it["kind"] == "revision" && it["revision"] == 2).unwrap();
    assert_eq!((&revision["seconds_before_start"], &revision["after"]), (&json!(120), &json!(1)));
    let unknown = collect_since(Onset::Assumed(at(30)), &fake, of_checkout()).await.unwrap();
    let unknown = data(&unknown, "changes");
    assert!(
        unknown["started_at"].is_null() && !unknown["changes"].to_string().contains("_start\""),
        "{unknown}"
    );
    assert_eq!(revision["changes"], json!([{"what": "image of web", "from": "web:1", "to": "web:bad"}]));
    let limits = list.iter().find(|it| it["name"] == "limits").unwrap();
    assert!(limits["resource_version"].is_string() && limits["data_sha256"].is_null());
    assert!(list.iter().any(|it| it["kind"] == "write" && it["manager"] == "somebody"), "{list:#?}");
    assert!(!list.iter().any(|it| it["kind"] == "secret"), "secrets are looked at only if that is said");
    let times: Vec<_> = list.iter().map(|it| it["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");

    let mut evidence = of_checkout();
    evidence.secrets = true;
    let captures = collect(&fake, evidence).await.unwrap();
    let changes = data(&captures, "changes");
    let secret =
        changes["changes"].as_array().unwrap().iter().find(|it| it["kind"] == "secret").unwrap().clone();
    assert_eq!((&secret["used_by"], &secret["data_sha256"]), (&json!(["deployment/checkout"]), &Value::Null));
    let asked = fake.asked().into_iter().filter(|it| it.path.ends_with("/secrets"));
    assert!(asked.into_iter().all(|it| it.accept.contains("as=PartialObjectMetadataList")));
    let all = everything(&captures);
    for value in ["s3cret-value", "aHVudGVyMg", "hunter2"] {
        assert!(!all.contains(value), "{value}");
    }
}

#[tokio::test]
async fn use_is_taken_down_where_the_cluster_measures_it() {
    let fake = cluster().await;
    let usage = json!({"cpu": "250m", "memory": "64Mi"});
    fake.state().absent.clear();
    fake.put([
        json!({"apiVersion": "metrics.k8s.io/v1beta1", "kind": "PodMetrics", "metadata": {"name": "p", "namespace": "shop"},
            "containers": [{"name": "web", "usage": usage}]}),
        json!({"apiVersion": "metrics.k8s.io/v1beta1", "kind": "NodeMetrics", "metadata": {"name": "node-1", "namespace": ""},
            "usage": usage}),
    ]);
    let captures = collect(&fake, of_checkout()).await.unwrap();
    let top = data(&captures, "top");
    assert_eq!(top["nodes"][0]["usage"]["cpu"], "250m");
    assert_eq!(top["pods in shop"][0]["containers"][0]["usage"]["memory"], "64Mi");
}

#[tokio::test]
async fn what_cannot_be_had_is_named_and_keeps_nothing_else_back() {
    let fake = cluster().await;
    fake.meddle(|asked| {
        let broken = asked.path.ends_with("/events") || asked.path.ends_with("/log");
        broken.then_some(Fault::Answer(Answer::text(500, "")))
    });
    let captures = collect(&fake, of_checkout()).await.unwrap();
    let missing = data(&captures, "index")["missing"].to_string();
    assert!(missing.contains("events in shop") && missing.contains("logs/"), "{missing}");
    assert!(captures.iter().any(|it| it.name == "pods"));
    fake.meddle(|_| Some(Fault::Answer(Answer::unauthorized())));
    let error = collect(&fake, of_checkout()).await.unwrap_err();
    assert_eq!((error.kind, error.applied), (ErrorKind::Auth, Applied::No));
}

#[tokio::test]
async fn a_list_that_failed_is_missing_and_not_an_empty_one() {
    let fake = cluster().await;
    fake.meddle(|asked| {
        let broken = ["/events", "/pods", "/replicasets"].iter().any(|it| asked.path.ends_with(it));
        broken.then_some(Fault::Answer(Answer::text(500, "")))
    });
    let captures = collect(&fake, of_checkout()).await.unwrap();
    assert!(!captures.iter().any(|it| it.name == "events"), "no events are not an empty list of them");
    let workload = &data(&captures, "workloads")[0];
    assert_eq!((&workload["revisions"], &workload["pods"]), (&Value::Null, &Value::Null));
    let missing = data(&captures, "index")["missing"].to_string();
    for what in
        ["events in shop", "pods of shop/deployment/checkout", "revisions of shop/deployment/checkout"]
    {
        assert!(missing.contains(what), "{missing}");
    }
}

#[tokio::test]
async fn the_crash_at_the_end_of_a_log_is_kept_whatever_its_lines_are_like() {
    for (line, many) in
        [("short", 60_000), ("x", 9_000), (&*"y".repeat(300), 9_000), (&*"z".repeat(20_000), 60)]
    {
        let fake = cluster().await;
        let pod = fake.state().all("pods").next().map(|(key, _)| key.name.clone()).unwrap();
        let mut log = format!("2026-11-23T14:34:00Z {line}\n").repeat(many);
        log.push_str("thread 'main' panicked: out of cheese\n");
        fake.state().logs.insert((pod.clone(), "web".to_owned(), false), log.into_bytes());
        let mut evidence = of_checkout();
        evidence.most_bytes_per_container = 32 * 1024;
        let captures = collect(&fake, evidence).await.unwrap();
        let capture = named(&captures, &format!("logs/shop/{pod}/web"));
        let text = String::from_utf8(capture.bytes.clone()).unwrap();
        assert!(text.ends_with("out of cheese\n"), "{} bytes of lines of {}", text.len(), line.len());
        assert!(text.starts_with("2026-11-23T14:34:00Z"), "whole lines: {}", &text[..40]);
        assert!(capture.truncated && text.len() <= 33 * 1024, "{}", text.len());
    }
}

#[tokio::test]
async fn what_one_log_leaves_of_its_share_is_for_the_others() {
    let fake = cluster().await;
    // What is broken is read first, so the longest log is one of the others.
    let pods: Vec<String> = {
        let state = fake.state();
        let ready = |pod: &Value| pod["status"]["conditions"][0]["status"] == "True";
        state.all("pods").filter(|(_, pod)| ready(pod)).map(|(key, _)| key.name.clone()).collect()
    };
    fake.with(|state| {
        for (place, pod) in pods.iter().enumerate() {
            let lines = if place == pods.len() - 1 { 4_000 } else { 1 };
            let log = "an ordinary line of a log\n".repeat(lines).into_bytes();
            state.logs.insert((pod.clone(), "web".to_owned(), false), log);
        }
    });
    let mut evidence = of_checkout();
    evidence.most_bytes = 64 * 1024;
    let captures = collect(&fake, evidence).await.unwrap();
    let sizes: Vec<usize> =
        captures.iter().filter(|it| it.name.starts_with("logs/")).map(|it| it.bytes.len()).collect();
    assert!(sizes.iter().any(|size| *size > 8 * 1024), "{sizes:?}");
    assert!(sizes.iter().sum::<usize>() <= 64 * 1024, "{sizes:?}");
}

#[tokio::test]
async fn namesakes_in_two_namespaces_are_kept_apart() {
    let fake = cluster().await;
    let mut other = deployment("checkout", "web:9");
    other["metadata"]["namespace"] = json!("pay");
    fake.put([other]);
    let (pod, namesake) = {
        let state = fake.state();
        let of =
            |place: &str| state.all("pods").find(|(key, _)| key.namespace == place).unwrap().0.name.clone();
        (of("shop"), of("pay"))
    };
    fake.with(|state| {
        for pod in [&pod, &namesake] {
            state.logs.insert((pod.clone(), "web".to_owned(), false), b"started\n".to_vec());
        }
    });
    let mut config = K8sConfig::new("prod", "shop");
    config.namespaces = vec!["pay".to_owned()];
    config.evidence = Some(EvidenceConfig::new(["deployment/checkout", "pay/deployment/checkout"]));
    let ports = K8sBackend::with_client(config, fake.client()).unwrap().into_ports();
    let cx = ReadContext::new(IncidentId::new(at(30), [1; 16]), at(35));
    let captures = ports.collector.unwrap().collect(&cx).await.unwrap();
    for name in [format!("logs/shop/{pod}/web"), format!("logs/pay/{namesake}/web")] {
        assert!(!named(&captures, &name).bytes.is_empty());
    }
    let places: BTreeSet<String> =
        data(&captures, "pods").as_array().unwrap().iter().map(|it| it["namespace"].to_string()).collect();
    assert_eq!(places.len(), 2);
    let mut names: Vec<&str> = captures.iter().map(|it| it.name.as_str()).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
}

#[tokio::test]
async fn the_incidents_own_service_comes_first_on_a_slow_server() {
    let fake = Fake::start().await;
    for number in 0..30 {
        fake.put([deployment(&format!("other-{number:02}"), "web:1")]);
    }
    fake.put([
        deployment("checkout", "web:1"),
        json!({"apiVersion": "v1", "kind": "Event",
        "metadata": {"name": "e", "namespace": "shop"}, "reason": "Killing",
        "involvedObject": {"kind": "Pod", "name": "p"}, "lastTimestamp": "2026-11-23T14:31:00Z"}),
    ]);
    let pods: Vec<String> = {
        let state = fake.state();
        state.all("pods").map(|(key, _)| key.name.clone()).filter(|it| it.starts_with("checkout")).collect()
    };
    fake.with(|state| {
        for pod in &pods {
            state.logs.insert((pod.clone(), "web".to_owned(), false), b"started\n".to_vec());
        }
    });
    fake.slow(Duration::from_millis(60));
    let mut config = K8sConfig::new("prod", "shop");
    let mut evidence = EvidenceConfig::new([]);
    evidence.workloads = (0..30).map(|number| format!("deployment/other-{number:02}")).collect();
    evidence.workloads.push("deployment/checkout".to_owned());
    config.evidence = Some(evidence);
    let ports = K8sBackend::with_client(config, fake.client()).unwrap().into_ports();
    let cx = ReadContext::new(IncidentId::new(at(30), [1; 16]), at(35))
        .with_service(Some("checkout".to_owned()))
        .with_onset(Onset::Known(at(30)))
        .with_deadline(Duration::from_millis(1500));
    let captures = ports.collector.unwrap().collect(&cx).await.unwrap();
    assert_eq!(data(&captures, "events").as_array().unwrap().len(), 1);
    assert!(captures.iter().any(|it| it.name == "changes"));
    for pod in &pods {
        assert!(!named(&captures, &format!("logs/shop/{pod}/web")).truncated);
    }
    assert_eq!(data(&captures, "workloads")[0]["workload"], "deployment/checkout");
    let missing = data(&captures, "index")["missing"].to_string();
    assert!(missing.contains("not reached before the deadline") || missing.contains("other-"), "{missing}");
}

#[tokio::test]
async fn a_page_that_is_too_heavy_is_read_in_smaller_ones() {
    let fake = cluster().await;
    for number in 0..40 {
        let message = "x".repeat(500 * 1024);
        fake.put([json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("e{number:02}"), "namespace": "shop"},
            "reason": "Heavy", "message": message, "lastTimestamp": "2026-11-23T14:31:00Z"})]);
    }
    let captures = collect(&fake, of_checkout()).await.unwrap();
    assert_eq!(data(&captures, "events").as_array().unwrap().len(), 40);
}

#[test]
fn a_field_that_is_called_as_a_secret_is_loses_its_value_in_data() {
    let mut value = json!({
        "args": ["--password", "hunter2", "--workers", "2", "--api-key=hunter2"], "apiKey": "hunter2", "PASSWORD_1": 12345,
        "env": [{"name": "STRIPE_KEY", "value": "hunter2"}, {"name": "LOG_LEVEL", "value": "debug"}],
        "secretName": "shop-tls", "nested": {"token": {"kept": "yes"}, "message": "password=hunter2 refused"},
    });
    document::clean(&mut value);
    let text = value.to_string();
    assert!(!text.contains("hunter2") && !text.contains("12345"), "{text}");
    for kept in ["--workers", "\"2\"", "debug", "shop-tls", "yes", "refused"] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
}

#[tokio::test]
async fn collecting_changes_nothing_and_ends_in_time() {
    let fake = cluster().await;
    fake.meddle(|asked| asked.path.ends_with("/log").then_some(Fault::SlowBody));
    let mut config = K8sConfig::new("prod", "shop");
    config.evidence = Some(of_checkout());
    let ports = K8sBackend::with_client(config, fake.client()).unwrap().into_ports();
    let cx =
        ReadContext::new(IncidentId::new(at(30), [1; 16]), at(35)).with_deadline(Duration::from_millis(500));
    let collecting = ports.collector.unwrap();
    let captures =
        tokio::time::timeout(Duration::from_secs(2), collecting.collect(&cx)).await.unwrap().unwrap();
    assert!(captures.iter().any(|it| it.name == "pods"));
    assert!(fake.writes().is_empty());
}

#[cfg(feature = "exec")]
#[tokio::test]
async fn a_declared_command_is_run_as_it_is_written_and_nothing_else() {
    let fake = Fake::start().await;
    fake.put([deployment("checkout", "web:1")]);
    fake.state().exec = |command| match command {
        [one, two] if one == "nslookup" && two == "db; rm -rf $HOME" => {
            (1, "token=abcdef0123456789\n".to_owned())
        }
        other => panic!("{other:?}"),
    };
    let mut evidence = of_checkout();
    evidence.exec = vec![crate::config::ExecConfig::new(
        "dns",
        "deployment/checkout",
        "web",
        ["nslookup", "db; rm -rf $HOME"],
    )];
    let captures = collect(&fake, evidence).await.unwrap();
    let said = data(&captures, "exec/dns");
    assert_eq!((&said["exit_code"], &said["status"]), (&json!("1"), &json!("Failure")));
    assert_eq!(said["stdout"], "token=[redacted]\n");
}

#[cfg(not(feature = "exec"))]
#[tokio::test]
async fn without_the_feature_no_command_can_even_be_declared() {
    let fake = Fake::start().await;
    let mut config = K8sConfig::new("prod", "shop");
    let mut evidence = of_checkout();
    evidence.exec =
        vec![crate::config::ExecConfig::new("dns", "deployment/checkout", "web", ["nslookup", "db"])];
    config.evidence = Some(evidence);
    let error = K8sBackend::with_client(config, fake.client()).unwrap_err();
    assert_eq!(error.field, "evidence.exec.0");
}
