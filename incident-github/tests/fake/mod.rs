//! GitHub's API, as far as tickets and changes need it, written from what GitHub documents.
//!
//! It answers on loopback, or in memory for tests in which time is turned by hand.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![allow(dead_code, unused_imports, reason = "each test uses a part of it")]

mod issues;
mod page;
mod schema;
mod state;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use incident_core::model::time::Time;
use incident_github::GithubConfig;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) use state::{Fault, State};

/// The token that is accepted.
pub(crate) const TOKEN: &str = "ghp_sesame4711open";

/// What the fake does with a request.
pub(crate) enum Reply {
    Answer(u16, Vec<(&'static str, String)>, Value),
    /// Never answers.
    Silence,
    /// Closes the connection after it has read the request.
    Cut,
}

impl Reply {
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self::Answer(status, Vec::new(), body)
    }

    pub(crate) fn with(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::Answer(status, mut headers, body) => {
                headers.push((name, value.to_owned()));
                Self::Answer(status, headers, body)
            }
            other => other,
        }
    }
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
    /// When it came, since the fake began.
    pub(crate) after: std::time::Duration,
}

impl Asked {
    pub(crate) fn is_write(&self) -> bool {
        self.method != "GET"
    }

    /// `POST /repos/acme/shop/issues`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// A running GitHub; it stops with this, and complains of requests that GitHub's description doesn't know.
pub(crate) struct Fake {
    state: Arc<Mutex<State>>,
    address: Option<SocketAddr>,
    task: Option<JoinHandle<()>>,
    prefix: &'static str,
}

impl Fake {
    /// On loopback.
    pub(crate) async fn start() -> Self {
        Self::start_below("").await
    }

    /// On loopback, with `prefix` before every path, as GitHub Enterprise Server has it.
    pub(crate) async fn start_below(prefix: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::new(&format!("http://{address}{prefix}"))));
        let all = Arc::clone(&state);
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let state = Arc::clone(&all);
                let service = service_fn(move |request| answer(Arc::clone(&state), prefix, request));
                tokio::spawn(async move {
                    let serving = hyper::server::conn::http1::Builder::new();
                    let _ = serving.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { state, address: Some(address), task: Some(task), prefix }
    }

    /// In memory.
    pub(crate) fn in_memory() -> Self {
        let state = Arc::new(Mutex::new(State::new("https://api.github.com")));
        Self { state, address: None, task: None, prefix: "" }
    }

    /// A client of an embedder's, whose requests stay in this process.
    pub(crate) fn client(&self) -> Octocrab {
        let (state, prefix) = (Arc::clone(&self.state), self.prefix);
        let service = tower::service_fn(move |request| answer(Arc::clone(&state), prefix, request));
        let built = OctocrabBuilder::new_empty().with_service(service).with_auth(AuthState::None).build();
        built.unwrap_or_else(|never| match never {}).user_access_token(TOKEN.to_owned()).unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}{}", self.address.unwrap(), self.prefix)
    }

    /// Tickets in `acme/shop`, by a client of our own, in a hurry.
    pub(crate) fn config(&self) -> GithubConfig {
        let token = tokens();
        let text = format!(
            r#"
            repository = "acme/shop"
            api = "{}"
            token = {{ file = "{}" }}
            connect_timeout = "500ms"
            lag = "50ms"
            content = {{ spacing = "1ms", per_minute = 100000, per_hour = 100000 }}
            "#,
            self.url(),
            token.display()
        );
        toml::from_str(&text).unwrap()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The writes that came, also those in vain.
    pub(crate) fn writes(&self) -> Vec<Asked> {
        self.state().asked.iter().filter(|asked| asked.is_write()).cloned().collect()
    }

    /// What came, as lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.state().asked.iter().map(Asked::line).collect()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
        if !std::thread::panicking() {
            let violations = self.state().violations.clone();
            assert!(violations.is_empty(), "GitHub's description doesn't know this: {violations:#?}");
        }
    }
}

/// A file with the token in it.
fn tokens() -> std::path::PathBuf {
    static FOLDER: std::sync::LazyLock<tempfile::TempDir> = std::sync::LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), TOKEN).unwrap();
        folder
    });
    FOLDER.path().join("token")
}

/// The time at which everything begins.
pub(crate) fn t0() -> Time {
    Time::from_timestamp_millis(1_774_000_000_000).unwrap()
}

async fn answer<B>(
    state: Arc<Mutex<State>>,
    prefix: &'static str,
    request: Request<B>,
) -> Result<Response<Full<Bytes>>, io::Error>
where
    B: Body<Data = Bytes>,
{
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let headers = parts.headers.iter();
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let asked = Asked {
        method: parts.method.to_string(),
        path: parts.uri.path().strip_prefix(prefix).unwrap_or("/elsewhere").to_owned(),
        query: page::query(parts.uri.query().unwrap_or_default()),
        headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        after: std::time::Duration::ZERO,
    };
    let reply = state.lock().unwrap().answer(asked);
    match reply {
        Reply::Answer(status, headers, body) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            let body = if body.is_null() { String::new() } else { body.to_string() };
            Ok(response.body(Full::new(Bytes::from(body))).unwrap())
        }
        Reply::Silence => std::future::pending().await,
        Reply::Cut => Err(io::Error::other("cut")),
    }
}
