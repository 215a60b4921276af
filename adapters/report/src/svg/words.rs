//! What the picture shows, in words, for those who can't see it.

use incident_core::log::incident::Incident;
use incident_core::log::mitigation::Stage;
use incident_core::model::colour::Colour;
use incident_core::model::time::{since, spoken, stamp};

use super::story::Story;

/// The picture in a few sentences.
pub(super) fn describe(incident: &Incident, story: &Story<'_>) -> String {
    let mut said = vec![format!(
        "From {} to {}, {}.",
        stamp(story.response.from),
        stamp(story.response.to),
        spoken(since(story.response.to, story.response.from))
    )];
    let severities: Vec<String> =
        story.severities.iter().take(6).map(|run| format!("{} from {}", run.what, stamp(run.from))).collect();
    said.push(format!("Severity: {}.", severities.join(", ")));
    let phases = story.phases.iter().filter_map(|run| Some((run.what?, run))).take(12);
    let phases: Vec<String> =
        phases.map(|(phase, run)| format!("{phase} for {}", spoken(since(run.to, run.from)))).collect();
    said.push(format!("Phases: {}.", phases.join(", ")));
    let held = incident.mitigations.values().filter(|it| it.stage == Stage::Holds).count();
    said.push(format!("Mitigations: {}, of which {held} hold.", incident.mitigations.len()));
    let red = story.checks.values().filter(|runs| runs.iter().any(|run| run.what == Colour::Red)).count();
    said.push(format!("Recovery checks: {}, of which {red} were red at times.", story.checks.len()));
    let updates = &story.updates;
    said.push(format!("Updates given in time: {}; deadlines missed: {}.", updates.kept, updates.missed));
    said.push("The timeline below has all of it in words.".to_owned());
    said.join(" ")
}
