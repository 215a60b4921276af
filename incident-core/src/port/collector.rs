//! The port to a source of evidence.

use async_trait::async_trait;

use super::adapter::Adapter;
use super::context::ReadContext;
use super::error::AdapterError;

/// Takes down what will be gone later: logs, events, states, recent changes.
#[async_trait]
pub trait Collector: Adapter {
    /// Collects what there is.
    ///
    /// # Behaviour
    /// - Changes nothing. Bounded in time and size: what was left out is said in [`Capture::truncated`].
    /// - Never takes values of secrets or of configuration; names, versions and hashes are enough.
    ///
    /// # Errors
    /// [`AdapterError`] if nothing could be collected.
    async fn collect(&self, cx: &ReadContext) -> Result<Vec<Capture>, AdapterError>;
}

/// A piece of evidence, before it is stored. Text is redacted then.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capture {
    /// What it is, such as `logs/checkout-7d9f`.
    pub name: String,
    /// Its media type, such as `text/plain`.
    pub media_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether something was left out.
    pub truncated: bool,
}

impl std::fmt::Debug for Capture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Capture({}, {} bytes)", self.name, self.bytes.len())
    }
}

impl Capture {
    /// A capture of text.
    #[must_use]
    pub fn text(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            media_type: "text/plain".to_owned(),
            bytes: text.as_bytes().to_vec(),
            truncated: false,
        }
    }

    /// A capture of bytes, such as a screenshot: `image/png`. What isn't text is kept as it is, without redaction.
    #[must_use]
    pub fn binary(name: &str, media_type: &str, bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), media_type: media_type.to_owned(), bytes, truncated: false }
    }

    /// With something left out.
    #[must_use]
    pub fn truncated(mut self) -> Self {
        self.truncated = true;
        self
    }
}
