//! Clocks and entropy: the machine's own, and ones that tests turn by hand.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::model::id::Digest;
use crate::model::time::{Time, after, since, to_millis};
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

    fn elapsed(&self) -> Duration {
        static FIRST: OnceLock<Instant> = OnceLock::new();
        FIRST.get_or_init(Instant::now).elapsed()
    }

    async fn sleep(&self, length: Duration) {
        tokio::time::sleep(length).await;
    }
}

/// A clock that stands still until a test turns it.
#[derive(Debug)]
pub struct ManualClock {
    hands: Mutex<Hands>,
    turned: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Hands {
    wall: Time,
    elapsed: Duration,
}

impl ManualClock {
    /// A clock that shows `time`.
    #[must_use]
    pub fn new(time: Time) -> Self {
        let hands = Hands { wall: to_millis(time), elapsed: Duration::ZERO };
        Self { hands: Mutex::new(hands), turned: Notify::new() }
    }

    /// Turns the clock to `time`. Forward, so much time passes; back, only the wall clock changes, as no time can be undone.
    pub fn set(&self, time: Time) {
        self.turn(|hands| Hands { wall: time, elapsed: hands.elapsed + since(time, hands.wall) });
    }

    /// Lets `by` pass.
    pub fn advance(&self, by: Duration) {
        self.turn(|hands| Hands { wall: after(hands.wall, by), elapsed: hands.elapsed + by });
    }

    /// Sets the wall clock alone, as an operator or NTP does: no time passes.
    pub fn step_to(&self, time: Time) {
        self.turn(|hands| Hands { wall: time, ..hands });
    }

    fn hands(&self) -> Hands {
        *self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, to: impl FnOnce(Hands) -> Hands) {
        let mut hands = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
        *hands = to(*hands);
        hands.wall = to_millis(hands.wall);
        drop(hands);
        self.turned.notify_waiters();
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Time {
        self.hands().wall
    }

    fn elapsed(&self) -> Duration {
        self.hands().elapsed
    }

    async fn sleep(&self, length: Duration) {
        let end = self.elapsed().saturating_add(length);
        loop {
            // Asked for before the look, so that no turn in between is missed.
            let turned = self.turned.notified();
            if self.elapsed() >= end {
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
