//! What people owed by a time, and when they gave it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::seconds;
use crate::log::event::{Fact, Record};
use crate::model::id::Seq;
use crate::model::obligation::ObligationKind;
use crate::model::time::{Time, since};

/// What somebody owed by a time, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Promise {
    /// The record that opened it.
    pub record: Seq,
    /// What.
    pub kind: ObligationKind,
    /// Since when it was owed, UTC.
    pub since: Time,
    /// By when, UTC: the deadline in force when it was kept, dropped or first missed.
    pub due: Time,
    /// How many deadlines of it passed.
    pub missed: u32,
    /// When it was kept, UTC.
    pub kept_at: Option<Time>,
    /// When it was no longer owed, UTC, although it wasn't kept.
    pub dropped_at: Option<Time>,
    /// Every record about it: moved, reminded, missed, kept, dropped.
    pub records: Vec<Seq>,
}

impl Promise {
    /// Whether it was kept in time.
    #[must_use]
    pub fn is_kept_in_time(&self) -> bool {
        self.missed == 0 && self.kept_at.is_some_and(|at| at <= self.due)
    }
}

/// How the promises of one kind were kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Promises {
    /// How many were kept in time.
    pub kept: u32,
    /// How many deadlines passed without the promise being kept.
    pub missed: u32,
}

/// Two updates further apart than promised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct UpdateGap {
    /// The record that opened the promise.
    pub record: Seq,
    /// When the update before was given, UTC.
    pub from: Time,
    /// When the next one was given or no longer owed, UTC; none if it still is owed.
    pub to: Option<Time>,
    /// How far apart they were to be at most.
    #[serde(serialize_with = "seconds::length")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub promised: Duration,
    /// How many deadlines passed.
    pub missed: u32,
    /// The records that say so.
    pub records: Vec<Seq>,
}

/// What was owed by `records`, in the order in which it became owed.
pub(super) fn promises(records: &[Record]) -> Vec<Promise> {
    let mut promises: BTreeMap<Seq, Promise> = BTreeMap::new();
    for record in records {
        let about = match &record.fact {
            Fact::ObligationOpened(it) => {
                let promise = Promise {
                    record: record.seq,
                    kind: it.kind,
                    since: record.recorded_at,
                    due: it.due,
                    missed: 0,
                    kept_at: None,
                    dropped_at: None,
                    records: Vec::new(),
                };
                promises.insert(record.seq, promise);
                record.seq
            }
            Fact::ObligationMoved(it) => it.obligation,
            Fact::ObligationReminded(it) => it.obligation,
            Fact::ObligationBreached(it) => it.obligation,
            Fact::ObligationMet(it) => it.obligation,
            Fact::ObligationDropped(it) => it.obligation,
            _ => continue,
        };
        let Some(promise) = promises.get_mut(&about) else { continue };
        promise.records.push(record.seq);
        match &record.fact {
            Fact::ObligationMoved(it) if promise.missed == 0 => promise.due = it.due,
            Fact::ObligationBreached(it) => promise.missed = promise.missed.saturating_add(it.missed),
            Fact::ObligationMet(_) => promise.kept_at = Some(record.recorded_at),
            Fact::ObligationDropped(_) => promise.dropped_at = Some(record.recorded_at),
            _ => {}
        }
    }
    promises.into_values().collect()
}

/// How the promise of updates was kept.
pub(super) fn of_updates(promises: &[Promise]) -> Promises {
    let updates = || promises.iter().filter(|it| it.kind == ObligationKind::Update);
    let kept = updates().filter(|it| it.is_kept_in_time()).count();
    let missed = updates().fold(0_u32, |sum, it| sum.saturating_add(it.missed));
    Promises { kept: u32::try_from(kept).unwrap_or(u32::MAX), missed }
}

/// Where updates were further apart than promised.
pub(super) fn gaps(promises: &[Promise]) -> Vec<UpdateGap> {
    let late = |it: &&Promise| it.kind == ObligationKind::Update && it.missed > 0;
    let gap = |it: &Promise| UpdateGap {
        record: it.record,
        from: it.since,
        to: it.kept_at.or(it.dropped_at),
        promised: since(it.due, it.since),
        missed: it.missed,
        records: it.records.clone(),
    };
    promises.iter().filter(late).map(gap).collect()
}
