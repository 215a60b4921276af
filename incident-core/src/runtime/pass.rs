//! One pass over one incident: its timers, looks and effects, until nothing is due.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::Notify;

use super::batch::Begun;
use super::engine::{Engine, News, Rest, locked};
use super::error::CommandError;
use super::queue::{Committed, unreadable};
use super::work::Room;
use crate::log::incident::Incident;
use crate::log::wake::next_wake;
use crate::model::id::{IncidentId, Seq};
use crate::model::time::{Time, after, since};
use crate::rules::command::{Command, Conclude};
use crate::rules::due::due;

/// How long an incident rests that this engine can do nothing for.
const REST: Duration = Duration::from_secs(5);
/// How long an incident rests that can't be read, or that the rules fail on.
const LONG_REST: Duration = Duration::from_secs(60);
/// How long an incident rests after the store failed.
pub(super) const STORE_DOWN: Duration = Duration::from_secs(2);
/// How long a pass waits for its calls without looking whether somebody else planned something.
const NAP: Duration = Duration::from_secs(1);
/// After so long, a pass that waits for its calls leaves its place in the loop to another.
const SLOW: Duration = Duration::from_millis(250);
/// How many timers and looks in a row a pass takes: more only come of a runbook whose lengths of time are zero.
const TURNS: u32 = 16;

/// How a pass over one incident ended.
#[derive(Debug)]
pub(super) enum Passed {
    /// Nothing is due now; something will be then.
    Clear(Option<Time>),
    /// Something still is, and this engine can't do it.
    Left,
    /// Something still is, and every place at its backend is taken.
    Full,
    /// The incident can't be read.
    Unreadable(String),
    /// The store failed, or something has a defect.
    Failed,
}

impl Passed {
    /// When the incident wants something next, as far as this pass knows.
    pub(super) fn next(&self) -> Option<Time> {
        match self {
            Self::Clear(next) => *next,
            _ => None,
        }
    }
}

/// What an incident is left with after a pass: its state, and whether something is still due.
struct Left {
    state: Arc<Incident>,
    still: Option<Room>,
}

/// The calls of an incident that are under way, and what each comes to.
type Calls = FuturesUnordered<BoxFuture<'static, Command>>;

/// Goes on with the calls while something else is waited for: a slow store mustn't hold them up.
async fn meanwhile<T>(calls: &mut Calls, heard: &mut Vec<Command>, something: impl Future<Output = T>) -> T {
    let mut something = std::pin::pin!(something);
    loop {
        tokio::select! {
            biased;
            done = &mut something => return done,
            Some(outcome) = calls.next() => heard.push(outcome),
        }
    }
}

/// Marks an incident as one that a pass of this engine is at, until dropped.
pub(super) struct Busy {
    engine: Engine,
    id: IncidentId,
    /// Wakes the pass: somebody planned something, or a place is free.
    changed: Arc<Notify>,
}

impl Busy {
    /// None if a pass is at the incident already.
    pub(super) fn at(engine: &Engine, id: IncidentId) -> Option<Self> {
        let mut busy = locked(&engine.0.busy);
        if busy.contains_key(&id) {
            return None;
        }
        let changed = Arc::<Notify>::default();
        busy.insert(id, Arc::clone(&changed));
        Some(Self { engine: engine.clone(), id, changed })
    }

    pub(super) fn id(&self) -> IncidentId {
        self.id
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        locked(&self.engine.0.busy).remove(&self.id);
    }
}

/// Counts a pass as one that only waits for slow calls, until dropped.
struct Slow(Engine);

impl Slow {
    fn new(engine: &Engine) -> Self {
        engine.0.slow.fetch_add(1, Ordering::Relaxed);
        engine.0.slowed.notify_one();
        Self(engine.clone())
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        self.0.0.slow.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Engine {
    /// Wakes the pass over an incident, if one is at it.
    pub(super) fn wake_pass(&self, id: IncidentId) -> bool {
        let busy = locked(&self.0.busy);
        let pass = busy.get(&id);
        pass.inspect(|changed| changed.notify_one()).is_some()
    }

    fn rest(&self, id: IncidentId, version: Seq, length: Duration) {
        let until = after(self.now(), length);
        locked(&self.0.resting).insert(id, Rest { until, version });
    }

    /// Does what an incident wants, until it wants nothing now. Nothing that fails here concerns another incident.
    pub(super) async fn pass(self, busy: Busy, until: Time) -> Passed {
        let id = busy.id;
        let worked = AssertUnwindSafe(self.work_off_claimed(&busy, until)).catch_unwind().await;
        let end = match worked.unwrap_or(Err(CommandError::Internal)) {
            Ok(Left { state, still: None }) => Passed::Clear(next_wake(&state)),
            Ok(Left { state, still: Some(room) }) => {
                self.rest(id, state.version, REST.min(self.0.lease));
                if room == Room::Full { Passed::Full } else { Passed::Left }
            }
            Err(error) => self.failed(id, &error).await,
        };
        tracing::debug!(%id, ?end, "passed");
        // Whoever woke the pass while it came to an end is heard in another one.
        let woken = busy.changed.notified().now_or_never().is_some();
        drop(busy);
        if woken {
            self.0.told.tell(News::Room(id));
        }
        end
    }

    async fn failed(&self, id: IncidentId, error: &CommandError) -> Passed {
        if let Some(why) = unreadable(error) {
            self.rest(id, Seq(u64::MAX), LONG_REST);
            self.alarm(id, "An incident can't be read by this version and is left alone", &why).await;
            return Passed::Unreadable(why);
        }
        if matches!(error, CommandError::Internal) {
            self.rest(id, Seq(u64::MAX), LONG_REST);
            let what = "A defect stops the work on an incident; the other incidents go on";
            self.alarm(id, what, "The engine's log names the place. Until it is repaired, respond by hand.")
                .await;
        } else {
            tracing::warn!(%id, %error, "a pass over an incident failed");
            self.rest(id, Seq(u64::MAX), STORE_DOWN);
        }
        Passed::Failed
    }

    /// Carries out effects that a command's own commit began.
    pub(super) async fn carry_on(self, state: Arc<Incident>, begun: Vec<Begun>) -> Option<Time> {
        let id = state.id;
        let busy = Busy::at(&self, id);
        // A pass that is at the incident does what else is due.
        let until = if busy.is_some() { Time::MAX_UTC } else { Time::MIN_UTC };
        let changed = busy.as_ref().map_or_else(Arc::default, |busy| Arc::clone(&busy.changed));
        let worked = AssertUnwindSafe(self.work_off(state, begun, &changed, until)).catch_unwind().await;
        let next = match worked.unwrap_or(Err(CommandError::Internal)) {
            Ok(Left { state, still: None }) => next_wake(&state),
            Ok(Left { .. }) => None,
            Err(error) => {
                tracing::warn!(%id, %error, "effects that were begun can't be carried on; they are looked for later");
                None
            }
        };
        if busy.is_none() {
            self.wake_pass(id);
        }
        next
    }

    /// Works a claimed incident off. One that wanted nothing was claimed because an older fold computed its row.
    async fn work_off_claimed(&self, busy: &Busy, until: Time) -> Result<Left, CommandError> {
        let before = self.look_at(busy.id).await?.incident;
        let version = before.version;
        let left = self.work_off(before, Vec::new(), &busy.changed, until).await?;
        if left.still.is_none() && left.state.version == version {
            self.refresh(&left.state).await?;
        }
        Ok(left)
    }

    /// Works an incident off: timers, looks and effects, every lane beside the others.
    async fn work_off(
        &self,
        mut state: Arc<Incident>,
        begun: Vec<Begun>,
        changed: &Notify,
        until: Time,
    ) -> Result<Left, CommandError> {
        let id = state.id;
        let mut calls = Calls::new();
        // What calls came to and isn't recorded yet.
        let mut heard: Vec<Command> = Vec::new();
        let (mut turns, mut looking, mut slow) = (0, false, None);
        self.call_all(&mut calls, &state, begun);
        loop {
            if !heard.is_empty() {
                let outcomes = std::mem::take(&mut heard);
                looking &= !outcomes.iter().any(|it| matches!(it, Command::Look(_)));
                if outcomes.iter().any(|it| matches!(it, Command::Conclude(_))) {
                    turns = 0;
                }
                let committed = meanwhile(&mut calls, &mut heard, self.act(id, outcomes)).await?;
                state = self.take(&mut calls, committed);
                continue;
            }
            let now = state.present(self.now());
            let wanted = due(&state, now);
            let begins = self.now() < until && !self.is_stopping() && turns < TURNS;
            if begins {
                let startable = wanted.start.iter().any(|seq| self.room(&state, *seq) == Room::Free);
                if wanted.wake || startable {
                    turns += 1;
                    let commands = if wanted.wake { vec![Command::Wake] } else { Vec::new() };
                    let committed = meanwhile(&mut calls, &mut heard, self.act(id, commands)).await?;
                    let progressed = committed.state.version > state.version;
                    state = self.take(&mut calls, committed);
                    if progressed || !heard.is_empty() {
                        continue;
                    }
                }
                if wanted.look && !looking && !self.leaves_look(&state, now) {
                    (turns, looking) = (turns + 1, true);
                    let (engine, state) = (self.clone(), Arc::clone(&state));
                    calls.push(async move { Command::Look(engine.look(&state).await) }.boxed());
                }
            }
            if calls.is_empty() {
                let freed = wanted.start.iter().any(|seq| self.room(&state, *seq) == Room::Free);
                if begins && freed {
                    continue;
                }
                return Ok(self.left(state));
            }
            if begins {
                self.wait_for_room(&state, &wanted.start);
            }
            // A slow call mustn't keep a timer of the same incident waiting, nor what somebody else plans meanwhile.
            let next = wanted.next.filter(|next| *next > now && begins).map_or(NAP, |next| since(next, now));
            tokio::select! {
                biased;
                Some(outcome) = calls.next() => {
                    heard.push(outcome);
                    slow = None;
                    // What came to an end meanwhile is recorded with it.
                    while let Some(Some(outcome)) = calls.next().now_or_never() {
                        heard.push(outcome);
                    }
                    continue;
                }
                () = changed.notified() => {}
                () = self.0.time.sleep(next.min(NAP)) => {}
                () = tokio::time::sleep(SLOW), if slow.is_none() => {
                    slow = Some(Slow::new(self));
                    continue;
                }
            }
            match meanwhile(&mut calls, &mut heard, self.look_at(id)).await {
                Ok(seen) => state = seen.incident,
                // The calls go on while the store is away, and this is tried again.
                Err(CommandError::Store(error)) => {
                    tracing::debug!(%id, %error, "the incident can't be read now");
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What an incident is left with that no call of this engine is under way for.
    fn left(&self, state: Arc<Incident>) -> Left {
        let wanted = due(&state, state.present(self.now()));
        let rooms = || wanted.start.iter().map(|seq| self.room(&state, *seq));
        let still = if wanted.wake || wanted.look || !wanted.start.is_empty() {
            // A place that is free by now is taken in the next pass, like one that will be.
            Some(if rooms().any(|room| room != Room::NoAdapter) { Room::Full } else { Room::NoAdapter })
        } else {
            None
        };
        if still == Some(Room::Full) {
            self.wait_for_room(&state, &wanted.start);
        }
        Left { state, still }
    }

    /// Waits for places of effects that may begin and have none: the loop is told once there is one.
    fn wait_for_room(&self, state: &Incident, startable: &[Seq]) {
        for seq in startable.iter().filter(|seq| self.room(state, **seq) == Room::Full) {
            // A place that became free since then is given back at once, which offers it to the most urgent.
            drop(self.place(state, *seq));
        }
    }

    /// Begins the calls of what a commit began.
    fn take(&self, calls: &mut Calls, committed: Committed) -> Arc<Incident> {
        self.call_all(calls, &committed.state, committed.begun);
        committed.state
    }

    fn call_all(&self, calls: &mut Calls, state: &Arc<Incident>, begun: Vec<Begun>) {
        for begun in begun {
            let Some(effect) = state.effects.get(&begun.effect).cloned() else { continue };
            let (engine, state) = (self.clone(), Arc::clone(state));
            let call = async move {
                let (seq, attempt) = (effect.seq, effect.attempts);
                let result = engine.perform(state, effect, begun).await;
                Command::Conclude(Box::new(Conclude { effect: seq, attempt, result }))
            };
            calls.push(call.boxed());
        }
    }
}
