//! How an incident stands, for whoever asks.

use incident_core::domain::incident::{Ending, Incident};
use incident_core::domain::inert::line;
use incident_core::domain::next::{Who, next_steps};
use incident_core::domain::obligation::ObligationKind;
use incident_core::domain::runbook::Runbook;
use incident_core::domain::time::Time;

use super::Answer;
use crate::blocks::escape::{brief, date};
use crate::blocks::kit::{context, header, markup, plain, section};

/// How `incident` stands at `now`: severity, phase, lead, what is owed, and what to do next.
#[must_use]
pub fn status(incident: &Incident, runbook: &Runbook, now: Time) -> Answer {
    const STEPS: usize = 5;
    let title = brief(&format!("{} · {}", incident.severity, line(incident.title_words())), 150);
    let phase = match incident.ended {
        Some(Ending::Closed) => "closed".to_owned(),
        Some(Ending::Cancelled) => "cancelled, a false alarm".to_owned(),
        Some(Ending::Merged(other)) => format!("part of the incident {}", other.short()),
        Some(_) => "over".to_owned(),
        None => format!("{}, {}", incident.phase, incident.phase.status()),
    };
    let mut facts = vec![format!("*Stands at* {phase}")];
    if let Some(started) = incident.milestones.started {
        facts.push(format!("*Began* {}", date(started)));
    }
    if let Some(owed) = incident.obligation(ObligationKind::Update) {
        facts.push(format!("*Next update* by {}", date(owed.due)));
    }
    let mut blocks = vec![header(&title), section(markup(&facts.join("\n")))];
    let lead = incident.commander().map_or("nobody yet", |who| who.as_str());
    blocks.push(section(plain(&brief(&format!("Lead: {}", line(lead)), 300))));
    for step in next_steps(incident, runbook, now).iter().take(STEPS) {
        let who = match &step.who {
            Who::Person(person) => person.to_string(),
            Who::Role(role) => role.to_string(),
            _ => "anybody".to_owned(),
        };
        let overdue = if step.overdue { "OVERDUE – " } else { "" };
        let what = format!("{overdue}{} ({})", step.what, line(&who));
        blocks.push(section(plain(&brief(&what, 500))));
    }
    blocks.push(context(&format!("#{} · {}", incident.id.short(), incident.id)));
    Answer::laid_out(&format!("{}, {phase}", line(incident.title_words())), blocks)
}
