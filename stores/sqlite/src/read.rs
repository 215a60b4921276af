//! Reading logs, rows and keys.

use incident_core::log::index::Index;
use incident_core::model::effect::Urgency;
use incident_core::model::id::{Digest, IncidentId, Seq};
use incident_core::model::time::Time;
use incident_core::port::store::{Held, IndexRow, Page, Query, StoredRecord};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::error::Fault;
use crate::slots;

/// The records of an incident after `after`.
pub(crate) fn log(connection: &Connection, id: IncidentId, after: Seq) -> Result<Vec<StoredRecord>, Fault> {
    let known = connection
        .prepare_cached("SELECT key, version FROM incident WHERE id = ?1")?
        .query_row([id.to_bytes()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, u64>(1)?)))
        .optional()?;
    let Some((incident, version)) = known.filter(|(_, version)| *version > after.0) else {
        return Ok(Vec::new());
    };
    let missing = version - after.0;
    // Versions that fit the table's column fit here: they are at most the one that was read from it.
    let after = after.0.cast_signed();

    let mut records = Vec::new();
    let mut statement = connection.prepare_cached(
        "SELECT seq, chain, body, texts FROM record WHERE incident = ?1 AND seq > ?2 ORDER BY seq",
    )?;
    let mut rows = statement.query([incident, after])?;
    while let Some(row) = rows.next()? {
        let texts = row.get_ref(3)?.as_blob().map_err(|_| Fault::Damaged("a record has no texts"))?;
        let (seq, chain, slots) = (Seq(row.get(0)?), Digest(row.get(1)?), slots::unpack(texts)?);
        records.push(StoredRecord { seq, body: row.get(2)?, slots, chain });
    }
    // SQLite may not notice that a page was replaced by an empty one; the version does.
    let complete = records.iter().zip(after.cast_unsigned() + 1..).all(|(record, seq)| record.seq.0 == seq);
    if !complete || records.len() as u64 != missing {
        return Err(Fault::Damaged("records are missing from the log"));
    }
    Ok(records)
}

/// A page of the index.
pub(crate) fn page(connection: &Connection, query: &Query) -> Result<Page, Fault> {
    let sql = if query.unsettled {
        "SELECT id, version, next_wake, urgency, summary, fold FROM incident
         WHERE id > ?1 AND next_wake IS NOT NULL ORDER BY id LIMIT ?2"
    } else {
        "SELECT id, version, next_wake, urgency, summary, fold FROM incident
         WHERE id > ?1 ORDER BY id LIMIT ?2"
    };
    let size = i64::from(query.page_size());
    // Every id is greater than the empty string of bytes.
    let after = query.after.map(|id| id.to_bytes().to_vec()).unwrap_or_default();
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query(params![after, size + 1])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        if rows.len() as i64 == size {
            return Ok(Page::new(rows, true));
        }
        rows.push(index_row(row)?);
    }
    Ok(Page::new(rows, false))
}

fn index_row(row: &Row<'_>) -> Result<IndexRow, Fault> {
    let wake = row.get::<_, Option<i64>>(2)?.map(time).transpose()?;
    let index = Index::new(Seq(row.get(1)?), wake, Urgency(row.get(3)?))
        .with_summary(row.get(4)?)
        .computed_by(row.get(5)?);
    Ok(IndexRow::new(IncidentId::from_bytes(row.get(0)?), index))
}

/// The time of a column.
pub(crate) fn time(millis: i64) -> Result<Time, Fault> {
    Time::from_timestamp_millis(millis).ok_or(Fault::Damaged("a time is out of range"))
}

/// Who holds a key, or held it last.
pub(crate) fn holder(connection: &Connection, key: &str) -> Result<Option<Held>, Fault> {
    let holder = connection
        .prepare_cached(
            "SELECT incident.id, held.until FROM held JOIN incident ON incident.key = held.incident
             WHERE held.name = ?1",
        )?
        .query_row([key], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?)))
        .optional()?;
    let Some((id, until)) = holder else { return Ok(None) };
    Ok(Some(Held { by: IncidentId::from_bytes(id), until: until.map(time).transpose()? }))
}

/// Checks the whole file.
pub(crate) fn check(connection: &Connection) -> Result<(), Fault> {
    let verdict: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(Fault::Damaged("its structure is broken"));
    }
    let count = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    if count("SELECT count(*) FROM pragma_foreign_key_check")? > 0 {
        return Err(Fault::Damaged("rows refer to others that are missing"));
    }
    let cut = "SELECT count(*) FROM incident WHERE version <>
        (SELECT count(*) FROM record WHERE record.incident = incident.key AND seq BETWEEN 1 AND version)";
    if count(cut)? > 0 {
        return Err(Fault::Damaged("records are missing from a log"));
    }
    let mut statement = connection.prepare("SELECT texts FROM record")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        slots::unpack(row.get_ref(0)?.as_blob().map_err(|_| Fault::Damaged("a record has no texts"))?)?;
    }
    Ok(())
}
