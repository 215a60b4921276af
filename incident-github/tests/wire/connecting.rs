//! Where the API is, and who speaks to it.

use incident_core::port::{ErrorKind, Found, Tracker};
use incident_github::{GithubBackend, GithubConfig};

use crate::fake::{Fake, TOKEN};
use crate::{again, comment, first, opening, tracker};

#[tokio::test]
async fn enterprise_server_is_reached_below_its_path_page_by_page() {
    let fake = Fake::start_below("/api/v3").await;
    let tracker = tracker(&fake);
    tracker.apply(&first(1), &opening()).await.unwrap();
    for number in 0..150 {
        fake.state().put_issue("alice", &format!("other {number}"), "words");
    }
    assert!(matches!(tracker.find(&again(1), &opening()).await.unwrap(), Found::Yes(_)));
    assert!(fake.lines().iter().all(|line| !line.contains("elsewhere")), "{:?}", fake.lines());
}

#[tokio::test]
async fn an_address_with_a_slash_at_its_end_is_the_same_one() {
    let fake = Fake::start_below("/api/v3").await;
    let mut config = fake.config();
    config.api = Some(format!("{}/", fake.url()));
    let tracker = GithubBackend::connect(config).unwrap().into_tracker();
    tracker.apply(&first(1), &opening()).await.unwrap();
}

#[tokio::test]
async fn requests_say_who_asks_and_carry_the_token_in_one_header_alone() {
    let fake = Fake::start().await;
    tracker(&fake).apply(&first(1), &opening()).await.unwrap();
    for asked in &fake.state().asked {
        assert!(asked.headers["user-agent"].starts_with("incident-github/"), "{asked:?}");
        let bearing: Vec<_> = asked.headers.iter().filter(|(_, value)| value.contains(TOKEN)).collect();
        assert_eq!(bearing.len(), 1, "{asked:?}");
        assert!(!asked.path.contains(TOKEN));
    }
}

#[tokio::test]
async fn a_client_of_the_embedders_is_used_as_it_is() {
    let fake = Fake::in_memory();
    let config = GithubConfig::new("acme/shop");
    let tracker = GithubBackend::with_client(config, fake.client()).unwrap().into_tracker();
    let receipt = tracker.apply(&first(1), &opening()).await.unwrap();
    assert_eq!(receipt.reference, "acme/shop#1");
}

#[tokio::test]
async fn whose_marks_are_ours_is_configured_where_github_does_not_say() {
    let fake = Fake::start().await;
    fake.state().says_account = false;
    fake.state().account = "our-app[bot]".to_owned();
    let mut config = fake.config();
    let silent = GithubBackend::connect(config.clone()).unwrap().into_tracker();
    silent.apply(&first(1), &opening()).await.unwrap();
    let error = silent.find(&again(1), &opening()).await.unwrap_err();
    assert!(error.kind == ErrorKind::Config && error.to_string().contains("`account`"), "{error}");
    config.account = Some("our-app[bot]".to_owned());
    let told = GithubBackend::connect(config).unwrap().into_tracker();
    assert!(matches!(told.find(&again(1), &opening()).await.unwrap(), Found::Yes(_)));
    told.apply(&first(2), &comment(1, "we look")).await.unwrap();
}
