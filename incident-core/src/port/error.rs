//! What an adapter says when it couldn't do something: what kind, whether it may have happened, whether to try again.

use std::fmt;
use std::time::Duration;

pub use crate::model::effect::Applied;
use crate::model::inert;

/// An adapter's error.
///
/// `Display` says this layer's part; [`source`](std::error::Error::source) has the rest. Neither ever holds a secret, a
/// URL's token or a response's body.
///
/// ```
/// use incident_core::port::{AdapterError, Applied, ErrorKind};
///
/// let error = AdapterError::new(ErrorKind::Unavailable, "post the notice").not_applied();
/// assert_eq!(error.to_string(), "post the notice: the backend can't be reached");
/// assert_eq!(error.applied, Applied::No);
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub struct AdapterError {
    /// What the caller can do about it.
    pub kind: ErrorKind,
    /// Whether the backend may have done what it was asked.
    pub applied: Applied,
    /// Whether trying again may help.
    pub retry: Retry,
    /// What was tried, in a few words.
    pub operation: &'static str,
    /// What else helps to understand it: a status code, a missing scope. Never a secret, never a body.
    pub context: String,
    /// The library's own error beneath.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl AdapterError {
    /// An error of `kind` while doing `operation`; whether it was applied and may be retried follows from the kind.
    ///
    /// A refusal by the backend wasn't applied. Of [`Unavailable`](ErrorKind::Unavailable) nothing is known, so it may
    /// have been: say [`not_applied`](Self::not_applied) where the adapter knows that the request never left.
    #[must_use]
    pub fn new(kind: ErrorKind, operation: &'static str) -> Self {
        let applied = if kind == ErrorKind::Unavailable { Applied::Maybe } else { Applied::No };
        let retry = match kind {
            ErrorKind::RateLimited | ErrorKind::Unavailable => Retry::After(None),
            _ => Retry::Never,
        };
        Self { kind, applied, retry, operation, context: String::new(), source: None }
    }

    /// Known not to have been applied: never connected, or refused by the backend itself.
    #[must_use]
    pub fn not_applied(mut self) -> Self {
        self.applied = Applied::No;
        self
    }

    /// It may have been applied.
    #[must_use]
    pub fn maybe_applied(mut self) -> Self {
        self.applied = Applied::Maybe;
        self
    }

    /// Worth another try after `wait`, or after the engine's own backoff.
    #[must_use]
    pub fn retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry = Retry::After(wait);
        self
    }

    /// With what helps to understand it, as one line without control characters and of at most 1 KiB. Never a secret, never
    /// a body.
    #[must_use]
    pub fn with_context(mut self, context: impl Into<String>) -> Self {
        const LONGEST: usize = 1_024;
        self.context = inert::plain(&context.into(), LONGEST);
        self
    }

    /// With the error beneath.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for AdapterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.kind)?;
        if self.context.is_empty() { Ok(()) } else { write!(f, " ({})", self.context) }
    }
}

/// Kinds of errors, by what the caller can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Fix the configuration.
    #[error("the configuration is wrong")]
    Config,
    /// Renew the token.
    #[error("the credentials are not accepted")]
    Auth,
    /// Grant the permission.
    #[error("a permission is missing")]
    Permission,
    /// Name something that exists.
    #[error("the target doesn't exist")]
    NotFound,
    /// Send something else.
    #[error("the backend finds the request invalid")]
    Invalid,
    /// Look at who else is changing it.
    #[error("somebody else changed it meanwhile")]
    Conflict,
    /// Make a new plan: the world moved.
    #[error("the world is no longer as planned")]
    Precondition,
    /// Wait.
    #[error("the backend asks to wait")]
    RateLimited,
    /// Try again.
    #[error("the backend can't be reached")]
    Unavailable,
    /// Send less.
    #[error("the content is too large")]
    TooLarge,
    /// Leave it: the backend says no, for good.
    #[error("the backend refuses")]
    Refused,
}

/// Whether trying again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It won't.
    Never,
    /// After so long as the backend says, or after the engine's own backoff if it says nothing.
    After(Option<Duration>),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer of a backend that clears a terminal and writes a line of its own into the log.
    #[test]
    fn what_an_error_says_is_one_short_line() {
        let hostile = format!("\u{1b}[2J\u{202e}down\r\nall is well {}", "x".repeat(5_000_000));
        let error = AdapterError::new(ErrorKind::Refused, "post the notice").with_context(hostile);
        for said in [error.to_string(), format!("{error:?}")] {
            assert!(said.len() < 2_048 && said.contains("down"), "{} bytes", said.len());
            assert!(!said.contains(|it: char| it.is_control() || it == '\u{202e}'));
        }
    }
}
