//! Why a webhook can't be taken, without what was in it.

/// Why a webhook can't be taken. It names the place and never repeats what was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The body isn't JSON, or ends too early.
    #[error(
        "the body is not JSON at line {line}, column {column}; send Alertmanager's webhook without a payload template"
    )]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The byte of the line, from 1.
        column: usize,
    },
    /// The body isn't a webhook.
    #[error("{field}: expected {expected}; send Alertmanager's webhook, version 4")]
    Field {
        /// What isn't right.
        field: &'static str,
        /// What should be there.
        expected: &'static str,
    },
    /// The body has more bytes than are taken at once.
    #[error("the body: expected at most {limit} bytes; lower max_alerts or raise the limit")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
}

impl WebhookError {
    /// Where the body as it was sent isn't JSON; `error` is about the repaired one, whose lines may be others.
    pub(crate) fn syntax(body: &[u8], error: &serde_json::Error) -> Self {
        let sent = serde_json::from_slice::<serde::de::IgnoredAny>(body).err();
        let error = sent.as_ref().unwrap_or(error);
        Self::Syntax { line: error.line(), column: error.column() }
    }
}
