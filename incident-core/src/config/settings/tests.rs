use std::sync::Arc;

use async_trait::async_trait;

use super::*;
use crate::config::{BuiltEvidence, EvidenceConfig, SecretRef};
use crate::local::FolderEvidence;
use crate::model::side::Side;
use crate::port::EvidenceStore;

/// An adapter with every kind of field.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "it is only read")]
struct Picky {
    token: SecretRef,
    #[serde(default)]
    mode: Option<Mode>,
    #[serde(default, with = "humantime_serde")]
    timeout: Option<std::time::Duration>,
    #[serde(default)]
    zone: Option<chrono_tz::Tz>,
    #[serde(default)]
    steps: Vec<Step>,
    #[serde(default)]
    body: serde_json::Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "it is only read")]
enum Mode {
    Fast,
    Slow,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "it is only read")]
struct Step {
    retries: u8,
}

#[typetag::deserialize(name = "picky")]
#[async_trait]
impl AdapterConfig for Picky {
    async fn build(self: Box<Self>, cx: &BuildContext) -> Result<Ports, ConfigError> {
        self.token.read(&cx.base).map_err(|error| ConfigError::secret("token", error))?;
        Ok(Ports::new())
    }
}

/// A place to keep evidence that another crate brings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attic {
    key: SecretRef,
}

#[typetag::deserialize(name = "attic")]
#[async_trait]
impl EvidenceConfig for Attic {
    async fn build(self: Box<Self>, cx: &BuildContext) -> Result<Arc<dyn EvidenceStore>, ConfigError> {
        self.key.read(&cx.base).map_err(|error| ConfigError::secret("key", error))?;
        Ok(Arc::new(FolderEvidence::new(cx.base.join("attic"))))
    }
}

fn picky(fields: &str) -> String {
    format!("[live.adapters.chat]\ntype = \"picky\"\n{fields}")
}

#[test]
fn an_error_names_the_place_and_never_the_value() {
    let token = "token = { env = \"T\" }";
    let at = |fields: &str| picky(&format!("{token}\n{fields}"));
    for (text, expect) in [
        ("live = \"s3cret\"".to_owned(), "line 1: `live` is a string; expected a table"),
        (
            "\n[live]\nrotes = []".to_owned(),
            "line 3: `live.rotes` isn't known; known there: adapters, routes, tracker",
        ),
        ("[[live.routes]]\nadapter = 's3cret'".to_owned(), "line 1: `live.routes[0].audiences` is missing"),
        (
            "token = s3cret".to_owned(),
            "line 1: not TOML: string values must be quoted, expected literal string",
        ),
        ("[live.adapters.chat]\nrecord = 'x'".to_owned(), "line 1: `live.adapters.chat.type` is missing"),
        (
            "[live.adapters.chat]\ntype = 's3cret'".to_owned(),
            "line 2: `live.adapters.chat.type` is a string; expected one of: console, folder, picky; a crate that \
             brings another must be named in code: `use incident_slack as _;`",
        ),
        (
            "[live.adapters.files]\ntype = \"folder\"\npath = 7353".to_owned(),
            "line 3: `live.adapters.files.path` is an integer; expected path string",
        ),
        (
            picky("token = \"s3cret\""),
            "line 3: `live.adapters.chat.token` is a string; expected a reference to a secret, { env = \"NAME\" } or \
             { file = \"PATH\" }; a secret itself doesn't belong here",
        ),
        (
            "\nevidence = 7353".to_owned(),
            "line 2: `evidence` is an integer; expected a folder, or a table with a `type`",
        ),
        (
            "evidence = { type = 's3cret' }".to_owned(),
            "line 1: `evidence.type` is a string; expected one of: attic; a crate that brings another must be named in \
             code: `use incident_slack as _;`",
        ),
        (
            "[evidence]\ntype = 'attic'\nkey = 's3cret'".to_owned(),
            "line 3: `evidence.key` is a string; expected a reference to a secret, { env = \"NAME\" } or \
             { file = \"PATH\" }; a secret itself doesn't belong here",
        ),
        (picky("mode = 'fast'"), "line 1: `live.adapters.chat.token` is missing"),
        (
            at("s3 = 's3cret'"),
            "line 4: `live.adapters.chat.s3` isn't known; known there: token, mode, timeout, zone, steps, body",
        ),
        (at("mode = 's3cret'"), "line 4: `live.adapters.chat.mode` is a string; expected one of: fast, slow"),
        (
            at("timeout = '5 s3cret'"),
            "line 4: `live.adapters.chat.timeout` is a string; expected a duration, such as \"15m\"",
        ),
        (
            at("zone = 's3cret'"),
            "line 4: `live.adapters.chat.zone` is a string; expected an IANA timezone string",
        ),
        (
            at("steps = [\n{ retries = 1 },\n{ retries = 's3cret' }]"),
            "line 6: `live.adapters.chat.steps[1].retries` is a string; expected a whole number from 0 to 255",
        ),
    ] {
        let error = Settings::from_toml(&text).unwrap_err().to_string();
        assert_eq!(error, format!("settings, {expect}"), "{text}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[test]
fn an_adapter_reads_whatever_toml_can_say() {
    let text = picky(
        "body = { a = [1, 2.5, true, 'x'], at = 2026-11-23T09:00:00Z }\nmode = 'slow'\ntimeout = '5s'\n\
         zone = 'Europe/Zurich'\ntoken = { file = 'x' }",
    );
    let settings = Settings::from_toml(&text).unwrap();
    let read = format!("{:?}", settings.live.adapters["chat"]);
    for expect in ["2.5", "2026-11-23T09:00:00Z", "Slow", "Europe/Zurich", "5s"] {
        assert!(read.contains(expect), "{read} lacks {expect}");
    }
}

#[tokio::test]
async fn evidence_is_kept_in_a_folder_or_in_what_another_crate_brings() {
    let folder = built("evidence = \"kept\"").await.unwrap().evidence;
    assert!(matches!(folder, Some(BuiltEvidence::Folder(path)) if path == Path::new("./kept")));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "k").unwrap();
    let key = file.path().display();
    let store =
        built(&format!("evidence = {{ key = {{ file = \"{key}\" }}, type = \"attic\" }}")).await.unwrap();
    assert!(matches!(store.evidence, Some(BuiltEvidence::Store(_))));
    assert!(built("").await.unwrap().evidence.is_none());
}

async fn built(text: &str) -> Result<Built, ConfigError> {
    Settings::from_toml(text).unwrap().build(Path::new(".")).await
}

#[tokio::test]
async fn building_names_the_field() {
    let console = "[live.adapters.chat]\ntype = \"console\"\n";
    let route = "[[live.routes]]\nadapter = \"chat\"\naudiences = []\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("broken.toml"), "\n[recovery]\nheld = '5m'").unwrap();
    for (text, expect) in [
        (
            format!("live.tracker = \"chat\"\n{console}"),
            "live.tracker: it names no adapter that keeps tickets; configure one under `adapters`",
        ),
        (
            format!("{console}{}", route.replace("chat", "chatt")),
            "live.routes[0].adapter: it names no adapter that delivers notices; use one of: chat",
        ),
        (
            format!("{console}{route}{route}"),
            "live.routes[1].name: an earlier route has this name; give each route a name of its own",
        ),
        (picky("token = { file = \"missing/secret\" }"), "live.adapters.chat.token: a secret is missing"),
        (
            "runbook = \"./missing.toml\"".to_owned(),
            "runbook: ./missing.toml can't be read: entity not found; a relative path starts at the settings' folder",
        ),
        (
            "runbook = \"./broken.toml\"".to_owned(),
            "runbook: ./broken.toml, line 3: `recovery.held` isn't known; known there: checks, hold, probe_every, watch",
        ),
        (
            "evidence = { type = \"attic\", key = { file = \"missing/secret\" } }".to_owned(),
            "evidence.key: a secret is missing",
        ),
    ] {
        let error = Settings::from_toml(&text).unwrap().build(folder.path()).await.unwrap_err();
        assert_eq!(error.to_string(), expect, "{text}");
    }
    let built = built(&format!("{console}{route}")).await.unwrap();
    assert!(built.side(Side::Live).ports.contains_key("chat") && built.side(Side::Drill).ports.is_empty());
}
