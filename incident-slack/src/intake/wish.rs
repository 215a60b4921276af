//! What is asked of an incident, where only its state says what exactly is meant.

use incident_core::log::incident::Incident;
use incident_core::model::afterwards::Section;
use incident_core::model::id::{Digest, Seq};
use incident_core::rules::command as c;
use incident_core::rules::command::{Command, Refusal};

/// What is asked of an incident, where only its state says what exactly is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wish {
    /// Agree to a plan, or order it.
    Decide {
        /// The record that proposed the mitigation.
        proposal: Seq,
        /// The beginning of the digest of the plan that was shown, in hex.
        digest: String,
        /// Which.
        decision: Decision,
    },
    /// Write into a section of the post-mortem, in place of what it says at present.
    Write {
        /// The section.
        section: Section,
        /// The words.
        text: String,
    },
    /// Open the form for a section of the post-mortem.
    Edit {
        /// The section.
        section: Section,
    },
    /// Say what the post-mortem lacks.
    PostMortem,
    /// Publish the post-mortem as it is now.
    Publish {
        /// Why, although it lacks what the runbook wants.
        because: Option<String>,
    },
}

/// What is decided about a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is agreed to.
    Approve,
    /// It is to be carried out.
    Execute,
}

impl Wish {
    /// The command that it is for `incident`; none if nothing has to be recorded, or if more is needed than the state.
    ///
    /// # Errors
    /// [`Refusal`] if what is meant isn't there, or isn't any more what was shown.
    pub fn command(&self, incident: &Incident) -> Result<Option<Command>, Refusal> {
        match self {
            Self::Decide { proposal, digest, decision } => {
                let digest = plan(incident, *proposal, digest)?;
                let proposal = *proposal;
                Ok(Some(match decision {
                    Decision::Approve => Command::Approve(c::Approve { proposal, digest, break_glass: None }),
                    Decision::Execute => Command::Execute(c::ExecutePlan { proposal, digest }),
                }))
            }
            Self::Write { section, text } => {
                let based_on = incident.document.version_of(*section);
                let write = c::WriteSection { section: *section, text: text.clone(), based_on };
                Ok(Some(Command::WriteSection(write)))
            }
            Self::Edit { .. } | Self::PostMortem | Self::Publish { .. } => Ok(None),
        }
    }

    /// The command that publishes `document`, which tells of everything up to the incident's present state.
    #[must_use]
    pub fn publish(&self, incident: &Incident, document: &[u8]) -> Option<Command> {
        let Self::Publish { because } = self else { return None };
        Some(Command::PublishPostMortem(c::PublishPostMortem {
            link: None,
            sha256: Digest::sha256(document),
            up_to: incident.version,
            override_because: because.clone(),
        }))
    }
}

/// The digest of the plan that begins like this.
fn plan(incident: &Incident, proposal: Seq, begins: &str) -> Result<Digest, Refusal> {
    let mitigation = incident.mitigations.get(&proposal);
    let mitigation =
        mitigation.ok_or(Refusal::NotFound { what: "mitigation", name: proposal.to_string() })?;
    let plan = mitigation.plan.as_ref().filter(|plan| plan.digest.to_string().starts_with(begins));
    plan.map(|plan| plan.digest).ok_or(Refusal::OtherPlan)
}
