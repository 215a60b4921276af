//! Pages: whom they wake first, and who is next when nobody answers, no route reaches anybody, or a route fails.

use super::caretaker;
use super::notice::{Said, WORTH_SENDING, plan_notice};
use crate::log::event::{EffectSettled, Escalated};
use crate::model::effect::{Effect, EffectState, Notify, Outcome, Work};
use crate::model::id::Seq;
use crate::model::notice::{Label, NoticeKind};
use crate::model::obligation::ObligationKind;
use crate::model::severity::Audience;
use crate::model::time::{after, stamp};
use crate::rules::decide::Draft;
use crate::runbook::escalation;
use crate::runbook::escalation::Target;

/// What people do first who are told of an incident to work on.
pub(super) fn action(draft: &Draft<'_>) -> &'static str {
    match draft.state.obligation(ObligationKind::Acknowledge) {
        Some(_) => "acknowledge and start investigating",
        None => "join the response",
    }
}

/// Pages the people on call; if no route reaches them, the next step of the chain at once.
pub(super) fn page_responders(draft: &mut Draft<'_>, said: Said) {
    let responders = Audience::new(Audience::RESPONDERS);
    let reached = draft.routes().to(&responders).next().is_some();
    let said = said.fixed(Label::Do, action(draft));
    draft.say(said, std::slice::from_ref(&responders));
    if !reached {
        go_up(draft, &[responders]);
    }
}

/// Pages the next step of the chain at once, because `failed` can't be reached. Each step is tried once in this way; after
/// that the deadlines go on.
fn go_up(draft: &mut Draft<'_>, failed: &[Audience]) {
    let steps = escalation::steps(draft.cx.runbook, draft.state.severity, false);
    let step = draft.state.escalate_step;
    if usize::try_from(step).is_ok_and(|step| step >= steps.len()) {
        return;
    }
    let Target { step, audience, persons, skipped } =
        escalation::target(&steps, draft.routes(), step, failed);
    if failed.contains(&audience) || draft.routes().to(&audience).next().is_none() {
        return;
    }
    let (because, next_at) = (None, None);
    draft.follows(draft.cx.now, Escalated { step, audience, persons, because, next_at, skipped });
}

/// Tells the step of the chain that was reached: a page where the severity pages or a person asked, else a reminder.
pub(super) fn escalated(draft: &mut Draft<'_>, fact: &Escalated) {
    let wakes = fact.because.is_some() || draft.cx.runbook.pages(draft.state.severity);
    let kind = if wakes { NoticeKind::Page } else { NoticeKind::Reminder };
    let mut said = Said::new(kind).phrase("escalation").to(fact.persons.clone());
    let unanswered = draft.state.obligation(ObligationKind::Acknowledge);
    if let Some(due) = unanswered.map(|owed| owed.due).filter(|due| *due <= draft.cx.now) {
        said = said.fixed(Label::Due, &stamp(due));
    }
    said = said.fixed(Label::Summary, &format!("step {}", fact.step.saturating_add(1)));
    if !fact.skipped.is_empty() {
        let skipped: Vec<&str> = fact.skipped.iter().map(Audience::as_str).collect();
        said = said.fixed(Label::Summary, &format!("skipped {}: not reachable", skipped.join(", ")));
    }
    said = said.fixed(Label::Do, action(draft));
    draft.say_past(&fact.skipped, said.maybe(Label::Because, fact.because), fact.audience.clone());
}

/// Pages that only ask for an answer, and that nobody has begun to send, are pointless once somebody is on it.
pub(super) fn drop_pages(draft: &mut Draft<'_>, by: Seq) {
    let pointless = |effect: &&Effect| {
        matches!(&effect.work, Work::Notify(notify) if asks_for_an_answer(draft, notify))
            && matches!(effect.state, EffectState::Ready(_))
    };
    let effects: Vec<Seq> = draft.state.effects.values().filter(pointless).map(|effect| effect.seq).collect();
    for effect in effects {
        draft.follows(draft.cx.now, EffectSettled { effect, outcome: Outcome::Superseded { by } });
    }
}

/// Whether a page is of the engine's own making. One that a person sent has a reason, and is sent whoever answered.
fn asks_for_an_answer(draft: &Draft<'_>, notify: &Notify) -> bool {
    let issued = draft.state.notices.get(&notify.notice);
    notify.kind == NoticeKind::Page
        && issued.is_none_or(|issued| issued.notice.line(Label::Because).is_none())
}

/// What follows from a page that no word of delivery will come of: its fallback route; without one the next step of the
/// chain, and the caretaker hears.
pub(super) fn failed(draft: &mut Draft<'_>, effect: Seq, planned: &Effect, notify: &Notify, why: &str) {
    let answered = draft.state.obligation(ObligationKind::Acknowledge).is_none();
    if answered && asks_for_an_answer(draft, notify) {
        return;
    }
    // One step only: a page that failed on the fallback, too, goes up the chain.
    let next = draft.routes().fallback(&planned.route).filter(|_| planned.instead_of.is_none());
    if let Some(next) = next {
        let expires_at = after(draft.cx.now, WORTH_SENDING);
        return plan_notice(draft, notify.clone(), &next.name, expires_at, Some(effect));
    }
    caretaker::hears_of_failure(draft, planned, why);
    let carried = |other: &Effect| matches!(&other.work, Work::Notify(it) if it.notice == notify.notice);
    let delivered = draft.state.notices.get(&notify.notice).is_some_and(|issued| issued.delivered);
    let is_last = !delivered && !draft.state.effects.values().any(carried);
    if notify.kind == NoticeKind::Page && is_last {
        go_up(draft, &notify.audiences);
    }
}
