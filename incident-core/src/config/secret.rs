//! References to secrets. The secret itself is read when an adapter is built, and is in no configuration.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

use super::hidden;

/// Where a secret is: `{ env = "SLACK_TOKEN" }` or `{ file = "/run/secrets/slack" }`.
///
/// A literal secret in a configuration is refused, without being repeated in the error. There is no `Serialize`.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename_all = "snake_case"))]
pub enum SecretRef {
    /// In this variable of the environment.
    Env(String),
    /// In this file; line breaks at its end don't count. A relative path is meant from the settings' folder.
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
    /// Reads the secret. A relative path is meant from `base`, which [`BuildContext`](super::BuildContext) has.
    ///
    /// # Errors
    /// [`SecretError`] if it isn't there, is empty or isn't text.
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn read(&self, base: &Path) -> Result<Secret, SecretError> {
        let secret = match self {
            Self::Env(name) => std::env::var(name).map_err(|error| match error {
                std::env::VarError::NotPresent => SecretError::new(self, "is not set"),
                std::env::VarError::NotUnicode(_) => SecretError::new(self, "is not text"),
            })?,
            Self::File(path) => std::fs::read_to_string(base.join(path))
                .map_err(|error| SecretError::new(self, &format!("can't be read: {}", error.kind())))?,
        };
        let secret = secret.trim_end_matches(['\n', '\r']);
        // A key of nothing but NULs is the same to HMAC as an empty one.
        if secret.chars().all(|character| character.is_whitespace() || character == '\0') {
            return Err(SecretError::new(self, "is empty"));
        }
        Ok(Secret(secret.to_owned()))
    }

    /// Its name, unless a secret may have been written in the name's place.
    fn shown(&self) -> Option<&str> {
        match self {
            Self::Env(name) => Some(&**name).filter(|name| hidden::is_variable(name)),
            Self::File(path) => path.to_str().filter(|path| hidden::is_path(path)),
        }
    }
}

/// The name is left out if it may be the secret itself.
impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.shown()) {
            (Self::Env(_), Some(name)) => write!(f, "the environment variable {name}"),
            (Self::Env(_), None) => f.write_str("the environment variable named there"),
            (Self::File(_), Some(path)) => write!(f, "the file {path}"),
            (Self::File(_), None) => f.write_str("the file named there"),
        }
    }
}

/// As [`Display`](fmt::Display).
impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretRef({self})")
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
#[error("{place} {why}; {remedy}")]
pub struct SecretError {
    place: String,
    why: String,
    remedy: &'static str,
}

impl SecretError {
    fn new(place: &SecretRef, why: &str) -> Self {
        let remedy = match (place, place.shown()) {
            (SecretRef::Env(_), Some(_)) => "set it for this process",
            (SecretRef::Env(_), None) => {
                "expected a variable's name, such as SLACK_TOKEN, and not the secret itself"
            }
            (SecretRef::File(_), Some(_)) => {
                "put the secret there; a relative path is meant from the settings' folder"
            }
            (SecretRef::File(_), None) => {
                "expected a path, such as secrets/slack-token, and not the secret itself"
            }
        };
        Self { place: place.to_string(), why: why.to_owned(), remedy }
    }
}
