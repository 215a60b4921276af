//! Severities and what the runbook promises at each.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::time::spoken;

/// How bad it is. `Sev1` is the worst and orders first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Critical: complete outage, data loss, a security breach.
    Sev1,
    /// High: major degradation.
    Sev2,
    /// Medium: minor impact.
    Sev3,
    /// Low: minimal impact.
    Sev4,
}

impl Severity {
    /// Every severity, the worst first.
    pub const ALL: [Self; 4] = [Self::Sev1, Self::Sev2, Self::Sev3, Self::Sev4];

    /// Whether this severity is worse than `other`.
    #[must_use]
    pub fn is_worse_than(self, other: Self) -> bool {
        self < other
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sev1 => "SEV1",
            Self::Sev2 => "SEV2",
            Self::Sev3 => "SEV3",
            Self::Sev4 => "SEV4",
        })
    }
}

impl FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(text: &str) -> Result<Self, UnknownSeverity> {
        Self::ALL
            .into_iter()
            .find(|level| level.to_string().eq_ignore_ascii_case(text))
            .ok_or(UnknownSeverity)
    }
}

/// The text names no severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a severity: expected SEV1, SEV2, SEV3 or SEV4")]
pub struct UnknownSeverity;

/// By when something must have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Within {
    /// So long after it became owed; written `{ elapsed = "15m" }`.
    Elapsed(#[serde(with = "crate::model::time::written")] Duration),
    /// By the end of the same business day, or of the next one if the day is over.
    SameBusinessDay,
    /// By the end of the next business day.
    NextBusinessDay,
    /// By the end of the n-th business day after; written `{ business_days = 2 }`.
    BusinessDays(u32),
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elapsed(length) => f.pad(&spoken(*length)),
            Self::SameBusinessDay => f.pad("the same business day"),
            Self::NextBusinessDay | Self::BusinessDays(1) => f.pad("the next business day"),
            Self::BusinessDays(days) => write!(f, "{days} business days"),
        }
    }
}

/// What the runbook promises for one severity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeverityPolicy {
    /// What the level means, in a few words.
    pub meaning: String,
    /// How soon somebody must have acknowledged it.
    pub respond_within: Within,
    /// How often an update is due; none means as needed.
    #[serde(default, with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    pub update_every: Option<Duration>,
    /// Who must hear of it.
    pub audiences: Vec<Audience>,
    /// Who must hear besides if the incident is customer-facing.
    #[serde(default)]
    pub audiences_if_customer_facing: Vec<Audience>,
    /// Whether the public status page shows it.
    #[serde(default)]
    pub status_page: bool,
    /// Typical cases.
    #[serde(default)]
    pub examples: Vec<String>,
}

impl SeverityPolicy {
    /// How often an update is due, in words: `every 15 min`, or `as needed`. It is what `{update_every}` stands for.
    #[must_use]
    pub fn cadence(&self) -> String {
        self.update_every.map_or_else(|| "as needed".to_owned(), |every| format!("every {}", spoken(every)))
    }
}

/// Who must hear something. A name that the runbook uses and that routes serve.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Audience(String);

impl Audience {
    /// Those on call: they get pages.
    pub const RESPONDERS: &'static str = "responders";
    /// The team that owns the service.
    pub const TEAM: &'static str = "team";
    /// Product and engineering leadership.
    pub const LEADERSHIP: &'static str = "leadership";
    /// Executives.
    pub const EXECUTIVES: &'static str = "executives";
    /// Everybody who works here.
    pub const STAFF: &'static str = "staff";
    /// Customers.
    pub const CUSTOMERS: &'static str = "customers";
    /// The public: status page and social media.
    pub const PUBLIC: &'static str = "public";
    /// Whoever keeps this installation running: told what the engine can't do.
    pub const CARETAKER: &'static str = "caretaker";

    /// The audience called `name`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether people outside the organisation are in it; they never get what is internal.
    #[must_use]
    pub fn is_external(&self) -> bool {
        matches!(self.as_str(), Self::CUSTOMERS | Self::PUBLIC)
    }

    /// Whether people in it may respond: everybody inside the organisation but the caretaker, who minds the routes.
    #[must_use]
    pub fn may_respond(&self) -> bool {
        !self.is_external() && self.as_str() != Self::CARETAKER
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
