//! Settings of a store.

use std::time::Duration;

/// How a [`SqliteStore`](crate::SqliteStore) is opened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The size in bytes that the file may not outgrow, without the write-ahead log; none is SQLite's own limit.
    pub max_size: Option<u64>,
    /// How long opening, and each later call, waits for other processes that have the file locked.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_size: None, patience: Duration::from_secs(10) }
    }
}

impl Options {
    /// The usual settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a file that stays below `bytes`: commits that don't fit are refused as `Full`, and nothing else changes. A
    /// file that is larger already doesn't shrink.
    #[must_use]
    pub fn max_size(mut self, bytes: u64) -> Self {
        self.max_size = Some(bytes);
        self
    }

    /// Waits so long for other processes that have the file locked: once while opening, and in each later call. Ten seconds
    /// unless set.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}
