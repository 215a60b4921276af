//! Keeping the write-ahead log short: redacted text is cut out of it, and readers can't make it grow without end.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::Connection;

use crate::connection::{cut_log, pause, wait_for_nobody, wait_for_others};
use crate::place::{Place, beside};

/// SQLite empties a log of 4 MiB by itself, unless readers are in the way.
const LARGE: u64 = 16 << 20;

/// How long commits wait for readers when the log has become large. Readers that begin meanwhile need only what is in the
/// log already, so those that keep relieving each other are in nobody's way, only one that stays.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// The write-ahead log of a store.
pub(crate) struct Log {
    file: PathBuf,
    patience: Duration,
    /// Whether redacted text may still be in it.
    redacted: bool,
    /// The size at which commits wait for readers the next time.
    limit: u64,
}

impl Log {
    pub(crate) fn new(place: &Place, patience: Duration) -> Self {
        Self { file: beside(place.file(), "-wal"), patience, redacted: false, limit: LARGE }
    }

    /// Whether redacted text waits to be cut out of it.
    pub(crate) fn is_uncut(&self) -> bool {
        self.redacted
    }

    /// Looks after the log when a group was committed, which redacted something or not.
    pub(crate) fn tend(&mut self, connection: &mut Connection, redacted: bool) {
        self.redacted |= redacted;
        self.cut(connection);
        let size = std::fs::metadata(&self.file).map_or(0, |metadata| metadata.len());
        if size <= LARGE {
            self.limit = LARGE;
        } else if size > self.limit {
            self.shorten(connection, size);
        }
    }

    /// Cuts redacted text out of it, if there is any and nobody prevents it.
    pub(crate) fn cut(&mut self, connection: &mut Connection) {
        const ATTEMPTS: i32 = 8;
        if !self.redacted {
            return;
        }
        // A process that reads for long must not keep everybody's commits waiting.
        let _ = wait_for_nobody(connection);
        for count in 0..ATTEMPTS {
            match cut_log(connection) {
                Ok(true) => self.redacted = false,
                Ok(false) if count + 1 < ATTEMPTS => {
                    pause(count);
                    continue;
                }
                // What stands in the way now may be gone later.
                Ok(false) | Err(_) => {}
            }
            break;
        }
        let _ = wait_for_others(connection, self.patience);
    }

    /// Empties a log that has become large, if no reader stays for longer than the pause.
    fn shorten(&mut self, connection: &mut Connection, size: u64) {
        let _ = wait_for_others(connection, LONGEST_PAUSE);
        if matches!(cut_log(connection), Ok(true)) {
            (self.redacted, self.limit) = (false, LARGE);
        } else {
            // The larger it is, the rarer the pauses.
            self.limit = size + size / 2;
            tracing::warn!(
                file = %self.file.display(),
                size,
                "the write-ahead log grows because a process keeps a read transaction open; end that transaction"
            );
        }
        let _ = wait_for_others(connection, self.patience);
    }
}
