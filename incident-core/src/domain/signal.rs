//! Alerts from outside, and the rules that turn them into incidents.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use super::severity::Severity;
use super::storm::StormPolicy;
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
    /// When alerts are a storm, and no longer an incident for each group.
    pub storm: StormPolicy,
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

/// A set of alerts, each by eight bytes of the digest of its fingerprint: enough to tell them apart within one incident.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fingerprints(pub std::collections::BTreeSet<u64>);

impl Fingerprints {
    /// What stands for the alert with this fingerprint.
    #[must_use]
    pub fn of(fingerprint: &str) -> u64 {
        let digest = super::id::Digest::of(&[fingerprint.as_bytes()]);
        digest.0.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The alerts of an incident that fire: cheap to copy, however many they are.
#[derive(Clone, Default)]
pub struct Firing {
    alerts: Ledger<u64, bool>,
    count: usize,
}

impl Firing {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether the alert fires.
    #[must_use]
    pub fn contains(&self, alert: u64) -> bool {
        self.alerts.get(&alert).is_some_and(|fires| *fires)
    }

    /// All of them, in order.
    fn alerts(&self) -> impl Iterator<Item = u64> {
        self.alerts.all().into_iter().filter(|(_, fires)| **fires).map(|(alert, _)| *alert)
    }

    /// Says of an alert whether it fires.
    pub(super) fn put(&mut self, alert: u64, fires: bool) {
        match (self.contains(alert), fires) {
            (false, true) => self.count += 1,
            (true, false) => self.count -= 1,
            _ => return,
        }
        self.alerts.insert(alert, fires);
    }
}

impl PartialEq for Firing {
    fn eq(&self, other: &Self) -> bool {
        self.count == other.count && self.alerts().eq(other.alerts())
    }
}

impl std::fmt::Debug for Firing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.alerts()).finish()
    }
}

impl Serialize for Fingerprints {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().flat_map(|alert| alert.to_be_bytes()).collect();
        hex::serde::serialize(bytes, serializer)
    }
}

impl<'de> Deserialize<'de> for Fingerprints {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes: Vec<u8> = hex::serde::deserialize(deserializer)?;
        let (alerts, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(serde::de::Error::custom("expected eight bytes an alert"));
        }
        Ok(Self(alerts.iter().map(|alert| u64::from_be_bytes(*alert)).collect()))
    }
}
