//! News that is worse than what is known: it raises the severity and pages, as the runbook says.

use super::deadline;
use super::notice::{Said, everybody_told, inside};
use super::page::{action, page_responders};
use crate::log::event::{Fact, ImpactAssessed, SeveritySet, SignalsReceived};
use crate::model::notice::{Label, NoticeKind};
use crate::model::severity::Severity;
use crate::model::signal::WorseNews;
use crate::rules::decide::Draft;
use crate::runbook::triage::Branch;

/// Alerts that are worse than the incident, or that come after a long silence.
pub(super) fn alerts(draft: &mut Draft<'_>, fact: &SignalsReceived) {
    if draft.state.ended.is_some() || declares(draft) {
        return;
    }
    // In a storm the group of a worse alert gets an incident of its own.
    let worse = fact.severities.worst().filter(|worst| worst.is_worse_than(draft.state.severity));
    match worse.filter(|_| draft.state.storm.is_none()) {
        Some(worst) => raise(draft, worst, draft.cx.runbook.signals.worse, "an alert fires"),
        None if fact.after_quiet => {
            tell(draft, draft.state.severity, "a new alert after a long silence");
        }
        None => {}
    }
}

/// Impact that is worse than the incident: data was lost, or security was breached.
pub(super) fn impact(draft: &mut Draft<'_>, fact: &ImpactAssessed) {
    let found = [
        (fact.impact.data_loss, "data_loss", "data was lost"),
        (fact.impact.security_breach, "security_breach", "security was breached"),
    ];
    let found = found.into_iter().filter(|(answer, ..)| *answer == Some(true));
    let severe = found.filter_map(|(_, question, words)| Some((says_yes(draft, question)?, words)));
    let Some((severity, words)) = severe.min_by_key(|(severity, _)| *severity) else { return };
    if !fact.worsens || !severity.is_worse_than(draft.state.severity) {
        return;
    }
    match draft.cx.runbook.signals.worse {
        WorseNews::Page => raise(draft, severity, WorseNews::Page, words),
        WorseNews::Raise | WorseNews::Separate => raise(draft, severity, WorseNews::Raise, words),
    }
}

/// The severity that the triage tree gives to a yes.
fn says_yes(draft: &Draft<'_>, question: &str) -> Option<Severity> {
    match draft.cx.runbook.triage.questions.get(question)?.yes {
        Branch::Severity(severity) => Some(severity),
        Branch::Ask(_) => None,
    }
}

fn raise(draft: &mut Draft<'_>, to: Severity, policy: WorseNews, words: &str) {
    let words = format!("{words}, which is {to}");
    if policy != WorseNews::Raise || !draft.state.is_active() {
        return tell(draft, to, &words);
    }
    let (from, because) = (draft.state.severity, draft.text(&words));
    // What a raised severity obliges to includes the page.
    let seq = draft.follows(draft.cx.now, SeveritySet { from, to, because });
    deadline::open_acknowledge(draft, seq);
}

/// Pages where a severity pages, and tells those who work on the incident otherwise. Somebody has to answer anew.
fn tell(draft: &mut Draft<'_>, severity: Severity, words: &str) {
    if draft.state.is_active() {
        let news = draft.state.version;
        deadline::open_acknowledge(draft, news);
    }
    let said = |kind| Said::new(kind).fixed(Label::Because, words);
    if draft.cx.runbook.pages(severity) {
        return page_responders(draft, said(NoticeKind::Page));
    }
    let told = inside(&everybody_told(draft));
    let action = action(draft);
    draft.say(said(NoticeKind::Reminder).fixed(Label::Do, action), &told);
}

/// Whether this decision raised the severity.
pub(super) fn raised(draft: &Draft<'_>) -> bool {
    draft.records.iter().any(|record| match &record.fact {
        Fact::SeveritySet(fact) => fact.to.is_worse_than(fact.from),
        _ => false,
    })
}

/// Whether this decision declares the incident: whoever does so has taken its alerts into account.
fn declares(draft: &Draft<'_>) -> bool {
    draft.records.iter().any(|record| matches!(record.fact, Fact::Declared(_)))
}
