//! What becomes of a write whose answer is lost, late or a refusal.

use incident_core::port::{Applied, ErrorKind, Retry};
use serde_json::json;

use super::*;
use crate::support::{Answer, Fault};

/// What carrying a rollback out comes to when its write suffers `fault`: the error, how often it was sent, and what a
/// look finds.
async fn suffering(fault: Fault) -> (AdapterError, usize, Found<()>) {
    let shop = Shop::broken().await;
    let plan = shop.planned(&roll_back("deployment/checkout", None)).await;
    shop.fake.fail_write(fault);
    let cx = effect(7).with_deadline(Duration::from_millis(600));
    let error = shop.mitigator.carry_out(&cx, &plan).await.unwrap_err();
    let found = shop.find(&plan).await;
    (error, shop.fake.writes().len(), found)
}

#[tokio::test]
async fn a_lost_answer_is_a_doubt_that_a_look_settles_and_nothing_is_sent_twice() {
    use Applied::{Maybe, No};
    let other = |state: &mut crate::support::State| {
        state.change(&key("deployments/checkout"), "somebody", |it| it["spec"]["replicas"] = json!(4));
    };
    for (fault, kind, applied, found) in [
        (Fault::CutAfter, ErrorKind::Unavailable, Maybe, Found::Yes(())),
        (Fault::SilenceAfter, ErrorKind::Unavailable, Maybe, Found::Yes(())),
        (Fault::Cut, ErrorKind::Unavailable, Maybe, Found::No),
        (Fault::Before(other), ErrorKind::Conflict, No, Found::No),
        (Fault::Answer(Answer::throttled(9)), ErrorKind::RateLimited, No, Found::No),
        (Fault::Answer(Answer::unauthorized()), ErrorKind::Auth, No, Found::No),
        (Fault::Answer(Answer::webhook_down("p.example.com")), ErrorKind::Unavailable, No, Found::No),
        (Fault::Answer(Answer::denied_by_webhook("p.example.com")), ErrorKind::Refused, No, Found::No),
        (Fault::Answer(Answer::quota(&key("deployments/checkout"))), ErrorKind::Refused, No, Found::No),
        (Fault::Answer(Answer::text(503, "<html>proxy</html>")), ErrorKind::Unavailable, Maybe, Found::No),
        (Fault::Answer(Answer::text(504, "")), ErrorKind::Unavailable, Maybe, Found::No),
    ] {
        let shown = format!("{fault:?}");
        let (error, sent, seen) = suffering(fault).await;
        assert_eq!((error.kind, error.applied, sent, seen), (kind, applied, 1, found), "{shown}: {error}");
        match kind {
            ErrorKind::RateLimited => assert_eq!(error.retry, Retry::After(Some(Duration::from_secs(9)))),
            ErrorKind::Conflict => {
                assert!(matches!(error.retry, Retry::After(Some(_))), "worth another look");
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn an_answer_that_says_yes_and_then_breaks_is_a_yes() {
    let shop = Shop::broken().await;
    let plan = shop.planned(&roll_back("deployment/checkout", None)).await;
    shop.fake.fail_write(Fault::SlowBody);
    let cx = effect(7).with_deadline(Duration::from_millis(600));
    assert!(shop.mitigator.carry_out(&cx, &plan).await.is_ok());
}

#[tokio::test]
async fn nobody_there_means_that_nothing_happened() {
    let shop = Shop::broken().await;
    let pod = shop.pods("checkout")[0].clone();
    let plan = shop.planned(&restart_instance(&pod)).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = kube::Client::try_from(kube::Config::new(url.parse().unwrap())).unwrap();
    let backend = K8sBackend::with_client(K8sConfig::new("prod", "shop"), client).unwrap();
    // An eviction is held to the pod's uid and needs no look before it, so this is the write itself.
    let error = backend.into_mitigator().unwrap().carry_out(&effect(7), &plan).await.unwrap_err();
    assert_eq!((error.kind, error.applied), (ErrorKind::Unavailable, Applied::No), "{error:?}");
}

#[tokio::test]
async fn somebody_elses_same_change_is_not_taken_for_ours() {
    let shop = Shop::broken().await;
    let plan = shop.planned(&roll_back("deployment/checkout", None)).await;
    shop.fake.change("deployments/checkout", set_image("web:2"));
    assert_eq!(shop.find(&plan).await, Found::CannotTell);
    // Changed and changed back: it looks untouched, and isn't.
    shop.fake.change("deployments/checkout", set_image("web:bad"));
    assert_eq!(shop.find(&plan).await, Found::CannotTell);
    assert_eq!(shop.execute(&plan).await.unwrap_err().kind, ErrorKind::Precondition);
}

#[tokio::test]
async fn a_plan_of_another_cluster_or_adapter_is_not_carried_out() {
    let shop = Shop::broken().await;
    let plan = shop.planned(&roll_back("deployment/checkout", None)).await;
    let there = Shop::with(|config| config.cluster = "test".to_owned()).await;
    there.break_checkout();
    assert_eq!(there.execute(&plan).await.unwrap_err().kind, ErrorKind::Precondition);
    let foreign = plan.with_payload(json!({"call": "PUT /"}));
    assert_eq!(shop.execute(&foreign).await.unwrap_err().kind, ErrorKind::Invalid);
    assert!(there.fake.asked().is_empty());
}

#[tokio::test]
async fn the_permission_that_is_missing_is_named_before_anybody_approves() {
    let shop = Shop::broken().await;
    shop.fake.state().denied.insert("patch deployments".to_owned());
    let error = shop.plan(&roll_back("deployment/checkout", None)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Permission, "{error}");
    shop.fake.state().denied.clear();
    shop.fake.state().admission = Some(|_| Err(Answer::denied_by_webhook("policy.example.com")));
    let error = shop.plan(&roll_back("deployment/checkout", None)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.to_string().contains("policy.example.com"), "{error}");
    shop.fake.state().admission = Some(|it| {
        it["spec"]["template"]["spec"]["containers"][0]["image"] = json!("web:bad");
        Ok(())
    });
    assert!(shop.refusal(&roll_back("deployment/checkout", None)).await.contains("admission puts it back"));
}

#[tokio::test]
async fn what_admission_adds_is_shown_and_is_no_surprise_afterwards() {
    let shop = Shop::broken().await;
    shop.fake.state().admission = Some(|it| {
        it["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = json!("Always");
        Ok(())
    });
    let plan = shop.planned(&roll_back("deployment/checkout", None)).await;
    assert!(lines(&plan).iter().any(|line| line.contains("imagePullPolicy")), "{plan:#?}");
    let done = shop.done(&plan).await;
    assert_eq!(shop.verify(&done, 1).await, Verification::Holds);
}
