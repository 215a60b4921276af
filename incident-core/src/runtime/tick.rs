//! One pass over everything that is due, for whoever runs no loop.

use std::collections::BTreeMap;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::engine::{Engine, locked};
use super::pass::{Busy, Passed};
use crate::model::id::IncidentId;
use crate::model::time::{Time, after};
use crate::port::store::{Claim, StoreError};

/// What a pass did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tick {
    /// How many incidents were looked at.
    pub ran: usize,
    /// How many of them still want something now: this engine has no adapter for it, or the time was up.
    pub left: usize,
    /// When something wants attention next, UTC; none exactly when nothing is owed.
    pub next_wake: Option<Time>,
    /// The incidents that this version can't read, and why.
    pub unreadable: BTreeMap<IncidentId, String>,
}

impl Engine {
    /// Does what is due, once, inside this future. Begins nothing at or after `until`, and finishes what it began.
    ///
    /// Dropping this future stops the calls that it began; whether they were carried out is looked for later.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't say what is due.
    pub async fn tick(&self, until: Time) -> Result<Tick, StoreError> {
        let mut tick = Tick::default();
        let pass = |busy: Busy| {
            let id = busy.id();
            self.clone().pass(busy, until).map(move |end| (id, end))
        };
        let mut passes: FuturesUnordered<_> =
            self.claim(self.0.parallel).await?.taken.into_iter().map(pass).collect();
        // These found every place taken, by passes of this tick or by a loop.
        let mut full = Vec::new();
        while let Some((id, end)) = passes.next().await {
            tick.ran += 1;
            match end {
                Passed::Clear(_) => {}
                Passed::Full if !passes.is_empty() && self.now() < until => {
                    tick.ran -= 1;
                    full.push(id);
                    continue;
                }
                Passed::Full | Passed::Left | Passed::Failed => tick.left += 1,
                Passed::Unreadable(why) => {
                    tick.unreadable.insert(id, why);
                }
            }
            // What this pass took is free again.
            passes.extend(full.pop().and_then(|id| Busy::at(self, id)).map(pass));
        }
        tick.next_wake = self.0.store.next_wake().await?;
        Ok(tick)
    }

    /// Claims at most `most` incidents that want something and that no pass of this engine is at.
    pub(super) async fn claim(&self, most: usize) -> Result<Claimed, StoreError> {
        let now = self.now();
        let except: Vec<IncidentId> = {
            let mut resting = locked(&self.0.resting);
            resting.retain(|_, rest| rest.until > now);
            resting.keys().copied().collect()
        };
        // The store offers this engine's own ones again, which keeps their lease up.
        let limit = most.saturating_add(locked(&self.0.busy).len());
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let claim = Claim::new(&self.0.worker, now, after(now, self.0.lease), limit).except(except);
        let claimed = self.0.store.claim(&claim).await?;
        let all = u32::try_from(claimed.len()).is_ok_and(|count| count < limit);
        Ok(Claimed { taken: claimed.into_iter().filter_map(|id| Busy::at(self, id)).collect(), all })
    }
}

/// What a claim brought.
pub(super) struct Claimed {
    pub(super) taken: Vec<Busy>,
    /// Whether that is all there is.
    pub(super) all: bool,
}
