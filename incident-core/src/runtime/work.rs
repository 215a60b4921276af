//! Carrying one effect out: what is handed to the adapter, and what came of it. Nothing here is recorded.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use super::batch::Begun;
use super::engine::Engine;
use super::error::CommandError;
use super::evidence;
use super::places::{Backend, Place};
use super::{calls, heard};
use crate::log::chain;
use crate::log::event::{EvidenceItem, Record};
use crate::log::incident::{Ending, Incident};
use crate::model::effect::{Applied, Effect, EffectState, LinkTo, Receipt, Repeat, Start, TicketWork, Work};
use crate::model::id::{Digest, EffectId, IncidentId, Seq};
use crate::model::plan::{Intent, Verification};
use crate::model::side::Side;
use crate::model::ticket::{
    CloseTicket, CommentTicket, LinkTicket, OpenTicket, ReopenTicket, SetTicket, TicketChange, TicketRef,
};
use crate::model::time::since;
use crate::port::{AdapterError, EffectContext, ErrorKind, Found, Onset, ReadContext, Retry};
use crate::rules::command::{Command, EffectResult, Failure, Refusal};
use crate::rules::handlers::hand_out;
use crate::runbook::Runbook;
use crate::views::render;
use crate::views::render::Named;

type Looked<T> = Result<T, AdapterError>;
/// How an attempt begins, and how far the wall clock was ahead when it was claimed.
type Begins = (Start, TimeDelta);

/// Whether an effect can be begun here and now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// This engine has no adapter for it.
    NoAdapter,
    /// Every place of its backend is taken.
    Full,
    /// There is a place.
    Free,
}

impl Engine {
    /// What doing an effect a second time would do; none if this engine has no adapter for it.
    pub(super) fn repeat(&self, incident: &Incident, effect: Seq, runbook: &Runbook) -> Option<Repeat> {
        let effect = incident.effects.get(&effect)?;
        let registry = self.registry(incident.side);
        // Of an adapter that panicked nothing is known, so nothing is repeated unseen.
        match &effect.work {
            Work::Notify(notify) => {
                let notifier = registry.notifier(&effect.route)?;
                let notice = render::notice(incident, effect, notify, runbook);
                let repeat = notice.and_then(|notice| calls::ask(|| notifier.repeat(&notice)).ok());
                Some(repeat.unwrap_or(Repeat::Visible))
            }
            Work::Ticket(work) => {
                let tracker = registry.tracker(&effect.route)?;
                Some(calls::ask(|| tracker.repeat(&of_its_kind(work))).unwrap_or(Repeat::Visible))
            }
            Work::Plan(_) | Work::Verify(_) => registry.mitigator(&effect.route).map(|_| Repeat::Converging),
            Work::Execute(_) => registry.mitigator(&effect.route).map(|_| Repeat::Lookup),
            Work::Collect => registry.collector(&effect.route).map(|_| Repeat::Converging),
            Work::ReadTickets => registry.tracker(&effect.route).map(|_| Repeat::Converging),
            Work::Merge(_) => Some(Repeat::Converging),
        }
    }

    /// Whether an effect can be begun here and now.
    pub(super) fn room(&self, incident: &Incident, effect: Seq) -> Room {
        let Some(effect) = incident.effects.get(&effect) else { return Room::NoAdapter };
        let registry = self.registry(incident.side);
        let has_adapter = match effect.work {
            Work::Notify(_) => registry.notifier(&effect.route).is_some(),
            Work::Ticket(_) | Work::ReadTickets => registry.tracker(&effect.route).is_some(),
            Work::Plan(_) | Work::Verify(_) | Work::Execute(_) => registry.mitigator(&effect.route).is_some(),
            Work::Collect => registry.collector(&effect.route).is_some(),
            Work::Merge(_) => true,
        };
        match self.backend(incident.side, effect) {
            _ if !has_adapter => Room::NoAdapter,
            Some(backend) if !backend.has_room(effect) => Room::Full,
            _ => Room::Free,
        }
    }

    /// A place to carry an effect out; none if all are taken. What concerns no backend needs none.
    #[allow(
        clippy::option_option,
        reason = "the outer says whether it may begin, the inner whether it takes a place"
    )]
    pub(super) fn place(&self, incident: &Incident, effect: Seq) -> Option<Option<Place>> {
        let effect = incident.effects.get(&effect)?;
        match self.backend(incident.side, effect) {
            Some(backend) => backend.place(effect, incident.id).map(Some),
            None => Some(None),
        }
    }

    fn backend(&self, side: Side, effect: &Effect) -> Option<&Arc<Backend>> {
        let registry = self.registry(side);
        match effect.work {
            Work::Notify(_) => registry.notifies(&effect.route),
            Work::Merge(_) => None,
            _ => registry.backend(&effect.route),
        }
    }

    /// Carries out an effect that this engine has begun. A deadline or a panic of the adapter is an unknown outcome.
    ///
    /// The place is free again when the call ends, which for one that blocks its thread may be after its deadline.
    pub(super) async fn perform(self, incident: Arc<Incident>, effect: Effect, begun: Begun) -> EffectResult {
        let Begun { place, ahead, .. } = begun;
        let backend = self.backend(incident.side, &effect).cloned();
        let Some(backend) = backend else { return self.call(&incident, &effect, ahead).await };
        let time = self.time_for(&effect, ahead);
        let engine = self.clone();
        let call = async move {
            let _place = place;
            engine.call(&incident, &effect, ahead).await
        };
        calls::call(&backend, time, call).await.map(heard::outcome).unwrap_or_else(|why| {
            EffectResult::Failed(Failure {
                applied: Applied::Maybe,
                retry: true,
                wait: None,
                error: why.to_owned(),
            })
        })
    }

    /// How long a call may take. It ends before its claim does, by as much as in an undisturbed case, because what was sent
    /// may arrive a little later. Nothing is left if the process was stopped meanwhile or the store was slow to answer.
    fn time_for(&self, effect: &Effect, ahead: TimeDelta) -> Duration {
        let rest = match effect.state {
            EffectState::Started { until, .. } => since(until, self.now()),
            EffectState::Ready(_) | EffectState::Unknown(_) => Duration::ZERO,
        };
        let suspended = (self.0.time.wall_ahead() - ahead).to_std().unwrap_or_default();
        let margin = self.0.lease.saturating_sub(self.deadline());
        self.deadline().min(rest.saturating_sub(margin).saturating_sub(suspended))
    }

    /// Fails if nothing is left of the claim: somebody else may be at it by now.
    fn is_claimed(&self, effect: &Effect, ahead: TimeDelta) -> Looked<()> {
        if self.time_for(effect, ahead).is_zero() {
            let over = AdapterError::new(ErrorKind::Unavailable, "call").not_applied();
            return Err(over.with_context("the claim was all but over before the call began"));
        }
        Ok(())
    }

    async fn call(&self, incident: &Incident, effect: &Effect, ahead: TimeDelta) -> EffectResult {
        let EffectState::Started { how, .. } = effect.state else {
            return nothing("the effect is not begun");
        };
        if let Err(over) = self.is_claimed(effect, ahead) {
            return failed(&over);
        }
        let result = match &effect.work {
            Work::Notify(_) => self.notify(incident, effect, (how, ahead)).await,
            Work::Ticket(work) => self.ticket(incident, effect, work, (how, ahead)).await,
            Work::Plan(proposal) => self.plan(incident, effect, *proposal).await,
            Work::Execute(proposal) => self.execute(incident, effect, *proposal, (how, ahead)).await,
            Work::Verify(proposal) => self.verify(incident, effect, *proposal).await,
            Work::Collect => self.collect(incident, effect).await,
            Work::ReadTickets => self.read_tickets(incident, effect).await,
            Work::Merge(other) => Ok(self.merge(incident, *other).await),
        };
        result.unwrap_or_else(|error| {
            let (said, source) = (heard::error(&error), heard::source(&error));
            tracing::warn!(incident = %incident.id, effect = %effect.seq, error = said, source, "an effect failed");
            failed(&error)
        })
    }

    async fn notify(
        &self,
        incident: &Incident,
        effect: &Effect,
        (how, ahead): Begins,
    ) -> Looked<EffectResult> {
        let Work::Notify(notify) = &effect.work else { return Ok(nothing("it is no notice")) };
        let Some(notifier) = self.registry(incident.side).notifier(&effect.route) else {
            return Ok(nothing("there is no such route here"));
        };
        let Some(notice) = render::notice(incident, effect, notify, &self.runbook()) else {
            return Ok(nothing("the notice is no longer kept"));
        };
        let cx = self.effect_context(incident, effect);
        // A look that failed says nothing about what happened before it.
        if how == Start::Look {
            match notifier.find(&cx, &notice).await.map_err(AdapterError::maybe_applied)? {
                Found::Yes(receipt) => return Ok(EffectResult::Done(receipt)),
                Found::CannotTell => return Ok(EffectResult::CannotTell),
                Found::No => {}
            }
        }
        self.is_claimed(effect, ahead)?;
        notifier.deliver(&cx, &notice).await.map(EffectResult::Done)
    }

    async fn ticket(
        &self,
        incident: &Incident,
        effect: &Effect,
        work: &TicketWork,
        (how, ahead): Begins,
    ) -> Looked<EffectResult> {
        let Some(tracker) = self.registry(incident.side).tracker(&effect.route) else {
            return Ok(nothing("there is no such tracker here"));
        };
        let named = self.named(incident, work).await;
        let Some(change) = render::ticket(incident, work, &named, &self.runbook()) else {
            return Ok(EffectResult::Failed(Failure {
                applied: Applied::No,
                retry: true,
                wait: None,
                error: "what the ticket should say can't be read at the moment".to_owned(),
            }));
        };
        let cx = self.effect_context(incident, effect);
        if how == Start::Look {
            match tracker.find(&cx, &change).await.map_err(AdapterError::maybe_applied)? {
                Found::Yes(receipt) => return Ok(EffectResult::Done(receipt)),
                Found::CannotTell => return Ok(EffectResult::CannotTell),
                Found::No => {}
            }
        }
        self.is_claimed(effect, ahead)?;
        match tracker.apply(&cx, &change).await {
            Err(error) if is_gone(&error) => Ok(EffectResult::TicketGone { error: heard::error(&error) }),
            applied => applied.map(EffectResult::Done),
        }
    }

    async fn plan(&self, incident: &Incident, effect: &Effect, proposal: Seq) -> Looked<EffectResult> {
        let (Some(mitigator), Some(mitigation)) =
            (self.registry(incident.side).mitigator(&effect.route), incident.mitigations.get(&proposal))
        else {
            return Ok(nothing("there is no such system here"));
        };
        let undone = mitigation.undoes.and_then(|seq| incident.mitigations.get(&seq)?.execution.as_ref());
        let intent = match (mitigation.undoes, undone) {
            (Some(_), None) => return Ok(nothing("what it takes back was never carried out")),
            (_, Some(execution)) => Intent::Undo(execution),
            (None, None) => Intent::Do(&mitigation.mitigation),
        };
        let plan = mitigator.plan(&self.read_context(incident), intent).await?;
        Ok(EffectResult::Planned(Box::new(plan)))
    }

    async fn execute(
        &self,
        incident: &Incident,
        effect: &Effect,
        proposal: Seq,
        (how, ahead): Begins,
    ) -> Looked<EffectResult> {
        let Some(mitigator) = self.registry(incident.side).mitigator(&effect.route) else {
            return Ok(nothing("there is no such system here"));
        };
        let Some(plan) = incident.mitigations.get(&proposal).and_then(|it| it.plan.as_ref()) else {
            return Ok(nothing("it has no plan"));
        };
        let cx = self.effect_context(incident, effect);
        if how == Start::Look {
            match mitigator.find(&cx, &plan.plan).await.map_err(AdapterError::maybe_applied)? {
                Found::Yes(execution) => return Ok(EffectResult::Executed(Box::new(execution))),
                Found::CannotTell => return Ok(EffectResult::CannotTell),
                Found::No => {}
            }
        }
        self.is_claimed(effect, ahead)?;
        match hand_out(incident, effect.seq, &self.runbook(), self.now()) {
            Ok(approved) => {
                let execution = mitigator.execute(&cx, &approved).await?;
                Ok(EffectResult::Executed(Box::new(execution)))
            }
            Err(refusal) => Ok(nothing(&refusal.to_string())),
        }
    }

    async fn verify(&self, incident: &Incident, effect: &Effect, proposal: Seq) -> Looked<EffectResult> {
        let execution = incident.mitigations.get(&proposal).and_then(|it| it.execution.as_ref());
        let (Some(mitigator), Some(execution)) =
            (self.registry(incident.side).mitigator(&effect.route), execution)
        else {
            return Ok(nothing("there is no such system here"));
        };
        Ok(match mitigator.verify(&self.effect_context(incident, effect), execution).await? {
            Verification::Holds => {
                EffectResult::Verified { holds: true, detail: "the change is in and holds".to_owned() }
            }
            Verification::Failed { detail } => EffectResult::Verified { holds: false, detail },
            Verification::Pending { again, .. } => EffectResult::Pending { again },
        })
    }

    async fn collect(&self, incident: &Incident, effect: &Effect) -> Looked<EffectResult> {
        let (Some(collector), Some(kept)) =
            (self.registry(incident.side).collector(&effect.route), &self.0.evidence)
        else {
            return Ok(nothing("there is no such source here, or no place to keep evidence"));
        };
        let mut items = Vec::new();
        for capture in collector.collect(&self.read_context(incident)).await? {
            let clean = evidence::clean(capture.bytes, &capture.media_type, capture.truncated);
            let bytes = u64::try_from(clean.bytes.len()).unwrap_or(u64::MAX);
            let sha256 = match kept.put(&clean.bytes).await {
                Ok(digest) => digest,
                Err(error) => {
                    let kind = ErrorKind::Unavailable;
                    return Err(AdapterError::new(kind, "keep evidence").not_applied().caused_by(error));
                }
            };
            items.push(EvidenceItem {
                name: crate::model::inert::clip(&capture.name, 256),
                media_type: crate::model::inert::clip(&capture.media_type, 128),
                sha256,
                bytes,
                truncated: clean.truncated,
                redactions: u32::try_from(clean.redactions).unwrap_or(u32::MAX),
                unredacted: clean.unredacted,
            });
        }
        Ok(EffectResult::Collected(items))
    }

    async fn read_tickets(&self, incident: &Incident, effect: &Effect) -> Looked<EffectResult> {
        let Some(tracker) = self.registry(incident.side).tracker(&effect.route) else {
            return Ok(nothing("there is no such tracker here"));
        };
        let open = incident.actions.values().filter(|action| !action.done);
        let tickets: Vec<TicketRef> = open.filter_map(|action| action.ticket.clone()).collect();
        tracker.read(&self.read_context(incident), &tickets).await.map(EffectResult::Tickets)
    }

    /// Tells another incident that it is part of this one. Telling it again changes nothing.
    async fn merge(&self, incident: &Incident, other: IncidentId) -> EffectResult {
        // As a command of its own: the loop carries out what that begins there.
        let request = self.own_request(Command::MergeInto(incident.id));
        let done = || EffectResult::Done(Receipt::new(&other.to_string()));
        let failed =
            |applied, error| EffectResult::Failed(Failure { applied, retry: true, wait: None, error });
        match self.submit(other, request).await {
            Ok(_) => done(),
            Err(CommandError::Refused(refusal)) => match self.look_at(other).await {
                Ok(seen) if seen.incident.ended == Some(Ending::Merged(incident.id)) => done(),
                // A mitigation that runs there comes to an end.
                Ok(_) if matches!(refusal, Refusal::Unsafe(_)) => failed(Applied::No, refusal.to_string()),
                Ok(_) => nothing(&refusal.to_string()),
                Err(error) => failed(Applied::Maybe, error.to_string()),
            },
            Err(error) => failed(Applied::Maybe, error.to_string()),
        }
    }

    fn effect_context(&self, incident: &Incident, effect: &Effect) -> EffectContext {
        let now = self.now();
        let lane = effect.lane.as_ref().and_then(|lane| incident.lanes.get(lane));
        EffectContext::new(EffectId { incident: incident.id, seq: effect.seq }, now)
            .with_attempt(effect.attempts, effect.first_started.unwrap_or(now))
            .with_maybe_before(effect.maybe_before)
            .with_deadline(self.time_for(effect, self.0.time.wall_ahead()))
            .with_side(incident.side)
            .with_earlier(lane.cloned().unwrap_or_default())
    }

    pub(super) fn read_context(&self, incident: &Incident) -> ReadContext {
        let now = self.now();
        let declared = incident.milestones.started.or(incident.milestones.declared).unwrap_or(now);
        let onset = incident.known_start().map_or(Onset::Assumed(declared), Onset::Known);
        ReadContext::new(incident.id, now)
            .with_deadline(self.deadline())
            .with_side(incident.side)
            .with_service(incident.service.clone())
            .with_onset(onset)
    }

    async fn named(&self, incident: &Incident, work: &TicketWork) -> Named {
        let mut named = Named::default();
        let records: &[Seq] = match work {
            TicketWork::Comment(seq) | TicketWork::Close(seq) | TicketWork::Reopen(seq) => {
                std::slice::from_ref(seq)
            }
            TicketWork::Comments(told) => told,
            TicketWork::Link(LinkTo::Incident { other, .. }) => {
                let seen = self.look_at(*other).await.ok().map(|seen| seen.incident);
                named.other = seen.filter(|other| other.side == incident.side);
                &[]
            }
            _ => &[],
        };
        for seq in records {
            let Some((record, head)) = self.record(incident.id, *seq).await else { continue };
            named.records.push(record);
            named.head.get_or_insert(head);
        }
        named
    }

    /// A record, and the head of the chain after it.
    async fn record(&self, id: IncidentId, seq: Seq) -> Option<(Record, Digest)> {
        let log = self.0.store.load(id, Seq(seq.0.checked_sub(1)?)).await.ok()?;
        let stored = log.first().filter(|stored| stored.seq == seq)?;
        Some((chain::decode(stored).ok()?, stored.chain))
    }
}

/// A change of the kind that the work makes; what it says is of no weight for how it repeats.
fn of_its_kind(work: &TicketWork) -> TicketChange {
    let ticket = TicketRef::new("");
    match work {
        TicketWork::Open | TicketWork::FollowUp(_) => TicketChange::Open(OpenTicket::default()),
        TicketWork::Comment(_) | TicketWork::Comments(_) => {
            TicketChange::Comment(CommentTicket::new(ticket, ""))
        }
        TicketWork::Sync => TicketChange::Set(SetTicket::new(ticket, "")),
        TicketWork::Close(_) | TicketWork::CloseFollowUp(_) => {
            TicketChange::Close(CloseTicket::new(ticket, ""))
        }
        TicketWork::Reopen(_) => TicketChange::Reopen(ReopenTicket::new(ticket, "")),
        TicketWork::Link(_) => TicketChange::Link(LinkTicket::new(ticket, "", "")),
    }
}

/// It certainly didn't happen, and trying again doesn't help.
fn nothing(why: &str) -> EffectResult {
    EffectResult::Failed(Failure { applied: Applied::No, retry: false, wait: None, error: why.to_owned() })
}

/// Whether the ticket to change doesn't exist any more, and nothing happened.
fn is_gone(error: &AdapterError) -> bool {
    (error.kind, error.retry, error.applied) == (ErrorKind::NotFound, Retry::Never, Applied::No)
}

fn failed(error: &AdapterError) -> EffectResult {
    let (retry, wait) = match error.retry {
        Retry::Never => (false, None),
        Retry::After(wait) => (true, wait),
    };
    EffectResult::Failed(Failure { applied: error.applied, retry, wait, error: heard::error(error) })
}
