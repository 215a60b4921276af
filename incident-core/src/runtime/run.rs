//! The loop of passes: it takes up what is due, what others committed, and what waited for a place.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Fuse, FusedFuture};
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::engine::{Engine, News, locked};
use super::pass::{Busy, STORE_DOWN};
use super::tick::Claimed;
use crate::log::incident::Incident;
use crate::log::wake::{HEARTBEAT, next_wake};
use crate::model::id::{EffectId, Seq};
use crate::model::side::Side;
use crate::model::time::SKEW;
use crate::model::time::{Time, after, since};
use crate::port::store::{Hint, Query};

/// How long the loop sleeps at most, for stores whose hints never come.
const NAP: Duration = Duration::from_secs(1);

/// The passes of a loop; each says when its incident wants something next.
type Passes = FuturesUnordered<BoxFuture<'static, Option<Time>>>;

impl Engine {
    /// Does what is due, as long as `shutdown` doesn't complete. Then it begins nothing new and finishes the calls under
    /// way, each to its own deadline.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        self.0.stopping.store(false, Ordering::Relaxed);
        let mut news = self.0.told.open();
        let mut passes = Passes::new();
        let mut hints = self.0.store.hints().fuse();
        let mut shutdown = std::pin::pin!(shutdown.fuse());
        let mut wake = Time::MIN_UTC;
        // Whether the last claim brought everything that was due.
        let mut all = true;
        let mut finding = std::pin::pin!(Fuse::terminated());
        // What the loop does beside its passes.
        let mut chores = Passes::new();
        chores.push(self.clone().look_for_wrong_dates().boxed());
        loop {
            if let Some(step) = self.0.time.take_step() {
                chores.push(self.clone().clock_stepped(step.to_string()).boxed());
                locked(&self.0.resting).clear();
                wake = Time::MIN_UTC;
            }
            if wake <= self.now() && finding.is_terminated() {
                wake = Time::MAX_UTC;
                finding.set(self.find_work(self.room_for(&passes)).fuse());
            }
            let nap = since(wake, self.now()).min(NAP);
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(it) = news.recv() => wake = wake.min(self.hear(it, &mut passes)),
                Some(next) = passes.next() => {
                    self.offer_places();
                    // A claim for each place that is free again costs more than it brings.
                    let may_claim = !all && self.room_for(&passes) * 4 >= self.0.parallel;
                    wake = if may_claim { Time::MIN_UTC } else { next.map_or(wake, |next| wake.min(next)) };
                }
                Some(_) = chores.next() => {}
                () = self.0.slowed.notified() => {
                    if !all && self.room_for(&passes) * 4 >= self.0.parallel {
                        wake = Time::MIN_UTC;
                    }
                }
                (claimed, next) = &mut finding, if !finding.is_terminated() => {
                    all = claimed.all;
                    for busy in claimed.taken {
                        let pass = self.clone().pass(busy, Time::MAX_UTC);
                        passes.push(pass.map(|end| end.next()).boxed());
                    }
                    wake = wake.min(next);
                }
                Some(hint) = hints.next() => {
                    if self.concerns(hint) {
                        wake = Time::MIN_UTC;
                    }
                }
                () = self.0.time.sleep(nap), if finding.is_terminated() => {}
            }
        }
        self.0.stopping.store(true, Ordering::Relaxed);
        self.0.told.close();
        while let Ok(it) = news.try_recv() {
            if let News::Committed { state, begun } = it
                && !begun.is_empty()
            {
                passes.push(self.clone().carry_on(state, begun).boxed());
            }
        }
        while passes.next().await.is_some() {}
        while chores.next().await.is_some() {}
        self.0.stopping.store(false, Ordering::Relaxed);
    }

    /// How many more incidents the loop may work on: those that wait for slow calls don't count.
    fn room_for(&self, passes: &Passes) -> usize {
        let working = passes.len().saturating_sub(self.0.slow.load(Ordering::Relaxed));
        self.0.parallel.saturating_sub(working)
    }

    fn offer_places(&self) {
        for side in [Side::Live, Side::Drill] {
            self.registry(side).backends().for_each(|backend| backend.offer());
        }
    }

    /// Takes up what the loop was told, and says when to look for work.
    fn hear(&self, news: News, passes: &mut Passes) -> Time {
        match news {
            News::Committed { state, begun } if begun.is_empty() => {
                self.end_rest(&state);
                let next = next_wake(&state).unwrap_or(Time::MAX_UTC);
                // A page that was planned waits for no slow call of the pass that is at its incident.
                if next <= self.now() && self.wake_pass(state.id) { Time::MAX_UTC } else { next }
            }
            News::Committed { state, begun } => {
                passes.push(self.clone().carry_on(state, begun).boxed());
                Time::MAX_UTC
            }
            News::Room(id) => {
                if !self.wake_pass(id)
                    && let Some(busy) = Busy::at(self, id)
                {
                    locked(&self.0.resting).remove(&id);
                    passes.push(self.clone().pass(busy, Time::MAX_UTC).map(|end| end.next()).boxed());
                }
                Time::MAX_UTC
            }
        }
    }

    /// An incident in which something was planned since it was left alone is looked at again.
    fn end_rest(&self, state: &Incident) {
        let mut resting = locked(&self.0.resting);
        let planned = |version| state.effects.values().any(|effect| effect.seq > version);
        if resting.get(&state.id).is_some_and(|rest| planned(rest.version)) {
            resting.remove(&state.id);
        }
    }

    /// Whether the loop should look for work because of a hint: somebody else committed, and no pass is at the incident.
    fn concerns(&self, hint: Hint) -> bool {
        if self.wrote(hint) || self.wake_pass(hint.incident) {
            return false;
        }
        let mut resting = locked(&self.0.resting);
        if resting.get(&hint.incident).is_some_and(|rest| rest.version < hint.version) {
            resting.remove(&hint.incident);
        }
        true
    }

    /// Claims what wants a pass, if there is room, and says when to look again.
    async fn find_work(&self, room: usize) -> (Claimed, Time) {
        let none = || Claimed { taken: Vec::new(), all: false };
        let now = self.now();
        // What is due now and not claimed rests, or is another engine's.
        let soon = after(now, NAP);
        if room == 0 {
            return (none(), soon);
        }
        let asked = async { tokio::join!(self.0.store.next_wake(), self.claim(room)) };
        match AssertUnwindSafe(asked).catch_unwind().await {
            Ok((next, Ok(claimed))) => {
                let next = next.ok().flatten().filter(|next| *next > now);
                (claimed, next.map_or(soon, |next| next.min(soon)))
            }
            Ok((_, Err(error))) => {
                tracing::warn!(%error, "the store can't say what is due");
                (none(), after(now, STORE_DOWN))
            }
            Err(_) => {
                tracing::error!("the store panicked when it was asked what is due");
                (none(), after(now, STORE_DOWN))
            }
        }
    }

    /// Says that the machine's clock was set, and looks again at everything that may be due.
    async fn clock_stepped(self, what: String) -> Option<Time> {
        tracing::error!("{what}");
        let effect = EffectId { incident: self.new_incident_id(), seq: Seq(1) };
        let title = "The clock of a machine that runs the engine was set";
        self.tell_caretaker(Side::Live, effect, title, &what).await;
        self.look_for_wrong_dates().await
    }

    /// Passes over the incidents that a clock far ahead dated into the future: no store offers them until then.
    async fn look_for_wrong_dates(self) -> Option<Time> {
        let latest = after(self.now(), HEARTBEAT + SKEW);
        let mut last = None;
        loop {
            let page = self.0.store.list(&Query::unsettled().after(last).limit(1_000)).await.ok()?;
            for row in page.rows.iter().filter(|row| row.next_wake.is_some_and(|wake| wake > latest)) {
                if let Some(busy) = Busy::at(&self, row.id) {
                    tracing::warn!(id = %row.id, "an incident was dated into the future");
                    self.clone().pass(busy, Time::MAX_UTC).await;
                }
            }
            last = page.rows.last().map(|row| row.id);
            if !page.more || last.is_none() {
                return None;
            }
        }
    }
}
