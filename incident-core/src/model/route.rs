//! The ways that notices can take, and what else an incident can reach.

use crate::model::severity::Audience;

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
