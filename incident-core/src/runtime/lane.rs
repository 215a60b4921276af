//! Turns: what callers ask for while somebody's turn is under way is done together in the next one.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::engine::locked;
use super::finishing::Finishing;

/// What waits for a turn, and what those whose turn it is know.
#[derive(Debug)]
pub(super) struct Lane<T, R, S> {
    queue: Mutex<Queue<T, R>>,
    pub(super) known: tokio::sync::Mutex<S>,
}

#[derive(Debug)]
struct Queue<T, R> {
    waiting: VecDeque<(T, oneshot::Sender<R>)>,
    /// Whether somebody takes turns until nothing waits.
    led: bool,
}

impl<T, R, S> Lane<T, R, S>
where
    T: Send + 'static,
    R: Send + 'static,
    S: Send + 'static,
{
    /// Queues `item` and waits for what came of it; none if nobody answered. It is done although the caller is gone.
    ///
    /// Whoever finds nobody at it takes turns, each of which [`take`](Self::take)s what it does, until nothing waits. Its own
    /// caller waits for no other's: the rest goes on as a task.
    pub(super) async fn ask<F, Turn>(self: &Arc<Self>, item: T, turn: F) -> Option<R>
    where
        F: Fn() -> Turn + Send + 'static,
        Turn: Future<Output = ()> + Send + 'static,
    {
        let (reply, mut answer) = oneshot::channel();
        let leads = {
            let mut queue = locked(&self.queue);
            queue.waiting.push_back((item, reply));
            !std::mem::replace(&mut queue.led, true)
        };
        if !leads {
            return answer.await.ok();
        }
        let mut leader = Leader { lane: Arc::clone(self), leads: true };
        let mut turns = Finishing::new(async move {
            while leader.goes_on() {
                turn().await;
            }
        });
        tokio::select! {
            biased;
            answered = &mut answer => answered.ok(),
            () = &mut turns => answer.await.ok(),
        }
    }

    /// The first that waits, and those after it up to one that doesn't fit.
    pub(super) fn take(&self, mut fits: impl FnMut(&T) -> bool) -> (Vec<T>, Vec<oneshot::Sender<R>>) {
        let waiting = &mut locked(&self.queue).waiting;
        std::iter::from_fn(|| waiting.pop_front_if(|(item, _)| fits(item))).unzip()
    }
}

impl<T, R, S: Default> Default for Lane<T, R, S> {
    fn default() -> Self {
        let queue = Queue { waiting: VecDeque::new(), led: false };
        Self { queue: Mutex::new(queue), known: tokio::sync::Mutex::default() }
    }
}

/// Whoever takes turns. One that is gone before its time, for a panic or a runtime that ends, leaves nobody waiting.
struct Leader<T, R, S> {
    lane: Arc<Lane<T, R, S>>,
    leads: bool,
}

impl<T, R, S> Leader<T, R, S> {
    /// Whether something waits; if nothing does, whoever asks next takes turns.
    fn goes_on(&mut self) -> bool {
        let mut queue = locked(&self.lane.queue);
        self.leads = !queue.waiting.is_empty();
        queue.led = self.leads;
        self.leads
    }
}

impl<T, R, S> Drop for Leader<T, R, S> {
    fn drop(&mut self) {
        if self.leads {
            let mut queue = locked(&self.lane.queue);
            queue.led = false;
            queue.waiting.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;
    use futures_util::future::join_all;

    use super::*;

    type Sums = Lane<u32, (u32, usize), Vec<u32>>;

    /// A turn that takes a second and answers with the sum of what it took and how many these were.
    fn sum(lane: &Arc<Sums>) -> impl Fn() -> futures_util::future::BoxFuture<'static, ()> + Send + 'static {
        let lane = Arc::clone(lane);
        move || {
            let lane = Arc::clone(&lane);
            async move {
                let (items, replies) = lane.take(|item| *item < 100);
                tokio::time::sleep(Duration::from_secs(1)).await;
                assert!(!items.contains(&13), "a turn fails");
                lane.known.lock().await.extend(&items);
                let (sum, count) = (items.iter().sum(), items.len());
                for reply in replies {
                    let _ = reply.send((sum, count));
                }
            }
            .boxed()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_asked_for_during_a_turn_is_done_in_the_next_one() {
        let lane = Arc::<Sums>::default();
        let answers = join_all([1, 2, 3, 4].map(|item| lane.ask(item, sum(&lane)))).await;
        assert_eq!(answers, [Some((1, 1)), Some((9, 3)), Some((9, 3)), Some((9, 3))]);
        assert_eq!(lane.ask(5, sum(&lane)).await, Some((5, 1)), "nobody is at it, so the next one is");
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_done_although_whoever_asked_is_gone() {
        let lane = Arc::<Sums>::default();
        assert!(lane.ask(1, sum(&lane)).now_or_never().is_none());
        assert!(lane.ask(2, sum(&lane)).now_or_never().is_none());
        assert_eq!(lane.ask(3, sum(&lane)).await, Some((5, 2)));
        assert_eq!(*lane.known.lock().await, [1, 2, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_panics_leaves_nobody_waiting() {
        let lane = Arc::<Sums>::default();
        let first = tokio::spawn({
            let lane = Arc::clone(&lane);
            async move { lane.ask(13, sum(&lane)).await }
        });
        tokio::task::yield_now().await;
        let second = lane.ask(1, sum(&lane)).await;
        assert!(first.await.is_err());
        assert_eq!(second, None);
        assert_eq!(lane.ask(2, sum(&lane)).await, Some((2, 1)));
    }
}
