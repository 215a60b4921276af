//! What a post-mortem still lacks.

use std::fmt;

use crate::domain::event::FixStep;
use crate::domain::id::Seq;
use crate::domain::incident::Incident;
use crate::domain::mitigation::Stage;

/// Something that a post-mortem lacks. `Display` says what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Missing {
    /// It isn't over yet.
    Resolution,
    /// Nobody knows when it began.
    Start,
    /// Nobody assessed the impact.
    Impact,
    /// No possible cause was confirmed.
    ConfirmedCause,
    /// Nothing that was done held, and no fix was deployed.
    Mitigation,
    /// Nobody led.
    Commander,
    /// No evidence was kept.
    Evidence,
    /// Nothing is to be done afterwards.
    Actions,
    /// This action item has no owner.
    Owner(Seq),
    /// This action item has no ticket although the incident has one.
    Ticket(Seq),
    /// Nobody wrote what went well.
    WentWell,
    /// Nobody wrote what could be better.
    CouldBeBetter,
    /// Nobody wrote where we were lucky.
    Lucky,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Resolution => "The incident isn't resolved: finish the response first",
            Self::Start => "The start isn't known: correct the first record's time",
            Self::Impact => "The impact isn't assessed: assess it, duration and users at least",
            Self::ConfirmedCause => "No cause is confirmed: write the hypotheses down, and confirm the cause",
            Self::Mitigation => "Nothing that was done held, and no fix is deployed: say how it ended",
            Self::Commander => "Nobody had command: assign the role, even afterwards",
            Self::Evidence => "No evidence is kept: preserve logs, metrics and traces before they expire",
            Self::Actions => "There are no action items: add one, or say why nothing has to change",
            Self::Owner(action) => return write!(f, "Action item {action} has no owner: name one"),
            Self::Ticket(action) => return write!(f, "Action item {action} has no ticket: file it"),
            Self::WentWell => "What went well is to be written",
            Self::CouldBeBetter => "What could be better is to be written",
            Self::Lucky => "Where we were lucky is to be written",
        })
    }
}

/// What the post-mortem of `incident` lacks, in the order of its sections.
pub(super) fn missing(incident: &Incident, evidence: bool) -> Vec<Missing> {
    let confirmed = incident.hypotheses.values().any(|it| it.confirmed == Some(true));
    let held = incident.mitigations.values().any(|it| it.undoes.is_none() && it.stage == Stage::Holds);
    let lacks = [
        (incident.milestones.resolved.is_none(), Missing::Resolution),
        (!incident.start_known, Missing::Start),
        (incident.impact.is_none(), Missing::Impact),
        (!confirmed, Missing::ConfirmedCause),
        (!held && !incident.fix.contains(&FixStep::Deployment), Missing::Mitigation),
        (incident.commander().is_none(), Missing::Commander),
        (!evidence, Missing::Evidence),
        (incident.actions.is_empty(), Missing::Actions),
        // Nobody records these three as facts yet, so they are always left to a person.
        (true, Missing::WentWell),
        (true, Missing::CouldBeBetter),
        (true, Missing::Lucky),
    ];
    let mut found: Vec<Missing> =
        lacks.into_iter().filter_map(|(lacks, what)| lacks.then_some(what)).collect();
    for (seq, action) in incident.actions.iter().filter(|(_, action)| !action.done) {
        found.extend(action.owner.is_none().then_some(Missing::Owner(*seq)));
        found.extend((action.ticket.is_none() && incident.ticket.is_some()).then_some(Missing::Ticket(*seq)));
    }
    found.sort_unstable();
    found
}
