//! The runbook's part about alerts.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::severity::Severity;

/// How alerts become incidents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalPolicy {
    /// The first rule that matches decides; an alert that none matches is refused, visibly.
    pub rules: Vec<SignalRule>,
    /// What the words of the label `severity` mean, in lower case.
    pub severities: BTreeMap<String, WordMeans>,
    /// The severity assumed for an alert whose label `severity` is missing or isn't in the table.
    pub unknown: Severity,
    /// What happens when an alert, or the impact, is worse than the incident's severity.
    pub worse: WorseNews,
    /// A new alert in an acknowledged incident pages again if none came for this long.
    #[serde(with = "humantime_serde")]
    pub quiet: Duration,
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
    /// The severity of the incident; none takes it from the alert's label `severity`.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// The label that names the service.
    pub service_label: String,
    /// The labels that make alerts one incident; the service's label is always among them.
    #[serde(default)]
    pub group_by: Vec<String>,
}

/// What a word of the label `severity` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordMeans {
    /// SEV1.
    Sev1,
    /// SEV2.
    Sev2,
    /// SEV3.
    Sev3,
    /// SEV4.
    Sev4,
    /// The alert isn't for people: no incident comes of it.
    Ignore,
}

impl WordMeans {
    /// The severity; none if alerts with this word are ignored.
    #[must_use]
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Sev1 => Some(Severity::Sev1),
            Self::Sev2 => Some(Severity::Sev2),
            Self::Sev3 => Some(Severity::Sev3),
            Self::Sev4 => Some(Severity::Sev4),
            Self::Ignore => None,
        }
    }
}

/// What happens when news is worse than the incident's severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorseNews {
    /// The incident's severity is raised, and its responders are paged.
    Raise,
    /// Responders are paged; a person decides about the severity.
    Page,
    /// Alerts of different severities are different incidents. Worse impact raises the severity all the same.
    Separate,
}

/// When alerts are a storm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StormPolicy {
    /// How many incidents of one severity may come of alerts within [`within`](Self::within); further groups are gathered
    /// into one. 0 gathers none. Each engine counts those it declares, and at its start all that the store has.
    pub incidents: u32,
    /// The time in which they are counted.
    #[serde(with = "humantime_serde")]
    pub within: Duration,
}
