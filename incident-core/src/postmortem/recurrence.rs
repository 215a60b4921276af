//! Whether it happened before.

use std::time::Duration;

use serde::Serialize;

use super::seconds;
use crate::log::incident::Ending;
use crate::log::index::Summary;
use crate::model::cause::CauseClass;
use crate::model::id::IncidentId;
use crate::model::inert;
use crate::model::time::{Time, since};

/// An earlier incident of the same service and class of cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Recurrence {
    /// The earlier incident.
    pub incident: IncidentId,
    /// What it was called, in one inert line of plain text.
    pub title: String,
    /// The service of both.
    pub service: String,
    /// The classes of cause of both.
    pub classes: Vec<CauseClass>,
    /// How long before this one it began.
    #[serde(serialize_with = "seconds::length")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub apart: Duration,
}

/// When an incident began as far as is known: no later than it was declared.
fn began(summary: &Summary) -> Option<Time> {
    summary.started_at.or(summary.declared_at)
}

/// Which of `others` the incident `of` repeats: the same service, a class of cause in common, and begun before it but not
/// longer ago than `within`. The latest comes first.
///
/// Drills repeat only drills; false alarms and incidents that became part of another are left out.
#[must_use]
pub fn recurrences(
    of: (IncidentId, &Summary),
    others: &[(IncidentId, Summary)],
    within: Duration,
) -> Vec<Recurrence> {
    let (id, this) = of;
    let (Some(service), Some(started)) = (&this.service, began(this)) else { return Vec::new() };
    let recurrence = |(other, summary): &(IncidentId, Summary)| {
        let began = began(summary).filter(|began| *began <= started)?;
        let apart = since(started, began);
        let classes: Vec<_> = this.causes.intersection(&summary.causes).copied().collect();
        let counts = *other != id
            && summary.side == this.side
            && !matches!(summary.ended, Some(Ending::Cancelled | Ending::Merged(_)))
            && summary.service.as_ref() == Some(service)
            && apart <= within
            && !classes.is_empty();
        let title = inert::line(&summary.title);
        counts.then(|| Recurrence { incident: *other, title, service: service.clone(), classes, apart })
    };
    let mut found: Vec<Recurrence> = others.iter().filter_map(recurrence).collect();
    found.sort_by_key(|it| (it.apart, it.incident));
    found
}
