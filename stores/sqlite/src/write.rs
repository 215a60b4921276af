//! What one commit changes.

use incident_core::log::index::Key;
use incident_core::model::id::{IncidentId, Seq};
use incident_core::model::time::Time;
use incident_core::port::store::{Commit, CommitError, SlotRef, StoredRecord};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::Fault;
use crate::slots;

/// A commit that was refused: nothing was written.
pub(crate) type Refusal = CommitError;

/// The row as far as a commit is judged by it, and as far as it may stay as it is.
struct Known {
    key: i64,
    version: u64,
    attention: Attention,
    holds: bool,
}

/// What a claim looks at: it is indexed, so to write it costs more than the rest of the row.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Attention {
    next_wake: Option<i64>,
    urgency: u8,
    fold: u32,
}

/// A key as the table has it.
type Held = (String, Option<i64>);

/// Makes the commit, inside a transaction of the caller's. Everything is judged before anything is written, so a
/// refused commit needs no undoing.
pub(crate) fn commit(
    connection: &Connection,
    id: IncidentId,
    at: Seq,
    commit: &Commit,
) -> Result<Result<(), Refusal>, Fault> {
    let known = known(connection, id)?;
    if known.as_ref().map_or(0, |known| known.version) != at.0 {
        return Ok(Err(CommitError::Conflict));
    }
    if let Some(known) = known.as_ref().filter(|known| known.attention.fold > commit.index.by) {
        return Ok(Err(CommitError::NewerFold { by: known.attention.fold }));
    }
    let own = match &known {
        Some(known) if known.holds => own_keys(connection, known.key)?,
        _ => Vec::new(),
    };
    let wanted = wanted(&commit.index.keys, &own, commit.now);
    for (name, _) in wanted.iter().filter(|(name, _)| !own.iter().any(|(own, _)| own == name)) {
        if let Some(holder) = other_holder(connection, name, id, commit.now)? {
            return Ok(Err(CommitError::KeyTaken { key: name.clone(), holder }));
        }
    }

    let incident = write_row(connection, id, known.as_ref(), commit)?;
    write_keys(connection, incident, &own, &wanted)?;
    for record in &commit.records {
        append(connection, incident, record)?;
    }
    for slot in &commit.redact {
        redact(connection, incident, *slot)?;
    }
    Ok(Ok(()))
}

fn known(connection: &Connection, id: IncidentId) -> Result<Option<Known>, Fault> {
    let known = connection
        .prepare_cached(
            "SELECT key, version, next_wake, urgency, fold, EXISTS (SELECT 1 FROM held WHERE held.incident = incident.key)
             FROM incident WHERE id = ?1",
        )?
        .query_row([id.to_bytes()], |row| {
            let attention = Attention { next_wake: row.get(2)?, urgency: row.get(3)?, fold: row.get(4)? };
            Ok(Known { key: row.get(0)?, version: row.get(1)?, attention, holds: row.get(5)? })
        })
        .optional()?;
    Ok(known)
}

/// The keys that a row shall have: those that aren't over, and those that are and that nobody else took.
fn wanted(keys: &[Key], own: &[Held], now: Time) -> Vec<Held> {
    let now = now.timestamp_millis();
    keys.iter()
        .map(|key| (key.name.clone(), key.until.map(|until| until.timestamp_millis())))
        .filter(|(name, until)| {
            until.is_none_or(|until| until > now) || own.iter().any(|(own, _)| own == name)
        })
        .collect()
}

fn own_keys(connection: &Connection, incident: i64) -> Result<Vec<Held>, Fault> {
    let mut statement = connection.prepare_cached("SELECT name, until FROM held WHERE incident = ?1")?;
    let keys = statement.query_map([incident], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

fn other_holder(
    connection: &Connection,
    name: &str,
    id: IncidentId,
    now: Time,
) -> Result<Option<IncidentId>, Fault> {
    let holder = crate::read::holder(connection, name)?;
    Ok(holder.filter(|held| held.at(now) && held.by != id).map(|held| held.by))
}

/// Creates or replaces the row, and returns its key.
fn write_row(
    connection: &Connection,
    id: IncidentId,
    known: Option<&Known>,
    commit: &Commit,
) -> Result<i64, Fault> {
    let index = &commit.index;
    let version = index.version.0.cast_signed();
    let next_wake = index.next_wake.map(|wake| wake.timestamp_millis());
    let attention = Attention { next_wake, urgency: index.urgency.0, fold: index.by };
    if let Some(known) = known {
        if known.attention == attention {
            connection
                .prepare_cached("UPDATE incident SET version = ?2, summary = ?3 WHERE key = ?1")?
                .execute(params![known.key, version, index.summary])?;
        } else {
            connection
                .prepare_cached(
                    "UPDATE incident SET version = ?2, next_wake = ?3, urgency = ?4, fold = ?5, summary = ?6
                     WHERE key = ?1",
                )?
                .execute(params![known.key, version, next_wake, index.urgency.0, index.by, index.summary])?;
        }
        return Ok(known.key);
    }
    connection
        .prepare_cached(
            "INSERT INTO incident (id, version, next_wake, urgency, fold, summary)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![id.to_bytes(), version, next_wake, index.urgency.0, index.by, index.summary])?;
    Ok(connection.last_insert_rowid())
}

/// Writes only what changed: most commits leave the keys as they are.
fn write_keys(connection: &Connection, incident: i64, own: &[Held], wanted: &[Held]) -> Result<(), Fault> {
    for (name, _) in own.iter().filter(|(name, _)| !wanted.iter().any(|(wanted, _)| wanted == name)) {
        connection.prepare_cached("DELETE FROM held WHERE name = ?1")?.execute([name])?;
    }
    for key in wanted.iter().filter(|key| !own.contains(key)) {
        connection
            .prepare_cached(
                "INSERT INTO held (name, incident, until) VALUES (?1, ?2, ?3)
                 ON CONFLICT (name) DO UPDATE SET incident = excluded.incident, until = excluded.until",
            )?
            .execute(params![key.0, incident, key.1])?;
    }
    Ok(())
}

fn append(connection: &Connection, incident: i64, record: &StoredRecord) -> Result<(), Fault> {
    let texts = slots::pack(&record.slots)?;
    connection
        .prepare_cached("INSERT INTO record (incident, seq, chain, body, texts) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![incident, record.seq.0.cast_signed(), record.chain.0, record.body, texts])?;
    Ok(())
}

fn redact(connection: &Connection, incident: i64, slot: SlotRef) -> Result<(), Fault> {
    // A sequence that doesn't fit the column can't be in it.
    let Ok(seq) = i64::try_from(slot.seq.0) else { return Ok(()) };
    let texts = connection
        .prepare_cached("SELECT texts FROM record WHERE incident = ?1 AND seq = ?2")?
        .query_row([incident, seq], |row| row.get::<_, Vec<u8>>(0))
        .optional()?;
    let mut texts = slots::unpack(&texts.unwrap_or_default())?;
    let text = usize::try_from(slot.slot).ok().and_then(|place| texts.get_mut(place));
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(()) };
    text.clear();
    connection
        .prepare_cached("UPDATE record SET texts = ?3 WHERE incident = ?1 AND seq = ?2")?
        .execute(params![incident, seq, slots::pack(&texts)?])?;
    Ok(())
}
