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

    /// What is left of this one, but no more than `share` of it in per cent.
    pub(crate) fn share(self, percent: u32) -> Self {
        Self { ends: Instant::now() + self.left() / 100 * percent.min(100) }
    }

    /// This one, but no longer than `most` from now.
    pub(crate) fn no_longer_than(self, most: Duration) -> Self {
        Self { ends: self.ends.min(Instant::now() + most) }
    }

    pub(crate) fn left(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }
}
