//! The snippets do what they say.

use std::fs::File;

#[path = "../examples/custom_notifier.rs"]
#[allow(dead_code, reason = "its main is for readers")]
mod custom_notifier;
#[path = "../examples/embed.rs"]
#[allow(dead_code, reason = "its main is for readers")]
mod embed;

#[path = "../examples/insights.rs"]
#[allow(dead_code, reason = "its main is for readers")]
mod insights;

#[tokio::test]
async fn what_one_process_declared_the_next_one_tells() {
    let folder = tempfile::tempdir().unwrap();
    let (store, notices) = (folder.path().join("incidents.db"), folder.path().join("notices.txt"));
    let id = embed::declare(&store).await.unwrap();
    let told = embed::carry_on(&store, id, File::create(&notices).unwrap()).await.unwrap();
    let notices = std::fs::read_to_string(&notices).unwrap();
    assert!(notices.contains("Checkout fails"), "{notices}");
    assert!(notices.contains("PAGE"), "{notices}");
    assert!(notices.contains("Looking at the payment service"), "{notices}");
    assert!(told.iter().any(|line| line.contains("Looking at the payment service")), "{told:#?}");
}

#[tokio::test]
async fn an_own_notifier_works_in_code_and_from_settings() {
    let folder = tempfile::tempdir().unwrap();
    for sign in [
        custom_notifier::in_code(folder.path()).await.unwrap(),
        custom_notifier::from_settings(folder.path()).await.unwrap(),
    ] {
        assert!(sign.contains("Checkout fails"), "{sign}");
        assert!(!sign.contains("@here"), "a title can't mention anybody: {sign}");
    }
}

#[tokio::test]
async fn a_year_has_incidents_promises_and_causes_and_a_seed_is_a_year() {
    let year = insights::year(2026).await.unwrap();
    assert!((30..120).contains(&year.incidents), "{}", year.incidents);
    assert!(year.left_out.drills > 0 && year.left_out.false_alarms > 0, "{:?}", year.left_out);
    assert!(year.promises.iter().all(|it| it.kept > 0), "{:?}", year.promises);
    assert!(year.promises.iter().any(|it| it.broken > 0), "{:?}", year.promises);
    assert!(!year.repeats.is_empty() && year.follow_ups.overdue > 0, "{:?}", year.follow_ups);
    assert_eq!(year, insights::year(2026).await.unwrap());
}
