//! Values of a configuration that may be secret.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use incident_core::config::{ConfigError, Secret, SecretRef};
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};

/// A text that stands in the configuration, or a reference to a secret.
#[derive(Clone)]
#[non_exhaustive]
pub enum TextOrSecret {
    /// The text itself.
    Text(String),
    /// It is secret.
    Secret(SecretValue),
}

impl TextOrSecret {
    /// This text, which anybody may read.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub(crate) fn read(&self, field: &str, base: &Path) -> Result<Secret, ConfigError> {
        match self {
            Self::Text(text) => Ok(Secret::new(text.clone())),
            Self::Secret(secret) => secret.read(field, base),
        }
    }
}

impl fmt::Debug for TextOrSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Somebody may have written a secret here all the same.
            Self::Text(_) => f.write_str("Text(…)"),
            Self::Secret(secret) => secret.fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for TextOrSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Shape::deserialize(deserializer)? {
            Shape::Text(text) => Ok(Self::Text(text)),
            Shape::Reference(reference) => reference
                .into_value()
                .map(Self::Secret)
                .ok_or_else(|| D::Error::custom(format_args!("expected a text or {REFERENCE}"))),
            Shape::Other(_) => Err(D::Error::custom(format_args!("expected a text or {REFERENCE}"))),
        }
    }
}

/// A secret: referred to by the configuration, or held by the embedder already.
///
/// In a configuration: `{ env = "TOKEN" }`, `{ file = "/run/secrets/token" }`, either with `prefix = "Bearer "`. The
/// secret itself is refused there, without being repeated.
#[derive(Clone)]
pub struct SecretValue {
    prefix: String,
    source: Source,
}

#[derive(Clone)]
enum Source {
    Reference(SecretRef),
    Held(Secret),
}

impl SecretValue {
    /// The secret that `reference` leads to; it is read when the backend is built.
    #[must_use]
    pub fn from_reference(reference: SecretRef) -> Self {
        Self { prefix: String::new(), source: Source::Reference(reference) }
    }

    /// A secret that the embedder holds.
    #[must_use]
    pub fn held(secret: Secret) -> Self {
        Self { prefix: String::new(), source: Source::Held(secret) }
    }

    /// With this before it, such as `Bearer `.
    #[must_use]
    pub fn with_prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.to_owned();
        self
    }

    pub(crate) fn read(&self, field: &str, base: &Path) -> Result<Secret, ConfigError> {
        let secret = match &self.source {
            Source::Reference(reference) => {
                reference.read(base).map_err(|error| ConfigError::secret(field, error))?
            }
            Source::Held(secret) => secret.clone(),
        };
        Ok(Secret::new(format!("{}{}", self.prefix, secret.expose())))
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Reference(reference) => write!(f, "SecretValue({reference})"),
            Source::Held(_) => f.write_str("SecretValue(…)"),
        }
    }
}

impl<'de> Deserialize<'de> for SecretValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let reference = match Shape::deserialize(deserializer)? {
            Shape::Reference(reference) => reference.into_value(),
            Shape::Text(_) | Shape::Other(_) => None,
        };
        reference.ok_or_else(|| {
            D::Error::custom(format_args!("expected {REFERENCE}; a secret itself doesn't belong here"))
        })
    }
}

const REFERENCE: &str =
    "a reference to a secret, { env = \"NAME\" } or { file = \"PATH\" }, with or without prefix = \"…\"";

/// Untagged, because every other way of reading would repeat a literal secret in the error.
#[derive(Deserialize)]
#[serde(untagged)]
enum Shape {
    Text(String),
    Reference(Reference),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    env: Option<String>,
    file: Option<std::path::PathBuf>,
    #[serde(default)]
    prefix: String,
}

impl Reference {
    fn into_value(self) -> Option<SecretValue> {
        let reference = match (self.env, self.file) {
            (Some(name), None) => SecretRef::Env(name),
            (None, Some(path)) => SecretRef::File(path),
            _ => return None,
        };
        Some(SecretValue::from_reference(reference).with_prefix(&self.prefix))
    }
}

/// Reads `declared`, whose files are meant from `base`, into headers that never print their values.
pub(crate) fn headers(
    field: &str,
    declared: &BTreeMap<String, TextOrSecret>,
    base: &Path,
) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    for (name, value) in declared {
        let field = format!("{field}.{name}");
        let header: HeaderName =
            name.parse().map_err(|_| ConfigError::new(&field, "this isn't the name of a header"))?;
        if OURS.contains(&header.as_str()) {
            return Err(ConfigError::new(&field, "this header belongs to the connection and can't be set"));
        }
        if matches!(value, TextOrSecret::Text(_)) && SECRET.iter().any(|word| header.as_str().contains(word))
        {
            return Err(ConfigError::new(
                &field,
                &format!("this header carries a secret: expected {REFERENCE}"),
            ));
        }
        let secret = value.read(&field, base)?;
        let mut value = HeaderValue::from_str(secret.expose())
            .map_err(|_| ConfigError::new(&field, "the value can't be sent in a header"))?;
        value.set_sensitive(true);
        headers.insert(header, value);
    }
    Ok(headers)
}

const OURS: [&str; 5] = ["host", "connection", "content-length", "transfer-encoding", "upgrade"];
const SECRET: [&str; 8] =
    ["auth", "cookie", "token", "secret", "password", "credential", "api-key", "apikey"];
