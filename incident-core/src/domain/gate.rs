//! Whether the gates of a phase are met.

use super::context::Context;
use super::event::FixStep;
use super::incident::Incident;
use super::mitigation::Stage;
use super::phase::{Gate, Phase};

/// The gates of `phase` that aren't met, as the runbook in force names them.
#[must_use]
pub fn unmet(incident: &Incident, phase: Phase, cx: &Context<'_>) -> Vec<Gate> {
    cx.runbook.phase(phase).gates.iter().filter(|gate| !met(incident, gate, cx)).cloned().collect()
}

fn met(it: &Incident, gate: &Gate, cx: &Context<'_>) -> bool {
    match gate {
        Gate::Acknowledged => it.milestones.acknowledged.is_some(),
        Gate::StartKnown => it.start_known,
        Gate::SeverityAssigned => it.severity_assigned,
        Gate::ImpactAssessed => it.impact.is_some(),
        Gate::AudiencesNotified => cx
            .runbook
            .audiences(it.severity, it.is_customer_facing())
            .iter()
            .all(|audience| it.notified.contains(audience)),
        Gate::Hypotheses(count) => it.hypotheses.len() >= usize::try_from(*count).unwrap_or(usize::MAX),
        Gate::MitigatedOrFixed => {
            it.mitigations.values().any(|it| it.undoes.is_none() && it.stage == Stage::Holds)
                || it.fix.contains(&FixStep::Deployment)
        }
        Gate::ChecksHeld => it.checks.held(&it.figures, cx.now),
        Gate::PostMortemPublished => {
            it.post_mortem_published || !cx.runbook.afterwards.required_for.contains(&it.severity)
        }
        Gate::ActionsFiled => {
            let tracked = cx.routes(it.side).tracker.is_some();
            it.actions.values().all(|action| {
                action.done || (action.owner.is_some() && (action.ticket.is_some() || !tracked))
            })
        }
        Gate::Step(id) => it.steps.contains(id),
    }
}
