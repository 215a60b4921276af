//! How a request reaches Slack: over connections of our own, or through a client that the embedder brings.

use std::time::Duration;

use async_trait::async_trait;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use incident_core::config::Secret;
use serde_json::Value;
use slack_morphism::{SlackApiToken, SlackClient, SlackClientApiCallContext, SlackClientHttpConnector};
use tracing::Span;
use url::Url;

use super::connect::Connector;
use crate::error::Failure;

/// The largest answer that is read.
const LARGEST: usize = 8 * 1024 * 1024;
const JSON: &str = "application/json; charset=utf-8";

type Answered = Result<Value, Failure>;

/// What is asked of a client. Answers are plain JSON: a field of another app's that typed answers don't expect would make a
/// whole history unreadable.
#[async_trait]
pub(super) trait Transport: Send + Sync {
    async fn get(&self, method: &'static str, params: &[(&'static str, String)]) -> Answered;
    async fn post(&self, method: &'static str, body: &Value) -> Answered;
    async fn send(&self, url: Url, media_type: &'static str, bytes: Vec<u8>) -> Answered;
    /// The token's scopes; none if this client can't see them.
    async fn scopes(&self) -> Option<Result<Vec<String>, Failure>>;
}

/// Connections of our own.
pub(super) struct Direct {
    http: Client<Connector, Full<Bytes>>,
    api: String,
    token: Secret,
}

/// An answer, whatever its status.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Direct {
    pub(super) fn new(connector: Connector, api: &Url, token: Secret) -> Self {
        let http = Client::builder(TokioExecutor::new()).build(connector);
        Self { http, api: api.as_str().trim_end_matches('/').to_owned(), token }
    }

    async fn ask(&self, request: hyper::http::request::Builder, body: Vec<u8>) -> Result<Answer, Failure> {
        let request = request.body(Full::new(Bytes::from(body))).map_err(|_| Failure::Unsent)?;
        let answer = self.http.request(request).await.map_err(|error| {
            if error.is_connect() {
                Failure::NotConnected(error.into())
            } else {
                Failure::Lost(Some(error.into()))
            }
        })?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, LARGEST).collect().await;
        let body = body.map_err(|error| Failure::Lost(Some(error)))?.to_bytes();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    fn request(&self, method: Method, url: &str) -> hyper::http::request::Builder {
        let token = format!("Bearer {}", self.token.expose());
        Request::builder().method(method).uri(url).header(AUTHORIZATION, token)
    }
}

impl Answer {
    /// The answer, unless its status says that the request failed.
    fn good(self) -> Result<Self, Failure> {
        let wait = self.headers.get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.trim().parse().ok());
        match self.status.as_u16() {
            200..=299 => Ok(self),
            // A proxy or a load balancer says this as well, often with no body at all.
            429 => Err(Failure::Waits(wait.map(Duration::from_secs))),
            status => Err(Failure::Status(status)),
        }
    }

    fn json(self) -> Answered {
        let answer = self.good()?;
        serde_json::from_slice(&answer.body).map_err(|_| Failure::Odd)
    }
}

#[async_trait]
impl Transport for Direct {
    async fn get(&self, method: &'static str, params: &[(&'static str, String)]) -> Answered {
        let mut url: Url = format!("{}/{method}", self.api).parse().map_err(|_| Failure::Unsent)?;
        url.query_pairs_mut().extend_pairs(params);
        self.ask(self.request(Method::GET, url.as_str()), Vec::new()).await?.json()
    }

    async fn post(&self, method: &'static str, body: &Value) -> Answered {
        let request = self.request(Method::POST, &format!("{}/{method}", self.api));
        self.ask(request.header(CONTENT_TYPE, JSON), body.to_string().into_bytes()).await?.json()
    }

    async fn send(&self, url: Url, media_type: &'static str, bytes: Vec<u8>) -> Answered {
        let request = Request::builder().method(Method::POST).uri(url.as_str());
        self.ask(request.header(CONTENT_TYPE, media_type), bytes).await?.good().map(|_| Value::Null)
    }

    async fn scopes(&self) -> Option<Result<Vec<String>, Failure>> {
        let asked = self.ask(self.request(Method::GET, &format!("{}/auth.test", self.api)), Vec::new()).await;
        Some(asked.and_then(Answer::good).and_then(|answer| {
            let scopes = answer.headers.get("x-oauth-scopes").and_then(|scopes| scopes.to_str().ok());
            let scopes = scopes.ok_or(Failure::Odd)?;
            Ok(scopes.split(',').map(|scope| scope.trim().to_owned()).collect())
        }))
    }
}

/// The field's own client, as an embedder configured it.
pub(super) struct Session<C: SlackClientHttpConnector + Send> {
    client: SlackClient<C>,
    token: SlackApiToken,
}

impl<C: SlackClientHttpConnector + Send> Session<C> {
    pub(super) fn new(client: SlackClient<C>, token: &Secret) -> Self {
        Self { client, token: SlackApiToken::new(token.expose().into()) }
    }
}

#[async_trait]
impl<C: SlackClientHttpConnector + Send + Sync> Transport for Session<C> {
    async fn get(&self, method: &'static str, params: &[(&'static str, String)]) -> Answered {
        let params: Vec<(&str, Option<&String>)> =
            params.iter().map(|(name, value)| (*name, Some(value))).collect();
        let session = self.client.open_session(&self.token);
        session.http_session_api.http_get(method, &params, None).await.map_err(Failure::of)
    }

    async fn post(&self, method: &'static str, body: &Value) -> Answered {
        let session = self.client.open_session(&self.token);
        session.http_session_api.http_post(method, body, None).await.map_err(Failure::of)
    }

    async fn send(&self, url: Url, media_type: &'static str, bytes: Vec<u8>) -> Answered {
        let span = Span::none();
        let context = SlackClientApiCallContext {
            rate_control_params: None,
            token: None,
            tracing_span: &span,
            is_sensitive_url: true,
        };
        let connector = &self.client.http_api.connector;
        let sent = connector.http_post_uri_binary(url, media_type.to_owned(), &bytes, context);
        sent.await.map_err(Failure::of)
    }

    async fn scopes(&self) -> Option<Result<Vec<String>, Failure>> {
        None
    }
}
