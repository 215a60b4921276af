//! The suite for stores: the memory store passes it, and stores that are wrong in one way fail it.

mod conforming {
    use incident_core::store::MemoryStore;

    incident_core::store_conformance!(MemoryStore::new);
}

mod wrong {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use async_trait::async_trait;
    use incident_core::conformance::store::{StoreHarness, check};
    use incident_core::log::index::Key;
    use incident_core::model::id::{IncidentId, Seq};
    use incident_core::model::time;
    use incident_core::model::time::Time;
    use incident_core::port::store::{
        Claim, Commit, CommitError, Held, Hints, Page, Query, Store, StoreError, StoredRecord,
    };
    use incident_core::store::MemoryStore;

    /// A way to break a store.
    #[derive(Debug, Clone, Copy)]
    enum Fault {
        IgnoresVersions,
        AcceptsGaps,
        ForgetsSlots,
        MakesText,
        CutsBytes,
        AppliesHalf,
        KeepsKeys,
        IgnoresKeys,
        HoldsTooLong,
        ForgetsLeases,
        ClaimsByTime,
        KeepsExcepted,
        OverwritesNewer,
        SkipsOldRows,
        RedactsFirst,
        NeverRedacts,
        PagesByOffset,
        ListsEverything,
        LoadsFromStart,
        AcknowledgesNothing,
        KeepsToItself,
    }

    #[derive(Debug)]
    struct Wrong {
        inner: MemoryStore,
        fault: Fault,
        calls: Arc<AtomicU64>,
    }

    impl Wrong {
        fn new(fault: Fault) -> Self {
            Self { inner: MemoryStore::new(), fault, calls: Arc::default() }
        }

        async fn version(&self, id: IncidentId) -> Result<Seq, StoreError> {
            Ok(self.inner.load(id, Seq::ZERO).await?.last().map_or(Seq::ZERO, |last| last.seq))
        }

        /// The same commit as if it had been decided on the version that is there.
        async fn moved(&self, id: IncidentId, commit: &Commit) -> Result<(Seq, Commit), StoreError> {
            let at = self.version(id).await?;
            let mut commit = commit.clone();
            commit.index.version = at;
            for record in &mut commit.records {
                commit.index.version = commit.index.version.next();
                record.seq = commit.index.version;
            }
            Ok((at, commit))
        }
    }

    #[async_trait]
    impl StoreHarness for Wrong {
        async fn open(&self) -> Arc<dyn Store> {
            let inner = match self.fault {
                Fault::KeepsToItself => MemoryStore::new(),
                _ => self.inner.clone(),
            };
            Arc::new(Self { inner, fault: self.fault, calls: Arc::clone(&self.calls) })
        }
    }

    #[async_trait]
    impl Store for Wrong {
        async fn commit(&self, id: IncidentId, at: Seq, commit: &Commit) -> Result<(), CommitError> {
            let mut changed = commit.clone();
            match self.fault {
                Fault::IgnoresVersions => {
                    let (at, moved) = self.moved(id, commit).await?;
                    return self.inner.commit(id, at, &moved).await;
                }
                Fault::AcceptsGaps if commit.check(at).is_err() && !commit.records.is_empty() => {
                    let (at, moved) = self.moved(id, commit).await?;
                    return self.inner.commit(id, at, &moved).await;
                }
                Fault::AppliesHalf => {
                    let result = self.inner.commit(id, at, commit).await;
                    if matches!(result, Err(CommitError::KeyTaken { .. })) {
                        changed.index.keys.clear();
                        self.inner.commit(id, at, &changed).await?;
                    }
                    return result;
                }
                Fault::RedactsFirst => {
                    let (at, mut early) = self.moved(id, commit).await?;
                    early.records.clear();
                    early.index.version = at;
                    let _ = self.inner.commit(id, at, &early).await;
                }
                Fault::KeepsKeys => {
                    let names = (0..200).map(|n| format!("key/{n}")).chain(["a", "b"].map(str::to_owned));
                    for name in names {
                        let kept = self
                            .inner
                            .holder(&name)
                            .await?
                            .is_some_and(|held| held.at(commit.now) && held.by == id)
                            && changed.index.keys.iter().all(|key| key.name != name);
                        if kept {
                            changed.index.keys.push(Key::held(name));
                        }
                    }
                }
                Fault::IgnoresKeys => changed.index.keys.clear(),
                Fault::HoldsTooLong => {
                    changed.now = time::before(commit.now, std::time::Duration::from_millis(1));
                }
                Fault::OverwritesNewer => changed.index.by = u32::MAX,
                Fault::NeverRedacts => changed.redact.clear(),
                Fault::CutsBytes => {
                    for record in &mut changed.records {
                        record.body.truncate(65_535);
                    }
                }
                Fault::AcknowledgesNothing => return Ok(()),
                _ => {}
            }
            self.inner.commit(id, at, &changed).await
        }

        async fn load(&self, id: IncidentId, after: Seq) -> Result<Vec<StoredRecord>, StoreError> {
            let after = if matches!(self.fault, Fault::LoadsFromStart) { Seq::ZERO } else { after };
            let mut records = self.inner.load(id, after).await?;
            for record in &mut records {
                match self.fault {
                    Fault::ForgetsSlots => record.slots.clear(),
                    Fault::MakesText => {
                        record.body = String::from_utf8_lossy(&record.body).into_owned().into_bytes();
                    }
                    _ => {}
                }
            }
            Ok(records)
        }

        async fn claim(&self, claim: &Claim) -> Result<Vec<IncidentId>, StoreError> {
            let mut claim = claim.clone();
            if matches!(self.fault, Fault::ForgetsLeases) {
                claim.worker = self.calls.fetch_add(1, Ordering::Relaxed).to_string();
                claim.until = claim.now;
            }
            if matches!(self.fault, Fault::KeepsExcepted) {
                claim.except.clear();
            }
            let mut claimed = self.inner.claim(&claim).await?;
            match self.fault {
                Fault::ClaimsByTime => claimed.sort_unstable(),
                Fault::SkipsOldRows => {
                    let rows = self.inner.list(&Query::unsettled().limit(u32::MAX)).await?.rows;
                    let due = |id| rows.iter().any(|row| row.id == id && row.next_wake <= Some(claim.now));
                    claimed.retain(|id| due(*id));
                }
                _ => {}
            }
            Ok(claimed)
        }

        async fn list(&self, query: &Query) -> Result<Page, StoreError> {
            let mut query = query.clone();
            match (self.fault, query.after) {
                (Fault::ListsEverything, _) => query.unsettled = false,
                (Fault::PagesByOffset, Some(after)) => {
                    let all = self.inner.list(&query.clone().after(None).limit(u32::MAX)).await?.rows;
                    let place = self.calls.fetch_add(u64::from(query.page_size()), Ordering::Relaxed);
                    let skipped = usize::try_from(place).unwrap_or(usize::MAX) + query.page_size() as usize;
                    if all.last().is_none_or(|last| last.id <= after) {
                        return Ok(Page::default());
                    }
                    let size = query.page_size() as usize;
                    let more = all.len() > skipped.saturating_add(size);
                    return Ok(Page::new(all.into_iter().skip(skipped).take(size).collect(), more));
                }
                (Fault::PagesByOffset, None) => self.calls.store(0, Ordering::Relaxed),
                _ => {}
            }
            self.inner.list(&query).await
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

    #[tokio::test]
    async fn each_fault_breaks_the_promise_it_concerns() {
        for (fault, finder) in [
            (Fault::IgnoresVersions, "a_commit_elsewhere_conflicts"),
            (Fault::AcceptsGaps, "a_log_has_no_gaps"),
            (Fault::ForgetsSlots, "slots_come_back"),
            (Fault::MakesText, "bodies_come_back"),
            (Fault::CutsBytes, "large_bytes_come_back"),
            (Fault::AppliesHalf, "a_taken_key_is_refused_and_its_holder_named"),
            (Fault::KeepsKeys, "a_key_not_named_is_free"),
            (Fault::IgnoresKeys, "one_holds_a_raced_key"),
            (Fault::HoldsTooLong, "a_key_is_held_until_its_time"),
            (Fault::ForgetsLeases, "a_lease_keeps_others_out_until_it_ends"),
            (Fault::ClaimsByTime, "the_urgent_go_first"),
            (Fault::KeepsExcepted, "what_is_excepted_is_let_go"),
            (Fault::OverwritesNewer, "a_newer_fold_is_never_overwritten"),
            (Fault::SkipsOldRows, "rows_of_an_older_fold_are_offered"),
            (Fault::RedactsFirst, "a_refused_commit_redacts_nothing"),
            (Fault::NeverRedacts, "named_slots_are_emptied"),
            (Fault::PagesByOffset, "pages_hold_under_writes"),
            (Fault::ListsEverything, "the_settled_can_be_left_out"),
            (Fault::LoadsFromStart, "the_tail_is_what_comes_after"),
            (Fault::AcknowledgesNothing, "a_new_handle_finds_everything"),
            (Fault::KeepsToItself, "a_new_handle_finds_everything"),
        ] {
            let broken = check(|| Wrong::new(fault)).await.err().unwrap_or_default();
            let found = broken.iter().any(|broken| broken.case == finder);
            let names: Vec<_> = broken.iter().map(|broken| broken.case).collect();
            assert!(found, "{fault:?} should be found by {finder}, but was found by {names:?}");
        }
    }
}
