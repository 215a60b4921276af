//! References to secrets. The secret itself is read when an adapter is built, and is in no configuration.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer};

/// Where a secret is: `{ env = "SLACK_TOKEN" }` or `{ file = "/run/secrets/slack" }`.
///
/// A literal secret in a configuration is refused, without being repeated in the error. There is no `Serialize`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename_all = "snake_case"))]
pub enum SecretRef {
    /// In this variable of the environment.
    Env(String),
    /// In this file; line breaks at its end don't count.
    File(PathBuf),
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Shape {
            Reference(Reference),
            Other(serde::de::IgnoredAny),
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Reference {
            Env(String),
            File(PathBuf),
        }
        match Shape::deserialize(deserializer)? {
            Shape::Reference(Reference::Env(name)) => Ok(Self::Env(name)),
            Shape::Reference(Reference::File(path)) => Ok(Self::File(path)),
            Shape::Other(_) => Err(serde::de::Error::custom(
                "expected a reference to a secret, { env = \"NAME\" } or { file = \"PATH\" }; a secret itself doesn't belong here",
            )),
        }
    }
}

impl SecretRef {
    /// Reads the secret.
    ///
    /// # Errors
    /// [`SecretError`] if it isn't there, is empty or isn't text.
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn read(&self) -> Result<Secret, SecretError> {
        let secret = match self {
            Self::Env(name) => {
                std::env::var(name).map_err(|_| SecretError::new(self, "it is not set, or not text"))?
            }
            Self::File(path) => std::fs::read_to_string(path)
                .map_err(|error| SecretError::new(self, &error.kind().to_string()))?,
        };
        let secret = secret.trim_end_matches(['\n', '\r']);
        // A key of nothing but NULs is the same to HMAC as an empty one.
        if secret.chars().all(|character| character.is_whitespace() || character == '\0') {
            return Err(SecretError::new(self, "it is empty"));
        }
        Ok(Secret(secret.to_owned()))
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "the environment variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
        }
    }
}

/// A secret that was read. It never shows itself.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A secret that an embedder already holds.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret itself, for the one call that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A secret couldn't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the secret can't be read from {place}: {why}")]
pub struct SecretError {
    place: String,
    why: String,
}

impl SecretError {
    fn new(place: &SecretRef, why: &str) -> Self {
        Self { place: place.to_string(), why: why.to_owned() }
    }
}
