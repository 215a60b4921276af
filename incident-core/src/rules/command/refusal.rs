//! Why the runbook says no.

use super::CommandKind;
use crate::model::afterwards::Section;
use crate::model::id::Seq;
use crate::model::phase::Gate;
use crate::model::phase::Phase;
use crate::model::role::Actor;
use crate::rules::completeness::Finding;
use crate::runbook::Reserved;

/// Why the runbook says no. Nothing was recorded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such incident.
    #[error("there is no such incident")]
    NoIncident,
    /// It exists already.
    #[error("the incident exists already")]
    Exists,
    /// It isn't possible now.
    #[error("{command} is not possible in {phase}{}", if *.ended { ", for the incident has ended" } else { "" })]
    NotNow {
        /// What was asked for.
        command: CommandKind,
        /// Where the response stands.
        phase: Phase,
        /// Whether the incident has ended.
        ended: bool,
    },
    /// Gates aren't met.
    #[error("{phase} can't be left yet; unmet: {}", list(.unmet))]
    Gates {
        /// The phase.
        phase: Phase,
        /// Every gate that isn't met.
        unmet: Vec<Gate>,
    },
    /// The post-mortem lacks what the runbook wants before it is published.
    #[error("the post-mortem can't be published yet; {}", list(.findings))]
    Incomplete {
        /// Everything it lacks.
        findings: Vec<Finding>,
    },
    /// Somebody wrote the section in the meantime. Neither text is lost: merge them, and write based on `latest`.
    #[error("{section} was written again in {latest}; merge the two texts and write based on that")]
    Stale {
        /// The section.
        section: Section,
        /// The record of its present version.
        latest: Seq,
        /// What it says at present; as it was written, so untrusted.
        theirs: String,
        /// What was to be written instead.
        yours: String,
    },
    /// Something given isn't right.
    #[error("{field}: {problem}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong and what was expected; it never repeats what was given.
        problem: String,
    },
    /// What the command refers to isn't there.
    #[error("{what} {name} is not known here")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// Only a person of the runbook may do this.
    #[error(
        "only a person whom the runbook knows may do this; {actor} is none: add the identity to a person"
    )]
    NotAPerson {
        /// Who asked.
        actor: Actor,
    },
    /// The decision is reserved for people, and the runbook doesn't name this automation.
    #[error(
        "automation {automation} may not {decision}: ask a person, or name it in the runbook under safety.automation"
    )]
    NotByAutomation {
        /// The automation's name.
        automation: String,
        /// What it asked for.
        decision: Reserved,
    },
    /// The plan isn't the one that was meant.
    #[error("the plan has changed since; look at the present one and decide again")]
    OtherPlan,
    /// The plan is too old.
    #[error("the plan has expired; propose the mitigation again")]
    PlanExpired,
    /// It isn't approved enough.
    #[error("{given} of {needed} approvals that count are given")]
    NotApproved {
        /// How many count.
        given: u32,
        /// How many are needed.
        needed: u32,
    },
    /// Safety says no.
    #[error("refused for safety: {0}")]
    Unsafe(String),
    /// Another incident holds the name.
    #[error("{key} is held by another incident")]
    KeyTaken {
        /// The key.
        key: String,
    },
    /// The incident doesn't take the alerts of this group in, or no longer.
    #[error("the incident has let this group of alerts go; ingest them, and another incident takes them in")]
    LetGo,
    /// It was done already.
    #[error("{0}")]
    Already(&'static str),
}

fn list(several: &[impl ToString]) -> String {
    several.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
