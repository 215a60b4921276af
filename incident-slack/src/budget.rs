//! The time that one call of the engine may take, shared by all requests it leads to.

use std::time::Duration;

use tokio::time::Instant;

/// When a call of the engine must have returned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    ends: Instant,
}

impl Budget {
    /// Nine tenths of `deadline`, so that the answer is ours and not the engine's drop.
    pub(crate) fn within(deadline: Duration) -> Self {
        let most = deadline.min(Duration::from_secs(3600));
        Self { ends: Instant::now() + most / 10 * 9 }
    }

    /// The first half of what is left: for what may be left out, before what may not.
    pub(crate) fn half(&self) -> Self {
        Self { ends: Instant::now() + self.left() / 2 }
    }

    /// At most `most` of what is left.
    pub(crate) fn at_most(&self, most: Duration) -> Self {
        Self { ends: Instant::now() + self.left().min(most) }
    }

    pub(crate) fn ends(&self) -> Instant {
        self.ends
    }

    pub(crate) fn left(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }
}
