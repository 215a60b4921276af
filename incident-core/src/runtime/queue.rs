//! The one way into the store: the commands of one incident are decided on one state and committed together by the
//! incident's own task. If somebody else committed first, it loads that and decides again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::batch::Begun;
use super::engine::{Engine, News, locked};
use super::error::CommandError;
use super::handle::Done;
use super::lane::Lane;
use crate::log::chain;
use crate::log::event::Record;
use crate::log::incident::Incident;
use crate::log::index::index;
use crate::model::id::{CommandId, Digest, IncidentId, Seq};
use crate::model::role::Actor;
use crate::model::side::Side;
use crate::port::store::{Commit, CommitError, Hint, SlotRef};
use crate::rules::command::{Command, Refusal, Request};

/// What is asked of one incident, and its state as last seen.
///
/// Only the task that takes the lane's turns reads the store and commits, so no caller holds anything that others wait for.
#[derive(Debug, Default)]
pub(super) struct Queue {
    lane: Arc<Lane<Ask, Answer>>,
    seen: Mutex<Option<Seen>>,
    /// The last version that this engine committed or tried to.
    written: AtomicU64,
}

/// What is asked of an incident.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "most of what is asked is a command, and a box for each costs more"
)]
enum Ask {
    /// A command of a person or an alert. Those that wait together are committed together.
    Command(Request),
    /// The engine's own timers and outcomes, which begin what is due.
    Act(Vec<Command>),
    /// The present state.
    Look,
}

#[derive(Debug)]
enum Answer {
    Done(Result<Done, CommandError>),
    Acted(Result<Committed, CommandError>),
    Seen(Result<Seen, CommandError>),
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
#[derive(Debug)]
pub(super) struct Committed {
    pub(super) answers: Vec<Result<Done, CommandError>>,
    pub(super) begun: Vec<Begun>,
    pub(super) state: Arc<Incident>,
}

/// How often a commit is decided anew before its commands are answered with an error.
const ROUNDS: u32 = 64;

impl Engine {
    fn queue(&self, id: IncidentId) -> Arc<Queue> {
        locked(&self.0.queues).of(id)
    }

    async fn ask(&self, id: IncidentId, ask: Ask) -> Option<Answer> {
        let queue = self.queue(id);
        let cx = (self.clone(), Arc::clone(&queue));
        let turn = move |(engine, queue): (Self, Arc<Queue>)| async move { engine.turn(id, &queue).await };
        queue.lane.ask(ask, cx, turn).await
    }

    /// Queues a command. Its commit finishes although the caller goes away.
    pub(super) async fn submit(&self, id: IncidentId, request: Request) -> Result<Done, CommandError> {
        let command = request.id;
        match self.ask(id, Ask::Command(request)).await {
            Some(Answer::Done(done)) => done,
            _ => Err(CommandError::Unknown { incident: id, command }),
        }
    }

    /// Commits the engine's own requests, begins what it can carry out, and says what that is.
    pub(super) async fn act(
        &self,
        id: IncidentId,
        requests: Vec<Command>,
    ) -> Result<Committed, CommandError> {
        match self.ask(id, Ask::Act(requests)).await {
            Some(Answer::Acted(committed)) => committed,
            _ => Err(CommandError::Internal),
        }
    }

    /// The incident's present state.
    pub(super) async fn look_at(&self, id: IncidentId) -> Result<Seen, CommandError> {
        match self.ask(id, Ask::Look).await {
            Some(Answer::Seen(seen)) => seen,
            _ => Err(CommandError::Internal),
        }
    }

    /// Does what waits for an incident: the commands up to the engine's next request in one commit, or one of the engine's
    /// requests, or all looks.
    async fn turn(&self, id: IncidentId, queue: &Queue) {
        let mut first = None;
        let (asked, replies) = queue.lane.take(|ask| {
            let kind = std::mem::discriminant(ask);
            let joins = match first {
                None => true,
                Some(first) => first == kind && !matches!(ask, Ask::Act(_)),
            };
            first.get_or_insert(kind);
            joins
        });
        let mut seen = locked(&queue.seen).clone();
        let mut requests = Vec::with_capacity(asked.len());
        let mut acts = None;
        for ask in asked {
            match ask {
                Ask::Command(request) => requests.push(request),
                Ask::Act(commands) => acts = Some(commands),
                Ask::Look => {}
            }
        }
        // A panic leaves the state as it was before the turn; the callers hear that they weren't answered.
        let answers: Vec<Answer> = if let Some(commands) = acts {
            let requests: Vec<_> = commands.into_iter().map(|command| self.own_request(command)).collect();
            let begin = !self.is_stopping();
            vec![Answer::Acted(self.commit(id, queue, &mut seen, &requests, begin).await)]
        } else if requests.is_empty() {
            let looked = self.catch_up(id, &mut seen).await;
            let looked = looked.and_then(|()| seen.clone().ok_or(CommandError::Refused(Refusal::NoIncident)));
            replies.iter().map(|_| Answer::Seen(looked.clone())).collect()
        } else {
            let begin = self.0.told.is_open() && !self.is_stopping();
            match self.commit(id, queue, &mut seen, &requests, begin).await {
                Ok(committed) => {
                    self.0.told.tell(News::Committed { state: committed.state, begun: committed.begun });
                    committed.answers.into_iter().map(Answer::Done).collect()
                }
                Err(error) => {
                    let of = |request: &Request| Answer::Done(Err(error.clone().of(id, request.id)));
                    requests.iter().map(of).collect()
                }
            }
        };
        *locked(&queue.seen) = seen;
        for (reply, answer) in replies.into_iter().zip(answers) {
            let _ = reply.send(answer);
        }
    }

    /// Whether this engine committed itself what a hint tells of.
    pub(super) fn wrote(&self, hint: Hint) -> bool {
        let written = |queue: &Arc<Queue>| queue.written.load(Ordering::Relaxed) >= hint.version.0;
        locked(&self.0.queues).get(&hint.incident).is_some_and(written)
    }

    /// A request of the engine's own.
    pub(super) fn own_request(&self, command: Command) -> Request {
        let mut request = Request::new(self.new_command_id(), Actor::Engine, command);
        request.origin.source = "engine".to_owned();
        request
    }

    /// An incident as this engine saw it last, if it did: others may have committed since.
    pub(super) async fn last_seen(&self, id: Option<IncidentId>) -> Option<Arc<Incident>> {
        let queue = locked(&self.0.queues).get(&id?).cloned()?;
        let seen = locked(&queue.seen);
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
                    tracing::error!(%id, %error, "the store and the rules disagree");
                    *seen = None;
                    return Err(CommandError::Internal);
                }
            }
            self.catch_up(id, seen).await?;
            fresh = true;
            if let Some(now) = seen {
                // A hint of what somebody else committed may have been taken for one of ours.
                self.0.told.tell(News::Committed { state: Arc::clone(&now.incident), begun: Vec::new() });
            }
        }
        Err(unknown(id))
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
                    tracing::error!(id = %state.id, %error, "the store and the rules disagree");
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
            CommandError::Store(_) => unknown(id),
            other => other,
        })?;
        let Some(now) = seen.as_ref().filter(|now| now.incident.version >= last) else { return Ok(false) };
        if now.incident.version == last {
            return Ok(now.head == head);
        }
        let log = self.0.store.load(id, Seq::ZERO).await.map_err(|_| unknown(id))?;
        Ok(log.iter().any(|stored| stored.seq == last && stored.chain == head))
    }
}

/// Nobody knows whether a commit stands. Each of its commands is told so [under its own id](CommandError::of).
fn unknown(incident: IncidentId) -> CommandError {
    CommandError::Unknown { incident, command: CommandId::named("") }
}

/// Why an incident is left alone, if it is for what its log holds.
pub(super) fn unreadable(error: &CommandError) -> Option<String> {
    match error {
        CommandError::Unreadable(why) => Some(why.to_string()),
        CommandError::Newer { .. } => Some(error.to_string()),
        _ => None,
    }
}
