//! What is taken down, how much of it, and what isn't.

use std::time::Duration;

use incident_core::domain::id::IncidentId;
use incident_core::domain::time::{Time, after};
use incident_core::port::Applied;
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
    let mut config = K8sConfig::new("prod", "shop");
    config.evidence = Some(evidence);
    let ports = K8sBackend::with_client(config, fake.client()).unwrap().into_ports();
    let cx = ReadContext::new(IncidentId::new(at(30), [1; 16]), at(35)).with_service(None, at(30));
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
    let mut dying = b"panic: password=hunter2 \xff\xfe\n".to_vec();
    dying.extend("x".repeat(100_000).as_bytes());
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
        assert!(!named(&captures, &format!("logs/{pod}/web")).truncated);
    }
    let died = named(&captures, &format!("logs/{}/web.previous", broken[0]));
    assert!(died.truncated && died.bytes.len() < 8_300, "{} bytes", died.bytes.len());
    let text = String::from_utf8(died.bytes.clone()).unwrap();
    assert!(text.starts_with("panic: password=[redacted] \u{fffd}"), "{}", &text[..40]);
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
    assert_eq!(revision["changes"], json!([{"what": "image of web", "from": "web:1", "to": "web:bad"}]));
    let limits = list.iter().find(|it| it["name"] == "limits").unwrap();
    assert_eq!(limits["data_sha256"].as_str().unwrap().len(), 64);
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
