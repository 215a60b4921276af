//! The field's own client behind a seam, so that an embedder's is as good as ours.

use async_trait::async_trait;
use incident_core::config::Secret;
use serde_json::Value;
use slack_morphism::{
    ClientResult, SlackApiToken, SlackClient, SlackClientApiCallContext, SlackClientHttpConnector,
};
use tracing::Span;
use url::Url;

/// What is asked of a client. Answers are plain JSON: one field of another app's that the library's types don't expect
/// would otherwise make a whole history unreadable.
#[async_trait]
pub(super) trait Transport: Send + Sync {
    async fn get(&self, method: &'static str, params: &[(&'static str, String)]) -> ClientResult<Value>;
    async fn post(&self, method: &'static str, body: &Value) -> ClientResult<Value>;
    async fn send(&self, url: Url, media_type: &'static str, bytes: Vec<u8>) -> ClientResult<Value>;
}

/// A client with a token.
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
    async fn get(&self, method: &'static str, params: &[(&'static str, String)]) -> ClientResult<Value> {
        let params: Vec<(&str, Option<&String>)> =
            params.iter().map(|(name, value)| (*name, Some(value))).collect();
        let session = self.client.open_session(&self.token);
        session.http_session_api.http_get(method, &params, None).await
    }

    async fn post(&self, method: &'static str, body: &Value) -> ClientResult<Value> {
        let session = self.client.open_session(&self.token);
        session.http_session_api.http_post(method, body, None).await
    }

    async fn send(&self, url: Url, media_type: &'static str, bytes: Vec<u8>) -> ClientResult<Value> {
        let span = Span::none();
        let context = SlackClientApiCallContext {
            rate_control_params: None,
            token: None,
            tracing_span: &span,
            is_sensitive_url: true,
        };
        let connector = &self.client.http_api.connector;
        connector.http_post_uri_binary(url, media_type.to_owned(), &bytes, context).await
    }
}
