//! Facts of what is owed: deadlines of people, notices, effects of the engine.

use serde::{Deserialize, Serialize};

use crate::model::effect::Applied;
use crate::model::effect::Outcome;
use crate::model::effect::Repeat;
use crate::model::effect::Start;
use crate::model::effect::Urgency;
use crate::model::effect::Work;
use crate::model::id::Digest;
use crate::model::id::Seq;
use crate::model::notice::ApprovalRequest;
use crate::model::notice::Label;
use crate::model::notice::Line;
use crate::model::notice::NoticeKind;
use crate::model::obligation::ObligationKind;
use crate::model::phase::Status;
use crate::model::role::PersonId;
use crate::model::severity::Audience;
use crate::model::severity::Severity;
use crate::model::text::Text;
use crate::model::time::Time;

/// Somebody owes something by a time. It is known by this record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObligationOpened {
    /// What.
    pub kind: ObligationKind,
    /// By when, UTC.
    pub due: Time,
    /// When they are reminded, UTC.
    pub remind_at: Option<Time>,
    /// The record that obliges them.
    pub because: Seq,
}

/// They did it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObligationMet {
    /// The record that opened it.
    pub obligation: Seq,
    /// The record that meets it.
    pub by: Seq,
}

/// The time changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObligationMoved {
    /// The record that opened it.
    pub obligation: Seq,
    /// By when now, UTC.
    pub due: Time,
    /// When they are reminded now, UTC.
    pub remind_at: Option<Time>,
    /// The record that moves it.
    pub because: Seq,
}

/// It is no longer owed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObligationDropped {
    /// The record that opened it.
    pub obligation: Seq,
    /// The record that drops it.
    pub because: Seq,
}

/// They were reminded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObligationReminded {
    /// The record that opened it.
    pub obligation: Seq,
}

/// The time passed. `occurred_at` is the deadline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObligationBreached {
    /// The record that opened it.
    pub obligation: Seq,
    /// How many deadlines in a row passed while nobody looked.
    pub missed: u32,
    /// The next deadline, UTC, if it comes again.
    pub next_due: Option<Time>,
}

/// Something was said. Effects carry it and refer to this record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoticeIssued {
    /// What it is about.
    pub kind: NoticeKind,
    /// The severity then.
    pub severity: Severity,
    /// The status then.
    pub status: Status,
    /// Who led then.
    pub commander: Option<PersonId>,
    /// When the next update comes, UTC.
    pub next_update: Option<Time>,
    /// The people it names.
    pub recipients: Vec<PersonId>,
    /// What it says: texts of people, by label.
    pub lines: Vec<Line<Text>>,
    /// What it says: words of our own, by label.
    #[serde(default)]
    pub fixed: Vec<Line<String>>,
    /// The plan that waits for approval.
    pub approval: Option<ApprovalRequest>,
    /// The SHA-256 of the document it tells of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Digest>,
    /// The runbook's phrase that says it; the kind's own if it doesn't name one, and no phrase at all if the name is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phrase: Option<String>,
    /// The severity before it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_severity: Option<Severity>,
}

impl NoticeIssued {
    /// The first text with `label`.
    #[must_use]
    pub fn line(&self, label: Label) -> Option<Text> {
        self.lines.iter().find(|line| line.label == label).map(|line| line.text)
    }
}

/// Nobody carries a notice to this audience.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudienceUnreached {
    /// The audience.
    pub audience: Audience,
    /// The notice.
    pub notice: Seq,
}

/// The engine owes an effect. It is known by this record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EffectPlanned {
    /// What to do.
    pub work: Work,
    /// The route, tracker, system or collector that does it, by name.
    pub route: String,
    /// The lane it is in; effects of a lane go out in order.
    pub lane: Option<String>,
    /// How urgent.
    pub urgency: Urgency,
    /// From when it may begin, UTC; at once if it doesn't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins_at: Option<Time>,
    /// From when it is pointless, UTC.
    pub expires_at: Time,
    /// The effect this one stands in for.
    #[serde(default)]
    pub instead_of: Option<Seq>,
}

/// A worker began to carry it out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EffectStarted {
    /// The record that planned it.
    pub effect: Seq,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// Who.
    pub worker: String,
    /// Until when the outcome must be recorded, UTC; after it, it is unknown.
    pub until: Time,
    /// What a second time would do.
    pub repeat: Repeat,
    /// How it is begun: with a call or with a look.
    pub how: Start,
}

/// An attempt failed; it will be tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EffectFailed {
    /// The record that planned it.
    pub effect: Seq,
    /// Which attempt.
    pub attempt: u32,
    /// Whether it may have happened.
    pub applied: Applied,
    /// What was said: the adapter's error, without secrets.
    pub error: String,
    /// When it is tried again, UTC.
    pub retry_at: Time,
    /// Whether the backend answered and asked to wait, so that the attempt doesn't count towards giving up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asked_to_wait: bool,
}

/// A look couldn't tell whether it happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EffectUnclear {
    /// The record that planned it.
    pub effect: Seq,
    /// Which attempt.
    pub attempt: u32,
    /// When to look again, UTC.
    pub look_at: Time,
    /// Whether the backend answered that it is still at work: that is waiting, not a look that couldn't tell.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
}

/// It is over, one way or another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EffectSettled {
    /// The record that planned it.
    pub effect: Seq,
    /// How.
    pub outcome: Outcome,
}

/// Nothing happened for a day, and the incident still owes something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reviewed {
    /// How many obligations and effects are open.
    pub owed: u32,
}
