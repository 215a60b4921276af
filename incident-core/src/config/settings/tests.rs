use std::sync::Arc;

use async_trait::async_trait;

use super::*;
use crate::config::{BuiltEvidence, EvidenceConfig, SecretRef};
use crate::domain::incident::Side;
use crate::domain::runbook::Finding;
use crate::local::FolderEvidence;
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

fn said(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{finding}\n")).collect()
}

#[test]
fn names_that_lead_nowhere_are_found() {
    let settings = Settings::from_toml(
        r#"
        live.tracker = "tickts"
        [live.adapters.chat]
        type = "console"
        [drill.adapters.chat]
        type = "console"
        [[live.routes]]
        adapter = "chat"
        audiences = ["responders", "team", "leadership", "executives", "staff", "caretaker"]
        fallback = "chat"
        [[live.routes]]
        adapter = "chat"
        audiences = ["customers", "public"]
        fallback = "pager"
        [[live.routes]]
        name = "third"
        adapter = "pager"
        audiences = ["tema", "public"]
        [[drill.routes]]
        adapter = "chat"
        audiences = ["responders", "team", "leadership", "executives", "staff", "public"]
        "#,
    );
    insta::assert_snapshot!(said(&settings.unwrap().lint(&Runbook::default())), @r#"
    error: live.routes[0].fallback: the fallbacks lead round in a circle: chat → chat; let the last route have no fallback
    error: live.routes[1].fallback: there is no route "pager"; use one of: chat, chat, third
    error: live.routes[1].name: another route is called "chat", too; give it a name of its own
    error: live.routes[2].adapter: it names an adapter that isn't configured; configure it under adapters
    error: live.tracker: it names an adapter that isn't configured; configure it under adapters
    warning: drill.adapters.chat: live and drill have adapters of the same name; give the drill's a name of its own, so that nobody mistakes one for the other
    warning: drill.routes: no route for audience "caretaker", who hears of broken and missing routes; add a route for the audience `caretaker`
    warning: drill.routes: no route for audience "customers"; add a route for this audience, or take it out of the runbook
    warning: drill.routes[0].audiences: people inside and outside the organisation share this route and read each other's notices; give people outside a route of their own
    warning: live.routes[2].audiences: people inside and outside the organisation share this route and read each other's notices; give people outside a route of their own
    warning: live.routes[2].audiences: the runbook tells no audience "tema" anything; use one of: customers, executives, leadership, public, responders, staff, team, caretaker
    "#);
}

#[test]
fn settings_without_contradictions_have_no_findings() {
    let settings = Settings::from_toml(
        r#"
        [live.adapters]
        chat = { type = "console" }
        page = { type = "console" }
        [[live.routes]]
        adapter = "chat"
        audiences = ["responders", "team", "leadership", "executives", "staff", "caretaker"]
        [[live.routes]]
        adapter = "page"
        audiences = ["customers", "public"]
        "#,
    );
    assert_eq!(said(&settings.unwrap().lint(&Runbook::default())), "");
    assert_eq!(said(&Settings::default().lint(&Runbook::default())), "", "nothing is reached yet");
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
    for (text, field) in [
        (format!("live.tracker = \"chat\"\n{console}"), "live.tracker"),
        (format!("{console}{}", route.replace("chat", "chatt")), "live.routes[0].adapter"),
        (format!("{console}{route}{route}"), "live.routes[1].name"),
        (picky("token = { file = \"missing/secret\" }"), "live.adapters.chat.token"),
        ("runbook = \"missing.toml\"".to_owned(), "runbook"),
        ("evidence = { type = \"attic\", key = { file = \"missing/secret\" } }".to_owned(), "evidence.key"),
    ] {
        assert_eq!(built(&text).await.unwrap_err().field, field, "{text}");
    }
    let built = built(&format!("{console}{route}")).await.unwrap();
    assert!(built.side(Side::Live).ports.contains_key("chat") && built.side(Side::Drill).ports.is_empty());
}

#[tokio::test]
async fn checks_that_no_probe_answers_are_found() {
    let built = built("[live.adapters.chat]\ntype = \"console\"").await.unwrap();
    let findings = said(&built.lint());
    assert!(findings.contains("no probe answers the check \"health\""), "{findings}");
    assert!(!findings.contains("drill"), "{findings}");
}
