//! Whether the gates of a phase are met.

use crate::log::event::FixStep;
use crate::log::incident::Incident;
use crate::model::phase::{Gate, Phase};
use crate::model::time::Time;
use crate::rules::context::Context;
use crate::runbook::Runbook;

/// The gates of `phase` that aren't met, as the runbook in force names them.
#[must_use]
pub fn unmet(incident: &Incident, phase: Phase, cx: &Context<'_>) -> Vec<Gate> {
    unmet_at(incident, phase, cx.runbook, cx.now, cx.routes(incident.side).tracker.is_some())
}

/// Like [`unmet`], where there is no decision to make: `tracked` says whether action items are filed with a tracker.
#[must_use]
pub fn unmet_at(incident: &Incident, phase: Phase, runbook: &Runbook, now: Time, tracked: bool) -> Vec<Gate> {
    let gates = &runbook.phase(phase).gates;
    gates.iter().filter(|gate| !met(incident, gate, runbook, now, tracked)).cloned().collect()
}

fn met(it: &Incident, gate: &Gate, runbook: &Runbook, now: Time, tracked: bool) -> bool {
    match gate {
        Gate::Acknowledged => it.milestones.acknowledged.is_some(),
        Gate::StartKnown => it.start_known,
        Gate::SeverityAssigned => it.severity_assigned,
        Gate::ImpactAssessed => it.impact.is_some(),
        Gate::AudiencesNotified => runbook
            .audiences(it.severity, it.is_customer_facing())
            .iter()
            .all(|audience| it.notified.contains(audience)),
        Gate::Hypotheses(count) => it.hypotheses.len() >= usize::try_from(*count).unwrap_or(usize::MAX),
        Gate::MitigatedOrFixed => it.holding().next().is_some() || it.fix.contains(&FixStep::Deployment),
        Gate::ChecksHeld => it.checks.held(&it.figures, now),
        Gate::PostMortemPublished => {
            it.post_mortem_published || !runbook.afterwards.required_for.contains(&it.severity)
        }
        Gate::ActionsFiled => it
            .actions
            .values()
            .all(|action| action.done || (action.owner.is_some() && (action.ticket.is_some() || !tracked))),
        Gate::Step(id) => it.steps.contains(id),
    }
}
