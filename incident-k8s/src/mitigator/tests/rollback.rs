//! Rolling back, from the plan to the way back.

use incident_core::model::plan::Reversible;
use incident_core::port::ErrorKind;
use serde_json::json;

use super::*;
use crate::support::samples::{daemon_set, stateful_set};

#[tokio::test]
async fn a_bad_image_is_rolled_back_and_the_way_back_is_known() {
    let shop = Shop::broken().await;
    let plan = shop.planned(&roll_back("deployment/checkout", None)).await;
    assert_eq!(plan.target, "prod/shop/deployment/checkout");
    assert_eq!(plan.mitigation, roll_back("deployment/checkout", Some("2")), "the revision is named");
    assert_eq!(
        lines(&plan),
        ["revision: 3 -> 2 (web:2, shop/proxy:7, of 2026-11-23 14:01 UTC)", "image of web: web:bad -> web:2"]
    );
    assert_eq!((plan.blast_radius.instances, plan.blast_radius.healthy_percent), (Some(3), Some(100)));
    assert_eq!(plan.reversible, Reversible::Yes);
    assert!(
        plan.warnings.iter().any(|it| it.contains("template alone") && it.contains("secret/db")),
        "{plan:#?}"
    );
    assert_eq!(plan.permissions, ["get, patch deployments.apps in shop", "get replicasets.apps in shop"]);
    assert!(
        ["cluster", "uid", "resourceVersion", "revision", "template"]
            .iter()
            .all(|it| plan.pins.contains_key(*it))
    );
    assert!(shop.fake.writes().is_empty(), "a plan changes nothing");

    let done = shop.done(&plan).await;
    assert_eq!(shop.image("deployments/checkout"), "web:2");
    assert_eq!(shop.verify(&done, 1).await, Verification::Holds);
    assert_eq!(shop.find(&plan).await, Found::Yes(()));

    let back = shop.undo(&done).await.unwrap();
    assert_eq!(back.mitigation, roll_back("deployment/checkout", Some("3")));
    assert!(lines(&back).contains(&"image of web: web:2 -> web:bad".to_owned()));
    shop.mitigator.carry_out(&effect(9), &back).await.unwrap();
    assert_eq!(shop.image("deployments/checkout"), "web:bad");
}

#[tokio::test]
async fn planning_and_carrying_out_take_six_calls() {
    let shop = Shop::broken().await;
    let plan = shop.planned(&roll_back("deployment/checkout", None)).await;
    shop.done(&plan).await;
    let old = text(&plan.payload, "/action/template/edit/revision/name");
    let of = |path: &str| format!("/apis/apps/v1/namespaces/shop/{path}");
    let mut calls = shop.fake.calls();
    // The two looks before the write go out together.
    calls[3..5].sort();
    assert_eq!(
        calls,
        [
            format!("GET {}", of("deployments/checkout")),
            format!("GET {}", of("replicasets")),
            format!("PATCH {} (dry run)", of("deployments/checkout")),
            format!("GET {}", of("deployments/checkout")),
            format!("GET {}", of(&format!("replicasets/{old}"))),
            format!("PATCH {}", of("deployments/checkout")),
        ],
    );
}

#[tokio::test]
async fn only_the_template_changes_and_unknown_fields_survive() {
    let shop = Shop::broken().await;
    shop.fake.change("deployments/checkout", |it| {
        it["metadata"]["annotations"]["later"] = json!("kept");
        it["spec"]["replicas"] = json!(5);
        it["spec"]["aFieldFromTheFuture"] = json!({"kept": true});
    });
    let plan = shop.planned(&roll_back("deployment/checkout", Some("1"))).await;
    shop.done(&plan).await;
    let live = shop.fake.get("deployments/checkout").unwrap();
    assert_eq!(shop.image("deployments/checkout"), "web:1");
    assert_eq!(live["metadata"]["annotations"]["later"], "kept");
    assert_eq!(live["spec"]["replicas"], 5);
    assert_eq!(live["spec"]["aFieldFromTheFuture"], json!({"kept": true}));
    assert_eq!(
        live["spec"]["template"]["spec"]["containers"][1]["aFieldFromTheFuture"],
        json!({"kept": true})
    );
    assert_eq!(live["spec"]["template"]["metadata"]["labels"], json!({"app": "checkout"}));
}

#[tokio::test]
async fn each_reason_not_to_roll_back_is_an_answer_of_its_own() {
    for (change, to, why) in [
        (json!({"spec": {"paused": true}}), None, "paused; resume it"),
        (json!({"metadata": {"deletionTimestamp": "2026-11-23T14:00:00Z"}}), None, "being deleted"),
        (json!({}), Some("3"), "at revision 3 already"),
        (json!({}), Some("9"), "no revision 9; there are 3, 2, 1"),
        (json!({"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}}), None, "flux suspend"),
    ] {
        let shop = Shop::broken().await;
        shop.fake.change("deployments/checkout", |it| json_patch::merge(it, &change));
        let error = shop.plan(&roll_back("deployment/checkout", to)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused, "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
    let shop = Shop::new().await;
    shop.fake.put([deployment("fresh", "web:1")]);
    assert!(shop.refusal(&roll_back("deployment/fresh", None)).await.contains("no earlier revision"));
    let error = shop.plan(&roll_back("deployment/nowhere", None)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn previous_is_never_what_was_just_left() {
    let shop = Shop::broken().await;
    let plan = shop.planned(&roll_back("deployment/checkout", None)).await;
    shop.done(&plan).await;
    // Two responders type it: the second one would bring the bad image back.
    let why = shop.refusal(&roll_back("deployment/checkout", None)).await;
    assert!(why.contains("was itself brought back after revision 3"), "{why}");
    assert!(shop.execute(&plan).await.is_ok(), "the same effect again is no second one");
    let other = shop.mitigator.carry_out(&effect(8), &plan).await.unwrap_err();
    assert_eq!(other.kind, ErrorKind::Precondition);
    assert_eq!(shop.fake.writes().len(), 1);
}

#[tokio::test]
async fn history_is_read_only_once_the_controller_has_seen_the_bad_spec() {
    let shop = Shop::new().await;
    shop.fake.put([deployment("checkout", "web:1")]);
    shop.fake.change("deployments/checkout", set_image("web:2"));
    shop.fake.state().controllers = false;
    shop.fake.change("deployments/checkout", set_image("web:bad"));
    let asked = roll_back("deployment/checkout", None);
    let seeing = async {
        while !shop.fake.calls().iter().any(|call| call.starts_with("WATCH")) {
            tokio::task::yield_now().await;
        }
        shop.fake.resume();
    };
    let both = async { tokio::join!(shop.plan(&asked), seeing) };
    let (plan, ()) = tokio::time::timeout(Duration::from_secs(10), both).await.expect("it is watched");
    assert_eq!(plan.unwrap().mitigation, roll_back("deployment/checkout", Some("2")), "and not 1");
}

#[tokio::test]
async fn a_controller_that_sees_nothing_makes_no_plan_and_an_expired_watch_is_no_answer() {
    let shop = Shop::broken().await;
    shop.fake.with(|state| (state.controllers, state.compacted) = (false, u64::MAX));
    shop.fake.change("deployments/checkout", set_image("web:worse"));
    let cx = reading().with_deadline(Duration::from_millis(400));
    let asked = roll_back("deployment/checkout", None);
    let error = shop.mitigator.plan(&cx, Intent::Do(&asked)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Precondition);
    assert!(matches!(error.retry, incident_core::port::Retry::After(Some(_))), "{error:?}");
}

#[tokio::test]
async fn what_is_approved_is_what_is_done_or_nothing() {
    type Change = fn(&mut Value);
    let moves: [(&str, Change); 4] = [
        ("template was changed", |it| it["spec"]["template"]["spec"]["priority"] = json!(1)),
        ("was paused", |it| it["spec"]["paused"] = json!(true)),
        ("made anew", |it| it["metadata"]["uid"] = json!("other")),
        ("was changed", |it| it["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = json!("9")),
    ];
    for (why, change) in moves {
        let shop = Shop::broken().await;
        let plan = shop.planned(&roll_back("deployment/checkout", None)).await;
        shop.fake.state().controllers = false;
        shop.fake.change("deployments/checkout", change);
        let error = shop.execute(&plan).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Precondition, "{error}");
        assert!(error.to_string().contains(why), "{error}");
        assert!(shop.fake.writes().is_empty());
    }
    // Status and scale change all the time, and change nothing about what was approved.
    let shop = Shop::broken().await;
    let plan = shop.planned(&roll_back("deployment/checkout", None)).await;
    shop.fake.change("deployments/checkout", |it| it["spec"]["replicas"] = json!(4));
    assert!(shop.execute(&plan).await.is_ok());
    // A revision that went is no template.
    let shop = Shop::broken().await;
    let plan = shop.planned(&roll_back("deployment/checkout", None)).await;
    let name = text(&plan.payload, "/action/template/edit/revision/name").to_owned();
    shop.fake.state().remove(&key(&format!("replicasets/{name}")));
    assert!(shop.execute(&plan).await.unwrap_err().to_string().contains("revision was removed"));
}

#[tokio::test]
async fn a_stale_deadline_fails_nothing_and_a_new_one_does() {
    let shop = Shop::broken().await;
    shop.fake.with(|state| state.overdue = true);
    let plan = shop.planned(&roll_back("deployment/checkout", Some("1"))).await;
    shop.fake.state().controllers = false;
    let done = shop.done(&plan).await;
    // The controller has seen the change, and its old verdict still stands.
    shop.fake.change("deployments/checkout", |it| {
        it["status"]["observedGeneration"] = it["metadata"]["generation"].clone();
    });
    let seen = shop.verify(&done, 2).await;
    assert!(matches!(seen, Verification::Pending { .. }), "{seen:?}");
    shop.fake.change("deployments/checkout", |it| {
        it["status"]["conditions"][0]["lastUpdateTime"] = json!("2026-11-23T14:40:00Z");
        it["spec"]["progressDeadlineSeconds"] = json!(600);
    });
    let seen = shop.verify(&done, 700).await;
    assert!(matches!(&seen, Verification::Failed { detail } if detail.contains("deadline")), "{seen:?}");
}

#[tokio::test]
async fn verifying_ends_and_notices_who_changed_it_back() {
    let shop = Shop::broken().await;
    let plan = shop.planned(&roll_back("deployment/checkout", None)).await;
    let done = shop.done(&plan).await;
    shop.fake.state().controllers = false;
    shop.fake.change("deployments/checkout", |it| it["status"]["availableReplicas"] = json!(2));
    assert!(matches!(shop.verify(&done, 5).await, Verification::Pending { .. }));
    assert!(matches!(shop.verify(&done, 5_000).await, Verification::Failed { .. }));
    shop.fake.change("deployments/checkout", set_image("web:bad"));
    let seen = shop.verify(&done, 5).await;
    assert!(matches!(&seen, Verification::Failed { detail } if detail.contains("changed again")), "{seen:?}");
    assert_eq!(shop.find(&plan).await, Found::Yes(()), "it was done all the same");
    shop.fake.resume();
    assert!(shop.undo(&done).await.unwrap_err().to_string().contains("changed since"));
}

#[tokio::test]
async fn a_stuck_stateful_set_is_freed_of_the_pods_that_hold_it_up() {
    let shop = Shop::new().await;
    shop.fake.put([stateful_set("db", "db:5")]);
    shop.fake.change("statefulsets/db", set_image("db:bad"));
    let bad = shop.fake.get("pods/db-2").unwrap();
    let plan = shop.planned(&roll_back("statefulset/db", None)).await;
    assert!(lines(&plan).contains(&"pod db-2: holds the rollout up -> deleted".to_owned()), "{plan:#?}");
    assert_eq!(
        plan.permissions,
        [
            "get, patch statefulsets.apps in shop",
            "get controllerrevisions.apps in shop",
            "get, delete pods in shop"
        ]
    );
    let done = shop.done(&plan).await;
    assert_ne!(shop.fake.get("pods/db-2").unwrap()["metadata"]["uid"], bad["metadata"]["uid"]);
    assert_eq!(shop.verify(&done, 5).await, Verification::Holds);
}

#[tokio::test]
async fn a_crash_between_the_template_and_the_stuck_pod_is_finished() {
    let shop = Shop::new().await;
    shop.fake.put([stateful_set("db", "db:5")]);
    shop.fake.change("statefulsets/db", set_image("db:bad"));
    let plan = shop.planned(&roll_back("statefulset/db", None)).await;
    shop.fake.meddle(|asked| (asked.method == "DELETE").then_some(crate::support::Fault::Cut));
    let error = shop.execute(&plan).await.unwrap_err();
    assert_eq!(error.applied, incident_core::port::Applied::Maybe);
    assert_eq!(shop.find(&plan).await, Found::No, "the pod is left");
    shop.fake.meddle(|_| None);
    shop.fake.forget();
    let done = shop.done(&plan).await;
    assert_eq!(shop.fake.writes().len(), 1, "the template isn't patched again");
    assert_eq!(shop.verify(&done, 5).await, Verification::Holds);
}

#[tokio::test]
async fn a_stateful_set_that_got_stuck_meanwhile_says_which_pod_to_delete() {
    let shop = Shop::new().await;
    shop.fake.put([stateful_set("db", "db:5")]);
    shop.fake.change("statefulsets/db", set_image("db:6"));
    let plan = shop.planned(&roll_back("statefulset/db", None)).await;
    let done = shop.done(&plan).await;
    shop.fake.state().controllers = false;
    shop.fake.change("pods/db-1", |it| {
        it["metadata"]["labels"]["controller-revision-hash"] = json!("db-bad");
        it["status"]["conditions"][0]["status"] = json!("False");
    });
    shop.fake.change("statefulsets/db", |it| it["status"]["readyReplicas"] = json!(2));
    assert!(matches!(shop.verify(&done, 5).await, Verification::Pending { .. }));
    let seen = shop.verify(&done, 60).await;
    assert!(
        matches!(&seen, Verification::Failed { detail } if detail.contains("db-1") && detail.contains("delete-pod")),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_daemon_set_goes_back_to_a_named_revision() {
    let shop = Shop::new().await;
    shop.fake.put([daemon_set("agent", "agent:1")]);
    shop.fake.change("daemonsets/agent", set_image("agent:bad"));
    let plan = shop.planned(&roll_back("ds/agent", Some("1"))).await;
    let done = shop.done(&plan).await;
    assert_eq!(shop.image("daemonsets/agent"), "agent:1");
    assert_eq!(shop.verify(&done, 1).await, Verification::Holds);
    assert_eq!(shop.find(&plan).await, Found::Yes(()));
}

#[tokio::test]
async fn a_parallel_stateful_set_is_freed_of_its_stuck_pods_too() {
    let shop = Shop::new().await;
    let mut db = stateful_set("db", "db:5");
    db["spec"]["podManagementPolicy"] = json!("Parallel");
    shop.fake.put([db]);
    shop.fake.change("statefulsets/db", set_image("db:bad"));
    let plan = shop.planned(&roll_back("statefulset/db", None)).await;
    assert!(lines(&plan).contains(&"pod db-2: holds the rollout up -> deleted".to_owned()), "{plan:#?}");
    let done = shop.done(&plan).await;
    assert_eq!(shop.verify(&done, 5).await, Verification::Holds);
}

#[tokio::test]
async fn who_may_not_delete_the_stuck_pods_hears_it_before_anybody_approves() {
    let shop = Shop::new().await;
    shop.fake.put([stateful_set("db", "db:5")]);
    shop.fake.change("statefulsets/db", set_image("db:bad"));
    shop.fake.state().denied.insert("delete pods".to_owned());
    let error = shop.plan(&roll_back("statefulset/db", None)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Permission);
    assert!(error.to_string().contains("may not delete pods in shop"), "{error}");
}

#[tokio::test]
async fn the_change_cause_goes_back_with_the_template() {
    const CAUSE: &str = "kubernetes.io/change-cause";
    let shop = Shop::new().await;
    let mut checkout = deployment("checkout", "web:1");
    checkout["metadata"]["annotations"] = json!({CAUSE: "first release"});
    shop.fake.put([checkout]);
    shop.fake.change("deployments/checkout", |it| {
        set_image("web:bad")(it);
        it["metadata"]["annotations"][CAUSE] = json!("the bad one");
    });
    let plan = shop.planned(&roll_back("deployment/checkout", None)).await;
    assert!(
        lines(&plan).contains(&"change cause: the bad one -> first release".to_owned()),
        "{:?}",
        lines(&plan)
    );
    let done = shop.done(&plan).await;
    let cause = || shop.fake.get("deployments/checkout").unwrap()["metadata"]["annotations"][CAUSE].clone();
    assert_eq!(cause(), "first release");
    let back = shop.undo(&done).await.unwrap();
    shop.mitigator.carry_out(&effect(9), &back).await.unwrap();
    assert_eq!(cause(), "the bad one");
    // A revision without a cause leaves none.
    let shop = Shop::broken().await;
    shop.fake
        .change("deployments/checkout", |it| it["metadata"]["annotations"][CAUSE] = json!("the bad one"));
    shop.done(&shop.planned(&roll_back("deployment/checkout", Some("1"))).await).await;
    assert_eq!(shop.fake.get("deployments/checkout").unwrap()["metadata"]["annotations"][CAUSE], Value::Null);
}

#[tokio::test]
async fn a_pipeline_that_applies_on_the_servers_side_is_named() {
    let shop = Shop::broken().await;
    shop.fake.change("deployments/checkout", |it| {
        let fields = json!({"f:spec": {"f:template": {"f:spec": {}}}});
        let entry = json!({"manager": "deploy-pipeline", "operation": "Apply", "fieldsV1": fields});
        it["metadata"]["managedFields"].as_array_mut().unwrap().push(entry);
    });
    let plan = shop.planned(&roll_back("deployment/checkout", None)).await;
    let warned = plan.warnings.iter().any(|it| it.contains("deploy-pipeline") && it.contains("next apply"));
    assert!(warned, "{plan:#?}");
}

#[tokio::test]
async fn a_change_that_is_through_in_a_moment_is_seen_in_that_moment() {
    let shop = Shop::broken().await;
    let plan = shop.planned(&roll_back("deployment/checkout", None)).await;
    shop.fake.state().controllers = false;
    let done = shop.done(&plan).await;
    shop.fake.forget();
    let finishing = async {
        while !shop.fake.calls().iter().any(|call| call.starts_with("WATCH")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        shop.fake.resume();
    };
    let both = async { tokio::join!(shop.verify(&done, 0), finishing) };
    let (seen, ()) = tokio::time::timeout(Duration::from_secs(10), both).await.expect("it is watched");
    assert_eq!(seen, Verification::Holds);
}
