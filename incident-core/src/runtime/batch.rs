//! Deciding the commands that are committed together, and beginning what they plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;

use super::calls;
use super::engine::Engine;
use super::error::CommandError;
use super::handle::Done;
use super::places::Place;
use super::queue::Committed;
use crate::log::chain;
use crate::log::event::{Fact, Record};
use crate::log::incident::Incident;
use crate::log::index::Summary;
use crate::model::id::Seq;
use crate::model::phase::Phase;
use crate::model::role::Actor;
use crate::model::side::Side;
use crate::port::store::Query;
use crate::rules::command::{Begin, Command, Request};
use crate::rules::context::{Context, OtherIncident};
use crate::rules::decide::{Decision, decide};
use crate::rules::due::due;

impl Engine {
    /// Decides every request on the state the one before left, then begins what this engine can carry out.
    ///
    /// A panic in the rules concerns the request that caused it, and no other.
    pub(super) fn decide_batch(
        &self,
        before: &Arc<Incident>,
        requests: &[Request],
        taken: &[String],
        others: &[OtherIncident],
        open_incidents: Option<u32>,
        begin: bool,
    ) -> Batch {
        let (runbook, digest) = self.in_force();
        let mut batch = Batch::on(before);
        let cx = Context {
            now: before.present(self.now()),
            runbook: &runbook,
            digest,
            live: self.registry(Side::Live).reach(),
            drill: self.registry(Side::Drill).reach(),
            taken,
            others,
            open_incidents,
            entropy: self.0.entropy.bytes(),
        };
        for request in requests {
            let first = batch.after.version.next();
            let answer = match calls::ask(|| decide(&batch.after, request, &cx)) {
                Ok(Ok(decision)) => {
                    let changed = !decision.records.is_empty();
                    let known = batch.after.commands.get(&request.id).copied();
                    batch.take(decision);
                    let seq = known.unwrap_or(if changed { first } else { batch.after.version });
                    Ok(Done { incident: before.id, seq, version: batch.after.version, changed })
                }
                Ok(Err(refusal)) => Err(CommandError::Refused(refusal)),
                Err(_) => {
                    let command = request.command.kind();
                    tracing::error!(id = %before.id, %command, "the rules panicked; nothing was recorded");
                    Err(CommandError::Internal)
                }
            };
            batch.answers.push(answer);
        }
        if begin && calls::ask(|| self.begin(&mut batch, &cx)).is_err() {
            tracing::error!(id = %before.id, "the rules panicked; no effect was begun");
        }
        batch
    }

    /// Claims the effects that may begin, and that this engine has an adapter and a place for, in the commit that plans them.
    fn begin(&self, batch: &mut Batch, cx: &Context<'_>) {
        let until = crate::model::time::after(cx.now, self.0.lease);
        let ahead = self.0.time.wall_ahead();
        let mut begun: BTreeMap<Seq, Begun> = BTreeMap::new();
        let begins: Vec<Begin> = due(&batch.after, cx.now)
            .start
            .into_iter()
            .filter_map(|effect| {
                let repeat = self.repeat(&batch.after, effect, cx.runbook)?;
                let place = self.place(&batch.after, effect)?;
                begun.insert(effect, Begun { effect, place, ahead });
                Some(Begin { effect, worker: self.0.worker.clone(), until, repeat })
            })
            .collect();
        if begins.is_empty() {
            return;
        }
        let request = self.own_request(Command::Start(begins));
        let Ok(decision) = decide(&batch.after, &request, cx) else { return };
        let started = decision.records.iter().filter_map(|record| match &record.fact {
            Fact::EffectStarted(started) => begun.remove(&started.effect),
            _ => None,
        });
        batch.begun.extend(started);
        batch.take(decision);
    }

    /// The other incidents that the requests name, as far as they exist and can be read.
    ///
    /// They are read from the store and not from their queues: two incidents that name each other would wait for each other.
    pub(super) async fn others(&self, requests: &[Request]) -> Result<Vec<OtherIncident>, CommandError> {
        let mut others = Vec::new();
        for id in requests.iter().filter_map(|request| request.command.names()) {
            let log = self.0.store.load(id, Seq::ZERO).await;
            let log = log.map_err(|error| CommandError::Store(Arc::new(error)))?;
            others.extend(
                chain::fold(id, &log)
                    .ok()
                    .filter(|(other, _)| other.exists())
                    .map(|(other, _)| OtherIncident::of(&other)),
            );
        }
        Ok(others)
    }

    /// How many incidents of `side` are active, if a request of automation needs to know; none if nobody knows.
    pub(super) async fn open_incidents(&self, side: Side, requests: &[Request]) -> Option<u32> {
        let asks = |it: &Request| matches!(it.command, Command::Propose(_) | Command::Undo(_));
        if !requests.iter().any(|it| asks(it) && !matches!(it.actor, Actor::Human(_))) {
            return None;
        }
        let mut open = 0;
        let mut after = None;
        loop {
            let page = self.0.store.list(&Query::unsettled().after(after).limit(1_000)).await.ok()?;
            for row in &page.rows {
                let summary: Summary = serde_json::from_slice(&row.summary).ok()?;
                let active = summary.ended.is_none() && summary.phase < Phase::PostIncident;
                open += u32::from(active && summary.side == side);
            }
            after = page.rows.last().map(|row| row.id);
            if !page.more || after.is_none() {
                return Some(open);
            }
        }
    }
}

/// An effect that a commit of this engine began, for this engine to carry out.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) effect: Seq,
    pub(super) place: Option<Place>,
    /// How far the wall clock was ahead of the engine's time: if it is further ahead by the time of the call, the machine was
    /// suspended in between.
    pub(super) ahead: TimeDelta,
}

/// What a round of decisions leads to.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) records: Vec<Record>,
    pub(super) redact: Vec<(Seq, u32)>,
    pub(super) answers: Vec<Result<Done, CommandError>>,
    pub(super) begun: Vec<Begun>,
    pub(super) after: Arc<Incident>,
}

impl Batch {
    fn on(before: &Arc<Incident>) -> Self {
        Self {
            records: Vec::new(),
            redact: Vec::new(),
            answers: Vec::new(),
            begun: Vec::new(),
            after: Arc::clone(before),
        }
    }

    fn take(&mut self, decision: Decision) {
        self.records.extend(decision.records);
        self.redact.extend(decision.redact);
        self.after = Arc::new(decision.after);
    }

    pub(super) fn answered(self) -> Committed {
        Committed { answers: self.answers, begun: self.begun, state: self.after }
    }
}
