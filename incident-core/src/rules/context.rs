//! What a decision may look at besides the incident itself: data, taken by the shell before the call.

use crate::log::incident::{Ending, Incident};
use crate::model::id::{Digest, IncidentId};
use crate::model::route::Routes;
use crate::model::side::Side;
use crate::model::time::Time;
use crate::runbook::Runbook;

/// What the world looks like to a decision.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The time, UTC.
    pub now: Time,
    /// The runbook in force.
    pub runbook: &'a Runbook,
    /// Its digest, which takes longer than most decisions: the shell makes it once.
    pub digest: Digest,
    /// What live incidents can reach.
    pub live: &'a Routes,
    /// What drills can reach.
    pub drill: &'a Routes,
    /// Names that other incidents are known to hold.
    pub taken: &'a [String],
    /// The other incidents that the command names, as far as they exist.
    pub others: &'a [OtherIncident],
    /// How many live incidents are open; none if nobody knows, which counts as too many.
    pub open_incidents: Option<u32>,
    /// Bytes that nobody can guess, new for each decision: they salt the texts.
    pub entropy: [u8; 16],
}

/// What a decision knows of an incident that its command names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtherIncident {
    /// The incident.
    pub id: IncidentId,
    /// Live or drill.
    pub side: Side,
    /// How it ended, if it did.
    pub ended: Option<Ending>,
}

impl OtherIncident {
    /// The incident `id`, open and live.
    #[must_use]
    pub fn new(id: IncidentId) -> Self {
        Self { id, side: Side::Live, ended: None }
    }

    /// What a decision knows of `incident`.
    #[must_use]
    pub fn of(incident: &Incident) -> Self {
        Self { id: incident.id, side: incident.side, ended: incident.ended }
    }

    /// On this side.
    #[must_use]
    pub fn on(mut self, side: Side) -> Self {
        self.side = side;
        self
    }

    /// After it ended this way.
    #[must_use]
    pub fn that_ended(mut self, ending: Ending) -> Self {
        self.ended = Some(ending);
        self
    }
}

impl<'a> Context<'a> {
    /// What an incident of this side can reach.
    #[must_use]
    pub fn routes(&self, side: Side) -> &'a Routes {
        match side {
            Side::Live => self.live,
            Side::Drill => self.drill,
        }
    }
}
