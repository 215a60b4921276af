//! A small HTTP endpoint before an engine: 2xx only after the commit.

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use incident_core::config::{Ports, Secret};
use incident_core::runbook::Runbook;
use incident_core::runtime::Engine;
use incident_http::{HttpBackend, HttpConfig, SecretValue, TextOrSecret, WebhookConfig};
use incident_prometheus::{Limits, Webhook};
use incident_sqlite::SqliteStore;
use tokio::net::TcpListener;

use super::Who;
use crate::runtime;

/// Everybody whom the default runbook tells.
pub const EVERYBODY: [&str; 7] =
    ["responders", "team", "leadership", "executives", "staff", "customers", "caretaker"];

/// Takes one webhook in. Alertmanager sends again after a 5xx, and never after a 4xx.
async fn take(engine: Option<&Engine>, request: Request<Incoming>) -> StatusCode {
    let limits = Limits::default();
    let Ok(body) = Limited::new(request.into_body(), limits.bytes).collect().await else {
        return StatusCode::PAYLOAD_TOO_LARGE;
    };
    let Ok(webhook) = Webhook::parse_within(&body.to_bytes(), &limits) else {
        return StatusCode::BAD_REQUEST;
    };
    let Some(engine) = engine else { return StatusCode::OK };
    match engine.ingest("alertmanager", webhook.signals).await {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Serves until whoever started it is gone: the program of the process that [`Served`] starts.
pub fn serve(database: &Path, sink: &str, who: Who) {
    let runtime = runtime();
    let engine = (who != Who::Endpoint).then(|| engine(database, sink, who));
    if let Some(looping) = engine.clone() {
        runtime.spawn(async move { looping.run(std::future::pending()).await });
    }
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        say_where(listener.local_addr().expect("it is bound"));
        tokio::spawn(accept(listener, engine));
        let _ = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await;
    });
    // Whoever started it has what it wanted; what is still owed is of no interest.
    std::process::exit(0);
}

#[allow(clippy::print_stdout, reason = "the process that started it reads this")]
fn say_where(address: SocketAddr) {
    println!("{address}");
}

fn engine(database: &Path, sink: &str, who: Who) -> Engine {
    let store = SqliteStore::open(database).expect("the store opens");
    let mut runbook = Runbook::default();
    if who == Who::Ours {
        runbook.signals.storm.incidents = 0;
    }
    Engine::builder(store)
        .runbook(runbook)
        .ports("hook", notifier(sink))
        .route("hook", &EVERYBODY)
        .build()
        .expect("the engine can be built")
}

/// Signed webhooks to `sink`.
#[must_use]
pub fn notifier(sink: &str) -> Ports {
    let secret = SecretValue::held(Secret::new("measured".to_owned()));
    let mut config = HttpConfig::new(&format!("http://{sink}"));
    config.webhook = Some(WebhookConfig::new(TextOrSecret::text("/notices"), secret));
    HttpBackend::new(config).expect("it is a service").into_ports()
}

async fn accept(listener: TcpListener, engine: Option<Engine>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let engine = engine.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| async {
                let mut answer = Response::new(Empty::<Bytes>::new());
                *answer.status_mut() = take(engine.as_ref(), request).await;
                Ok::<_, Infallible>(answer)
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// The endpoint in a process of its own, so that its CPU and memory can be told.
#[derive(Debug)]
pub struct Served {
    child: Child,
    address: SocketAddr,
}

impl Served {
    /// Starts this program again, as `serve`.
    ///
    /// # Errors
    /// Why it doesn't start.
    pub fn start(database: &Path, sink: SocketAddr, who: Who) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut child = Command::new(program)
            .args([Path::new("serve"), database, Path::new(&sink.to_string()), Path::new(who.name())])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            let _ = BufReader::new(out).read_line(&mut line);
        }
        let Ok(address) = line.trim().parse() else {
            let _ = child.kill();
            return Err("the endpoint doesn't start".to_owned());
        };
        Ok(Self { child, address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
