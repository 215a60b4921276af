//! Reminders, and what is said of promises that weren't kept.

use super::notice::Said;
use crate::model::id::Seq;
use crate::model::notice::{Label, NoticeKind};
use crate::model::obligation::ObligationKind;
use crate::model::role::PersonId;
use crate::model::severity::Audience;
use crate::model::time::{Time, stamp};
use crate::rules::decide::Draft;
use crate::runbook::escalation;
use crate::runbook::escalation::Target;

/// Who works on the incident at its severity.
pub(super) fn working_on(draft: &Draft<'_>) -> Vec<Audience> {
    draft.cx.runbook.working_on(draft.state.severity)
}

/// Reminds whoever owes it.
pub(super) fn due_soon(draft: &mut Draft<'_>, obligation: Seq) {
    let Some(owed) = draft.state.obligations.get(&obligation) else { return };
    let said = Said::new(NoticeKind::Reminder).to(who_owes(draft, owed.kind));
    let said = said.fixed(Label::Do, &owed.kind.to_string()).fixed(Label::Due, &stamp(owed.due));
    draft.say(said, &working_on(draft));
}

/// Asks persons for something that wakes nobody.
pub(super) fn asked(draft: &mut Draft<'_>, persons: Vec<PersonId>, words: &str) {
    let said = Said::new(NoticeKind::Reminder).to(persons).fixed(Label::Do, words);
    draft.say(said, &working_on(draft));
}

/// Says inside that something promised wasn't done; never to the public. Each time it is late again, the next step of the
/// chain hears of it.
///
/// A missed update is urgent where the severity pages, and begins again with the first step after the last. A late
/// post-mortem, meeting or action item wakes nobody, and stays with the last step.
pub(super) fn overdue(draft: &mut Draft<'_>, obligation: Seq, missed: u32, due: Time) {
    let Some(owed) = draft.state.obligations.get(&obligation) else { return };
    let (kind, breaches) = (owed.kind, owed.breaches.saturating_sub(1));
    // The escalation that begins at the same moment says it.
    if kind == ObligationKind::Acknowledge {
        return;
    }
    let (runbook, severity) = (draft.cx.runbook, draft.state.severity);
    let steps = escalation::steps(runbook, severity, false);
    let last = u32::try_from(steps.len().saturating_sub(1)).unwrap_or(u32::MAX);
    let step = if kind == ObligationKind::Update { breaches } else { breaches.min(last) };
    let Target { audience, persons, skipped, .. } = escalation::target(&steps, draft.routes(), step, &[]);
    let urgent = kind == ObligationKind::Update && runbook.pages(severity);
    let mut named = who_owes(draft, kind);
    named.extend(persons.into_iter().filter(|person| !named.contains(person)).collect::<Vec<_>>());
    let said = Said::new(if urgent { NoticeKind::Breach } else { NoticeKind::Reminder }).to(named);
    let mut said = said.fixed(Label::Do, &kind.to_string()).fixed(Label::Due, &stamp(due));
    if missed > 1 {
        said = said.fixed(Label::Summary, &format!("missed {missed} times in a row"));
    }
    draft.say_past(&skipped, said, audience);
}

/// Whose it is; where nobody has it, whose the post-mortem is, or who led.
pub(super) fn who_owes(draft: &Draft<'_>, kind: ObligationKind) -> Vec<PersonId> {
    let state = &draft.state;
    let writes = || state.document.owner.as_ref().or_else(|| state.commander());
    let owner = match kind {
        ObligationKind::FollowUp(action) => {
            state.actions.get(&action).and_then(|it| it.owner.as_ref()).or_else(writes)
        }
        ObligationKind::PostMortem | ObligationKind::Meeting => writes(),
        ObligationKind::Acknowledge | ObligationKind::Update => state.commander(),
    };
    owner.cloned().into_iter().collect()
}
