//! Identifiers. None is random by itself: the caller brings the entropy.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

use crate::model::time::Time;

/// The id of an incident: a UUID of version 7, so ids order by the time of declaration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct IncidentId(#[cfg_attr(feature = "schema", schemars(with = "String"))] Uuid);

impl IncidentId {
    /// An id for an incident declared at `at`, made unique by `entropy`.
    #[must_use]
    pub fn new(at: Time, entropy: [u8; 16]) -> Self {
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
        let mut tail = [0; 10];
        tail.copy_from_slice(&entropy[..10]);
        Self(Builder::from_unix_timestamp_millis(millis, &tail).into_uuid())
    }

    /// When it was made, UTC, to the millisecond.
    #[must_use]
    pub fn made_at(self) -> Time {
        let millis = self.0.as_u64_pair().0 >> 16;
        i64::try_from(millis).ok().and_then(Time::from_timestamp_millis).unwrap_or(Time::UNIX_EPOCH)
    }

    /// The id as sixteen bytes, for stores.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }

    /// The id from the sixteen bytes of [`to_bytes`](Self::to_bytes).
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The last six hexadecimal digits: enough to say aloud, not enough to look up.
    #[must_use]
    pub fn short(self) -> String {
        self.0.simple().to_string().split_off(26)
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for IncidentId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Uuid::parse_str(text).map(Self).map_err(|_| InvalidId)
    }
}

/// The text isn't an incident's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an incident id: expected a UUID such as 019ab2c4-5d00-7000-8000-000000000001")]
pub struct InvalidId;

/// The id of a command. A command sent again with the same id is answered, not repeated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandId(Uuid);

impl CommandId {
    /// An id from sixteen bytes of entropy.
    #[must_use]
    pub fn new(entropy: [u8; 16]) -> Self {
        Self(Builder::from_random_bytes(entropy).into_uuid())
    }

    /// The id that always belongs to `name`, so that a webhook delivered twice is one command.
    ///
    /// ```
    /// # use incident_core::model::id::CommandId;
    /// assert_eq!(CommandId::named("slack/1700000000.1"), CommandId::named("slack/1700000000.1"));
    /// ```
    #[must_use]
    pub fn named(name: &str) -> Self {
        let digest = Sha256::digest(name.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self(Builder::from_custom_bytes(bytes).into_uuid())
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A record's place in its incident's log: 1, 2, 3 … without gaps.
///
/// The last record's sequence is the incident's *version*; 0 is the version of an incident that
/// doesn't exist yet. Whatever a record creates – an effect, an obligation, a plan, a hypothesis –
/// is known by that record's sequence, so no id has to be invented.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// Before the first record.
    pub const ZERO: Self = Self(0);

    /// The place after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// The id of an effect wherever it shows up outside: in a marker, a header, a message's metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EffectId {
    /// The incident that owes the effect.
    pub incident: IncidentId,
    /// The sequence of the record that planned it.
    pub seq: Seq,
}

impl fmt::Display for EffectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.incident, self.seq.0)
    }
}

impl FromStr for EffectId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (incident, seq) = text.rsplit_once('-').ok_or(InvalidId)?;
        Ok(Self { incident: incident.parse()?, seq: Seq(seq.parse().map_err(|_| InvalidId)?) })
    }
}

/// A SHA-256 digest; prints as 64 hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Digest(
    #[serde(with = "hex::serde")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub [u8; 32],
);

impl Digest {
    /// The digest of `parts`, one after the other, each preceded by its length so that the bounds count.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// The plain SHA-256 of `bytes`, as every other tool computes it.
    #[must_use]
    pub fn sha256(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The first twelve hexadecimal digits, for people to compare.
    #[must_use]
    pub fn short(&self) -> String {
        hex::encode(&self.0[..6])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", self.short())
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidDigest)?;
        Ok(Self(bytes))
    }
}

/// The text isn't a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a digest: expected 64 hexadecimal digits")]
pub struct InvalidDigest;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_id_reads_back() {
        let id = EffectId { incident: IncidentId::new(Time::UNIX_EPOCH, [7; 16]), seq: Seq(17) };
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn ids_order_by_time() {
        let early = IncidentId::new(Time::UNIX_EPOCH, [255; 16]);
        let late = IncidentId::new(
            crate::model::time::after(Time::UNIX_EPOCH, std::time::Duration::from_secs(1)),
            [0; 16],
        );
        assert!(early < late);
    }
}
