//! What all outward ports have in common.

use std::fmt;

use async_trait::async_trait;

use super::context::PreflightContext;
use super::error::AdapterError;

pub use crate::model::effect::Repeat;

/// An adapter to a backend.
///
/// Expected of every adapter: it never retries a write by itself; every call has a connect and a total deadline; it
/// doesn't print or return a secret, also not through `Debug`.
#[async_trait]
pub trait Adapter: fmt::Debug + Send + Sync + 'static {
    /// What the backend can and can't do.
    fn capabilities(&self) -> Capabilities;

    /// Finds out before an incident whether this adapter will work in one.
    ///
    /// # Behaviour
    /// - Changes nothing outside.
    /// - Checks the token, the permissions, the channel or repository it is configured for; each is a line of the
    ///   result, good or bad.
    ///
    /// # Errors
    /// [`AdapterError`] if the backend can't be asked.
    async fn preflight(&self, cx: &PreflightContext) -> Result<Preflight, AdapterError>;
}

/// What a backend can do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The backend's name, as identities use it: `slack`, `github`.
    pub system: String,
    /// The most characters a text may have, if the backend has a limit.
    pub max_text: Option<usize>,
    /// Whether its messages form conversations that later ones answer in.
    pub conversations: bool,
}

impl Capabilities {
    /// Those of a backend called `system`, with no limit and no conversations.
    #[must_use]
    pub fn new(system: &str) -> Self {
        Self { system: system.to_owned(), ..Self::default() }
    }

    /// With conversations.
    #[must_use]
    pub fn with_conversations(mut self) -> Self {
        self.conversations = true;
        self
    }

    /// With texts of at most so many characters.
    #[must_use]
    pub fn with_max_text(mut self, characters: usize) -> Self {
        self.max_text = Some(characters);
        self
    }
}

/// What a preflight found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preflight {
    /// What was checked, one after the other.
    pub checks: Vec<PreflightCheck>,
}

impl Preflight {
    /// With one more thing that is as it should be.
    #[must_use]
    pub fn good(mut self, what: &str) -> Self {
        self.checks.push(PreflightCheck { what: what.to_owned(), missing: None });
        self
    }

    /// With one more thing that is missing, and what to do about it.
    #[must_use]
    pub fn bad(mut self, what: &str, then: &str) -> Self {
        self.checks.push(PreflightCheck { what: what.to_owned(), missing: Some(then.to_owned()) });
        self
    }

    /// Whether nothing is missing.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.checks.iter().all(|check| check.missing.is_none())
    }
}

/// One line of a preflight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreflightCheck {
    /// What was checked.
    pub what: String,
    /// What to do if it isn't as it should be.
    pub missing: Option<String>,
}

/// What looking for an effect found.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<T> {
    /// It happened.
    Yes(T),
    /// It certainly didn't.
    No,
    /// The backend can't tell.
    CannotTell,
}
