//! The ports to time and to randomness, which only the shell has.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::model::time::Time;

/// Tells the time and waits.
///
/// The engine dates its records with the wall clock and waits by the monotonic reading, so a wall clock that is set forward or
/// back delays nothing.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The wall clock's time, UTC. An operator or NTP may set it at any moment.
    fn now(&self) -> Time;

    /// A monotonic reading: how long ago an arbitrary moment in the past was. Nothing sets it.
    fn elapsed(&self) -> Duration;

    /// Returns after `length`, measured by [`elapsed`](Self::elapsed).
    async fn sleep(&self, length: Duration);
}

/// Gives random bytes, for ids and salts.
pub trait Entropy: fmt::Debug + Send + Sync + 'static {
    /// Sixteen bytes that nobody can guess.
    fn bytes(&self) -> [u8; 16];
}
