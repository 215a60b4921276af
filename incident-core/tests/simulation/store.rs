//! The one store that all replicas share: it fails now and then, and shows each commit to the promises.

use async_trait::async_trait;
use incident_core::model::id::{IncidentId, Seq};
use incident_core::model::time::Time;
use incident_core::port::Store;
use incident_core::port::store::{
    Claim, Commit, CommitError, Held, Hints, Page, Query, StoreError, StoreTrouble, StoredRecord,
};
use incident_core::store::MemoryStore;

use crate::defects::{Defect, stale};
use crate::dice::{Faults, Life};
use crate::promises::Watch;

#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) inner: MemoryStore,
    pub(crate) faults: Faults,
    pub(crate) watch: Watch,
    pub(crate) life: Life,
    pub(crate) defect: Option<Defect>,
}

fn down() -> StoreError {
    StoreError::new(StoreTrouble::Unavailable, "be simulated")
}

impl Shared {
    async fn reads(&self) -> Result<(), StoreError> {
        self.faults.yields().await;
        self.life.goes_on().await;
        if self.faults.dice.permille(self.faults.weather().store) {
            self.faults.count("store away");
            return Err(down());
        }
        Ok(())
    }
}

#[async_trait]
impl Store for Shared {
    async fn commit(&self, id: IncidentId, at: Seq, commit: &Commit) -> Result<(), CommitError> {
        self.faults.yields().await;
        self.life.goes_on().await;
        let fails = self.faults.dice.permille(self.faults.weather().store);
        let before = fails && self.faults.dice.permille(500);
        if before {
            self.faults.count("store failed before a commit");
            return Err(CommitError::Store(down()));
        }
        let written = match self.defect {
            Some(Defect::StaleIndex) => stale(&self.inner, id, commit).await,
            _ => commit.clone(),
        };
        self.inner.commit(id, at, &written).await?;
        self.watch.commit(id, at, commit);
        self.life.goes_on().await;
        if fails {
            self.faults.count("reply of a commit lost");
            return Err(CommitError::Unknown(down()));
        }
        self.faults.yields().await;
        self.life.goes_on().await;
        Ok(())
    }

    async fn load(&self, id: IncidentId, after: Seq) -> Result<Vec<StoredRecord>, StoreError> {
        self.reads().await?;
        self.inner.load(id, after).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<IncidentId>, StoreError> {
        self.reads().await?;
        self.inner.claim(claim).await
    }

    async fn list(&self, query: &Query) -> Result<Page, StoreError> {
        self.reads().await?;
        self.inner.list(query).await
    }

    async fn holder(&self, key: &str) -> Result<Option<Held>, StoreError> {
        self.reads().await?;
        self.inner.holder(key).await
    }

    async fn next_wake(&self) -> Result<Option<Time>, StoreError> {
        self.reads().await?;
        self.inner.next_wake().await
    }

    fn hints(&self) -> Hints {
        self.inner.hints()
    }
}
