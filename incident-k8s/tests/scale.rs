//! Evidence of a namespace with two thousand workloads: in time, within bounds, and whole for the incident's own target.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![allow(clippy::print_stdout, reason = "it says how much was read, and what it took")]

mod support;

use std::time::Duration;

use incident_core::model::id::IncidentId;
use incident_core::port::{Capture, Onset, ReadContext};
use incident_k8s::{EvidenceConfig, K8sBackend, K8sConfig};
use serde_json::{Value, json};
use support::Fake;
use support::samples::deployment;
use tokio::time::Instant;

const WORKLOADS: usize = 2_000;

fn named<'a>(captures: &'a [Capture], name: &str) -> &'a Capture {
    captures.iter().find(|it| it.name == name).unwrap_or_else(|| panic!("no {name}"))
}

fn data(captures: &[Capture], name: &str) -> Value {
    serde_json::from_slice(&named(captures, name).bytes).unwrap()
}

/// The most memory that this process ever had, in bytes; only Linux tells.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_of_two_thousand_workloads_has_what_the_incident_is_about() {
    let fake = Fake::start().await;
    // Controllers that look at everything after each write take long; pods of the own target alone are made.
    fake.state().controllers = false;
    for number in 0..WORKLOADS {
        fake.put([deployment(&format!("other-{number:04}"), "web:1")]);
    }
    for number in 0..200 {
        fake.put([json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("e{number}"), "namespace": "shop"},
            "reason": "BackOff", "involvedObject": {"kind": "Pod", "name": "p"},
            "lastTimestamp": "2026-11-23T14:31:00Z"})]);
    }
    let own = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "checkout-1", "namespace": "shop", "labels": {"app": "checkout"}},
        "spec": {"nodeName": "n", "containers": [{"name": "web", "image": "web:1"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "web", "restartCount": 0}]}});
    fake.put([deployment("checkout", "web:1"), own]);
    let log = "2026-11-23T14:34:00Z an ordinary line\n".repeat(2_000) + "panicked: out of cheese\n";
    fake.with(|state| {
        let place = ("checkout-1".to_owned(), "web".to_owned(), false);
        state.logs.insert(place, log.clone().into_bytes());
    });
    let mut evidence = EvidenceConfig::new([]);
    evidence.workloads = (0..WORKLOADS).map(|number| format!("deployment/other-{number:04}")).collect();
    evidence.workloads.push("deployment/checkout".to_owned());
    let mut config = K8sConfig::new("prod", "shop");
    config.evidence = Some(evidence);
    let collector = K8sBackend::with_client(config, fake.client()).unwrap().into_ports().collector.unwrap();
    let now = "2026-11-23T14:35:00Z".parse().unwrap();
    let cx = ReadContext::new(IncidentId::new(now, [1; 16]), now)
        .with_service(Some("checkout".to_owned()))
        .with_onset(Onset::Known(now))
        .with_deadline(Duration::from_secs(10));
    let before = peak();
    let begun = Instant::now();
    let captures = collector.collect(&cx).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(data(&captures, "events").as_array().unwrap().len(), 200);
    assert!(data(&captures, "changes")["changes"].is_array());
    assert_eq!(data(&captures, "workloads")[0]["workload"], "deployment/checkout");
    let kept = named(&captures, "logs/shop/checkout-1/web");
    assert!(!kept.truncated && kept.bytes == log.as_bytes(), "the own target's log is whole");
    if let (Some(before), Some(after)) = (before, peak()) {
        let more = (after - before) / (1024 * 1024);
        println!(
            "{} workloads in {:?}, {more} MiB more",
            data(&captures, "workloads").as_array().unwrap().len(),
            begun.elapsed()
        );
        assert!(more <= 100, "{more} MiB");
    }
}
