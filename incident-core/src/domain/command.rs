//! What a person, an alert or a timer asks for, and why the runbook may say no.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::check::Colour;
use super::effect::{Applied, Receipt, Repeat};
use super::event::{CauseClass, CheckReading, EvidenceItem, FixStep, Origin, Relation};
use super::id::{CommandId, Digest, IncidentId, Seq};
use super::impact::Impact;
use super::incident::Side;
use super::mitigation::Mitigation;
use super::phase::{Gate, Phase};
use super::plan::{Execution, Plan};
use super::role::{Actor, PersonId, Role};
use super::runbook::Priority;
use super::severity::Severity;
use super::signal::{Detection, Signal};
use super::ticket::TicketRef;
use super::time::Time;
use super::triage::Answer;

/// A command with its sender. Sent again with the same id, it is answered and not repeated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The command's id.
    pub id: CommandId,
    /// Who asks.
    pub actor: Actor,
    /// Where it comes from.
    pub origin: Origin,
    /// When it happened, UTC, if that was earlier than now. Deadlines run from when it is recorded all the same.
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
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// Take words out of an earlier record.
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
    /// Add something to do afterwards.
    AddAction(AddAction),
    /// Say that it is done.
    CompleteAction(CompleteAction),
    /// Say which ticket is the incident's.
    AdoptTicket(TicketRef),
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

/// See [`Command::Declare`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Declare {
    /// What to call it.
    pub title: String,
    /// The service that is affected.
    pub service: Option<String>,
    /// How bad it is; none assumes SEV2 until triage.
    pub severity: Option<Severity>,
    /// How it was noticed.
    pub detected_by: Detection,
    /// When it began, UTC, if that is known.
    pub started_at: Option<Time>,
    /// Live or drill.
    pub side: Side,
    /// What makes alerts part of it; at most one incident holds a group at a time.
    pub signal_group: Option<String>,
    /// The alerts it begins with.
    pub signals: Vec<Signal>,
    /// The incident this one repeats.
    pub recurrence_of: Option<IncidentId>,
    /// A link to look at.
    pub link: Option<String>,
}

impl Declare {
    /// An incident called `title` that somebody of the team saw.
    #[must_use]
    pub fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            service: None,
            severity: None,
            detected_by: Detection::TeamObservation,
            started_at: None,
            side: Side::Live,
            signal_group: None,
            signals: Vec::new(),
            recurrence_of: None,
            link: None,
        }
    }

    /// Of this severity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// Affecting this service.
    #[must_use]
    pub fn service(mut self, service: &str) -> Self {
        self.service = Some(service.to_owned());
        self
    }

    /// Noticed this way.
    #[must_use]
    pub fn detected_by(mut self, detected_by: Detection) -> Self {
        self.detected_by = detected_by;
        self
    }

    /// Begun at `time`.
    #[must_use]
    pub fn started_at(mut self, time: Time) -> Self {
        self.started_at = Some(time);
        self
    }

    /// As a drill.
    #[must_use]
    pub fn drill(mut self) -> Self {
        self.side = Side::Drill;
        self
    }
}

macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type),* }
    )*};
}

bodies! {
    /// See [`Command::Triage`].
    Triage {
        /// The answers, by the question's name; what is missing counts as unknown.
        answers: BTreeMap<String, Answer>,
    }
    /// See [`Command::SetSeverity`].
    SetSeverity {
        /// How bad it is.
        severity: Severity,
        /// Why.
        because: String,
    }
    /// See [`Command::Assign`].
    Assign {
        /// The role.
        role: Role,
        /// Whose it shall be.
        to: PersonId,
    }
    /// See [`Command::Note`].
    Note {
        /// What.
        text: String,
    }
    /// See [`Command::TickStep`].
    TickStep {
        /// The step's id in the runbook.
        step: String,
        /// Why it is skipped; none if it is done.
        skipped: Option<String>,
    }
    /// See [`Command::Hypothesise`].
    Hypothesise {
        /// What may have happened.
        statement: String,
        /// Which class of cause it is.
        class: Option<CauseClass>,
    }
    /// See [`Command::JudgeHypothesis`].
    JudgeHypothesis {
        /// The record that wrote it down.
        hypothesis: Seq,
        /// Whether it is the cause.
        confirmed: bool,
        /// Why.
        because: String,
    }
    /// See [`Command::PostUpdate`].
    PostUpdate {
        /// What was found or done.
        progress: String,
        /// What comes next.
        next_steps: Option<String>,
        /// When it may be over.
        eta: Option<String>,
    }
    /// See [`Command::Propose`].
    Propose {
        /// What shall be done.
        mitigation: Mitigation,
        /// The name of the system that does it.
        system: String,
        /// Why.
        because: String,
    }
    /// See [`Command::Undo`].
    Undo {
        /// The record that proposed what is taken back.
        mitigation: Seq,
        /// Why.
        because: String,
    }
    /// See [`Command::Approve`].
    Approve {
        /// The record that proposed the mitigation.
        proposal: Seq,
        /// The digest of exactly the plan that is agreed to.
        digest: Digest,
        /// The reason to act alone in an emergency, for those whom the runbook lets.
        break_glass: Option<String>,
    }
    /// See [`Command::WithdrawApproval`].
    Proposal {
        /// The record that proposed the mitigation.
        proposal: Seq,
    }
    /// See [`Command::Reject`].
    Reject {
        /// The record that proposed the mitigation.
        proposal: Seq,
        /// Why.
        because: String,
    }
    /// See [`Command::Execute`].
    ExecutePlan {
        /// The record that proposed the mitigation.
        proposal: Seq,
        /// The digest of exactly the plan to carry out.
        digest: Digest,
    }
    /// See [`Command::SettleMitigation`].
    SettleMitigation {
        /// The record that proposed it.
        proposal: Seq,
        /// Whether it was carried out.
        happened: bool,
        /// How that was found.
        because: String,
    }
    /// See [`Command::RecordFix`].
    RecordFix {
        /// Which step.
        step: FixStep,
        /// What was done.
        what: String,
        /// Where to look at it.
        link: Option<String>,
    }
    /// See [`Command::Attest`].
    Attest {
        /// The check's name.
        check: String,
        /// Well or not.
        colour: Colour,
        /// What was seen.
        detail: String,
    }
    /// A reason.
    Because {
        /// Why.
        because: String,
    }
    /// See [`Command::Correct`].
    Correct {
        /// The record.
        record: Seq,
        /// What it should have said, if that changes.
        text: Option<String>,
        /// When it should have said it happened, UTC, if that changes.
        occurred_at: Option<Time>,
        /// Why.
        because: String,
    }
    /// See [`Command::Redact`].
    Redact {
        /// The record.
        record: Seq,
        /// The texts of it to take out, by their place in [`Record::slots`](super::event::Record::slots).
        slots: Vec<RedactSlot>,
        /// Why.
        because: String,
    }
    /// A slot to empty.
    RedactSlot {
        /// Its place in the record, from 0.
        slot: u32,
        /// The name of the words in it.
        text: super::text::Text,
    }
    /// See [`Command::Advance`].
    Advance {
        /// Where to; none means the next phase.
        to: Option<Phase>,
        /// Why gates that aren't met are overridden; none lets them refuse.
        override_because: Option<String>,
    }
    /// See [`Command::StepBack`].
    StepBack {
        /// Where to.
        to: Phase,
        /// Why.
        because: String,
    }
    /// See [`Command::Resolve`].
    Resolve {
        /// The cause, in a line.
        cause: String,
        /// Why gates that aren't met are overridden; none lets them refuse.
        override_because: Option<String>,
    }
    /// See [`Command::Absorb`].
    Absorb {
        /// The other incident; its id must be greater, for the older incident survives.
        other: IncidentId,
        /// Why.
        because: String,
    }
    /// See [`Command::Link`].
    Link {
        /// The other incident.
        other: IncidentId,
        /// How they belong together.
        relation: Relation,
    }
    /// See [`Command::AddAction`].
    AddAction {
        /// What.
        what: String,
        /// How urgent.
        priority: Priority,
        /// Whose.
        owner: Option<PersonId>,
        /// By when, UTC; none takes the runbook's time for the priority.
        due: Option<Time>,
    }
    /// See [`Command::CompleteAction`].
    CompleteAction {
        /// The record that added it.
        action: Seq,
        /// What came of it.
        outcome: String,
    }
    /// See [`Command::PublishPostMortem`].
    PublishPostMortem {
        /// Where it can be read.
        link: Option<String>,
        /// The SHA-256 of the document.
        sha256: Digest,
        /// The last record it tells of.
        up_to: Seq,
    }
    /// See [`Command::HoldMeeting`].
    HoldMeeting {
        /// Who was there.
        attendees: Vec<PersonId>,
    }
    /// See [`Command::Close`].
    Close {
        /// Why gates that aren't met are overridden; none lets them refuse.
        override_because: Option<String>,
    }
    /// An effect that a worker is about to carry out.
    Begin {
        /// The record that planned it.
        effect: Seq,
        /// Who.
        worker: String,
        /// Until when the outcome will be recorded, UTC.
        until: Time,
        /// What a second time would do, as the adapter says.
        repeat: Repeat,
    }
    /// See [`Command::Conclude`].
    Conclude {
        /// The record that planned the effect.
        effect: Seq,
        /// The attempt that this is about.
        attempt: u32,
        /// What came of it.
        result: EffectResult,
    }
    /// An attempt that failed.
    Failure {
        /// Whether it may have happened all the same.
        applied: Applied,
        /// Whether trying again may help.
        retry: bool,
        /// How long the backend asks to wait.
        wait: Option<Duration>,
        /// What was said, without secrets.
        error: String,
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EffectResult {
    /// A notice was delivered, or a ticket changed.
    Done(Receipt),
    /// A plan was made.
    Planned(Box<Plan>),
    /// A mitigation was accepted.
    Executed(Box<Execution>),
    /// A mitigation holds, or doesn't.
    Verified {
        /// Whether it does.
        holds: bool,
        /// What was seen.
        detail: String,
    },
    /// It isn't known yet; look again.
    Pending {
        /// After so long.
        again: Duration,
    },
    /// Evidence was kept.
    Collected(Vec<EvidenceItem>),
    /// A look couldn't tell whether it happened.
    CannotTell,
    /// It failed.
    Failed(Failure),
}

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
    /// It was done already.
    #[error("{0}")]
    Already(&'static str),
}

fn list(gates: &[Gate]) -> String {
    gates.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
