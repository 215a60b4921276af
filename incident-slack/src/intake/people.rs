//! Whose commands count.

use incident_core::model::role::Actor;
use incident_core::rules::command::{CommandKind, Request};
use incident_core::runbook::Runbook;

use super::Answer;

/// What everybody in the workspace may do: call for help, and say what they see. The rest is for the runbook's persons.
const EVERYBODY: [CommandKind; 3] = [CommandKind::Declare, CommandKind::Escalate, CommandKind::Note];

/// Whether the runbook gives anybody a Slack account. Until it does, everybody's commands count, approvals excepted.
#[must_use]
pub fn knows_people(runbook: &Runbook) -> bool {
    let mut identities = runbook.persons.values().flat_map(|person| &person.identities);
    identities.any(|identity| identity.account_in("slack").is_some())
}

/// Whether the command of `request` counts: that of a person of `runbook` always, that of anybody else only if it declares an
/// incident, pages or takes a note.
///
/// # Errors
/// What to tell the one who asked. Nothing may be sent to the engine then.
pub fn permit(request: &Request, runbook: &Runbook) -> Result<(), Answer> {
    let Actor::Human(identity) = &request.actor else { return Ok(()) };
    let kind = request.command.kind();
    if EVERYBODY.contains(&kind) || !knows_people(runbook) || runbook.person_of(identity).is_some() {
        return Ok(());
    }
    Err(Answer::new(&format!(
        "Nothing was done: your Slack account isn't in the runbook, so you can't give this command. You can declare an \
         incident, page and take notes: /incident declare, page, note. To be added, ask for the identity {identity} in the \
         runbook."
    )))
}
