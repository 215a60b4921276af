//! What may be written down, and what is said of what may not.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use incident_core::Settings;
use incident_github::{GithubBackend, GithubConfig};

const WHOLE: &str = r#"
    repository = "acme/shop"
    api = "https://github.example.com/api/v3"
    token = { file = "TOKEN" }
    account = "incident-bot"
    milestone = "Reliability"
    connect_timeout = "1s"
    timeout = "5s"
    lag = "3s"
    content = { per_minute = 40, per_hour = 250, spacing = "2s" }
    changes = { repositories = ["acme/shop", "acme/infra"], within = "4h" }
    labels.sev1 = { color = "B60205", description = "Wake everybody" }
"#;

/// A folder with a token in it, and `text` with that token's place.
fn with_token(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "ghp_hunter2\n").unwrap();
    let text = text.replace("TOKEN", &folder.path().join("token").display().to_string());
    (folder, text)
}

#[tokio::test]
async fn the_whole_of_it_builds_a_tracker_and_a_collector() {
    let (_folder, text) = with_token(WHOLE);
    let config: GithubConfig = toml::from_str(&text).unwrap();
    let shown = format!("{config:?}");
    let backend = GithubBackend::connect(config).unwrap();
    assert!(!format!("{shown} {backend:?}").contains("hunter2"));
    let ports = backend.into_ports();
    assert!(ports.tracker.is_some() && ports.collector.is_some());
    assert!(!format!("{ports:?}").contains("hunter2"));
}

#[tokio::test]
async fn each_field_that_is_wrong_is_named_with_what_was_expected_and_without_its_value() {
    for (from, to, field, expected) in [
        ("acme/shop\"\n", "hunter2\"\n", "repository", "owner/name"),
        ("\"acme/infra\"", "\"hunter2\"", "changes.repositories", "owner/name"),
        ("https://github", "http://hunter2@github", "api", "https://"),
        ("incident-bot", "hunter2 x", "account", "an account's name"),
        ("\"1s\"", "\"0s\"", "connect_timeout", "more than nothing"),
        ("\"5s\"", "\"1s\"", "timeout", "more than connect_timeout"),
        ("\"3s\"", "\"1000years\"", "lag", "a minute at most"),
        ("\"2s\"", "\"1000years\"", "content.spacing", "a minute at most"),
        ("per_hour = 250", "per_hour = 0", "content", "at least one"),
        ("B60205", "hunter", "labels.sev1.color", "six hexadecimal digits"),
        (
            "token = ",
            "app = { id = 1, installation = 2, private_key = { env = \"X\" } }\ntoken = ",
            "token",
            "either",
        ),
        ("TOKEN", "/nowhere/hunter3", "token", "secret"),
    ] {
        assert!(WHOLE.contains(from), "{from}");
        let (_folder, text) = with_token(&WHOLE.replacen(from, to, 1));
        let config: GithubConfig = toml::from_str(&text).unwrap();
        let error = GithubBackend::connect(config).unwrap_err();
        assert_eq!(error.field, field, "{error}");
        assert!(error.to_string().contains(expected) && !error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn a_literal_token_is_refused_and_not_repeated() {
    let text = WHOLE.replace("{ file = \"TOKEN\" }", "\"ghp_hunter2\"");
    let error = toml::from_str::<GithubConfig>(&text).unwrap_err();
    assert!(error.message().contains("expected a reference to a secret"), "{error}");
}

#[tokio::test]
async fn settings_find_it_by_its_type() {
    incident_github::register();
    let (folder, text) = with_token(WHOLE);
    let indented = text.replace("    labels.sev1", "labels.sev1");
    let settings =
        format!("[live]\ntracker = \"board\"\n[live.adapters.board]\ntype = \"github\"\n{indented}");
    Settings::from_toml(&settings).unwrap().build(folder.path()).await.unwrap();
}

#[cfg(not(feature = "app"))]
#[tokio::test]
async fn without_its_feature_an_app_is_refused() {
    let app = "app = { id = 1, installation = 2, private_key = { env = \"X\" } }";
    let config: GithubConfig = toml::from_str(&format!("repository = \"acme/shop\"\n{app}")).unwrap();
    assert!(GithubBackend::connect(config).unwrap_err().to_string().contains("feature `app`"));
}
