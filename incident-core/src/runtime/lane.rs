//! Turns: requests that arrive while a turn is under way are taken together in the next one.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::engine::locked;

/// Requests that wait for a turn.
#[derive(Debug)]
pub(super) struct Lane<T, R> {
    queue: Mutex<Queue<T, R>>,
}

#[derive(Debug)]
struct Queue<T, R> {
    waiting: VecDeque<(T, oneshot::Sender<R>)>,
    /// Whether a task takes turns.
    led: bool,
}

impl<T, R> Lane<T, R>
where
    T: Send + 'static,
    R: Send + 'static,
{
    /// Queues `item` and waits for its answer; none if its turn failed. It is done although the caller goes away.
    ///
    /// If no turn is under way, a task is spawned that takes turns until nothing waits, each with a copy of `cx`, in which it
    /// [`take`](Self::take)s what it does. No caller drives that task, so one that is never polled again delays nobody.
    pub(super) async fn ask<C, F, Turn>(self: &Arc<Self>, item: T, cx: C, turn: F) -> Option<R>
    where
        C: Clone + Send + 'static,
        F: Fn(C) -> Turn + Send + 'static,
        Turn: Future<Output = ()> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let leads = {
            let mut queue = locked(&self.queue);
            queue.waiting.push_back((item, reply));
            !std::mem::replace(&mut queue.led, true)
        };
        if leads {
            let mut leader = Leader { lane: Arc::clone(self), leads: true };
            tokio::spawn(async move {
                while leader.goes_on() {
                    turn(cx.clone()).await;
                }
            });
        }
        answer.await.ok()
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

/// The task that takes turns. If it ends early, because of a panic or because the runtime shuts down, it leaves nobody waiting.
struct Leader<T, R> {
    lane: Arc<Lane<T, R>>,
    leads: bool,
}

impl<T, R> Leader<T, R> {
    /// Whether something waits; if nothing does, the next request spawns another task.
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
        assert_eq!(answers, [Some((10, 4)); 4]);
        let first = tokio::spawn({
            let lane = Arc::clone(&lane);
            async move { ask(&lane, 5).await }
        });
        tokio::time::sleep(Duration::from_millis(500)).await;
        let answers = join_all([6, 7].map(|item| ask(&lane, item))).await;
        assert_eq!((first.await.unwrap(), answers), (Some((5, 1)), vec![Some((13, 2)); 2]));
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_done_although_whoever_asked_is_gone() {
        let lane = Arc::<Sums>::default();
        assert!(ask(&lane, 1).now_or_never().is_none());
        assert!(ask(&lane, 2).now_or_never().is_none());
        assert_eq!(ask(&lane, 3).await, Some((6, 3)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_is_never_polled_again_delays_nobody() {
        let lane = Arc::<Sums>::default();
        let mut unpolled = Box::pin(ask(&lane, 1));
        assert!(unpolled.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
        let answer = tokio::time::timeout(Duration::from_secs(5), ask(&lane, 2)).await;
        assert_eq!(answer, Ok(Some((2, 1))));
        assert_eq!(unpolled.await, Some((1, 1)));
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
        assert_eq!((first.await.unwrap(), second), (None, None));
        assert_eq!(ask(&lane, 2).await, Some((2, 1)));
    }
}
