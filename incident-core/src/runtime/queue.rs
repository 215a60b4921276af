//! The one way into the store: commands of one incident wait for each other, are decided on one state and committed
//! together; what somebody else committed first is loaded, and they are decided again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::engine::{Engine, locked};
use super::error::CommandError;
use super::finishing::Finishing;
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
use crate::port::store::{Commit, CommitError, Hint, Query, SlotRef};

/// The commands that wait for one incident, and its state as last seen.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Vec<Submission>>,
    seen: tokio::sync::Mutex<Option<Seen>>,
    /// The last version that this engine committed or tried to.
    written: AtomicU64,
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

impl Seen {
    /// An incident before its first record.
    fn blank(id: IncidentId) -> Self {
        Self { incident: Arc::new(Incident::blank(id)), head: chain::origin(id) }
    }
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
        let (reply, mut answer) = oneshot::channel();
        locked(&queue.waiting).push(Submission { request, reply });
        let engine = self.clone();
        let drained = Finishing::new(async move { engine.drain(id, &queue).await });
        let answered = tokio::select! {
            biased;
            // Another caller's turn may have taken the command in.
            answered = &mut answer => answered,
            () = drained => answer.await,
        };
        answered.unwrap_or(Err(CommandError::Unknown { command }))
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
        let begin = self.has_room();
        match self.commit(id, queue, &mut seen, &requests, begin).await {
            Ok(committed) => {
                self.tell(&committed.state, committed.begun);
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
        self.commit(id, &queue, &mut seen, &requests, true).await
    }

    /// Tells a running loop what an incident has come to, and hands it the effects that a commit began.
    ///
    /// A loop that is gone leaves them begun; another pass looks for them when their lease ends.
    fn tell(&self, state: &Arc<Incident>, begun: Vec<Seq>) {
        if let Some(told) = &*locked(&self.0.handoff) {
            self.0.carrying.fetch_add(usize::from(!begun.is_empty()), Ordering::Relaxed);
            let _ = told.send((Arc::clone(state), begun));
        }
    }

    /// Whether a running loop can carry out at once what a commit begins: what has to wait would outlive its lease. Half
    /// of the places stay free for what waits in the store.
    fn has_room(&self) -> bool {
        let carrying = self.0.carrying.load(Ordering::Relaxed);
        carrying < self.0.parallel.div_ceil(2) && locked(&self.0.handoff).is_some()
    }

    /// Whether this engine knows what a hint tells of: it committed that itself, or a pass of it is at the incident.
    pub(super) fn knows(&self, hint: Hint) -> bool {
        let written = |queue: &Arc<Queue>| queue.written.load(Ordering::Relaxed) >= hint.version.0;
        self.is_busy(hint.incident) || locked(&self.0.queues).get(&hint.incident).is_some_and(written)
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
        let mut now = seen.take().unwrap_or_else(|| Seen::blank(id));
        let tail = self.0.store.load(id, now.incident.version).await;
        let tail = tail.map_err(|error| CommandError::Store(Arc::new(error)))?;
        if !tail.is_empty() {
            let state = Arc::make_mut(&mut now.incident);
            chain::extend(state, &mut now.head, &tail).map_err(CommandError::Unreadable)?;
            self.share_figures(state);
        }
        *seen = Some(now);
        Ok(())
    }

    async fn commit(
        &self,
        id: IncidentId,
        queue: &Queue,
        seen: &mut Option<Seen>,
        requests: &[Request],
        begin: bool,
    ) -> Result<Committed, CommandError> {
        let mut fresh = seen.is_none();
        let mut taken: Vec<String> = Vec::new();
        if fresh && requests.first().is_some_and(|it| matches!(it.command, Command::Declare(_))) {
            // There is most likely nothing to read; the store says so if there is.
            *seen = Some(Seen::blank(id));
            fresh = false;
        } else if fresh {
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
            // Before it stands, for the hint of it may be faster than its answer.
            queue.written.store(batch.after.version.0, Ordering::Relaxed);
            let committed = self.0.store.commit(id, at, &commit).await;
            if committed.is_err() {
                queue.written.store(0, Ordering::Relaxed);
            }
            match committed {
                Ok(()) => {
                    *seen = Some(Seen { incident: Arc::clone(&batch.after), head });
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
            if let Some(now) = seen {
                // A hint of what somebody else committed may have been taken for one of ours.
                self.tell(&now.incident, Vec::new());
            }
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
