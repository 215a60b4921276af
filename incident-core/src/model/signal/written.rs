//! How a record writes the alerts it tells of down: as lists of equal length, because a storm has thousands of them.

use std::collections::BTreeSet;

use chrono::DateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::id::Digest;
use crate::model::severity::Severity;
use crate::model::time::{Time, to_millis};

/// A set of alerts, each by eight bytes of the digest of its fingerprint: enough to tell them apart within one incident.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fingerprints(pub BTreeSet<u64>);

impl Fingerprints {
    /// What stands for the alert with this fingerprint.
    #[must_use]
    pub fn of(fingerprint: &str) -> u64 {
        let digest = Digest::of(&[fingerprint.as_bytes()]);
        digest.0.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }

    /// What stands for an alert of a group, among alerts of other groups.
    pub(crate) fn in_group(group: &str, fingerprint: &str) -> u64 {
        Self::of(&format!("{group}\n{fingerprint}"))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Fingerprints {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().flat_map(|alert| alert.to_be_bytes()).collect();
        hex::serde::serialize(bytes, serializer)
    }
}

impl<'de> Deserialize<'de> for Fingerprints {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes: Vec<u8> = hex::serde::deserialize(deserializer)?;
        let (alerts, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(serde::de::Error::custom("expected eight bytes an alert"));
        }
        Ok(Self(alerts.iter().map(|alert| u64::from_be_bytes(*alert)).collect()))
    }
}

/// Times of the alerts of a [`Fingerprints`], in its order; empty if none of them is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times(Vec<Option<Time>>);

/// How an unknown time is written.
const UNKNOWN: i64 = i64::MIN;

impl Times {
    /// Whether no time is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn at(&self, place: usize) -> Option<Time> {
        self.0.get(place).copied().flatten()
    }
}

impl FromIterator<Option<Time>> for Times {
    fn from_iter<I: IntoIterator<Item = Option<Time>>>(times: I) -> Self {
        let times: Vec<_> = times.into_iter().map(|time| time.map(to_millis)).collect();
        if times.iter().all(Option::is_none) { Self::default() } else { Self(times) }
    }
}

impl Serialize for Times {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let millis = self.0.iter().map(|time| time.map_or(UNKNOWN, |time| time.timestamp_millis()));
        let bytes: Vec<u8> = millis.flat_map(i64::to_be_bytes).collect();
        hex::serde::serialize(bytes, serializer)
    }
}

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes: Vec<u8> = hex::serde::deserialize(deserializer)?;
        let (times, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(serde::de::Error::custom("expected eight bytes a time"));
        }
        // What can't be a time, the mark of an unknown one included, is unknown.
        Ok(times.iter().map(|time| DateTime::from_timestamp_millis(i64::from_be_bytes(*time))).collect())
    }
}

/// Severities of the alerts of a [`Fingerprints`], in its order; empty if none of them is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Severities(Vec<Option<Severity>>);

impl Severities {
    /// Whether no severity is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The worst of them.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.0.iter().flatten().min().copied()
    }

    pub(crate) fn at(&self, place: usize) -> Option<Severity> {
        self.0.get(place).copied().flatten()
    }
}

impl FromIterator<Option<Severity>> for Severities {
    fn from_iter<I: IntoIterator<Item = Option<Severity>>>(severities: I) -> Self {
        let severities: Vec<_> = severities.into_iter().collect();
        if severities.iter().all(Option::is_none) { Self::default() } else { Self(severities) }
    }
}

/// A digit for each, 0 for an unknown one.
impl Serialize for Severities {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digit = |severity: &Option<Severity>| match severity {
            None => '0',
            Some(Severity::Sev1) => '1',
            Some(Severity::Sev2) => '2',
            Some(Severity::Sev3) => '3',
            Some(Severity::Sev4) => '4',
        };
        serializer.serialize_str(&self.0.iter().map(digit).collect::<String>())
    }
}

impl<'de> Deserialize<'de> for Severities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let severity = |digit| match digit {
            '0' => Ok(None),
            '1' => Ok(Some(Severity::Sev1)),
            '2' => Ok(Some(Severity::Sev2)),
            '3' => Ok(Some(Severity::Sev3)),
            '4' => Ok(Some(Severity::Sev4)),
            _ => Err(serde::de::Error::custom("expected a digit from 0 to 4 for each alert")),
        };
        digits.chars().map(severity).collect()
    }
}
