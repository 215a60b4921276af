//! One webhook: what is taken from it.

mod lenient;
mod plain;
mod repair;
mod text;

use incident_core::model::signal::Signal;

use crate::error::WebhookError;
use crate::limits::Limits;

/// What one POST of Alertmanager or Grafana says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Webhook {
    /// The alerts that are listed, in their order. What couldn't be read of one is in its notes.
    pub signals: Vec<Signal>,
    /// How many alerts of the group aren't among them: the sender left them out, or they are beyond the limit. Nothing is
    /// known about them.
    pub truncated: u64,
    /// The receiver it was sent to, as the sender's configuration calls it; empty if it doesn't say.
    pub receiver: String,
    /// What tells the group from others of the same sender; empty if it doesn't say.
    pub group_key: String,
    /// What couldn't be read beside the alerts. It never repeats what was sent.
    pub notes: Vec<String>,
}

impl Webhook {
    /// Reads a body, within the default [`Limits`].
    ///
    /// # Errors
    /// [`WebhookError`] if the body is no webhook at all. What is odd in a webhook is noted and refuses nothing.
    pub fn parse(body: &[u8]) -> Result<Self, WebhookError> {
        Self::parse_within(body, &Limits::default())
    }

    /// Reads a body, within limits of your own.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_within(body: &[u8], limits: &Limits) -> Result<Self, WebhookError> {
        if body.len() > limits.bytes {
            return Err(WebhookError::TooLarge { limit: limits.bytes });
        }
        let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        // Nearly every body is plain; only the others are worth a second look.
        match std::str::from_utf8(body).ok().and_then(|text| plain::read(text, limits)) {
            Some(webhook) => Ok(webhook),
            None => lenient::read(body, limits),
        }
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The annotations that say in a line what is wrong, the best first.
const SUMMARIES: [&str; 4] = ["summary", "title", "message", "description"];

/// Whether a link leads to the web and can't act otherwise.
fn is_web(link: &str) -> bool {
    link.starts_with("http://") || link.starts_with("https://")
}
