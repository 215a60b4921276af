//! What a decision may look at besides the incident itself: data, taken by the shell before the call.

use crate::log::incident::{Ending, Incident};
use crate::model::id::{Digest, IncidentId};
use crate::model::severity::Audience;
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

/// What can be reached, by name. Live and drill have nothing in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Routes {
    /// The ways a notice can take.
    pub notices: Vec<Route>,
    /// The tracker that keeps the incident's ticket.
    pub tracker: Option<String>,
    /// The systems that can be changed.
    pub systems: Vec<String>,
    /// The sources of evidence.
    pub collectors: Vec<String>,
    /// The checks that a probe answers.
    pub probes: Vec<String>,
}

/// One way a notice can take.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// The route's name.
    pub name: String,
    /// Whom it reaches.
    pub audiences: Vec<Audience>,
    /// The route that carries a page if this one can't.
    pub fallback: Option<String>,
}

impl Route {
    /// A route called `name` that reaches `audiences`.
    #[must_use]
    pub fn new(name: &str, audiences: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            audiences: audiences.iter().map(|it| Audience::new(it)).collect(),
            fallback: None,
        }
    }

    /// With another route for pages that it can't carry.
    #[must_use]
    pub fn with_fallback(mut self, route: &str) -> Self {
        self.fallback = Some(route.to_owned());
        self
    }
}

impl Routes {
    /// The routes that reach `audience`.
    pub fn to<'a>(&'a self, audience: &'a Audience) -> impl Iterator<Item = &'a Route> {
        self.notices.iter().filter(move |route| route.audiences.contains(audience))
    }

    /// The route that carries a page if `name` can't.
    #[must_use]
    pub fn fallback(&self, name: &str) -> Option<&Route> {
        self.route(self.route(name)?.fallback.as_deref()?)
    }

    /// The route called `name`.
    #[must_use]
    pub fn route(&self, name: &str) -> Option<&Route> {
        self.notices.iter().find(|route| route.name == name)
    }
}
