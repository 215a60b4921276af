//! How incidents stand, for whoever asks.

use incident_core::log::incident::{Ending, Incident};
use incident_core::model::afterwards::Section;
use incident_core::model::inert::line;
use incident_core::model::obligation::ObligationKind;
use incident_core::model::side::Side;
use incident_core::model::time::Time;
use incident_core::rules::completeness::findings;
use incident_core::runbook::Runbook;
use incident_core::views::next::{Who, next_steps};
use serde_json::Value;

use super::answer::{Undelivered, undelivered};
use super::interaction::EDIT_SECTION;
use super::{Answer, hint};
use crate::blocks::escape::{brief, date, link};
use crate::blocks::kit::{actions, button, context, header, markup, plain, section};

const LINE: usize = 500;

/// How `incident` stands at `now`: severity, phase, lead, where it is discussed, which notices aren't delivered, what is owed,
/// and what to do next, with the command for it.
#[must_use]
pub fn status(incident: &Incident, runbook: &Runbook, now: Time) -> Answer {
    const STEPS: usize = 6;
    let drill = if incident.side == Side::Drill { "[DRILL] " } else { "" };
    let title = brief(&format!("{drill}{} · {}", incident.severity, line(incident.title_words())), 150);
    let phase = phase(incident);
    let mut facts = vec![format!("*Status* {phase}")];
    facts.push(match incident.known_start() {
        Some(started) => format!("*Started* {}", date(started)),
        None => "*Started* unknown".to_owned(),
    });
    if let Some(owed) = incident.obligation(ObligationKind::Update) {
        facts.push(format!("*Next update* by {}", date(owed.due)));
    }
    facts.extend(conversation(incident).map(|place| format!("*Conversation* {place}")));
    let mut blocks = vec![header(&title), section(markup(&facts.join("\n")))];
    let acknowledged = incident.milestones.acknowledged.map_or("not acknowledged", |_| "acknowledged");
    let lead = incident.commander().map_or("none yet", |who| who.as_str());
    blocks.push(section(plain(&brief(&format!("Incident lead: {} · {acknowledged}", line(lead)), 300))));
    let trouble =
        undelivered(incident).iter().filter_map(Undelivered::trouble).take(STEPS).collect::<Vec<_>>();
    blocks.extend(trouble.iter().map(|trouble| section(plain(&brief(trouble, LINE)))));
    let kind_of = |seq| incident.obligations.get(&seq).map(|owed| owed.kind);
    for step in next_steps(incident, runbook, now).iter().take(STEPS) {
        let who = match &step.who {
            Who::Person(person) => person.to_string(),
            Who::Role(role) => role.to_string(),
            _ => "anybody".to_owned(),
        };
        let overdue = if step.overdue { "OVERDUE – " } else { "" };
        let command = hint::step(step, kind_of).map(|command| format!("\n{command}")).unwrap_or_default();
        let what = format!("{overdue}{} ({}){command}", step.what, line(&who));
        blocks.push(section(plain(&brief(&what, LINE))));
    }
    blocks.push(context(&format!("#{} · {}", incident.id.short(), incident.id)));
    let text = format!("{}, {phase}\n{}", line(incident.title_words()), trouble.join("\n"));
    Answer::laid_out(text.trim_end(), blocks)
}

fn phase(incident: &Incident) -> String {
    match incident.ended {
        Some(Ending::Closed) => "closed".to_owned(),
        Some(Ending::Cancelled) => "cancelled, a false alarm".to_owned(),
        Some(Ending::Merged(other)) => format!("part of the incident #{}", other.short()),
        Some(_) => "over".to_owned(),
        None => format!("{} ({})", incident.phase.status(), incident.phase),
    }
}

/// Where the incident is discussed, as a link of Slack's markup.
fn conversation(incident: &Incident) -> Option<String> {
    let mut receipts = incident.lanes.values().flatten().filter(|it| it.conversation.is_some());
    receipts.next_back().and_then(|receipt| link(receipt.link.as_deref()?))
}

/// The open incidents, each with the name to call it by.
#[must_use]
pub fn list(open: &[Incident]) -> Answer {
    const MOST: usize = 40;
    if open.is_empty() {
        return Answer::new("No incident is open. /incident declare WHAT IS WRONG begins one.");
    }
    let line = |it: &Incident| {
        let drill = if it.side == Side::Drill { "[DRILL] " } else { "" };
        let lead = it.commander().map_or("no lead yet".to_owned(), |who| format!("led by {who}"));
        let title = line(it.title_words());
        brief(&format!("#{} {drill}{} · {} · {lead} · {title}", it.id.short(), it.severity, phase(it)), LINE)
    };
    let blocks: Vec<Value> = open.iter().take(MOST).map(|it| section(plain(&line(it)))).collect();
    Answer::laid_out(&format!("{} open", open.len()), blocks)
}

/// Whom the escalation chain pages, in its order.
#[must_use]
pub fn on_call(runbook: &Runbook) -> Answer {
    let chain = &runbook.escalation.chain;
    let name = |id: &incident_core::model::role::PersonId| {
        runbook.persons.get(id).map_or_else(|| id.to_string(), |person| person.name.clone())
    };
    let step = |(number, step): (usize, &incident_core::runbook::EscalationStep)| {
        let persons: Vec<String> = step.persons.iter().map(name).collect();
        let persons = if persons.is_empty() { String::new() } else { format!(": {}", persons.join(", ")) };
        format!("{}. {}{persons}", number + 1, step.audience)
    };
    let steps: Vec<String> = chain.iter().enumerate().map(step).collect();
    if steps.is_empty() {
        return Answer::new("The runbook's escalation chain is empty: pages go to the responders.");
    }
    Answer::new(&format!("Pages go out in this order:\n{}", steps.join("\n")))
}

/// What the post-mortem of `incident` lacks, with the command that adds each.
#[must_use]
pub fn post_mortem(incident: &Incident, runbook: &Runbook) -> Answer {
    let found = findings(incident, runbook);
    let say = |blocks: bool| {
        let lines = found.iter().filter(|it| it.blocks == blocks);
        lines.map(|it| format!("• {} – {}", it.what(), hint::finding(it))).collect::<Vec<_>>().join("\n")
    };
    let (needed, wanted) = (say(true), say(false));
    let mut text = match needed.as_str() {
        "" => "Nothing keeps the post-mortem from being published: /incident postmortem publish".to_owned(),
        needed => format!("Missing before it can be published:\n{needed}"),
    };
    if !wanted.is_empty() {
        text = format!("{text}\nAlso missing:\n{wanted}");
    }
    let mut sections: Vec<Section> = Vec::new();
    for section in found.iter().filter(|it| hint::is_written(it)).map(|it| it.section) {
        if !sections.contains(&section) {
            sections.push(section);
        }
    }
    let buttons: Vec<Value> = sections.iter().take(5).map(|it| edit(incident, *it)).collect();
    let answer = Answer::new(&text);
    if buttons.is_empty() {
        return answer;
    }
    let blocks = vec![section(plain(answer.text())), actions(&buttons)];
    Answer::laid_out(&text, blocks)
}

/// The button that opens the form for a section of the post-mortem.
fn edit(incident: &Incident, section: Section) -> Value {
    let name = serde_json::to_value(section).unwrap_or_default();
    let name = name.as_str().unwrap_or_default();
    let value = format!("v1|{}|{name}", incident.id);
    button(&format!("{EDIT_SECTION}{name}"), &format!("Edit {section}"), &value, None, None)
}
