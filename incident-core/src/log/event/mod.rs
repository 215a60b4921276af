//! Records and the facts they hold: everything that can be on a timeline.
//!
//! The schema is additive: a field may join with a default, a kind may join, nothing changes its meaning. A kind is
//! written only from the release after the one that can read it.

use serde::{Deserialize, Serialize};

use crate::model::id::{CommandId, Seq};
use crate::model::role::Actor;
use crate::model::text::Slot;
use crate::model::time::Time;

mod afterwards;
mod course;
mod mitigation;
mod owed;
mod response;

pub use afterwards::*;
pub use course::*;
pub use mitigation::*;
pub use owed::*;
pub use response::*;

/// One entry of an incident's log.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Record {
    /// Its place in the log.
    pub seq: Seq,
    /// When it happened, UTC; may be earlier than when it was recorded.
    pub occurred_at: Time,
    /// When it was recorded, UTC.
    pub recorded_at: Time,
    /// Who did it.
    pub actor: Actor,
    /// Where it came from.
    pub origin: Origin,
    /// The command that caused it.
    pub command: CommandId,
    /// What happened.
    pub fact: Fact,
    /// The words of its texts, each in its place; those that were taken out are empty.
    pub slots: Vec<Slot>,
}

/// Where a command came from: `cli`, `slack`, `github`, `engine`, and a link to it if there is one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The kind of place.
    pub source: String,
    /// A permalink.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl Origin {
    /// From `source`, without a link.
    #[must_use]
    pub fn new(source: &str) -> Self {
        Self { source: source.to_owned(), link: None }
    }
}

macro_rules! facts {
    ($($(#[$doc:meta])* $kind:ident),* $(,)?) => {
        /// What happened. Each kind carries one struct of the same name.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Fact {
            $($(#[$doc])* $kind($kind),)*
        }

        impl Fact {
            /// The names of all kinds.
            pub const KINDS: &'static [&'static str] = &[$(stringify!($kind)),*];

            /// Whether this version knows the kind that a record spells so.
            #[must_use]
            pub fn is_known(spelled: &str) -> bool {
                Self::KINDS.iter().any(|kind| spells(kind, spelled))
            }

            /// The kind's name.
            #[must_use]
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$kind(_) => stringify!($kind),)* }
            }
        }

        $(impl From<$kind> for Fact {
            fn from(fact: $kind) -> Self {
                Self::$kind(fact)
            }
        })*
    };
}

facts! {
    /// The incident exists.
    Declared,
    /// Alerts came in.
    SignalsReceived,
    /// Somebody is on it.
    Acknowledged,
    /// The severity was found by the tree.
    Triaged,
    /// The severity was set.
    SeveritySet,
    /// The impact was assessed.
    ImpactAssessed,
    /// A role was given, or handed over.
    RoleAssigned,
    /// Something worth remembering.
    Noted,
    /// A step of the checklist was done or skipped.
    StepTicked,
    /// A possible cause.
    Hypothesised,
    /// A possible cause turned out right or wrong.
    HypothesisJudged,
    /// An update was written.
    UpdatePosted,
    /// The response moved to another phase.
    PhaseEntered,
    /// A mitigation was proposed.
    MitigationProposed,
    /// Its plan was made.
    MitigationPlanned,
    /// A person agreed to a plan.
    PlanApproved,
    /// A person withdrew an approval.
    ApprovalWithdrawn,
    /// A mitigation won't be done.
    MitigationRejected,
    /// A person ordered the execution of an approved plan.
    ExecutionOrdered,
    /// The backend accepted it.
    MitigationExecuted,
    /// Whether the change holds.
    MitigationVerified,
    /// A step of the permanent fix.
    FixRecorded,
    /// Recovery checks were looked at.
    ChecksRead,
    /// A person vouches for a check.
    CheckAttested,
    /// The next step of the chain was paged.
    Escalated,
    /// Evidence was kept.
    EvidenceKept,
    /// An earlier record was corrected.
    Corrected,
    /// Words were taken out.
    Redacted,
    /// It is over.
    Resolved,
    /// It came back.
    Reopened,
    /// It was a false alarm.
    Cancelled,
    /// Another incident became part of this one.
    Absorbed,
    /// This incident became part of another one.
    Merged,
    /// Another incident belongs with this one.
    Linked,
    /// The post-mortem is somebody's to write.
    PostMortemAssigned,
    /// Somebody wrote into a section of it.
    SectionWritten,
    /// A why was answered.
    CauseFound,
    /// Something shows a cause or a hypothesis.
    EvidenceLinked,
    /// Others were asked to read the post-mortem.
    ReviewRequested,
    /// It went back to whoever writes it.
    ReviewReturned,
    /// It was decided whether documentation has to be brought up to date.
    DocumentationDecided,
    /// The review meeting was announced, or moved.
    MeetingScheduled,
    /// The review meeting was called off.
    MeetingCancelled,
    /// Something to do afterwards.
    ActionAdded,
    /// It became somebody's, or is due another day.
    ActionAssigned,
    /// It was done.
    ActionCompleted,
    /// Its ticket changed.
    ActionTicketSeen,
    /// The post-mortem was published.
    PostMortemPublished,
    /// The review meeting was held.
    MeetingHeld,
    /// Nothing is left to decide.
    Closed,
    /// The runbook in force was taken over.
    Replanned,
    /// Somebody owes something by a time.
    ObligationOpened,
    /// They did it.
    ObligationMet,
    /// The time changed.
    ObligationMoved,
    /// It is no longer owed.
    ObligationDropped,
    /// They were reminded.
    ObligationReminded,
    /// The time passed.
    ObligationBreached,
    /// Something was said; effects carry it.
    NoticeIssued,
    /// Nobody carries it to this audience.
    AudienceUnreached,
    /// The engine owes an effect.
    EffectPlanned,
    /// A worker began to carry it out.
    EffectStarted,
    /// An attempt failed; it will be tried again.
    EffectFailed,
    /// A look couldn't tell whether it happened.
    EffectUnclear,
    /// It is over, one way or another.
    EffectSettled,
    /// The incident's ticket is this one.
    TicketAdopted,
    /// Nothing happened, and the incident still owes something.
    Reviewed,
}

/// Whether `spelled` is the snake case of `kind`.
fn spells(kind: &str, spelled: &str) -> bool {
    let mut snake = String::with_capacity(kind.len() + 4);
    for (at, letter) in kind.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake == spelled
}
