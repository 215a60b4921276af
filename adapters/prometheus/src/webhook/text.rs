//! Texts that are copied only where they have to be.

use std::borrow::Cow;
use std::fmt;

use incident_core::domain::inert;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

use crate::limits::Limits;

/// A text, borrowed from the body unless it has escapes.
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl Text<'_> {
    /// The text as it is kept.
    pub(super) fn kept(self, limits: &Limits) -> String {
        if self.0.len() > limits.text { inert::clip(&self.0, limits.text) } else { self.0.into_owned() }
    }
}

/// A text, or null, which is as good as none.
#[derive(Default)]
pub(super) struct TextOrNull<'a>(pub(super) Option<Text<'a>>);

impl TextOrNull<'_> {
    pub(super) fn kept(self, limits: &Limits) -> String {
        self.0.map(|text| text.kept(limits)).unwrap_or_default()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for TextOrNull<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}
