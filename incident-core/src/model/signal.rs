//! Alerts from outside, and the rules that turn them into incidents.

mod policy;
mod reading;
mod written;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::id::Digest;
use crate::model::time::Time;

pub use policy::{SignalPolicy, SignalRule, StormPolicy, WordMeans, WorseNews};
pub use reading::Judged;
#[cfg(feature = "runtime")]
pub(crate) use reading::{link, service};
pub use written::{Fingerprints, Severities, Times};

/// An alert from outside. Everything in it is untrusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Signal {
    /// What tells this alert from others of the same source.
    pub fingerprint: String,
    /// Whether it fires or has resolved.
    pub state: SignalState,
    /// What was detected, in a line.
    pub summary: String,
    /// The alert's labels.
    pub labels: BTreeMap<String, String>,
    /// How it was noticed.
    pub detected_by: Detection,
    /// When it began, as the source says, UTC. With the fingerprint it names one occurrence of the alert.
    pub started_at: Option<Time>,
    /// When it ended, as the source says, UTC.
    #[serde(default)]
    pub ended_at: Option<Time>,
    /// Where to look, if the source says.
    pub link: Option<String>,
    /// What the reader of the alert couldn't read, shortened or assumed. It never repeats what was sent.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl Signal {
    /// A firing alert.
    #[must_use]
    pub fn firing(fingerprint: &str, summary: &str, detected_by: Detection) -> Self {
        Self {
            fingerprint: fingerprint.to_owned(),
            state: SignalState::Firing,
            summary: summary.to_owned(),
            labels: BTreeMap::new(),
            detected_by,
            started_at: None,
            ended_at: None,
            link: None,
            notes: Vec::new(),
        }
    }

    /// The same alert, resolved.
    #[must_use]
    pub fn resolved(mut self) -> Self {
        self.state = SignalState::Resolved;
        self
    }

    /// Whether it fires.
    #[must_use]
    pub fn is_firing(&self) -> bool {
        self.state == SignalState::Firing
    }

    /// With the label `name` set to `value`.
    #[must_use]
    pub fn with_label(mut self, name: &str, value: &str) -> Self {
        self.labels.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Begun at `time`.
    #[must_use]
    pub fn started_at(mut self, time: Time) -> Self {
        self.started_at = Some(time);
        self
    }

    /// Ended at `time`.
    #[must_use]
    pub fn ended_at(mut self, time: Time) -> Self {
        self.ended_at = Some(time);
        self
    }

    /// With a link to look at.
    #[must_use]
    pub fn with_link(mut self, link: &str) -> Self {
        self.link = Some(link.to_owned());
        self
    }

    /// With a note of what couldn't be read.
    #[must_use]
    pub fn with_note(mut self, note: &str) -> Self {
        self.notes.push(note.to_owned());
        self
    }

    /// What tells this alert from others: its fingerprint, or a digest of its labels and summary if it has none.
    #[must_use]
    pub fn identity(&self) -> String {
        if !self.fingerprint.is_empty() {
            return self.fingerprint.clone();
        }
        let labels = self.labels.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        let mut parts: Vec<&[u8]> = labels.collect();
        if parts.is_empty() {
            parts.push(self.summary.as_bytes());
        }
        Digest::of(&parts).to_string()
    }
}

/// Whether an alert fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalState {
    /// It fires.
    Firing,
    /// It no longer fires.
    Resolved,
}

/// How an incident was noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Detection {
    /// A metric alert (Prometheus, Grafana).
    MetricAlert,
    /// An anomaly in telemetry (OpenTelemetry).
    TelemetryAnomaly,
    /// An error rate in logs.
    LogErrorRate,
    /// A health check.
    HealthCheck,
    /// Reports of users, counted by a machine.
    UserReports,
    /// A support ticket, read by a person.
    SupportTicket,
    /// Social media, read by a person.
    SocialMedia,
    /// Somebody of the team saw it.
    TeamObservation,
    /// A scheduled test failed and a person saw it.
    ScheduledTest,
}

impl Detection {
    /// Whether a machine noticed, not a person.
    #[must_use]
    pub fn is_automated(self) -> bool {
        matches!(
            self,
            Self::MetricAlert
                | Self::TelemetryAnomaly
                | Self::LogErrorRate
                | Self::HealthCheck
                | Self::UserReports
        )
    }
}

impl std::fmt::Display for Detection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::MetricAlert => "metric alert",
            Self::TelemetryAnomaly => "telemetry anomaly",
            Self::LogErrorRate => "error rate in logs",
            Self::HealthCheck => "health check",
            Self::UserReports => "user reports",
            Self::SupportTicket => "support ticket",
            Self::SocialMedia => "social media",
            Self::TeamObservation => "team observation",
            Self::ScheduledTest => "scheduled test",
        })
    }
}
