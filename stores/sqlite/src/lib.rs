//! The incident store in one SQLite file: no server, durable commits in groups, several processes on one file.
//!
//! ```
//! use incident_sqlite::SqliteStore;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("incidents.db");
//! let store = SqliteStore::open(&path)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//! - What [`commit`](Store::commit) acknowledges is on the disk: write-ahead log, `synchronous=FULL`.
//! - One thread writes. Whatever is queued while it syncs goes into its next transaction, so many callers share a sync.
//!   A commit that is refused or fails leaves the others of its group alone.
//! - A commit that was queued is made even if its caller is gone; dropping the store waits for what is queued.
//! - A file that isn't ours, is newer or is damaged is refused and left as it is.
//! - A commit is acknowledged only if a process that opens the path at that moment would find it. If the file, its
//!   write-ahead log or its folder is deleted, replaced, renamed or emptied, or a symbolic link leads elsewhere, every call
//!   fails with [`StoreTrouble::Moved`](incident_core::port::store::StoreTrouble::Moved) until the files are back.
//! - Redacted text is overwritten in the file and cut out of the write-ahead log before the commit is acknowledged –
//!   see the caveat.
//!
//! # Caveats
//! - The file must be on a local disk: SQLite's write-ahead log needs shared memory, which network file systems lack.
//! - While somebody else reads the file, the write-ahead log can't be cut. Redacted text then stays in it until the
//!   reader is done; this store tries again after every group of commits and every second. Backups and what the disk
//!   itself keeps of overwritten blocks are out of its reach.
//! - While another process keeps a read transaction open, the write-ahead log grows; the store warns about it (`tracing`)
//!   and empties the log once that transaction ends. Short reads don't have this effect, however many there are.
//! - Copying another file's bytes over the open file, as `cp` does, is not noticed until something damaged is read. Stop the
//!   process before you restore a backup.
//! - [`hints`](Store::hints) tell of commits through this handle only; other processes see them at their next look.
//! - Opening looks at the file's head, not at all of it, which would take seconds a gigabyte. Damage shows up where it
//!   is read, as an error, or at [`SqliteStore::check`].

mod connection;
mod error;
mod lease;
mod log;
mod options;
mod place;
mod read;
mod reader;
mod schema;
mod slots;
mod write;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use incident_core::model::id::{IncidentId, Seq};
use incident_core::model::time::Time;
use incident_core::port::store::{
    Claim, Commit, CommitError, Held, Hint, Hints, Page, Query, Store, StoreError, StoredRecord,
};
use tokio::sync::broadcast;

pub use options::Options;

use error::Fault;
use place::Place;
use reader::Readers;
use writer::Writer;

/// How many hints a slow listener may fall behind before it misses some.
const HINTS_KEPT: usize = 256;

/// A [`Store`] in a SQLite file. Several handles, in one process or in many, may be open on one file.
pub struct SqliteStore {
    path: PathBuf,
    // Closed in this order: the last connection to close empties the write-ahead log, and the writer may.
    readers: Readers,
    writer: Writer,
    hints: broadcast::Sender<Hint>,
}

impl SqliteStore {
    /// Opens the store at `path`, and creates it if there is no file or an empty one.
    ///
    /// Blocks for a few milliseconds; longer, up to ten seconds or [`Options::patience`], if others keep the file busy.
    ///
    /// # Errors
    /// [`StoreError`]: `Foreign` if the path can't be a file or leads to another application's database, `Newer` if a newer
    /// version of this crate wrote it, `Corrupt` if it is damaged or no database, `Missing` if its folder doesn't exist,
    /// `Denied` if it may not be opened, `Full` if the disk is, `Unavailable` if others keep it busy. The file isn't changed
    /// then.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(path, &Options::new())
    }

    /// Opens the store at `path` with settings of your own.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, options: &Options) -> Result<Self, StoreError> {
        let path = path.as_ref();
        Self::start(path, options).map_err(|fault| fault.during("open", path))
    }

    fn start(path: &Path, options: &Options) -> Result<Self, Fault> {
        let path = std::path::absolute(path)?;
        // SQLite follows symbolic links, so what is checked before it opens the file must follow them, too.
        let file = place::resolve(&path)?;
        let writing = connection::open(&file, options).map_err(|fault| fault.explained(&file))?;
        let place = Place::of_open(&path, &file)?;
        let hints = broadcast::Sender::new(HINTS_KEPT);
        let readers = Readers::start(place.clone(), options)?;
        place.check()?;
        let writer = Writer::start(writing, place, options, hints.clone())?;
        Ok(Self { path, readers, writer, hints })
    }

    /// Reads the whole file and checks that nothing is damaged or missing, as far as that can be seen without
    /// understanding the records; what they say is checked by their chain.
    ///
    /// Takes several seconds a gigabyte and holds up neither readers nor writers.
    ///
    /// # Errors
    /// [`StoreError`]: `Corrupt` if something is damaged or missing, or why the file can't be read.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.readers.read("check", read::check).await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.path).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn commit(&self, id: IncidentId, at: Seq, commit: &Commit) -> Result<(), CommitError> {
        commit.check(at)?;
        self.writer.commit(id, at, commit.clone()).await
    }

    async fn load(&self, id: IncidentId, after: Seq) -> Result<Vec<StoredRecord>, StoreError> {
        self.readers.read("load", move |connection| read::log(connection, id, after)).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<IncidentId>, StoreError> {
        self.writer.claim(claim.clone()).await
    }

    async fn list(&self, query: &Query) -> Result<Page, StoreError> {
        let query = query.clone();
        self.readers.read("list", move |connection| read::page(connection, &query)).await
    }

    async fn holder(&self, key: &str) -> Result<Option<Held>, StoreError> {
        let key = key.to_owned();
        self.readers.read("holder", move |connection| read::holder(connection, &key)).await
    }

    async fn next_wake(&self) -> Result<Option<Time>, StoreError> {
        self.readers.read("next_wake", lease::next_wake).await
    }

    fn hints(&self) -> Hints {
        let receiver = self.hints.subscribe();
        Box::pin(futures_util::stream::unfold(receiver, |mut receiver| async move {
            loop {
                match receiver.recv().await {
                    Ok(hint) => return Some((hint, receiver)),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                }
            }
        }))
    }
}
