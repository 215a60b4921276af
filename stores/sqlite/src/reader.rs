//! Threads that read, each on a connection of its own, so that no caller's thread waits for the disk.

use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender};
use incident_core::port::store::{StoreError, StoreTrouble};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::Options;
use crate::connection::{self, Transaction};
use crate::error::Fault;
use crate::place::Place;

/// Two, so that a long log doesn't hold up a short question.
const THREADS: usize = 2;

type Task = Box<dyn FnOnce(&Connection) + Send>;

/// The threads that read. Dropping it waits for what they are doing.
pub(crate) struct Readers {
    tasks: Option<Sender<Task>>,
    threads: Vec<JoinHandle<()>>,
    place: Place,
}

impl Readers {
    /// Starts them on the store at `place`.
    pub(crate) fn start(place: Place, options: &Options) -> Result<Self, Fault> {
        let (tasks, queue) = crossbeam_channel::unbounded();
        let mut readers = Self { tasks: Some(tasks), threads: Vec::new(), place };
        for _ in 0..THREADS {
            let connection = connection::open_reader(readers.place.file(), options)?;
            let queue = queue.clone();
            let thread = std::thread::Builder::new()
                .name("incident-sqlite-read".to_owned())
                .spawn(move || work(&connection, &queue))?;
            readers.threads.push(thread);
        }
        Ok(readers)
    }

    /// Runs `read` on one of them, seeing the file as it is at one moment.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        read: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let place = self.place.clone();
        let task: Task = Box::new(move |connection| {
            if !reply.is_closed() {
                let found = snapshot(connection, read);
                // Checked last: what was read is what a new process would have read then.
                let found = place.check().and(found);
                let _ = reply.send(found.map_err(|fault| fault.during(operation, place.file())));
            }
        });
        let gone = || StoreError::new(StoreTrouble::Unavailable, operation).caused_by("its threads are gone");
        self.tasks.as_ref().and_then(|tasks| tasks.send(task).ok()).ok_or_else(gone)?;
        match answer.await {
            Ok(result) => result,
            Err(_) => Err(gone()),
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.tasks = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

fn work(connection: &Connection, queue: &Receiver<Task>) {
    for task in queue {
        task(connection);
    }
}

fn snapshot<T>(
    connection: &Connection,
    read: impl FnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let transaction = Transaction::reading(connection)?;
    let found = read(&transaction)?;
    transaction.commit()?;
    Ok(found)
}
