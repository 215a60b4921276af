//! What each command carries.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::log::event::EvidenceItem;
use crate::log::event::FixStep;
use crate::log::event::Relation;
use crate::model::cause::CauseClass;
use crate::model::colour::Colour;
use crate::model::effect::Applied;
use crate::model::effect::Receipt;
use crate::model::effect::Repeat;
use crate::model::id::Digest;
use crate::model::id::IncidentId;
use crate::model::id::Seq;
use crate::model::mitigation::Mitigation;
use crate::model::phase::Phase;
use crate::model::plan::Execution;
use crate::model::plan::Plan;
use crate::model::role::PersonId;
use crate::model::role::Role;
use crate::model::severity::Severity;
use crate::model::ticket::Ticket;
use crate::model::ticket::TicketRef;
use crate::model::time::Time;
use crate::runbook::triage::Answer;

macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type),* }
    )*};
}
pub(super) use bodies;

bodies! {
    /// See [`Command::Triage`](super::Command::Triage).
    Triage {
        /// The answers, by the question's name; what is missing counts as unknown.
        answers: BTreeMap<String, Answer>,
    }
    /// See [`Command::SetSeverity`](super::Command::SetSeverity).
    SetSeverity {
        /// How bad it is.
        severity: Severity,
        /// Why.
        because: String,
    }
    /// See [`Command::Assign`](super::Command::Assign).
    Assign {
        /// The role.
        role: Role,
        /// Whose it shall be.
        to: PersonId,
    }
    /// See [`Command::Note`](super::Command::Note).
    Note {
        /// What.
        text: String,
    }
    /// See [`Command::TickStep`](super::Command::TickStep).
    TickStep {
        /// The step's id in the runbook.
        step: String,
        /// Why it is skipped; none if it is done.
        skipped: Option<String>,
    }
    /// See [`Command::Hypothesise`](super::Command::Hypothesise).
    Hypothesise {
        /// What may have happened.
        statement: String,
        /// Which class of cause it is.
        class: Option<CauseClass>,
    }
    /// See [`Command::JudgeHypothesis`](super::Command::JudgeHypothesis).
    JudgeHypothesis {
        /// The record that wrote it down.
        hypothesis: Seq,
        /// Whether it is the cause.
        confirmed: bool,
        /// Why.
        because: String,
    }
    /// See [`Command::PostUpdate`](super::Command::PostUpdate).
    PostUpdate {
        /// What was found or done.
        progress: String,
        /// What comes next.
        next_steps: Option<String>,
        /// When it may be over.
        eta: Option<String>,
        /// What people outside the organisation are told; without it they hear only that the work goes on.
        public: Option<String>,
    }
    /// See [`Command::Propose`](super::Command::Propose).
    Propose {
        /// What shall be done.
        mitigation: Mitigation,
        /// The name of the system that does it.
        system: String,
        /// Why.
        because: String,
    }
    /// See [`Command::Undo`](super::Command::Undo).
    Undo {
        /// The record that proposed what is taken back.
        mitigation: Seq,
        /// Why.
        because: String,
    }
    /// See [`Command::Approve`](super::Command::Approve).
    Approve {
        /// The record that proposed the mitigation.
        proposal: Seq,
        /// The digest of exactly the plan that is agreed to.
        digest: Digest,
        /// The reason to act alone in an emergency, for those whom the runbook lets.
        break_glass: Option<String>,
    }
    /// See [`Command::WithdrawApproval`](super::Command::WithdrawApproval).
    Proposal {
        /// The record that proposed the mitigation.
        proposal: Seq,
    }
    /// See [`Command::Reject`](super::Command::Reject).
    Reject {
        /// The record that proposed the mitigation.
        proposal: Seq,
        /// Why.
        because: String,
    }
    /// See [`Command::Execute`](super::Command::Execute).
    ExecutePlan {
        /// The record that proposed the mitigation.
        proposal: Seq,
        /// The digest of exactly the plan to carry out.
        digest: Digest,
    }
    /// See [`Command::SettleMitigation`](super::Command::SettleMitigation).
    SettleMitigation {
        /// The record that proposed it.
        proposal: Seq,
        /// Whether it was carried out; if that is known, whether it holds.
        happened: bool,
        /// How that was found.
        because: String,
    }
    /// See [`Command::RecordFix`](super::Command::RecordFix).
    RecordFix {
        /// Which step.
        step: FixStep,
        /// What was done.
        what: String,
        /// Where to look at it.
        link: Option<String>,
    }
    /// See [`Command::Attest`](super::Command::Attest).
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
    /// See [`Command::Correct`](super::Command::Correct).
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
    /// See [`Command::Redact`](super::Command::Redact).
    Redact {
        /// The record.
        record: Seq,
        /// The texts of it to take out, by their place in [`Record::slots`](crate::log::event::Record::slots).
        slots: Vec<RedactSlot>,
        /// Why.
        because: String,
    }
    /// A slot to empty.
    RedactSlot {
        /// Its place in the record, from 0.
        slot: u32,
        /// The name of the words in it.
        text: crate::model::text::Text,
    }
    /// See [`Command::MoveTicket`](super::Command::MoveTicket).
    MoveTicket {
        /// What it was called: the incident's ticket, or that of an action item.
        from: TicketRef,
        /// What it is called now.
        to: TicketRef,
    }
    /// See [`Command::Advance`](super::Command::Advance).
    Advance {
        /// Where to; none means the next phase.
        to: Option<Phase>,
        /// Why gates that aren't met are overridden; none lets them refuse.
        override_because: Option<String>,
    }
    /// See [`Command::StepBack`](super::Command::StepBack).
    StepBack {
        /// Where to.
        to: Phase,
        /// Why.
        because: String,
    }
    /// See [`Command::Resolve`](super::Command::Resolve).
    Resolve {
        /// The cause, in a line.
        cause: String,
        /// Why gates that aren't met are overridden; none lets them refuse.
        override_because: Option<String>,
    }
    /// See [`Command::Absorb`](super::Command::Absorb).
    Absorb {
        /// The other incident; its id must be greater, for the older incident survives.
        other: IncidentId,
        /// Why.
        because: String,
    }
    /// See [`Command::Link`](super::Command::Link).
    Link {
        /// The other incident.
        other: IncidentId,
        /// How they belong together.
        relation: Relation,
    }
    /// See [`Command::Close`](super::Command::Close).
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
    /// See [`Command::Conclude`](super::Command::Conclude).
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
    /// The tickets that were asked for, as far as there are any.
    Tickets(Vec<Ticket>),
    /// A look couldn't tell whether it happened.
    CannotTell,
    /// The ticket to change doesn't exist any more.
    TicketGone {
        /// What the tracker said.
        error: String,
    },
    /// It failed.
    Failed(Failure),
}
