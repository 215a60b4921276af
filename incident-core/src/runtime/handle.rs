//! A handle to one incident: a verb a command, and what can be read.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::engine::Engine;
use super::error::CommandError;
use crate::log::chain;
use crate::log::chain::Verified;
use crate::log::event::{FixStep, Origin, Record, Relation};
use crate::log::incident::Incident;
use crate::model::afterwards::{ActionKind, CauseKind, Section};
use crate::model::cause::CauseClass;
use crate::model::colour::Colour;
use crate::model::id::{CommandId, Digest, IncidentId, Seq};
use crate::model::impact::Impact;
use crate::model::mitigation::Mitigation;
use crate::model::phase::Phase;
use crate::model::role::{Actor, PersonId, Role};
use crate::model::severity::Severity;
use crate::model::text::Slot;
use crate::model::ticket::TicketRef;
use crate::model::time::Time;
use crate::rules::command as c;
use crate::rules::command::{Command, Request};
use crate::runbook::Priority;
use crate::runbook::triage::Answer;

/// What a command came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Done {
    /// The incident.
    pub incident: IncidentId,
    /// The command's first record: what a proposal, a hypothesis or an action item is known by.
    pub seq: Seq,
    /// The incident's version after it.
    pub version: Seq,
    /// Whether it was recorded just now; a command sent again, or one that changes nothing, isn't.
    pub changed: bool,
}

/// One incident, to command and to read. Cheap to clone.
#[derive(Debug, Clone)]
pub struct IncidentHandle {
    engine: Engine,
    id: IncidentId,
    actor: Actor,
    origin: Origin,
    command: Option<Arc<Named>>,
    occurred_at: Option<Time>,
}

/// The id that a caller gave, and the command that it is of once one was sent.
#[derive(Debug)]
struct Named {
    id: CommandId,
    first: OnceLock<Command>,
}

impl IncidentHandle {
    pub(super) fn new(engine: Engine, id: IncidentId) -> Self {
        let actor = Actor::Automation("unnamed".to_owned());
        Self { engine, id, actor, origin: Origin::new("code"), command: None, occurred_at: None }
    }

    /// The incident.
    #[must_use]
    pub fn id(&self) -> IncidentId {
        self.id
    }

    /// With commands by `actor`; without this they are an unnamed automation's, which may do little.
    #[must_use]
    pub fn as_actor(mut self, actor: Actor) -> Self {
        self.actor = actor;
        self
    }

    /// With commands from `origin`.
    #[must_use]
    pub fn from_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// With the next command under this id, so that it can be sent again: the same command on this handle or a clone of it has
    /// the same id, and every other one an id of its own.
    #[must_use]
    pub fn with_command_id(mut self, command: CommandId) -> Self {
        self.command = Some(Arc::new(Named { id: command, first: OnceLock::new() }));
        self
    }

    /// With commands about something that happened at `time`, UTC, not now.
    #[must_use]
    pub fn happened_at(mut self, time: Time) -> Self {
        self.occurred_at = Some(time);
        self
    }

    /// Sends a command.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn send(&self, command: Command) -> Result<Done, CommandError> {
        let request = Request {
            id: self.id_of(&command),
            actor: self.actor.clone(),
            origin: self.origin.clone(),
            occurred_at: self.occurred_at,
            command,
        };
        self.engine.send(self.id, request).await
    }

    fn id_of(&self, command: &Command) -> CommandId {
        let named = self.command.as_ref().filter(|it| it.first.get_or_init(|| command.clone()) == command);
        named.map_or_else(|| self.engine.new_command_id(), |it| it.id)
    }

    /// Declares the incident, which doesn't exist yet. Under a [command id](Self::with_command_id) it may be declared again
    /// when it is [unknown](CommandError::Unknown) whether it was: it is declared once.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn declare(&self, declare: c::Declare) -> Result<Done, CommandError> {
        self.send(Command::Declare(Box::new(declare))).await
    }

    /// The present state.
    ///
    /// # Errors
    /// [`CommandError`] if the store or the log can't be read.
    pub async fn state(&self) -> Result<Incident, CommandError> {
        Ok(Arc::unwrap_or_clone(self.engine.look_at(self.id).await?.incident))
    }

    /// Every record, in order.
    ///
    /// # Errors
    /// [`CommandError`] if the store or a record can't be read.
    pub async fn records(&self) -> Result<Vec<Record>, CommandError> {
        self.records_after(Seq::ZERO).await
    }

    /// The records after `after`, in order.
    ///
    /// # Errors
    /// [`CommandError`] if the store or a record can't be read.
    pub async fn records_after(&self, after: Seq) -> Result<Vec<Record>, CommandError> {
        let log = self.engine.0.store.load(self.id, after).await;
        let log = log.map_err(|error| CommandError::Store(Arc::new(error)))?;
        log.iter().map(|stored| chain::decode(stored).map_err(CommandError::Unreadable)).collect()
    }

    /// Checks that the log is whole, up to and through `head` if one was kept elsewhere.
    ///
    /// # Errors
    /// [`CommandError::Unreadable`] names the first record that isn't as it was written.
    pub async fn verify(&self, head: Option<Digest>) -> Result<Verified, CommandError> {
        let log = self.engine.0.store.load(self.id, Seq::ZERO).await;
        let log = log.map_err(|error| CommandError::Store(Arc::new(error)))?;
        chain::verify(self.id, &log, head).map_err(CommandError::Unreadable)
    }
}

macro_rules! verbs {
    ($($(#[$doc:meta])* $verb:ident ( $($arg:ident : $type:ty),* ) => $command:expr;)*) => {
        /// The verbs: one a command. Each is recorded before it answers.
        impl IncidentHandle {$(
            $(#[$doc])*
            ///
            /// # Errors
            /// [`CommandError`]; [`CommandError::Refused`] says why the runbook says no.
            pub async fn $verb(&self, $($arg: $type),*) -> Result<Done, CommandError> {
                self.send($command).await
            }
        )*}
    };
}

fn own(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

verbs! {
    /// Says that somebody is on it.
    acknowledge() => Command::Acknowledge;
    /// Finds the severity by the runbook's tree; what isn't answered counts as unknown.
    triage(answers: BTreeMap<String, Answer>) => Command::Triage(c::Triage { answers });
    /// Sets the severity.
    set_severity(severity: Severity, because: &str) =>
        Command::SetSeverity(c::SetSeverity { severity, because: because.to_owned() });
    /// Assesses the impact.
    assess_impact(impact: Impact<String>) => Command::AssessImpact(Box::new(impact));
    /// Gives a role, or hands it over.
    assign(role: Role, to: PersonId) => Command::Assign(c::Assign { role, to });
    /// Writes something down.
    note(text: &str) => Command::Note(c::Note { text: text.to_owned() });
    /// Ticks a step of the checklist.
    tick(step: &str) => Command::TickStep(c::TickStep { step: step.to_owned(), skipped: None });
    /// Skips a step of the checklist.
    skip(step: &str, because: &str) =>
        Command::TickStep(c::TickStep { step: step.to_owned(), skipped: Some(because.to_owned()) });
    /// Writes a possible cause down.
    hypothesise(statement: &str, class: Option<CauseClass>) =>
        Command::Hypothesise(c::Hypothesise { statement: statement.to_owned(), class });
    /// Says that a possible cause is the cause.
    confirm(hypothesis: Seq, because: &str) =>
        Command::JudgeHypothesis(c::JudgeHypothesis { hypothesis, confirmed: true, because: because.to_owned() });
    /// Says that a possible cause isn't the cause.
    rule_out(hypothesis: Seq, because: &str) =>
        Command::JudgeHypothesis(c::JudgeHypothesis { hypothesis, confirmed: false, because: because.to_owned() });
    /// Posts an update to everybody inside who was told of the incident; people outside hear that the work goes on.
    post_update(progress: &str, next_steps: Option<&str>, eta: Option<&str>) =>
        Command::PostUpdate(c::PostUpdate { progress: progress.to_owned(), next_steps: own(next_steps), eta: own(eta), public: None });
    /// Posts an update with words for people outside the organisation.
    post_public_update(public: &str, progress: &str, next_steps: Option<&str>, eta: Option<&str>) =>
        Command::PostUpdate(c::PostUpdate { progress: progress.to_owned(), next_steps: own(next_steps), eta: own(eta), public: Some(public.to_owned()) });
    /// Proposes a mitigation on a system; its plan is made next.
    propose(system: &str, mitigation: Mitigation, because: &str) =>
        Command::Propose(c::Propose { mitigation, system: system.to_owned(), because: because.to_owned() });
    /// Proposes to take a mitigation back; the plan of that is made next.
    undo(mitigation: Seq, because: &str) => Command::Undo(c::Undo { mitigation, because: because.to_owned() });
    /// Agrees to exactly the plan with this digest.
    approve(proposal: Seq, digest: Digest) =>
        Command::Approve(c::Approve { proposal, digest, break_glass: None });
    /// Agrees alone, in an emergency; everybody is told.
    break_glass(proposal: Seq, digest: Digest, because: &str) =>
        Command::Approve(c::Approve { proposal, digest, break_glass: Some(because.to_owned()) });
    /// Withdraws one's approval.
    withdraw_approval(proposal: Seq) => Command::WithdrawApproval(c::Proposal { proposal });
    /// Says no to a mitigation.
    reject(proposal: Seq, because: &str) =>
        Command::Reject(c::Reject { proposal, because: because.to_owned() });
    /// Orders the execution of exactly the plan with this digest.
    execute(proposal: Seq, digest: Digest) => Command::Execute(c::ExecutePlan { proposal, digest });
    /// Says what a machine couldn't tell: whether a mitigation was carried out.
    settle_mitigation(proposal: Seq, happened: bool, because: &str) =>
        Command::SettleMitigation(c::SettleMitigation { proposal, happened, because: because.to_owned() });
    /// Writes a step of the permanent fix down.
    record_fix(step: FixStep, what: &str, link: Option<&str>) =>
        Command::RecordFix(c::RecordFix { step, what: what.to_owned(), link: own(link) });
    /// Vouches for a check that no probe answers.
    attest(check: &str, colour: Colour, detail: &str) =>
        Command::Attest(c::Attest { check: check.to_owned(), colour, detail: detail.to_owned() });
    /// Pages the next step of the escalation chain now.
    escalate(because: &str) => Command::Escalate(c::Because { because: because.to_owned() });
    /// Corrects an earlier record; it stays as it was.
    correct(record: Seq, text: Option<&str>, occurred_at: Option<Time>, because: &str) =>
        Command::Correct(c::Correct { record, text: own(text), occurred_at, because: because.to_owned() });
    /// Goes on to the next phase, if the gates are met.
    advance() => Command::Advance(c::Advance { to: None, override_because: None });
    /// Goes on to a later phase although gates aren't met; recorded, with the reason.
    advance_over(to: Phase, because: &str) =>
        Command::Advance(c::Advance { to: Some(to), override_because: Some(because.to_owned()) });
    /// Goes back to an earlier phase.
    step_back(to: Phase, because: &str) => Command::StepBack(c::StepBack { to, because: because.to_owned() });
    /// Says that it is over, if the gates are met.
    resolve(cause: &str) => Command::Resolve(c::Resolve { cause: cause.to_owned(), override_because: None });
    /// Says that it is over although gates aren't met; recorded, with the reason.
    resolve_over(cause: &str, because: &str) =>
        Command::Resolve(c::Resolve { cause: cause.to_owned(), override_because: Some(because.to_owned()) });
    /// Says that it came back.
    reopen(because: &str) => Command::Reopen(c::Because { because: because.to_owned() });
    /// Says that it was a false alarm.
    cancel(because: &str) => Command::Cancel(c::Because { because: because.to_owned() });
    /// Makes another, younger incident part of this one.
    absorb(other: IncidentId, because: &str) =>
        Command::Absorb(c::Absorb { other, because: because.to_owned() });
    /// Links another incident.
    link(other: IncidentId, relation: Relation) => Command::Link(c::Link { other, relation });
    /// Adds something to do afterwards; without a date it is due as the runbook says for its priority.
    add_action(what: &str, kind: Option<ActionKind>, priority: Priority, owner: Option<PersonId>, due: Option<Time>) =>
        Command::AddAction(c::AddAction { what: what.to_owned(), kind, priority, owner, due });
    /// Gives an action item that has no ticket to somebody, or another day.
    assign_action(action: Seq, owner: Option<PersonId>, due: Option<Time>) =>
        Command::AssignAction(c::AssignAction { action, owner, due });
    /// Says that an action item is done.
    complete_action(action: Seq, outcome: &str) =>
        Command::CompleteAction(c::CompleteAction { action, outcome: outcome.to_owned() });
    /// Says which ticket is the incident's.
    adopt_ticket(ticket: TicketRef) => Command::AdoptTicket(ticket);
    /// Says that the tracker gave a ticket of this incident another name.
    move_ticket(from: TicketRef, to: TicketRef) => Command::MoveTicket(c::MoveTicket { from, to });
    /// Says whose the post-mortem is to write.
    assign_post_mortem(owner: PersonId) => Command::AssignPostMortem(c::AssignPostMortem { owner });
    /// Writes into a section of the post-mortem, in place of the version that `based_on` names; 0 if there is none.
    write_section(section: Section, text: &str, based_on: Seq) =>
        Command::WriteSection(c::WriteSection { section, text: text.to_owned(), based_on });
    /// Answers why the incident happened, or, under another cause, why that did.
    find_cause(under: Option<Seq>, statement: &str, kind: CauseKind, class: Option<CauseClass>) =>
        Command::FindCause(c::FindCause { under, statement: statement.to_owned(), kind, class });
    /// Shows a cause or a hypothesis with evidence that was kept and with records of this incident.
    link_evidence(to: Seq, evidence: Vec<Digest>, records: Vec<Seq>) =>
        Command::LinkEvidence(c::LinkEvidence { to, evidence, records });
    /// Asks others to read the post-mortem.
    request_review(reviewers: Vec<PersonId>) => Command::RequestReview(c::RequestReview { reviewers });
    /// Gives the post-mortem back to whoever writes it.
    return_review(because: &str) => Command::ReturnReview(c::Because { because: because.to_owned() });
    /// Publishes the post-mortem: where it is, its SHA-256, and the last record it tells of.
    publish_post_mortem(link: Option<&str>, sha256: Digest, up_to: Seq) =>
        Command::PublishPostMortem(c::PublishPostMortem { link: own(link), sha256, up_to, override_because: None });
    /// Publishes the post-mortem although it lacks what the runbook wants; recorded, with the reason.
    publish_post_mortem_over(link: Option<&str>, sha256: Digest, up_to: Seq, because: &str) =>
        Command::PublishPostMortem(c::PublishPostMortem {
            link: own(link), sha256, up_to, override_because: Some(because.to_owned()),
        });
    /// Says that an item of the documentation is brought up to date by an action item.
    document_with(step: &str, action: Seq) => Command::DecideDocumentation(c::DecideDocumentation {
        step: step.to_owned(), action: Some(action), not_needed: None,
    });
    /// Says why an item of the documentation needn't be brought up to date.
    document_not_needed(step: &str, because: &str) => Command::DecideDocumentation(c::DecideDocumentation {
        step: step.to_owned(), action: None, not_needed: Some(because.to_owned()),
    });
    /// Announces the review meeting, or moves it; for nobody in particular it invites everybody who responded.
    schedule_meeting(starts_at: Time, length: Option<Duration>, invitees: Vec<PersonId>, place: Option<&str>) =>
        Command::ScheduleMeeting(c::ScheduleMeeting { starts_at, length, invitees, place: own(place) });
    /// Calls the review meeting off.
    cancel_meeting(because: &str) => Command::CancelMeeting(c::Because { because: because.to_owned() });
    /// Says that the review meeting was held.
    hold_meeting(attendees: Vec<PersonId>) => Command::HoldMeeting(c::HoldMeeting { attendees });
    /// Says that nothing is left to decide, if the gates are met. Follow-ups are chased on.
    close() => Command::Close(c::Close { override_because: None });
    /// Closes although gates aren't met; recorded, with the reason.
    close_over(because: &str) => Command::Close(c::Close { override_because: Some(because.to_owned()) });
    /// Takes over the runbook that is in force now.
    replan() => Command::Replan;
}

impl IncidentHandle {
    /// Takes every free text of a record out of the store, for good; the record itself stays.
    ///
    /// # Errors
    /// [`CommandError`]; [`CommandError::Refused`] says why the runbook says no.
    pub async fn redact(&self, record: Seq, because: &str) -> Result<Done, CommandError> {
        let log = self.engine.0.store.load(self.id, Seq(record.0.saturating_sub(1))).await;
        let log = log.map_err(|error| CommandError::Store(Arc::new(error)))?;
        let stored = log.first().filter(|stored| stored.seq == record);
        let slots = stored.into_iter().flat_map(|stored| stored.slots.iter().zip(0..));
        let slots = slots
            .filter_map(|(bytes, slot)| Some(c::RedactSlot { slot, text: Slot::from_bytes(bytes)?.text() }));
        let slots = slots.collect();
        self.send(Command::Redact(c::Redact { record, slots, because: because.to_owned() })).await
    }
}
