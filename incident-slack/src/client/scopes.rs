//! What a token is allowed. Slack says so in a header, which the client library doesn't hand on.

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::header::AUTHORIZATION;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use incident_core::config::Secret;
use url::Url;

use super::connect::Connector;
use crate::error::Failure;

/// Asks Slack who we are, only for the header of the answer.
pub(crate) struct Scopes {
    http: Client<Connector, Empty<Bytes>>,
    url: String,
}

impl Scopes {
    pub(crate) fn new(connector: Connector, api: &Url) -> Self {
        let http = Client::builder(TokioExecutor::new()).build(connector);
        Self { http, url: format!("{}/auth.test", api.as_str().trim_end_matches('/')) }
    }

    pub(crate) async fn read(&self, token: &Secret) -> Result<Vec<String>, Failure> {
        let request = Request::builder()
            .method(Method::GET)
            .uri(&self.url)
            .header(AUTHORIZATION, format!("Bearer {}", token.expose()))
            .body(Empty::new());
        let request = request.map_err(|_| Failure::Unsent)?;
        let answer = self.http.request(request).await.map_err(|error| Failure::Lost(Some(error.into())))?;
        let scopes = answer.headers().get("x-oauth-scopes").and_then(|scopes| scopes.to_str().ok());
        let scopes = scopes.ok_or(Failure::Odd)?;
        Ok(scopes.split(',').map(|scope| scope.trim().to_owned()).collect())
    }
}
