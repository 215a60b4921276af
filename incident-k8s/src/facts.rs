//! What a real API server of Kubernetes 1.36 with its controllers answered and did, condensed into tests/facts. The server
//! that tests use is held to it, and so is what this adapter makes of it.

use http::header::HeaderMap;
use incident_core::model::time::Time;
use kube::client::Body;
use serde_json::{Value, json};

use crate::error::{Purpose, refused};
use crate::object::{items, number, text};
use crate::rollout::rollout;
use crate::support::samples::{autoscaler, budget, deployment, ingress, set_image, stateful_set};
use crate::support::{Fake, Key};
use crate::target::Kind;

const ANSWERS: &str = include_str!("../tests/facts/answers.json");
const COURSE: &str = include_str!("../tests/facts/course.json");

fn course() -> Value {
    serde_json::from_str(COURSE).unwrap()
}

/// What the fake answers to a request of the facts: the status and the body.
async fn ask(fake: &Fake, fact: &Value, pod: &str) -> (u16, Vec<u8>) {
    let fill = |text: &str| text.replace("{pod}", pod);
    let mut request = http::Request::builder().method(text(fact, "/method")).uri(fill(text(fact, "/path")));
    if let Some(kind) = fact["type"].as_str() {
        request = request.header("content-type", kind);
    }
    let body = fact.get("body").map_or_else(Vec::new, |body| fill(&body.to_string()).into_bytes());
    let answer = fake.client().send(request.body(Body::from(body)).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.into_body().collect_bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn the_tests_server_answers_as_a_real_one_did_and_each_answer_is_understood() {
    let facts: Vec<Value> = serde_json::from_str(ANSWERS).unwrap();
    for fact in facts {
        let what = text(&fact, "/what");
        let fake = Fake::start().await;
        let seen = text(&fact, "/seen");
        assert!(
            seen.starts_with("1.") || seen == "not yet",
            "{what}: which version of the server answered so?"
        );
        fake.put([
            deployment("my-app", "shop/web:41"),
            budget("my-app", 3),
            ingress("my-app", "my-app"),
            autoscaler("my-app", 1, 8),
        ]);
        fake.change("deployments/my-app", |it| it["spec"]["replicas"] = json!(4));
        fake.change("deployments/my-app", |it| it["spec"]["replicas"] = json!(3));
        if let Some(denied) = fact["denied"].as_str() {
            fake.with(|state| state.denied.insert(denied.to_owned()));
        }
        let before = fake.get("deployments/my-app");
        let pod = fake.with(|state| state.all("pods").next().unwrap().0.name.clone());
        let (status, body) = ask(&fake, &fact, &pod).await;
        assert_eq!(i64::from(status), number(&fact, "/status"), "{what}");
        assert_eq!(fake.get("deployments/my-app"), before, "{what}: nothing is changed by it");
        if let Some(expect) = fact["text"].as_str() {
            assert_eq!(String::from_utf8_lossy(&body), expect, "{what}");
        }
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        if let Some(expect) = fact.get("answers") {
            let mut with = answer.clone();
            json_patch::merge(&mut with, expect);
            assert_eq!(with, answer, "{what}");
            continue;
        }
        assert_eq!(text(&answer, "/reason"), text(&fact, "/reason"), "{what}");
        assert!(text(&answer, "/message").contains(text(&fact, "/says")), "{what}: {answer}");
        let causes = items(&answer, "/details/causes").iter();
        let causes: Vec<_> =
            causes.map(|it| format!("{} {}", text(it, "/reason"), text(it, "/field"))).collect();
        let causes: Vec<_> = causes.iter().map(|it| it.trim()).collect();
        assert_eq!(json!(causes), *fact.get("causes").unwrap_or(&json!([])), "{what}");
        for name in items(&fact, "/details").iter().filter_map(Value::as_str) {
            assert!(answer["details"].get(name).is_some(), "{what}: details.{name}");
        }
        let error = refused("try", Purpose::Write, status, &HeaderMap::new(), &answer);
        assert_eq!(format!("{:?}", error.kind), text(&fact, "/kind"), "{what}: {error}");
    }
}

#[test]
fn a_rollout_is_read_as_it_really_went_with_its_stale_verdict() {
    let at = |fact: &Value| format!("2026-11-23T{}Z", text(fact, "/at"));
    // The undo was sent at 06:18:32, and the verdict of 06:18:30 still stood.
    let undo: Time = "2026-11-23T06:18:32Z".parse().unwrap();
    for fact in items(&course(), "/rollout") {
        let workload = json!({
            "metadata": {"generation": fact["generation"]}, "spec": {"replicas": 3, "progressDeadlineSeconds": 8},
            "status": {
                "observedGeneration": fact["observed"], "updatedReplicas": fact["updated"], "replicas": fact["all"],
                "availableReplicas": fact["available"],
                "conditions": [{"type": "Progressing", "reason": fact["reason"], "lastUpdateTime": at(fact)}],
            },
        });
        let since = fact.get("undone").map(|_| undo);
        let got = format!("{:?}", rollout(Kind::Deployment, &workload, since));
        assert!(got.starts_with(text(fact, "/is")), "{fact}: {got}");
    }
}

/// What is compared of a deployment and its ReplicaSets.
fn seen(fake: &Fake) -> Value {
    let live = fake.get("deployments/my-app").unwrap();
    let status = |field: &str| live["status"][field].clone();
    let note = |object: &Value, key: &str| object["metadata"]["annotations"][key].clone();
    let mut seen = json!({
        "generation": live["metadata"]["generation"], "observed": status("observedGeneration"),
        "updated": status("updatedReplicas"), "all": status("replicas"), "available": status("availableReplicas"),
        "revision": note(&live, "deployment.kubernetes.io/revision"), "sets": {},
    });
    fake.with(|state| {
        for (_, set) in state.all("replicasets") {
            let number = note(set, "deployment.kubernetes.io/revision").as_str().unwrap().to_owned();
            let history = note(set, "deployment.kubernetes.io/revision-history");
            if !history.is_null() {
                seen[format!("history_of_{number}")] = history;
            }
            seen["sets"][number] = set["spec"]["replicas"].clone();
        }
    });
    seen
}

#[tokio::test]
async fn the_tests_controllers_number_revisions_as_the_real_ones_did() {
    let fake = Fake::start().await;
    fake.put([deployment("my-app", "shop/web:41")]);
    fake.change("deployments/my-app", set_image("shop/web:bad"));
    assert_eq!(seen(&fake), course()["broken"]);
    fake.change("deployments/my-app", set_image("shop/web:41"));
    assert_eq!(seen(&fake), course()["undone"]);
}

#[tokio::test]
async fn the_tests_stateful_set_stays_stuck_as_the_real_one_did() {
    let facts = course()["stuck"].clone();
    let fake = Fake::start().await;
    fake.put([stateful_set("db", "shop/db:5")]);
    fake.change("statefulsets/db", set_image("shop/db:bad"));
    let pod = Key::new("", "pods", "shop", text(&facts, "/pod"));
    let bad = fake.with(|state| state.objects[&pod].clone());
    fake.change("statefulsets/db", set_image("shop/db:5"));
    let after = fake.with(|state| state.objects[&pod].clone());
    assert_eq!(
        after["metadata"]["uid"], bad["metadata"]["uid"],
        "the bad pod stays although the template is good again"
    );
    let set = fake.get("statefulsets/db").unwrap();
    assert_eq!(
        (&set["status"]["readyReplicas"], &set["status"]["replicas"]),
        (&facts["ready"], &facts["all"])
    );
    let hash = text(&after, "/metadata/labels/controller-revision-hash");
    let kept = fake.with(|state| state.all("controllerrevisions").any(|(key, _)| key.name == hash));
    assert_eq!(json!(kept), facts["stateful_hash_is_the_revisions_name"]);
}
