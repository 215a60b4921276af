//! A store that fails at one call: before it does anything, or after.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use incident_core::model::id::{IncidentId, Seq};
use incident_core::model::time::Time;
use incident_core::port::Store;
use incident_core::port::store::{
    Claim, Commit, CommitError, Held, Hints, Page, Query, StoreError, StoreTrouble, StoredRecord,
};
use incident_core::store::MemoryStore;

/// Whether the call that fails has its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fails {
    Before,
    After,
}

#[derive(Debug)]
pub(crate) struct Failing {
    inner: MemoryStore,
    calls: AtomicUsize,
    at: usize,
    how: Fails,
    full: AtomicBool,
}

impl Failing {
    pub(crate) fn new(inner: MemoryStore, at: usize, how: Fails) -> Self {
        Self { inner, calls: AtomicUsize::new(0), at, how, full: AtomicBool::new(false) }
    }

    pub(crate) fn reached(&self) -> bool {
        self.calls.load(Ordering::Relaxed) >= self.at
    }

    /// Takes no commit, or takes them again.
    pub(crate) fn fail_commits(&self, full: bool) {
        self.full.store(full, Ordering::Relaxed);
    }

    fn now(&self) -> bool {
        self.calls.fetch_add(1, Ordering::Relaxed) + 1 == self.at
    }
}

fn down() -> StoreError {
    StoreError::new(StoreTrouble::Unavailable, "fail on purpose")
}

#[async_trait]
impl Store for Failing {
    async fn commit(&self, id: IncidentId, at: Seq, commit: &Commit) -> Result<(), CommitError> {
        if self.full.load(Ordering::Relaxed) {
            return Err(CommitError::Store(down()));
        }
        match (self.now(), self.how) {
            (false, _) => self.inner.commit(id, at, commit).await,
            (true, Fails::Before) => Err(CommitError::Store(down())),
            (true, Fails::After) => {
                self.inner.commit(id, at, commit).await?;
                Err(CommitError::Unknown(down()))
            }
        }
    }

    async fn load(&self, id: IncidentId, after: Seq) -> Result<Vec<StoredRecord>, StoreError> {
        if self.now() { Err(down()) } else { self.inner.load(id, after).await }
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<IncidentId>, StoreError> {
        if self.now() {
            if self.how == Fails::After {
                self.inner.claim(claim).await?;
            }
            return Err(down());
        }
        self.inner.claim(claim).await
    }

    async fn list(&self, query: &Query) -> Result<Page, StoreError> {
        if self.now() { Err(down()) } else { self.inner.list(query).await }
    }

    async fn holder(&self, key: &str) -> Result<Option<Held>, StoreError> {
        if self.now() { Err(down()) } else { self.inner.holder(key).await }
    }

    async fn next_wake(&self) -> Result<Option<Time>, StoreError> {
        if self.now() { Err(down()) } else { self.inner.next_wake().await }
    }

    fn hints(&self) -> Hints {
        self.inner.hints()
    }
}
