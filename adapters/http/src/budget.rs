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

    pub(crate) fn ends(&self) -> Instant {
        self.ends
    }
}
