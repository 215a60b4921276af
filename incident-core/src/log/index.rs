//! What a store may know about an incident without reading its log: when to look again, how urgent it is, and the
//! names it holds.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::log::incident::{Ending, Incident};
use crate::log::wake::next_wake;
use crate::model::cause::CauseClass;
use crate::model::effect::Urgency;
use crate::model::id::{IncidentId, Seq};
use crate::model::obligation::ObligationKind;
use crate::model::phase::Phase;
use crate::model::role::PersonId;
use crate::model::severity::Severity;
use crate::model::side::Side;
use crate::model::time::{Time, after};

/// The version of the fold that this binary computes an [`Index`] with.
pub const FOLD: u32 = 1;

/// An incident's row in the index, computed from its state at [`version`](Self::version) by every commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Index {
    /// The version of the incident this row was computed from.
    pub version: Seq,
    /// When the incident wants to be looked at again, UTC; none exactly when nothing is owed.
    pub next_wake: Option<Time>,
    /// How urgent it is; more urgent incidents are claimed first.
    pub urgency: Urgency,
    /// Every name the incident holds. A commit that names one held by another incident is refused.
    pub keys: Vec<Key>,
    /// What a list shows of the incident, as JSON; opaque to the store.
    pub summary: Vec<u8>,
    /// The version of the fold that computed this row.
    pub by: u32,
}

impl Index {
    /// A row without keys and without a summary, computed by this binary.
    #[must_use]
    pub fn new(version: Seq, next_wake: Option<Time>, urgency: Urgency) -> Self {
        Self { version, next_wake, urgency, keys: Vec::new(), summary: Vec::new(), by: FOLD }
    }

    /// With these names held.
    #[must_use]
    pub fn with_keys(mut self, keys: Vec<Key>) -> Self {
        self.keys = keys;
        self
    }

    /// With this summary.
    #[must_use]
    pub fn with_summary(mut self, summary: Vec<u8>) -> Self {
        self.summary = summary;
        self
    }

    /// As computed by the fold of version `by`.
    #[must_use]
    pub fn computed_by(mut self, by: u32) -> Self {
        self.by = by;
        self
    }
}

/// A name that at most one incident in the store holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The name, such as `signal/checkout` or `target/prod/deployment/checkout`; a drill's begins with `drill/`.
    pub name: String,
    /// Until when it is held, UTC, once what it stands for is over; none while it runs.
    pub until: Option<Time>,
}

impl Key {
    /// `name`, held for as long as what it stands for runs.
    #[must_use]
    pub fn held(name: String) -> Self {
        Self { name, until: None }
    }

    /// `name`, held until `until`.
    #[must_use]
    pub fn until(name: String, until: Time) -> Self {
        Self { name, until: Some(until) }
    }

    /// Whether it is held at `now`.
    fn at(&self, now: Time) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

/// What a list shows of an incident: [`Index::summary`], decoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// What it is called.
    pub title: String,
    /// The service that is affected.
    pub service: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// Where the response stands.
    pub phase: Phase,
    /// How it ended.
    pub ended: Option<Ending>,
    /// Live or drill.
    pub side: Side,
    /// When it started, UTC; none while the start is unknown.
    pub started_at: Option<Time>,
    /// When it was declared, UTC; rows of older versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_at: Option<Time>,
    /// Who leads.
    pub commander: Option<PersonId>,
    /// The incident this one became part of.
    pub merged_into: Option<IncidentId>,
    /// Which classes of cause it had, as far as they were found.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub causes: BTreeSet<CauseClass>,
}

impl Summary {
    /// The summary of `incident`.
    #[must_use]
    pub fn of(incident: &Incident) -> Self {
        Self {
            title: incident.title_words().to_owned(),
            service: incident.service.clone(),
            severity: incident.severity,
            phase: incident.phase,
            ended: incident.ended,
            side: incident.side,
            started_at: incident.known_start(),
            declared_at: incident.milestones.declared,
            commander: incident.commander().cloned(),
            merged_into: match incident.ended {
                Some(Ending::Merged(into)) => Some(into),
                _ => None,
            },
            causes: incident.cause_classes(),
        }
    }
}

/// The row of an incident, from its state alone.
#[must_use]
pub fn index(incident: &Incident) -> Index {
    let unanswered = incident.obligation(ObligationKind::Acknowledge).map(|_| Urgency::PAGE);
    let urgency = incident.effects.values().map(|effect| effect.urgency).chain(unanswered).max();
    Index::new(incident.version, next_wake(incident), urgency.unwrap_or_default())
        .with_keys(keys(incident))
        .with_summary(serde_json::to_vec(&Summary::of(incident)).unwrap_or_default())
}

/// The names an incident holds, from its state alone, in order.
#[must_use]
pub fn keys(incident: &Incident) -> Vec<Key> {
    let Incident { side, figures, .. } = incident;
    let group = group_key(incident);
    let once = incident.once.as_ref().map(|once| Key::held(declare_key(*side, once)));
    let mut keys: Vec<Key> = group.iter().cloned().chain(once).collect();
    for mitigation in incident.mitigations.values() {
        let Some((slot, taken_at)) = mitigation.budget else { continue };
        let hour = after(taken_at, std::time::Duration::from_secs(3_600));
        keys.push(Key::until(budget_key(*side, &mitigation.system, slot), hour));
        let Some(plan) = &mitigation.plan else { continue };
        let target = target_key(*side, &plan.plan.target);
        match mitigation.ended_at {
            _ if mitigation.stage.is_running() => keys.push(Key::held(target)),
            Some(end) => keys.push(Key::until(target, after(end, figures.cooldown))),
            None => {}
        }
    }
    // A signal group's key stays although it is over: it names the incident that an alert to come would repeat.
    keys.retain(|key| key.at(incident.recorded_at) || group.as_ref().is_some_and(|it| it.name == key.name));
    // Of several claims to one name the longest counts.
    keys.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| lasts(b).cmp(&lasts(a))));
    keys.dedup_by(|next, kept| next.name == kept.name);
    keys
}

/// The key of the alerts that an incident takes in, unless it takes none.
fn group_key(incident: &Incident) -> Option<Key> {
    let name = match (&incident.storm, &incident.signal_group) {
        (Some(storm), _) => storm_key(incident.side, storm.severity),
        (None, group) => signal_key(incident.side, group.as_ref()?),
    };
    match (incident.ended, incident.milestones.resolved) {
        (Some(Ending::Cancelled | Ending::Merged(_)), _) => None,
        // A closed incident takes no alert as its own: another may be declared at once, and repeats this one.
        (Some(Ending::Closed), _) => {
            Some(Key::until(name, incident.milestones.closed.unwrap_or(incident.recorded_at)))
        }
        (_, Some(resolved)) => Some(Key::until(name, after(resolved, incident.figures.flap_window))),
        _ => Some(Key::held(name)),
    }
}

/// Whether the incident takes the alerts of a group in: its own, or in a storm one that it has, and any other while the
/// storm goes on or if it `begins` again.
#[must_use]
pub(crate) fn takes_group(incident: &Incident, group: &str, begins: bool, now: Time) -> bool {
    if !group_key(incident).is_some_and(|key| key.at(now)) {
        return false;
    }
    match &incident.storm {
        None => incident.signal_group.as_deref() == Some(group),
        Some(storm) => {
            begins || storm.has(group) || (incident.milestones.resolved.is_none() && now < storm.until())
        }
    }
}

fn lasts(key: &Key) -> Time {
    key.until.unwrap_or(Time::MAX_UTC)
}

/// The key of a declaration that happens at most once; its incident holds it for ever.
#[must_use]
pub fn declare_key(side: Side, once: &str) -> String {
    format!("{}declare/{once}", prefix(side))
}

/// The key of a signal group.
#[must_use]
pub fn signal_key(side: Side, group: &str) -> String {
    format!("{}signal/{group}", prefix(side))
}

/// The key of the incident that gathers the storm of one severity.
#[must_use]
pub fn storm_key(side: Side, severity: Severity) -> String {
    format!("{}storm/{severity}", prefix(side))
}

/// The key of a target under mitigation.
#[must_use]
pub fn target_key(side: Side, target: &str) -> String {
    format!("{}target/{target}", prefix(side))
}

/// The key of a place in a system's hourly budget.
#[must_use]
pub fn budget_key(side: Side, system: &str, slot: u32) -> String {
    format!("{}budget/{system}/{slot}", prefix(side))
}

fn prefix(side: Side) -> &'static str {
    match side {
        Side::Live => "",
        Side::Drill => "drill/",
    }
}
