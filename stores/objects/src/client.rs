//! The one HTTP client of a store: its TLS, its deadlines, and what it takes for an answer.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use incident_core::config::ConfigError;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use reqwest::StatusCode;

use crate::error::{Failure, is_untrusted};

/// A client that follows no redirect, takes no proxy from the environment and repeats nothing by itself.
#[derive(Clone)]
pub(crate) struct Client(reqwest::Client);

impl Client {
    pub(crate) fn new(timeout: Duration) -> Result<Self, ConfigError> {
        if timeout < Duration::from_secs(1) {
            return Err(ConfigError::new("timeout", "expected a second or more"));
        }
        install_ring_if_none();
        let built = reqwest::Client::builder()
            .user_agent(concat!("incident-object-store/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(timeout.min(Duration::from_secs(5)) / 2)
            // Half of the whole leaves room for a second try.
            .timeout(timeout / 2)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .build();
        built.map(Self).map_err(|error| {
            let mut wrong = ConfigError::new("", "no client can be built");
            wrong.source = Some(Box::new(error.without_url()));
            wrong
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl HttpConnector for Client {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Client {
    /// Passes on what object_store has a name for or tries again; of anything else it would keep only text.
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer =
            HttpService::call(&self.0, request).await.map_err(|error| match is_untrusted(&error) {
                true => HttpError::new(HttpErrorKind::Unknown, Failure::Untrusted),
                false => error,
            })?;
        let status = answer.status();
        let named = matches!(
            status,
            StatusCode::NOT_MODIFIED
                | StatusCode::UNAUTHORIZED
                | StatusCode::FORBIDDEN
                | StatusCode::NOT_FOUND
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::CONFLICT
                | StatusCode::PRECONDITION_FAILED
                | StatusCode::TOO_MANY_REQUESTS
        );
        let again = status.is_server_error()
            && !matches!(status, StatusCode::NOT_IMPLEMENTED | StatusCode::INSUFFICIENT_STORAGE);
        if status.is_success() || named || again {
            return Ok(answer);
        }
        Err(HttpError::new(HttpErrorKind::Unknown, Failure::Refused(status.as_u16())))
    }
}

/// How often, and for how long, object_store repeats what it takes to be safe to repeat.
pub(crate) fn retry(timeout: Duration) -> RetryConfig {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(5),
        base: 2.0,
    };
    RetryConfig { backoff, max_retries: 4, retry_timeout: timeout }
}

fn install_ring_if_none() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Losing this race means that somebody else has installed one, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}
