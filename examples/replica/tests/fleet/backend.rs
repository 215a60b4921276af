//! What the replicas call: it keeps notices and flags, and remembers everything that was done to it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::Instant;

/// A notice as it came.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    pub(crate) route: String,
    pub(crate) effect: String,
    pub(crate) marked: bool,
    pub(crate) at: Instant,
}

/// A flag, and who set it to that.
#[derive(Debug, Clone, Default)]
struct Flag {
    value: bool,
    version: u64,
    effect: String,
}

/// All that was done.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) notices: Vec<Came>,
    /// How often each effect switched a flag.
    pub(crate) switched: BTreeMap<String, usize>,
    flags: BTreeMap<String, Flag>,
    pub(crate) calls: usize,
    /// Whether answers are kept back.
    pub(crate) holds: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Backend {
    pub(crate) port: u16,
    pub(crate) inbox: Arc<Mutex<Inbox>>,
    pub(crate) called: Arc<Notify>,
}

impl Backend {
    /// Listens on loopback until the test is over.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let backend = Self { port, inbox: Arc::default(), called: Arc::default() };
        let serving = backend.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let backend = serving.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| {
                        let backend = backend.clone();
                        async move { Ok::<_, Infallible>(backend.answer(request).await) }
                    });
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        backend
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
            return plain(StatusCode::BAD_REQUEST);
        };
        let header = |name: &str| head.headers.get(name).and_then(|it| it.to_str().ok()).map(str::to_owned);
        let effect = header("x-incident-effect").unwrap_or_default();
        let path = head.uri.path().to_owned();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let held = {
            let mut inbox = self.inbox.lock().unwrap();
            inbox.calls += 1;
            inbox.holds && head.method != Method::GET
        };
        self.called.notify_waiters();
        let answer =
            self.inbox.lock().unwrap().take(&head.method, &path, &effect, &header("if-match"), &body);
        if held {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        answer
    }
}

impl Inbox {
    fn take(
        &mut self,
        method: &Method,
        path: &str,
        effect: &str,
        seen: &Option<String>,
        body: &Value,
    ) -> Response<Full<Bytes>> {
        if let (&Method::POST, Some(route)) = (method, path.strip_prefix("/notices/")) {
            let marked = body["possible_repeat"] == true;
            let came =
                Came { route: route.to_owned(), effect: effect.to_owned(), marked, at: Instant::now() };
            // This room drops an id that it has seen; the pager shows everything.
            let known = |it: &Came| it.route == "room" && it.route == route && it.effect == effect;
            if !self.notices.iter().any(known) || self.holds {
                self.notices.push(came);
            }
            return plain(StatusCode::ACCEPTED);
        }
        let Some(name) = path.strip_prefix("/flags/") else { return plain(StatusCode::NOT_FOUND) };
        let flag = self.flags.entry(name.to_owned()).or_default();
        match *method {
            Method::GET => {
                let state = json!({ "value": flag.value, "version": flag.version, "effect": flag.effect });
                Response::builder()
                    .header("content-type", "application/json")
                    .header("etag", format!("\"{}\"", flag.version))
                    .body(Full::from(state.to_string()))
                    .unwrap()
            }
            Method::PUT if seen.as_deref().is_some_and(|it| it != format!("\"{}\"", flag.version)) => {
                plain(StatusCode::PRECONDITION_FAILED)
            }
            Method::PUT => {
                flag.version += 1;
                flag.value = body["value"] == true;
                effect.clone_into(&mut flag.effect);
                *self.switched.entry(effect.to_owned()).or_default() += 1;
                plain(StatusCode::NO_CONTENT)
            }
            _ => plain(StatusCode::METHOD_NOT_ALLOWED),
        }
    }
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::default()).unwrap()
}
