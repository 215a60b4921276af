//! Opening connections, and waiting for others on the same file.

use std::hash::{BuildHasher as _, Hasher as _};
use std::ops::Deref;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::error::Fault;
use crate::{Options, schema};

/// How long to wait for others who have the file locked.
const PATIENCE: Duration = Duration::from_secs(10);

/// The connection that writes; creates the file if there is none, and brings its schema up to date.
pub(crate) fn open(path: &Path, options: &Options) -> Result<Connection, Fault> {
    refuse_remains(path)?;
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_CREATE)?;
    // Nothing may be written, not even the journal mode, before it's known that the file is ours. Read at one moment, as
    // somebody else may just be creating it.
    let look = connection.unchecked_transaction()?;
    schema::identify(&look)?;
    look.commit()?;
    refuse_torn_page(&connection, path)?;
    retry(|| prepare(&mut connection, options))?;
    // A process that died may have left redacted text in the log; if others are at work, they will cut it.
    cut_log(&connection)?;
    Ok(connection)
}

/// A connection that only reads.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, Fault> {
    let connection = connect(path, OpenFlags::empty())?;
    connection.pragma_update(None, "query_only", true)?;
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
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(busy == 0)
}

/// Lets the connection wait for others, who are many and take turns.
///
/// SQLite's own handler waits longer each time, up to 100 ms, and so lets newcomers pass again and again.
pub(crate) fn wait_for_others(connection: &mut Connection) -> Result<(), Fault> {
    let mut waited = Duration::ZERO;
    connection.busy_handler(Some(move |count: i32| {
        if count == 0 {
            waited = Duration::ZERO;
        }
        waited += pause(count);
        waited < PATIENCE
    }))?;
    Ok(())
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

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, Fault> {
    let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    wait_for_others(&mut connection)?;
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

    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    schema::bring_up_to_date(&transaction)?;
    transaction.commit()?;

    if let Some(bytes) = options.max_size {
        let page: u64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = i64::try_from(bytes / page.max(1)).unwrap_or(i64::MAX).max(1);
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    Ok(())
}

/// Again, while others have the file locked in a way that SQLite doesn't wait for.
fn retry(mut attempt: impl FnMut() -> Result<(), Fault>) -> Result<(), Fault> {
    let mut waited = Duration::ZERO;
    for count in 0.. {
        match attempt() {
            Err(fault) if fault.is_busy() && waited < PATIENCE => waited += pause(count),
            result => return result,
        }
    }
    unreachable!("the loop ends by returning")
}

/// Refuses what SQLite would take for a new database, and write over.
fn refuse_remains(path: &Path) -> Result<(), Fault> {
    /// The smallest page, and so the smallest database.
    const SMALLEST: u64 = 512;
    match sizes(path) {
        (1.., 0) => Err(Fault::Damaged("the file is gone or empty, but its write-ahead log is there")),
        (_, 1..SMALLEST) => Err(Fault::Damaged("the file is cut off")),
        _ => Ok(()),
    }
}

/// Refuses a file whose last page is cut off: SQLite would fill it up with zeros. If more is missing, it says so itself.
fn refuse_torn_page(connection: &Connection, path: &Path) -> Result<(), Fault> {
    let page: u64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    match sizes(path) {
        // Whoever died while emptying the log into the file may have left half a page, which the log makes good.
        (0, size) if !size.is_multiple_of(page.max(1)) => Err(Fault::Damaged("the file is cut off")),
        _ => Ok(()),
    }
}

/// The sizes of the write-ahead log and of the file, 0 if there is none.
///
/// The log's is taken first: whoever creates the store at this moment writes the file before the log. And only sizes
/// are looked at: to open and close the file here would release the locks of every other handle in this process.
fn sizes(path: &Path) -> (u64, u64) {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    (size(Path::new(&log)), size(path))
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
        let connection = open_reader(&path).unwrap();
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
