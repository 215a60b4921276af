//! Facts of what comes after the fix: the document, its causes, the documentation, the meeting, action items.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::afterwards::ActionKind;
use crate::model::afterwards::CauseKind;
use crate::model::afterwards::Decision;
use crate::model::afterwards::Section;
use crate::model::cause::CauseClass;
use crate::model::id::Digest;
use crate::model::id::Seq;
use crate::model::role::PersonId;
use crate::model::text::Text;
use crate::model::ticket::TicketSeen;
use crate::model::time::Time;
use crate::runbook::Priority;
use crate::runbook::finding_kind::FindingKind;

/// The post-mortem is somebody's to write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PostMortemAssigned {
    /// Whose.
    pub owner: PersonId,
}

/// Somebody wrote into a section. Earlier versions stay in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SectionWritten {
    /// Which.
    pub section: Section,
    /// The words.
    pub text: Text,
    /// The record of the version that was edited; 0 if it is the first.
    pub based_on: Seq,
}

/// One answer to one why. It is known by this record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CauseFound {
    /// The cause that this one explains; none if it explains the incident itself.
    pub under: Option<Seq>,
    /// What.
    pub statement: Text,
    /// Whether it caused it, or contributed.
    pub kind: CauseKind,
    /// Which class of cause it is.
    pub class: Option<CauseClass>,
}

/// Something shows a cause or a hypothesis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvidenceLinked {
    /// The record of the cause or the hypothesis.
    pub to: Seq,
    /// Evidence that was kept, by its SHA-256.
    pub evidence: Vec<Digest>,
    /// Records of this incident.
    pub records: Vec<Seq>,
}

/// Others were asked to read the post-mortem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewRequested {
    /// Who.
    pub reviewers: Vec<PersonId>,
}

/// The post-mortem went back to whoever writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewReturned {
    /// Why.
    pub because: Text,
}

/// The post-mortem was published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PostMortemPublished {
    /// Where it can be read.
    pub link: Option<String>,
    /// The SHA-256 of the document.
    pub sha256: Digest,
    /// The last record the document tells of, and the chain's head there.
    pub up_to: Seq,
    /// What it lacked although the runbook wants it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overridden: Vec<FindingKind>,
    /// Why it was published all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Text>,
}

/// It was decided whether an item of the documentation has to be brought up to date.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DocumentationDecided {
    /// The step's id in the runbook.
    pub step: String,
    /// What was decided.
    pub decision: Decision,
}

/// The review meeting was announced, or moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeetingScheduled {
    /// When it begins, UTC.
    pub starts_at: Time,
    /// How long it takes.
    #[serde(with = "humantime_serde")]
    pub length: Duration,
    /// Who shall come.
    pub invitees: Vec<PersonId>,
    /// Where: a room, or a link.
    pub place: Option<String>,
}

/// The review meeting was called off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeetingCancelled {
    /// Why.
    pub because: Text,
}

/// The review meeting was held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeetingHeld {
    /// Who was there.
    pub attendees: Vec<PersonId>,
}

/// Something to do afterwards. It is known by this record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionAdded {
    /// What.
    pub what: Text,
    /// What it is good for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ActionKind>,
    /// How urgent.
    pub priority: Priority,
    /// Whose.
    pub owner: Option<PersonId>,
    /// By when, UTC.
    pub due: Time,
}

/// It became somebody's, or is due another day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionAssigned {
    /// The record that added it.
    pub action: Seq,
    /// Whose it is now, if that changes.
    pub owner: Option<PersonId>,
    /// By when now, UTC, if that changes.
    pub due: Option<Time>,
}

/// It was done, or won't be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionCompleted {
    /// The record that added it.
    pub action: Seq,
    /// What came of it.
    pub outcome: Text,
}

/// The ticket of an action item is no longer as it was: people worked on it where they work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionTicketSeen {
    /// The record that added the action item.
    pub action: Seq,
    /// What the ticket shows now.
    pub shows: TicketSeen,
}
