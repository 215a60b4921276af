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

#[cfg(feature = "app")]
mod app {
    use incident_core::port::{Adapter, Applied, PreflightContext};

    use super::*;
    use crate::fake::t0;

    /// The fake's App, by its key or by another one.
    fn config(fake: &Fake, installation: u64) -> GithubConfig {
        let key = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake/app.pem");
        let app =
            format!("{{ id = 1, installation = {installation}, private_key = {{ file = \"{key}\" }} }}");
        let text =
            format!("repository = \"acme/shop\"\nlag = \"50ms\"\napi = \"{}\"\napp = {app}", fake.url());
        toml::from_str(&text).unwrap()
    }

    #[tokio::test]
    async fn an_installation_writes_under_its_apps_name_and_finds_that_again() {
        let fake = Fake::start_below("/api/v3").await;
        fake.state().account = "our-app[bot]".to_owned();
        let tracker = GithubBackend::connect(config(&fake, 2)).unwrap().into_tracker();
        tracker.apply(&first(1), &opening()).await.unwrap();
        assert!(matches!(tracker.find(&again(1), &opening()).await.unwrap(), Found::Yes(_)));
        let tokens = fake.lines().iter().filter(|line| line.ends_with("/access_tokens")).count();
        assert_eq!(tokens, 1, "a token is kept for as long as it is good");
    }

    #[tokio::test]
    async fn what_the_installation_was_granted_is_what_counts() {
        for push in [true, false] {
            let fake = Fake::start().await;
            fake.state().push = push;
            let tracker = GithubBackend::connect(config(&fake, 2)).unwrap().into_tracker();
            let found = tracker.preflight(&PreflightContext::new(t0())).await.unwrap();
            assert_eq!(found.is_good(), push, "{found:#?}");
            assert!(found.checks[0].what.contains("our-app[bot]"), "{found:#?}");
        }
    }

    #[tokio::test]
    async fn without_a_token_nothing_was_done() {
        let fake = Fake::start().await;
        let tracker = GithubBackend::connect(config(&fake, 3)).unwrap().into_tracker();
        let error = tracker.apply(&first(1), &comment(1, "we look")).await.unwrap_err();
        assert_eq!((error.kind, error.applied), (ErrorKind::Auth, Applied::No), "{error}");
    }
}
