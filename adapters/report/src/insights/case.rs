//! What insights need to know of one incident.

use std::collections::BTreeSet;

use incident_core::log::incident::Ending;
use incident_core::log::index::{Summary, index};
use incident_core::model::cause::CauseClass;
use incident_core::model::id::IncidentId;
use incident_core::model::severity::Severity;
use incident_core::model::side::Side;
use incident_core::model::time::Time;
use incident_core::postmortem::{ActionItem, PostMortem, Promise};
use incident_core::runbook::Runbook;
use incident_core::views::metrics::ResponseTimes;

use crate::history::Past;

/// One incident that is counted.
pub(super) struct Case {
    pub(super) id: IncidentId,
    pub(super) declared: Time,
    pub(super) severity: Severity,
    pub(super) service: Option<String>,
    pub(super) causes: BTreeSet<CauseClass>,
    pub(super) times: ResponseTimes,
    pub(super) promises: Vec<Promise>,
    pub(super) actions: Vec<ActionItem>,
    /// What a list shows of it, which recurrences are found by.
    pub(super) summary: Option<Summary>,
}

/// Why an incident isn't counted.
pub(super) enum Why {
    Drill,
    FalseAlarm,
    Merged,
}

impl Case {
    pub(super) fn of(past: &Past, declared: Time, runbook: &Runbook) -> Result<Self, Why> {
        let Past { incident, records } = past;
        match (incident.side, incident.ended) {
            (Side::Drill, _) => return Err(Why::Drill),
            (_, Some(Ending::Cancelled)) => return Err(Why::FalseAlarm),
            (_, Some(Ending::Merged(_))) => return Err(Why::Merged),
            _ => {}
        }
        // The post-mortem knows already what was promised and what became of it.
        let document = PostMortem::write(incident, records, runbook);
        Ok(Self {
            id: incident.id,
            declared,
            severity: incident.severity,
            service: incident.service.clone(),
            causes: incident.cause_classes(),
            times: ResponseTimes::of(incident),
            promises: document.promises,
            actions: document.actions,
            summary: serde_json::from_slice(&index(incident).summary).ok(),
        })
    }
}
