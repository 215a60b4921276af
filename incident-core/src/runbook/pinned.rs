//! The figures of a runbook that an incident keeps for its whole life.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::severity::{Severity, Within};
use crate::runbook::{Check, Runbook};

/// The shortest rhythm of anything that comes again: what comes more often would never let the engine rest.
pub(crate) const SHORTEST_RHYTHM: Duration = Duration::from_millis(100);

/// What an incident pins of its runbook when it is declared. A changed runbook touches it only on request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Figures {
    /// By when somebody must have acknowledged.
    pub respond_within: BTreeMap<Severity, Within>,
    /// How often an update is due.
    #[serde(with = "durations")]
    pub update_every: BTreeMap<Severity, Duration>,
    /// How long before an update is due the commander is reminded.
    #[serde(with = "humantime_serde")]
    pub remind_before_update: Duration,
    /// How long before other obligations their owners are reminded.
    #[serde(with = "humantime_serde")]
    pub remind_before_follow_up: Duration,
    /// How often what is overdue is chased.
    #[serde(with = "humantime_serde")]
    pub chase_every: Duration,
    /// The time between two steps of the escalation.
    #[serde(with = "humantime_serde")]
    pub escalate_every: Duration,
    /// The recovery checks.
    pub checks: BTreeMap<String, Check>,
    /// For how long they must be green.
    #[serde(with = "humantime_serde")]
    pub hold: Duration,
    /// How often probes look.
    #[serde(with = "humantime_serde")]
    pub probe_every: Duration,
    /// How long after resolve they go on.
    #[serde(with = "humantime_serde")]
    pub watch: Duration,
    /// How long after resolve an alert reopens the incident.
    #[serde(with = "humantime_serde")]
    pub flap_window: Duration,
    /// How long a target is left alone after a mitigation.
    #[serde(with = "humantime_serde")]
    pub cooldown: Duration,
}

impl Figures {
    /// The figures of `runbook`.
    #[must_use]
    pub fn of(runbook: &Runbook) -> Self {
        let severities = || Severity::ALL.into_iter().map(|level| (level, runbook.severity(level)));
        Self {
            respond_within: severities().map(|(level, policy)| (level, policy.respond_within)).collect(),
            update_every: severities()
                .filter_map(|(level, policy)| Some((level, policy.update_every?)))
                .collect(),
            remind_before_update: runbook.reminders.before_update,
            remind_before_follow_up: runbook.reminders.before_follow_up,
            chase_every: runbook.reminders.chase_every,
            escalate_every: runbook.escalation.every,
            checks: runbook.recovery.checks.clone(),
            hold: runbook.recovery.hold,
            probe_every: runbook.recovery.probe_every,
            watch: runbook.recovery.watch,
            flap_window: runbook.signals.flap_window,
            cooldown: runbook.safety.cooldown,
        }
    }

    /// The longest two green readings may be apart for the hold to go on: 2/5 of it.
    #[must_use]
    pub fn longest_gap(&self) -> Duration {
        self.hold.saturating_mul(2) / 5
    }
}

mod durations {
    //! A map of lengths of time, each as people write it.

    use std::collections::BTreeMap;
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::model::severity::Severity;

    #[derive(Serialize, Deserialize)]
    struct Length(#[serde(with = "humantime_serde")] Duration);

    pub(crate) fn serialize<S: Serializer>(
        map: &BTreeMap<Severity, Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(map.iter().map(|(level, length)| (level, Length(*length))))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Severity, Duration>, D::Error> {
        let map = BTreeMap::<Severity, Length>::deserialize(deserializer)?;
        Ok(map.into_iter().map(|(level, Length(length))| (level, length)).collect())
    }
}
