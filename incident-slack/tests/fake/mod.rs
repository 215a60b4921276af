//! Slack on loopback, written from what Slack documents, faults included: forms and JSON, `"ok": false` with HTTP 200, HTTP 429
//! with `Retry-After`, metadata only for those who ask, answers to a deleted message in the channel itself, limits per minute.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![allow(dead_code, reason = "each test uses a part of it")]

pub(crate) mod channels;
pub(crate) mod files;
#[path = "../limits/mod.rs"]
pub(crate) mod limits;
pub(crate) mod messages;
mod request;
pub(crate) mod workspace;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) use request::Asked;
pub(crate) use workspace::{Trouble, Workspace};

/// The bot's token, which nothing may show.
pub(crate) const TOKEN: &str = "xoxb-4711-open-sesame";
/// The app-level token of Socket Mode.
pub(crate) const APP_TOKEN: &str = "xapp-1-open-sesame";
/// The channel that tests configure.
pub(crate) const CHANNEL: &str = "C0INCIDENTS";

/// What is answered.
pub(crate) enum Reply {
    Json(Value),
    Status(u16, Vec<(&'static str, String)>, Value),
    /// A status alone, with a wait or without.
    Bare(u16, Option<u64>),
    /// A page of somebody in between.
    Html(u16),
    Text(&'static str),
    /// Never answers.
    Silence,
    /// Closes the connection after it has read the request.
    Cut,
}

/// A workspace that is being served; a clone is the same one.
#[derive(Clone)]
pub(crate) struct Slack {
    state: Arc<Mutex<Workspace>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Slack {
    pub(crate) fn new() -> Self {
        Self { state: Arc::new(Mutex::new(Workspace::new())), asked: Arc::default() }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, Workspace> {
        self.state.lock().unwrap()
    }

    /// Every request, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The requests to this method, in order.
    pub(crate) fn asked_for(&self, method: &str) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.method == method).collect()
    }

    /// The methods that were asked for, in order.
    pub(crate) fn methods(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.method).collect()
    }

    pub(crate) fn forget_asked(&self) {
        self.asked.lock().unwrap().clear();
    }

    /// Lets the next request that changes something meet this.
    pub(crate) fn meets(&self, trouble: Trouble) {
        self.state().troubles.push_back(trouble);
    }

    /// Serves one connection.
    pub(crate) async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let service = service_fn(|request| self.answer(request));
        let serving = hyper::server::conn::http1::Builder::new();
        let _ = serving.serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, io::Error> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
        let asked = Asked::read(&parts, body);
        self.asked.lock().unwrap().push(asked.clone());
        let (reply, scopes) = {
            let mut state = self.state();
            (state.take(&asked), state.scopes.join(","))
        };
        let (status, headers, media_type, body) = match reply {
            Reply::Json(json) => (200, Vec::new(), "application/json; charset=utf-8", json.to_string()),
            Reply::Status(status, headers, json) => {
                (status, headers, "application/json; charset=utf-8", json.to_string())
            }
            Reply::Bare(status, wait) => {
                let headers = wait.map(|wait| ("retry-after", wait.to_string()));
                (status, headers.into_iter().collect(), "", String::new())
            }
            Reply::Html(status) => (status, Vec::new(), "text/html", "<html>sorry</html>".to_owned()),
            Reply::Text(text) => (200, Vec::new(), "text/plain", text.to_owned()),
            Reply::Silence => std::future::pending().await,
            Reply::Cut => return Err(io::Error::other("cut")),
        };
        let mut response = Response::builder().status(status);
        if !media_type.is_empty() {
            response = response.header("content-type", media_type);
        }
        response = response.header("x-oauth-scopes", scopes);
        for (name, value) in headers {
            response = response.header(name, value);
        }
        Ok(response.body(Full::new(Bytes::from(body))).unwrap())
    }
}

/// A workspace on a port of loopback; it stops with this.
pub(crate) struct Served {
    pub(crate) slack: Slack,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Served {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let slack = Slack::new();
        slack.state().origin = format!("http://{address}");
        let serving = slack.clone();
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let slack = serving.clone();
                tokio::spawn(async move { slack.serve(stream).await });
            }
        });
        Self { slack, address, task }
    }

    /// Where its API is.
    pub(crate) fn api(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// A response URL of its own.
    pub(crate) fn response_url(&self) -> String {
        format!("http://{}/hooks/response", self.address)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The fields of a message or a channel, by name.
pub(crate) type Fields = BTreeMap<String, String>;
