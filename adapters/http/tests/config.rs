//! The configuration as it is written down: what is accepted, and how what isn't is refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::error::Error;
use std::path::Path;

use incident_core::config::{AdapterConfig, BuildContext, ConfigError, Ports};
use serde_json::{Value, json};

const LITERAL: &str = "hunter2-is-secret";

async fn build(config: Box<dyn AdapterConfig>) -> Result<Ports, ConfigError> {
    config.build(&BuildContext::new("shop", ".")).await
}

/// Every layer of an error, as people and as logs see it.
fn chain(error: &dyn Error) -> String {
    let mut text = format!("{error:?}");
    let mut layer = Some(error);
    while let Some(error) = layer {
        text += &format!("\n{error}");
        layer = error.source();
    }
    text
}

fn documented(secrets: &Path) -> String {
    let readme = include_str!("../README.md");
    let toml = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("\n```").next());
    let toml = toml.expect("the README has an example");
    // The README names variables of the environment, which a test can't set.
    ["SHOP_TOKEN", "SHOP_WEBHOOK_SECRET"].into_iter().fold(toml.to_owned(), |toml, name| {
        toml.replace(&format!("env = \"{name}\""), &format!("file = {:?}", secrets.display().to_string()))
    })
}

#[tokio::test]
async fn the_readmes_example_builds_every_port() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = folder.path().join("secret");
    std::fs::write(&secrets, "s3cret\n").unwrap();
    incident_http::register();
    let config: Box<dyn AdapterConfig> = toml::from_str(&documented(&secrets)).unwrap();
    let shown = format!("{config:?}");
    let ports = build(config).await.unwrap();
    assert_eq!(ports.probes.keys().collect::<Vec<_>>(), ["errors", "latency"]);
    assert!(ports.notifier.is_some() && ports.mitigator.is_some() && ports.tracker.is_none());
    for shown in [shown, format!("{ports:?}")] {
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_name_and_no_secret_is_repeated() {
    let probe = |probe: Value| json!({ "base_url": "http://h", "probes": { "p": probe } });
    let call = |call: Value| json!({ "base_url": "http://h", "mitigations": { "custom": { "c": { "call": call } } } });
    let webhook = |webhook: Value| json!({ "base_url": "http://h", "webhook": webhook });
    for (config, names) in [
        (json!({ "base_url": "http://h", "base": "x" }), "unknown field `base`"),
        (probe(json!({ "path": "/h", "expect": 200 })), "unknown field `expect`"),
        (call(json!({ "method": "PUT", "path": "/x", "bodies": {} })), "unknown field `bodies`"),
        (json!({}), "missing field `base_url`"),
        (json!({ "base_url": "ftp://h" }), "base_url: expected a URL that begins with http"),
        (json!({ "base_url": "shop" }), "base_url: expected a URL such as"),
        (json!({ "base_url": format!("http://me:{LITERAL}@h") }), "base_url: expected no user or password"),
        (json!({ "base_url": format!("http://h?key={LITERAL}") }), "base_url: expected no query"),
        (json!({ "base_url": "http://h", "timeout": "1s" }), "timeout: expected more than connect_timeout"),
        (json!({ "base_url": "http://h", "timeout": "soon" }), "expected a duration"),
        (json!({ "base_url": "http://h", "effect_header": "a b" }), "effect_header: expected the name"),
        (
            json!({ "base_url": "http://h", "headers": { "Authorization": LITERAL } }),
            "headers.Authorization: this header carries a secret",
        ),
        (json!({ "base_url": "http://h", "headers": { "X-Api-Key": LITERAL } }), "headers.X-Api-Key: this"),
        (json!({ "base_url": "http://h", "headers": { "Host": "x" } }), "headers.Host: this header belongs"),
        (
            json!({ "base_url": "http://h", "headers": { "X": { "literal": LITERAL } } }),
            "expected a text or a reference to a secret",
        ),
        (
            json!({ "base_url": "http://h", "headers": { "X": { "file": "/nowhere/at/all" } } }),
            "headers.X: a secret is missing",
        ),
        (probe(json!({ "path": "h" })), "probes.p.path: expected a path"),
        (probe(json!({ "path": "/h\r\nX: y" })), "probes.p.path: expected a path"),
        (probe(json!({ "path": "/h", "status": 99 })), "probes.p.status: expected a status"),
        (probe(json!({ "path": "/h", "slower_than": "1h" })), "probes.p.slower_than: expected"),
        (
            probe(json!({ "path": "/h", "require": [{ "pointer": "/a", "op": "lt", "value": "x" }] })),
            "probes.p.require.0.value: expected a number",
        ),
        (
            probe(json!({ "path": "/h", "require": [{ "pointer": "a", "op": "eq", "value": 1 }] })),
            "probes.p.require.0.pointer: expected a JSON pointer",
        ),
        (probe(json!({ "path": "/h", "require": [{ "pointer": "/a", "op": "is", "value": 1 }] })), "`is`"),
        (call(json!({ "method": "GET", "path": "/x" })), "mitigations.custom.c.call.method: expected POST"),
        (call(json!({ "method": "put", "path": "/x" })), "mitigations.custom.c.call.method: expected POST"),
        (webhook(json!({ "path": "/x", "secret": LITERAL })), "a secret itself doesn't belong here"),
        (webhook(json!({ "path": "/x", "secret": { "env": LITERAL, "file": "/f" } })), "doesn't belong here"),
        (webhook(json!({ "path": "x", "secret": { "file": "/nowhere" } })), "webhook.path: expected a path"),
        (webhook(json!({ "path": "/x", "secret": { "file": "/nowhere" } })), "webhook.secret: a secret is"),
    ] {
        let mut tagged = json!({ "type": "http" });
        tagged.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
        let text = match serde_json::from_value::<Box<dyn AdapterConfig>>(tagged) {
            Ok(config) => {
                assert!(!format!("{config:?}").contains(LITERAL), "{config:?}");
                chain(&build(config).await.unwrap_err())
            }
            Err(error) => chain(&error),
        };
        assert!(text.contains(names), "expected {names:?} in: {text}");
        assert!(!text.contains(LITERAL), "{text}");
    }
}
