//! Facts of the response itself: what was noticed, found out and said.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::log::storm::StormWindow;
use crate::model::cause::CauseClass;
use crate::model::colour::Colour;
use crate::model::id::Digest;
use crate::model::id::IncidentId;
use crate::model::id::Seq;
use crate::model::impact::Impact;
use crate::model::role::PersonId;
use crate::model::role::Role;
use crate::model::severity::Audience;
use crate::model::severity::Severity;
use crate::model::side::Side;
use crate::model::signal::Detection;
use crate::model::signal::{Fingerprints, Severities, Times};
use crate::model::text::Text;
use crate::model::ticket::TicketRef;
use crate::model::time::Time;
use crate::runbook::pinned::Figures;
use crate::runbook::triage::TriagePath;

/// The incident exists. Its `occurred_at` is when it was noticed; see [`started_at`](Self::started_at).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Declared {
    /// The incident.
    pub id: IncidentId,
    /// What it is called.
    pub title: Text,
    /// The service that is affected.
    pub service: Option<String>,
    /// How bad it is at first.
    pub severity: Severity,
    /// Whether somebody or a rule gave the severity, or it is only the worst that may be.
    pub severity_assigned: bool,
    /// How it was noticed.
    pub detected_by: Detection,
    /// When it began, UTC.
    pub started_at: Time,
    /// Whether that is known, not assumed.
    pub start_known: bool,
    /// When it was called an incident, UTC, if not when it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_at: Option<Time>,
    /// Live or drill.
    pub side: Side,
    /// What makes alerts part of this incident.
    pub signal_group: Option<String>,
    /// The name under which it may be declared only once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub once: Option<String>,
    /// The incident this one repeats.
    pub recurrence_of: Option<IncidentId>,
    /// The digest of the runbook in force.
    pub runbook: Digest,
    /// The runbook's figures in force.
    pub figures: Arc<Figures>,
    /// A link to look at.
    #[serde(default)]
    pub link: Option<String>,
    /// The storm whose alerts it gathers, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storm: Option<StormWindow>,
}

/// Alerts came in; those that were known already aren't repeated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignalsReceived {
    /// Those that fire now and didn't.
    pub firing: Fingerprints,
    /// Those that fired and don't now.
    pub resolved: Fingerprints,
    /// What the first of them says.
    pub summary: Text,
    /// The groups that a storm newly took in.
    #[serde(default, skip_serializing_if = "Fingerprints::is_empty")]
    pub groups: Fingerprints,
    /// Whether a storm begins again with them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub storm_begins: bool,
    /// When those that fire began, as the source says, UTC.
    #[serde(default, skip_serializing_if = "Times::is_empty")]
    pub firing_since: Times,
    /// When those that don't fire now had begun, as the source says, UTC.
    #[serde(default, skip_serializing_if = "Times::is_empty")]
    pub resolved_since: Times,
    /// When they ended, as the source says, UTC.
    #[serde(default, skip_serializing_if = "Times::is_empty")]
    pub resolved_at: Times,
    /// Those that somebody repeated as firing although that occurrence is over.
    #[serde(default, skip_serializing_if = "Fingerprints::is_empty")]
    pub stale: Fingerprints,
    /// How bad those that fire are, by the runbook in force.
    #[serde(default, skip_serializing_if = "Severities::is_empty")]
    pub severities: Severities,
    /// Whether no alert had come for as long as the runbook says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub after_quiet: bool,
    /// What was assumed, shortened or couldn't be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noted: Option<Text>,
}

/// Somebody is on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// Who, if the runbook knows the person.
    pub person: Option<PersonId>,
}

/// The severity was found by the tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Triaged {
    /// The way through the tree.
    pub path: TriagePath,
}

/// The severity was set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeveritySet {
    /// What it was.
    pub from: Severity,
    /// What it is.
    pub to: Severity,
    /// Why.
    pub because: Text,
}

/// The impact was assessed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImpactAssessed {
    /// What was found.
    pub impact: Impact,
    /// Whether it says for the first time that data was lost or security was breached.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub worsens: bool,
}

/// A role was given, or handed over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoleAssigned {
    /// The role.
    pub role: Role,
    /// Whose it is.
    pub to: PersonId,
    /// Whose it was, if it was handed over.
    pub from: Option<PersonId>,
}

/// Something worth remembering.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Noted {
    /// What.
    pub text: Text,
}

/// A step of the checklist was done or skipped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepTicked {
    /// The step's id in the runbook.
    pub step: String,
    /// Why it was skipped; none if it was done.
    pub skipped: Option<Text>,
}

/// A possible cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hypothesised {
    /// What may have happened.
    pub statement: Text,
    /// Which class of cause it is.
    pub class: Option<CauseClass>,
}

/// A possible cause turned out right or wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HypothesisJudged {
    /// The record that wrote it down.
    pub hypothesis: Seq,
    /// Whether it is the cause.
    pub confirmed: bool,
    /// Why.
    pub because: Text,
}

/// An update was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdatePosted {
    /// What was found or done.
    pub progress: Text,
    /// What comes next.
    pub next_steps: Option<Text>,
    /// When it may be over.
    pub eta: Option<Text>,
    /// What people outside the organisation are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<Text>,
}

/// A step of the permanent fix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FixRecorded {
    /// Which.
    pub step: FixStep,
    /// What was done.
    pub what: Text,
    /// Where to look at it.
    pub link: Option<String>,
}

/// The steps of a permanent fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FixStep {
    /// The change itself, on a branch.
    Change,
    /// A test that fails without it.
    RegressionTest,
    /// What it did in staging.
    Staging,
    /// It is in production.
    Deployment,
    /// It works there.
    Verification,
}

/// Recovery checks were looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChecksRead {
    /// What each shows, by name.
    pub readings: BTreeMap<String, CheckReading>,
}

/// What one check shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReading {
    /// Well or not.
    pub colour: Colour,
    /// What was seen.
    pub detail: String,
}

/// A person vouches for a check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckAttested {
    /// The check's name.
    pub check: String,
    /// Well or not.
    pub colour: Colour,
    /// Who.
    pub person: PersonId,
    /// What was seen.
    pub detail: Text,
}

/// The next step of the chain was paged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Escalated {
    /// Which step, from 0.
    pub step: u32,
    /// Whose route carries the page.
    pub audience: Audience,
    /// Whom it names.
    pub persons: Vec<PersonId>,
    /// Why, if a person asked for it.
    pub because: Option<Text>,
    /// When the step after it follows, UTC, unless somebody acknowledges; none if a person asked for it.
    pub next_at: Option<Time>,
    /// The audiences that were passed over because no route reaches them, or because theirs just failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Audience>,
}

/// Evidence was kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvidenceKept {
    /// Who collected it: the name of the ports.
    pub collector: String,
    /// What was kept.
    pub items: Vec<EvidenceItem>,
}

/// A piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EvidenceItem {
    /// What it is.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// The SHA-256 of the bytes as kept.
    pub sha256: Digest,
    /// How many bytes were kept.
    pub bytes: u64,
    /// Whether something was left out.
    pub truncated: bool,
    /// How many secrets were taken out.
    pub redactions: u32,
    /// Whether the bytes were kept as they are, because their media type isn't text: nobody looked for secrets in them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unredacted: bool,
}

impl EvidenceItem {
    /// What was done about secrets, in words: `2 secrets redacted`, `not redacted`.
    #[must_use]
    pub fn redaction(&self) -> String {
        match (self.unredacted, self.redactions) {
            (true, _) => "not redacted".to_owned(),
            (false, 1) => "1 secret redacted".to_owned(),
            (false, count) => format!("{count} secrets redacted"),
        }
    }
}

/// The incident's ticket is this one, or a ticket of the incident has another name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TicketAdopted {
    /// The ticket.
    pub ticket: TicketRef,
    /// What it was called before the tracker moved it, if it did: the incident's ticket, or that of an action item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<TicketRef>,
}
