//! One message a second and channel, which is what Slack takes, in the order they were asked for. Pages go first.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::error::LONGEST_WAIT;

/// Channels that are remembered at once; those that are free again are forgotten first.
const REMEMBERED: usize = 1024;

/// What of its time a call must have left at its place, so that it is worth taking.
const LEFT: Duration = Duration::from_millis(500);

/// Hands out places in time, a queue for each channel.
#[derive(Debug)]
pub(crate) struct Throttle {
    every: Duration,
    queues: Mutex<BTreeMap<String, Queue>>,
}

/// The queue of one channel.
#[derive(Debug, Clone, Copy)]
struct Queue {
    /// The first free place.
    next: Instant,
    /// Until when Slack takes nothing at all.
    held: Instant,
}

/// There is no place before the deadline; the first free one comes after so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoPlace(pub(crate) Duration);

impl Throttle {
    pub(crate) fn new(every: Duration) -> Self {
        Self { every, queues: Mutex::default() }
    }

    /// Waits for the next place in `channel`. A place that would come too late for `ends` isn't taken. A page goes before
    /// everything that waits: Slack puts up with a short burst.
    pub(crate) async fn place(&self, channel: &str, ends: Instant, is_page: bool) -> Result<(), NoPlace> {
        let now = Instant::now();
        let place = self.take(channel, now, ends, is_page)?;
        if place > now {
            sleep_until(place).await;
        }
        Ok(())
    }

    /// Slack itself asks for a wait before the next message in `channel`.
    pub(crate) fn hold(&self, channel: &str, wait: Duration) {
        let now = Instant::now();
        let until = now + wait.min(LONGEST_WAIT);
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queues.entry(channel.to_owned()).or_insert(Queue { next: now, held: now });
        queue.held = until.max(queue.held);
    }

    fn take(&self, channel: &str, now: Instant, ends: Instant, is_page: bool) -> Result<Instant, NoPlace> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if queues.len() >= REMEMBERED {
            queues.retain(|_, queue| queue.next.max(queue.held) > now);
        }
        let queue = queues.get(channel).copied().unwrap_or(Queue { next: now, held: now });
        let free = if is_page { queue.held } else { queue.next.max(queue.held) };
        let place = free.max(now);
        if place > now && place + LEFT > ends {
            return Err(NoPlace(place.duration_since(now)));
        }
        let next = queue.next.max(place) + self.every;
        queues.insert(channel.to_owned(), Queue { next, ..queue });
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    async fn places(throttle: &Throttle, channels: &[&str], within: Duration) -> Vec<Result<u64, NoPlace>> {
        let start = Instant::now();
        let take = |channel| async move {
            throttle.place(channel, start + within, false).await.map(|()| start.elapsed().as_secs())
        };
        futures_util::future::join_all(channels.iter().map(|channel| take(channel))).await
    }

    #[tokio::test(start_paused = true)]
    async fn places_are_a_second_apart_and_in_order() {
        let throttle = Throttle::new(SECOND);
        let places = places(&throttle, &["C1"; 4], SECOND * 9).await;
        assert_eq!(places, [Ok(0), Ok(1), Ok(2), Ok(3)]);
    }

    #[tokio::test(start_paused = true)]
    async fn channels_do_not_wait_for_each_other() {
        let throttle = Throttle::new(SECOND);
        assert_eq!(places(&throttle, &["C1", "C2", "C1"], SECOND * 9).await, [Ok(0), Ok(0), Ok(1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gets_no_place_hears_when_there_is_one_and_takes_none() {
        let throttle = Throttle::new(SECOND);
        let within = SECOND + LEFT;
        let places_ = places(&throttle, &["C1"; 4], within).await;
        assert_eq!(places_, [Ok(0), Ok(1), Err(NoPlace(SECOND * 2)), Err(NoPlace(SECOND * 2))]);
        assert_eq!(places(&throttle, &["C1"], SECOND * 9).await, [Ok(1)], "a refused place was taken");
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_goes_before_what_waits_but_not_before_slack_takes_it() {
        let throttle = Throttle::new(SECOND);
        assert_eq!(places(&throttle, &["C1"; 5], SECOND * 9).await.len(), 5);
        let start = Instant::now();
        throttle.place("C1", start + SECOND, true).await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
        throttle.hold("C1", SECOND * 5);
        throttle.place("C1", start + SECOND * 9, true).await.unwrap();
        assert_eq!(start.elapsed(), SECOND * 5);
    }

    #[tokio::test(start_paused = true)]
    async fn what_slack_asks_for_holds_the_channel_back() {
        let throttle = Throttle::new(SECOND);
        throttle.hold("C1", SECOND * 5);
        assert_eq!(places(&throttle, &["C1", "C2"], SECOND * 9).await, [Ok(5), Ok(0)]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_wait_silences_a_channel_for_longer_than_a_few_minutes() {
        for wait in [Duration::from_secs(u64::from(u32::MAX)), Duration::MAX] {
            let throttle = Throttle::new(SECOND);
            throttle.hold("C1", wait);
            assert_eq!(places(&throttle, &["C1"], SECOND * 400).await, [Ok(300)], "{wait:?}");
        }
    }
}
