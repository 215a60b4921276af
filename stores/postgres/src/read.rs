//! Reading logs, rows and keys. Each is one statement, so it sees one moment.

use incident_core::log::index::Index;
use incident_core::model::effect::Urgency;
use incident_core::model::id::{Digest, IncidentId, Seq};
use incident_core::model::time::Time;
use incident_core::port::store::{Held, IndexRow, Page, Query, StoredRecord};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::error::Fault;
use crate::pool::Connection;

/// A log, or what of it comes after a version.
#[derive(Clone, Copy)]
pub(crate) struct Log {
    pub(crate) id: IncidentId,
    pub(crate) after: i64,
}

/// The records of each of these; one that is damaged is no other one's fault.
pub(crate) async fn logs(
    connection: &Connection,
    logs: &[Log],
) -> Result<Vec<Result<Vec<StoredRecord>, Fault>>, Fault> {
    let ids: Vec<[u8; 16]> = logs.iter().map(|log| log.id.to_bytes()).collect();
    let ids: Vec<&[u8]> = ids.iter().map(<[u8; 16]>::as_slice).collect();
    let afters: Vec<i64> = logs.iter().map(|log| log.after).collect();
    // In order of their own, the records of each are found by the index, whatever the planner takes the table to be.
    let sql = "SELECT q.place, i.version, r.*
        FROM unnest($1, $2) WITH ORDINALITY AS q (id, after, place)
        JOIN incident.incident i ON i.id = q.id AND i.version > q.after
        LEFT JOIN LATERAL (
            SELECT r.seq, r.slots, r.chain, r.body,
                (SELECT array_agg(s.text ORDER BY s.n) FROM incident.slot s
                 WHERE s.incident = r.incident AND s.seq = r.seq)
            FROM incident.record r WHERE r.incident = i.key AND r.seq > q.after ORDER BY r.seq
        ) AS r ON true
        ORDER BY q.place, r.seq";
    let found =
        connection.query_typed(sql, &[(&ids, Type::BYTEA_ARRAY), (&afters, Type::INT8_ARRAY)]).await?;
    let mut rest = &*found;
    let read = (1..).zip(logs).map(|(place, log)| {
        let count = rest.partition_point(|row| row.try_get(0).is_ok_and(|it: i64| it <= place));
        let (rows, others) = rest.split_at(count);
        rest = others;
        records(rows, log.after)
    });
    Ok(read.collect())
}

/// The records in these rows, which are all that comes after a version.
fn records(rows: &[Row], after: i64) -> Result<Vec<StoredRecord>, Fault> {
    let mut records = Vec::with_capacity(rows.len());
    for (row, expected) in rows.iter().zip(after + 1..) {
        if row.try_get::<_, Option<i64>>(2)? != Some(expected) {
            return Err(Fault::Damaged("records are missing from the log"));
        }
        records.push(record(row, Seq(expected.cast_unsigned()))?);
    }
    let version = rows.first().map(|row| row.try_get::<_, i64>(1)).transpose()?;
    if version.is_some_and(|version| version - after != i64::try_from(records.len()).unwrap_or(i64::MAX)) {
        return Err(Fault::Damaged("records are missing from the log"));
    }
    Ok(records)
}

fn record(row: &Row, seq: Seq) -> Result<StoredRecord, Fault> {
    let slots: Vec<Vec<u8>> = row.try_get::<_, Option<_>>(6)?.unwrap_or_default();
    if usize::try_from(row.try_get::<_, i32>(3)?) != Ok(slots.len()) {
        return Err(Fault::Damaged("slots are missing from a record"));
    }
    let chain = row.try_get::<_, &[u8]>(4)?.try_into().map_err(|_| Fault::Damaged("a link is cut off"))?;
    Ok(StoredRecord { seq, body: row.try_get(5)?, slots, chain: Digest(chain) })
}

/// A page of the index.
pub(crate) async fn page(connection: &Connection, query: &Query) -> Result<Page, Fault> {
    let sql = if query.unsettled {
        "SELECT id, version, next_wake, urgency, summary, fold FROM incident.incident
         WHERE id > $1 AND next_wake IS NOT NULL ORDER BY id LIMIT $2"
    } else {
        "SELECT id, version, next_wake, urgency, summary, fold FROM incident.incident
         WHERE id > $1 ORDER BY id LIMIT $2"
    };
    let size = i64::from(query.page_size());
    // Every id is greater than the empty string of bytes.
    let after = query.after.map(|id| id.to_bytes().to_vec()).unwrap_or_default();
    let found = connection.query_typed(sql, &[(&after, Type::BYTEA), (&(size + 1), Type::INT8)]).await?;
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let rows = found.iter().take(size).map(index_row).collect::<Result<_, _>>()?;
    Ok(Page::new(rows, found.len() > size))
}

fn index_row(row: &Row) -> Result<IndexRow, Fault> {
    let wake = row.try_get::<_, Option<i64>>(2)?.map(time).transpose()?;
    let urgency = u8::try_from(row.try_get::<_, i16>(3)?).map_err(|_| SENSELESS)?;
    let fold = u32::try_from(row.try_get::<_, i64>(5)?).map_err(|_| SENSELESS)?;
    let version = Seq(row.try_get::<_, i64>(1)?.cast_unsigned());
    let index = Index::new(version, wake, Urgency(urgency)).with_summary(row.try_get(4)?).computed_by(fold);
    Ok(IndexRow::new(incident(row.try_get(0)?)?, index))
}

const SENSELESS: Fault = Fault::Damaged("a number is out of range");

/// The id in a column.
pub(crate) fn incident(bytes: &[u8]) -> Result<IncidentId, Fault> {
    bytes.try_into().map(IncidentId::from_bytes).map_err(|_| Fault::Damaged("an id is cut off"))
}

/// The time of a column.
pub(crate) fn time(millis: i64) -> Result<Time, Fault> {
    Time::from_timestamp_millis(millis).ok_or(Fault::Damaged("a time is out of range"))
}

/// Who holds a key, or held it last.
pub(crate) async fn holder(connection: &Connection, key: &str) -> Result<Option<Held>, Fault> {
    let sql = "SELECT i.id, h.until FROM incident.held h JOIN incident.incident i ON i.key = h.incident
        WHERE h.name = $1";
    let found = connection.query_typed_opt(sql, &[(&key.as_bytes(), Type::BYTEA)]).await?;
    let Some(row) = found else { return Ok(None) };
    let until = row.try_get::<_, Option<i64>>(1)?.map(time).transpose()?;
    Ok(Some(Held { by: incident(row.try_get(0)?)?, until }))
}

/// The earliest wake of all rows.
pub(crate) async fn next_wake(connection: &Connection) -> Result<Option<Time>, Fault> {
    let sql = "SELECT min(next_wake) FROM incident.incident WHERE next_wake IS NOT NULL";
    let row = connection.query_typed_one(sql, &[]).await?;
    row.try_get::<_, Option<i64>>(0)?.map(time).transpose()
}
