//! The one way into the store: commands of one incident wait for each other, are decided on one state and committed
//! together; what somebody else committed first is loaded, and they are decided again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::OwnedSemaphorePermit;

use super::engine::{Engine, News, locked};
use super::error::CommandError;
use super::handle::Done;
use super::lane::Lane;
use crate::domain::chain;
use crate::domain::command::{Command, Refusal, Request};
use crate::domain::event::Record;
use crate::domain::id::{Digest, IncidentId, Seq};
use crate::domain::incident::{Incident, Side};
use crate::domain::index::index;
use crate::domain::role::Actor;
use crate::port::store::{Commit, CommitError, Hint, SlotRef};

/// The commands that wait for one incident, and its state as last seen.
#[derive(Debug, Default)]
pub(super) struct Queue {
    lane: Arc<Lane<Request, Result<Done, CommandError>>>,
    seen: tokio::sync::Mutex<Option<Seen>>,
    /// The last version that this engine committed or tried to.
    written: AtomicU64,
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

impl Engine {
    fn queue(&self, id: IncidentId) -> Arc<Queue> {
        locked(&self.0.queues).of(id)
    }

    /// Queues a command. Its commit finishes although the caller is gone.
    pub(super) async fn submit(&self, id: IncidentId, request: Request) -> Result<Done, CommandError> {
        let command = request.id;
        let queue = self.queue(id);
        let cx = (self.clone(), Arc::clone(&queue));
        let turn = move |(engine, queue): (Self, Arc<Queue>)| async move { engine.drain(id, &queue).await };
        let answered = queue.lane.ask(request, cx, turn).await;
        answered.unwrap_or(Err(CommandError::Unknown { command }))
    }

    /// Commits whatever waits for an incident, as one.
    async fn drain(&self, id: IncidentId, queue: &Queue) {
        let mut seen = queue.seen.lock().await;
        let (requests, replies) = queue.lane.take(|_| true);
        if requests.is_empty() {
            return;
        }
        let place = self.place();
        match self.commit(id, queue, &mut seen, &requests, place.is_some()).await {
            Ok(committed) => {
                let place = place.filter(|_| !committed.begun.is_empty());
                self.tell(News { state: committed.state, begun: committed.begun, place });
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
    fn tell(&self, news: News) {
        if let Some(told) = &*locked(&self.0.told) {
            let _ = told.send(news);
        }
    }

    /// A place in a running loop to carry out at once what a commit begins: what has to wait would outlive its lease.
    fn place(&self) -> Option<OwnedSemaphorePermit> {
        let runs = locked(&self.0.told).as_ref().is_some_and(|told| !told.is_closed());
        runs.then(|| Arc::clone(&self.0.places).try_acquire_owned().ok())?
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

    /// An incident as this engine saw it last, if it did: others may have committed since.
    pub(super) async fn last_seen(&self, id: Option<IncidentId>) -> Option<Arc<Incident>> {
        let queue = locked(&self.0.queues).get(&id?).cloned()?;
        let seen = queue.seen.lock().await;
        seen.as_ref().map(|seen| Arc::clone(&seen.incident))
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
        let others = self.others(requests).await?;
        for _ in 0..ROUNDS {
            let Some(before) = seen.as_ref() else { break };
            let batch = self.decide_batch(&before.incident, requests, &taken, &others, open_incidents, begin);
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
                self.tell(News { state: Arc::clone(&now.incident), begun: Vec::new(), place: None });
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
}

/// Why an incident is left alone, if it is for what its log holds.
pub(super) fn unreadable(error: &CommandError) -> Option<String> {
    match error {
        CommandError::Unreadable(why) => Some(why.to_string()),
        CommandError::Newer { .. } => Some(error.to_string()),
        _ => None,
    }
}
