//! Who is paged, who works on an incident, and who is next when nobody answers: the runbook's table, over the routes there are.

use std::time::Duration;

use crate::model::role::PersonId;
use crate::model::route::Routes;
use crate::model::severity::{Audience, Severity, Within};
use crate::runbook::pinned::Figures;
use crate::runbook::{EscalationStep, Runbook};

/// The shortest time between two escalations, whatever the runbook says.
const SHORTEST: Duration = Duration::from_secs(60);

impl Runbook {
    /// Whether an incident of `severity` wakes the people on call: the runbook lists `responders` among its audiences.
    #[must_use]
    pub fn pages(&self, severity: Severity) -> bool {
        self.severity(severity).audiences.iter().any(|it| it.as_str() == Audience::RESPONDERS)
    }

    /// Who works on an incident of `severity`: the people on call if it pages them, otherwise the audiences inside that the
    /// runbook lists for it.
    #[must_use]
    pub fn working_on(&self, severity: Severity) -> Vec<Audience> {
        let inside = |it: &&Audience| !it.is_external();
        let listed: Vec<_> = self.severity(severity).audiences.iter().filter(inside).cloned().collect();
        if self.pages(severity) || listed.is_empty() {
            return vec![Audience::new(Audience::RESPONDERS)];
        }
        listed
    }

    /// The steps that an unanswered incident of `severity` climbs.
    ///
    /// A severity that pages climbs the whole chain. Any other notifies the steps that its audiences name, or simply its
    /// audiences. Steps outside the organisation don't count.
    #[must_use]
    pub fn escalation_steps(&self, severity: Severity) -> Vec<EscalationStep> {
        let working = self.working_on(severity);
        chain(self, |it| self.pages(severity) || working.contains(it)).unwrap_or_else(|| {
            working.into_iter().map(|audience| EscalationStep { audience, persons: Vec::new() }).collect()
        })
    }
}

/// The step of the chain that is told next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Which step, counted from the first one, the rounds before included.
    pub(crate) step: u32,
    pub(crate) audience: Audience,
    pub(crate) persons: Vec<PersonId>,
    /// The audiences passed over on the way: no route reaches them, or it just failed.
    pub(crate) skipped: Vec<Audience>,
}

/// The first step from `step` on that a route reaches, without the audiences in `failed`.
///
/// If no step is reachable, any audience inside is better than nobody. If there is none either, the step itself is the
/// answer: its notice is then recorded as undeliverable.
pub(crate) fn target(steps: &[EscalationStep], routes: &Routes, step: u32, failed: &[Audience]) -> Target {
    let count = u32::try_from(steps.len()).unwrap_or(u32::MAX).max(1);
    let at = |step: u32| usize::try_from(step % count).ok().and_then(|at| steps.get(at));
    let reached = |it: &Audience| !failed.contains(it) && routes.to(it).next().is_some();
    let mut skipped = Vec::new();
    for ahead in 0..count {
        let step = step.saturating_add(ahead);
        let Some(rung) = at(step) else { break };
        if reached(&rung.audience) {
            let (audience, persons) = (rung.audience.clone(), rung.persons.clone());
            return Target { step, audience, persons, skipped };
        }
        if !skipped.contains(&rung.audience) {
            skipped.push(rung.audience.clone());
        }
    }
    let inside = routes.notices.iter().flat_map(|route| &route.audiences).filter(|it| !it.is_external());
    let anybody = inside.filter(|it| !failed.contains(it) && !skipped.contains(it)).cloned();
    // The caretaker knows the installation and not the incident, so comes last.
    let anybody = anybody.min_by_key(|it| it.as_str() == Audience::CARETAKER);
    let own = at(step).map_or_else(|| Audience::new(Audience::RESPONDERS), |it| it.audience.clone());
    match anybody {
        Some(audience) => Target { step, audience, persons: Vec::new(), skipped },
        None => Target { step, audience: own, persons: Vec::new(), skipped: Vec::new() },
    }
}

/// The steps inside the organisation whose audience is `wanted`; none if there are none.
fn chain(runbook: &Runbook, wanted: impl Fn(&Audience) -> bool) -> Option<Vec<EscalationStep>> {
    let inside = runbook.escalation.chain.iter().filter(|step| !step.audience.is_external());
    let steps: Vec<_> = inside.filter(|step| wanted(&step.audience)).cloned().collect();
    (!steps.is_empty()).then_some(steps)
}

/// The steps for a timer, or for a person who asks for help: that climbs the whole chain at every severity.
pub(crate) fn steps(runbook: &Runbook, severity: Severity, on_request: bool) -> Vec<EscalationStep> {
    let whole = if on_request { chain(runbook, |_| true) } else { None };
    whole.unwrap_or_else(|| runbook.escalation_steps(severity))
}

/// How long nobody may answer before the next step follows: the runbook's rhythm where people are paged, the time to
/// respond where they are only notified.
pub(crate) fn rhythm(runbook: &Runbook, figures: &Figures, severity: Severity) -> Within {
    if runbook.pages(severity) {
        return Within::Elapsed(figures.escalate_every.max(SHORTEST));
    }
    match figures.respond_within.get(&severity).copied() {
        Some(Within::Elapsed(length)) => Within::Elapsed(length.max(SHORTEST)),
        Some(within) => within,
        None => Within::NextBusinessDay,
    }
}
