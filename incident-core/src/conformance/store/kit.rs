//! What the cases are written with.

use std::error::Error;
use std::fmt;

use crate::log::index::{Index, Key};
use crate::model::effect::Urgency;
use crate::model::id::{Digest, IncidentId, Seq};
use crate::model::time::Time;
use crate::port::store::{
    Claim, Commit, CommitError, Held, IndexRow, Query, SlotRef, Store, StoreError, StoredRecord,
};

/// What a case returns.
pub(super) type Outcome = Result<(), How>;

/// How a promise was broken.
#[derive(Debug)]
pub(super) struct How(pub(super) String);

impl From<CommitError> for How {
    fn from(error: CommitError) -> Self {
        Self(format!("a commit failed that should have been made: {}", chain(&error)))
    }
}

impl From<StoreError> for How {
    fn from(error: StoreError) -> Self {
        Self(format!("a call failed that should have worked: {}", chain(&error)))
    }
}

/// An error with all its causes, a colon between.
fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

/// Ends the case as broken unless the condition holds.
macro_rules! ensure {
    ($holds:expr, $($how:tt)+) => {
        if !$holds {
            return Err($crate::conformance::store::kit::How(format!($($how)+)));
        }
    };
}
pub(super) use ensure;

/// Ends the case as broken unless the commit was refused as the pattern says.
macro_rules! refused {
    ($result:expr, $refusal:pat, $what:literal) => {
        match $result {
            Err($refusal) => {}
            other => {
                return Err($crate::conformance::store::kit::How(format!(
                    "{} should have been refused with {}, but gave {other:?}",
                    format_args!($what),
                    stringify!($refusal),
                )));
            }
        }
    };
}
pub(super) use refused;

/// Ends the case as broken unless both are the same.
pub(super) fn same<T: PartialEq + fmt::Debug>(what: &str, found: &T, expected: &T) -> Outcome {
    ensure!(found == expected, "{what}: expected {expected:?}, found {found:?}");
    Ok(())
}

/// The time of most commits: what is before it is past to them.
pub(super) const NOW: i64 = 1_000_000;

/// `millis` after the epoch.
pub(super) fn ms(millis: i64) -> Time {
    Time::from_timestamp_millis(millis).expect("the cases use times that can be written")
}

/// The `n`th incident; ids are in the order of the numbers.
pub(super) fn incident(n: u64) -> IncidentId {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&n.to_be_bytes());
    IncidentId::from_bytes(bytes)
}

/// The record `seq`, with a slot of text, like every record of a log named `log`.
pub(super) fn record(log: &str, seq: u64) -> StoredRecord {
    let body = format!("body {seq} of {log}").into_bytes();
    let slots = vec![format!("text {seq} of {log}").into_bytes()];
    let chain = Digest::of(&[&body]);
    StoredRecord { seq: Seq(seq), body, slots, chain }
}

/// A commit of one record at version `at`, which owes nothing and holds no key.
pub(super) fn commit(at: u64) -> Commit {
    commit_of(at, vec![record("log", at + 1)])
}

/// A commit without records at version `at`.
pub(super) fn refresh(at: u64) -> Commit {
    commit_of(at, Vec::new())
}

/// A commit of `records` at version `at`.
pub(super) fn commit_of(at: u64, records: Vec<StoredRecord>) -> Commit {
    let version = Seq(at + records.len() as u64);
    Commit::new(records, Index::new(version, None, Urgency::ROUTINE), ms(NOW))
}

/// A key without an end.
pub(super) fn held(name: &str) -> Key {
    Key::held(name.to_owned())
}

/// A key until `millis`.
pub(super) fn until(name: &str, millis: i64) -> Key {
    Key::until(name.to_owned(), ms(millis))
}

/// A claim at `now` that asks for everything and takes it for 1000 ms.
pub(super) fn claim(worker: &str, now: i64) -> Claim {
    Claim::new(worker, ms(now), ms(now + 1_000), 1_000)
}

/// Changes to a commit, in the words of the cases.
pub(super) trait Adapt {
    fn waking(self, millis: i64) -> Self;
    fn urgent(self, urgency: Urgency) -> Self;
    fn keyed(self, keys: &[Key]) -> Self;
    fn by(self, fold: u32) -> Self;
    fn at_time(self, millis: i64) -> Self;
    fn redacting(self, seq: u64, slot: u32) -> Self;
}

impl Adapt for Commit {
    fn waking(mut self, millis: i64) -> Self {
        self.index.next_wake = Some(ms(millis));
        self
    }

    fn urgent(mut self, urgency: Urgency) -> Self {
        self.index.urgency = urgency;
        self
    }

    fn keyed(mut self, keys: &[Key]) -> Self {
        self.index.keys = keys.to_vec();
        self
    }

    fn by(mut self, fold: u32) -> Self {
        self.index.by = fold;
        self
    }

    fn at_time(mut self, millis: i64) -> Self {
        self.now = ms(millis);
        self
    }

    fn redacting(mut self, seq: u64, slot: u32) -> Self {
        self.redact.push(SlotRef { seq: Seq(seq), slot });
        self
    }
}

/// Who holds a key at `now`, in milliseconds.
pub(super) async fn holder(store: &dyn Store, key: &str, now: i64) -> Result<Option<IncidentId>, How> {
    holder_at(store, key, ms(now)).await
}

/// Who holds a key at a time, which may be one that no number of milliseconds names.
pub(super) async fn holder_at(store: &dyn Store, key: &str, now: Time) -> Result<Option<IncidentId>, How> {
    Ok(store.holder(key).await?.filter(|held| held.at(now)).map(|held| held.by))
}

/// Every row, however many pages it takes.
pub(super) async fn rows(store: &dyn Store, query: Query) -> Result<Vec<IndexRow>, How> {
    let mut rows: Vec<IndexRow> = Vec::new();
    loop {
        let after = rows.last().map(|row| row.id).or(query.after);
        let page = store.list(&query.clone().after(after)).await?;
        ensure!(!page.more || !page.rows.is_empty(), "a page is empty but says that there is more");
        rows.extend(page.rows);
        if !page.more {
            return Ok(rows);
        }
    }
}

/// All that the port shows of a store, to see that nothing changed.
#[derive(Debug, PartialEq)]
pub(super) struct Snapshot {
    rows: Vec<IndexRow>,
    logs: Vec<Vec<StoredRecord>>,
    holders: Vec<Option<Held>>,
    next_wake: Option<Time>,
}

/// What there is to see now; of keys, those named.
pub(super) async fn snapshot(store: &dyn Store, keys: &[&str]) -> Result<Snapshot, How> {
    let rows = rows(store, Query::all()).await?;
    let mut logs = Vec::new();
    for row in &rows {
        logs.push(store.load(row.id, Seq::ZERO).await?);
    }
    let mut holders = Vec::new();
    for key in keys {
        holders.push(store.holder(key).await?);
    }
    Ok(Snapshot { rows, logs, holders, next_wake: store.next_wake().await? })
}
