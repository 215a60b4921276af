//! What the facts of a decision oblige to: deadlines for people, effects for the engine. In one place for all commands,
//! timers and outcomes, so that no command can forget its notices.

mod caretaker;
mod chase;
mod deadline;
mod news;
mod notice;
mod page;
mod task;

use crate::log::event::{Fact, Record};
use crate::model::effect::{Effect, LinkTo, Outcome, TicketWork, Work};
use crate::model::id::Seq;
use crate::model::notice::{Label, NoticeKind};
use crate::model::obligation::ObligationKind;
use crate::model::phase::Phase;
use crate::model::severity::Audience;
use crate::model::ticket::TicketState;
use crate::model::time::{spoken, stamp};
use crate::rules::decide::Draft;
use crate::rules::handlers;
use chase::working_on;
use notice::{Said, everybody_told, inside, newly_owed};
use page::page_responders;

pub(crate) fn follow(draft: &mut Draft<'_>) {
    let mut at = 0;
    // What is owed for one fact is itself a fact, and may oblige to more.
    while at < draft.records.len() {
        let record = draft.records[at].clone();
        for_fact(draft, &record);
        at += 1;
    }
}

#[allow(clippy::too_many_lines, reason = "one arm a fact: the table is the point")]
fn for_fact(draft: &mut Draft<'_>, record: &Record) {
    let seq = record.seq;
    match &record.fact {
        Fact::Declared(_) => {
            deadline::open_acknowledge(draft, seq);
            deadline::open_update(draft, seq);
            let audiences = inside(&newly_owed(draft));
            let mut opening = Said::new(NoticeKind::Opening);
            if draft.cx.runbook.pages(draft.state.severity) {
                page_responders(draft, Said::new(NoticeKind::Page));
            } else {
                opening = opening.fixed(Label::Do, page::action(draft));
            }
            draft.say(opening, &audiences);
            task::ticket(draft, TicketWork::Open);
            task::collect(draft);
        }
        Fact::Acknowledged(_) => {
            deadline::meet(draft, ObligationKind::Acknowledge, seq);
            page::drop_pages(draft, seq);
        }
        Fact::SeveritySet(fact) => {
            deadline::severity_changed(draft, fact.from, fact.to, seq);
            // An assumption that is confirmed is no change.
            let mut told = if fact.from == fact.to { Vec::new() } else { everybody_told(draft) };
            let said = |kind| {
                let words = format!("{} (was {})", fact.to, fact.from);
                let said = Said::new(kind).fixed(Label::Summary, &words).old_severity(fact.from);
                said.line(Label::Because, fact.because)
            };
            if fact.to.is_worse_than(fact.from) && draft.cx.runbook.pages(fact.to) {
                told.retain(|it| it.as_str() != Audience::RESPONDERS);
                page_responders(draft, said(NoticeKind::Page));
            }
            draft.say(said(NoticeKind::SeverityChanged), &told);
            tell_newcomers(draft);
            task::ticket(draft, TicketWork::Sync);
        }
        Fact::SignalsReceived(fact) => news::alerts(draft, fact),
        Fact::ImpactAssessed(fact) => {
            news::impact(draft, fact);
            tell_newcomers(draft);
        }
        Fact::UpdatePosted(fact) => {
            deadline::meet(draft, ObligationKind::Update, seq);
            deadline::open_update(draft, seq);
            let told = everybody_told(draft);
            let said = Said::new(NoticeKind::Update).line(Label::Progress, fact.progress);
            let said = said.maybe(Label::NextSteps, fact.next_steps).maybe(Label::Eta, fact.eta);
            draft.say(said.maybe(Label::Public, fact.public), &told);
            task::comment(draft, seq);
        }
        Fact::PhaseEntered(fact) => {
            tell_newcomers(draft);
            if fact.from.status() != fact.to.status() {
                task::ticket(draft, TicketWork::Sync);
            }
        }
        Fact::MitigationProposed(fact) => {
            // Evidence goes first: the plan's execution may replace what it is made of.
            if fact.mitigation.kind().replaces_evidence() {
                task::collect(draft);
            }
            task::plan(draft, seq, &fact.system);
        }
        Fact::MitigationPlanned(fact) => {
            let Some(mitigation) = draft.state.mitigations.get(&fact.proposal) else { return };
            let Some(plan) = &mitigation.plan else { return };
            let said = Said::new(NoticeKind::ApprovalWanted)
                .approval(fact.proposal, fact.digest)
                .fixed(Label::Plan, &mitigation.mitigation.to_string());
            let changes = plan.plan.changes.iter().map(|it| format!("{}: {} → {}", it.what, it.from, it.to));
            let warnings = plan.plan.warnings.iter().map(|it| format!("Warning: {it}"));
            let said = changes.chain(warnings).fold(said, |said, line| said.fixed(Label::Plan, &line));
            draft.say(said, &working_on(draft));
        }
        Fact::PlanApproved(fact) => {
            if let Some(reason) = fact.break_glass {
                let said = Said::new(NoticeKind::Page).phrase("").line(Label::Because, reason);
                let words = format!("{} approved a plan alone, in an emergency", fact.person);
                let told = inside(&everybody_told(draft));
                draft.say(said.fixed(Label::Summary, &words), &told);
            }
        }
        Fact::ExecutionOrdered(fact) => task::execute(draft, fact.proposal),
        Fact::MitigationExecuted(fact) => {
            task::verify(draft, fact.proposal);
            handlers::taken_back(draft, fact.proposal);
        }
        Fact::MitigationVerified(fact) => {
            handlers::settle_effects(draft, fact.proposal, seq);
            let words = if fact.holds { "applied and verified" } else { "failed" };
            let said = Said::new(NoticeKind::Mitigation).line(Label::Progress, fact.detail);
            mitigation_said(draft, said.fixed(Label::Summary, words), fact.proposal);
            task::comment(draft, seq);
        }
        Fact::Escalated(fact) => page::escalated(draft, fact),
        Fact::Resolved(fact) => {
            deadline::drop_kinds(draft, &[ObligationKind::Acknowledge, ObligationKind::Update], seq);
            deadline::open_afterwards(draft, seq);
            let told = everybody_told(draft);
            let lasted = draft.state.lasted(record.occurred_at);
            let recovered = draft.state.checks.held(&draft.state.figures, draft.cx.now);
            let phrase = if recovered { "resolved" } else { "resolved_unchecked" };
            let said = Said::new(NoticeKind::Resolved).phrase(phrase).line(Label::Cause, fact.cause);
            draft.say(said.fixed(Label::Duration, &lasted), &told);
            task::ticket(draft, TicketWork::Close(seq));
        }
        Fact::Reopened(fact) => {
            deadline::drop_kinds(draft, &[ObligationKind::PostMortem, ObligationKind::Meeting], seq);
            deadline::open_acknowledge(draft, seq);
            deadline::open_update(draft, seq);
            let mut told = everybody_told(draft);
            // Worse news that reopens an incident has paged already.
            if draft.cx.runbook.pages(draft.state.severity) && !news::raised(draft) {
                told.retain(|it| it.as_str() != Audience::RESPONDERS);
                page_responders(draft, Said::new(NoticeKind::Page).fixed(Label::Summary, "reopened"));
            }
            draft.say(Said::new(NoticeKind::Reopened).line(Label::Because, fact.because), &told);
            task::ticket(draft, TicketWork::Reopen(seq));
        }
        Fact::Cancelled(fact) => {
            deadline::drop_all_but_follow_ups(draft, seq);
            task::drop_unstarted(draft, seq);
            let told = everybody_told(draft);
            draft.say(Said::new(NoticeKind::Cancelled).line(Label::Because, fact.because), &told);
            task::ticket(draft, TicketWork::Close(seq));
        }
        Fact::Merged(fact) => {
            deadline::drop_all_but_follow_ups(draft, seq);
            task::drop_unstarted(draft, seq);
            let told = inside(&everybody_told(draft));
            let words = format!("this incident continues as part of {}", fact.into);
            draft.say(Said::new(NoticeKind::Merged).fixed(Label::Summary, &words), &told);
            task::link(draft, fact.into, "duplicate of");
            task::ticket(draft, TicketWork::Close(seq));
        }
        Fact::Absorbed(fact) => {
            task::merge(draft, fact.other);
            task::link(draft, fact.other, "duplicated by");
        }
        Fact::Linked(fact) => task::link(draft, fact.other, &fact.relation.to_string()),
        Fact::MitigationRejected(fact) => handlers::settle_effects(draft, fact.proposal, seq),
        Fact::ActionAdded(fact) => {
            deadline::open_follow_up(draft, seq, fact.due);
            task::ticket(draft, TicketWork::FollowUp(seq));
        }
        Fact::ActionAssigned(fact) => deadline::move_follow_up(draft, fact.action, seq),
        Fact::ActionCompleted(fact) => {
            deadline::meet(draft, ObligationKind::FollowUp(fact.action), seq);
            task::ticket(draft, TicketWork::CloseFollowUp(fact.action));
            task::drop_reading(draft, seq);
        }
        Fact::ActionTicketSeen(fact) => match fact.shows.state {
            TicketState::Closed => {
                deadline::meet(draft, ObligationKind::FollowUp(fact.action), seq);
                task::drop_reading(draft, seq);
            }
            TicketState::Open | TicketState::Gone => deadline::move_follow_up(draft, fact.action, seq),
        },
        Fact::ReviewRequested(fact) => {
            let words = "review the post-mortem";
            chase::asked(draft, fact.reviewers.clone(), words);
        }
        Fact::ReviewReturned(_) => {
            let words = "revise the post-mortem: the review found gaps";
            chase::asked(draft, chase::who_owes(draft, ObligationKind::PostMortem), words);
        }
        Fact::MeetingScheduled(fact) => {
            let (starts, length) = (stamp(fact.starts_at), spoken(fact.length));
            let words = format!("attend the review meeting on {starts} ({length})");
            chase::asked(draft, fact.invitees.clone(), &words);
        }
        Fact::MeetingCancelled(_) => {
            let invitees = draft.state.document.meeting.as_ref().map(|meeting| meeting.invitees.clone());
            chase::asked(draft, invitees.unwrap_or_default(), "none: the review meeting is cancelled");
        }
        Fact::PostMortemPublished(fact) => {
            deadline::meet(draft, ObligationKind::PostMortem, seq);
            let told = inside(&everybody_told(draft));
            let said = Said::new(NoticeKind::PostMortemPublished).of_document(fact.sha256);
            draft.say(said.fixed(Label::Summary, "the post-mortem is published"), &told);
            task::comment(draft, seq);
        }
        Fact::TicketAdopted(fact) if fact.instead_of.is_none() => {
            task::drop_opening(draft, seq);
            task::link_follow_ups(draft);
        }
        Fact::MeetingHeld(_) => deadline::meet(draft, ObligationKind::Meeting, seq),
        Fact::Closed(_) => {
            let kinds = [ObligationKind::PostMortem, ObligationKind::Meeting];
            deadline::drop_kinds(draft, &kinds, seq);
            let told = inside(&everybody_told(draft));
            draft.say(closing(draft), &told);
            task::drop_plans(draft, seq);
        }
        Fact::Replanned(_) => deadline::replan(draft, seq),
        Fact::ObligationReminded(fact) => chase::due_soon(draft, fact.obligation),
        Fact::ObligationBreached(fact) => {
            chase::overdue(draft, fact.obligation, fact.missed, record.occurred_at);
        }
        Fact::EffectSettled(fact) => effect_settled(draft, fact.effect, &fact.outcome),
        _ => {}
    }
}

/// What is left once an incident is closed.
fn closing(draft: &Draft<'_>) -> Said {
    let open = draft.state.actions.iter().filter(|(_, action)| !action.done);
    let open: Vec<String> = open.map(|(seq, _)| seq.to_string()).collect();
    let words = if open.is_empty() {
        "no open action items".to_owned()
    } else {
        format!("open action items: {}", open.join(", "))
    };
    Said::new(NoticeKind::Closed).fixed(Label::Summary, &words)
}

/// Tells those who must hear of the incident and haven't: inside at once, outside from the communication on.
fn tell_newcomers(draft: &mut Draft<'_>) {
    if draft.state.phase >= Phase::PostIncident {
        return;
    }
    let owed = newly_owed(draft);
    let audiences = if draft.state.phase >= Phase::Communication { owed } else { inside(&owed) };
    draft.say(Said::new(NoticeKind::Opening), &audiences);
}

fn mitigation_said(draft: &mut Draft<'_>, said: Said, proposal: Seq) {
    let Some(mitigation) = draft.state.mitigations.get(&proposal) else { return };
    let said = said.fixed(Label::Plan, &mitigation.mitigation.to_string());
    draft.say(said, &working_on(draft));
}

/// What the end of an effect obliges to when it didn't end well: another route, or a person.
fn effect_settled(draft: &mut Draft<'_>, effect: Seq, outcome: &Outcome) {
    let Some(planned) = planned_effect(draft, effect) else { return };
    match (&planned.work, outcome) {
        (Work::Ticket(TicketWork::FollowUp(action)), Outcome::Done(_)) => {
            task::read_tickets(draft, None);
            if draft.state.ticket.is_some() {
                task::ticket(draft, TicketWork::Link(LinkTo::FollowUp(*action)));
            }
        }
        (Work::Ticket(TicketWork::Open), Outcome::Done(_)) => task::link_follow_ups(draft),
        (Work::ReadTickets, Outcome::Superseded { .. }) => {}
        // People go on working in their tickets while nobody can read them.
        (Work::ReadTickets, outcome) => {
            let failed = !matches!(outcome, Outcome::Done(_) | Outcome::Expired);
            task::read_tickets(draft, failed.then_some(effect));
        }
        _ => {}
    }
    let (failed, why) = match outcome {
        Outcome::Done(_) | Outcome::Superseded { .. } => return,
        Outcome::Refused { error } => ("was refused", error.clone()),
        Outcome::Expired => ("expired", String::new()),
        Outcome::HandedToPerson { why } => ("needs a person", why.clone()),
    };
    match &planned.work {
        Work::Notify(notify) => {
            if notify.kind.is_page() {
                page::failed(draft, effect, &planned, notify, &why);
            } else if *outcome != Outcome::Expired {
                caretaker::hears_of_failure(draft, &planned, &why);
            }
        }
        Work::Ticket(TicketWork::Open) => {
            let said = Said::new(NoticeKind::PersonNeeded).fixed(Label::Because, &why);
            let words = format!("opening the ticket {failed}");
            let said = said.fixed(Label::Summary, &words);
            let action = match outcome {
                Outcome::HandedToPerson { .. } => {
                    "the ticket may be open already: look for it, open it if it isn't there, and adopt it"
                }
                _ => "open the ticket by hand, and adopt it",
            };
            draft.say(said.fixed(Label::Do, action), &working_on(draft));
        }
        Work::Execute(proposal) => {
            let handed = matches!(outcome, Outcome::HandedToPerson { .. });
            let kind = if handed { NoticeKind::PersonNeeded } else { NoticeKind::Mitigation };
            let said = if handed {
                Said::new(kind).fixed(Label::Do, "find out whether it was applied, and settle the mitigation")
            } else {
                Said::new(kind).fixed(Label::Summary, "not applied")
            };
            mitigation_said(draft, said.fixed(Label::Because, &why), *proposal);
        }
        Work::Verify(proposal) if matches!(outcome, Outcome::HandedToPerson { .. }) => {
            let words = "find out whether the change holds, and settle the mitigation";
            let said = Said::new(NoticeKind::PersonNeeded).fixed(Label::Do, words);
            mitigation_said(draft, said.fixed(Label::Because, &why), *proposal);
        }
        Work::Plan(proposal) | Work::Verify(proposal) => {
            let step = if matches!(planned.work, Work::Plan(_)) { "the plan" } else { "the verification" };
            let said = Said::new(NoticeKind::Mitigation).fixed(Label::Summary, &format!("{step} {failed}"));
            mitigation_said(draft, said.fixed(Label::Because, &why), *proposal);
        }
        Work::Merge(other) => {
            let words = format!("merging incident {other} into this one {failed}");
            let said = Said::new(NoticeKind::PersonNeeded).fixed(Label::Because, &why);
            let said = said.fixed(Label::Summary, &words).fixed(Label::Do, "merge it by hand");
            draft.say(said, &working_on(draft));
        }
        // A reading that failed before was told then.
        Work::ReadTickets if planned.instead_of.is_some() => {}
        Work::Ticket(_) | Work::ReadTickets if *outcome != Outcome::Expired => {
            caretaker::hears_of_failure(draft, &planned, &why);
        }
        Work::Ticket(_) | Work::ReadTickets | Work::Collect => {}
    }
}

/// The effect as it was when this decision began, for its end has removed it from the state.
fn planned_effect(draft: &Draft<'_>, effect: Seq) -> Option<Effect> {
    draft.ended.get(&effect).cloned()
}
