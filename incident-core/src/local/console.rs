//! Notices on the console, and in a file that remembers them.

mod record;

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use self::record::{Line, Record};
use super::file::{blocking, failed};
use crate::model::effect::Receipt;
use crate::model::notice::Notice;
use crate::port::{
    Adapter, AdapterError, Capabilities, EffectContext, Found, Notifier, Preflight, PreflightContext, Repeat,
};

const DELIVER: &str = "write the notice";

/// Writes every notice as plain text; with a record, it can be asked what was delivered although the process was killed.
///
/// # Guarantees
/// - With a record, a notice is on it, and on the disk, before its receipt is returned.
/// - It is written out before it is recorded: killed in between, it is written twice, and never not at all.
///
/// # Caveats
/// - It pages nobody: somebody must be looking.
/// - Without a record, nobody can tell what was delivered, and a repeat is seen.
#[derive(Clone)]
pub struct Console {
    sink: Arc<Mutex<dyn Write + Send>>,
    record: Option<Record>,
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("record", &self.record).finish_non_exhaustive()
    }
}

impl Console {
    /// Notices on standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self::to(io::stdout())
    }

    /// Notices written to `sink`.
    #[must_use]
    pub fn to(sink: impl Write + Send + 'static) -> Self {
        Self { sink: Arc::new(Mutex::new(sink)), record: None }
    }

    /// Notices appended to the file at `path`. It is opened anew for each, so that a notice never goes to a file that was
    /// rotated away or deleted.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::to(Appended(path.into()))
    }

    /// With a file that gets a line of JSON for each notice, on the disk before the notice counts as delivered. Several
    /// processes may share it. A line has `effect`, `at` (UTC), `kind`, `audiences`, `drill`, `possible_repeat`,
    /// `headline` and `text`.
    #[must_use]
    pub fn with_record(mut self, path: impl Into<PathBuf>) -> Self {
        self.record = Some(Record::new(path.into()));
        self
    }
}

/// A file that is found by its name for each piece that is written.
struct Appended(PathBuf);

impl Write for Appended {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        File::options().create(true).append(true).open(&self.0)?.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[async_trait]
impl Adapter for Console {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("console")
    }

    async fn preflight(&self, _cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        let Some(record) = self.record.clone() else { return Ok(Preflight::default()) };
        let writable = blocking("open the record", move || record.open().map(drop)).await;
        Ok(match writable {
            Ok(()) => Preflight::default().good("the record can be written"),
            Err(error) => Preflight::default().bad("the record can't be written", &error.to_string()),
        })
    }
}

#[async_trait]
impl Notifier for Console {
    fn repeat(&self, _notice: &Notice) -> Repeat {
        if self.record.is_some() { Repeat::Lookup } else { Repeat::Visible }
    }

    async fn deliver(&self, cx: &EffectContext, notice: &Notice) -> Result<Receipt, AdapterError> {
        let (sink, record, line) = (Arc::clone(&self.sink), self.record.clone(), Line::new(cx, notice));
        let delivered = blocking(DELIVER, move || {
            // One piece of work: a lock held from one to the next would wait for a thread that waits for the lock.
            let record = match record.map(|record| record.open()).transpose() {
                Ok(record) => record,
                Err(error) => return Ok(Err(failed(DELIVER, error).not_applied())),
            };
            let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
            sink.write_all(format!("{}\n\n", line.text).as_bytes())?;
            sink.flush()?;
            drop(sink);
            record.map_or(Ok(()), |record| record::append(record, &line))?;
            Ok(Ok(Receipt::new(&line.effect)))
        });
        delivered.await?
    }

    async fn find(&self, cx: &EffectContext, _notice: &Notice) -> Result<Found<Receipt>, AdapterError> {
        let Some(record) = self.record.clone() else { return Ok(Found::CannotTell) };
        let effect = cx.effect.to_string();
        blocking("read the record", move || {
            Ok(if record.has(&effect)? { Found::Yes(Receipt::new(&effect)) } else { Found::No })
        })
        .await
    }
}

#[cfg(test)]
mod tests;
