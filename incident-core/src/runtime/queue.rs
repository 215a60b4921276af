//! The one way into the store: commands of one incident wait for each other, are decided on one state and committed
//! together; what somebody else committed first is loaded, and they are decided again.

use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::engine::{Engine, locked};
use super::error::CommandError;
use super::handle::Done;
use crate::domain::chain;
use crate::domain::command::{Begin, Command, Refusal, Request};
use crate::domain::context::Context;
use crate::domain::decide::{Decision, decide};
use crate::domain::due::due;
use crate::domain::event::{Fact, Record};
use crate::domain::id::{Digest, IncidentId, Seq};
use crate::domain::incident::{Incident, Side};
use crate::domain::index::{Summary, index};
use crate::domain::phase::Phase;
use crate::domain::role::Actor;
use crate::port::store::{Commit, CommitError, Query, SlotRef};

/// The commands that wait for one incident, and its state as last seen.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Vec<Submission>>,
    seen: tokio::sync::Mutex<Option<Seen>>,
}

#[derive(Debug)]
struct Submission {
    request: Request,
    reply: oneshot::Sender<Result<Done, CommandError>>,
}

/// A state and the chain's head after it. The state is shared, for it has more in it the longer an incident lasts.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) incident: Arc<Incident>,
    pub(super) head: Digest,
}

/// What a commit answers, and the effects it began for this engine to carry out.
pub(super) struct Committed {
    pub(super) answers: Vec<Result<Done, CommandError>>,
    pub(super) begun: Vec<Seq>,
    pub(super) state: Arc<Incident>,
}

/// How often a commit is decided anew before its commands are answered with an error.
const ROUNDS: u32 = 64;
/// How many queues are kept although nobody uses them, for the states they hold.
const KEPT: usize = 1_024;

impl Engine {
    fn queue(&self, id: IncidentId) -> Arc<Queue> {
        let mut queues = locked(&self.0.queues);
        if queues.len() > KEPT {
            queues.retain(|_, queue| Arc::strong_count(queue) > 1);
        }
        Arc::clone(queues.entry(id).or_default())
    }

    /// Queues a command. Its commit finishes although the caller is gone.
    pub(super) async fn submit(&self, id: IncidentId, request: Request) -> Result<Done, CommandError> {
        let command = request.id;
        let queue = self.queue(id);
        let (reply, answer) = oneshot::channel();
        locked(&queue.waiting).push(Submission { request, reply });
        let engine = self.clone();
        tokio::spawn(async move { engine.drain(id, &queue).await });
        answer.await.unwrap_or(Err(CommandError::Unknown { command }))
    }

    /// Commits whatever waits for an incident, as one.
    async fn drain(&self, id: IncidentId, queue: &Queue) {
        let mut seen = queue.seen.lock().await;
        let waiting = std::mem::take(&mut *locked(&queue.waiting));
        if waiting.is_empty() {
            return;
        }
        let (requests, replies): (Vec<_>, Vec<_>) =
            waiting.into_iter().map(|it| (it.request, it.reply)).unzip();
        let handoff = locked(&self.0.handoff).clone();
        match self.commit(id, &mut seen, &requests, handoff.is_some()).await {
            Ok(committed) => {
                if let (Some(loop_), false) = (handoff, committed.begun.is_empty()) {
                    // A loop that is gone leaves the effects begun; another pass looks for them when their lease ends.
                    let _ = loop_.send((committed.state, committed.begun));
                }
                for (reply, answer) in replies.into_iter().zip(committed.answers) {
                    let _ = reply.send(answer);
                }
            }
            Err(error) => {
                for reply in replies {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
    }

    /// Commits the engine's own requests, begins what it can carry out, and says what that is.
    pub(super) async fn act(&self, id: IncidentId, requests: &[Command]) -> Result<Committed, CommandError> {
        let queue = self.queue(id);
        let mut seen = queue.seen.lock().await;
        let requests: Vec<_> = requests.iter().map(|command| self.own_request(command.clone())).collect();
        self.commit(id, &mut seen, &requests, true).await
    }

    /// A request of the engine's own.
    pub(super) fn own_request(&self, command: Command) -> Request {
        let mut request = Request::new(self.new_command_id(), Actor::Engine, command);
        request.origin.source = "engine".to_owned();
        request
    }

    /// The incident's present state.
    pub(super) async fn look_at(&self, id: IncidentId) -> Result<Seen, CommandError> {
        let queue = self.queue(id);
        let mut seen = queue.seen.lock().await;
        self.catch_up(id, &mut seen).await?;
        seen.clone().ok_or(CommandError::Refused(Refusal::NoIncident))
    }

    /// Takes in what others committed.
    async fn catch_up(&self, id: IncidentId, seen: &mut Option<Seen>) -> Result<(), CommandError> {
        let blank = || Seen { incident: Arc::new(Incident::blank(id)), head: chain::origin(id) };
        let mut now = seen.take().unwrap_or_else(blank);
        let tail = self.0.store.load(id, now.incident.version).await;
        let tail = tail.map_err(|error| CommandError::Store(Arc::new(error)))?;
        if !tail.is_empty() {
            let state = Arc::make_mut(&mut now.incident);
            chain::extend(state, &mut now.head, &tail).map_err(CommandError::Unreadable)?;
        }
        *seen = Some(now);
        Ok(())
    }

    async fn commit(
        &self,
        id: IncidentId,
        seen: &mut Option<Seen>,
        requests: &[Request],
        begin: bool,
    ) -> Result<Committed, CommandError> {
        let mut fresh = seen.is_none();
        let mut taken: Vec<String> = Vec::new();
        if fresh {
            self.catch_up(id, seen).await?;
        }
        let side = seen.as_ref().map_or(Side::Live, |seen| seen.incident.side);
        let open_incidents = self.open_incidents(side, requests).await;
        for _ in 0..ROUNDS {
            let Some(before) = seen.as_ref() else { break };
            let batch = self.decide_batch(&before.incident, requests, &taken, open_incidents, begin);
            // What was decided on an old state may be answered otherwise on the present one.
            if !fresh && batch.answers.iter().any(|answer| !matches!(answer, Ok(done) if done.changed)) {
                self.catch_up(id, seen).await?;
                fresh = true;
                continue;
            }
            if batch.records.is_empty() {
                return Ok(batch.answered());
            }
            let at = before.incident.version;
            let (records, head) = chain::encode(&batch.records, before.head);
            let redact = batch.redact.iter().map(|(seq, slot)| SlotRef { seq: *seq, slot: *slot }).collect();
            let commit = Commit::new(records, index(&batch.after), self.now()).with_redacted(redact);
            match self.0.store.commit(id, at, &commit).await {
                Ok(()) => {
                    *seen = Some(Seen { incident: Arc::clone(&batch.after), head });
                    // A pass that is at the incident sees for itself.
                    if !self.is_busy(id) {
                        self.0.committed.notify_waiters();
                    }
                    return Ok(batch.answered());
                }
                Err(CommitError::Conflict) => {}
                Err(CommitError::KeyTaken { key, .. }) => taken.push(key),
                Err(CommitError::NewerFold { by }) => return Err(CommandError::Newer { by }),
                Err(CommitError::Unknown(error)) => {
                    tracing::warn!(%id, %error, "the reply to a commit was lost; looking whether it stands");
                    if self.stands(id, seen, &batch.records, head).await? {
                        return Ok(batch.answered());
                    }
                }
                Err(CommitError::Store(error)) => return Err(CommandError::Store(Arc::new(error))),
                Err(error @ CommitError::Invalid(_)) => {
                    tracing::error!(%id, %error, "the store and the domain disagree");
                    *seen = None;
                    return Err(CommandError::Unknown {
                        command: requests.first().map_or_else(|| self.new_command_id(), |it| it.id),
                    });
                }
            }
            self.catch_up(id, seen).await?;
            fresh = true;
        }
        Err(CommandError::Unknown {
            command: requests.first().map_or_else(|| self.new_command_id(), |it| it.id),
        })
    }

    /// Computes an incident's row anew. Who was faster has done it as well.
    pub(super) async fn refresh(&self, state: &Incident) -> Result<(), CommandError> {
        let mut row = index(state);
        loop {
            let commit = Commit::new(Vec::new(), row.clone(), self.now());
            match self.0.store.commit(state.id, state.version, &commit).await {
                Ok(()) | Err(CommitError::Conflict | CommitError::Unknown(_)) => return Ok(()),
                // Somebody took the name while the old row hid it: to be woken matters more than to hold it.
                Err(CommitError::KeyTaken { key, .. }) if row.keys.iter().any(|held| held.name == key) => {
                    row.keys.retain(|held| held.name != key);
                }
                Err(CommitError::NewerFold { by }) => return Err(CommandError::Newer { by }),
                Err(CommitError::Store(error)) => return Err(CommandError::Store(Arc::new(error))),
                Err(error @ (CommitError::KeyTaken { .. } | CommitError::Invalid(_))) => {
                    tracing::error!(id = %state.id, %error, "the store and the domain disagree");
                    return Ok(());
                }
            }
        }
    }

    /// Whether a commit whose reply was lost stands: the log leads through its head.
    async fn stands(
        &self,
        id: IncidentId,
        seen: &mut Option<Seen>,
        records: &[Record],
        head: Digest,
    ) -> Result<bool, CommandError> {
        let last = records.last().map_or(Seq::ZERO, |record| record.seq);
        self.catch_up(id, seen).await.map_err(|error| match error {
            CommandError::Store(_) => CommandError::Unknown {
                command: records.first().map_or_else(|| self.new_command_id(), |it| it.command),
            },
            other => other,
        })?;
        let Some(now) = seen.as_ref().filter(|now| now.incident.version >= last) else { return Ok(false) };
        if now.incident.version == last {
            return Ok(now.head == head);
        }
        let log =
            self.0.store.load(id, Seq::ZERO).await.map_err(|error| CommandError::Store(Arc::new(error)))?;
        Ok(log.iter().any(|stored| stored.seq == last && stored.chain == head))
    }

    /// Decides every request on the state the one before left, then begins what this engine can carry out.
    fn decide_batch(
        &self,
        before: &Arc<Incident>,
        requests: &[Request],
        taken: &[String],
        open_incidents: Option<u32>,
        begin: bool,
    ) -> Batch {
        let (runbook, digest) = self.in_force();
        let now = self.now().max(before.recorded_at);
        let mut batch = Batch::on(before);
        let cx = Context {
            now,
            runbook: &runbook,
            digest,
            live: self.registry(Side::Live).reach(),
            drill: self.registry(Side::Drill).reach(),
            taken,
            open_incidents,
            entropy: self.0.entropy.bytes(),
        };
        for request in requests {
            let first = batch.after.version.next();
            let answer = match decide(&batch.after, request, &cx) {
                Ok(decision) => {
                    let changed = !decision.records.is_empty();
                    let known = batch.after.commands.get(&request.id).copied();
                    batch.take(decision);
                    let seq = known.unwrap_or(if changed { first } else { batch.after.version });
                    Ok(Done { incident: before.id, seq, version: batch.after.version, changed })
                }
                Err(refusal) => Err(CommandError::Refused(refusal)),
            };
            batch.answers.push(answer);
        }
        if begin {
            self.begin(&mut batch, &cx);
        }
        batch
    }

    /// Claims the effects that may begin and that this engine has an adapter for, in the commit that plans them.
    fn begin(&self, batch: &mut Batch, cx: &Context<'_>) {
        let until = crate::domain::time::after(cx.now, self.0.lease);
        let begins: Vec<Begin> = due(&batch.after, cx.now)
            .start
            .into_iter()
            .filter_map(|effect| {
                let repeat = self.repeat(&batch.after, effect, cx.runbook)?;
                Some(Begin { effect, worker: self.0.worker.clone(), until, repeat })
            })
            .collect();
        if begins.is_empty() {
            return;
        }
        let mut request = Request::new(self.new_command_id(), Actor::Engine, Command::Start(begins));
        request.origin.source = "engine".to_owned();
        let Ok(decision) = decide(&batch.after, &request, cx) else { return };
        let begun = decision.records.iter().filter_map(|record| match &record.fact {
            Fact::EffectStarted(started) => Some(started.effect),
            _ => None,
        });
        batch.begun.extend(begun);
        batch.take(decision);
    }

    /// How many incidents of `side` are active, if a request of automation needs to know; none if nobody knows.
    async fn open_incidents(&self, side: Side, requests: &[Request]) -> Option<u32> {
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

/// What a round of decisions leads to.
#[derive(Debug)]
struct Batch {
    records: Vec<Record>,
    redact: Vec<(Seq, u32)>,
    answers: Vec<Result<Done, CommandError>>,
    begun: Vec<Seq>,
    after: Arc<Incident>,
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

    fn answered(self) -> Committed {
        Committed { answers: self.answers, begun: self.begun, state: self.after }
    }
}

/// Why an incident is left alone, if it is for what its log holds.
pub(super) fn unreadable(error: &CommandError) -> Option<String> {
    match error {
        CommandError::Unreadable(why) => Some(why.to_string()),
        CommandError::Newer { .. } => Some(error.to_string()),
        _ => None,
    }
}
