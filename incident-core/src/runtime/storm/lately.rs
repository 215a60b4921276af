//! How many incidents were declared lately: one more than a few is a storm.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use tokio::sync::OnceCell;

use super::Which;
use crate::log::index::Summary;
use crate::model::id::IncidentId;
use crate::model::signal::Signal;
use crate::model::time::{Time, before};
use crate::port::store::{Query, StoreError};
use crate::runtime::engine::{Engine, locked};
use crate::runtime::intake::Group;

/// When incidents were declared lately.
#[derive(Debug, Default)]
pub(super) struct Lately {
    declared: Mutex<BTreeMap<Which, VecDeque<Time>>>,
    /// Whether it was read what the store knows of that.
    read: OnceCell<()>,
}

impl Engine {
    /// Counts another incident, unless it is one too many.
    pub(in crate::runtime) async fn count_declared(&self, group: &Group, signals: &[Signal]) -> bool {
        let policy = group.policy().storm;
        if policy.incidents == 0 {
            return true;
        }
        let (lately, since) = (&self.0.storms.lately, before(self.now(), policy.within));
        if let Err(error) = lately.read.get_or_try_init(|| self.read_declared(since)).await {
            tracing::warn!(%error, "what was declared lately can't be read; only what follows is counted");
        }
        let mut declared = locked(&lately.declared);
        let declared = declared.entry((group.side, group.severity(signals))).or_default();
        declared.retain(|at| *at > since);
        let may = u64::try_from(declared.len()).is_ok_and(|count| count < u64::from(policy.incidents));
        if may {
            declared.push_back(self.now());
        }
        may
    }

    /// Takes back what was counted for an incident that didn't come about.
    pub(in crate::runtime) fn uncount_declared(&self, group: &Group, signals: &[Signal]) {
        let of = (group.side, group.severity(signals));
        if let Some(declared) = locked(&self.0.storms.lately.declared).get_mut(&of) {
            declared.pop_back();
        }
    }

    async fn read_declared(&self, since: Time) -> Result<(), StoreError> {
        let mut after = Some(IncidentId::new(since, [0; 16]));
        let mut found: Vec<(Which, Time)> = Vec::new();
        loop {
            let page = self.0.store.list(&Query::all().after(after).limit(1_000)).await?;
            for row in &page.rows {
                // A row that can't be read is the audit's to tell of.
                let Ok(summary) = serde_json::from_slice::<Summary>(&row.summary) else { continue };
                found.push(((summary.side, summary.severity), row.id.made_at()));
            }
            after = page.rows.last().map(|row| row.id);
            if !page.more || after.is_none() {
                break;
            }
        }
        let mut declared = locked(&self.0.storms.lately.declared);
        found.into_iter().for_each(|(of, at)| declared.entry(of).or_default().push_back(at));
        Ok(())
    }
}
