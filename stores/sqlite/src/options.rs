//! Settings of a store.

/// How a [`SqliteStore`](crate::SqliteStore) is opened.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// The size in bytes that the file may not outgrow, without the write-ahead log; none is SQLite's own limit.
    pub max_size: Option<u64>,
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
}
