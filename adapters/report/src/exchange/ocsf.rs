//! An incident as an OCSF Incident Finding, for a security data lake.

use incident_core::log::incident::{Ending, Incident};
use incident_core::model::role::Role;
use incident_core::model::severity::Severity;
use incident_core::model::side::Side;
use serde_json::{Map, Value, json};

/// The version of the schema, <https://schema.ocsf.io>, whose names and numbers these are.
const SCHEMA: &str = "1.5.0";
const CATEGORY: u32 = 2;
const CLASS: u32 = 2005;

/// The present state of an incident as an OCSF Incident Finding (class 2005), with every attribute that the schema
/// requires. Times are milliseconds since 1970, UTC, as OCSF has them.
///
/// A drill says so in its title and is of severity *Informational*.
#[must_use]
pub fn ocsf(incident: &Incident) -> Value {
    let drill = incident.side == Side::Drill;
    let marked = if drill { "[DRILL] " } else { "" };
    let title = format!("{marked}{}", incident.title_words());
    let at = &incident.milestones;
    let (activity, activity_name) = activity(incident);
    let (status, status_name) = status(incident);
    let (severity, severity_name) = if drill { (1, "Informational") } else { severity(incident.severity) };
    let millis = |time: Option<incident_core::model::time::Time>| time.map(|it| it.timestamp_millis());
    let mut finding = Map::new();
    let mut set = |name: &str, value: Value| {
        if !value.is_null() {
            finding.insert(name.to_owned(), value);
        }
    };
    set("activity_id", json!(activity));
    set("activity_name", json!(activity_name));
    set("category_uid", json!(CATEGORY));
    set("category_name", json!("Findings"));
    set("class_uid", json!(CLASS));
    set("class_name", json!("Incident Finding"));
    set("type_uid", json!(CLASS * 100 + activity));
    set("severity_id", json!(severity));
    set("severity", json!(severity_name));
    set("status_id", json!(status));
    set("status", json!(status_name));
    set("time", json!(incident.recorded_at.timestamp_millis()));
    // A start that was only assumed is no fact.
    let started = millis(incident.known_start());
    set("start_time", json!(started));
    set("end_time", json!(millis(at.resolved)));
    set("message", json!(title));
    set("desc", json!(title));
    set("is_suspected_breach", json!(incident.impact.as_ref().and_then(|it| it.security_breach)));
    set("src_url", json!(incident.links.iter().find(|it| it.starts_with("https://"))));
    match incident.roles.get(&Role::Commander) {
        Some(person) => set("assignee", json!({ "name": person, "uid": person })),
        None => set("assignee_group", json!({ "name": "responders" })),
    }
    let mut info = json!({
        "uid": incident.id,
        "title": title,
        "created_time": millis(at.declared),
        "modified_time": incident.recorded_at.timestamp_millis(),
    });
    if let Some(started) = started {
        info["first_seen_time"] = json!(started);
    }
    set("finding_info_list", json!([info]));
    set(
        "metadata",
        json!({
            "version": SCHEMA,
            "profiles": ["incident"],
            "uid": format!("{}-{}", incident.id, incident.version.0),
            "product": { "name": "incident", "vendor_name": "incident", "version": env!("CARGO_PKG_VERSION") },
        }),
    );
    Value::Object(finding)
}

fn activity(incident: &Incident) -> (u32, &'static str) {
    match (incident.ended, incident.milestones.acknowledged) {
        (Some(_), _) => (3, "Close"),
        (None, Some(_)) => (2, "Update"),
        (None, None) => (1, "Create"),
    }
}

fn status(incident: &Incident) -> (u32, &'static str) {
    match incident.ended {
        Some(Ending::Closed | Ending::Cancelled | Ending::Merged(_)) => (5, "Closed"),
        _ if incident.milestones.resolved.is_some() => (4, "Resolved"),
        _ if incident.milestones.acknowledged.is_some() => (2, "In Progress"),
        _ => (1, "New"),
    }
}

fn severity(severity: Severity) -> (u32, &'static str) {
    match severity {
        Severity::Sev1 => (5, "Critical"),
        Severity::Sev2 => (4, "High"),
        Severity::Sev3 => (3, "Medium"),
        Severity::Sev4 => (2, "Low"),
    }
}
