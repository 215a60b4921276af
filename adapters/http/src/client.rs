//! The one client of a backend: its headers, its deadlines, and how much of an answer it reads.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, Incoming};
use incident_core::config::ConfigError;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::budget::Budget;
use crate::config::HttpConfig;
use crate::connections::{Connections, Outgoing};
use crate::error::Failure;
use crate::request::{Base, Request};
use crate::secret;

/// Bytes of an answer that are read.
const MOST: usize = 256 * 1024;

/// The client that all ports of a backend share.
#[derive(Clone)]
pub(crate) struct Client(Arc<Inner>);

struct Inner {
    connections: Connections,
    base: Base,
    headers: HeaderMap,
    timeout: Duration,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) took: Duration,
}

/// What of an answer's body was read.
pub(crate) enum Body {
    Whole(Vec<u8>),
    TooLarge,
    Broken(Failure),
}

impl Body {
    /// The body as JSON, if it is.
    pub(crate) fn json(&self) -> Option<Value> {
        match self {
            Self::Whole(bytes) => json(bytes),
            Self::TooLarge | Self::Broken(_) => None,
        }
    }
}

/// `bytes` as JSON. Some servers put a byte order mark before it.
pub(crate) fn json(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).ok()
}

impl Client {
    /// # Errors
    /// [`ConfigError`] naming the field.
    pub(crate) fn new(config: &HttpConfig) -> Result<Self, ConfigError> {
        let base = Base::new("base_url", &config.base_url)?;
        if config.connect_timeout.is_zero() {
            return Err(ConfigError::new("connect_timeout", "expected more than nothing"));
        }
        if config.timeout <= config.connect_timeout {
            return Err(ConfigError::new("timeout", "expected more than connect_timeout"));
        }
        let mut headers = HeaderMap::from_iter([
            (HOST, base.host.clone()),
            (USER_AGENT, HeaderValue::from_static(concat!("incident-http/", env!("CARGO_PKG_VERSION")))),
            (ACCEPT, HeaderValue::from_static("*/*")),
        ]);
        headers.extend(secret::headers("headers", &config.headers, &config.base)?);
        let connections = Connections::new(base.origin.clone(), config.connect_timeout)?;
        Ok(Self(Arc::new(Inner { connections, base, headers, timeout: config.timeout })))
    }

    /// The base URL as it may be shown: host and path.
    pub(crate) fn shown(&self) -> &str {
        &self.0.base.shown
    }

    /// How long one request may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// Sends `request` once and reads what of the answer fits.
    pub(crate) async fn send(&self, request: &Request, budget: &Budget) -> Result<Answer, Failure> {
        let Ok(Some(turn)) = timeout_at(budget.ends(), self.0.connections.turn()).await else {
            return Err(Failure::unsent());
        };
        let started = Instant::now();
        let ends = budget.ends().min(started + self.0.timeout);
        if ends <= started {
            return Err(Failure::unsent());
        }
        let sent = timeout_at(ends, turn.send(self.complete(request)?)).await;
        let (connection, answer) = sent.unwrap_or_else(|_| Err(Failure::timed_out()))?;
        let (head, incoming) = answer.into_parts();
        let body = timeout_at(ends, read(incoming)).await.unwrap_or(Body::Broken(Failure::timed_out()));
        let took = started.elapsed();
        if matches!(body, Body::Whole(_)) {
            turn.keep(connection, ends).await;
        }
        Ok(Answer { status: head.status, headers: head.headers, body, took })
    }

    /// `request` with what every request to this backend has.
    fn complete(&self, request: &Request) -> Result<http::Request<Outgoing>, Failure> {
        let mut headers = self.0.headers.clone();
        headers.extend(request.headers.clone());
        let mut complete = http::Request::new(request.body.clone().into());
        *complete.method_mut() = request.method.clone();
        *complete.uri_mut() = self.0.base.target(&request.path).ok_or_else(Failure::unsent)?;
        *complete.headers_mut() = headers;
        Ok(complete)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.0.base.shown).finish_non_exhaustive()
    }
}

/// Reads the body until it ends or is too large; what a server claims in Content-Length reserves nothing.
async fn read(mut incoming: Incoming) -> Body {
    let mut bytes = Vec::new();
    while let Some(frame) = incoming.frame().await {
        match frame.map(Frame::into_data) {
            Ok(Ok(chunk)) if bytes.len() + chunk.len() <= MOST => bytes.extend_from_slice(&chunk),
            Ok(Ok(_)) => return Body::TooLarge,
            // Trailers say nothing that is asked for.
            Ok(Err(_)) => {}
            Err(error) => return Body::Broken(Failure::lost(error)),
        }
    }
    Body::Whole(bytes)
}
