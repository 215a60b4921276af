//! The port to a store: it moves bytes and compares versions, and decodes nothing.

use std::fmt;
use std::io;
use std::pin::Pin;

use async_trait::async_trait;
use futures_core::Stream;

pub use crate::log::chain::StoredRecord;
use crate::log::index::Index;
use crate::model::effect::Urgency;
use crate::model::id::{IncidentId, Seq};
use crate::model::time::Time;

/// Where the logs are kept.
///
/// A store is the only state that survives a crash, so what it acknowledges must be durable. It never looks into a
/// record: sequence, chain, index and ids are computed by the rules from the state at the version a commit names.
///
/// Times are kept and compared to the millisecond. Whatever lasts *until* a time – a key, a lease – is over at that
/// time.
///
/// The suite `conformance::store` (feature `conformance`) checks each line of each *Behaviour* list.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Appends to one incident's log and replaces its row in the index, all or nothing.
    ///
    /// # Behaviour
    /// - `at` is the version the commit was decided on; 0 creates the incident.
    /// - The records' sequences are `at + 1`, `at + 2` …, and the row's version is that of the last one; anything else
    ///   is [`CommitError::Invalid`], nothing changes. [`Commit::check`] says so for every store.
    /// - A commit without records refreshes the row alone, if the incident exists at `at`.
    /// - If the incident isn't at `at`: [`CommitError::Conflict`], nothing changes. Of two racing commits at one
    ///   version exactly one wins.
    /// - If the stored row was computed by a newer fold than the commit's: [`CommitError::NewerFold`], nothing changes.
    /// - If a key of the row is held by another incident at `commit.now`: [`CommitError::KeyTaken`], nothing changes.
    ///   Names are compared byte by byte. Keys that the row no longer names are free at once.
    /// - A key of the row that is itself over at `commit.now` is taken from nobody: who holds that name by now, or held
    ///   it last, keeps it, and the commit isn't refused for it.
    /// - Refusals are looked for in the order of this list.
    /// - Every slot named in `redact` is empty from then on, also one of this commit; naming one that is missing or
    ///   empty changes nothing.
    /// - The lease on the incident, if any, stays as it is.
    /// - Once `Ok` is returned, the commit survives the death of the process and of the machine's power.
    /// - [`CommitError::Unknown`] says that the reply was lost: the caller loads, and repeats or not.
    ///
    /// # Errors
    /// As above, and [`CommitError::Store`] when nothing was changed for another reason.
    async fn commit(&self, id: IncidentId, at: Seq, commit: &Commit) -> Result<(), CommitError>;

    /// Reads an incident's records after a version, in order.
    ///
    /// # Behaviour
    /// - Bytes come back exactly as they were committed, except slots that were emptied.
    /// - An unknown incident, or nothing after `after`, is an empty list.
    /// - A commit is seen whole or not at all, and every commit acknowledged before the call is seen.
    ///
    /// # Errors
    /// [`StoreError`] when the log can't be read; a damaged store is an error, never an empty list.
    async fn load(&self, id: IncidentId, after: Seq) -> Result<Vec<StoredRecord>, StoreError>;

    /// Takes an advisory lease on incidents that want to be looked at.
    ///
    /// # Behaviour
    /// - Offers incidents whose `next_wake` is at or before `claim.now`, and those whose row was computed by an older
    ///   fold than `claim.by`.
    /// - Never one whose row was computed by a newer fold than `claim.by`: the worker couldn't commit to it and would
    ///   only keep it from those who can.
    /// - Never one that another worker holds a lease on at `claim.now`; the worker's own lease hides nothing from it.
    /// - The more urgent first, then by `next_wake`, those without one last; at most `claim.limit`.
    /// - Never one of `claim.except`; the worker's leases on these end, others' stay.
    /// - A lease saves work and guards nothing: commits are guarded by versions alone.
    ///
    /// # Errors
    /// [`StoreError`]; no lease was taken then, or it runs out by itself.
    async fn claim(&self, claim: &Claim) -> Result<Vec<IncidentId>, StoreError>;

    /// Lists rows of the index in order of id, a page at a time.
    ///
    /// # Behaviour
    /// - Keyset pages: an incident that exists during the whole listing appears exactly once, whatever is written
    ///   meanwhile.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn list(&self, query: &Query) -> Result<Page, StoreError>;

    /// Who holds `key`, or held it last.
    ///
    /// # Behaviour
    /// - A key that no row names is nobody's. One whose `until` is past still names its last holder, as long as that one's
    ///   row names it and nobody took it over.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn holder(&self, key: &str) -> Result<Option<Held>, StoreError>;

    /// The earliest `next_wake` of all rows: when a claim may next find something. None when nothing is owed.
    ///
    /// It may well be past while a claim finds nothing – another worker holds the incident, or a newer fold computed
    /// its row – so a caller that waits for it also keeps a shortest wait of its own.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn next_wake(&self) -> Result<Option<Time>, StoreError>;

    /// What somebody just committed. May be empty, late or wrong: it wakes readers early and no more.
    fn hints(&self) -> Hints;
}

/// A stream of hints, see [`Store::hints`].
pub type Hints = Pin<Box<dyn Stream<Item = Hint> + Send>>;

/// Somebody committed to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hint {
    /// The incident.
    pub incident: IncidentId,
    /// Its version after the commit: whoever knows that one needn't look.
    pub version: Seq,
}

impl Hint {
    /// A hint that `incident` has come to `version`.
    #[must_use]
    pub fn new(incident: IncidentId, version: Seq) -> Self {
        Self { incident, version }
    }
}

/// One commit to one incident.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Commit {
    /// The records to append, in order.
    pub records: Vec<StoredRecord>,
    /// The row that replaces the incident's row.
    pub index: Index,
    /// Slots to empty.
    pub redact: Vec<SlotRef>,
    /// The committer's time, UTC: what the `until` of a key is compared with.
    pub now: Time,
}

impl Commit {
    /// A commit of `records` that sets the row to `index`.
    #[must_use]
    pub fn new(records: Vec<StoredRecord>, index: Index, now: Time) -> Self {
        Self { records, index, redact: Vec::new(), now }
    }

    /// With these slots emptied.
    #[must_use]
    pub fn with_redacted(mut self, slots: Vec<SlotRef>) -> Self {
        self.redact = slots;
        self
    }

    /// What a store can say about a commit at `at` without looking at what it holds.
    ///
    /// # Errors
    /// [`CommitError::Invalid`] if the records don't follow `at` without a gap, the row is of another version, an
    /// incident would begin without a record, or a key is named twice.
    pub fn check(&self, at: Seq) -> Result<(), CommitError> {
        let mut version = at;
        for record in &self.records {
            if record.seq <= version || record.seq != version.next() {
                return Err(CommitError::Invalid(
                    "the records do not follow the version they were decided on",
                ));
            }
            version = record.seq;
        }
        if version == Seq::ZERO {
            return Err(CommitError::Invalid("an incident begins with a record"));
        }
        if self.index.version != version {
            return Err(CommitError::Invalid("the row is not of the version that the commit leads to"));
        }
        let mut names: Vec<&str> = self.index.keys.iter().map(|key| key.name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(CommitError::Invalid("a key is named twice"));
        }
        Ok(())
    }
}

/// One slot of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotRef {
    /// The record.
    pub seq: Seq,
    /// The slot's place in it, from 0.
    pub slot: u32,
}

/// A wish for incidents to work on.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Claim {
    /// Who works; a lease is the worker's own.
    pub worker: String,
    /// The worker's time, UTC.
    pub now: Time,
    /// Until when the lease lasts, UTC.
    pub until: Time,
    /// How many incidents at most.
    pub limit: u32,
    /// The worker's version of the fold.
    pub by: u32,
    /// Incidents that the worker can do nothing for at the moment: they aren't offered, and its leases on them end.
    pub except: Vec<IncidentId>,
}

impl Claim {
    /// A claim by `worker` at `now`, for at most `limit` incidents until `until`.
    #[must_use]
    pub fn new(worker: &str, now: Time, until: Time, limit: u32) -> Self {
        Self { worker: worker.to_owned(), now, until, limit, by: crate::log::index::FOLD, except: Vec::new() }
    }

    /// With the fold of version `by`.
    #[must_use]
    pub fn computed_by(mut self, by: u32) -> Self {
        self.by = by;
        self
    }

    /// Without these incidents.
    #[must_use]
    pub fn except(mut self, incidents: Vec<IncidentId>) -> Self {
        self.except = incidents;
        self
    }
}

/// Who holds a key, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The holder.
    pub by: IncidentId,
    /// Until when, UTC; none while what the key stands for runs.
    pub until: Option<Time>,
}

impl Held {
    /// Whether the key is still held at `now`.
    #[must_use]
    pub fn at(&self, now: Time) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

/// Which rows of the index to list.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Query {
    /// Only incidents with a greater id than this one: the last of the page before.
    pub after: Option<IncidentId>,
    /// Only incidents that owe something.
    pub unsettled: bool,
    /// How many rows at most; 0 means 100.
    pub limit: u32,
}

impl Query {
    /// Every incident.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Those that owe something.
    #[must_use]
    pub fn unsettled() -> Self {
        Self { unsettled: true, ..Self::default() }
    }

    /// Those after `id`.
    #[must_use]
    pub fn after(mut self, id: Option<IncidentId>) -> Self {
        self.after = id;
        self
    }

    /// At most `limit` rows.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// The limit in force.
    #[must_use]
    pub fn page_size(&self) -> u32 {
        if self.limit == 0 { 100 } else { self.limit }
    }
}

/// A page of the index.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Page {
    /// The rows, in order of id.
    pub rows: Vec<IndexRow>,
    /// Whether there may be more after the last row.
    pub more: bool,
}

impl Page {
    /// A page of `rows`.
    #[must_use]
    pub fn new(rows: Vec<IndexRow>, more: bool) -> Self {
        Self { rows, more }
    }
}

/// One row of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexRow {
    /// The incident.
    pub id: IncidentId,
    /// The version the row was computed from.
    pub version: Seq,
    /// When it wants to be looked at again.
    pub next_wake: Option<Time>,
    /// How urgent it is.
    pub urgency: Urgency,
    /// What a list shows, as committed.
    pub summary: Vec<u8>,
    /// The version of the fold that computed it.
    pub by: u32,
}

impl IndexRow {
    /// The row of `id` with `index`; its keys aren't listed.
    #[must_use]
    pub fn new(id: IncidentId, index: Index) -> Self {
        let Index { version, next_wake, urgency, summary, by, .. } = index;
        Self { id, version, next_wake, urgency, summary, by }
    }
}

/// Why a commit wasn't made, or isn't known to be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// Somebody else committed first: load what's new and decide again.
    #[error("the incident is at another version: load what is new and decide again")]
    Conflict,
    /// A key is held by another incident.
    #[error("the key {key:?} is held by incident {holder}")]
    KeyTaken {
        /// The key's name.
        key: String,
        /// Who holds it.
        holder: IncidentId,
    },
    /// The row was written by a newer binary, which must keep it.
    #[error("the incident was last written by a newer version (fold {by}): leave it to that one")]
    NewerFold {
        /// The newer fold's version.
        by: u32,
    },
    /// The commit contradicts itself.
    #[error("the commit is invalid: {0}")]
    Invalid(&'static str),
    /// The reply was lost. Load to see whether the commit stands.
    #[error("whether the commit was made is unknown: load the incident to see")]
    Unknown(#[source] StoreError),
    /// Nothing was changed.
    #[error("the commit was not made")]
    Store(#[from] StoreError),
}

/// What went wrong in a store.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {kind}")]
#[non_exhaustive]
pub struct StoreError {
    /// What kind of trouble.
    pub kind: StoreTrouble,
    /// What was tried, in a few words: `open`, `commit`.
    pub operation: &'static str,
    /// The store's own error.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// Trouble of `kind` while doing `operation`.
    #[must_use]
    pub fn new(kind: StoreTrouble, operation: &'static str) -> Self {
        Self { kind, operation, source: None }
    }

    /// With the store's own error.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// Kinds of trouble with a store, by what somebody can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreTrouble {
    /// It can't be reached or is too busy; try again.
    #[error("the store can't be reached or is busy; it is safe to try again")]
    Unavailable,
    /// It is full: make room.
    #[error("the store is full; free some space, nothing acknowledged was lost")]
    Full,
    /// What it should keep is larger than it may be: send less.
    #[error("the content is too large; nothing was kept, send less")]
    TooLarge,
    /// It may not be read or written.
    #[error("access to the store is denied; check the user, the password and the permissions")]
    Denied,
    /// Nothing is there: a folder, a database or a bucket is missing.
    #[error("nothing is there; check the path or the address, or create the folder, database or bucket")]
    Missing,
    /// The other side can't be trusted: its certificate isn't accepted, or it offers no encryption.
    #[error(
        "the connection to the store is not secure; check the server's certificate, its dates and the trusted roots"
    )]
    Untrusted,
    /// It was moved, replaced or deleted while it was open.
    #[error(
        "the store was moved, replaced or deleted while it was open; it takes no more writes: put it back, or restart"
    )]
    Moved,
    /// What it holds is damaged: restore a backup.
    #[error("the store is damaged; nothing was changed, restore it from a backup")]
    Corrupt,
    /// It belongs to a newer version of the software.
    #[error("the store was written by a newer version; use that one")]
    Newer,
    /// It isn't a store of incidents.
    #[error("this is not a store of incidents; check the address")]
    Foreign,
}

impl StoreTrouble {
    /// Whether the same call may succeed later although nobody changes anything. All other trouble stays until a person
    /// acts on it.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Unavailable)
    }

    /// What an error of the file system means for a store that keeps its data in files.
    #[must_use]
    pub fn of_io(kind: io::ErrorKind) -> Self {
        use io::ErrorKind;
        match kind {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            ErrorKind::FileTooLarge => Self::TooLarge,
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::Denied,
            ErrorKind::NotFound => Self::Missing,
            ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::InvalidFilename
            | ErrorKind::InvalidInput => Self::Foreign,
            _ => Self::Unavailable,
        }
    }
}
