//! What is asked before an incident, and that the manifests grant it.

use std::time::Duration;

use incident_core::port::{Adapter, PreflightContext};
use serde_json::json;

use super::*;
use crate::backend::K8sBackend;
use crate::config::{ErrorLines, EvidenceConfig, K8sConfig, ProbeConfig, Ready, RouteConfig};
use crate::support::{Answer, Fake, Fault};

const MANIFESTS: [&str; 3] = [
    include_str!("../../rbac/read.yaml"),
    include_str!("../../rbac/mitigate.yaml"),
    include_str!("../../rbac/exec.yaml"),
];

fn config() -> K8sConfig {
    let mut config = K8sConfig::new("prod", "shop");
    config.namespaces = vec!["pay".to_owned()];
    config.evidence = Some(EvidenceConfig::new(["deployment/checkout", "pay/sts/ledger", "ds/agent"]));
    config.probes = [
        ("ready".to_owned(), ProbeConfig::Ready(Ready::new("deployment/checkout"))),
        ("errors".to_owned(), ProbeConfig::ErrorLines(ErrorLines::new("deployment/checkout", 1.0))),
        ("endpoints".to_owned(), ProbeConfig::Endpoints { service: "checkout".to_owned(), at_least: 1 }),
    ]
    .into();
    let page = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "shop"}});
    config.routes.insert(
        "checkout".to_owned(),
        [
            ("page".to_owned(), RouteConfig::manifest(page)),
            ("blue".to_owned(), RouteConfig::selector([("app", "blue")])),
        ]
        .into(),
    );
    config
}

async fn preflight(fake: &Fake) -> Result<Vec<(String, bool)>, AdapterError> {
    let ports = K8sBackend::with_client(config(), fake.client()).unwrap().into_ports();
    let cx = PreflightContext::new("2026-11-23T14:30:00Z".parse().unwrap());
    let mut lines = Vec::new();
    for adapter in ports.adapters() {
        let found = Adapter::preflight(adapter, &cx).await?;
        lines.extend(found.checks.into_iter().map(|it| (it.what, it.missing.is_none())));
    }
    Ok(lines)
}

#[tokio::test]
async fn each_verb_is_asked_for_in_each_namespace_and_what_is_missing_is_named() {
    let fake = Fake::start().await;
    assert!(preflight(&fake).await.unwrap().iter().all(|(_, good)| *good));
    assert!(fake.writes().is_empty());
    let fake = Fake::start().await;
    for denied in [
        "patch deployments/scale",
        "create pods/eviction",
        "get pods/log",
        "get horizontalpodautoscalers",
        "delete pods",
        "list endpointslices",
    ] {
        fake.with(|state| state.denied.insert(denied.to_owned()));
    }
    let lines = preflight(&fake).await.unwrap();
    let mut bad: Vec<_> = lines.iter().filter(|(_, good)| !good).map(|(line, _)| line.as_str()).collect();
    bad.sort_unstable();
    bad.dedup();
    assert_eq!(
        bad,
        [
            "may create pods/eviction in pay",
            "may create pods/eviction in shop",
            "may delete pods in pay",
            "may delete pods in shop",
            "may get horizontalpodautoscalers.autoscaling in pay",
            "may get horizontalpodautoscalers.autoscaling in shop",
            "may get pods/log in pay",
            "may get pods/log in shop",
            "may list endpointslices.discovery.k8s.io in pay",
            "may list endpointslices.discovery.k8s.io in shop",
            "may patch deployments/scale.apps in pay",
            "may patch deployments/scale.apps in shop",
        ]
    );
    let has = |line: &str| lines.iter().any(|(it, _)| it == line);
    assert!(has("may list nodes.metrics.k8s.io in the cluster"));
    assert!(has("may patch ingresses.networking.k8s.io in shop"));
    fake.meddle(|_| Some(Fault::Answer(Answer::unauthorized())));
    assert!(preflight(&fake).await.is_err(), "nobody can be asked");
}

/// What the manifests grant, those parts included that are commented out because not everybody needs them.
fn granted() -> BTreeSet<String> {
    let lists = |line: &str| -> Vec<String> {
        let inner = line.split('[').nth(1).and_then(|it| it.split(']').next()).unwrap_or_default();
        inner.split(',').map(|it| it.trim().trim_matches('"').to_owned()).collect()
    };
    let (mut groups, mut resources, mut all) = (Vec::new(), Vec::new(), BTreeSet::new());
    for line in MANIFESTS.iter().flat_map(|it| it.lines()) {
        let line = line.trim_start_matches([' ', '#', '-']);
        if line.starts_with("apiGroups:") {
            groups = lists(line);
        } else if line.starts_with("resources:") {
            resources = lists(line);
        } else if line.starts_with("verbs:") {
            for verb in lists(line) {
                let each = groups.iter().flat_map(|group| resources.iter().map(move |it| (group, it)));
                all.extend(each.map(|(group, resource)| format!("{verb} {resource} {group}")));
            }
        }
    }
    all
}

#[tokio::test]
async fn the_manifests_grant_what_is_needed_and_no_reading_of_secrets() {
    let fake = Fake::start().await;
    fake.state().incomplete = true;
    fake.state().absent.clear();
    preflight(&fake).await.unwrap();
    let granted = granted();
    for asked in fake.asked().into_iter().filter(|asked| asked.path.ends_with("/selfsubjectaccessreviews")) {
        let of = |name: &str| {
            asked.json()["spec"]["resourceAttributes"][name].as_str().unwrap_or_default().to_owned()
        };
        let part = of("subresource");
        let resource = if part.is_empty() { of("resource") } else { format!("{}/{part}", of("resource")) };
        let needed = format!("{} {resource} {}", of("verb"), of("group"));
        assert!(granted.contains(&needed), "{needed} isn't in rbac/");
    }
    let open = MANIFESTS.iter().flat_map(|it| it.lines()).filter(|line| !line.trim_start().starts_with('#'));
    assert!(!open.into_iter().any(|line| line.contains("secrets") || line.contains('*')));
}

/// Preflights every port of a backend with so many namespaces and a probe in each.
async fn of_many(fake: &Fake, places: usize, deadline: Duration) -> Vec<(String, bool)> {
    let mut config = K8sConfig::new("prod", "place-0");
    config.namespaces = (1..places).map(|number| format!("place-{number}")).collect();
    for number in 0..places {
        let workload = format!("place-{number}/deployment/checkout");
        let check = ProbeConfig::ErrorLines(ErrorLines::new(&workload, 1.0));
        config.probes.insert(format!("probe-{number}"), check);
    }
    let ports = K8sBackend::with_client(config, fake.client()).unwrap().into_ports();
    let mut cx = PreflightContext::new("2026-11-23T14:30:00Z".parse().unwrap());
    cx.deadline = deadline;
    let mut lines = Vec::new();
    for adapter in ports.adapters() {
        let found = Adapter::preflight(adapter, &cx).await.unwrap();
        lines.extend(found.checks.into_iter().map(|it| (it.what, it.missing.is_none())));
    }
    lines
}

#[tokio::test]
async fn each_namespace_is_asked_for_once_however_many_probes_there_are() {
    let fake = Fake::start().await;
    let lines = of_many(&fake, 100, Duration::from_secs(10)).await;
    assert!(lines.iter().all(|(_, good)| *good));
    let asked = fake.asked().len();
    assert!(asked <= 102, "{asked} calls");
}

#[tokio::test]
async fn a_probe_needs_nothing_where_it_does_not_look() {
    let fake = Fake::start().await;
    let lines = of_many(&fake, 3, Duration::from_secs(10)).await;
    let of_logs: Vec<_> = lines.iter().filter(|(line, _)| line.contains("pods/log")).collect();
    assert_eq!(of_logs.len(), 3, "{of_logs:?}");
}

#[tokio::test]
async fn where_the_server_cannot_list_the_rules_each_verb_is_asked_for() {
    let fake = Fake::start().await;
    fake.state().incomplete = true;
    fake.with(|state| state.denied.insert("delete pods".to_owned()));
    let lines = preflight(&fake).await.unwrap();
    let bad: Vec<_> = lines.iter().filter(|(_, good)| !good).map(|(line, _)| line.as_str()).collect();
    assert_eq!(bad, ["may delete pods in pay", "may delete pods in shop"]);
}
