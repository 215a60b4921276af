//! Many incidents with their logs, read from a store.

use incident_core::log::chain::{decode, fold};
use incident_core::log::event::Record;
use incident_core::log::incident::Incident;
use incident_core::model::id::IncidentId;
use incident_core::model::time::Time;
use incident_core::port::Store;
use incident_core::port::store::{Query, StoreError};

/// An incident and its whole log.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Past {
    /// The incident, folded from its log.
    pub incident: Incident,
    /// The log, in order.
    pub records: Vec<Record>,
}

impl Past {
    /// `incident`, folded from `records`.
    #[must_use]
    pub fn new(incident: Incident, records: Vec<Record>) -> Self {
        Self { incident, records }
    }
}

/// The incidents of a period, oldest first.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct History {
    /// Those that can be read.
    pub incidents: Vec<Past>,
    /// Those that can't, and are therefore in no figure.
    pub unreadable: Vec<IncidentId>,
}

impl History {
    /// Reads the incidents that were declared from `from` to before `until`, UTC, drills included.
    ///
    /// It reads their whole logs, a page of incidents at a time, and keeps all of them.
    ///
    /// # Errors
    /// [`StoreError`]. A log that can't be read is no error, but counted.
    pub async fn load(store: &dyn Store, from: Time, until: Time) -> Result<Self, StoreError> {
        let mut history = Self::default();
        // Ids order by the time of declaration, so the page begins and ends where the period does.
        let (first, end) = (IncidentId::new(from, [0; 16]), IncidentId::new(until, [0; 16]));
        let mut last = before(first);
        loop {
            let page = store.list(&Query::all().after(last)).await?;
            for row in &page.rows {
                if row.id >= end {
                    return Ok(history);
                }
                let log = store.load(row.id, incident_core::model::id::Seq::ZERO).await?;
                let records: Option<Vec<Record>> = log.iter().map(|stored| decode(stored).ok()).collect();
                match (fold(row.id, &log), records) {
                    (Ok((incident, _)), Some(records)) => {
                        history.incidents.push(Past::new(incident, records));
                    }
                    _ => history.unreadable.push(row.id),
                }
            }
            match page.rows.last() {
                Some(row) if page.more => last = Some(row.id),
                _ => return Ok(history),
            }
        }
    }
}

/// The greatest id below `id`, for a store lists what is greater than another; none if there is none.
fn before(id: IncidentId) -> Option<IncidentId> {
    let below = u128::from_be_bytes(id.to_bytes()).checked_sub(1)?;
    Some(IncidentId::from_bytes(below.to_be_bytes()))
}
