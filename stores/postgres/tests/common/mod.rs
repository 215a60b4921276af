//! What several tests need.

#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part of it, and fails by panicking")]

use incident_core::log::index::Index;
use incident_core::model::effect::Urgency;
use incident_core::model::id::{Digest, IncidentId, Seq};
use incident_core::model::time::Time;
use incident_core::port::store::{Commit, StoredRecord};

/// The SQL by which the README grants the engine's role what it needs.
pub(crate) fn grants() -> String {
    let readme = include_str!("../../README.md");
    let sql = readme.split("```sql").nth(1).and_then(|rest| rest.split("```").next());
    sql.expect("the README has the grants").to_owned()
}

/// The one time of these tests.
pub(crate) fn now() -> Time {
    Time::from_timestamp_millis(1_774_000_000_000).unwrap()
}

/// An incident for each number.
pub(crate) fn incident(n: u8) -> IncidentId {
    IncidentId::new(now(), [n; 16])
}

/// One record after `at`.
pub(crate) fn one(at: u64) -> Commit {
    let seq = Seq(at + 1);
    let record =
        StoredRecord { seq, body: b"{}".to_vec(), slots: vec![b"words".to_vec()], chain: Digest([7; 32]) };
    Commit::new(vec![record], Index::new(seq, Some(now()), Urgency::PAGE), now())
}
