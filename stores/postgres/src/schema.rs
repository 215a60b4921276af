//! The tables, and whose they are. Their schema is `incident`; every statement names it, so that no session has to
//! remember a search path.

use tokio_postgres::types::Type;

use crate::error::Fault;
use crate::pool::Connection;

/// What brings the tables from version 0, 1 … to the next one. Released ones never change.
const MIGRATIONS: &[&str] = &["
    -- The index. `key` stands for the id in the other tables: it is short and grows.
    CREATE TABLE incident.incident (
        key          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id           bytea NOT NULL UNIQUE CHECK (length(id) = 16),
        version      bigint NOT NULL,
        next_wake    bigint,            -- this and all times: milliseconds since 1970 UTC
        urgency      smallint NOT NULL,
        fold         bigint NOT NULL,   -- the version of the fold that computed the row
        lease_worker bytea,
        lease_until  bigint,
        summary      bytea NOT NULL
    ) WITH (fillfactor = 80);
    CREATE INDEX attention ON incident.incident (next_wake) WHERE next_wake IS NOT NULL;
    CREATE INDEX folds ON incident.incident (fold);
    CREATE INDEX unsettled ON incident.incident (id) WHERE next_wake IS NOT NULL;

    -- The logs, all in one.
    CREATE TABLE incident.record (
        incident bigint NOT NULL REFERENCES incident.incident (key),
        seq      bigint NOT NULL,
        slots    integer NOT NULL,      -- how many it has
        chain    bytea NOT NULL CHECK (length(chain) = 32),
        body     bytea NOT NULL,
        PRIMARY KEY (incident, seq)
    );
    CREATE TABLE incident.slot (
        incident bigint NOT NULL,
        seq      bigint NOT NULL,
        n        integer NOT NULL,
        text     bytea NOT NULL,
        PRIMARY KEY (incident, seq, n),
        FOREIGN KEY (incident, seq) REFERENCES incident.record (incident, seq)
    );

    -- The names that incidents hold; bytes, so that no collation makes two of them one.
    CREATE TABLE incident.held (
        name     bytea PRIMARY KEY,
        incident bigint NOT NULL REFERENCES incident.incident (key),
        until    bigint
    );
    CREATE INDEX held_by ON incident.held (incident);
"];

/// `INCD`: the lock that replicas which start together queue for. It ends with its transaction, so that a pooler that
/// hands connections out by transaction can't leave it behind.
const LOCK: i64 = 0x494e_4344;

/// The version of the tables that this crate writes.
fn current() -> i32 {
    i32::try_from(MIGRATIONS.len()).expect("there are few migrations")
}

/// Checks that the tables are there and current.
pub(crate) async fn check(connection: &Connection) -> Result<(), Fault> {
    match version(connection).await? {
        Some(version) if version == current() => Ok(()),
        Some(version) if version > current() => Err(Fault::Newer),
        Some(_) => Err(Fault::Foreign("its tables are of an older version; migrate them first")),
        None => Err(Fault::Foreign("it has no tables of ours; create them first")),
    }
}

/// The version of the tables; none if there are none. Tables in the schema that aren't ours are an error.
async fn version(connection: &Connection) -> Result<Option<i32>, Fault> {
    let sql = "SELECT to_regclass('incident.migration') IS NOT NULL,
        EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'incident')";
    let row = connection.query_typed_one(sql, &[]).await?;
    match (row.try_get(0)?, row.try_get(1)?) {
        (true, _) => {
            let sql = "SELECT max(version) FROM incident.migration";
            Ok(Some(connection.query_typed_one(sql, &[]).await?.try_get::<_, Option<i32>>(0)?.unwrap_or(0)))
        }
        (false, true) => Err(Fault::Foreign("its schema `incident` belongs to another application")),
        (false, false) => Ok(None),
    }
}

/// Creates what isn't there yet. Of several that start together one does it, and the others find it done.
pub(crate) async fn bring_up_to_date(connection: &mut Connection) -> Result<(), Fault> {
    match version(connection).await? {
        Some(version) if version == current() => return Ok(()),
        Some(version) if version > current() => return Err(Fault::Newer),
        _ => {}
    }
    let transaction = connection.transaction().await?;
    transaction.query_typed("SELECT pg_advisory_xact_lock($1)", &[(&LOCK, Type::INT8)]).await?;
    transaction
        .batch_execute(
            "CREATE SCHEMA IF NOT EXISTS incident;
             CREATE TABLE IF NOT EXISTS incident.migration (
                version integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())",
        )
        .await?;
    let done = transaction.query_typed_one("SELECT max(version) FROM incident.migration", &[]).await?;
    let done = done.try_get::<_, Option<i32>>(0)?.unwrap_or(0);
    if done > current() {
        return Err(Fault::Newer);
    }
    let first =
        usize::try_from(done).map_err(|_| Fault::Damaged("the version of the tables makes no sense"))?;
    for (migration, version) in MIGRATIONS.iter().zip(1..).skip(first) {
        transaction.batch_execute(migration).await?;
        let sql = "INSERT INTO incident.migration (version) VALUES ($1)";
        transaction.execute_typed(sql, &[(&version, Type::INT4)]).await?;
    }
    transaction.commit().await?;
    Ok(())
}
