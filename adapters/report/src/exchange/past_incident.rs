//! An incident that is over, as one line of JSON: what is exported is what can be imported.

use incident_core::log::event::Fact;
use incident_core::model::afterwards::ActionKind;
use incident_core::model::cause::CauseClass;
use incident_core::model::id::Seq;
use incident_core::model::impact::Impact;
use incident_core::model::role::PersonId;
use incident_core::model::severity::Severity;
use incident_core::model::side::Side;
use incident_core::model::signal::Detection;
use incident_core::model::time::Time;
use incident_core::runbook::Priority;
use incident_core::views::timeline::timeline;
use serde::Serialize;

use crate::history::Past;

/// An incident that is over. Times are UTC, as RFC 3339 has them; what isn't known isn't there.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PastIncident {
    /// Its name where it comes from, unique there: `OPS-812`. An exported one has its id here.
    pub id: String,
    /// What it was called.
    pub title: String,
    /// The service that was affected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// How bad it was: `sev1` to `sev4`.
    pub severity: Severity,
    /// Whether it was only an exercise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub drill: bool,
    /// How it was noticed: `metric_alert`, `support_ticket` and so on.
    pub detected_by: Detection,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it was noticed; when it was called an incident, if nobody says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detected_at: Option<Time>,
    /// When it was called an incident.
    pub declared_at: Time,
    /// When somebody was on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Time>,
    /// When a mitigation or fix was in and held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mitigated_at: Option<Time>,
    /// When it was over.
    pub resolved_at: Time,
    /// When nothing was left to decide; when it was over, if nobody says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Time>,
    /// The cause, in a line.
    pub cause: String,
    /// What class of cause it was: `recent_deployment` and so on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause_class: Option<CauseClass>,
    /// What ended the harm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mitigation: Option<String>,
    /// What it did to whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact: Option<Impact<String>>,
    /// Where to read more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// What was written down on the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<PastNote>,
    /// What was to be done afterwards.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<PastAction>,
}

/// Something that was written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PastNote {
    /// When it happened.
    pub at: Time,
    /// What.
    pub text: String,
}

/// Something that was to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PastAction {
    /// What.
    pub what: String,
    /// What it is good for: `prevent`, `mitigate`, `detect` or `process`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ActionKind>,
    /// How urgent: `critical`, `high`, `medium` or `low`.
    pub priority: Priority,
    /// Whose, by the person's short name in the runbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    /// By when it is owed, if it isn't done. Without a day, or with one that is past, the runbook's time for the priority runs
    /// from when it is taken over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Time>,
    /// Whether it is done.
    pub done: bool,
}

impl PastIncident {
    /// What is known of an incident that was resolved; none of one that wasn't.
    #[must_use]
    pub fn of(past: &Past) -> Option<Self> {
        let Past { incident, records } = past;
        let (at, words) = (&incident.milestones, |text| incident.texts.get(text).to_owned());
        let cause = records.iter().rev().find_map(|record| match &record.fact {
            Fact::Resolved(it) => Some(words(it.cause)),
            _ => None,
        });
        let line =
            |seq: Seq| timeline(incident, records).into_iter().find(|it| it.seq == seq).map(|it| it.what);
        let mitigated = records.iter().find(|it| match &it.fact {
            Fact::MitigationVerified(fact) => fact.holds && Some(it.occurred_at) == at.mitigated,
            Fact::FixRecorded(_) => Some(it.occurred_at) == at.mitigated,
            _ => false,
        });
        let mitigation = mitigated.and_then(|it| match &it.fact {
            Fact::FixRecorded(fact) => Some(words(fact.what)),
            _ => line(it.seq),
        });
        let notes = records.iter().filter_map(|record| match &record.fact {
            Fact::Noted(it) => Some(PastNote { at: record.occurred_at, text: words(it.text) }),
            _ => None,
        });
        let actions = incident.actions.values().map(|it| PastAction {
            what: words(it.what),
            kind: it.kind,
            priority: it.priority,
            owner: it.owner.clone(),
            due: (!it.done).then_some(it.due),
            done: it.done,
        });
        Some(Self {
            id: incident.id.to_string(),
            title: incident.title_words().to_owned(),
            service: incident.service.clone(),
            severity: incident.severity,
            drill: incident.side == Side::Drill,
            detected_by: incident.detected_by,
            started_at: incident.known_start(),
            detected_at: at.detected,
            declared_at: at.declared?,
            acknowledged_at: at.acknowledged,
            mitigated_at: at.mitigated,
            resolved_at: at.resolved?,
            closed_at: at.closed,
            cause: cause?,
            cause_class: incident.cause_classes().into_iter().next(),
            mitigation,
            impact: incident.impact.as_ref().map(|it| spoken(it, &words)),
            link: incident.links.iter().next().cloned(),
            notes: notes.collect(),
            actions: actions.collect(),
        })
    }

    /// As one line of JSON, with its line break.
    #[must_use]
    pub fn to_line(&self) -> String {
        let json = serde_json::to_string(self).expect("what is known has only what JSON can write");
        format!("{json}\n")
    }
}

fn spoken(impact: &Impact, words: &impl Fn(incident_core::model::text::Text) -> String) -> Impact<String> {
    Impact {
        users: impact.users,
        users_percent: impact.users_percent,
        services: impact.services.clone(),
        business: impact.business.map(words),
        data_loss: impact.data_loss,
        security_breach: impact.security_breach,
        customer_facing: impact.customer_facing,
        failed_requests: impact.failed_requests,
        money: impact.money.map(words),
        slo_minutes: impact.slo_minutes,
    }
}
