//! The example does what it says.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "../examples/rollback.rs"]
#[allow(dead_code, reason = "its main is for readers")]
mod rollback;
mod support;

use incident_k8s::{K8sBackend, K8sConfig};
use rollback::Args;
use support::Fake;
use support::samples::{deployment, set_image};

/// What the example prints when it is started with `words` and `typed` is typed.
async fn play(fake: &Fake, words: &str, typed: &str) -> Result<String, String> {
    let args = Args::read(words.split(' ').map(str::to_owned)).map_err(|error| error.to_string())?;
    let backend = K8sBackend::with_client(K8sConfig::new("prod", "shop"), fake.client()).unwrap();
    let mut out = Vec::new();
    let outcome = rollback::play(backend.into_ports(), &args, &mut typed.as_bytes(), &mut out).await;
    outcome.map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

#[tokio::test]
async fn it_shows_by_default_and_acts_on_exactly_what_was_typed() {
    let fake = Fake::start().await;
    fake.put([deployment("checkout", "web:1")]);
    fake.change("deployments/checkout", set_image("web:bad"));
    let words = "--context prod --namespace shop deployment/checkout";
    let shown = play(&fake, words, "").await.unwrap();
    assert!(
        shown.contains("image of web: web:bad → web:1") && shown.contains("Nothing was changed"),
        "{shown}"
    );
    let words = format!("{words} --execute");
    let asked = play(&fake, &words, "yes\n").await.unwrap();
    assert!(asked.ends_with("Nothing was changed.\n"), "{asked}");
    assert!(fake.writes().is_empty());
    let digest = asked.split("Type ").nth(1).unwrap().split(' ').next().unwrap();
    let done = play(&fake, &words, &format!("{digest}\n")).await.unwrap();
    assert!(done.contains("It holds.") && done.contains("image of web: web:1 → web:bad"), "{done}");
    assert_eq!(fake.writes().len(), 1, "the way back is only shown");
    let refused = play(&fake, &words, "").await.unwrap_err();
    assert!(refused.contains("was itself brought back"), "{refused}");
}

#[tokio::test]
async fn it_says_how_to_call_it() {
    let fake = Fake::start().await;
    for words in
        ["", "--context prod deployment/checkout", "--context", "--context p --namespace s a/b --what"]
    {
        let error = play(&fake, words, "").await.unwrap_err();
        assert!(error.starts_with("rollback --context"), "{error}");
    }
}
