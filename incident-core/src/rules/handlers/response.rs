//! Commands of the response itself: from the declaration to the fix.

use super::Handled;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::alerts;
use crate::log::event::{
    Acknowledged, CheckAttested, CheckReading, ChecksRead, Declared, Escalated, FixRecorded,
    HypothesisJudged, Hypothesised, ImpactAssessed, Noted, Reopened, RoleAssigned, SeveritySet, StepTicked,
    TicketAdopted, Triaged, UpdatePosted,
};
use crate::log::index::{declare_key, signal_key, storm_key};
use crate::model::colour::Colour;
use crate::model::impact::Impact;
use crate::model::inert;
use crate::model::phase::Phase;
use crate::model::role::Actor;
use crate::model::severity::Severity;
use crate::model::text::{LONGEST_NAME, LONGEST_TITLE};
use crate::model::ticket::TicketRef;
use crate::rules::command::{
    Assign, Attest, Because, Declare, Hypothesise, JudgeHypothesis, MoveTicket, Note, PostUpdate, RecordFix,
    Refusal, SetSeverity, TickStep, Triage,
};
use crate::rules::decide::{Draft, given, link, name, past, shown};
use crate::runbook::escalation;
use crate::runbook::escalation::Target;
use crate::runbook::pinned::Figures;
use crate::runbook::{CheckedBy, Reserved};

pub(super) fn declare(draft: &mut Draft<'_>, it: &Declare) -> Handled {
    if draft.state.exists() {
        return Err(Refusal::Exists);
    }
    let now = draft.cx.now;
    let title = given("title", &it.title, LONGEST_TITLE)?;
    let title = draft.text(title);
    let service = it.service.as_deref().map(|service| name("service", service)).transpose()?;
    let link = it.link.as_deref().map(|it| link("link", it)).transpose()?;
    let group = it.signal_group.as_deref().map(|group| name("signal_group", group)).transpose()?;
    if let Some(group) = &group {
        free(draft, signal_key(it.side, group))?;
    }
    let once = it.once.as_deref().map(|once| name("once", once)).transpose()?;
    if let Some(once) = &once {
        free(draft, declare_key(it.side, once))?;
    }
    let recurrence_of =
        match it.recurrence_of.map(|earlier| draft.other("recurrence_of", earlier, it.side)).transpose() {
            Ok(earlier) => earlier.map(|earlier| earlier.id),
            Err(refusal) if matches!(draft.request.actor, Actor::Human(_)) => return Err(refusal),
            // An alert is never refused because of an earlier incident that is gone.
            Err(_) => None,
        };
    let storm = it.storm.as_ref().map(|it| it.window);
    let severity = it.severity.unwrap_or(Severity::Sev2);
    if let Some(window) = storm {
        let invalid = |problem: &str| Err(Refusal::Invalid { field: "storm", problem: problem.to_owned() });
        if group.is_some() {
            return invalid("it takes any group in; expected no signal_group beside it");
        }
        if window.groups == 0 || window.within.is_zero() {
            return invalid("its window is empty; expected some groups within some time");
        }
        free(draft, storm_key(it.side, severity))?;
    }
    // A source's clock may be wrong; an alert is never refused for it.
    let gathered = it.storm.iter().flat_map(|storm| &storm.gathered).flat_map(|it| it.signals.iter());
    let said = it.signals.iter().chain(gathered).filter_map(|signal| signal.started_at);
    let from_signals = said.filter_map(|time| past("started_at", time, now).ok()).min();
    let started_at = it.started_at.map(|time| past("started_at", time, now)).transpose()?.or(from_signals);
    let declared_at = it.declared_at.map(|time| past("declared_at", time, now)).transpose()?;
    draft.fact(Declared {
        id: draft.state.id,
        title,
        service,
        severity,
        severity_assigned: it.severity.is_some() && !it.severity_assumed,
        detected_by: it.detected_by,
        // Nobody knows when it began; it was no later than this.
        started_at: started_at.unwrap_or_else(|| declared_at.unwrap_or(now).min(draft.occurred_at())),
        start_known: started_at.is_some(),
        declared_at,
        side: it.side,
        signal_group: group,
        once,
        recurrence_of,
        runbook: draft.cx.digest,
        figures: Arc::new(Figures::of(draft.cx.runbook)),
        link,
        storm,
    });
    if let Some(storm) = &it.storm {
        alerts::receive(draft, &storm.gathered, false, &it.notes);
    }
    alerts::begin(draft, &it.signals, &it.notes);
    Ok(())
}

/// Refuses if another incident holds the key.
fn free(draft: &Draft<'_>, key: String) -> Handled {
    if draft.cx.taken.contains(&key) { Err(Refusal::KeyTaken { key }) } else { Ok(()) }
}

pub(super) fn acknowledge(draft: &mut Draft<'_>) -> Handled {
    if draft.state.milestones.acknowledged.is_some() && draft.state.obligations.values().all(|it| !is_ack(it))
    {
        return Err(Refusal::Already("somebody has acknowledged it already"));
    }
    if !matches!(draft.request.actor, Actor::Human(_)) {
        return Err(Refusal::NotAPerson { actor: draft.request.actor.clone() });
    }
    draft.fact(Acknowledged { person: draft.person() });
    Ok(())
}

fn is_ack(it: &crate::model::obligation::Obligation) -> bool {
    it.kind == crate::model::obligation::ObligationKind::Acknowledge
}

pub(super) fn triage(draft: &mut Draft<'_>, it: &Triage) -> Handled {
    let path = draft.cx.runbook.triage.walk(&it.answers);
    let path = path.map_err(|error| Refusal::Invalid { field: "triage", problem: error.to_string() })?;
    let (from, to) = (draft.state.severity, path.severity);
    lower(draft, to)?;
    if from != to {
        let because = draft.text("found by the triage tree");
        draft.fact(SeveritySet { from, to, because });
    }
    draft.fact(Triaged { path });
    Ok(())
}

/// Refuses a lower severity by an automation.
fn lower(draft: &Draft<'_>, to: Severity) -> Handled {
    if to > draft.state.severity { draft.may_decide(Reserved::LowerSeverity) } else { Ok(()) }
}

pub(super) fn set_severity(draft: &mut Draft<'_>, it: &SetSeverity) -> Handled {
    let from = draft.state.severity;
    if from == it.severity && draft.state.severity_assigned {
        return Err(Refusal::Already("it has this severity already"));
    }
    lower(draft, it.severity)?;
    let because = draft.words("because", &it.because)?;
    draft.fact(SeveritySet { from, to: it.severity, because });
    Ok(())
}

pub(super) fn assess_impact(draft: &mut Draft<'_>, it: &Impact<String>) -> Handled {
    it.check().map_err(|error| Refusal::Invalid {
        field: error.field,
        problem: format!("expected {}", error.expected),
    })?;
    let impact = Impact {
        users: it.users,
        users_percent: it.users_percent,
        services: it.services.clone(),
        business: draft.maybe_words("business", it.business.as_ref())?,
        data_loss: it.data_loss,
        security_breach: it.security_breach,
        customer_facing: it.customer_facing,
        failed_requests: it.failed_requests,
        money: draft.maybe_words("money", it.money.as_ref())?,
        slo_minutes: it.slo_minutes,
    };
    let known = draft.state.impact.as_ref();
    let news = |answer: fn(&Impact) -> Option<bool>| {
        answer(&impact) == Some(true) && known.and_then(answer) != Some(true)
    };
    let worsens = news(|it| it.data_loss) || news(|it| it.security_breach);
    draft.fact(ImpactAssessed { impact, worsens });
    Ok(())
}

pub(super) fn assign(draft: &mut Draft<'_>, it: &Assign) -> Handled {
    if !draft.cx.runbook.persons.contains_key(&it.to) {
        return Err(Refusal::NotFound { what: "person", name: shown(it.to.as_str()) });
    }
    let from = draft.state.roles.get(&it.role).cloned();
    if from.as_ref() == Some(&it.to) {
        return Err(Refusal::Already("this person has the role already"));
    }
    draft.fact(RoleAssigned { role: it.role, to: it.to.clone(), from });
    Ok(())
}

pub(super) fn note(draft: &mut Draft<'_>, it: &Note) -> Handled {
    let text = draft.words("text", &it.text)?;
    draft.fact(Noted { text });
    Ok(())
}

pub(super) fn tick_step(draft: &mut Draft<'_>, it: &TickStep) -> Handled {
    let known = |phase: &Phase| draft.cx.runbook.phase(*phase).steps.iter().any(|step| step.id == it.step);
    if !Phase::ALL.iter().any(known) {
        return Err(Refusal::NotFound { what: "step", name: shown(&it.step) });
    }
    if draft.state.steps.contains(&it.step) {
        return Err(Refusal::Already("the step is done or skipped already"));
    }
    let skipped = draft.maybe_words("skipped", it.skipped.as_ref())?;
    draft.fact(StepTicked { step: it.step.clone(), skipped });
    Ok(())
}

pub(super) fn hypothesise(draft: &mut Draft<'_>, it: &Hypothesise) -> Handled {
    let statement = draft.words("statement", &it.statement)?;
    draft.fact(Hypothesised { statement, class: it.class });
    Ok(())
}

pub(super) fn judge_hypothesis(draft: &mut Draft<'_>, it: &JudgeHypothesis) -> Handled {
    if !draft.state.hypotheses.contains_key(&it.hypothesis) {
        return Err(Refusal::NotFound { what: "hypothesis", name: it.hypothesis.to_string() });
    }
    let because = draft.words("because", &it.because)?;
    draft.fact(HypothesisJudged { hypothesis: it.hypothesis, confirmed: it.confirmed, because });
    Ok(())
}

pub(super) fn post_update(draft: &mut Draft<'_>, it: &PostUpdate) -> Handled {
    let progress = draft.words("progress", &it.progress)?;
    let next_steps = draft.maybe_words("next_steps", it.next_steps.as_ref())?;
    let eta = draft.maybe_words("eta", it.eta.as_ref())?;
    let public = draft.maybe_words("public", it.public.as_ref())?;
    draft.fact(UpdatePosted { progress, next_steps, eta, public });
    Ok(())
}

pub(super) fn record_fix(draft: &mut Draft<'_>, it: &RecordFix) -> Handled {
    let link = it.link.as_deref().map(|it| link("link", it)).transpose()?;
    let what = draft.words("what", &it.what)?;
    draft.fact(FixRecorded { step: it.step, what, link });
    Ok(())
}

/// Records what probes saw. A check that nobody answers is unknown, unless a person vouches for it.
pub(super) fn look(draft: &mut Draft<'_>, seen: &BTreeMap<String, CheckReading>) -> Handled {
    let mut readings = BTreeMap::new();
    for (name, check) in &draft.state.figures.checks {
        if check.by != CheckedBy::Probe {
            continue;
        }
        let attested = draft.state.checks.last.get(name).is_some_and(|state| state.attested_by.is_some());
        let unknown =
            || CheckReading { colour: Colour::Unknown, detail: "no probe answers this check".to_owned() };
        match seen.get(name) {
            Some(reading) => {
                let detail = inert::clip(&reading.detail, LONGEST_NAME);
                readings.insert(name.clone(), CheckReading { colour: reading.colour, detail });
            }
            None if !attested => {
                readings.insert(name.clone(), unknown());
            }
            None => {}
        }
    }
    let red =
        readings.iter().find(|(_, reading)| reading.colour == Colour::Red).map(|(name, _)| name.clone());
    draft.fact(ChecksRead { readings });
    if let (Some(check), Phase::PostIncident) = (red, draft.state.phase) {
        let because = draft.text(&format!("the check {check} turned red after resolve"));
        draft.fact(Reopened { because });
    }
    Ok(())
}

pub(super) fn attest(draft: &mut Draft<'_>, it: &Attest) -> Handled {
    let person = draft.needs_person()?;
    let not = |problem: &str| Err(Refusal::Invalid { field: "check", problem: problem.to_owned() });
    match draft.state.figures.checks.get(&it.check) {
        None => return Err(Refusal::NotFound { what: "check", name: shown(&it.check) }),
        Some(check) if check.by == CheckedBy::Signals => return not("the alerts answer it, not a person"),
        Some(check) if check.by == CheckedBy::Probe && draft.routes().probes.contains(&it.check) => {
            return not("a probe answers it, not a person");
        }
        Some(_) => {}
    }
    let detail = draft.words("detail", &it.detail)?;
    draft.fact(CheckAttested { check: it.check.clone(), colour: it.colour, person, detail });
    Ok(())
}

pub(super) fn escalate(draft: &mut Draft<'_>, it: &Because) -> Handled {
    let because = draft.words("because", &it.because)?;
    page_step(draft, draft.state.escalate_step, Some(because));
    Ok(())
}

/// Escalates to the step of the chain that is next and that a route reaches; after a timer, the step after it follows unless
/// somebody acknowledges.
pub(super) fn page_step(draft: &mut Draft<'_>, step: u32, because: Option<crate::model::text::Text>) {
    let (runbook, severity) = (draft.cx.runbook, draft.state.severity);
    let steps = escalation::steps(runbook, severity, because.is_some());
    let Target { step, audience, persons, skipped } = escalation::target(&steps, draft.routes(), step, &[]);
    let rhythm = escalation::rhythm(runbook, &draft.state.figures, severity);
    let next_at = because.is_none().then(|| runbook.calendar.due(draft.cx.now, rhythm));
    draft.fact(Escalated { step, audience, persons, because, next_at, skipped });
}

pub(super) fn adopt_ticket(draft: &mut Draft<'_>, it: &TicketRef) -> Handled {
    let ticket = TicketRef::new(&name("ticket", it.as_str())?);
    draft.fact(TicketAdopted { ticket, instead_of: None });
    Ok(())
}

pub(super) fn move_ticket(draft: &mut Draft<'_>, it: &MoveTicket) -> Handled {
    let ticket = TicketRef::new(&name("to", it.to.as_str())?);
    let has = |ticket: &TicketRef| {
        let mut of_actions = draft.state.actions.values().filter_map(|action| action.ticket.as_ref());
        draft.state.ticket.as_ref() == Some(ticket) || of_actions.any(|it| it == ticket)
    };
    if !has(&it.from) {
        return Err(Refusal::NotFound { what: "ticket", name: shown(it.from.as_str()) });
    }
    draft.fact(TicketAdopted { ticket, instead_of: Some(it.from.clone()) });
    Ok(())
}
