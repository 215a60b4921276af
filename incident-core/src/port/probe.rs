//! The port to a health check.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::adapter::Adapter;
use super::context::ReadContext;
use super::error::AdapterError;

pub use crate::model::colour::Colour;

/// Looks at one thing and says whether it is well.
#[async_trait]
pub trait Probe: Adapter {
    /// Takes one look.
    ///
    /// # Behaviour
    /// - Changes nothing. A backend that answers "not well" is a red reading; one that can't be asked is an error, which
    ///   the engine records as unknown.
    ///
    /// # Errors
    /// [`AdapterError`] if the backend can't be asked.
    async fn look(&self, cx: &ReadContext) -> Result<Reading, AdapterError>;
}

/// What a probe saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reading {
    /// Well, not well, or not known.
    pub colour: Colour,
    /// What was seen, in a line: `HTTP 503 in 12 ms`. Never a body.
    pub detail: String,
}

impl Reading {
    /// A reading of `colour`, with what was seen.
    #[must_use]
    pub fn new(colour: Colour, detail: &str) -> Self {
        Self { colour, detail: detail.to_owned() }
    }

    /// All is well.
    #[must_use]
    pub fn green(detail: &str) -> Self {
        Self::new(Colour::Green, detail)
    }

    /// It isn't.
    #[must_use]
    pub fn red(detail: &str) -> Self {
        Self::new(Colour::Red, detail)
    }

    /// Nobody can tell.
    #[must_use]
    pub fn unknown(detail: &str) -> Self {
        Self::new(Colour::Unknown, detail)
    }
}
