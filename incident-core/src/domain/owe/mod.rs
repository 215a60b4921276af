//! What the facts of a decision oblige to: deadlines for people, effects for the engine. In one place for all commands,
//! timers and outcomes, so that no command can forget its notices.

mod deadline;
mod say;
mod task;

use super::decide::Draft;
use super::effect::{LinkTo, Outcome, TicketWork, Work};
use super::event::{Fact, Record};
use super::notice::{Label, NoticeKind};
use super::obligation::ObligationKind;
use super::phase::Phase;
use super::severity::Audience;
use super::ticket::TicketState;
use super::time::since;
use say::{Said, everybody_told, inside, newly_owed, outside};

pub(super) fn owe(draft: &mut Draft<'_>) {
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
            page_responders(draft);
            let audiences = inside(&newly_owed(draft));
            draft.say(Said::new(NoticeKind::Opening), &audiences);
            task::ticket(draft, TicketWork::Open);
            task::collect(draft);
        }
        Fact::Acknowledged(_) => {
            deadline::meet(draft, ObligationKind::Acknowledge, seq);
            say::drop_pages(draft, seq);
        }
        Fact::SeveritySet(fact) => {
            deadline::severity_changed(draft, fact.from, fact.to, seq);
            // An assumption that is confirmed is no change.
            let told = if fact.from == fact.to { Vec::new() } else { everybody_told(draft) };
            let said = || {
                let words = format!("{} instead of {}", fact.to, fact.from);
                Said::new(NoticeKind::SeverityChanged).fixed(Label::Summary, &words)
            };
            draft.say(said().line(Label::Because, fact.because), &inside(&told));
            draft.say(said(), &outside(&told));
            tell_newcomers(draft);
            task::ticket(draft, TicketWork::Sync);
        }
        Fact::ImpactAssessed(_) => tell_newcomers(draft),
        Fact::UpdatePosted(fact) => {
            deadline::meet(draft, ObligationKind::Update, seq);
            deadline::open_update(draft, seq);
            let told = everybody_told(draft);
            let said = Said::new(NoticeKind::Update).line(Label::Progress, fact.progress);
            let said = said.maybe(Label::NextSteps, fact.next_steps).maybe(Label::Eta, fact.eta);
            draft.say(said, &told);
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
            draft.say(said, &responders());
        }
        Fact::PlanApproved(fact) => {
            if let Some(reason) = fact.break_glass {
                let said = Said::new(NoticeKind::Page).line(Label::Because, reason);
                let words = format!("{} acts alone, in an emergency", fact.person);
                let told = inside(&everybody_told(draft));
                draft.say(said.fixed(Label::Summary, &words), &told);
            }
        }
        Fact::ExecutionOrdered(fact) => task::execute(draft, fact.proposal),
        Fact::MitigationExecuted(fact) => {
            task::verify(draft, fact.proposal);
            super::judge::taken_back(draft, fact.proposal);
        }
        Fact::MitigationVerified(fact) => {
            super::judge::settle_effects(draft, fact.proposal, seq);
            let words = if fact.holds { "It is in and holds" } else { "It failed" };
            let said = Said::new(NoticeKind::Mitigation).line(Label::Progress, fact.detail);
            mitigation_said(draft, said.fixed(Label::Summary, words), fact.proposal);
            task::comment(draft, seq);
        }
        Fact::Escalated(fact) => {
            let mut said =
                Said::new(NoticeKind::Page).to(fact.persons.clone()).maybe(Label::Because, fact.because);
            said = said.fixed(Label::Summary, &format!("Escalation, step {}", fact.step.saturating_add(1)));
            draft.say(said, std::slice::from_ref(&fact.audience));
        }
        Fact::Resolved(fact) => {
            deadline::drop_kinds(draft, &[ObligationKind::Acknowledge, ObligationKind::Update], seq);
            deadline::open_afterwards(draft, seq);
            let told = everybody_told(draft);
            let started = draft.state.milestones.started.unwrap_or(record.occurred_at);
            let lasted = super::time::spoken(since(record.occurred_at, started));
            let said = Said::new(NoticeKind::Resolved).line(Label::Cause, fact.cause);
            draft.say(said.fixed(Label::Duration, &lasted), &told);
            task::ticket(draft, TicketWork::Close(seq));
        }
        Fact::Reopened(fact) => {
            deadline::drop_kinds(draft, &[ObligationKind::PostMortem, ObligationKind::Meeting], seq);
            deadline::open_acknowledge(draft, seq);
            deadline::open_update(draft, seq);
            page_responders(draft);
            let told = everybody_told(draft);
            draft.say(Said::new(NoticeKind::Reopened).line(Label::Because, fact.because), &inside(&told));
            draft.say(Said::new(NoticeKind::Reopened), &outside(&told));
            task::ticket(draft, TicketWork::Reopen(seq));
        }
        Fact::Cancelled(fact) => {
            deadline::drop_all_but_follow_ups(draft, seq);
            task::drop_unstarted(draft, seq);
            let told = everybody_told(draft);
            draft.say(Said::new(NoticeKind::Cancelled).line(Label::Because, fact.because), &inside(&told));
            draft.say(Said::new(NoticeKind::Cancelled), &outside(&told));
            task::ticket(draft, TicketWork::Close(seq));
        }
        Fact::Merged(fact) => {
            deadline::drop_all_but_follow_ups(draft, seq);
            task::drop_unstarted(draft, seq);
            let told = inside(&everybody_told(draft));
            draft.say(Said::new(NoticeKind::Merged), &told);
            task::link(draft, fact.into, "duplicate of");
            task::ticket(draft, TicketWork::Close(seq));
        }
        Fact::Absorbed(fact) => {
            task::merge(draft, fact.other);
            task::link(draft, fact.other, "duplicated by");
        }
        Fact::Linked(fact) => task::link(draft, fact.other, &fact.relation.to_string()),
        Fact::MitigationRejected(fact) => super::judge::settle_effects(draft, fact.proposal, seq),
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
            let words = "Read the post-mortem, and say what it lacks";
            say::asked(draft, fact.reviewers.clone(), words);
        }
        Fact::ReviewReturned(_) => {
            let words = "The post-mortem is back: mend what the review found";
            say::asked(draft, say::who_owes(draft, ObligationKind::PostMortem), words);
        }
        Fact::MeetingScheduled(fact) => {
            let (starts, length) = (super::time::stamp(fact.starts_at), super::time::spoken(fact.length));
            let words = format!("Come to the review meeting, {starts}, {length}");
            say::asked(draft, fact.invitees.clone(), &words);
        }
        Fact::MeetingCancelled(_) => {
            let invitees = draft.state.document.meeting.as_ref().map(|meeting| meeting.invitees.clone());
            say::asked(draft, invitees.unwrap_or_default(), "The review meeting is called off");
        }
        Fact::PostMortemPublished(fact) => {
            deadline::meet(draft, ObligationKind::PostMortem, seq);
            let told = inside(&everybody_told(draft));
            draft.say(Said::new(NoticeKind::PostMortemPublished).of_document(fact.sha256), &told);
            task::comment(draft, seq);
        }
        Fact::TicketAdopted(_) => {
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
        Fact::ObligationReminded(fact) => say::due_soon(draft, fact.obligation),
        Fact::ObligationBreached(fact) => {
            say::overdue(draft, fact.obligation, fact.missed, record.occurred_at);
        }
        Fact::EffectSettled(fact) => effect_settled(draft, fact.effect, &fact.outcome),
        _ => {}
    }
}

/// What is left once an incident is closed.
fn closing(draft: &Draft<'_>) -> Said {
    let open = draft.state.actions.values().filter(|action| !action.done).count();
    let words = match open {
        0 => "Nothing is left to do".to_owned(),
        1 => "One action item is still open".to_owned(),
        open => format!("{open} action items are still open"),
    };
    Said::new(NoticeKind::Closed).fixed(Label::Summary, &words)
}

fn responders() -> [Audience; 1] {
    [Audience::new(Audience::RESPONDERS)]
}

fn page_responders(draft: &mut Draft<'_>) {
    let words = "Acknowledge it, and look";
    draft.say(Said::new(NoticeKind::Page).fixed(Label::Do, words), &responders());
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

fn mitigation_said(draft: &mut Draft<'_>, said: Said, proposal: super::id::Seq) {
    let Some(mitigation) = draft.state.mitigations.get(&proposal) else { return };
    let said = said.fixed(Label::Plan, &mitigation.mitigation.to_string());
    draft.say(said, &responders());
}

/// What the end of an effect obliges to when it didn't end well: another route, or a person.
fn effect_settled(draft: &mut Draft<'_>, effect: super::id::Seq, outcome: &Outcome) {
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
        Outcome::Expired => ("came too late", String::new()),
        Outcome::HandedToPerson { why } => ("needs a person", why.clone()),
    };
    match &planned.work {
        Work::Notify(notify) => {
            let page = notify.kind.is_page();
            let on_next_route = page && say::fall_back(draft, effect, &planned, notify);
            if !on_next_route && (page || *outcome != Outcome::Expired) {
                say::tell_caretaker(draft, &planned, &why);
            }
        }
        Work::Ticket(TicketWork::Open) => {
            let said = Said::new(NoticeKind::PersonNeeded).fixed(Label::Because, &why);
            let words = match outcome {
                Outcome::HandedToPerson { .. } => {
                    "The ticket may be open already: look for it, open it by hand if it isn't there, and adopt it".to_owned()
                }
                _ => format!("Opening the ticket {failed}: open it by hand and adopt it"),
            };
            draft.say(said.fixed(Label::Do, &words), &responders());
        }
        Work::Execute(proposal) => {
            let handed = matches!(outcome, Outcome::HandedToPerson { .. });
            let kind = if handed { NoticeKind::PersonNeeded } else { NoticeKind::Mitigation };
            let words = if handed {
                "Find out whether it was carried out, and settle it"
            } else {
                "It was not carried out"
            };
            let said = Said::new(kind).fixed(Label::Do, words).fixed(Label::Because, &why);
            mitigation_said(draft, said, *proposal);
        }
        Work::Verify(proposal) if matches!(outcome, Outcome::HandedToPerson { .. }) => {
            let words = "Find out whether the change holds, and settle it";
            let said = Said::new(NoticeKind::PersonNeeded).fixed(Label::Do, words);
            mitigation_said(draft, said.fixed(Label::Because, &why), *proposal);
        }
        Work::Plan(proposal) | Work::Verify(proposal) => {
            let step = if matches!(planned.work, Work::Plan(_)) { "Its plan" } else { "Its verification" };
            let said = Said::new(NoticeKind::Mitigation).fixed(Label::Summary, &format!("{step} {failed}"));
            mitigation_said(draft, said.fixed(Label::Because, &why), *proposal);
        }
        Work::Merge(other) => {
            let words =
                format!("Telling {other} that it is part of this incident {failed}: merge it by hand");
            let said = Said::new(NoticeKind::PersonNeeded).fixed(Label::Because, &why);
            draft.say(said.fixed(Label::Do, &words), &responders());
        }
        // A reading that failed before was told then.
        Work::ReadTickets if planned.instead_of.is_some() => {}
        Work::Ticket(_) | Work::ReadTickets if *outcome != Outcome::Expired => {
            say::tell_caretaker(draft, &planned, &why);
        }
        Work::Ticket(_) | Work::ReadTickets | Work::Collect => {}
    }
}

/// The effect as it was when this decision began, for its end has removed it from the state.
fn planned_effect(draft: &Draft<'_>, effect: super::id::Seq) -> Option<super::effect::Effect> {
    draft.ended.get(&effect).cloned()
}
