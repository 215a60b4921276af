//! Commits in groups: whatever was asked for while others were being made shares the next transaction.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use incident_core::port::store::{CommitError, Hint, StoreError, StoreTrouble};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::error::Fault;
use crate::hints::Bell;
use crate::pool::{Connections, before};
use crate::write::{self, Outcome, Wish};

/// So many groups are under way at a time: while the server makes one last, the next is written.
const GROUPS: usize = 2;

/// So many commits besides wait at a time for a row that somebody else is at.
const APART: usize = 2;

/// A group is this many commits at most: beyond, a larger one hardly saves more.
const TOGETHER: usize = 128;

/// And this many bytes at most, so that a group of large commits doesn't keep others waiting.
const BYTES: usize = 4 << 20;

/// How often a commit is tried that lost against another one it stood in the way of: nothing of it was made then.
const RIVALRIES: u32 = 5;

/// Where commits are asked for. Whatever was queued is made, also when its caller or the store is gone.
pub(crate) struct Writer(Arc<Shared>);

impl Writer {
    /// One that tells `bell` what it commits.
    pub(crate) fn new(connections: Connections, bell: Option<Arc<Bell>>) -> Self {
        let queue = Mutex::default();
        let (groups, apart) = (Arc::new(Semaphore::new(GROUPS)), Semaphore::new(APART));
        Self(Arc::new(Shared { connections, bell, queue, groups, apart }))
    }

    /// Queues a commit that is consistent in itself, and waits for what came of it.
    pub(crate) async fn commit(&self, wish: Wish) -> Result<(), CommitError> {
        let (reply, answer) = oneshot::channel();
        let end = self.0.connections.end();
        let job = Job { wish, end, rivalries: 0, reply: Some(reply), under_way: None };
        self.0.queue().waiting.push_back(job);
        self.0.begin();
        answer.await.unwrap_or_else(|_| {
            let gone = StoreError::new(StoreTrouble::Unavailable, "commit").caused_by("its task is gone");
            Err(CommitError::Unknown(gone))
        })
    }
}

/// What the tasks share.
struct Shared {
    connections: Connections,
    bell: Option<Arc<Bell>>,
    queue: Mutex<Queue>,
    groups: Arc<Semaphore>,
    apart: Semaphore,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Job>,
    /// What the jobs under way touch. No other begins that touches the same: it sees what they leave, in the order asked
    /// for, and no transaction of ours waits for another one.
    touched: HashSet<Vec<u8>>,
}

/// A commit that is asked for.
struct Job {
    wish: Wish,
    /// When its caller has waited long enough.
    end: Instant,
    rivalries: u32,
    reply: Option<oneshot::Sender<Result<(), CommitError>>>,
    /// Whose queue knows what it touches, once it has begun.
    under_way: Option<Arc<Shared>>,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins groups, as many as may be under way and find something to do.
    fn begin(self: &Arc<Self>) {
        while let Some((group, place)) = self.next() {
            let shared = Arc::clone(self);
            tokio::spawn(async move {
                shared.make(group).await;
                drop(place);
                shared.begin();
            });
        }
    }

    /// The next group, and its place among those under way. A place that finds nothing to do is free again before anybody
    /// else can queue a commit and find no place for it.
    fn next(self: &Arc<Self>) -> Option<(Vec<Job>, OwnedSemaphorePermit)> {
        let mut queue = self.queue();
        let place = Arc::clone(&self.groups).try_acquire_owned().ok()?;
        let group = queue.take(self);
        (!group.is_empty()).then_some((group, place))
    }

    /// Makes a commit that a group can't wait for.
    fn set_apart(self: &Arc<Self>, job: Job) {
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            match timeout_at(job.end, shared.apart.acquire()).await {
                Ok(Ok(_place)) => shared.make(vec![job]).await,
                _ => job.answer(Err(late())),
            }
            shared.begin();
        });
    }

    /// Makes the commits of a group, again and again until each is answered or set apart.
    async fn make(self: &Arc<Self>, mut group: Vec<Job>) {
        while let Some(end) = group.iter().map(|job| job.end).min() {
            let sent = AtomicBool::new(false);
            group = match self.attempt(&group, end, &sent).await {
                Ok(outcomes) => self.answer(group, outcomes),
                Err(fault) => self.fail(group, &fault, sent.into_inner()),
            };
        }
    }

    async fn attempt(&self, group: &[Job], end: Instant, sent: &AtomicBool) -> Result<Vec<Outcome>, Fault> {
        let wishes: Vec<&Wish> = group.iter().map(|job| &job.wish).collect();
        loop {
            let mut lent = before(end, self.connections.lend()).await?;
            let made = write::commit(lent.connection()?, &wishes, self.connections.deadline(), sent);
            let made = before(end, made).await;
            let again = lent.died_idle(&made) && !sent.load(Ordering::Relaxed);
            let made = lent.back(made);
            if !again {
                return made;
            }
        }
    }

    /// Answers a group; what is left of it.
    fn answer(self: &Arc<Self>, group: Vec<Job>, outcomes: Vec<Outcome>) -> Vec<Job> {
        let mut left = Vec::new();
        for (job, outcome) in group.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Made => {
                    if let Some(bell) = &self.bell {
                        bell.ring(Hint::new(job.wish.id, job.wish.commit.index.version));
                    }
                    job.answer(Ok(()));
                }
                Outcome::Refused(refusal) => job.answer(Err(refusal)),
                Outcome::Left => left.push(job),
                Outcome::Locked => self.set_apart(job),
            }
        }
        left
    }

    /// Tells a group that its transaction failed; what is left of it.
    fn fail(self: &Arc<Self>, group: Vec<Job>, fault: &Fault, sent: bool) -> Vec<Job> {
        let is_unknown = sent && !fault.is_refusal();
        // It may be the fault of one of them, and whose time isn't over needn't fail with whose is.
        let is_ones = group.len() > 1 && (!fault.spoils_connection() || matches!(fault, Fault::Late));
        let mut left = Vec::new();
        for mut job in group {
            if is_unknown {
                job.answer(Err(CommitError::Unknown(fault.during("commit"))));
            } else if fault.is_rivalry() && job.rivalries < RIVALRIES {
                job.rivalries += 1;
                left.push(job);
            } else if is_ones {
                self.set_apart(job);
            } else {
                job.answer(Err(CommitError::Store(fault.during("commit"))));
            }
        }
        left
    }
}

fn late() -> CommitError {
    CommitError::Store(Fault::Late.during("commit"))
}

impl Queue {
    /// The jobs of the next group. Those that touch what others are at, or what others wait for, stay in the line.
    fn take(&mut self, shared: &Arc<Shared>) -> Vec<Job> {
        let now = Instant::now();
        let (mut group, mut passed, mut size) = (Vec::new(), Vec::new(), 0);
        let mut awaited: HashSet<Vec<u8>> = HashSet::new();
        while group.len() < TOGETHER && size < BYTES {
            let Some(mut job) = self.waiting.pop_front() else { break };
            if job.end <= now {
                job.answer(Err(late()));
                continue;
            }
            let touches = job.wish.touches();
            if touches.iter().any(|it| self.touched.contains(it) || awaited.contains(it)) {
                awaited.extend(touches);
                passed.push(job);
            } else {
                self.touched.extend(touches);
                size += job.wish.size();
                job.under_way = Some(Arc::clone(shared));
                group.push(job);
            }
        }
        for job in passed.into_iter().rev() {
            self.waiting.push_front(job);
        }
        group
    }
}

impl Job {
    /// Hands the caller what came of it; a caller who is gone doesn't mind.
    fn answer(mut self, result: Result<(), CommitError>) {
        let reply = self.reply.take();
        // The caller's next commit must find nothing in its way.
        drop(self);
        if let Some(reply) = reply {
            let _ = reply.send(result);
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if let Some(shared) = self.under_way.take() {
            let touches = self.wish.touches();
            let mut queue = shared.queue();
            for it in touches {
                queue.touched.remove(&it);
            }
        }
    }
}
