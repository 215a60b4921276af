//! A store whose disk gives back other bytes than it was given: whatever they are, the incident is left alone.

use std::sync::Arc;

use async_trait::async_trait;
use incident_core::model::id::{IncidentId, Seq};
use incident_core::model::side::Side;
use incident_core::model::time::Time;
use incident_core::port::Store;
use incident_core::port::store::{
    Claim, Commit, CommitError, Held, Hints, Page, Query, StoreError, StoredRecord,
};
use incident_core::runtime::{AuditProblem, CommandError};
use incident_core::store::MemoryStore;
use proptest::prelude::*;

use crate::world::{self, Shared};
use crate::{alarms, clock, declare};

/// Gives other bytes as a record's body and slots.
#[derive(Debug)]
struct Damaged {
    inner: MemoryStore,
    incident: IncidentId,
    record: Seq,
    body: Vec<u8>,
    slots: Vec<Vec<u8>>,
}

#[async_trait]
impl Store for Damaged {
    async fn load(&self, id: IncidentId, after: Seq) -> Result<Vec<StoredRecord>, StoreError> {
        let mut log = self.inner.load(id, after).await?;
        for stored in log.iter_mut().filter(|stored| id == self.incident && stored.seq == self.record) {
            (stored.body, stored.slots) = (self.body.clone(), self.slots.clone());
        }
        Ok(log)
    }

    async fn commit(&self, id: IncidentId, at: Seq, commit: &Commit) -> Result<(), CommitError> {
        assert_ne!(id, self.incident, "nothing is added to a log that can't be read");
        self.inner.commit(id, at, commit).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<IncidentId>, StoreError> {
        self.inner.claim(claim).await
    }

    async fn list(&self, query: &Query) -> Result<Page, StoreError> {
        self.inner.list(query).await
    }

    async fn holder(&self, key: &str) -> Result<Option<Held>, StoreError> {
        self.inner.holder(key).await
    }

    async fn next_wake(&self) -> Result<Option<Time>, StoreError> {
        self.inner.next_wake().await
    }

    fn hints(&self) -> Hints {
        self.inner.hints()
    }
}

async fn is_left_alone(record: u64, body: Vec<u8>, slots: Vec<Vec<u8>>) {
    let (clock, world) = (clock(), Shared::default());
    let inner = MemoryStore::new();
    let sound = world::engine(Arc::new(inner.clone()), &clock, &world, 1);
    let (incident, plain) = (declare(&sound, Side::Live).await, declare(&sound, Side::Live).await);
    let length = inner.load(incident, Seq::ZERO).await.unwrap().len();
    let record = Seq(1 + record % u64::try_from(length).unwrap());
    let store = Damaged { inner, incident, record, body, slots };
    let engine = world::engine(Arc::new(store), &clock, &world, 2);

    let tick = engine.tick(Time::MAX_UTC).await.unwrap();

    assert!(tick.unreadable.contains_key(&incident), "{tick:?}");
    let refused = engine.incident(incident).as_actor(world::human("alice")).acknowledge().await;
    assert!(matches!(refused, Err(CommandError::Unreadable(_))), "{refused:?}");
    let audit = engine.audit().await.unwrap().findings;
    let found = |it: &incident_core::runtime::AuditFinding| {
        it.incident == incident && matches!(it.problem, AuditProblem::Unreadable(_))
    };
    assert!(audit.iter().any(found), "{audit:?}");
    let told = world.lock().unwrap().notices.iter().filter(|it| it.0.incident == incident).count();
    assert_eq!((told, alarms(&world, incident).len()), (1, 1), "nothing is sent for it but the alarm");
    assert!(engine.incident(plain).state().await.unwrap().effects.is_empty(), "the other goes on");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_in_a_record_are_quarantined(
        record in any::<u64>(),
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            Just(br#"{"occurred_at":"2026-03-20T09:46:40Z"}"#.to_vec()),
        ],
        slots in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..3),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(is_left_alone(record, body, slots));
    }
}
