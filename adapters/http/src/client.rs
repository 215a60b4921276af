//! The one client of a backend: its connections, its deadlines, and how much of an answer it reads.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use incident_core::config::ConfigError;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::budget::Budget;
use crate::config::HttpConfig;
use crate::error::Failure;
use crate::request::{self, Request};
use crate::secret;

/// Requests in flight at once; more of them only slow each other down.
const IN_FLIGHT: usize = 32;
/// Bytes of an answer that are read.
const MOST: usize = 256 * 1024;

/// The client that all ports of a backend share.
#[derive(Clone)]
pub(crate) struct Client(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    base: String,
    shown: String,
    timeout: Duration,
    permits: Semaphore,
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
            Self::Whole(bytes) => serde_json::from_slice(bytes).ok(),
            Self::TooLarge | Self::Broken(_) => None,
        }
    }
}

impl Client {
    /// # Errors
    /// [`ConfigError`] naming the field.
    pub(crate) fn new(config: &HttpConfig) -> Result<Self, ConfigError> {
        let (base, shown) = request::base_url("base_url", &config.base_url)?;
        if config.connect_timeout.is_zero() {
            return Err(ConfigError::new("connect_timeout", "expected more than nothing"));
        }
        if config.timeout <= config.connect_timeout {
            return Err(ConfigError::new("timeout", "expected more than connect_timeout"));
        }
        install_ring_if_none();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("incident-http/", env!("CARGO_PKG_VERSION")))
            .default_headers(secret::headers("headers", &config.headers)?)
            .connect_timeout(config.connect_timeout)
            .pool_idle_timeout(Duration::from_secs(20))
            .pool_max_idle_per_host(IN_FLIGHT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy();
        if base.starts_with("http://") {
            // Without this, a container that has no certificates couldn't even speak plain HTTP.
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build().map_err(|error| {
            let mut wrong = ConfigError::new("base_url", "no client can be built for it");
            wrong.source = Some(Box::new(error.without_url()));
            wrong
        })?;
        let permits = Semaphore::new(IN_FLIGHT);
        Ok(Self(Arc::new(Inner { http, base, shown, timeout: config.timeout, permits })))
    }

    /// The base URL as it may be shown: host and path.
    pub(crate) fn shown(&self) -> &str {
        &self.0.shown
    }

    /// How long one request may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// Sends `request` once and reads what of the answer fits.
    pub(crate) async fn send(&self, request: &Request, budget: &Budget) -> Result<Answer, Failure> {
        let Ok(Ok(_permit)) = timeout_at(budget.ends(), self.0.permits.acquire()).await else {
            return Err(Failure::unsent());
        };
        let left = budget.left().min(self.0.timeout);
        if left.is_zero() {
            return Err(Failure::unsent());
        }
        let started = Instant::now();
        let url = format!("{}{}", self.0.base, request.path);
        let mut sending =
            self.0.http.request(request.method.clone(), url).headers(request.headers.clone()).timeout(left);
        if let Some(body) = &request.body {
            sending = sending.body(body.clone());
        }
        let mut response = sending.send().await.map_err(Failure::of)?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let body = read(&mut response).await;
        Ok(Answer { status, headers, body, took: started.elapsed() })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.0.shown).finish_non_exhaustive()
    }
}

/// Reads the body until it ends or is too large; what a server claims in Content-Length reserves nothing.
async fn read(response: &mut reqwest::Response) -> Body {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() <= MOST => bytes.extend_from_slice(&chunk),
            Ok(Some(_)) => return Body::TooLarge,
            Ok(None) => return Body::Whole(bytes),
            Err(error) => return Body::Broken(Failure::of(error)),
        }
    }
}

fn install_ring_if_none() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Losing this race means that somebody else has installed one, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}
