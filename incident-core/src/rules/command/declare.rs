//! What begins an incident, and the alerts that it is given by group.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::log::storm::StormWindow;
use crate::model::id::IncidentId;
use crate::model::severity::Severity;
use crate::model::side::Side;
use crate::model::signal::{Detection, Signal};
use crate::model::time::Time;

/// See [`Command::Declare`](super::Command::Declare).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Declare {
    /// What to call it.
    pub title: String,
    /// The service that is affected.
    pub service: Option<String>,
    /// How bad it is; none assumes SEV2 until triage.
    pub severity: Option<Severity>,
    /// Whether the severity was only assumed.
    #[serde(default)]
    pub severity_assumed: bool,
    /// How it was noticed.
    pub detected_by: Detection,
    /// When it began, UTC, if that is known.
    pub started_at: Option<Time>,
    /// When it was called an incident, UTC, if it is told only afterwards; now otherwise.
    #[serde(default)]
    pub declared_at: Option<Time>,
    /// Live or drill.
    pub side: Side,
    /// A name of the caller's for this declaration, such as the id of a chat command: at most one incident is ever declared
    /// under it. See [`Engine::declare_once`](crate::runtime::Engine::declare_once).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub once: Option<String>,
    /// What makes alerts part of it; at most one incident holds a group at a time.
    pub signal_group: Option<String>,
    /// The alerts it begins with.
    pub signals: Arc<[Signal]>,
    /// Why these alerts begin an incident of their own, where that isn't plain; the timeline says it beside them.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The storm whose alerts it gathers, if it does.
    #[serde(default)]
    pub storm: Option<StormDeclared>,
    /// The incident this one repeats.
    pub recurrence_of: Option<IncidentId>,
    /// A link to look at.
    pub link: Option<String>,
}

/// A storm of alerts, when it begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StormDeclared {
    /// How long it goes on.
    pub window: StormWindow,
    /// The groups it begins with, and their alerts.
    pub gathered: Vec<Gathered>,
}

/// See [`Command::Gather`](super::Command::Gather).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gather {
    /// The groups and their alerts.
    pub gathered: Vec<Gathered>,
    /// Whether a storm begins again: its incident takes any group in, and pages once more.
    pub begins: bool,
}

/// Alerts of one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gathered {
    /// The group.
    pub group: String,
    /// Its alerts.
    pub signals: Arc<[Signal]>,
}

impl Declare {
    /// An incident called `title` that somebody of the team saw.
    #[must_use]
    pub fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            service: None,
            severity: None,
            severity_assumed: false,
            detected_by: Detection::TeamObservation,
            started_at: None,
            declared_at: None,
            side: Side::Live,
            once: None,
            signal_group: None,
            signals: Arc::default(),
            notes: Vec::new(),
            storm: None,
            recurrence_of: None,
            link: None,
        }
    }

    /// Of this severity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// Affecting this service.
    #[must_use]
    pub fn service(mut self, service: &str) -> Self {
        self.service = Some(service.to_owned());
        self
    }

    /// Noticed this way.
    #[must_use]
    pub fn detected_by(mut self, detected_by: Detection) -> Self {
        self.detected_by = detected_by;
        self
    }

    /// Begun at `time`.
    #[must_use]
    pub fn started_at(mut self, time: Time) -> Self {
        self.started_at = Some(time);
        self
    }

    /// At most once under this name.
    #[must_use]
    pub fn once(mut self, name: &str) -> Self {
        self.once = Some(name.to_owned());
        self
    }

    /// As a drill.
    #[must_use]
    pub fn drill(mut self) -> Self {
        self.side = Side::Drill;
        self
    }
}
