//! Restarting one instance.

use incident_core::model::plan::Reversible;
use incident_core::port::{Applied, ErrorKind};
use serde_json::json;

use super::*;
use crate::support::Fault;
use crate::support::samples::budget;

async fn shop(least: i64) -> (Shop, String) {
    let shop = Shop::new().await;
    shop.fake.put([deployment("checkout", "web:1"), budget("checkout", least)]);
    let pod = shop.pods("checkout")[0].clone();
    (shop, pod)
}

#[tokio::test]
async fn a_pod_is_evicted_once_and_its_successor_is_waited_for() {
    let (shop, pod) = shop(2).await;
    let plan = shop.planned(&restart_instance(&pod)).await;
    assert_eq!(plan.target, format!("prod/shop/pod/{pod}"));
    assert_eq!((plan.blast_radius.instances, plan.blast_radius.healthy_percent), (Some(1), Some(66)));
    assert_eq!(
        (plan.reversible, &plan.permissions[..]),
        (
            Reversible::NothingToRestore,
            &["create pods/eviction in shop".to_owned(), "get, list pods in shop".to_owned()][..]
        )
    );
    assert_eq!(shop.find(&plan).await, Found::No);
    let done = shop.done(&plan).await;
    let [sent] = &shop.fake.writes()[..] else { panic!("one write") };
    assert_eq!(sent.path, format!("/api/v1/namespaces/shop/pods/{pod}/eviction"));
    assert_eq!(
        sent.json(),
        json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": "shop"},
            "deleteOptions": {"preconditions": {"uid": plan.pins["uid"]}}})
    );
    assert_eq!(shop.verify(&done, 1).await, Verification::Holds);
    assert_eq!(shop.find(&plan).await, Found::Yes(()));
    assert_eq!(shop.execute(&plan).await.unwrap_err().kind, ErrorKind::Precondition, "it went already");
    assert!(shop.undo(&done).await.unwrap_err().to_string().contains("nothing to restore"));
}

#[tokio::test]
async fn a_disruption_budget_is_an_answer_and_deleting_is_another_decision() {
    let (shop, pod) = shop(3).await;
    let error = shop.plan(&restart_instance(&pod)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(
        error.to_string().contains("checkout-budget allows no pod to go now (3 healthy, 3 needed)"),
        "{error}"
    );
    let plan = shop.planned(&custom("delete-pod", &pod, [])).await;
    assert!(plan.warnings.iter().any(|it| it.contains("passes it by")), "{plan:#?}");
    assert_eq!(plan.permissions, ["delete pods in shop", "get, list pods in shop"]);
    assert!(shop.fake.get(&format!("pods/{pod}")).is_some(), "a plan deletes nothing");
    let done = shop.done(&plan).await;
    assert_eq!(shop.verify(&done, 1).await, Verification::Holds);
}

#[tokio::test]
async fn a_budget_that_is_used_up_after_the_plan_is_not_passed_by() {
    let (shop, pod) = shop(2).await;
    let plan = shop.planned(&restart_instance(&pod)).await;
    shop.fake.change("poddisruptionbudgets/checkout-budget", |it| it["spec"]["minAvailable"] = json!(3));
    let error = shop.execute(&plan).await.unwrap_err();
    assert_eq!((error.kind, error.applied), (ErrorKind::Refused, Applied::No), "{error}");
    assert_eq!(shop.fake.writes().len(), 1, "and nothing else is tried");
    assert!(shop.fake.get(&format!("pods/{pod}")).is_some());
}

#[tokio::test]
async fn a_pod_of_the_same_name_is_another_pod() {
    let (shop, pod) = shop(2).await;
    let plan = shop.planned(&restart_instance(&pod)).await;
    shop.fake.change(&format!("pods/{pod}"), |it| it["metadata"]["uid"] = json!("another"));
    let error = shop.execute(&plan).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Precondition, "{error}");
    assert_eq!(shop.find(&plan).await, Found::Yes(()), "the one that was meant is gone");
}

#[tokio::test]
async fn a_lost_answer_to_an_eviction_is_found_out() {
    let (shop, pod) = shop(2).await;
    let plan = shop.planned(&restart_instance(&pod)).await;
    shop.fake.fail_write(Fault::CutAfter);
    assert_eq!(shop.execute(&plan).await.unwrap_err().applied, Applied::Maybe);
    assert_eq!(shop.find(&plan).await, Found::Yes(()));
}

#[tokio::test]
async fn a_pod_that_nobody_makes_anew_is_left_alone() {
    let (shop, pod) = shop(2).await;
    shop.fake.state().controllers = false;
    shop.fake.change(&format!("pods/{pod}"), |it| it["metadata"]["ownerReferences"] = json!([]));
    assert!(shop.refusal(&restart_instance(&pod)).await.contains("no controller"));
    shop.fake.change(&format!("pods/{pod}"), |it| {
        it["metadata"]["ownerReferences"] = json!([{"kind": "Job", "name": "j", "controller": true}]);
    });
    assert!(shop.refusal(&restart_instance(&pod)).await.contains("isn't a replicaset"));
    shop.fake.change(&format!("pods/{pod}"), |it| {
        it["metadata"]["deletionTimestamp"] = json!("2026-11-23T14:00:00Z");
    });
    assert!(shop.refusal(&restart_instance(&pod)).await.contains("going already"));
}

#[tokio::test]
async fn a_budget_in_work_is_waited_for_and_no_refusal() {
    let (shop, pod) = shop(2).await;
    let plan = shop.planned(&restart_instance(&pod)).await;
    shop.fake.fail_write(Fault::Answer(crate::support::Answer::budget_in_work("checkout-budget")));
    let error = shop.execute(&plan).await.unwrap_err();
    assert_eq!((error.kind, error.applied), (ErrorKind::RateLimited, Applied::No));
    assert_eq!(error.retry, incident_core::port::Retry::After(Some(Duration::from_secs(10))));
}

#[tokio::test]
async fn several_budgets_on_one_pod_are_a_fault_of_the_cluster() {
    let (shop, pod) = shop(2).await;
    let mut second = budget("checkout", 1);
    second["metadata"]["name"] = json!("second");
    shop.fake.put([second]);
    assert!(shop.refusal(&restart_instance(&pod)).await.contains("several disruption budgets"));
}

#[tokio::test]
async fn a_pod_that_went_at_once_is_not_replaced_before_its_successor_is_ready() {
    let (shop, pod) = shop(2).await;
    let plan = shop.planned(&restart_instance(&pod)).await;
    // The controller hasn't noticed yet: its count is the one of before.
    shop.fake.state().controllers = false;
    let done = shop.done(&plan).await;
    assert!(shop.fake.get(&format!("pods/{pod}")).is_none());
    let set = shop.fake.with(|state| state.all("replicasets").next().unwrap().1.clone());
    assert_eq!(set["status"]["readyReplicas"], 3);
    let seen = shop.verify(&done, 1).await;
    assert!(matches!(&seen, Verification::Pending { detail, .. } if detail.contains("2 of 3")), "{seen:?}");
    shop.fake.resume();
    assert_eq!(shop.verify(&done, 1).await, Verification::Holds);
}

#[tokio::test]
async fn a_pod_that_is_still_ending_is_not_gone_for_its_successor() {
    let (shop, pod) = shop(2).await;
    let plan = shop.planned(&restart_instance(&pod)).await;
    shop.fake.state().kubelet = false;
    let done = shop.done(&plan).await;
    assert!(shop.fake.get(&format!("pods/{pod}")).unwrap()["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(shop.find(&plan).await, Found::Yes(()));
    assert!(matches!(shop.verify(&done, 1).await, Verification::Pending { .. }));
    shop.fake.with(|state| state.kubelet = true);
    assert_eq!(shop.verify(&done, 1).await, Verification::Holds);
}
