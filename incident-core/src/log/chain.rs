//! Records as bytes, and the hash chain over them.
//!
//! Each record's link is the digest of the link before, the record's place and its bytes as stored. Free text lies beside
//! the bytes, which hold its salted digest, so it can be taken out without breaking the chain.

use chrono::{DateTime, SecondsFormat};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::log::event::{Fact, Origin, Record};
use crate::log::fold::evolve;
use crate::log::incident::Incident;
use crate::model::id::{CommandId, Digest, IncidentId, Seq};
use crate::model::role::Actor;
use crate::model::text::Slot;
use crate::model::time::Time;

/// A record as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its place in the log.
    pub seq: Seq,
    /// The record without its free text; opaque to a store.
    pub body: Vec<u8>,
    /// The free text, a slot each; opaque, and empty once redacted.
    pub slots: Vec<Vec<u8>>,
    /// The link to the record before.
    pub chain: Digest,
}

/// The link before the first record of an incident.
#[must_use]
pub fn origin(id: IncidentId) -> Digest {
    Digest::of(&[b"incident log v0", &id.to_bytes()])
}

/// The link after a record.
#[must_use]
pub fn link(before: Digest, seq: Seq, body: &[u8]) -> Digest {
    Digest::of(&[&before.0, &seq.0.to_be_bytes(), body])
}

#[derive(Serialize)]
struct BodyRef<'a> {
    occurred_at: &'a str,
    recorded_at: &'a str,
    actor: &'a Actor,
    origin: &'a Origin,
    command: CommandId,
    fact: &'a Fact,
}

#[derive(Deserialize)]
struct Body<F> {
    #[serde(deserialize_with = "written")]
    occurred_at: Time,
    #[serde(deserialize_with = "written")]
    recorded_at: Time,
    actor: Actor,
    origin: Origin,
    command: CommandId,
    fact: F,
}

/// Reads a time as records write it; chrono's own way takes also years of more than four digits, and longer.
fn written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
    let text = <&str>::deserialize(deserializer)?;
    let common = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    common.or_else(|_| text.parse()).map_err(D::Error::custom)
}

/// A time as records write it, which is kept for the next one.
#[derive(Default)]
struct Stamp {
    of: Option<Time>,
    text: String,
}

impl Stamp {
    fn of(&mut self, time: Time) -> &str {
        if self.of != Some(time) {
            self.of = Some(time);
            self.text = time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        }
        &self.text
    }
}

/// Writes records as bytes, chained to `head`, and gives the new head.
#[must_use]
pub fn encode(records: &[Record], head: Digest) -> (Vec<StoredRecord>, Digest) {
    let mut chain = head;
    // Nearly all records of a commit have one time, and texts of about one length.
    let (mut occurred, mut recorded) = (Stamp::default(), Stamp::default());
    let mut buffer = Vec::new();
    let stored = records
        .iter()
        .map(|record| {
            let Record { seq, occurred_at, recorded_at, actor, origin, command, fact, slots } = record;
            let (occurred_at, recorded_at) = (occurred.of(*occurred_at), recorded.of(*recorded_at));
            let body = BodyRef { occurred_at, recorded_at, actor, origin, command: *command, fact };
            buffer.clear();
            serde_json::to_writer(&mut buffer, &body).expect("a record has only what JSON can write");
            chain = link(chain, *seq, &buffer);
            let slots = slots.iter().map(Slot::to_bytes).collect();
            StoredRecord { seq: *seq, body: buffer.clone(), slots, chain }
        })
        .collect();
    (stored, chain)
}

/// Reads one record.
///
/// # Errors
/// [`Unreadable`]: a kind that a newer version wrote, or bytes that are no record.
pub fn decode(stored: &StoredRecord) -> Result<Record, Unreadable> {
    let body: Body<Fact> = match serde_json::from_slice(&stored.body) {
        Ok(body) => body,
        Err(error) => return Err(why_unreadable(stored, &error)),
    };
    let Body { occurred_at, recorded_at, actor, origin, command, fact } = body;
    let slots =
        stored.slots.iter().map(|slot| Slot::from_bytes(slot).unwrap_or_else(Slot::emptied)).collect();
    Ok(Record { seq: stored.seq, occurred_at, recorded_at, actor, origin, command, fact, slots })
}

fn why_unreadable(stored: &StoredRecord, error: &serde_json::Error) -> Unreadable {
    let seq = stored.seq;
    let kind =
        serde_json::from_slice::<Body<&RawValue>>(&stored.body).ok().and_then(|body| kind_of(body.fact));
    match kind {
        Some(kind) if !Fact::is_known(&kind) => Unreadable::UnknownKind { seq, kind },
        _ => Unreadable::Malformed {
            seq,
            problem: format!("{:?} at column {}", error.classify(), error.column()),
        },
    }
}

/// The name of a fact's kind: the one key of its object.
fn kind_of(fact: &RawValue) -> Option<String> {
    let object: std::collections::BTreeMap<String, serde::de::IgnoredAny> =
        serde_json::from_str(fact.get()).ok()?;
    object.into_keys().next().map(|kind| crate::model::inert::clip(&crate::model::inert::line(&kind), 64))
}

/// Folds a log from its first record.
///
/// # Errors
/// [`Unreadable`] names the first record that can't be folded; the incident is to be left alone then.
pub fn fold(id: IncidentId, log: &[StoredRecord]) -> Result<(Incident, Digest), Unreadable> {
    let mut incident = Incident::blank(id);
    let mut head = origin(id);
    extend(&mut incident, &mut head, log)?;
    Ok((incident, head))
}

/// Folds further records into a state.
///
/// # Errors
/// [`Unreadable`]; the state may have taken in the records before it and isn't to be used.
pub fn extend(incident: &mut Incident, head: &mut Digest, log: &[StoredRecord]) -> Result<(), Unreadable> {
    for stored in log {
        check_link(incident.version, *head, stored)?;
        evolve(incident, &decode(stored)?);
        *head = stored.chain;
    }
    Ok(())
}

fn check_link(version: Seq, head: Digest, stored: &StoredRecord) -> Result<(), Unreadable> {
    if stored.seq != version.next() {
        return Err(Unreadable::Gap { expected: version.next(), found: stored.seq });
    }
    if link(head, stored.seq, &stored.body) != stored.chain {
        return Err(Unreadable::BrokenChain { seq: stored.seq });
    }
    Ok(())
}

/// Checks that a log is whole: in order, unchanged, each text either as written or taken out.
///
/// Without a `head` kept elsewhere – in the ticket's closing comment, in the post-mortem – a log whose end was cut off
/// passes: it proves order and integrity then, not completeness.
///
/// # Errors
/// [`Unreadable`] names the first record that isn't as it was written.
pub fn verify(id: IncidentId, log: &[StoredRecord], head: Option<Digest>) -> Result<Verified, Unreadable> {
    let mut incident = Incident::blank(id);
    let mut chain = origin(id);
    let mut passed_head = head.is_none() || head == Some(chain);
    for stored in log {
        extend(&mut incident, &mut chain, std::slice::from_ref(stored))?;
        let body = String::from_utf8_lossy(&stored.body);
        for slot in &stored.slots {
            let cited = |slot: &Slot| {
                let name = serde_json::to_string(&slot.text()).unwrap_or_default();
                body.contains(name.trim_matches('"'))
            };
            let genuine = slot.is_empty() || Slot::from_bytes(slot).is_some_and(|slot| cited(&slot));
            if !genuine {
                return Err(Unreadable::ForgedText { seq: stored.seq });
            }
        }
        passed_head |= head == Some(chain);
    }
    if passed_head {
        Ok(Verified { version: incident.version, head: chain })
    } else {
        Err(Unreadable::OtherHead)
    }
}

/// A log that is whole up to here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The last record's place.
    pub version: Seq,
    /// The link after it: keep it elsewhere, and a log that was cut short no longer passes.
    pub head: Digest,
}

/// Why a log can't be read, or isn't as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// A newer version wrote it.
    #[error(
        "record {seq} is of kind {kind:?}, which this version doesn't know; use the version that wrote it"
    )]
    UnknownKind {
        /// The record.
        seq: Seq,
        /// The kind's name.
        kind: String,
    },
    /// It is no record.
    #[error("record {seq} can't be read ({problem}); restore the store from a backup")]
    Malformed {
        /// The record.
        seq: Seq,
        /// What is wrong with it, without its content.
        problem: String,
    },
    /// A record is missing.
    #[error("record {expected} is missing, {found} follows; restore the store from a backup")]
    Gap {
        /// The record that should follow.
        expected: Seq,
        /// The one that does.
        found: Seq,
    },
    /// A record was changed.
    #[error("record {seq} or one before it was changed after it was written")]
    BrokenChain {
        /// The record.
        seq: Seq,
    },
    /// A text was replaced.
    #[error("a text of record {seq} is not the one that was written")]
    ForgedText {
        /// The record.
        seq: Seq,
    },
    /// The log doesn't pass through the head that was kept.
    #[error("the log doesn't lead through the head that was kept: records are missing or were replaced")]
    OtherHead,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_what_serde_writes() {
        let mut stamp = Stamp::default();
        for time in ["1970-01-01T00:00:00Z", "2026-03-02T09:55:00.120Z", "2026-03-02T09:55:00.000001Z"] {
            let time: Time = time.parse().unwrap();
            for time in [time, time, Time::MIN_UTC, Time::MAX_UTC] {
                assert_eq!(serde_json::to_value(time).unwrap(), stamp.of(time));
            }
        }
    }
}
