//! One alert of the list.

use std::collections::BTreeMap;
use std::fmt;

use incident_core::domain::signal::{Detection, Signal, SignalState};
use incident_core::domain::{Digest, Time};
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};

use super::read::Reading;
use super::text::{Text, TextOrNull};
use crate::error::Field;

/// The annotations that say in a line what is wrong, the best first.
const SUMMARIES: [&str; 4] = ["summary", "title", "message", "description"];

/// Reads one alert.
pub(super) struct AlertSeed<'r>(pub(super) &'r Reading);

impl<'de> DeserializeSeed<'de> for AlertSeed<'_> {
    type Value = Signal;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Signal, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for AlertSeed<'_> {
    type Value = Signal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Field::Alert.expected())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Signal, A::Error> {
        let Self(reading) = self;
        let mut alert = Alert::default();
        while let Some(name) = map.next_key::<Text<'_>>()? {
            match &*name.0 {
                "status" => {
                    reading.at(Field::Status);
                    alert.state = Some(state(&map.next_value::<Text<'_>>()?.0)?);
                }
                "labels" => {
                    reading.at(Field::Labels);
                    alert.labels = map.next_value_seed(LabelsSeed(reading))?;
                }
                "annotations" => {
                    reading.at(Field::Annotations);
                    alert.summary = map.next_value_seed(SummarySeed)?;
                }
                "startsAt" => {
                    reading.at(Field::StartsAt);
                    alert.started_at = started_at(map.next_value::<TextOrNull<'_>>()?.0)?;
                }
                "generatorURL" => {
                    reading.at(Field::GeneratorUrl);
                    alert.link = map.next_value::<TextOrNull<'_>>()?;
                }
                "fingerprint" => {
                    reading.at(Field::Fingerprint);
                    alert.fingerprint = map.next_value::<TextOrNull<'_>>()?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            reading.at(Field::Alert);
        }
        reading.at(Field::Status);
        let state = alert.state.ok_or_else(|| A::Error::missing_field("status"))?;
        Ok(alert.into_signal(state, reading))
    }
}

/// What was read of an alert so far.
#[derive(Default)]
struct Alert<'a> {
    state: Option<SignalState>,
    labels: BTreeMap<String, String>,
    summary: Option<Text<'a>>,
    started_at: Option<Time>,
    link: TextOrNull<'a>,
    fingerprint: TextOrNull<'a>,
}

impl Alert<'_> {
    fn into_signal(self, state: SignalState, reading: &Reading) -> Signal {
        let limits = &reading.limits;
        let fingerprint = self.fingerprint.0.filter(|text| !text.0.is_empty());
        let fingerprint = fingerprint.map_or_else(|| of_labels(&self.labels), |text| text.kept(limits));
        let summary = self.summary.map(|text| text.kept(limits));
        let summary = summary.or_else(|| self.labels.get("alertname").cloned()).unwrap_or_default();
        let mut signal = Signal::firing(&fingerprint, "", Detection::MetricAlert);
        signal.state = state;
        signal.summary = summary;
        signal.started_at = self.started_at;
        signal.link = self
            .link
            .0
            .filter(|link| link.0.len() <= limits.text && is_web(&link.0))
            .map(|link| link.0.into_owned());
        signal.labels = self.labels;
        signal
    }
}

fn state<E: serde::de::Error>(text: &str) -> Result<SignalState, E> {
    match text {
        "firing" => Ok(SignalState::Firing),
        "resolved" => Ok(SignalState::Resolved),
        _ => Err(E::custom("no status")),
    }
}

/// Go writes the year 1 for a time that isn't known.
fn started_at<E: serde::de::Error>(text: Option<Text<'_>>) -> Result<Option<Time>, E> {
    let Some(text) = text.filter(|text| !text.0.is_empty()) else { return Ok(None) };
    let time = chrono::DateTime::parse_from_rfc3339(&text.0).map_err(|_| E::custom("no time"))?;
    Ok(Some(time.to_utc()).filter(|time| *time > Time::UNIX_EPOCH))
}

/// Whether a link leads to the web and can't act otherwise.
fn is_web(link: &str) -> bool {
    link.starts_with("http://") || link.starts_with("https://")
}

/// Alertmanager's own is made of the labels, too.
fn of_labels(labels: &BTreeMap<String, String>) -> String {
    let parts: Vec<&[u8]> =
        labels.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]).collect();
    Digest::of(&parts).to_string()
}

/// Reads an object of texts into labels.
struct LabelsSeed<'r>(&'r Reading);

impl<'de> DeserializeSeed<'de> for LabelsSeed<'_> {
    type Value = BTreeMap<String, String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for LabelsSeed<'_> {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Field::Labels.expected())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let limits = &self.0.limits;
        let mut labels = BTreeMap::new();
        while let Some(name) = map.next_key::<Text<'_>>()? {
            labels.insert(name.kept(limits), map.next_value::<Text<'_>>()?.kept(limits));
            if labels.len() > limits.labels {
                return Err(self.0.too_many(limits.labels));
            }
        }
        Ok(labels)
    }
}

/// Reads of an object of texts the one that says best what is wrong.
struct SummarySeed;

impl<'de> DeserializeSeed<'de> for SummarySeed {
    type Value = Option<Text<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for SummarySeed {
    type Value = Option<Text<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Field::Annotations.expected())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut best: Option<(usize, Text<'de>)> = None;
        while let Some(name) = map.next_key::<Text<'_>>()? {
            let text = map.next_value::<Text<'_>>()?;
            let Some(rank) = SUMMARIES.iter().position(|known| *known == name.0) else { continue };
            if !text.0.is_empty() && best.as_ref().is_none_or(|(other, _)| rank < *other) {
                best = Some((rank, text));
            }
        }
        Ok(best.map(|(_, text)| text))
    }
}
