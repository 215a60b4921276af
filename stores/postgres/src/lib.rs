#![doc = include_str!("../README.md")]

mod error;
mod hints;
mod keys;
mod lease;
mod logs;
mod options;
mod pool;
mod read;
mod reader;
mod schema;
mod write;
mod writer;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use incident_core::model::id::{IncidentId, Seq};
use incident_core::model::time::Time;
use incident_core::port::store::{
    Claim, Commit, CommitError, Held, Hints, Page, Query, Store, StoreError, StoredRecord,
};

pub use options::Options;

use hints::Bell;
use pool::{Connections, before};
use reader::Reader;
use write::Wish;
use writer::Writer;

/// A [`Store`] in a PostgreSQL database that any number of replicas share.
///
/// It belongs to the tokio runtime it was opened on. See the crate's documentation for what it promises and what it needs.
pub struct PostgresStore {
    connections: Connections,
    reader: Reader,
    writer: Writer,
    bell: Option<Arc<Bell>>,
    options: Options,
}

/// Calls with a connection of the pool, within the deadline. Whatever is called this way may be called again.
macro_rules! call {
    ($connections:expr, $operation:literal, |$connection:ident| $call:expr) => {
        async {
            let connections = $connections;
            let end = connections.end();
            loop {
                let mut lent = before(end, connections.lend()).await?;
                let $connection = lent.connection()?;
                let done = before(end, $call).await;
                let again = lent.died_idle(&done);
                let done = lent.back(done);
                if !again {
                    break done;
                }
            }
        }
        .await
        .map_err(|fault: error::Fault| fault.during($operation))
    };
}

/// Creates the tables, or brings them up to date, for a role that may: afterwards the stores can be opened
/// [without migrating](Options::without_migrating), by a role that may not.
///
/// Safe to call from several replicas at once, and again.
///
/// # Errors
/// [`StoreError`]: `Newer` if a newer version of this crate was here, `Foreign` if the schema `incident` is another
/// application's, `Denied` if the role may not create tables, `Unavailable`.
pub async fn migrate(options: &Options) -> Result<(), StoreError> {
    let connections = Connections::new(options).map_err(|fault| fault.during("migrate"))?;
    call!(&connections, "migrate", |connection| schema::bring_up_to_date(connection))
}

impl PostgresStore {
    /// Opens the store, and creates its tables or brings them up to date unless told otherwise.
    ///
    /// # Errors
    /// [`StoreError`]: `Newer` if a newer version of this crate wrote the tables, `Foreign` if they are another
    /// application's or aren't there, `Denied` if the role may not, `Unavailable`. Nothing is changed then.
    pub async fn open(options: Options) -> Result<Self, StoreError> {
        let connections = Connections::new(&options).map_err(|fault| fault.during("open"))?;
        if options.migrate {
            call!(&connections, "open", |connection| schema::bring_up_to_date(connection))?;
        } else {
            call!(&connections, "open", |connection| schema::check(connection))?;
        }
        let listen = options.listen.clone().unwrap_or_else(|| options.config.clone());
        let bell = options.hints.then(|| Arc::new(Bell::hang(connections.clone(), listen)));
        let reader = Reader::new(connections.clone());
        let writer = Writer::new(connections.clone(), bell.clone());
        Ok(Self { connections, reader, writer, bell, options })
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("options", &self.options).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn commit(&self, id: IncidentId, at: Seq, commit: &Commit) -> Result<(), CommitError> {
        commit.check(at)?;
        self.writer.commit(Wish { id, at, commit: commit.clone() }).await
    }

    async fn load(&self, id: IncidentId, after: Seq) -> Result<Vec<StoredRecord>, StoreError> {
        self.reader.load(id, after).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<IncidentId>, StoreError> {
        call!(&self.connections, "claim", |connection| lease::claim(connection, claim))
    }

    async fn list(&self, query: &Query) -> Result<Page, StoreError> {
        call!(&self.connections, "list", |connection| read::page(connection, query))
    }

    async fn holder(&self, key: &str) -> Result<Option<Held>, StoreError> {
        call!(&self.connections, "holder", |connection| read::holder(connection, key))
    }

    async fn next_wake(&self) -> Result<Option<Time>, StoreError> {
        call!(&self.connections, "next_wake", |connection| read::next_wake(connection))
    }

    fn hints(&self) -> Hints {
        match &self.bell {
            Some(bell) => bell.hints(),
            None => Box::pin(futures_util::stream::pending()),
        }
    }
}
