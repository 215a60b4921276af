//! A Kubernetes API server on loopback, as far as its documentation says how one behaves.
//!
//! It keeps objects with versions and generations, takes the patches that the adapter sends, tries them out, lists,
//! watches, evicts, and refuses as a real one refuses. The controllers that make pods of workloads run after each write
//! unless a test stops them. A container whose image ends in `:bad` is never ready.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail as tests do")]
#![allow(dead_code, reason = "each test uses a part of it")]

mod admit;
mod answer;
mod controllers;
mod handle;
mod patch;
pub(crate) mod samples;
mod selector;
mod state;
mod stream;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) use answer::Answer;
pub(crate) use state::{Key, State};

/// What goes wrong with a request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// This is answered, and nothing is done.
    Answer(Answer),
    /// The connection ends before anything is done.
    Cut,
    /// It is done, and the connection ends without an answer.
    CutAfter,
    /// It is done, and never answered.
    SilenceAfter,
    /// It is done, and the answer's body never ends.
    SlowBody,
    /// Somebody does this just before.
    Before(fn(&mut State)),
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) content_type: String,
    pub(crate) accept: String,
    pub(crate) authorization: String,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is only tried. The options of a deletion are its body; if it has one, its query counts for nothing.
    pub(crate) fn is_dry_run(&self) -> bool {
        if self.method == "DELETE" && !self.body.is_empty() {
            return self.json()["dryRun"] == serde_json::json!(["All"]);
        }
        self.parameter("dryRun") == Some("All")
    }

    /// Whether it changes something.
    pub(crate) fn is_write(&self) -> bool {
        self.method != "GET" && !self.is_dry_run() && !self.path.starts_with("/apis/authorization.k8s.io/")
    }

    /// In a line, as a person counts calls.
    pub(crate) fn shown(&self) -> String {
        let tried = if self.is_dry_run() { " (dry run)" } else { "" };
        let verb = match (self.method.as_str(), self.parameter("watch")) {
            ("GET", Some(_)) => "WATCH",
            (method, _) => method,
        };
        format!("{verb} {}{tried}", self.path)
    }
}

type Meddle = Box<dyn FnMut(&Asked) -> Option<Fault> + Send>;

pub(crate) struct Shared {
    pub(crate) state: Mutex<State>,
    asked: Mutex<Vec<Asked>>,
    accepted: AtomicUsize,
    meddle: Mutex<Option<Meddle>>,
    changed: tokio::sync::Notify,
    /// How long each answer takes.
    slowness: Mutex<std::time::Duration>,
}

/// The running server; it stops with this.
pub(crate) struct Fake {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Fake {
    /// A server without objects.
    pub(crate) async fn start() -> Self {
        Self::listen(None).await
    }

    /// The same over TLS, with the certificate of the authority that a kubeconfig names.
    pub(crate) async fn start_tls() -> (Self, String) {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config =
            config.unwrap().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key);
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config.unwrap()));
        (Self::listen(Some(acceptor)).await, made.cert.pem())
    }

    async fn listen(tls: Option<tokio_rustls::TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            state: Mutex::new(State::default()),
            asked: Mutex::new(Vec::new()),
            accepted: AtomicUsize::new(0),
            meddle: Mutex::new(None),
            changed: tokio::sync::Notify::new(),
            slowness: Mutex::default(),
        });
        let all = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let all = Arc::clone(&all);
                let service = service_fn(move |request| {
                    let all = Arc::clone(&all);
                    async move { serve(&all, request).await }
                });
                let tls = tls.clone();
                tokio::spawn(async move {
                    let serving = hyper::server::conn::http1::Builder::new();
                    if let Some(tls) = tls {
                        let Ok(stream) = tls.accept(stream).await else { return };
                        let _ = serving.serve_connection(TokioIo::new(stream), service).await;
                    } else {
                        let _ = serving.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
                    }
                });
            }
        });
        Self { address, shared, task }
    }

    /// A client for it, as an embedder would hand one over.
    pub(crate) fn client(&self) -> kube::Client {
        let mut config = kube::Config::new(format!("http://{}", self.address).parse().unwrap());
        config.default_retry = false;
        kube::Client::try_from(config).unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }

    /// Lets a test set the server up as it likes; the controllers see it at once.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let result = act(&mut state);
        state.settle();
        result
    }

    /// Puts objects there, as somebody else would, and lets the controllers see them.
    pub(crate) fn put<const N: usize>(&self, objects: [Value; N]) {
        let mut state = self.state();
        for object in objects {
            state.put(object);
        }
        state.settle();
        drop(state);
        self.shared.changed.notify_waiters();
    }

    /// Changes an object behind the adapter's back, and lets the controllers see it.
    pub(crate) fn change(&self, key: &str, change: impl FnOnce(&mut Value)) {
        let mut state = self.state();
        state.change(&Key::of(key), "somebody", change);
        state.settle();
        drop(state);
        self.shared.changed.notify_waiters();
    }

    pub(crate) fn get(&self, key: &str) -> Option<Value> {
        self.state().objects.get(&Key::of(key)).cloned()
    }

    /// Lets the controllers go on after a test had stopped them.
    pub(crate) fn resume(&self) {
        let mut state = self.state();
        state.controllers = true;
        state.settle();
        drop(state);
        self.shared.changed.notify_waiters();
    }

    /// Decides for each request whether something goes wrong with it.
    pub(crate) fn meddle(&self, meddle: impl FnMut(&Asked) -> Option<Fault> + Send + 'static) {
        *self.shared.meddle.lock().unwrap() = Some(Box::new(meddle));
    }

    /// Lets each answer take so long.
    pub(crate) fn slow(&self, by: std::time::Duration) {
        *self.shared.slowness.lock().unwrap() = by;
    }

    /// The next write suffers `fault`.
    pub(crate) fn fail_write(&self, fault: Fault) {
        let mut fault = Some(fault);
        self.meddle(move |asked| if asked.is_write() { fault.take() } else { None });
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    pub(crate) fn forget(&self) {
        self.shared.asked.lock().unwrap().clear();
    }

    /// What was sent that changes something.
    pub(crate) fn writes(&self) -> Vec<Asked> {
        self.asked().into_iter().filter(Asked::is_write).collect()
    }

    /// How much of it was done.
    pub(crate) fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::Relaxed)
    }

    /// All calls, in lines.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.asked().iter().map(Asked::shown).collect()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Body = BoxBody<Bytes, Infallible>;

async fn serve(shared: &Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, io::Error> {
    if request.uri().path().ends_with("/exec") {
        return Ok(stream::exec(shared, request));
    }
    let asked = read(request).await;
    shared.asked.lock().unwrap().push(asked.clone());
    let slowness = *shared.slowness.lock().unwrap();
    if !slowness.is_zero() {
        tokio::time::sleep(slowness).await;
    }
    let fault = shared.meddle.lock().unwrap().as_mut().and_then(|meddle| meddle(&asked));
    match &fault {
        Some(Fault::Answer(answer)) => return Ok(respond(answer.clone())),
        Some(Fault::Cut) => return Err(io::Error::other("cut")),
        Some(Fault::Before(act)) => {
            let mut state = shared.state.lock().unwrap();
            act(&mut state);
            state.settle();
        }
        _ => {}
    }
    if asked.parameter("watch").is_some() {
        return Ok(stream::watch(shared, &asked));
    }
    let answer = handle::handle(&mut shared.state.lock().unwrap(), &asked);
    if asked.is_write() && answer.status < 300 {
        shared.accepted.fetch_add(1, Ordering::Relaxed);
    }
    shared.changed.notify_waiters();
    match fault {
        Some(Fault::CutAfter) => Err(io::Error::other("cut")),
        Some(Fault::SilenceAfter) => std::future::pending().await,
        Some(Fault::SlowBody) => Ok(stream::endless(&answer)),
        _ => Ok(respond(answer)),
    }
}

async fn read(request: Request<Incoming>) -> Asked {
    let (parts, body) = request.into_parts();
    let header =
        |name: &str| parts.headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
    Asked {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: pairs(parts.uri.query().unwrap_or_default()),
        content_type: header("content-type"),
        accept: header("accept"),
        authorization: header("authorization"),
        body: body.collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default(),
    }
}

/// The parameters of a query, in their order.
fn pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(key, value)| (key.to_owned(), decoded(&value.replace('+', " ")))).collect()
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let hex =
            (bytes[at] == b'%').then(|| u8::from_str_radix(text.get(at + 1..at + 3)?, 16).ok()).flatten();
        out.push(hex.unwrap_or(bytes[at]));
        at += if hex.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn respond(answer: Answer) -> Response<Body> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Full::new(Bytes::from(answer.body)).boxed()).unwrap()
}
