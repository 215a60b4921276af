//! Records and the facts they hold: everything that can be on a timeline.
//!
//! The schema is additive: a field may join with a default, a kind may join, nothing changes its meaning. A kind is
//! written only from the release after the one that can read it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::check::Colour;
use super::effect::{Applied, Repeat, Start, Work};
use super::figures::Figures;
use super::id::{CommandId, Digest, IncidentId, Seq};
use super::impact::Impact;
use super::incident::Side;
use super::index::Urgency;
use super::mitigation::Mitigation;
use super::notice::{ApprovalRequest, Label, Line, NoticeKind};
use super::obligation::ObligationKind;
use super::phase::{Gate, Phase, Status};
use super::plan::Execution;
use super::role::{Actor, PersonId, Role};
use super::runbook::Priority;
use super::severity::{Audience, Severity};
use super::signal::{Detection, Fingerprints};
use super::text::{Slot, Text};
use super::ticket::TicketRef;
use super::time::Time;
use super::triage::TriagePath;

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
    /// Something to do afterwards.
    ActionAdded,
    /// It was done.
    ActionCompleted,
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

/// The incident exists. Its `occurred_at` is when it was declared; see [`started_at`](Self::started_at).
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
    /// Live or drill.
    pub side: Side,
    /// What makes alerts part of this incident.
    pub signal_group: Option<String>,
    /// The incident this one repeats.
    pub recurrence_of: Option<IncidentId>,
    /// The digest of the runbook in force.
    pub runbook: Digest,
    /// The runbook's figures in force.
    pub figures: Figures,
    /// A link to look at.
    #[serde(default)]
    pub link: Option<String>,
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

/// The classes of root causes that the runbook knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CauseClass {
    /// A bug, a configuration error or a changed limit that was deployed lately.
    RecentDeployment,
    /// Memory, CPU, disk or a pool ran out.
    ResourceExhaustion,
    /// Somebody else's API, database or network.
    OutsideDependency,
    /// An attack, a crowd or bots.
    Traffic,
    /// Corrupt or oversized data, or an endless loop over it.
    Data,
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
}

/// The response moved to another phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseEntered {
    /// Where it was.
    pub from: Phase,
    /// Where it is.
    pub to: Phase,
    /// The gates that weren't met and were overridden.
    pub overridden: Vec<Gate>,
    /// Why, if gates were overridden or it is a step back.
    pub because: Option<Text>,
}

/// A mitigation was proposed. Its plan, approvals and execution refer to this record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MitigationProposed {
    /// What shall be done.
    pub mitigation: Mitigation,
    /// The name of the system that does it.
    pub system: String,
    /// The mitigation this takes back, if it does.
    pub undoes: Option<Seq>,
    /// Why.
    pub because: Text,
    /// Who proposed it, if the runbook knows the person.
    pub proposer: Option<PersonId>,
}

/// The plan of a mitigation was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MitigationPlanned {
    /// The record that proposed it.
    pub proposal: Seq,
    /// The plan, as the bytes that were digested: JSON.
    pub plan: String,
    /// The digest of those bytes.
    pub digest: Digest,
    /// Until when it may be approved and executed, UTC.
    pub expires_at: Time,
    /// Who must agree, as recorded; the stricter of this and the rule in force at the start counts.
    pub rule: super::runbook::ApprovalRule,
}

/// A person agreed to a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanApproved {
    /// The record that proposed the mitigation.
    pub proposal: Seq,
    /// The digest of what was agreed to.
    pub digest: Digest,
    /// Who.
    pub person: PersonId,
    /// Whether it was the emergency way: alone, with a reason, everybody told.
    pub break_glass: Option<Text>,
}

/// A person withdrew an approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovalWithdrawn {
    /// The record that proposed the mitigation.
    pub proposal: Seq,
    /// Who.
    pub person: PersonId,
}

/// A mitigation won't be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MitigationRejected {
    /// The record that proposed it.
    pub proposal: Seq,
    /// Why.
    pub because: Text,
}

/// A person ordered the execution of an approved plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExecutionOrdered {
    /// The record that proposed the mitigation.
    pub proposal: Seq,
    /// The digest of the plan.
    pub digest: Digest,
    /// What is changed; a key that one mitigation holds at a time.
    pub target: String,
    /// The place in this hour's budget.
    pub budget_slot: u32,
}

/// The backend accepted a mitigation, or a person says it was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MitigationExecuted {
    /// The record that proposed it.
    pub proposal: Seq,
    /// What was done.
    pub execution: Box<Execution>,
}

/// Whether a mitigation's change holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MitigationVerified {
    /// The record that proposed it.
    pub proposal: Seq,
    /// Whether it does.
    pub holds: bool,
    /// What was seen.
    pub detail: Text,
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
}

/// An earlier record was corrected; it stays as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Corrected {
    /// The record.
    pub record: Seq,
    /// What it should have said, if that changes.
    pub text: Option<Text>,
    /// When it should have said it happened, UTC, if that changes.
    pub occurred_at: Option<Time>,
    /// Why.
    pub because: Text,
}

/// Words were taken out of a record, for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Redacted {
    /// The record.
    pub record: Seq,
    /// The names of the words that went.
    pub texts: Vec<Text>,
    /// Why.
    pub because: Text,
}

/// It is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resolved {
    /// The cause, in a line.
    pub cause: Text,
}

/// It came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reopened {
    /// Why.
    pub because: Text,
}

/// It was a false alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cancelled {
    /// Why.
    pub because: Text,
}

/// Another incident became part of this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Absorbed {
    /// The other.
    pub other: IncidentId,
    /// Why.
    pub because: Text,
}

/// This incident became part of another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Merged {
    /// The other.
    pub into: IncidentId,
}

/// Another incident belongs with this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Linked {
    /// The other.
    pub other: IncidentId,
    /// How.
    pub relation: Relation,
}

/// How incidents belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Relation {
    /// This one repeats the other.
    RecurrenceOf,
    /// The other caused this one.
    CausedBy,
    /// They have to do with each other.
    RelatedTo,
}

/// Something to do afterwards. It is known by this record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionAdded {
    /// What.
    pub what: Text,
    /// How urgent.
    pub priority: Priority,
    /// Whose.
    pub owner: Option<PersonId>,
    /// By when, UTC.
    pub due: Time,
}

/// It was done, or won't be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionCompleted {
    /// The record that added it.
    pub action: Seq,
    /// What came of it.
    pub outcome: Text,
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
}

/// The review meeting was held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeetingHeld {
    /// Who was there.
    pub attendees: Vec<PersonId>,
}

/// Nothing is left to decide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Closed {
    /// The gates that weren't met and were overridden.
    pub overridden: Vec<Gate>,
    /// Why, if they were.
    pub because: Option<Text>,
}

/// The runbook in force was taken over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replanned {
    /// Its digest.
    pub runbook: Digest,
    /// Its figures.
    pub figures: Figures,
}

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
}

/// It is over, one way or another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EffectSettled {
    /// The record that planned it.
    pub effect: Seq,
    /// How.
    pub outcome: super::effect::Outcome,
}

/// The incident's ticket is this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TicketAdopted {
    /// The ticket.
    pub ticket: TicketRef,
}

/// Nothing happened for a day, and the incident still owes something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reviewed {
    /// How many obligations and effects are open.
    pub owed: u32,
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

impl NoticeIssued {
    /// The first text with `label`.
    #[must_use]
    pub fn line(&self, label: Label) -> Option<Text> {
        self.lines.iter().find(|line| line.label == label).map(|line| line.text)
    }
}
