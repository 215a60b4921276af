//! From what Slack says to what the engine can do about it.

mod codes;

use std::error::Error;
use std::time::Duration;

use incident_core::port::{AdapterError, ErrorKind};
use serde_json::Value;
use slack_morphism::errors::SlackClientError;

use codes::meaning;

/// The longest wait that is honoured. Slack's limits are per minute, so a longer one is a mistake of something in between,
/// and obeying it would silence an incident.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// Whether a request changes something, and so whether a failure leaves a doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Read,
    Write,
}

/// A request that came to nothing, or nobody knows to what.
///
/// It keeps nothing of the client library's own errors, whose `Display` has the whole answer in it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The time was over before the request could be sent.
    Unsent,
    /// No place in the channel's queue before the deadline.
    NoPlace(Duration),
    NotConnected(Box<dyn Error + Send + Sync>),
    TimedOut,
    Lost(Option<Box<dyn Error + Send + Sync>>),
    /// The answer isn't one of Slack's.
    Odd,
    /// A status that isn't a success.
    Status(u16),
    /// HTTP 429.
    Waits(Option<Duration>),
    /// `"ok": false`.
    Refused(Refused),
}

/// Slack's own refusal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The code, if it is a word of the API and no prose.
    pub(crate) code: String,
    needed: String,
    provided: String,
}

impl Failure {
    pub(crate) fn of(error: SlackClientError) -> Self {
        match error {
            SlackClientError::ApiError(error) => {
                let body = error.http_response_body.as_deref().unwrap_or_default();
                Self::refused(&error.code, &serde_json::from_str(body).unwrap_or_default())
            }
            SlackClientError::RateLimitError(error) => Self::Waits(error.retry_after),
            SlackClientError::HttpError(error) => Self::Status(error.status_code.as_u16()),
            SlackClientError::HttpProtocolError(error) => Self::transport(error.cause),
            SlackClientError::SystemError(error) => Self::Lost(error.cause),
            SlackClientError::ProtocolError(_) => Self::Odd,
            SlackClientError::EndOfStream(_) | SlackClientError::SocketModeProtocolError(_) => {
                Self::Lost(None)
            }
        }
    }

    /// The refusal with `code` in the answer `body`.
    pub(crate) fn refused(code: &str, body: &Value) -> Self {
        let text = |key: &str| body[key].as_str().and_then(scopes).unwrap_or_default().to_owned();
        let code = if is_code(code) { code.to_owned() } else { String::new() };
        Self::Refused(Refused { code, needed: text("needed"), provided: text("provided") })
    }

    fn transport(cause: Option<Box<dyn Error + Send + Sync>>) -> Self {
        match cause {
            Some(cause) => match cause.downcast_ref::<hyper_util::client::legacy::Error>() {
                Some(error) if error.is_connect() => Self::NotConnected(cause),
                _ => Self::Lost(Some(cause)),
            },
            None => Self::Lost(None),
        }
    }

    /// Slack's code, if it refused.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(refused) => Some(&refused.code),
            _ => None,
        }
    }

    /// What it is in a few words, for a receipt.
    pub(crate) fn brief(&self) -> String {
        match self {
            Self::Refused(refused) if !refused.code.is_empty() => refused.code.clone(),
            other => other.kind().to_string(),
        }
    }

    /// Whether the same request may succeed soon although nobody changes anything.
    pub(crate) fn passes(&self) -> bool {
        match self {
            Self::Status(status) => *status != 413,
            other => matches!(other.kind(), ErrorKind::RateLimited | ErrorKind::Unavailable),
        }
    }

    /// Whether Slack itself refuses, and waiting alone won't change that.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_)) && !self.passes()
    }

    /// Whether the token is at fault, and so everything fails alike.
    pub(crate) fn is_about_token(&self) -> bool {
        self.kind() == ErrorKind::Auth
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoPlace(_) | Self::Waits(_) => ErrorKind::RateLimited,
            Self::Refused(refused) => meaning(&refused.code).kind,
            Self::Status(status) => status_kind(*status),
            _ => ErrorKind::Unavailable,
        }
    }

    pub(crate) fn into_error(self, operation: &'static str, purpose: Purpose) -> AdapterError {
        let error = AdapterError::new(self.kind(), operation);
        let error = match self {
            Self::Unsent => error.with_context("no time was left to ask").not_applied(),
            Self::NoPlace(wait) => {
                let why = "the channel takes one message a second, and others come first";
                error.with_context(why).retry_after(Some(wait))
            }
            Self::NotConnected(source) => error.with_context("no connection").not_applied().caused_by(source),
            Self::TimedOut => error.with_context("no answer in time"),
            Self::Lost(source) => {
                let error = error.with_context("the connection ended without a valid answer");
                match source {
                    Some(source) => error.caused_by(source),
                    None => error,
                }
            }
            Self::Odd => error.with_context("the answer isn't Slack's; is it a proxy's?"),
            // Slack answers with 200, 429 and 5xx; every other status comes from something in between.
            Self::Status(status @ 300..=499) if status != 413 && error.kind != ErrorKind::Unavailable => {
                let from = format!("HTTP {status}, which Slack doesn't send: is a proxy in between?");
                error.with_context(from).not_applied().retry_after(None)
            }
            Self::Status(status) => error.with_context(format!("HTTP {status}")),
            Self::Waits(wait) => error.retry_after(wait.map(|wait| wait.min(LONGEST_WAIT))),
            Self::Refused(refused) => refused.describe(error),
        };
        if purpose == Purpose::Read { error.not_applied() } else { error }
    }
}

impl Refused {
    fn describe(&self, error: AdapterError) -> AdapterError {
        let meaning = meaning(&self.code);
        let code = if self.code.is_empty() { "an unknown code" } else { &self.code };
        let mut context = code.to_owned();
        if !meaning.then.is_empty() {
            context = format!("{context}: {}", meaning.then);
        }
        if !self.needed.is_empty() {
            let provided = if self.provided.is_empty() { "nothing known" } else { &self.provided };
            context = format!("{context}; needed {}, provided {provided}", self.needed);
        }
        let error = error.with_context(context);
        let error = if meaning.maybe { error.maybe_applied() } else { error.not_applied() };
        if meaning.is_final { error } else { error.retry_after(None) }
    }
}

fn status_kind(status: u16) -> ErrorKind {
    match status {
        300..=399 => ErrorKind::Config,
        401 | 407 => ErrorKind::Auth,
        403 => ErrorKind::Permission,
        404 => ErrorKind::NotFound,
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::RateLimited,
        408 | 425 | 500..=599 => ErrorKind::Unavailable,
        400..=499 => ErrorKind::Invalid,
        _ => ErrorKind::Unavailable,
    }
}

fn is_code(text: &str) -> bool {
    let belongs = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !text.is_empty() && text.len() <= 64 && text.bytes().all(belongs)
}

fn scopes(text: &str) -> Option<&str> {
    let belongs = |byte: u8| byte.is_ascii_alphanumeric() || b":._-, ".contains(&byte);
    (text.len() <= 400 && text.bytes().all(belongs)).then_some(text)
}

#[cfg(test)]
mod tests;
