//! Turns: what callers ask for while somebody's turn is under way is done together in the next one.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::engine::locked;
use super::finishing::Finishing;

/// What waits for a turn.
#[derive(Debug)]
pub(super) struct Lane<T, R> {
    queue: Mutex<Queue<T, R>>,
}

#[derive(Debug)]
struct Queue<T, R> {
    waiting: VecDeque<(T, oneshot::Sender<R>)>,
    /// Whether somebody takes turns until nothing waits.
    led: bool,
}

impl<T, R> Lane<T, R>
where
    T: Send + 'static,
    R: Send + 'static,
{
    /// Queues `item` and waits for what came of it; none if nobody answered. It is done although the caller is gone.
    ///
    /// Whoever finds nobody at it takes turns, each with a copy of `cx`, in which it [`take`](Self::take)s what it does, until
    /// nothing waits. Its own caller waits for no other's: the rest goes on as a task.
    pub(super) async fn ask<C, F, Turn>(self: &Arc<Self>, item: T, cx: C, turn: F) -> Option<R>
    where
        C: Clone + Send + 'static,
        F: Fn(C) -> Turn + Send + 'static,
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
                turn(cx.clone()).await;
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

impl<T, R> Default for Lane<T, R> {
    fn default() -> Self {
        let queue = Queue { waiting: VecDeque::new(), led: false };
        Self { queue: Mutex::new(queue) }
    }
}

/// Whoever takes turns. One that is gone before its time, for a panic or a runtime that ends, leaves nobody waiting.
struct Leader<T, R> {
    lane: Arc<Lane<T, R>>,
    leads: bool,
}

impl<T, R> Leader<T, R> {
    /// Whether something waits; if nothing does, whoever asks next takes turns.
    fn goes_on(&mut self) -> bool {
        let mut queue = locked(&self.lane.queue);
        self.leads = !queue.waiting.is_empty();
        queue.led = self.leads;
        self.leads
    }
}

impl<T, R> Drop for Leader<T, R> {
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

    type Sums = Lane<u32, (u32, usize)>;

    /// Takes a second, and answers with the sum of what it took and how many these were.
    async fn sum(lane: Arc<Sums>) {
        let (items, replies) = lane.take(|_| true);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!items.contains(&13), "a turn fails");
        for reply in replies {
            let _ = reply.send((items.iter().sum(), items.len()));
        }
    }

    async fn ask(lane: &Arc<Sums>, item: u32) -> Option<(u32, usize)> {
        lane.ask(item, Arc::clone(lane), sum).await
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_asked_for_during_a_turn_is_done_in_the_next_one() {
        let lane = Arc::<Sums>::default();
        let answers = join_all([1, 2, 3, 4].map(|item| ask(&lane, item))).await;
        assert_eq!(answers, [Some((1, 1)), Some((9, 3)), Some((9, 3)), Some((9, 3))]);
        assert_eq!(ask(&lane, 5).await, Some((5, 1)), "nobody is at it, so the next one is");
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_done_although_whoever_asked_is_gone() {
        let lane = Arc::<Sums>::default();
        assert!(ask(&lane, 1).now_or_never().is_none());
        assert!(ask(&lane, 2).now_or_never().is_none());
        assert_eq!(ask(&lane, 3).await, Some((5, 2)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_panics_leaves_nobody_waiting() {
        let lane = Arc::<Sums>::default();
        let first = tokio::spawn({
            let lane = Arc::clone(&lane);
            async move { ask(&lane, 13).await }
        });
        tokio::task::yield_now().await;
        let second = ask(&lane, 1).await;
        assert!(first.await.is_err());
        assert_eq!(second, None);
        assert_eq!(ask(&lane, 2).await, Some((2, 1)));
    }
}
