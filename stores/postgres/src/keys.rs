//! The keys that commits take and drop.

use std::collections::{HashMap, HashSet};

use incident_core::log::index::Key;
use incident_core::port::store::CommitError;
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

use crate::error::Fault;
use crate::read;
use crate::write::Row;

/// The keys of rows, column by column.
#[derive(Default)]
struct Columns<'a> {
    name: Vec<&'a [u8]>,
    incident: Vec<i64>,
    until: Vec<Option<i64>>,
    /// What `until` is compared with.
    now: Vec<i64>,
}

impl<'a> Columns<'a> {
    fn of(rows: &[&Row<'a>]) -> Self {
        let mut columns = Self::default();
        for (row, key) in rows.iter().flat_map(|row| row.commit.index.keys.iter().map(move |it| (row, it))) {
            columns.name.push(key.name.as_bytes());
            columns.incident.push(row.key);
            columns.until.push(key.until.map(|until| until.timestamp_millis()));
            columns.now.push(row.commit.now.timestamp_millis());
        }
        columns
    }
}

/// Takes the keys of the rows; the refusal of each row that wants one that isn't over and is another incident's.
///
/// Keys are taken in the order of their names, so that two groups that want the same ones wait for each other in a line
/// and not in a circle.
pub(crate) async fn take(
    transaction: &Transaction<'_>,
    rows: &[&Row<'_>],
) -> Result<HashMap<i64, CommitError>, Fault> {
    let keys = Columns::of(rows);
    if keys.name.is_empty() {
        return Ok(HashMap::new());
    }
    // A key that is itself over is taken from nobody; any other may be taken from whose is over.
    let sql = "INSERT INTO incident.held AS h (name, incident, until)
        SELECT k.* FROM unnest($1, $2, $3) AS k (name) ORDER BY k.name
        ON CONFLICT (name) DO UPDATE SET incident = excluded.incident, until = excluded.until
        WHERE h.incident = excluded.incident OR EXISTS (
            SELECT FROM unnest($2, $4) AS k (incident, now) WHERE k.incident = excluded.incident
                AND h.until <= k.now AND (excluded.until IS NULL OR excluded.until > k.now))
        RETURNING name";
    let taken = transaction
        .query_typed(
            sql,
            &[
                (&keys.name, Type::BYTEA_ARRAY),
                (&keys.incident, Type::INT8_ARRAY),
                (&keys.until, Type::INT8_ARRAY),
                (&keys.now, Type::INT8_ARRAY),
            ],
        )
        .await?;
    if taken.len() == keys.name.len() {
        return Ok(HashMap::new());
    }
    let taken: HashSet<&[u8]> = taken.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let missed = rows.iter().filter_map(|row| Some((row.key, first_missed(row, &taken)?)));
    refuse(transaction, &missed.collect::<Vec<_>>()).await
}

/// The first key by name that the row wanted and didn't get.
fn first_missed<'a>(row: &Row<'a>, taken: &HashSet<&[u8]>) -> Option<&'a Key> {
    let lives = |key: &&Key| {
        key.until.is_none_or(|until| until.timestamp_millis() > row.commit.now.timestamp_millis())
    };
    let missed =
        row.commit.index.keys.iter().filter(lives).filter(|key| !taken.contains(key.name.as_bytes()));
    missed.min_by(|a, b| a.name.cmp(&b.name))
}

/// The refusals, each with who holds the key.
async fn refuse(
    transaction: &Transaction<'_>,
    missed: &[(i64, &Key)],
) -> Result<HashMap<i64, CommitError>, Fault> {
    if missed.is_empty() {
        return Ok(HashMap::new());
    }
    let names: Vec<&[u8]> = missed.iter().map(|(_, key)| key.name.as_bytes()).collect();
    let sql = "SELECT h.name, i.id FROM incident.held h JOIN incident.incident i ON i.key = h.incident
        WHERE h.name = ANY ($1)";
    let found = transaction.query_typed(sql, &[(&names, Type::BYTEA_ARRAY)]).await?;
    let holders = found.iter().map(|row| Ok((row.try_get(0)?, read::incident(row.try_get(1)?)?)));
    let holders: HashMap<&[u8], _> = holders.collect::<Result<_, Fault>>()?;
    let refusal = |(row, key): &(i64, &Key)| {
        let holder = *holders.get(key.name.as_bytes()).ok_or(Fault::Damaged("a key is held by nobody"))?;
        Ok((*row, CommitError::KeyTaken { key: key.name.clone(), holder }))
    };
    missed.iter().map(refusal).collect()
}

/// Keys that a row no longer names are free.
pub(crate) async fn drop_others(transaction: &Transaction<'_>, rows: &[&Row<'_>]) -> Result<(), Fault> {
    let old: Vec<i64> = rows.iter().filter(|row| row.is_old).map(|row| row.key).collect();
    if old.is_empty() {
        return Ok(());
    }
    let keys = Columns::of(rows);
    let sql = "DELETE FROM incident.held h WHERE h.incident = ANY ($1) AND NOT EXISTS (
            SELECT FROM unnest($2, $3) AS k (incident, name)
            WHERE k.incident = h.incident AND k.name = h.name)";
    transaction
        .execute_typed(
            sql,
            &[(&old, Type::INT8_ARRAY), (&keys.incident, Type::INT8_ARRAY), (&keys.name, Type::BYTEA_ARRAY)],
        )
        .await?;
    Ok(())
}
