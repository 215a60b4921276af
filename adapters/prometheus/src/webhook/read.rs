//! Reading the document in one pass. Only what is kept is copied; the place is noted, so that an error can name it.

use std::cell::Cell;
use std::fmt;

use incident_core::domain::Signal;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use super::Webhook;
use super::alert::AlertSeed;
use super::text::{Text, TextOrNull};
use crate::error::{Field, Place, WebhookError};
use crate::limits::Limits;

/// Where the reading is, and what it may take.
pub(super) struct Reading {
    pub(super) limits: Limits,
    pub(super) place: Cell<Place>,
    /// The limit that was passed.
    pub(super) over: Cell<Option<usize>>,
}

impl Reading {
    pub(super) fn at(&self, field: Field) {
        self.place.set(Place { field, ..self.place.get() });
    }

    /// Ends the reading, because there is more than `limit`.
    pub(super) fn too_many<E: serde::de::Error>(&self, limit: usize) -> E {
        self.over.set(Some(limit));
        E::custom("too many")
    }

    /// What went wrong, from the place alone: serde's own words repeat what was sent.
    pub(super) fn why(&self, error: &serde_json::Error) -> WebhookError {
        let place = self.place.get();
        match (self.over.get(), error.classify()) {
            (Some(limit), _) => WebhookError::TooMany { field: place.to_string(), limit },
            (None, Category::Data) => {
                WebhookError::Field { field: place.to_string(), expected: place.field.expected() }
            }
            (None, _) => WebhookError::Syntax { line: error.line(), column: error.column() },
        }
    }
}

/// Reads the document.
pub(super) struct WebhookSeed<'r>(pub(super) &'r Reading);

impl<'de> DeserializeSeed<'de> for WebhookSeed<'_> {
    type Value = Webhook;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Webhook, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for WebhookSeed<'_> {
    type Value = Webhook;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Field::Body.expected())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Webhook, A::Error> {
        let Self(reading) = self;
        let mut webhook = Webhook::default();
        let mut alerts = None;
        while let Some(name) = map.next_key::<Text<'_>>()? {
            match &*name.0 {
                "alerts" => {
                    reading.at(Field::Alerts);
                    if alerts.replace(map.next_value_seed(AlertsSeed(reading))?).is_some() {
                        return Err(A::Error::duplicate_field("alerts"));
                    }
                }
                "receiver" => {
                    reading.at(Field::Receiver);
                    webhook.receiver = map.next_value::<TextOrNull<'_>>()?.kept(&reading.limits);
                }
                "groupKey" => {
                    reading.at(Field::GroupKey);
                    webhook.group_key = map.next_value::<TextOrNull<'_>>()?.kept(&reading.limits);
                }
                "truncatedAlerts" => {
                    reading.at(Field::TruncatedAlerts);
                    webhook.truncated = map.next_value::<Option<u64>>()?.unwrap_or_default();
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            reading.at(Field::Body);
        }
        reading.at(Field::Alerts);
        webhook.signals = alerts.ok_or_else(|| A::Error::missing_field("alerts"))?;
        Ok(webhook)
    }
}

/// Reads the list of alerts.
struct AlertsSeed<'r>(&'r Reading);

impl<'de> DeserializeSeed<'de> for AlertsSeed<'_> {
    type Value = Vec<Signal>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for AlertsSeed<'_> {
    type Value = Vec<Signal>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Field::Alerts.expected())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let Self(reading) = self;
        let whole = reading.place.get();
        let mut signals = Vec::new();
        loop {
            reading.place.set(Place { alert: Some(signals.len()), field: Field::Alert });
            let Some(signal) = list.next_element_seed(AlertSeed(reading))? else { break };
            reading.place.set(whole);
            if signals.len() == reading.limits.alerts {
                return Err(reading.too_many(reading.limits.alerts));
            }
            signals.push(signal);
        }
        reading.place.set(whole);
        Ok(signals)
    }
}
