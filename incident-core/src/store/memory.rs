//! The store in memory: the reference that other stores are compared with, for tests and drills.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use tokio::sync::broadcast;

use crate::log::index::Index;
use crate::model::id::{IncidentId, Seq};
use crate::model::time::{Time, to_millis};
use crate::port::store::{
    Claim, Commit, CommitError, Held, Hint, Hints, IndexRow, Page, Query, Store, StoreError, StoredRecord,
};

/// How many hints a slow listener may fall behind before it misses some.
const HINTS_KEPT: usize = 256;

/// A [`Store`] in memory. A clone is another handle on the same data.
///
/// It keeps every promise of the port but one: what it acknowledges dies with the process.
///
/// Every call is answered at once and in the order of the calls, so a simulation on one thread is reproducible.
#[derive(Clone)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    hints: broadcast::Sender<Hint>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self { state: Arc::default(), hints: broadcast::Sender::new(HINTS_KEPT) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the lock")
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("incidents", &self.state().incidents.len()).finish()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn commit(&self, id: IncidentId, at: Seq, commit: &Commit) -> Result<(), CommitError> {
        self.state().commit(id, at, commit)?;
        // No listener is no failure.
        let _ = self.hints.send(Hint::new(id, commit.index.version));
        Ok(())
    }

    async fn load(&self, id: IncidentId, after: Seq) -> Result<Vec<StoredRecord>, StoreError> {
        let state = self.state();
        let log = state.incidents.get(&id).map_or(&[][..], |incident| &incident.records);
        Ok(log[log.partition_point(|record| record.seq <= after)..].to_vec())
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<IncidentId>, StoreError> {
        Ok(self.state().claim(claim))
    }

    async fn list(&self, query: &Query) -> Result<Page, StoreError> {
        let state = self.state();
        let size = usize::try_from(query.page_size()).unwrap_or(usize::MAX);
        let mut rows = state
            .incidents
            .iter()
            .filter(|(id, _)| query.after.is_none_or(|after| **id > after))
            .filter(|(_, incident)| !query.unsettled || incident.row.next_wake.is_some())
            .map(|(id, incident)| IndexRow::new(*id, incident.row.clone()));
        let page = rows.by_ref().take(size).collect();
        Ok(Page::new(page, rows.next().is_some()))
    }

    async fn holder(&self, key: &str) -> Result<Option<Held>, StoreError> {
        Ok(self.state().keys.get(key).copied())
    }

    async fn next_wake(&self) -> Result<Option<Time>, StoreError> {
        Ok(self.state().due.first().map(|(wake, _)| *wake))
    }

    fn hints(&self) -> Hints {
        let receiver = self.hints.subscribe();
        Box::pin(futures_util::stream::unfold(receiver, |mut receiver| async move {
            loop {
                match receiver.recv().await {
                    Ok(hint) => return Some((hint, receiver)),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                }
            }
        }))
    }
}

#[derive(Default)]
struct State {
    incidents: BTreeMap<IncidentId, Incident>,
    /// Who holds which name.
    keys: BTreeMap<String, Held>,
    /// Every `next_wake`, so that a claim doesn't visit incidents that aren't due.
    due: BTreeSet<(Time, IncidentId)>,
    /// The fold of every row, so that a claim finds those of an older one.
    folds: BTreeSet<(u32, IncidentId)>,
}

struct Incident {
    row: Index,
    records: Vec<StoredRecord>,
    lease: Option<Lease>,
}

struct Lease {
    worker: String,
    until: Time,
}

impl State {
    fn commit(&mut self, id: IncidentId, at: Seq, commit: &Commit) -> Result<(), CommitError> {
        commit.check(at)?;
        self.refuse(id, at, commit)?;
        let own = self.unlist(id);

        let mut row = commit.index.clone();
        row.next_wake = row.next_wake.map(to_millis);
        for key in &row.keys {
            let held = Held { by: id, until: key.until.map(to_millis) };
            // A key that is over goes on naming its last holder, as long as nobody else takes it.
            if held.at(to_millis(commit.now)) || own.contains(&key.name) {
                self.keys.insert(key.name.clone(), held);
            }
        }
        if let Some(wake) = row.next_wake {
            self.due.insert((wake, id));
        }
        self.folds.insert((row.by, id));

        let incident = self.incidents.entry(id).or_insert_with(|| Incident {
            row: row.clone(),
            records: Vec::new(),
            lease: None,
        });
        incident.row = row;
        incident.records.extend_from_slice(&commit.records);
        for slot in &commit.redact {
            let place = incident.records.binary_search_by_key(&slot.seq, |record| record.seq);
            let record = place.ok().and_then(|place| incident.records.get_mut(place));
            let slots = record.map(|record| &mut record.slots);
            if let (Some(slots), Ok(slot)) = (slots, usize::try_from(slot.slot))
                && let Some(text) = slots.get_mut(slot)
            {
                text.clear();
            }
        }
        Ok(())
    }

    /// Why the commit can't be made, if so.
    fn refuse(&self, id: IncidentId, at: Seq, commit: &Commit) -> Result<(), CommitError> {
        let row = self.incidents.get(&id).map(|incident| &incident.row);
        if row.map_or(Seq::ZERO, |row| row.version) != at {
            return Err(CommitError::Conflict);
        }
        if let Some(row) = row.filter(|row| row.by > commit.index.by) {
            return Err(CommitError::NewerFold { by: row.by });
        }
        for key in &commit.index.keys {
            let wanted = Held { by: id, until: key.until.map(to_millis) };
            let held =
                self.keys.get(&key.name).filter(|held| held.by != id && held.at(to_millis(commit.now)));
            if let Some(held) = held.filter(|_| wanted.at(to_millis(commit.now))) {
                return Err(CommitError::KeyTaken { key: key.name.clone(), holder: held.by });
            }
        }
        Ok(())
    }

    /// Takes the incident's present row out of everything that is found by it.
    /// What it held is returned.
    fn unlist(&mut self, id: IncidentId) -> BTreeSet<String> {
        let Some(incident) = self.incidents.get(&id) else { return BTreeSet::new() };
        // Somebody else may have taken a key that was over.
        let own = incident.row.keys.iter().map(|key| &key.name);
        let own: BTreeSet<_> =
            own.filter(|name| self.keys.get(*name).is_some_and(|held| held.by == id)).cloned().collect();
        for name in &own {
            self.keys.remove(name);
        }
        if let Some(wake) = incident.row.next_wake {
            self.due.remove(&(wake, id));
        }
        self.folds.remove(&(incident.row.by, id));
        own
    }

    fn claim(&mut self, claim: &Claim) -> Vec<IncidentId> {
        let now = to_millis(claim.now);
        for id in &claim.except {
            let own = self
                .incidents
                .get_mut(id)
                .filter(|it| it.lease.as_ref().is_some_and(|it| it.worker == claim.worker));
            if let Some(incident) = own {
                incident.lease = None;
            }
        }
        let due = self.due.iter().take_while(|(wake, _)| *wake <= now).map(|(_, id)| *id);
        let old = self.folds.iter().take_while(|(by, _)| *by < claim.by).map(|(_, id)| *id);
        let wanted: BTreeSet<_> = due
            .chain(old)
            .filter(|id| !claim.except.contains(id))
            .filter_map(|id| self.incidents.get(&id).map(|incident| (id, incident)))
            .filter(|(_, incident)| incident.row.by <= claim.by && incident.is_free(&claim.worker, now))
            .map(|(id, Incident { row, .. })| {
                (Reverse(row.urgency), row.next_wake.is_none(), row.next_wake, id)
            })
            .collect();
        let limit = usize::try_from(claim.limit).unwrap_or(usize::MAX);
        let taken: Vec<_> = wanted.into_iter().take(limit).map(|(.., id)| id).collect();
        for id in &taken {
            if let Some(incident) = self.incidents.get_mut(id) {
                incident.lease = Some(Lease { worker: claim.worker.clone(), until: to_millis(claim.until) });
            }
        }
        taken
    }
}

impl Incident {
    fn is_free(&self, worker: &str, now: Time) -> bool {
        self.lease.as_ref().is_none_or(|lease| lease.worker == worker || lease.until <= now)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;
    use crate::model::effect::Urgency;
    use crate::model::id::Digest;

    #[tokio::test]
    async fn a_commit_through_one_handle_wakes_a_listener_on_another() {
        let store = MemoryStore::new();
        let mut hints = store.clone().hints();
        let id = IncidentId::new(Time::UNIX_EPOCH, [1; 16]);
        let record =
            StoredRecord { seq: Seq(1), body: Vec::new(), slots: Vec::new(), chain: Digest::default() };
        let row = Index::new(Seq(1), None, Urgency::ROUTINE);
        let commit = Commit::new(vec![record], row, Time::UNIX_EPOCH);

        store.commit(id, Seq::ZERO, &commit).await.unwrap();

        assert_eq!(hints.next().await, Some(Hint::new(id, Seq(1))));
    }
}
