//! Logs read in groups: what is asked for while others are being read shares the next statement, for the server needs longer
//! to plan one than to read a log.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use incident_core::model::id::{IncidentId, Seq};
use incident_core::port::store::{StoreError, StoreTrouble, StoredRecord};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;

use crate::error::Fault;
use crate::pool::{Connections, before};
use crate::read::{self, Log};

/// So many groups are under way at a time: one that has a long log to read keeps only its own waiting.
const GROUPS: usize = 3;

/// A group is this many logs at most. Each may be long; and a server without statistics yet takes a larger group for so much
/// work that it compiles the statement, which takes longer than all the rest.
const TOGETHER: usize = 16;

/// Where logs are asked for.
pub(crate) struct Reader(Arc<Shared>);

/// What the tasks share.
struct Shared {
    connections: Connections,
    waiting: Mutex<VecDeque<Look>>,
    groups: Arc<Semaphore>,
}

/// A log that is asked for.
struct Look {
    log: Log,
    /// When its caller has waited long enough.
    end: Instant,
    reply: oneshot::Sender<Result<Vec<StoredRecord>, StoreError>>,
}

impl Reader {
    pub(crate) fn new(connections: Connections) -> Self {
        let groups = Arc::new(Semaphore::new(GROUPS));
        Self(Arc::new(Shared { connections, waiting: Mutex::default(), groups }))
    }

    /// The records of an incident after `after`.
    pub(crate) async fn load(&self, id: IncidentId, after: Seq) -> Result<Vec<StoredRecord>, StoreError> {
        // Nothing comes after a version that doesn't fit the column.
        let Ok(after) = i64::try_from(after.0) else { return Ok(Vec::new()) };
        let (reply, answer) = oneshot::channel();
        let look = Look { log: Log { id, after }, end: self.0.connections.end(), reply };
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(look);
        self.0.begin();
        answer.await.unwrap_or_else(|_| {
            Err(StoreError::new(StoreTrouble::Unavailable, "load").caused_by("its task is gone"))
        })
    }
}

impl Shared {
    /// Begins groups, as many as may be under way and find something to read.
    fn begin(self: &Arc<Self>) {
        while let Some((group, place)) = self.next() {
            let shared = Arc::clone(self);
            tokio::spawn(async move {
                shared.read(group).await;
                drop(place);
                shared.begin();
            });
        }
    }

    /// The next group, and its place among those under way; whose caller is gone isn't in it. A place that finds nothing to
    /// read is free again before anybody else can ask and find no place.
    fn next(&self) -> Option<(Vec<Look>, OwnedSemaphorePermit)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let place = Arc::clone(&self.groups).try_acquire_owned().ok()?;
        waiting.retain(|look| !look.reply.is_closed());
        let count = waiting.len().min(TOGETHER);
        let group: Vec<Look> = waiting.drain(..count).collect();
        (!group.is_empty()).then_some((group, place))
    }

    async fn read(&self, group: Vec<Look>) {
        match self.attempt(&group).await {
            Ok(read) => {
                for (look, log) in group.into_iter().zip(read) {
                    // A caller who is gone doesn't mind.
                    let _ = look.reply.send(log.map_err(|fault| fault.during("load")));
                }
            }
            Err(fault) => {
                for look in group {
                    let _ = look.reply.send(Err(fault.during("load")));
                }
            }
        }
    }

    async fn attempt(&self, group: &[Look]) -> Result<Vec<Result<Vec<StoredRecord>, Fault>>, Fault> {
        let end = group.iter().map(|look| look.end).min().unwrap_or_else(Instant::now);
        let logs: Vec<Log> = group.iter().map(|look| look.log).collect();
        loop {
            let mut lent = before(end, self.connections.lend()).await?;
            let read = before(end, read::logs(lent.connection()?, &logs)).await;
            let again = lent.died_idle(&read);
            let read = lent.back(read);
            if !again {
                return read;
            }
        }
    }
}
