//! What each check says of what there is.

use incident_core::model::id::IncidentId;
use incident_core::model::time::Time;
use incident_core::port::{Colour, ErrorKind};
use serde_json::json;

use super::*;
use crate::backend::K8sBackend;
use crate::config::{K8sConfig, Ready, Restarts};
use crate::support::samples::{deployment, service as a_service, set_image};
use crate::support::{Answer, Fake, Fault};

fn now() -> Time {
    "2026-11-23T14:30:00Z".parse().unwrap()
}

async fn look(fake: &Fake, check: ProbeConfig) -> Result<Reading, AdapterError> {
    let mut config = K8sConfig::new("prod", "shop");
    config.probes.insert("it".to_owned(), check);
    let ports = K8sBackend::with_client(config, fake.client()).unwrap().into_ports();
    ports.probes["it"].look(&ReadContext::new(IncidentId::new(now(), [1; 16]), now())).await
}

async fn cluster() -> Fake {
    let fake = Fake::start().await;
    fake.put([deployment("checkout", "web:1"), a_service("checkout", "checkout")]);
    fake
}

fn checkout() -> Ready {
    Ready::new("deployment/checkout")
}

#[tokio::test]
async fn ready_is_not_running_and_nothing_is_not_green() {
    for (image, replicas, ready, rolled_out) in [
        ("web:2", 3, Colour::Green, Colour::Green),
        ("web:bad", 3, Colour::Green, Colour::Red),
        ("web:1", 0, Colour::Unknown, Colour::Unknown),
    ] {
        let fake = cluster().await;
        fake.change("deployments/checkout", |it| it["spec"]["replicas"] = json!(replicas));
        fake.change("deployments/checkout", set_image(image));
        let reading = look(&fake, ProbeConfig::Ready(checkout())).await.unwrap();
        assert_eq!(reading.colour, ready, "{image}: {}", reading.detail);
        let reading = look(&fake, ProbeConfig::RolledOut(checkout())).await.unwrap();
        assert_eq!(reading.colour, rolled_out, "{image}: {}", reading.detail);
    }
    let fake = cluster().await;
    fake.change("deployments/checkout", |it| {
        it["spec"]["template"]["spec"]["containers"][1]["image"] = json!("p:bad");
    });
    fake.change("deployments/checkout", |it| it["status"]["readyReplicas"] = json!(1));
    fake.state().controllers = false;
    fake.change("deployments/checkout", |it| it["status"]["readyReplicas"] = json!(1));
    let reading = look(&fake, ProbeConfig::Ready(checkout())).await.unwrap();
    assert_eq!(
        (reading.colour, reading.detail.as_str()),
        (Colour::Red, "1 of 3 pods of deployment/checkout are ready")
    );
    fake.change("deployments/checkout", set_image("web:3"));
    for check in [ProbeConfig::Ready(checkout()), ProbeConfig::RolledOut(checkout())] {
        assert_eq!(look(&fake, check).await.unwrap().colour, Colour::Unknown, "the controller lags behind");
    }
}

#[tokio::test]
async fn crash_loops_are_seen_in_pods_whose_phase_is_running() {
    let fake = cluster().await;
    let check = || ProbeConfig::NoCrashLoops(Restarts::new("deployment/checkout"));
    assert_eq!(look(&fake, check()).await.unwrap().colour, Colour::Green);
    fake.change("deployments/checkout", set_image("web:bad"));
    let reading = look(&fake, check()).await.unwrap();
    assert_eq!(reading.colour, Colour::Red);
    assert!(reading.detail.ends_with("/web waits: CrashLoopBackOff"), "{}", reading.detail);
    fake.change("deployments/checkout", |it| it["spec"]["replicas"] = json!(0));
    assert_eq!(look(&fake, check()).await.unwrap().colour, Colour::Unknown);
}

#[tokio::test]
async fn endpoints_that_are_not_ready_take_no_traffic() {
    let fake = cluster().await;
    let check = |service: &str, at_least| ProbeConfig::Endpoints { service: service.to_owned(), at_least };
    assert_eq!(look(&fake, check("checkout", 3)).await.unwrap().colour, Colour::Green);
    assert_eq!(look(&fake, check("checkout", 4)).await.unwrap().colour, Colour::Red);
    assert_eq!(look(&fake, check("nobody", 1)).await.unwrap().colour, Colour::Unknown);
    fake.change("deployments/checkout", |it| it["spec"]["replicas"] = json!(0));
    let reading = look(&fake, check("checkout", 1)).await.unwrap();
    assert_eq!((reading.colour, reading.detail.as_str()), (Colour::Red, "0 endpoints are ready, 1 wanted"));
}

#[tokio::test]
async fn errors_are_counted_over_all_pods_and_a_log_not_read_is_not_taken_for_quiet() {
    let fake = cluster().await;
    let pods: Vec<String> = fake.state().all("pods").map(|(key, _)| key.name.clone()).collect();
    let mut errors = ErrorLines::new("deployment/checkout", 5.0);
    errors.most_bytes = 200;
    let check = || ProbeConfig::ErrorLines(errors.clone());
    let log = |pod: &str, text: &[u8]| {
        fake.state().logs.insert((pod.to_owned(), "web".to_owned(), false), text.to_vec());
    };
    let reading = look(&fake, check()).await.unwrap();
    assert_eq!(reading.colour, Colour::Green, "{}", reading.detail);
    log(&pods[0], b"ok\nERROR \xff\xfe broken bytes\nok\n");
    let reading = look(&fake, check()).await.unwrap();
    assert!(reading.detail.starts_with("0.5 lines of errors a minute in 6 logs"), "{}", reading.detail);
    assert_eq!(reading.colour, Colour::Green);
    log(&pods[1], "quiet\n".repeat(100).as_bytes());
    assert_eq!(look(&fake, check()).await.unwrap().colour, Colour::Unknown, "it goes on where nobody read");
    log(&pods[2], "ERROR\n".repeat(20).as_bytes());
    assert_eq!(look(&fake, check()).await.unwrap().colour, Colour::Red, "too many is too many");
    let lost = pods[2].clone();
    fake.meddle(move |asked| {
        (asked.path.ends_with("/log") && asked.path.contains(&lost))
            .then_some(Fault::Answer(Answer::text(500, "")))
    });
    assert_eq!(look(&fake, check()).await.unwrap().colour, Colour::Unknown);
}

#[tokio::test]
async fn what_cannot_be_asked_is_an_error_and_no_reading() {
    let fake = cluster().await;
    let nowhere = ProbeConfig::Ready(Ready::new("deployment/nowhere"));
    assert_eq!(look(&fake, nowhere).await.unwrap_err().kind, ErrorKind::NotFound);
    fake.meddle(|_| Some(Fault::Answer(Answer::unauthorized())));
    assert_eq!(look(&fake, ProbeConfig::Ready(checkout())).await.unwrap_err().kind, ErrorKind::Auth);
}

#[tokio::test]
async fn long_lists_are_read_to_their_end_even_if_they_expire_on_the_way() {
    let fake = cluster().await;
    fake.change("deployments/checkout", |it| it["spec"]["replicas"] = json!(600));
    let bad = fake.state().all("pods").last().map(|(key, _)| key.clone()).unwrap();
    fake.state().controllers = false;
    fake.state().change(&bad, "kubelet", |pod| {
        pod["status"]["containerStatuses"][0]["state"] = json!({"waiting": {"reason": "ImagePullBackOff"}});
    });
    let check = || ProbeConfig::NoCrashLoops(Restarts::new("deployment/checkout"));
    assert_eq!(look(&fake, check()).await.unwrap().colour, Colour::Red);
    let pages = fake.asked().iter().filter(|it| it.path.ends_with("/pods")).count();
    assert_eq!(pages, 3);
    // The second page comes too late, once.
    let mut late = Some(Fault::Before(|state| state.compacted = state.version + 1));
    fake.meddle(move |asked| {
        if asked.parameter("continue").is_some() {
            late.take()
        } else {
            Some(Fault::Before(|state| state.compacted = 0))
        }
    });
    assert_eq!(look(&fake, check()).await.unwrap().colour, Colour::Red);
}

/// A pod as the scheduler and the kubelet leave it.
fn with_status(fake: &Fake, place: usize, change: impl FnOnce(&mut Value)) {
    let key = fake.state().all("pods").nth(place).map(|(key, _)| key.clone()).unwrap();
    fake.state().controllers = false;
    fake.state().change(&key, "kubelet", change);
}

#[tokio::test]
async fn no_crash_loops_is_green_only_where_every_pod_that_is_wanted_runs() {
    type Change = fn(&mut Value);
    let check = || ProbeConfig::NoCrashLoops(Restarts::new("deployment/checkout"));
    let pending: Change = |pod| {
        pod["status"] = json!({"phase": "Pending"});
        pod["spec"].as_object_mut().unwrap().remove("nodeName");
    };
    let creating: Change = |pod| {
        pod["status"]["phase"] = json!("Pending");
        pod["status"]["containerStatuses"][0]["state"] = json!({"waiting": {"reason": "ContainerCreating"}});
    };
    let one_of_two: Change =
        |pod| pod["status"]["containerStatuses"] = json!([pod["status"]["containerStatuses"][0].clone()]);
    let leaving: Change = |pod| pod["metadata"]["deletionTimestamp"] = json!("2026-11-23T14:29:00Z");
    let evicted: Change = |pod| pod["status"] = json!({"phase": "Failed", "reason": "Evicted"});
    for change in [pending, creating, one_of_two, leaving, evicted] {
        let fake = cluster().await;
        assert_eq!(look(&fake, check()).await.unwrap().colour, Colour::Green);
        with_status(&fake, 0, change);
        let reading = look(&fake, check()).await.unwrap();
        assert_eq!(reading.colour, Colour::Unknown, "{}", reading.detail);
    }
    let fake = cluster().await;
    with_status(&fake, 0, |_| {});
    let gone = fake.state().all("pods").next().map(|(key, _)| key.clone()).unwrap();
    fake.state().remove(&gone);
    let reading = look(&fake, check()).await.unwrap();
    assert_eq!((reading.colour, reading.detail.as_str()), (Colour::Unknown, "2 of 3 pods are running"));
}

#[tokio::test]
async fn a_pod_without_a_log_is_not_a_quiet_one() {
    type Change = fn(&mut Value);
    let unscheduled: Change = |pod| drop(pod["spec"].as_object_mut().unwrap().remove("nodeName"));
    let creating: Change = |pod| {
        pod["status"]["containerStatuses"][0]["state"] = json!({"waiting": {"reason": "ContainerCreating"}});
    };
    for change in [unscheduled, creating] {
        let fake = cluster().await;
        let check = || ProbeConfig::ErrorLines(ErrorLines::new("deployment/checkout", 5.0));
        assert_eq!(look(&fake, check()).await.unwrap().colour, Colour::Green);
        with_status(&fake, 0, change);
        assert_eq!(look(&fake, check()).await.unwrap().colour, Colour::Unknown);
    }
}

#[tokio::test]
async fn an_endpoint_with_two_addresses_counts_once() {
    let fake = cluster().await;
    let mut second = fake.get("endpointslices/checkout-x").unwrap();
    second["metadata"] =
        json!({"name": "checkout-v6", "namespace": "shop", "labels": second["metadata"]["labels"]});
    second["addressType"] = json!("IPv6");
    fake.put([second]);
    let check = |at_least| ProbeConfig::Endpoints { service: "checkout".to_owned(), at_least };
    assert_eq!(look(&fake, check(3)).await.unwrap().colour, Colour::Green);
    assert_eq!(
        look(&fake, check(4)).await.unwrap().colour,
        Colour::Red,
        "three pods with two addresses are three"
    );
}
