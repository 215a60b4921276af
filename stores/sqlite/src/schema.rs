//! The tables, and whose they are.

use rusqlite::{Connection, Transaction};

use crate::error::Fault;

/// `INCD`: what tells our files from other applications'.
const APPLICATION: i32 = 0x494e_4344;

/// What brings a file from version 0, 1 … to the next one. Released ones never change.
const MIGRATIONS: &[&str] = &["
    -- The index. `key` stands for the id in the other tables: it is short and grows.
    CREATE TABLE incident (
        key          INTEGER PRIMARY KEY,
        id           BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
        version      INTEGER NOT NULL,
        next_wake    INTEGER,           -- this and all times: milliseconds since 1970 UTC
        urgency      INTEGER NOT NULL,
        fold         INTEGER NOT NULL,  -- the version of the fold that computed the row
        lease_worker TEXT,
        lease_until  INTEGER,
        summary      BLOB NOT NULL
    ) STRICT;
    -- A claim visits each pair of fold and urgency, and of each only what is due.
    CREATE INDEX attention ON incident (fold, urgency, next_wake);
    CREATE INDEX unsettled ON incident (id) WHERE next_wake IS NOT NULL;

    -- The logs, all in one, in the order of the commits.
    CREATE TABLE record (
        key      INTEGER PRIMARY KEY,
        incident INTEGER NOT NULL REFERENCES incident (key),
        seq      INTEGER NOT NULL,
        chain    BLOB NOT NULL CHECK (length(chain) = 32),
        body     BLOB NOT NULL,
        texts    BLOB NOT NULL,         -- its slots, each after its length
        UNIQUE (incident, seq)
    ) STRICT;

    -- The names that incidents hold.
    CREATE TABLE held (
        name     TEXT PRIMARY KEY,
        incident INTEGER NOT NULL REFERENCES incident (key),
        until    INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX held_by ON held (incident);
"];

/// The version of the files that this crate writes.
pub(crate) fn current() -> i32 {
    i32::try_from(MIGRATIONS.len()).expect("there are few migrations")
}

/// The version of the file; 0 if it is new. A foreign or newer file is an error.
pub(crate) fn identify(connection: &Connection) -> Result<i32, Fault> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    if application == APPLICATION {
        return match version {
            version if version > current() => Err(Fault::Newer),
            1.. => Ok(version),
            _ => Err(Fault::Damaged("the version of the file makes no sense")),
        };
    }
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if (application, version, tables) == (0, 0, 0) {
        Ok(0)
    } else {
        Err(Fault::Foreign("the file is the database of another application"))
    }
}

/// Creates what isn't there yet. Looks again whose the file is, as somebody else may have been quicker.
pub(crate) fn bring_up_to_date(transaction: &Transaction<'_>) -> Result<(), Fault> {
    let version = identify(transaction)?;
    if version == current() {
        return Ok(());
    }
    let done = usize::try_from(version).expect("the version was found to make sense");
    for migration in &MIGRATIONS[done..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", current())?;
    Ok(())
}
