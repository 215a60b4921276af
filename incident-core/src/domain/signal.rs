//! Alerts from outside, and the rules that turn them into incidents.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::severity::Severity;
use super::time::Time;

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
    /// When it began, as the source says, UTC.
    pub started_at: Option<Time>,
    /// Where to look, if the source says.
    pub link: Option<String>,
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
            link: None,
        }
    }

    /// The same alert, resolved.
    #[must_use]
    pub fn resolved(mut self) -> Self {
        self.state = SignalState::Resolved;
        self
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

    /// With a link to look at.
    #[must_use]
    pub fn with_link(mut self, link: &str) -> Self {
        self.link = Some(link.to_owned());
        self
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

/// How alerts become incidents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalPolicy {
    /// The first rule that matches decides; an alert that none matches is refused, visibly.
    pub rules: Vec<SignalRule>,
    /// How long after resolve a firing alert reopens the incident instead of declaring a new one.
    #[serde(with = "humantime_serde")]
    pub flap_window: Duration,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalRule {
    /// The labels that must have exactly these values; empty matches every alert.
    #[serde(default)]
    pub matches: BTreeMap<String, String>,
    /// The severity of the incident; none takes it from the label `severity`, and SEV2 if that says nothing.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// The label that names the service.
    pub service_label: String,
    /// The labels that make alerts one incident; the service's label is always among them.
    #[serde(default)]
    pub group_by: Vec<String>,
}
