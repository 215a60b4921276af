//! What is written, found and agreed on once it is over: the document's sections, causes, documentation, the meeting.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::cause::CauseClass;
use crate::model::id::{Digest, Seq};
use crate::model::role::PersonId;
use crate::model::text::Text;
use crate::model::time::Time;

/// A section of the post-mortem. The log fills each as far as it can; people write into any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Section {
    /// What happened, in a few sentences.
    Summary,
    /// What it did to whom.
    Impact,
    /// How it was noticed, and who came.
    Detection,
    /// What set it off.
    Trigger,
    /// What made it likelier or worse.
    ContributingFactors,
    /// Why it could happen.
    RootCause,
    /// How it ended: mitigations and the permanent fix.
    Resolution,
    /// Who did what.
    Roles,
    /// What was promised, what was kept, who was told when.
    Communication,
    /// How long what took.
    ResponseTimes,
    /// What happened when.
    Timeline,
    /// What went well.
    WentWell,
    /// What could be better.
    CouldBeBetter,
    /// Where we were lucky.
    Lucky,
    /// What is to be done.
    Actions,
    /// What of the documentation is to be brought up to date.
    Documentation,
    /// The review meeting.
    Meeting,
    /// Where to look further.
    Links,
    /// What was kept.
    Evidence,
}

impl Section {
    /// Every section, in the order of the document.
    pub const ALL: [Self; 19] = [
        Self::Summary,
        Self::Impact,
        Self::Detection,
        Self::Trigger,
        Self::ContributingFactors,
        Self::RootCause,
        Self::Resolution,
        Self::Roles,
        Self::Communication,
        Self::ResponseTimes,
        Self::Timeline,
        Self::WentWell,
        Self::CouldBeBetter,
        Self::Lucky,
        Self::Actions,
        Self::Documentation,
        Self::Meeting,
        Self::Links,
        Self::Evidence,
    ];

    /// Whether what people write stands instead of what the log says; elsewhere it stands before it.
    #[must_use]
    pub fn is_replaced(self) -> bool {
        matches!(self, Self::Summary)
    }

    /// Whether it says why it happened, and so names roles and no persons.
    #[must_use]
    pub fn is_about_causes(self) -> bool {
        matches!(self, Self::Trigger | Self::ContributingFactors | Self::RootCause | Self::CouldBeBetter)
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Summary => "Summary",
            Self::Impact => "Impact",
            Self::Detection => "Detection",
            Self::Trigger => "Trigger",
            Self::ContributingFactors => "Contributing factors",
            Self::RootCause => "Root cause",
            Self::Resolution => "Resolution",
            Self::Roles => "Roles",
            Self::Communication => "Communication",
            Self::ResponseTimes => "Response times",
            Self::Timeline => "Timeline",
            Self::WentWell => "What went well",
            Self::CouldBeBetter => "What could be better",
            Self::Lucky => "Where we were lucky",
            Self::Actions => "Action items",
            Self::Documentation => "Documentation",
            Self::Meeting => "Review meeting",
            Self::Links => "Links",
            Self::Evidence => "Evidence",
        })
    }
}

/// How far the post-mortem has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DocumentStatus {
    /// It is being written.
    #[default]
    Draft,
    /// Others read it.
    InReview,
    /// Everybody can read it.
    Published,
    /// It was published, and nothing is left to decide.
    Closed,
}

impl fmt::Display for DocumentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Draft => "draft",
            Self::InReview => "in review",
            Self::Published => "published",
            Self::Closed => "closed",
        })
    }
}

/// What people made of the post-mortem so far.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Document {
    /// How far it has come.
    pub status: DocumentStatus,
    /// Whose it is; the commander's if nobody was named.
    pub owner: Option<PersonId>,
    /// Who was asked to read it last.
    pub reviewers: Vec<PersonId>,
    /// What people wrote: the last version of each section.
    pub sections: BTreeMap<Section, Version>,
    /// The last record that the published document tells of.
    pub published_up_to: Option<Seq>,
    /// Why it happened, by the record that says so.
    pub causes: BTreeMap<Seq, Cause>,
    /// What was decided on the documentation, by the step's id.
    pub documentation: BTreeMap<String, Decided>,
    /// The review meeting, as it was announced last.
    pub meeting: Option<Meeting>,
    /// The record that says that the meeting was held.
    pub meeting_held: Option<Seq>,
}

impl Document {
    /// The version of `section` that an edit has to be based on; 0 if nobody wrote it yet.
    #[must_use]
    pub fn version_of(&self, section: Section) -> Seq {
        self.sections.get(&section).map_or(Seq::ZERO, |version| version.seq)
    }

    /// The last record that changed what people wrote or found.
    #[must_use]
    pub fn changed_at(&self) -> Seq {
        let sections = self.sections.values().map(|version| version.seq);
        let last = sections.chain(self.causes.keys().copied()).max();
        last.unwrap_or_default()
    }
}

/// What somebody wrote into a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Version {
    /// The record that says so.
    pub seq: Seq,
    /// The words.
    pub text: Text,
    /// How often the section was written, this time included.
    pub edits: u32,
}

/// One answer to one why. Those without another answer below them are where the asking ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cause {
    /// The cause that this one explains; none if it explains the incident itself.
    pub under: Option<Seq>,
    /// How many causes are above it.
    pub depth: u32,
    /// What.
    pub statement: Text,
    /// Whether it caused it, or contributed.
    pub kind: CauseKind,
    /// Which class of cause it is.
    pub class: Option<CauseClass>,
    /// What shows it.
    pub proof: Proof,
}

impl Cause {
    /// The most causes that may be above one: five whys, and then some.
    pub const DEEPEST: u32 = 15;
}

/// What shows that something is so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proof {
    /// Evidence that was kept, by its SHA-256.
    pub evidence: BTreeSet<Digest>,
    /// Records of this incident.
    pub records: BTreeSet<Seq>,
}

impl Proof {
    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.evidence.is_empty() && self.records.is_empty()
    }
}

/// What a cause did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CauseKind {
    /// Without it, it wouldn't have happened.
    #[default]
    Cause,
    /// It made it likelier, longer or worse.
    Contributing,
}

/// What was decided on one item of the documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decided {
    /// The record that says so.
    pub seq: Seq,
    /// What.
    pub decision: Decision,
}

/// Whether an item of the documentation has to be brought up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Decision {
    /// Yes: this action item does it.
    Action(Seq),
    /// No, for this reason.
    NotNeeded(Text),
}

/// What an action item is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ActionKind {
    /// It can't happen again.
    Prevent,
    /// It does less harm.
    Mitigate,
    /// It is noticed sooner.
    Detect,
    /// People work together better.
    Process,
}

impl ActionKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Prevent, Self::Mitigate, Self::Detect, Self::Process];
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Prevent => "prevent",
            Self::Mitigate => "mitigate",
            Self::Detect => "detect",
            Self::Process => "process",
        })
    }
}

/// The review meeting as it was announced last.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Meeting {
    /// The record that announced it last.
    pub seq: Seq,
    /// When that was recorded, UTC.
    pub announced_at: Time,
    /// When it begins, UTC.
    pub starts_at: Time,
    /// How long it takes.
    pub length: Duration,
    /// Who shall come.
    pub invitees: Vec<PersonId>,
    /// Where: a room, or a link.
    pub place: Option<String>,
    /// How often it was announced before: what a calendar tells an update from the original by.
    pub revision: u32,
    /// Whether it was called off.
    pub cancelled: bool,
}
