//! Clocks and entropy: the machine's own, and ones that tests turn by hand.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::domain::id::Digest;
use crate::domain::time::{Time, after, since, to_millis};
use crate::port::{Clock, Entropy};

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Time {
        to_millis(Time::from(std::time::SystemTime::now()))
    }

    async fn sleep_until(&self, time: Time) {
        // Short naps, so that a clock that was set doesn't leave anybody asleep.
        loop {
            let rest = since(time, self.now());
            if rest.is_zero() {
                return;
            }
            tokio::time::sleep(rest.min(Duration::from_secs(30))).await;
        }
    }
}

/// A clock that stands still until somebody turns it. Those who wait for it go on in the order in which they came.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<Time>,
    turned: Notify,
}

impl ManualClock {
    /// A clock that shows `time`.
    #[must_use]
    pub fn new(time: Time) -> Self {
        Self { now: Mutex::new(to_millis(time)), turned: Notify::new() }
    }

    /// Turns the clock to `time`, also back.
    pub fn set(&self, time: Time) {
        self.turn(|_| time);
    }

    /// Turns the clock on by `by`.
    pub fn advance(&self, by: Duration) {
        self.turn(|now| after(now, by));
    }

    fn turn(&self, to: impl FnOnce(Time) -> Time) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = to_millis(to(*now));
        drop(now);
        self.turned.notify_waiters();
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Time {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn sleep_until(&self, time: Time) {
        loop {
            // Asked for before the look, so that no turn in between is missed.
            let turned = self.turned.notified();
            if self.now() >= time {
                return;
            }
            turned.await;
        }
    }
}

/// The operating system's entropy.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        bytes
    }
}

/// Entropy that repeats itself with its seed: for simulations alone.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    drawn: AtomicU64,
}

impl SeededEntropy {
    /// The entropy of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: AtomicU64::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn bytes(&self) -> [u8; 16] {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        let digest = Digest::of(&[&self.seed.to_be_bytes(), &drawn.to_be_bytes()]);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.0[..16]);
        bytes
    }
}
