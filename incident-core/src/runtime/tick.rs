//! Doing what is due: one pass over what wants attention, and the loop of passes.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Fuse, FusedFuture};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc;

use super::engine::{Engine, News, locked};
use super::error::CommandError;
use super::queue::{Committed, unreadable};
use crate::domain::command::{Command, Conclude};
use crate::domain::due::{due, next_wake};
use crate::domain::id::{IncidentId, Seq};
use crate::domain::incident::Incident;
use crate::domain::time::{Time, after};
use crate::port::store::{Claim, StoreError};

/// What a pass did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tick {
    /// How many incidents were looked at.
    pub ran: usize,
    /// How many of them still want something now: this engine has no adapter for it, or the time was up.
    pub left: usize,
    /// When something wants attention next, UTC; none exactly when nothing is owed.
    pub next_wake: Option<Time>,
    /// The incidents that this version can't read, and why.
    pub unreadable: BTreeMap<IncidentId, String>,
}

/// How long an incident rests that this engine can do nothing for.
const REST: Duration = Duration::from_secs(5);
/// How long the loop sleeps at most, for stores whose hints never come.
const NAP: Duration = Duration::from_secs(1);
/// How long the loop waits after the store failed.
const STORE_DOWN: Duration = Duration::from_secs(2);

/// The calls of an incident that are under way, and what each comes to.
type Calls<'a> = FuturesUnordered<BoxFuture<'a, Vec<Command>>>;

/// Goes on with the calls while something else is waited for: none may be left standing by a slow store.
async fn meanwhile<T>(
    calls: &mut Calls<'_>,
    heard: &mut Vec<Command>,
    something: impl Future<Output = T>,
) -> T {
    let mut something = std::pin::pin!(something);
    loop {
        tokio::select! {
            biased;
            done = &mut something => return done,
            Some(outcome) = calls.next() => heard.extend(outcome),
        }
    }
}

/// How a pass over one incident ended.
#[derive(Debug)]
enum Passed {
    /// Nothing is due now; something will be then.
    Clear(Option<Time>),
    /// Something still is, and this engine can't do it.
    Left,
    /// The incident can't be read.
    Unreadable(String),
    /// The store failed.
    Failed,
}

impl Passed {
    /// When the incident wants something next, as far as this pass knows.
    fn next(&self) -> Option<Time> {
        match self {
            Self::Clear(next) => *next,
            _ => None,
        }
    }
}

impl Engine {
    /// Does what is due, once, inside this future. Begins nothing at or after `until`, and finishes what it began.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't say what is due.
    pub async fn tick(&self, until: Time) -> Result<Tick, StoreError> {
        let mut tick = Tick::default();
        let mut passes: FuturesUnordered<_> = self
            .claim()
            .await?
            .into_iter()
            .map(|id| self.pass(id, until).map(move |end| (id, end)))
            .collect();
        while let Some((id, end)) = passes.next().await {
            tick.ran += 1;
            match end {
                Passed::Clear(_) => {}
                Passed::Left | Passed::Failed => tick.left += 1,
                Passed::Unreadable(why) => {
                    tick.unreadable.insert(id, why);
                }
            }
        }
        tick.next_wake = self.0.store.next_wake().await?;
        Ok(tick)
    }

    /// Does what is due, as long as `shutdown` doesn't complete. Then it begins nothing new and finishes the calls under
    /// way, each to its own deadline.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        let (told, mut news) = mpsc::unbounded_channel();
        *locked(&self.0.told) = Some(told);
        let mut passes: FuturesUnordered<BoxFuture<'_, Option<Time>>> = FuturesUnordered::new();
        let mut hints = self.0.store.hints();
        let mut shutdown = std::pin::pin!(shutdown.fuse());
        let mut wake = Time::MIN_UTC;
        // How many the last claim brought, and how many came to an end since.
        let (mut brought, mut ended) = (0, 0);
        let mut finding = std::pin::pin!(Fuse::terminated());
        loop {
            if wake <= self.now() && finding.is_terminated() {
                wake = Time::MAX_UTC;
                finding.set(self.find_work(passes.len()).fuse());
            }
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(it) = news.recv() => {
                    if it.begun.is_empty() {
                        wake = next_wake(&it.state).map_or(wake, |next| wake.min(next));
                    } else {
                        passes.push(self.carry_on(it).boxed());
                    }
                }
                Some(next) = passes.next() => {
                    ended += 1;
                    // Places are free, and something may have waited for them; but a claim for each costs more than it
                    // brings.
                    let was_full = passes.len() + ended >= self.0.parallel && ended * 4 >= brought;
                    wake = if was_full { Time::MIN_UTC } else { next.map_or(wake, |next| wake.min(next)) };
                }
                (claimed, next) = &mut finding, if !finding.is_terminated() => {
                    (brought, ended) = (claimed.len(), 0);
                    passes.extend(claimed.into_iter().map(|id| {
                        self.pass(id, Time::MAX_UTC).map(|end| end.next()).boxed()
                    }));
                    wake = wake.min(next);
                }
                Some(hint) = hints.next() => if !self.knows(hint) { wake = Time::MIN_UTC },
                () = self.0.clock.sleep_until(wake), if finding.is_terminated() => {}
            }
        }
        *locked(&self.0.told) = None;
        while let Ok(it) = news.try_recv() {
            if !it.begun.is_empty() {
                passes.push(self.carry_on(it).boxed());
            }
        }
        while passes.next().await.is_some() {}
    }

    /// Claims what wants a pass, if there is room beside `passes`, and says when to look again.
    async fn find_work(&self, passes: usize) -> (Vec<IncidentId>, Time) {
        let now = self.now();
        // What is due now and not claimed rests, or is somebody else's.
        let soon = after(now, NAP);
        if passes >= self.0.parallel {
            return (Vec::new(), soon);
        }
        let next = self.0.store.next_wake().await.ok().flatten();
        match self.claim().await {
            Ok(claimed) => (claimed, next.filter(|next| *next > now).map_or(soon, |next| next.min(soon))),
            Err(error) => {
                tracing::warn!(%error, "the store can't say what is due");
                (Vec::new(), after(now, STORE_DOWN))
            }
        }
    }

    /// Claims incidents that want something and that no pass of this engine is at.
    async fn claim(&self) -> Result<Vec<IncidentId>, StoreError> {
        let now = self.now();
        let except: Vec<IncidentId> = {
            let mut resting = locked(&self.0.resting);
            resting.retain(|_, until| *until > now);
            resting.keys().copied().collect()
        };
        let limit = u32::try_from(self.0.parallel).unwrap_or(u32::MAX);
        let claim = Claim::new(&self.0.worker, now, after(now, self.0.lease), limit).except(except);
        let mut claimed = self.0.store.claim(&claim).await?;
        let mut busy = locked(&self.0.busy);
        claimed.retain(|id| busy.insert(*id));
        Ok(claimed)
    }

    pub(super) fn is_busy(&self, id: IncidentId) -> bool {
        locked(&self.0.busy).contains(&id)
    }

    /// Does what an incident wants, until it wants nothing now.
    async fn pass(&self, id: IncidentId, until: Time) -> Passed {
        let _busy = Busy { engine: self, id };
        let end = match self.work_off_claimed(id, until).await {
            Ok(Some(state)) => Passed::Clear(next_wake(&state)),
            Ok(None) => {
                locked(&self.0.resting).insert(id, after(self.now(), REST.min(self.0.lease)));
                Passed::Left
            }
            Err(error) => match unreadable(&error) {
                Some(why) => {
                    locked(&self.0.resting).insert(id, after(self.now(), REST * 12));
                    self.alarm(id, &why).await;
                    Passed::Unreadable(why)
                }
                None => {
                    tracing::warn!(%id, %error, "a pass over an incident failed");
                    locked(&self.0.resting).insert(id, after(self.now(), STORE_DOWN));
                    Passed::Failed
                }
            },
        };
        tracing::debug!(%id, ?end, "passed");
        end
    }

    /// Carries out effects that a command's own commit began.
    async fn carry_on(&self, News { state, begun, place: _place }: News) -> Option<Time> {
        let id = state.id;
        let _busy = locked(&self.0.busy).insert(id).then(|| Busy { engine: self, id });
        match self.work_off(state, begun, Time::MAX_UTC).await {
            Ok(state) => state.and_then(|state| next_wake(&state)),
            Err(error) => {
                tracing::warn!(%id, %error, "effects that were begun can't be carried on; they are looked for later");
                None
            }
        }
    }

    /// Works a claimed incident off. One that wanted nothing was claimed for its row, which an older fold computed.
    async fn work_off_claimed(
        &self,
        id: IncidentId,
        until: Time,
    ) -> Result<Option<Arc<Incident>>, CommandError> {
        let before = self.look_at(id).await?.incident;
        let version = before.version;
        let after = self.work_off(before, Vec::new(), until).await?;
        if let Some(state) = after.as_ref().filter(|state| state.version == version) {
            self.refresh(state).await?;
        }
        Ok(after)
    }

    /// Works an incident off: timers, looks and effects, every lane beside the others. Its state, if nothing is due any
    /// more.
    async fn work_off(
        &self,
        mut state: Arc<Incident>,
        begun: Vec<Seq>,
        until: Time,
    ) -> Result<Option<Arc<Incident>>, CommandError> {
        let id = state.id;
        let mut calls: Calls<'_> = FuturesUnordered::new();
        // What calls came to and isn't recorded yet.
        let mut heard: Vec<Command> = Vec::new();
        self.call_all(&mut calls, &state, begun);
        loop {
            let now = self.now();
            let wanted = due(&state, now);
            if !heard.is_empty() {
                let outcomes = std::mem::take(&mut heard);
                let committed = meanwhile(&mut calls, &mut heard, self.act(id, &outcomes)).await?;
                state = self.take(&mut calls, committed);
                continue;
            }
            if now < until {
                let mut commands = Vec::new();
                if wanted.wake {
                    commands.push(Command::Wake);
                }
                let startable = wanted.start.iter().any(|seq| self.has_adapter(&state, *seq));
                if wanted.wake || startable {
                    let committed = meanwhile(&mut calls, &mut heard, self.act(id, &commands)).await?;
                    let progressed = committed.state.version > state.version;
                    state = self.take(&mut calls, committed);
                    if progressed || !heard.is_empty() {
                        continue;
                    }
                }
                if wanted.look && !self.leaves_look(&state, now) {
                    let looked = meanwhile(&mut calls, &mut heard, self.look(&state)).await;
                    heard.push(Command::Look(looked));
                    continue;
                }
            }
            if calls.is_empty() {
                let now = self.now();
                let wanted = due(&state, now);
                let clear = !wanted.wake && !wanted.look && wanted.start.is_empty();
                return Ok(clear.then_some(state));
            }
            // A slow call mustn't keep a timer of the same incident waiting.
            let next = wanted.next.filter(|next| *next > now && now < until).unwrap_or(Time::MAX_UTC);
            tokio::select! {
                biased;
                Some(outcome) = calls.next() => {
                    heard.extend(outcome);
                    // What came to an end meanwhile is recorded with it.
                    while let Some(Some(outcome)) = calls.next().now_or_never() {
                        heard.extend(outcome);
                    }
                }
                () = self.0.clock.sleep_until(next) => {
                    state = meanwhile(&mut calls, &mut heard, self.look_at(id)).await?.incident;
                }
            }
        }
    }

    /// Begins the calls of what a commit began.
    fn take<'a>(&'a self, calls: &mut Calls<'a>, committed: Committed) -> Arc<Incident> {
        self.call_all(calls, &committed.state, committed.begun);
        committed.state
    }

    fn call_all<'a>(&'a self, calls: &mut Calls<'a>, state: &Arc<Incident>, begun: Vec<Seq>) {
        for seq in begun {
            let Some(effect) = state.effects.get(&seq).cloned() else { continue };
            let state = Arc::clone(state);
            let call = async move {
                let result = self.perform(&state, &effect).await;
                let attempt = effect.attempts;
                vec![Command::Conclude(Box::new(Conclude { effect: effect.seq, attempt, result }))]
            };
            calls.push(call.boxed());
        }
    }
}

/// Marks an incident as one that a pass is at, until dropped.
struct Busy<'a> {
    engine: &'a Engine,
    id: IncidentId,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        locked(&self.engine.0.busy).remove(&self.id);
    }
}
