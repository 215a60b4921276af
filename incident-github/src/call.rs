//! One call of the engine: what it is for, and when it must have returned.

use std::time::Duration;

use incident_core::model::time::{Time, after};
use incident_core::port::{AdapterError, ErrorKind};
use tokio::time::Instant;

/// A call of the engine, shared by all requests it leads to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    operation: &'static str,
    began_at: Time,
    began: Instant,
    ends: Instant,
}

impl Call {
    /// A call that began at `now` and ends within nine tenths of `deadline`, so that the answer is ours and not the
    /// engine's drop.
    pub(crate) fn new(operation: &'static str, now: Time, deadline: Duration) -> Self {
        let most = deadline.min(Duration::from_secs(3600));
        let began = Instant::now();
        Self { operation, began_at: now, began, ends: began + most / 10 * 9 }
    }

    /// The time, by the engine's clock.
    pub(crate) fn now(&self) -> Time {
        after(self.began_at, self.began.elapsed())
    }

    pub(crate) fn ends(&self) -> Instant {
        self.ends
    }

    pub(crate) fn left(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }

    pub(crate) fn error(&self, kind: ErrorKind, context: impl Into<String>) -> AdapterError {
        AdapterError::new(kind, self.operation).with_context(context)
    }
}
