//! The fold: what a record makes of the state. Total: any record in any order is taken, and what refers to nothing is
//! passed over.

use std::sync::Arc;

use self::afterwards::afterwards;
use self::effects::{effect_planned, effect_settled, effect_started, ticket_moved};
use crate::log::check::CheckState;
use crate::log::event::{Fact, FixStep, MitigationPlanned, Record};
use crate::log::incident::{Ending, Hypothesis, Incident, IssuedNotice};
use crate::log::mitigation::{MitigationState, PlanState, Stage};
use crate::log::storm::Storm;
use crate::model::afterwards::{DocumentStatus, Proof};
use crate::model::effect::{Applied, EffectState};
use crate::model::id::{Digest, Seq};
use crate::model::obligation::{Obligation, ObligationKind};
use crate::model::phase::Phase;
use crate::model::role::{Actor, Role};

mod afterwards;
mod effects;

/// Takes one record into the state.
#[allow(clippy::too_many_lines, reason = "one line a fact: the table is the point")]
pub fn evolve(it: &mut Incident, record: &Record) {
    it.version = record.seq;
    it.recorded_at = record.recorded_at;
    if record.actor != Actor::Engine && !it.commands.contains_key(&record.command) {
        it.commands.insert(record.command, record.seq);
    }
    it.texts.put(&record.slots, record.seq);
    let at = record.occurred_at;
    match &record.fact {
        Fact::Declared(fact) => declared(it, record, fact),
        Fact::SignalsReceived(fact) => {
            it.firing.take_in(fact, record.recorded_at);
            if let Some(storm) = &mut it.storm {
                let storm = Arc::make_mut(storm);
                if fact.storm_begins {
                    storm.begin(record.recorded_at);
                }
                storm.take_in(fact.groups.0.iter().copied(), record.recorded_at);
            }
            if it.phase == Phase::Recovery {
                it.checks.looked(!it.firing.is_empty(), &it.figures, record.recorded_at);
            }
        }
        Fact::Acknowledged(fact) => {
            it.milestones.acknowledged.get_or_insert(at);
            it.responders.extend(fact.person.clone());
            if let Some(person) = &fact.person {
                it.roles.entry(Role::Responder).or_insert_with(|| person.clone());
            }
        }
        Fact::Triaged(fact) => {
            it.severity = fact.path.severity;
            it.severity_assigned = true;
            it.triage = Some(fact.path.clone());
        }
        Fact::SeveritySet(fact) => {
            it.severity = fact.to;
            it.severity_assigned = true;
        }
        Fact::ImpactAssessed(fact) => it.impact = Some(fact.impact.clone()),
        Fact::RoleAssigned(fact) => {
            it.roles.insert(fact.role, fact.to.clone());
            it.responders.insert(fact.to.clone());
        }
        Fact::StepTicked(fact) => {
            it.steps.insert(fact.step.clone());
        }
        Fact::Hypothesised(fact) => {
            let (statement, class, proof) = (fact.statement, fact.class, Proof::default());
            it.hypotheses.insert(record.seq, Hypothesis { statement, class, confirmed: None, proof });
        }
        Fact::HypothesisJudged(fact) => {
            if let Some(hypothesis) = it.hypotheses.get_mut(&fact.hypothesis) {
                hypothesis.confirmed = Some(fact.confirmed);
            }
        }
        Fact::PhaseEntered(fact) => enter(it, fact.to, record),
        Fact::MitigationProposed(fact) => {
            it.responders.extend(fact.proposer.clone());
            let state = MitigationState {
                mitigation: fact.mitigation.clone(),
                system: fact.system.clone(),
                undoes: fact.undoes,
                proposer: fact.proposer.clone(),
                stage: Stage::Proposed,
                plan: None,
                approvals: std::collections::BTreeMap::new(),
                budget: None,
                execution: None,
                ended_at: None,
            };
            it.mitigations.insert(record.seq, state);
        }
        Fact::MitigationPlanned(fact) => planned(it, record.seq, fact),
        Fact::PlanApproved(fact) => {
            it.responders.insert(fact.person.clone());
            with_mitigation(it, fact.proposal, |mitigation| {
                if mitigation.plan.as_ref().is_some_and(|plan| plan.digest == fact.digest) {
                    mitigation.approvals.insert(fact.person.clone(), fact.break_glass.is_some());
                }
            });
        }
        Fact::ApprovalWithdrawn(fact) => with_mitigation(it, fact.proposal, |mitigation| {
            mitigation.approvals.remove(&fact.person);
        }),
        Fact::MitigationRejected(fact) => with_mitigation(it, fact.proposal, |mitigation| {
            mitigation.stage = Stage::Rejected;
            mitigation.ended_at = None;
        }),
        Fact::ExecutionOrdered(fact) => with_mitigation(it, fact.proposal, |mitigation| {
            mitigation.stage = Stage::Ordered;
            mitigation.budget = Some((fact.budget_slot, record.recorded_at));
        }),
        Fact::MitigationExecuted(fact) => with_mitigation(it, fact.proposal, |mitigation| {
            mitigation.stage = Stage::Executed;
            mitigation.execution = Some((*fact.execution).clone());
        }),
        Fact::MitigationVerified(fact) => {
            let mut mitigates = fact.holds;
            with_mitigation(it, fact.proposal, |mitigation| {
                mitigation.stage = if fact.holds { Stage::Holds } else { Stage::Failed };
                mitigation.ended_at = Some(record.recorded_at);
                mitigates &= mitigation.undoes.is_none();
            });
            if mitigates {
                it.milestones.mitigated.get_or_insert(at);
            }
        }
        Fact::FixRecorded(fact) => {
            it.fix.insert(fact.step);
            it.links.extend(fact.link.clone());
            if fact.step == FixStep::Deployment {
                it.milestones.mitigated.get_or_insert(at);
            }
        }
        Fact::ChecksRead(fact) => {
            for (name, reading) in &fact.readings {
                let state = CheckState {
                    colour: reading.colour,
                    at: record.recorded_at,
                    detail: reading.detail.clone(),
                    attested_by: None,
                };
                it.checks.last.insert(name.clone(), state);
            }
            it.checks.last_look = Some(record.recorded_at);
            it.checks.looked(!it.firing.is_empty(), &it.figures, record.recorded_at);
        }
        Fact::CheckAttested(fact) => {
            let state = CheckState {
                colour: fact.colour,
                at: record.recorded_at,
                detail: String::new(),
                attested_by: Some(fact.person.clone()),
            };
            it.checks.last.insert(fact.check.clone(), state);
            it.responders.insert(fact.person.clone());
            it.checks.looked(!it.firing.is_empty(), &it.figures, record.recorded_at);
        }
        Fact::Escalated(fact) => {
            it.escalate_step = fact.step.saturating_add(1);
            let step = it.escalate_step;
            if let Some(owed) = owed(it, ObligationKind::Acknowledge) {
                owed.escalate_at = fact.next_at.or(owed.escalate_at);
                owed.escalate_step = step;
                owed.since = record.recorded_at;
            }
        }
        Fact::Corrected(fact) => {
            if fact.record == Seq(1)
                && let Some(started) = fact.occurred_at
            {
                it.milestones.started = Some(started);
                it.start_known = true;
            }
        }
        Fact::Redacted(fact) => fact.texts.iter().for_each(|text| it.texts.take_out(*text)),
        Fact::Resolved(_) => {
            it.milestones.recovered = it.checks.green_since.or(Some(at));
            it.milestones.resolved = Some(at);
        }
        Fact::Reopened(_) => {
            it.milestones.recovered = None;
            it.milestones.resolved = None;
            it.escalate_step = 0;
            // There is more to tell now.
            it.post_mortem_published = false;
            it.document.status = DocumentStatus::Draft;
            enter(it, Phase::Investigation, record);
        }
        Fact::Cancelled(_) => end(it, Ending::Cancelled, record),
        Fact::Merged(fact) => end(it, Ending::Merged(fact.into), record),
        Fact::Closed(_) => end(it, Ending::Closed, record),
        Fact::Absorbed(fact) => {
            it.absorbed.insert(fact.other);
        }
        Fact::Linked(fact) => {
            it.related.insert(fact.other, fact.relation);
        }
        Fact::PostMortemAssigned(_)
        | Fact::SectionWritten(_)
        | Fact::CauseFound(_)
        | Fact::EvidenceLinked(_)
        | Fact::ReviewRequested(_)
        | Fact::ReviewReturned(_)
        | Fact::PostMortemPublished(_)
        | Fact::DocumentationDecided(_)
        | Fact::MeetingScheduled(_)
        | Fact::MeetingCancelled(_)
        | Fact::MeetingHeld(_)
        | Fact::ActionAdded(_)
        | Fact::ActionAssigned(_)
        | Fact::ActionCompleted(_)
        | Fact::ActionTicketSeen(_) => afterwards(it, record),
        Fact::Replanned(fact) => {
            it.runbook = fact.runbook;
            it.figures = Arc::clone(&fact.figures);
        }
        Fact::ObligationOpened(fact) => {
            let obligation = Obligation {
                seq: record.seq,
                kind: fact.kind,
                due: fact.due,
                since: record.recorded_at,
                remind_at: fact.remind_at,
                missed: 0,
                breaches: 0,
                escalate_at: None,
                escalate_step: 0,
                armed: true,
            };
            it.obligations.insert(record.seq, obligation);
        }
        Fact::ObligationMet(fact) => {
            it.obligations.remove(&fact.obligation);
        }
        Fact::ObligationDropped(fact) => {
            it.obligations.remove(&fact.obligation);
        }
        Fact::ObligationMoved(fact) => {
            if let Some(owed) = it.obligations.get_mut(&fact.obligation) {
                owed.due = fact.due;
                owed.since = record.recorded_at;
                owed.remind_at = fact.remind_at;
                owed.armed = true;
            }
        }
        Fact::ObligationReminded(fact) => {
            if let Some(owed) = it.obligations.get_mut(&fact.obligation) {
                owed.remind_at = None;
            }
        }
        Fact::ObligationBreached(fact) => {
            if let Some(owed) = it.obligations.get_mut(&fact.obligation) {
                owed.missed = owed.missed.saturating_add(fact.missed);
                owed.breaches = owed.breaches.saturating_add(1);
                owed.remind_at = None;
                owed.armed = fact.next_due.is_some();
                owed.due = fact.next_due.unwrap_or(owed.due);
                owed.since = record.recorded_at;
                if owed.kind == ObligationKind::Acknowledge {
                    owed.escalate_at = Some(record.recorded_at);
                }
            }
        }
        Fact::NoticeIssued(fact) => {
            it.notices.insert(record.seq, IssuedNotice { notice: fact.clone(), at, delivered: false });
        }
        Fact::AudienceUnreached(fact) => {
            it.unreached.insert(fact.audience.clone());
        }
        Fact::EvidenceKept(fact) => {
            for item in &fact.items {
                it.evidence.entry(item.sha256).or_insert(record.seq);
            }
        }
        Fact::Noted(_) => {
            if let Actor::Human(author) = &record.actor {
                it.texts.wrote(record.seq, author);
            }
        }
        Fact::UpdatePosted(_) | Fact::Reviewed(_) => {}
        Fact::EffectPlanned(fact) => effect_planned(it, record, fact),
        Fact::EffectStarted(fact) => effect_started(it, record, fact),
        Fact::EffectFailed(fact) => {
            if let Some(effect) = it.effects.get_mut(&fact.effect) {
                if fact.asked_to_wait {
                    effect.fruitless = 0;
                }
                // That this attempt did nothing says nothing about those before it.
                effect.state = match fact.applied {
                    Applied::No if !effect.maybe_before => EffectState::Ready(fact.retry_at),
                    Applied::No | Applied::Maybe => EffectState::Unknown(fact.retry_at),
                };
                effect.since = record.recorded_at;
            }
        }
        Fact::EffectUnclear(fact) => {
            if let Some(effect) = it.effects.get_mut(&fact.effect) {
                if fact.pending {
                    effect.fruitless = 0;
                } else {
                    effect.unclear = effect.unclear.saturating_add(1);
                }
                effect.state = EffectState::Unknown(fact.look_at);
                effect.since = record.recorded_at;
            }
        }
        Fact::EffectSettled(fact) => effect_settled(it, record, fact),
        Fact::TicketAdopted(fact) => match &fact.instead_of {
            None => it.ticket = Some(fact.ticket.clone()),
            Some(old) => ticket_moved(it, old, &fact.ticket),
        },
    }
}

fn declared(it: &mut Incident, record: &Record, fact: &crate::log::event::Declared) {
    it.id = fact.id;
    it.title = fact.title;
    it.service.clone_from(&fact.service);
    it.severity = fact.severity;
    it.severity_assigned = fact.severity_assigned;
    it.detected_by = fact.detected_by;
    it.milestones.started = Some(fact.started_at);
    it.milestones.detected = Some(record.occurred_at);
    it.milestones.declared = Some(fact.declared_at.unwrap_or(record.recorded_at));
    it.start_known = fact.start_known;
    it.side = fact.side;
    it.signal_group.clone_from(&fact.signal_group);
    it.once.clone_from(&fact.once);
    it.storm = fact.storm.map(|window| Arc::new(Storm::new(window, fact.severity, record.recorded_at)));
    it.runbook = fact.runbook;
    it.figures = Arc::clone(&fact.figures);
    it.phase_entered_at = record.recorded_at;
    it.links.extend(fact.link.clone());
    if let Some(earlier) = fact.recurrence_of {
        it.related.insert(earlier, crate::log::event::Relation::RecurrenceOf);
    }
}

fn enter(it: &mut Incident, phase: Phase, record: &Record) {
    it.phase = phase;
    it.phase_entered_at = record.recorded_at;
    if phase == Phase::Recovery {
        it.checks.green_since = None;
        it.checks.green_until = None;
    }
}

fn end(it: &mut Incident, ending: Ending, record: &Record) {
    it.ended = Some(ending);
    if ending == Ending::Closed && it.post_mortem_published {
        it.document.status = DocumentStatus::Closed;
    }
    it.milestones.closed = Some(record.occurred_at);
}

fn planned(it: &mut Incident, seq: Seq, fact: &MitigationPlanned) {
    let genuine = Digest::of(&[fact.plan.as_bytes()]) == fact.digest;
    let plan = if genuine { serde_json::from_str(&fact.plan).ok() } else { None };
    with_mitigation(it, fact.proposal, |mitigation| {
        let Some(plan) = plan else {
            mitigation.stage = Stage::Failed;
            return;
        };
        mitigation.approvals.clear();
        mitigation.stage = Stage::Planned;
        mitigation.plan = Some(PlanState {
            seq,
            plan,
            digest: fact.digest,
            expires_at: fact.expires_at,
            rule: fact.rule.clone(),
        });
    });
}

fn with_mitigation(it: &mut Incident, proposal: Seq, change: impl FnOnce(&mut MitigationState)) {
    if let Some(mitigation) = it.mitigations.get_mut(&proposal) {
        change(mitigation);
    }
}

fn owed(it: &mut Incident, kind: ObligationKind) -> Option<&mut Obligation> {
    it.obligations.find_mut(|owed| owed.kind == kind)
}
