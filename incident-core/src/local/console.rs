//! Notices on the console, and in a file that remembers them.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::file::blocking;
use crate::domain::effect::Receipt;
use crate::domain::notice::Notice;
use crate::domain::time::Time;
use crate::port::{
    Adapter, AdapterError, Capabilities, EffectContext, Found, Notifier, Preflight, PreflightContext, Repeat,
};

/// Writes every notice as plain text; with a record, a notice is delivered once although the process was killed.
#[derive(Clone)]
pub struct Console {
    sink: Arc<Mutex<Box<dyn Write + Send>>>,
    record: Option<PathBuf>,
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("record", &self.record).finish_non_exhaustive()
    }
}

/// A line of the record.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    effect: String,
    at: Time,
    kind: String,
    audiences: Vec<String>,
    drill: bool,
    possible_repeat: bool,
    headline: String,
    text: String,
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
        Self { sink: Arc::new(Mutex::new(Box::new(sink))), record: None }
    }

    /// With a file that gets a line of JSON for each notice, on the disk before the notice counts as delivered.
    #[must_use]
    pub fn with_record(mut self, path: impl Into<PathBuf>) -> Self {
        self.record = Some(path.into());
        self
    }
}

#[async_trait]
impl Adapter for Console {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("console")
    }

    async fn preflight(&self, _cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        let Some(path) = self.record.clone() else { return Ok(Preflight::default()) };
        let writable = blocking("open the record", move || append(&path).map(|_| ())).await;
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
        let (sink, record) = (Arc::clone(&self.sink), self.record.clone());
        let text = notice.to_text();
        let entry = Entry {
            effect: cx.effect.to_string(),
            at: cx.now,
            kind: notice.kind.to_string(),
            audiences: notice.audiences.iter().map(ToString::to_string).collect(),
            drill: notice.drill,
            possible_repeat: notice.possible_repeat,
            headline: notice.headline(),
            text: text.clone(),
        };
        let receipt = Receipt::new(&entry.effect);
        blocking("write the notice", move || {
            if let Some(path) = record {
                write_entry(&path, &entry)?;
            }
            let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
            writeln!(sink, "{text}\n")?;
            sink.flush()
        })
        .await?;
        Ok(receipt)
    }

    async fn find(&self, cx: &EffectContext, _notice: &Notice) -> Result<Found<Receipt>, AdapterError> {
        let Some(path) = self.record.clone() else { return Ok(Found::CannotTell) };
        let effect = cx.effect.to_string();
        blocking("read the record", move || {
            let recorded = entries(&path)?.into_iter().any(|entry| entry.effect == effect);
            Ok(if recorded { Found::Yes(Receipt::new(&effect)) } else { Found::No })
        })
        .await
    }
}

fn append(path: &Path) -> io::Result<std::fs::File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// A line that a crash tore apart is closed first, so that the next one stands alone.
fn write_entry(path: &Path, entry: &Entry) -> io::Result<()> {
    let torn = std::fs::read(path).is_ok_and(|bytes| bytes.last().is_some_and(|last| *last != b'\n'));
    let mut line = if torn { b"\n".to_vec() } else { Vec::new() };
    serde_json::to_writer(&mut line, entry)?;
    line.push(b'\n');
    let mut file = append(path)?;
    file.write_all(&line)?;
    file.sync_all()
}

/// The whole lines of the record; what a crash tore apart was never delivered.
fn entries(path: &Path) -> io::Result<Vec<Entry>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notice::NoticeKind;
    use crate::domain::severity::Audience;
    use crate::domain::{EffectId, IncidentId, Seq};

    fn notice() -> (EffectContext, Notice) {
        let incident = IncidentId::new(Time::UNIX_EPOCH, [1; 16]);
        let cx = EffectContext::new(EffectId { incident, seq: Seq(4) }, Time::UNIX_EPOCH);
        let team = vec![Audience::new(Audience::TEAM)];
        (cx, Notice::new(incident, Seq(3), NoticeKind::Opening, team, "down\u{1b}[2J @here"))
    }

    #[tokio::test]
    async fn a_delivered_notice_is_found_and_a_torn_line_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notices.jsonl");
        let console = Console::to(io::sink()).with_record(&path);
        let (cx, notice) = notice();
        std::fs::write(&path, format!("{{\"effect\":\"{}", cx.effect)).unwrap();
        assert_eq!(console.find(&cx, &notice).await.unwrap(), Found::No);

        let receipt = console.deliver(&cx, &notice).await.unwrap();

        assert_eq!(console.find(&cx, &notice).await.unwrap(), Found::Yes(receipt));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains('\u{1b}') && !text.contains("@here"), "hostile text is inert: {text}");
    }

    #[tokio::test]
    async fn without_a_record_nobody_can_tell() {
        let console = Console::to(io::sink());
        let (cx, notice) = notice();
        assert_eq!(console.repeat(&notice), Repeat::Visible);
        assert_eq!(console.find(&cx, &notice).await.unwrap(), Found::CannotTell);
    }
}
