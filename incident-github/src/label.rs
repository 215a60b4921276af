//! The labels that are created where they are missing, and what they look like.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::config::LabelConfig;

/// The most characters of a label's name and of its description.
const MOST_OF_NAME: usize = 50;
const MOST_OF_DESCRIPTION: usize = 100;

/// The labels that tickets get by the default runbook.
pub(crate) const USUAL: [&str; 6] = ["incident", "sev1", "sev2", "sev3", "sev4", "incident-followup"];

/// A label's name as GitHub keeps it.
pub(crate) fn name(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(MOST_OF_NAME).collect()
}

/// Whether two names are one label's: GitHub doesn't mind how they are cased.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// The label to create, as the configuration wants it or as we do.
pub(crate) fn body(name: &str, configured: &BTreeMap<String, LabelConfig>) -> Value {
    let (color, description) = match configured.get(name) {
        Some(label) => (label.color.as_str(), label.description.as_str()),
        None => looks(name),
    };
    let description: String = description.chars().take(MOST_OF_DESCRIPTION).collect();
    json!({ "name": name, "color": color.to_lowercase(), "description": description })
}

fn looks(name: &str) -> (&'static str, &'static str) {
    match name {
        "incident" => ("b60205", "An incident: what happens is in its comments"),
        "sev1" => ("b60205", "Critical: a complete outage, data loss or a security breach"),
        "sev2" => ("d93f0b", "High: a major degradation"),
        "sev3" => ("fbca04", "Medium: a minor impact"),
        "sev4" => ("c2e0c6", "Low: a minimal impact"),
        "drill" => ("1d76db", "Practice: nothing is broken"),
        "incident-followup" => ("5319e7", "To be done after an incident"),
        _ if name.starts_with("priority:") => ("e99695", "How urgent a follow-up is"),
        _ => ("ededed", ""),
    }
}
