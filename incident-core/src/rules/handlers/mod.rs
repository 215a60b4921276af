//! May it happen, and which facts record it? One function a command; what the facts oblige to is `owe`'s.

mod action;
mod afterwards;
mod alerts;
mod course;
mod effect;
mod meeting;
mod mitigation;
mod response;
mod ticket;
mod timer;

use crate::rules::command::{Command, Refusal};
use crate::rules::decide::Draft;

/// Whether a command may happen; its facts are in the draft then.
type Handled = Result<(), Refusal>;

pub(crate) fn handle(draft: &mut Draft<'_>, command: &Command) -> Handled {
    match command {
        Command::Declare(it) => response::declare(draft, it),
        Command::Signals(it) => {
            alerts::take_in(draft, it);
            Ok(())
        }
        Command::Gather(it) => alerts::gather(draft, it),
        Command::Acknowledge => response::acknowledge(draft),
        Command::Triage(it) => response::triage(draft, it),
        Command::SetSeverity(it) => response::set_severity(draft, it),
        Command::AssessImpact(it) => response::assess_impact(draft, it),
        Command::Assign(it) => response::assign(draft, it),
        Command::Note(it) => response::note(draft, it),
        Command::TickStep(it) => response::tick_step(draft, it),
        Command::Hypothesise(it) => response::hypothesise(draft, it),
        Command::JudgeHypothesis(it) => response::judge_hypothesis(draft, it),
        Command::PostUpdate(it) => response::post_update(draft, it),
        Command::RecordFix(it) => response::record_fix(draft, it),
        Command::Look(it) => response::look(draft, it),
        Command::Attest(it) => response::attest(draft, it),
        Command::Escalate(it) => response::escalate(draft, it),
        Command::AdoptTicket(it) => response::adopt_ticket(draft, it),
        Command::MoveTicket(it) => response::move_ticket(draft, it),
        Command::Propose(it) => mitigation::propose(draft, it),
        Command::Undo(it) => mitigation::undo(draft, it),
        Command::Approve(it) => mitigation::approve(draft, it),
        Command::WithdrawApproval(it) => mitigation::withdraw(draft, it),
        Command::Reject(it) => mitigation::reject(draft, it),
        Command::Execute(it) => mitigation::execute(draft, it),
        Command::SettleMitigation(it) => mitigation::settle(draft, it),
        Command::Correct(it) => course::correct(draft, it),
        Command::Redact(it) => course::redact(draft, it),
        Command::Advance(it) => course::advance(draft, it),
        Command::StepBack(it) => course::step_back(draft, it),
        Command::Resolve(it) => course::resolve(draft, it),
        Command::Reopen(it) => course::reopen(draft, it),
        Command::Cancel(it) => course::cancel(draft, it),
        Command::Absorb(it) => course::absorb(draft, it),
        Command::MergeInto(it) => course::merge_into(draft, *it),
        Command::Link(it) => course::link(draft, it),
        Command::AssignPostMortem(it) => afterwards::assign_post_mortem(draft, it),
        Command::WriteSection(it) => afterwards::write_section(draft, it),
        Command::FindCause(it) => afterwards::find_cause(draft, it),
        Command::LinkEvidence(it) => afterwards::link_evidence(draft, it),
        Command::RequestReview(it) => afterwards::request_review(draft, it),
        Command::ReturnReview(it) => afterwards::return_review(draft, it),
        Command::PublishPostMortem(it) => afterwards::publish_post_mortem(draft, it),
        Command::DecideDocumentation(it) => afterwards::decide_documentation(draft, it),
        Command::ScheduleMeeting(it) => meeting::schedule(draft, it),
        Command::CancelMeeting(it) => meeting::cancel(draft, it),
        Command::HoldMeeting(it) => meeting::hold(draft, it),
        Command::AddAction(it) => action::add(draft, it),
        Command::AssignAction(it) => action::assign(draft, it),
        Command::CompleteAction(it) => action::complete(draft, it),
        Command::Close(it) => course::close(draft, it),
        Command::Replan => course::replan(draft),
        Command::Wake => timer::wake(draft),
        Command::Start(it) => effect::start(draft, it),
        Command::Conclude(it) => effect::conclude(draft, it),
    }
}

#[cfg(feature = "runtime")]
pub(crate) use mitigation::hand_out;
pub(crate) use mitigation::{approved_by, settle_effects, taken_back};
