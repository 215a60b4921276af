//! The ports to time and to randomness, which only the shell has.

use std::fmt;

use async_trait::async_trait;

use crate::domain::time::Time;

/// Tells the time and waits for it.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now, UTC.
    fn now(&self) -> Time;

    /// Returns once it is `time` or later.
    async fn sleep_until(&self, time: Time);
}

/// Gives random bytes, for ids and salts.
pub trait Entropy: fmt::Debug + Send + Sync + 'static {
    /// Sixteen bytes that nobody can guess.
    fn bytes(&self) -> [u8; 16];
}
