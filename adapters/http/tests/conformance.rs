//! The suites that every adapter is held to, against a service on loopback.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod fake;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use fake::{Asked, Fake, Reply};
use incident_core::config::Ports;
use incident_core::conformance::backend::{Arrival, Backend, Fault};
use incident_core::conformance::mitigator::{self, MitigatorHarness};
use incident_core::conformance::notifier::{self, NotifierHarness};
use incident_core::conformance::probe::{self, ProbeHarness};
use incident_core::model::mitigation::{Mitigation, SwitchFeature};
use incident_core::port::{Mitigator, Notifier, Probe};
use incident_http::{HttpBackend, HttpConfig};
use serde_json::json;
use tokio::sync::OnceCell;

const SECRET: &str = "sesame-open-4711";

/// The service: a room for notices, a flag with a version, and a health page.
#[derive(Debug, Default)]
struct State {
    arrivals: Vec<Arrival>,
    faults: VecDeque<Fault>,
    version: u64,
    on: bool,
    effect: String,
    sick: bool,
}

impl State {
    fn answer(&mut self, asked: &Asked, dedupes: bool) -> Reply {
        let writes = asked.method != "GET";
        let is_probe = asked.is("GET", "/health");
        let fault = if writes || is_probe { self.faults.pop_front() } else { None };
        match fault {
            Some(Fault::Break) => return Reply::status(500),
            // For a notice only what is known to be final is: anything else is tried again.
            Some(Fault::Refuse) => return Reply::status(422),
            Some(Fault::Hang) => return Reply::Silence,
            Some(Fault::Wait(wait)) => {
                return Reply::status(429).with("retry-after", &wait.as_secs().to_string());
            }
            _ => {}
        }
        let reply = if is_probe {
            Reply::status(if self.sick { 503 } else { 200 })
        } else if writes {
            self.write(asked, dedupes)
        } else {
            let state = json!({ "value": self.on, "version": self.version, "effect": self.effect });
            Reply::json(&state).with("etag", &format!("\"{}\"", self.version))
        };
        match fault {
            Some(Fault::LoseReply) => Reply::Cut,
            Some(Fault::AnswerLate) => Reply::Silence,
            _ => reply,
        }
    }

    fn write(&mut self, asked: &Asked, dedupes: bool) -> Reply {
        let effect = asked.headers.get("x-incident-effect").cloned().unwrap_or_default();
        let id = effect.parse().ok();
        if asked.is("POST", "/hooks/incident") {
            let body = asked.json();
            if !(dedupes && self.arrivals.iter().any(|it| it.effect == id)) {
                let text = format!("{} {}", body["headline"], body["text"]);
                self.arrivals.push(Arrival::new(id, &text).marked(body["possible_repeat"] == true));
            }
            return Reply::status(202);
        }
        if asked.headers.get("if-match").is_some_and(|seen| *seen != format!("\"{}\"", self.version)) {
            return Reply::status(412);
        }
        self.version += 1;
        self.on = asked.json()["value"] == true;
        self.effect = effect;
        self.arrivals.push(Arrival::new(id, "switched"));
        Reply::status(204)
    }
}

struct Service {
    dedupes: bool,
    state: Arc<Mutex<State>>,
    fake: OnceCell<Fake>,
}

impl Service {
    fn new(dedupes: bool) -> Self {
        let state = State { on: true, ..State::default() };
        Self { dedupes, state: Arc::new(Mutex::new(state)), fake: OnceCell::new() }
    }

    async fn fake(&self) -> &Fake {
        let start = || async {
            let (state, dedupes) = (Arc::clone(&self.state), self.dedupes);
            Fake::start(move |asked| state.lock().unwrap().answer(asked, dedupes)).await
        };
        self.fake.get_or_init(start).await
    }

    async fn ports(&self) -> Ports {
        let url = self.fake().await.url();
        let window = if self.dedupes { r#", dedupes_for = "1h""# } else { "" };
        let text = format!(
            r#"
            base_url = "{url}"
            connect_timeout = "500ms"
            webhook = {{ path = "/hooks/incident", secret = {{ file = "{}" }}{window} }}
            [probes.health]
            path = "/health"
            [mitigations.features.pricing]
            read = {{ path = "/flags/pricing", value = "/value", version = "/version", receipt = "/effect", etag = true }}
            on = {{ method = "PUT", path = "/flags/pricing", body = {{ value = true }} }}
            off = {{ method = "PUT", path = "/flags/pricing", body = {{ value = false }} }}
            verify = {{ again = "100ms", within = "10s" }}
            "#,
            key().display()
        );
        let config: HttpConfig = toml::from_str(&text).unwrap();
        HttpBackend::new(config).unwrap().into_ports()
    }
}

/// A file with the secret in it.
fn key() -> std::path::PathBuf {
    static KEY: std::sync::LazyLock<tempfile::TempDir> = std::sync::LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), SECRET).unwrap();
        folder
    });
    KEY.path().join("key")
}

#[async_trait]
impl Backend for Service {
    async fn meets(&self, fault: Fault) -> bool {
        match fault {
            // The adapter has its address for life, so nobody can go away from under it.
            Fault::Unreachable | Fault::ForgetConversation => return false,
            _ => self.state.lock().unwrap().faults.push_back(fault),
        }
        true
    }

    async fn inbox(&self) -> Vec<Arrival> {
        self.state.lock().unwrap().arrivals.clone()
    }

    async fn writes(&self) -> usize {
        self.fake().await.writes().len()
    }

    fn secret(&self) -> Option<String> {
        Some(SECRET.to_owned())
    }

    fn acts(&self, text: &str) -> Vec<String> {
        let acts = ["@channel", "@here", "\u{202e}", "\u{7}", "\\u0007"];
        acts.into_iter().filter(|act| text.contains(act)).map(str::to_owned).collect()
    }
}

#[async_trait]
impl NotifierHarness for Service {
    async fn notifier(&self) -> Arc<dyn Notifier> {
        self.ports().await.notifier.unwrap()
    }
}

#[async_trait]
impl MitigatorHarness for Service {
    async fn mitigator(&self) -> Arc<dyn Mitigator> {
        self.ports().await.mitigator.unwrap()
    }

    fn mitigation(&self) -> Mitigation {
        Mitigation::SwitchFeature(SwitchFeature { feature: "pricing".to_owned(), on: false })
    }

    async fn state(&self) -> String {
        self.state.lock().unwrap().on.to_string()
    }

    async fn meddle(&self) {
        self.state.lock().unwrap().version += 1;
    }
}

#[async_trait]
impl ProbeHarness for Service {
    async fn probe(&self) -> Arc<dyn Probe> {
        Arc::clone(&self.ports().await.probes["health"])
    }

    async fn set(&self, well: bool) {
        self.state.lock().unwrap().sick = !well;
    }
}

#[tokio::test]
async fn the_webhook_keeps_the_promises_of_a_notifier() {
    for dedupes in [true, false] {
        notifier::check(|| Service::new(dedupes)).await.assert();
    }
}

#[tokio::test]
async fn declared_calls_keep_the_promises_of_a_mitigator() {
    mitigator::check(|| Service::new(false)).await.assert();
}

#[tokio::test]
async fn the_health_check_keeps_the_promises_of_a_probe() {
    probe::check(|| Service::new(false)).await.assert();
}
