//! How often something may be written: GitHub blocks accounts that create content too fast.
//!
//! One budget for all ports of a backend and all incidents. Places are given in the order they are asked for, at least
//! [`spacing`](ContentConfig::spacing) apart, and never more in a minute or an hour than GitHub documents.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::config::ContentConfig;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// The places that were given.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: ContentConfig,
    given: Mutex<Given>,
}

#[derive(Debug, Default)]
struct Given {
    /// When each write of the last hour was or will be, in order.
    places: VecDeque<Instant>,
    /// Until when GitHub asked for silence.
    silent_until: Option<Instant>,
}

impl Budget {
    pub(crate) fn new(limits: ContentConfig) -> Self {
        Self { limits, given: Mutex::default() }
    }

    /// Waits for the next place, if it comes before `ends`.
    ///
    /// # Errors
    /// How long until there is one. None was taken then.
    pub(crate) async fn place(&self, ends: Instant) -> Result<(), Duration> {
        let now = Instant::now();
        let place = {
            let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
            let place = given.next(&self.limits, now);
            if place >= ends {
                return Err(place - now);
            }
            given.places.push_back(place);
            place
        };
        // Whoever is dropped here leaves a place unused, which only slows the others.
        sleep_until(place).await;
        Ok(())
    }

    /// Gives no place for so long.
    pub(crate) fn silence(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.silent_until = given.silent_until.max(Some(until));
    }

    /// How long GitHub still wants silence.
    pub(crate) fn silent_for(&self) -> Option<Duration> {
        let until = self.given.lock().unwrap_or_else(PoisonError::into_inner).silent_until?;
        let left = until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }
}

impl Given {
    /// The earliest time at which one more write keeps all limits.
    fn next(&mut self, limits: &ContentConfig, now: Instant) -> Instant {
        while self.places.front().is_some_and(|place| *place + HOUR <= now) {
            self.places.pop_front();
        }
        // The place so many before the next one has to be a whole window earlier.
        let after = |most: u32, window: Duration| {
            let before = self.places.len().checked_sub(usize::try_from(most).unwrap_or(usize::MAX))?;
            self.places.get(before).map(|place| *place + window)
        };
        let bounds = [
            self.places.back().map(|last| *last + limits.spacing),
            after(limits.per_minute, MINUTE),
            after(limits.per_hour, HOUR),
            self.silent_until,
        ];
        bounds.into_iter().flatten().fold(now, Instant::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(per_minute: u32, per_hour: u32, spacing: u64) -> ContentConfig {
        let mut limits = ContentConfig::default();
        (limits.per_minute, limits.per_hour) = (per_minute, per_hour);
        limits.spacing = Duration::from_secs(spacing);
        limits
    }

    /// When each of `count` writes comes, in seconds from the first.
    async fn places(budget: &Budget, count: usize) -> Vec<u64> {
        let began = Instant::now();
        let mut places = Vec::new();
        for _ in 0..count {
            budget.place(began + HOUR * 24).await.unwrap();
            places.push(began.elapsed().as_secs());
        }
        places
    }

    #[tokio::test(start_paused = true)]
    async fn every_limit_is_kept_at_once() {
        for (limits, expect) in [
            (limits(80, 500, 1), vec![0, 1, 2, 3, 4, 5]),
            (limits(2, 500, 1), vec![0, 1, 60, 61, 120, 121]),
            (limits(80, 3, 1), vec![0, 1, 2, 3600, 3601, 3602]),
            (limits(2, 3, 1), vec![0, 1, 60, 3600, 3601, 3660]),
        ] {
            assert_eq!(places(&Budget::new(limits.clone()), 6).await, expect, "{limits:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_cannot_be_served_in_time_takes_no_place_and_hears_the_wait() {
        let budget = Budget::new(limits(1, 500, 1));
        let soon = || Instant::now() + Duration::from_secs(10);
        assert_eq!(budget.place(soon()).await, Ok(()));
        for _ in 0..3 {
            assert_eq!(budget.place(soon()).await, Err(MINUTE), "those who were refused are not counted");
        }
        tokio::time::advance(MINUTE).await;
        assert_eq!(budget.place(soon()).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silence_that_was_asked_for_is_kept_and_never_shortened() {
        let budget = Budget::new(limits(80, 500, 1));
        budget.silence(Duration::from_secs(90));
        budget.silence(Duration::from_secs(5));
        assert_eq!(budget.silent_for(), Some(Duration::from_secs(90)));
        assert_eq!(places(&budget, 2).await, [90, 91]);
        assert_eq!(budget.silent_for(), None);
    }
}
