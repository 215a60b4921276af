//! Opening connections, and waiting for others on the same file.

use std::hash::{BuildHasher as _, Hasher as _};
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::error::Fault;
use crate::place::{refuse_remains, sizes};
use crate::{Options, schema};

/// The bytes that the write-ahead log keeps once everything in it is in the file: what SQLite fills before it empties it.
const LOG_KEPT: i64 = 4 << 20;

/// The connection that writes; creates the file if there is none, and brings its schema up to date.
pub(crate) fn open(file: &Path, options: &Options) -> Result<Connection, Fault> {
    refuse_remains(file)?;
    let patience = Patience::new(options.patience);
    let mut connection = connect(file, OpenFlags::SQLITE_OPEN_CREATE)?;
    patience.share(&mut connection)?;
    // Nothing may be written, not even the journal mode, before it's known that the file is ours. Read at one moment, as
    // another process may just be creating it.
    let look = connection.unchecked_transaction()?;
    schema::identify(&look)?;
    look.commit()?;
    refuse_torn_page(&connection, file)?;
    retry(&patience, || prepare(&mut connection, options))?;
    // A process that died may have left redacted text in the log; processes that prevent this now will cut it themselves.
    wait_for_nobody(&mut connection)?;
    cut_log(&connection)?;
    wait_for_others(&mut connection, options.patience)?;
    Ok(connection)
}

/// A connection that only reads.
pub(crate) fn open_reader(file: &Path, options: &Options) -> Result<Connection, Fault> {
    let mut connection = connect(file, OpenFlags::empty())?;
    wait_for_others(&mut connection, options.patience)?;
    connection.pragma_update(None, "query_only", true)?;
    // The first read opens the write-ahead log by its name, so it belongs here and not after somebody moved the file.
    schema::identify(&connection)?;
    Ok(connection)
}

/// A transaction of statements that are kept, for to read its `BEGIN` and `COMMIT` anew costs more than they do. Dropped, it
/// is rolled back.
pub(crate) struct Transaction<'a>(&'a Connection);

impl<'a> Transaction<'a> {
    /// Sees the file as it is at one moment.
    pub(crate) fn reading(connection: &'a Connection) -> rusqlite::Result<Self> {
        Self::begin(connection, "BEGIN DEFERRED")
    }

    /// May write, and nobody else meanwhile.
    pub(crate) fn writing(connection: &'a Connection) -> rusqlite::Result<Self> {
        Self::begin(connection, "BEGIN IMMEDIATE")
    }

    fn begin(connection: &'a Connection, sql: &str) -> rusqlite::Result<Self> {
        connection.prepare_cached(sql)?.execute([])?;
        Ok(Self(connection))
    }

    pub(crate) fn commit(self) -> rusqlite::Result<()> {
        self.0.prepare_cached("COMMIT")?.execute([]).map(|_| ())
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            // If that fails as well, whoever begins the next one tries again.
            let _ = self.0.execute_batch("ROLLBACK");
        }
    }
}

/// Empties the write-ahead log into the file. Says whether it did: others who read or write may prevent it.
pub(crate) fn cut_log(connection: &Connection) -> Result<bool, Fault> {
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    match busy.map_err(Fault::from) {
        Err(fault) if fault.is_busy() => Ok(false),
        busy => Ok(busy? == 0),
    }
}

/// How long several calls together may wait for others that have the file locked.
#[derive(Clone)]
struct Patience(Arc<Mutex<Duration>>);

impl Patience {
    fn new(whole: Duration) -> Self {
        Self(Arc::new(Mutex::new(whole)))
    }

    /// Lets the connection wait as long as this lasts.
    fn share(&self, connection: &mut Connection) -> Result<(), Fault> {
        let shared = self.clone();
        connection.busy_handler(Some(move |count| shared.wait(count)))?;
        Ok(())
    }

    /// Waits a moment; false once it is used up.
    fn wait(&self, count: i32) -> bool {
        let mut rest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *rest = rest.saturating_sub(pause(count));
        !rest.is_zero()
    }
}

/// Lets each call on the connection wait so long for others, who are many and take turns.
///
/// SQLite's own handler waits longer each time, up to 100 ms, and so lets newcomers pass again and again.
pub(crate) fn wait_for_others(connection: &mut Connection, patience: Duration) -> Result<(), Fault> {
    let mut waited = Duration::ZERO;
    connection.busy_handler(Some(move |count: i32| {
        if count == 0 {
            waited = Duration::ZERO;
        }
        waited += pause(count);
        waited < patience
    }))?;
    Ok(())
}

/// Lets calls on the connection fail at once if others have the file locked.
pub(crate) fn wait_for_nobody(connection: &mut Connection) -> Result<(), Fault> {
    Ok(connection.busy_handler(None::<fn(i32) -> bool>)?)
}

/// Rests a random while, up to 3 ms, and says how long.
pub(crate) fn pause(count: i32) -> Duration {
    let longest = 250_u64 << count.clamp(0, 4);
    // A fresh `RandomState` is the randomness that the standard library has.
    let random = std::hash::RandomState::new().build_hasher().finish();
    let pause = Duration::from_micros(longest / 4 + random % (longest / 2));
    std::thread::park_timeout(pause);
    pause
}

fn connect(file: &Path, flags: OpenFlags) -> Result<Connection, Fault> {
    let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    // Otherwise SQLite plans a statement anew whenever a bound of a range changes, which costs more than to run it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn prepare(connection: &mut Connection, options: &Options) -> Result<(), Fault> {
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(Fault::Foreign("this file system can't keep a write-ahead log"));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What is redacted is overwritten and never spilled into a temporary file.
    connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;

    connection.pragma_update_and_check(None, "journal_size_limit", LOG_KEPT, |_| Ok(()))?;

    // A file that is current needs no lock, which a long commit of another process would keep us waiting for.
    let look = connection.transaction()?;
    let version = schema::identify(&look)?;
    look.commit()?;
    if version != schema::current() {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        schema::bring_up_to_date(&transaction)?;
        transaction.commit()?;
    }

    if let Some(bytes) = options.max_size {
        let page: u64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = i64::try_from(bytes / page.max(1)).unwrap_or(i64::MAX).max(1);
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    Ok(())
}

/// Again, while others have the file locked in a way that SQLite doesn't wait for.
fn retry(patience: &Patience, mut attempt: impl FnMut() -> Result<(), Fault>) -> Result<(), Fault> {
    let mut count = 0;
    loop {
        match attempt() {
            Err(fault) if fault.is_busy() && patience.wait(count) => count += 1,
            result => return result,
        }
    }
}

/// Refuses a file whose last page is cut off: SQLite would fill it up with zeros. If more is missing, it says so itself.
fn refuse_torn_page(connection: &Connection, file: &Path) -> Result<(), Fault> {
    let page: u64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    match sizes(file) {
        // Whoever died while emptying the log into the file may have left half a page, which the log makes good.
        (0, size) if !size.is_multiple_of(page.max(1)) => Err(Fault::Damaged("the file is cut off")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    /// To plan it anew costs more than to run it.
    #[test]
    fn a_statement_keeps_its_plan_whatever_the_bounds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("incidents.db");
        open(&path, &Options::new()).unwrap();
        let connection = open_reader(&path, &Options::new()).unwrap();
        // Kept as the store keeps its statements: they lose their bounds in between.
        let statement = || {
            connection
                .prepare_cached("SELECT seq FROM record WHERE incident = ?1 AND seq > ?2 ORDER BY seq")
                .unwrap()
        };
        for after in 0..8_i64 {
            statement().query([1, after]).unwrap().next().unwrap();
        }
        assert_eq!(statement().get_status(StatementStatus::RePrepare), 0);
    }
}
