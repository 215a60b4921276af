//! Bulkheads: each backend has its own places for calls, and its own for pages, so that one that hangs delays no other.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;

use super::engine::{News, locked};
use crate::model::effect::Urgency;
use crate::model::effect::{Effect, Work};
use crate::model::id::IncidentId;

/// Where a running loop hears news; closed while none runs.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<Option<mpsc::UnboundedSender<News>>>);

impl Told {
    pub(super) fn open(&self) -> mpsc::UnboundedReceiver<News> {
        let (told, news) = mpsc::unbounded_channel();
        *locked(&self.0) = Some(told);
        news
    }

    pub(super) fn close(&self) {
        *locked(&self.0) = None;
    }

    /// Whether a loop listens.
    pub(super) fn is_open(&self) -> bool {
        locked(&self.0).as_ref().is_some_and(|told| !told.is_closed())
    }

    /// Tells the loop, if one runs. What a loop that is gone began is looked for when its lease ends.
    pub(super) fn tell(&self, news: News) {
        if let Some(told) = &*locked(&self.0) {
            let _ = told.send(news);
        }
    }
}

/// A backend as the engine sees it: how many calls to it are under way, and whether it blocks its thread.
#[derive(Debug)]
pub(super) struct Backend {
    pub(super) name: String,
    calls: Pool,
    pages: Pool,
    told: Arc<Told>,
    /// Whether a call kept its thread for long.
    blocks: AtomicBool,
    /// How many calls gave their thread back in time.
    sound: AtomicU32,
}

/// Places of one kind.
#[derive(Debug)]
struct Pool {
    most: usize,
    state: Mutex<PoolState>,
}

#[derive(Debug, Default)]
struct PoolState {
    taken: usize,
    /// The incidents that found no place, the most urgent first, then the oldest.
    waiting: BTreeSet<(Reverse<Urgency>, IncidentId)>,
}

/// A place at a backend, taken until dropped.
#[derive(Debug)]
pub(super) struct Place {
    backend: Arc<Backend>,
    page: bool,
}

/// How long a call may keep its thread until the backend counts as blocking.
const LONG_POLL: Duration = Duration::from_millis(100);
/// After so many calls that gave their thread back in time, a backend is trusted to do so.
const TRUSTED_AFTER: u32 = 3;

impl Backend {
    /// A backend with `most` places for pages and as many for other calls.
    pub(super) fn new(name: &str, most: usize, told: &Arc<Told>) -> Self {
        let pool = || Pool { most, state: Mutex::default() };
        Self {
            name: name.to_owned(),
            calls: pool(),
            pages: pool(),
            told: Arc::clone(told),
            blocks: AtomicBool::new(false),
            sound: AtomicU32::new(0),
        }
    }

    /// A place for an effect of `incident`. Without one, the incident is offered to the loop once a place is free.
    pub(super) fn place(self: &Arc<Self>, effect: &Effect, incident: IncidentId) -> Option<Place> {
        let page = is_page(effect);
        let pool = self.pool(page);
        let mut state = locked(&pool.state);
        if state.taken >= pool.most {
            if self.told.is_open() {
                state.waiting.insert((Reverse(effect.urgency), incident));
            }
            return None;
        }
        state.taken += 1;
        Some(Place { backend: Arc::clone(self), page })
    }

    /// Whether there is a place for an effect.
    pub(super) fn has_room(&self, effect: &Effect) -> bool {
        let pool = self.pool(is_page(effect));
        locked(&pool.state).taken < pool.most
    }

    /// Offers free places to incidents that wait for one: one of each kind.
    pub(super) fn offer(&self) {
        for pool in [&self.pages, &self.calls] {
            let next = {
                let mut state = locked(&pool.state);
                if state.taken < pool.most { state.waiting.pop_first() } else { None }
            };
            if let Some((_, incident)) = next {
                self.told.tell(News::Room(incident));
            }
        }
    }

    fn pool(&self, page: bool) -> &Pool {
        if page { &self.pages } else { &self.calls }
    }

    /// Whether its calls need a thread of their own: one of them blocked, or none was seen that didn't.
    pub(super) fn is_trusted(&self) -> bool {
        !self.blocks() && self.sound.load(Ordering::Relaxed) >= TRUSTED_AFTER
    }

    /// Whether one of its calls blocked its thread.
    pub(super) fn blocks(&self) -> bool {
        self.blocks.load(Ordering::Relaxed)
    }

    /// Takes note of how long a call kept its thread at once.
    pub(super) fn polled(&self, took: Duration) {
        if took >= LONG_POLL && !self.blocks.swap(true, Ordering::Relaxed) {
            let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(
                backend = self.name,
                millis,
                "an adapter blocked its thread; use an async client or spawn_blocking"
            );
        }
    }

    /// Takes note of a call that came to an end.
    pub(super) fn ended(&self) {
        self.sound.fetch_add(1, Ordering::Relaxed);
    }
}

fn is_page(effect: &Effect) -> bool {
    matches!(&effect.work, Work::Notify(notify) if notify.kind.is_page())
}

impl Drop for Place {
    fn drop(&mut self) {
        {
            let mut state = locked(&self.backend.pool(self.page).state);
            state.taken = state.taken.saturating_sub(1);
        }
        self.backend.offer();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::effect::{EffectState, Notify};
    use crate::model::id::Seq;
    use crate::model::notice::NoticeKind;
    use crate::model::time::Time;

    fn effect(kind: NoticeKind, urgency: Urgency) -> Effect {
        Effect {
            seq: Seq(1),
            work: Work::Notify(Notify { notice: Seq(1), audiences: Vec::new(), kind }),
            route: "chat".to_owned(),
            lane: None,
            urgency,
            planned_at: Time::UNIX_EPOCH,
            expires_at: Time::MAX_UTC,
            state: EffectState::Ready(Time::UNIX_EPOCH),
            since: Time::UNIX_EPOCH,
            attempts: 0,
            first_started: None,
            unclear: 0,
            fruitless: 0,
            maybe_before: false,
            repeat: None,
            instead_of: None,
        }
    }

    #[test]
    fn pages_have_places_of_their_own_and_the_most_urgent_gets_the_next_one() {
        let told = Arc::<Told>::default();
        let mut news = told.open();
        let backend = Arc::new(Backend::new("chat", 1, &told));
        let [first, second, third] = [1, 2, 3].map(|n| IncidentId::new(Time::UNIX_EPOCH, [n; 16]));
        let update = effect(NoticeKind::Update, Urgency::ROUTINE);
        let urgent = effect(NoticeKind::Update, Urgency::ACTION);
        let place = backend.place(&update, first).unwrap();
        assert!(backend.place(&update, second).is_none() && backend.place(&urgent, third).is_none());
        let page = effect(NoticeKind::Page, Urgency::PAGE);
        assert!(backend.has_room(&page) && backend.place(&page, second).is_some());

        drop(place);

        assert!(matches!(news.try_recv(), Ok(News::Room(id)) if id == third));
        backend.offer();
        assert!(matches!(news.try_recv(), Ok(News::Room(id)) if id == second));
    }
}
