//! Whether every alert becomes an incident that is as bad as the alert says.

use super::Findings;
use crate::model::severity::Severity;
use crate::model::signal::{SignalPolicy, WordMeans};

pub(super) fn check(policy: &SignalPolicy, found: &mut Findings) {
    words(policy, found);
    rules(policy, found);
    if Severity::Sev2.is_worse_than(policy.unknown) {
        found.warning(
            "signals.unknown",
            format!("an alert whose severity nobody knows is only {}", policy.unknown),
            "assume sev1 or sev2, so that somebody is paged",
        );
    }
}

fn words(policy: &SignalPolicy, found: &mut Findings) {
    for (word, means) in &policy.severities {
        let place = format!("signals.severities.{word:?}");
        if word.is_empty() || word.trim() != word || word.to_lowercase() != *word {
            let what =
                "no alert has this word: labels are compared in lower case, without white space around them";
            found.error(place.clone(), what, "write it so");
        }
        if *means == WordMeans::Ignore && ["critical", "page", "emergency", "fatal"].contains(&word.as_str())
        {
            found.warning(place, "alerts of the worst kind are ignored", "give it a severity");
        }
    }
    if policy.severities.values().all(|means| *means == WordMeans::Ignore) {
        found.warning(
            "signals.severities",
            format!("no word names a severity, so every alert is {}", policy.unknown),
            "name the words that your alerts use",
        );
    }
}

fn rules(policy: &SignalPolicy, found: &mut Findings) {
    if policy.rules.is_empty() {
        found.error("signals.rules", "no alert becomes an incident", "add a rule without `matches`");
    }
    for (index, rule) in policy.rules.iter().enumerate() {
        let place = format!("signals.rules[{index}]");
        if rule.service_label.trim().is_empty() {
            let what = "it names no label, so alerts are grouped by their names";
            found.error(format!("{place}.service_label"), what, "name the label, such as \"service\"");
        }
        if rule.matches.is_empty() && index + 1 < policy.rules.len() {
            let what = "it matches every alert, so no rule after it is ever used";
            found.warning(place, what, "move it to the end");
        }
    }
    if policy.rules.last().is_some_and(|rule| !rule.matches.is_empty()) {
        let what = "an alert that no rule matches is refused";
        found.warning("signals.rules", what, "end the list with a rule without `matches`");
    }
}
