//! Known defects, switched on from outside: what the promises must notice.

use incident_core::model::id::IncidentId;
use incident_core::port::Store as _;
use incident_core::port::store::{Commit, Query};
use incident_core::store::MemoryStore;

/// What is wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defect {
    /// The index hides a fresh effect: it keeps the wake of the row before.
    StaleIndex,
    /// A receipt is given for what isn't sent.
    RecordsBeforeDoing,
    /// Looking finds nothing, so what was done is done again.
    NeverFinds,
    /// The backend's wait is ignored.
    HidesTheWait,
    /// A later notice overtakes an earlier one.
    SendsOutOfOrder,
    /// Something else is carried out than what people agreed to.
    ExecutesAnotherPlan,
}

/// The commit with a row that keeps the wake of the row before.
pub(crate) async fn stale(inner: &MemoryStore, id: IncidentId, commit: &Commit) -> Commit {
    let mut commit = commit.clone();
    let rows = inner.list(&Query::all().limit(1_000)).await.map(|page| page.rows).unwrap_or_default();
    if let Some(row) = rows.iter().find(|row| row.id == id) {
        commit.index.next_wake = row.next_wake;
    }
    commit
}
