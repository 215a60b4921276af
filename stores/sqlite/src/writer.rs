//! The one thread that writes: it commits in groups whatever was queued while it waited for the disk.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use incident_core::model::id::{IncidentId, Seq};
use incident_core::port::store::{Claim, Commit, CommitError, Hint, StoreError, StoreTrouble};
use rusqlite::Connection;
use tokio::sync::{broadcast, oneshot};
use tokio::time::Instant;

use crate::connection::Transaction;
use crate::error::Fault;
use crate::log::Log;
use crate::place::Place;
use crate::{Options, lease, write};

/// A group is this many jobs at most: beyond, a larger group hardly saves more.
const GROUP: usize = 512;

/// And this many bytes at most, so that a group of large commits doesn't keep others waiting.
const GROUP_BYTES: usize = 8 << 20;

/// A group waits for no more jobs than this: a share of a sync is little by then, and who is answered meanwhile prepares the
/// next group.
const WORTH_WAITING: usize = 36;

/// How long a group waits at most for those who asked together with it the last time.
const LONGEST_WAIT: Duration = Duration::from_millis(2);

/// How often to try again to cut redacted text out of the write-ahead log.
const CUT_AGAIN: Duration = Duration::from_secs(1);

/// The handle on the thread. Dropping it waits until everything queued is done.
pub(crate) struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    wanted: Arc<AtomicUsize>,
}

enum Job {
    Commit { id: IncidentId, at: Seq, commit: Commit, reply: oneshot::Sender<Result<(), CommitError>> },
    Claim { claim: Claim, reply: oneshot::Sender<Result<Vec<IncidentId>, StoreError>> },
}

impl Writer {
    /// Starts the thread, which tells `hints` what it commits.
    pub(crate) fn start(
        connection: Connection,
        place: Place,
        options: &Options,
        hints: broadcast::Sender<Hint>,
    ) -> Result<Self, Fault> {
        let (jobs, queue) = crossbeam_channel::unbounded();
        let wanted = Arc::new(AtomicUsize::new(usize::MAX));
        let log = Log::new(&place, options.patience);
        let work = Work::new(connection, place, log, queue, Arc::clone(&wanted), hints);
        let thread =
            std::thread::Builder::new().name("incident-sqlite-write".to_owned()).spawn(move || work.run())?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), wanted })
    }

    /// Queues a commit that is consistent in itself, and waits for what came of it.
    pub(crate) async fn commit(&self, id: IncidentId, at: Seq, commit: Commit) -> Result<(), CommitError> {
        let (reply, answer) = oneshot::channel();
        if !self.queue(Job::Commit { id, at, commit, reply }) {
            return Err(CommitError::Store(gone("commit")));
        }
        answer.await.unwrap_or_else(|_| Err(CommitError::Unknown(gone("commit"))))
    }

    /// Queues a claim, and waits for what it found.
    pub(crate) async fn claim(&self, claim: Claim) -> Result<Vec<IncidentId>, StoreError> {
        let (reply, answer) = oneshot::channel();
        if !self.queue(Job::Claim { claim, reply }) {
            return Err(gone("claim"));
        }
        answer.await.unwrap_or_else(|_| Err(gone("claim")))
    }

    fn queue(&self, job: Job) -> bool {
        let (Some(jobs), Some(thread)) = (&self.jobs, &self.thread) else { return false };
        let queued = jobs.send(job).is_ok();
        if jobs.len() >= self.wanted.load(Ordering::SeqCst) {
            thread.thread().unpark();
        }
        queued
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

fn gone(operation: &'static str) -> StoreError {
    StoreError::new(StoreTrouble::Unavailable, operation).caused_by("its thread is gone")
}

/// What the thread has.
struct Work {
    connection: Connection,
    place: Place,
    queue: Receiver<Job>,
    /// How many jobs the thread waits for while it gathers: to be woken by each costs more than to write it.
    wanted: Arc<AtomicUsize>,
    hints: broadcast::Sender<Hint>,
    log: Log,
    /// How many jobs the last group had: whoever was answered together asks together again.
    last: usize,
    /// How long the last group took.
    took: Duration,
}

/// What came of a job, once its transaction stands.
enum Done {
    Commit(Result<(), CommitError>),
    Claim(Vec<IncidentId>),
}

/// Where a transaction failed. Nothing of it stands, unless the disk failed while it was being committed.
enum Failed {
    /// Before anything was done: others have the file, or it can't be written.
    Begin(Fault),
    /// In one of the jobs.
    Job(Fault),
    /// While it was made durable.
    Commit(Fault),
}

impl Work {
    fn new(
        connection: Connection,
        place: Place,
        log: Log,
        queue: Receiver<Job>,
        wanted: Arc<AtomicUsize>,
        hints: broadcast::Sender<Hint>,
    ) -> Self {
        Self { connection, place, log, queue, wanted, hints, last: 0, took: Duration::ZERO }
    }

    fn run(mut self) {
        while let Some(first) = self.next() {
            let group = self.gather(first);
            let begun = Instant::now();
            self.last = group.len();
            self.group(group);
            self.took = begun.elapsed();
        }
        self.log.cut(&mut self.connection);
    }

    /// The jobs of the next transaction: those that wait, and for a moment those that will likely come. A group that
    /// leaves without them makes them wait for a sync of their own; who asks alone again and again is not kept waiting.
    fn gather(&self, first: Job) -> Vec<Job> {
        self.wait_for(self.last.min(WORTH_WAITING).saturating_sub(1));
        let mut size = first.size();
        let mut group = vec![first];
        while group.len() < GROUP
            && size < GROUP_BYTES
            && let Ok(job) = self.queue.try_recv()
        {
            size += job.size();
            group.push(job);
        }
        group
    }

    /// Waits until so many jobs are queued, and no longer than half of what the last group took.
    fn wait_for(&self, jobs: usize) {
        let end = Instant::now() + (self.took / 2).min(LONGEST_WAIT);
        self.wanted.store(jobs, Ordering::SeqCst);
        while self.queue.len() < jobs {
            let rest = end.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                break;
            }
            std::thread::park_timeout(rest);
        }
        self.wanted.store(usize::MAX, Ordering::SeqCst);
    }

    /// The next job; none when the store was dropped and everything is done.
    fn next(&mut self) -> Option<Job> {
        while self.log.is_uncut() {
            match self.queue.recv_timeout(CUT_AGAIN) {
                Ok(job) => return Some(job),
                Err(RecvTimeoutError::Timeout) => self.log.cut(&mut self.connection),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        self.queue.recv().ok()
    }

    fn group(&mut self, jobs: Vec<Job>) {
        if let Err(fault) = self.place.check() {
            return self.refuse(jobs, Failed::Begin(fault));
        }
        let jobs: Vec<_> = jobs.into_iter().filter_map(|job| self.answer_idle(job)).collect();
        if jobs.is_empty() {
            return;
        }
        match self.transaction(&jobs) {
            Ok(done) => self.answer(jobs, done),
            // One of them can't be made; alone, each succeeds or fails by itself.
            Err(Failed::Job(_)) if jobs.len() > 1 => {
                for job in jobs {
                    self.group(vec![job]);
                }
            }
            Err(failed) => self.refuse(jobs, failed),
        }
    }

    /// Answers a claim that finds nothing, which is most of them: it needs no transaction and no sync.
    fn answer_idle(&self, job: Job) -> Option<Job> {
        if let Job::Claim { claim, .. } = &job
            && lease::is_idle(&self.connection, claim).unwrap_or(false)
        {
            job.answer(Done::Claim(Vec::new()));
            return None;
        }
        Some(job)
    }

    fn transaction(&mut self, jobs: &[Job]) -> Result<Vec<Done>, Failed> {
        let begin = |error: rusqlite::Error| Failed::Begin(error.into());
        if !self.connection.is_autocommit() {
            // The last transaction failed so badly that it couldn't even be rolled back.
            self.connection.execute_batch("ROLLBACK").map_err(begin)?;
        }
        let transaction = Transaction::writing(&self.connection).map_err(begin)?;
        let mut done = Vec::with_capacity(jobs.len());
        for job in jobs {
            done.push(job.run(&transaction).map_err(Failed::Job)?);
        }
        transaction.commit().map_err(|error| Failed::Commit(error.into()))?;
        // Nothing is acknowledged unless a new process would find it.
        self.place.check().map_err(Failed::Commit)?;
        Ok(done)
    }

    fn refuse(&self, jobs: Vec<Job>, failed: Failed) {
        refuse(jobs, failed, self.place.file());
    }

    fn answer(&mut self, jobs: Vec<Job>, done: Vec<Done>) {
        let redacted = jobs.iter().zip(&done).any(|(job, done)| job.redacts(done));
        self.log.tend(&mut self.connection, redacted);
        for (job, done) in jobs.into_iter().zip(done) {
            if let (Job::Commit { id, commit, .. }, Done::Commit(Ok(()))) = (&job, &done) {
                // No listener is no failure.
                let _ = self.hints.send(Hint::new(*id, commit.index.version));
            }
            job.answer(done);
        }
    }
}

impl Job {
    fn run(&self, connection: &Connection) -> Result<Done, Fault> {
        match self {
            Self::Commit { id, at, commit, .. } => {
                Ok(Done::Commit(write::commit(connection, *id, *at, commit)?))
            }
            Self::Claim { claim, .. } => Ok(Done::Claim(lease::take(connection, claim)?)),
        }
    }

    /// Hands the caller what came of it; a caller who is gone doesn't mind.
    fn answer(self, done: Done) {
        match (self, done) {
            (Self::Commit { reply, .. }, Done::Commit(result)) => drop(reply.send(result)),
            (Self::Claim { reply, .. }, Done::Claim(taken)) => drop(reply.send(Ok(taken))),
            _ => unreachable!("a job is answered by what its own kind did"),
        }
    }

    fn redacts(&self, done: &Done) -> bool {
        match (self, done) {
            (Self::Commit { commit, .. }, Done::Commit(Ok(()))) => !commit.redact.is_empty(),
            _ => false,
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Commit { commit, .. } => commit
                .records
                .iter()
                .map(|record| record.body.len() + record.slots.iter().map(Vec::len).sum::<usize>())
                .sum(),
            Self::Claim { .. } => 0,
        }
    }
}

/// Tells everybody in a group why it failed.
fn refuse(jobs: Vec<Job>, failed: Failed, file: &Path) {
    // A sync that failed may have reached the disk all the same, and a crash would then bring it back.
    let unknown = matches!(&failed, Failed::Commit(fault) if fault.is_doubt());
    let too_big = matches!(&failed, Failed::Job(fault) if fault.is_too_big());
    let (Failed::Begin(fault) | Failed::Job(fault) | Failed::Commit(fault)) = failed;
    let fault = fault.explained(file);
    let error = |operation| fault.during(operation, file);
    for job in jobs {
        match job {
            Job::Commit { reply, .. } => {
                let refusal = if too_big {
                    CommitError::Invalid("a record is larger than the store keeps")
                } else if unknown {
                    CommitError::Unknown(error("commit"))
                } else {
                    CommitError::Store(error("commit"))
                };
                drop(reply.send(Err(refusal)));
            }
            Job::Claim { reply, .. } => drop(reply.send(Err(error("claim")))),
        }
    }
}

#[cfg(test)]
mod tests {
    use incident_core::log::index::Index;
    use incident_core::model::effect::Urgency;
    use incident_core::model::time::Time;
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn only_a_failed_sync_leaves_open_what_became_of_a_commit() {
        let fault = |code| Fault::Sql(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        for (failed, unknown) in [
            (Failed::Commit(fault(ffi::SQLITE_IOERR_FSYNC)), true),
            (Failed::Commit(fault(ffi::SQLITE_FULL)), false),
            (Failed::Commit(fault(ffi::SQLITE_BUSY)), false),
            (Failed::Job(fault(ffi::SQLITE_IOERR_READ)), false),
            (Failed::Begin(fault(ffi::SQLITE_IOERR_LOCK)), false),
        ] {
            let (reply, mut answer) = oneshot::channel();
            let row = Index::new(Seq(1), None, Urgency::ROUTINE);
            let commit = Commit::new(Vec::new(), row, Time::UNIX_EPOCH);
            let id = IncidentId::from_bytes([0; 16]);
            refuse(vec![Job::Commit { id, at: Seq(1), commit, reply }], failed, Path::new("nowhere/at.all"));
            let error = answer.try_recv().unwrap().unwrap_err();
            assert_eq!(matches!(error, CommitError::Unknown(_)), unknown, "{error:?}");
            assert_eq!(matches!(error, CommitError::Store(_)), !unknown, "{error:?}");
        }
    }
}
