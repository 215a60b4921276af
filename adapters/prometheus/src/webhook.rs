//! One webhook: what is taken from it.

mod alert;
mod read;
mod text;

use std::cell::Cell;

use incident_core::domain::Signal;
use serde::de::DeserializeSeed as _;

use crate::error::{Field, Place, WebhookError};
use crate::limits::Limits;
use read::{Reading, WebhookSeed};

/// What one POST of Alertmanager or Grafana says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Webhook {
    /// The alerts that are listed, in their order.
    pub signals: Vec<Signal>,
    /// How many alerts of the group aren't listed, as the sender says. Nothing is known about them.
    pub truncated: u64,
    /// The receiver it was sent to, as the sender's configuration calls it; empty if it doesn't say.
    pub receiver: String,
    /// What tells the group from others of the same sender; empty if it doesn't say.
    pub group_key: String,
}

impl Webhook {
    /// Reads a body, within the default [`Limits`].
    ///
    /// # Errors
    /// [`WebhookError`] names what is wrong first; nothing of the body is to be used then.
    pub fn parse(body: &[u8]) -> Result<Self, WebhookError> {
        Self::parse_within(body, &Limits::default())
    }

    /// Reads a body, within limits of your own.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_within(body: &[u8], limits: &Limits) -> Result<Self, WebhookError> {
        let place = Place { alert: None, field: Field::Body };
        if body.len() > limits.bytes {
            return Err(WebhookError::TooMany { field: "bytes".to_owned(), limit: limits.bytes });
        }
        let reading = Reading { limits: *limits, place: Cell::new(place), over: Cell::new(None) };
        let text = std::str::from_utf8(body).map_err(|error| not_text(body, error.valid_up_to()))?;
        let mut json = serde_json::Deserializer::from_str(text);
        let webhook = WebhookSeed(&reading).deserialize(&mut json).map_err(|error| reading.why(&error))?;
        json.end().map_err(|error| reading.why(&error))?;
        Ok(webhook)
    }
}

/// The bytes are no text from `at` on.
fn not_text(body: &[u8], at: usize) -> WebhookError {
    let before = &body[..at];
    let begin = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    WebhookError::Syntax { line, column: at - begin + 1 }
}
