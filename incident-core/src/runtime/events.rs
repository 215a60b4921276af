//! Reading an incident's log as it grows.

use std::collections::VecDeque;
use std::time::Duration;

use futures_core::Stream;
use futures_util::StreamExt;
use futures_util::stream;

use super::engine::Engine;
use super::error::CommandError;
use crate::log::chain::decode;
use crate::log::event::Record;
use crate::model::id::{IncidentId, Seq};
use crate::port::store::Hint;

/// How long a reader waits at most for a hint: stores may give none.
const POLL: Duration = Duration::from_millis(500);

impl Engine {
    /// The records of an incident after `after`, in order and without a gap, then those to come.
    ///
    /// It reads the log; hints only wake it earlier. So it sees what other replicas write, and goes on where it was left
    /// when begun anew with the last sequence. It ends after an error.
    pub fn events(
        &self,
        id: IncidentId,
        after: Seq,
    ) -> impl Stream<Item = Result<Record, CommandError>> + Send + use<> {
        let reader = Reader { engine: self.clone(), id, last: after, read: VecDeque::new(), failed: false };
        stream::unfold(reader, |mut reader| async move {
            if reader.failed {
                return None;
            }
            let next = reader.next().await;
            reader.failed = next.is_err();
            Some((next, reader))
        })
    }
}

struct Reader {
    engine: Engine,
    id: IncidentId,
    last: Seq,
    read: VecDeque<Record>,
    failed: bool,
}

impl Reader {
    async fn next(&mut self) -> Result<Record, CommandError> {
        let id = self.id;
        let about = |hint: &Hint| std::future::ready(hint.incident == id);
        let mut hints = self.engine.0.store.hints().filter(about).fuse();
        loop {
            if let Some(record) = self.read.pop_front() {
                self.last = record.seq;
                return Ok(record);
            }
            let log = self.engine.0.store.load(self.id, self.last).await;
            for stored in log.map_err(|error| CommandError::Store(error.into()))? {
                self.read.push_back(decode(&stored).map_err(CommandError::Unreadable)?);
            }
            if self.read.is_empty() {
                tokio::select! {
                    Some(_) = hints.next() => {}
                    () = self.engine.0.time.sleep(POLL) => {}
                }
            }
        }
    }
}
