//! What a person, an alert or a timer asks for, and why the runbook may say no.

mod afterwards;
mod body;
mod declare;
mod refusal;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::log::event::CheckReading;
use crate::log::event::Origin;
use crate::model::id::CommandId;
use crate::model::id::IncidentId;
use crate::model::impact::Impact;
use crate::model::role::Actor;
use crate::model::signal::Signal;
use crate::model::ticket::TicketRef;
use crate::model::time::Time;

pub use afterwards::*;
pub use body::*;
pub use declare::*;
pub use refusal::Refusal;

/// A command with its sender. Sent again with the same id, it is answered and not repeated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The command's id.
    pub id: CommandId,
    /// Who asks.
    pub actor: Actor,
    /// Where it comes from.
    pub origin: Origin,
    /// When it happened, UTC, if that was earlier than now. Deadlines run from when it is recorded all the same. A time
    /// ahead of now counts as now, because it is often read from another machine's clock.
    #[serde(default)]
    pub occurred_at: Option<Time>,
    /// What is asked for.
    pub command: Command,
}

impl Request {
    /// `actor` asks for `command`, from nowhere in particular, now.
    #[must_use]
    pub fn new(id: CommandId, actor: Actor, command: Command) -> Self {
        Self { id, actor, origin: Origin::new("code"), occurred_at: None, command }
    }
}

macro_rules! commands {
    ($($(#[$doc:meta])* $kind:ident $(($body:ty))?),* $(,)?) => {
        /// What is asked for.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Command { $($(#[$doc])* $kind $(($body))?,)* }

        /// The kind of a [`Command`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum CommandKind { $($(#[$doc])* $kind,)* }

        impl CommandKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];
        }

        impl std::fmt::Display for CommandKind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(match self { $(Self::$kind => stringify!($kind),)* })
            }
        }

        impl Command {
            /// The other incident that it names, if it does.
            #[must_use]
            pub fn names(&self) -> Option<IncidentId> {
                match self {
                    Self::Declare(it) => it.recurrence_of,
                    Self::Absorb(it) => Some(it.other),
                    Self::MergeInto(into) => Some(*into),
                    Self::Link(it) => Some(it.other),
                    _ => None,
                }
            }

            /// Its kind.
            #[must_use]
            pub fn kind(&self) -> CommandKind {
                match self { $(Self::$kind { .. } => CommandKind::$kind,)* }
            }
        }
    };
}

commands! {
    /// Begin an incident.
    Declare(Box<Declare>),
    /// Take alerts in.
    Signals(Vec<Signal>),
    /// Take alerts of groups in, if the incident has let none of them go.
    Gather(Gather),
    /// Say that somebody is on it.
    Acknowledge,
    /// Find the severity by the tree.
    Triage(Triage),
    /// Set the severity.
    SetSeverity(SetSeverity),
    /// Assess the impact.
    AssessImpact(Box<Impact<String>>),
    /// Give a role, or hand it over.
    Assign(Assign),
    /// Write something down.
    Note(Note),
    /// Tick a step of the checklist.
    TickStep(TickStep),
    /// Write a possible cause down.
    Hypothesise(Hypothesise),
    /// Say that a possible cause is the cause, or isn't.
    JudgeHypothesis(JudgeHypothesis),
    /// Post an update.
    PostUpdate(PostUpdate),
    /// Propose a mitigation.
    Propose(Propose),
    /// Propose to take a mitigation back.
    Undo(Undo),
    /// Agree to a plan.
    Approve(Approve),
    /// Withdraw an approval.
    WithdrawApproval(Proposal),
    /// Say no to a mitigation.
    Reject(Reject),
    /// Order the execution of an approved plan.
    Execute(ExecutePlan),
    /// Say what a machine couldn't: whether a mitigation was carried out.
    SettleMitigation(SettleMitigation),
    /// Write a step of the permanent fix down.
    RecordFix(RecordFix),
    /// Record what probes saw.
    Look(BTreeMap<String, CheckReading>),
    /// Vouch for a check.
    Attest(Attest),
    /// Page the next step of the chain now.
    Escalate(Because),
    /// Correct an earlier record.
    Correct(Correct),
    /// Take words out of an earlier record: a person any, and everybody those of their own notes.
    Redact(Redact),
    /// Go on to a later phase.
    Advance(Advance),
    /// Go back to an earlier phase.
    StepBack(StepBack),
    /// Say that it is over.
    Resolve(Resolve),
    /// Say that it came back.
    Reopen(Because),
    /// Say that it was a false alarm.
    Cancel(Because),
    /// Make another incident part of this one.
    Absorb(Absorb),
    /// Make this incident part of another one.
    MergeInto(IncidentId),
    /// Link another incident.
    Link(Link),
    /// Say whose the post-mortem is to write.
    AssignPostMortem(AssignPostMortem),
    /// Write into a section of the post-mortem.
    WriteSection(WriteSection),
    /// Answer a why.
    FindCause(FindCause),
    /// Show a cause or a hypothesis.
    LinkEvidence(LinkEvidence),
    /// Ask others to read the post-mortem.
    RequestReview(RequestReview),
    /// Give the post-mortem back to whoever writes it.
    ReturnReview(Because),
    /// Decide whether an item of the documentation has to be brought up to date.
    DecideDocumentation(DecideDocumentation),
    /// Announce the review meeting, or move it.
    ScheduleMeeting(ScheduleMeeting),
    /// Call the review meeting off.
    CancelMeeting(Because),
    /// Add something to do afterwards.
    AddAction(AddAction),
    /// Give it to somebody, or another day.
    AssignAction(AssignAction),
    /// Say that it is done.
    CompleteAction(CompleteAction),
    /// Say which ticket is the incident's.
    AdoptTicket(TicketRef),
    /// Say that the tracker gave a ticket of the incident another name.
    MoveTicket(MoveTicket),
    /// Publish the post-mortem.
    PublishPostMortem(PublishPostMortem),
    /// Say that the review meeting was held.
    HoldMeeting(HoldMeeting),
    /// Say that nothing is left to decide.
    Close(Close),
    /// Take over the runbook that is in force now.
    Replan,
    /// Do what is due.
    Wake,
    /// Begin to carry effects out.
    Start(Vec<Begin>),
    /// Record what came of an effect.
    Conclude(Box<Conclude>),
}
