//! What one commit changes.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::try_join_all;
use futures_util::{FutureExt as _, future::BoxFuture};
use incident_core::domain::index::Key;
use incident_core::domain::{IncidentId, Seq};
use incident_core::port::store::{Commit, CommitError, SlotRef, StoredRecord};
use tokio_postgres::Transaction;
use tokio_postgres::types::{ToSql, Type};

use crate::error::Fault;
use crate::pool::{Connection, Connections};
use crate::read;

/// How often a commit is tried that lost against another one it stood in the way of: nothing of it was made then.
const RIVALRIES: u32 = 5;

/// Makes a commit.
pub(crate) async fn commit(
    connections: &Connections,
    id: IncidentId,
    at: Seq,
    commit: &Commit,
) -> Result<(), CommitError> {
    let mut rivalries = 0;
    loop {
        let sent = AtomicBool::new(false);
        let mut lent = connections.lend().await.map_err(|fault| fault.during("commit"))?;
        let connection = lent.connection().map_err(|fault| fault.during("commit"))?;
        let done = connections.in_time(make(connection, id, at, commit, &sent)).await;
        match lent.back(done) {
            Ok(verdict) => return verdict,
            Err(fault) if fault.is_rivalry() && rivalries < RIVALRIES => rivalries += 1,
            Err(fault) if sent.load(Ordering::Relaxed) && !fault.is_refusal() => {
                return Err(CommitError::Unknown(fault.during("commit")));
            }
            Err(fault) => return Err(CommitError::Store(fault.during("commit"))),
        }
    }
}

/// Judges and writes, in one transaction. `sent` says whether the server was asked to make it last.
async fn make(
    connection: &mut Connection,
    id: IncidentId,
    at: Seq,
    commit: &Commit,
    sent: &AtomicBool,
) -> Result<Result<(), CommitError>, Fault> {
    let transaction = connection.transaction().await?;
    let incident = match enter(&transaction, id, at, commit).await? {
        Ok(incident) => incident,
        Err(refusal) => {
            transaction.rollback().await?;
            return Ok(Err(refusal));
        }
    };
    if let Some(refusal) = take_keys(&transaction, incident, commit).await? {
        transaction.rollback().await?;
        return Ok(Err(refusal));
    }
    // Nothing here waits for an answer of the one before, so all of it is one way to the server and back.
    let (tx, index) = (&*transaction, &commit.index);
    let writes: Vec<BoxFuture<'_, Result<(), Fault>>> = vec![
        write_row(tx, incident, commit).boxed(),
        drop_keys(tx, incident, &index.keys).boxed(),
        append(tx, incident, &commit.records).boxed(),
        fill_slots(tx, incident, &commit.records).boxed(),
        redact(tx, incident, &commit.redact).boxed(),
    ];
    try_join_all(writes).await?;
    sent.store(true, Ordering::Relaxed);
    transaction.commit().await?;
    Ok(Ok(()))
}

/// The row's key, held against others until the transaction ends; a new incident's is made.
async fn enter(
    transaction: &Transaction<'_>,
    id: IncidentId,
    at: Seq,
    commit: &Commit,
) -> Result<Result<i64, CommitError>, Fault> {
    let id = id.to_bytes();
    let id: (&(dyn ToSql + Sync), Type) = (&id.as_slice(), Type::BYTEA);
    if at == Seq::ZERO {
        // Its own fold at once: a dead row of an older one would be in the way of every claim until the next vacuum.
        let sql = "INSERT INTO incident.incident (id, version, urgency, fold, summary)
            VALUES ($1, 0, 0, $2, '') ON CONFLICT (id) DO NOTHING RETURNING key";
        let fold = i64::from(commit.index.by);
        let made = transaction.query_typed_opt(sql, &[id, (&fold, Type::INT8)]).await?;
        return Ok(match made {
            Some(row) => Ok(row.try_get(0)?),
            None => Err(CommitError::Conflict),
        });
    }
    let sql = "SELECT key, version, fold FROM incident.incident WHERE id = $1 FOR UPDATE";
    let Some(row) = transaction.query_typed_opt(sql, &[id]).await? else {
        return Ok(Err(CommitError::Conflict));
    };
    let (key, version, fold): (i64, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    if i64::try_from(at.0) != Ok(version) {
        return Ok(Err(CommitError::Conflict));
    }
    if fold > i64::from(commit.index.by) {
        let by = u32::try_from(fold).map_err(|_| Fault::Damaged("the version of a fold makes no sense"))?;
        return Ok(Err(CommitError::NewerFold { by }));
    }
    Ok(Ok(key))
}

/// Takes the row's keys; the refusal if one that isn't over is another incident's.
///
/// Keys are taken in the order of their names, so that two commits that want the same ones wait for each other in a line
/// and not in a circle.
async fn take_keys(
    transaction: &Transaction<'_>,
    incident: i64,
    commit: &Commit,
) -> Result<Option<CommitError>, Fault> {
    if commit.index.keys.is_empty() {
        return Ok(None);
    }
    let mut keys: Vec<&Key> = commit.index.keys.iter().collect();
    keys.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let names: Vec<&[u8]> = keys.iter().map(|key| key.name.as_bytes()).collect();
    let untils: Vec<Option<i64>> = keys.iter().map(|key| key.until.map(|it| it.timestamp_millis())).collect();
    let now = commit.now.timestamp_millis();
    // A key that is itself over is taken from nobody; any other may be taken from whose is over.
    let sql = "INSERT INTO incident.held AS h (name, incident, until)
        SELECT k.name, $1, k.until FROM unnest($2, $3) WITH ORDINALITY AS k (name, until, place) ORDER BY k.place
        ON CONFLICT (name) DO UPDATE SET incident = excluded.incident, until = excluded.until
        WHERE h.incident = excluded.incident
            OR (h.until <= $4 AND (excluded.until IS NULL OR excluded.until > $4))
        RETURNING name";
    let taken = transaction
        .query_typed(
            sql,
            &[
                (&incident, Type::INT8),
                (&names, Type::BYTEA_ARRAY),
                (&untils, Type::INT8_ARRAY),
                (&now, Type::INT8),
            ],
        )
        .await?;
    if taken.len() == keys.len() {
        return Ok(None);
    }
    let taken: Vec<&[u8]> = taken.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let lives = |key: &&&Key| key.until.is_none_or(|until| until.timestamp_millis() > now);
    let missed = keys.iter().filter(lives).find(|key| !taken.contains(&key.name.as_bytes()));
    let Some(missed) = missed else { return Ok(None) };
    let sql =
        "SELECT i.id FROM incident.held h JOIN incident.incident i ON i.key = h.incident WHERE h.name = $1";
    let holder = transaction.query_typed_one(sql, &[(&missed.name.as_bytes(), Type::BYTEA)]).await?;
    let holder = read::incident(holder.try_get(0)?)?;
    Ok(Some(CommitError::KeyTaken { key: missed.name.clone(), holder }))
}

async fn write_row(transaction: &Transaction<'_>, incident: i64, commit: &Commit) -> Result<(), Fault> {
    let index = &commit.index;
    let sql =
        "UPDATE incident.incident SET version = $2, next_wake = $3, urgency = $4, fold = $5, summary = $6
        WHERE key = $1";
    let wake = index.next_wake.map(|wake| wake.timestamp_millis());
    transaction
        .execute_typed(
            sql,
            &[
                (&incident, Type::INT8),
                (&index.version.0.cast_signed(), Type::INT8),
                (&wake, Type::INT8),
                (&i16::from(index.urgency.0), Type::INT2),
                (&i64::from(index.by), Type::INT8),
                (&index.summary, Type::BYTEA),
            ],
        )
        .await?;
    Ok(())
}

/// Keys that the row no longer names are free.
async fn drop_keys(transaction: &Transaction<'_>, incident: i64, keys: &[Key]) -> Result<(), Fault> {
    let names: Vec<&[u8]> = keys.iter().map(|key| key.name.as_bytes()).collect();
    let sql = "DELETE FROM incident.held WHERE incident = $1 AND name <> ALL ($2)";
    transaction.execute_typed(sql, &[(&incident, Type::INT8), (&names, Type::BYTEA_ARRAY)]).await?;
    Ok(())
}

async fn append(transaction: &Transaction<'_>, incident: i64, records: &[StoredRecord]) -> Result<(), Fault> {
    if records.is_empty() {
        return Ok(());
    }
    let seqs: Vec<i64> = records.iter().map(|record| record.seq.0.cast_signed()).collect();
    let slots = records.iter().map(|record| i32::try_from(record.slots.len())).collect::<Result<Vec<_>, _>>();
    let slots = slots.map_err(|_| Fault::Damaged("a record has more slots than a list can"))?;
    let chains: Vec<&[u8]> = records.iter().map(|record| record.chain.0.as_slice()).collect();
    let bodies: Vec<&[u8]> = records.iter().map(|record| record.body.as_slice()).collect();
    let sql = "INSERT INTO incident.record (incident, seq, slots, chain, body)
        SELECT $1, r.* FROM unnest($2, $3, $4, $5) AS r";
    transaction
        .execute_typed(
            sql,
            &[
                (&incident, Type::INT8),
                (&seqs, Type::INT8_ARRAY),
                (&slots, Type::INT4_ARRAY),
                (&chains, Type::BYTEA_ARRAY),
                (&bodies, Type::BYTEA_ARRAY),
            ],
        )
        .await?;
    Ok(())
}

async fn fill_slots(
    transaction: &Transaction<'_>,
    incident: i64,
    records: &[StoredRecord],
) -> Result<(), Fault> {
    let (mut seqs, mut places, mut texts): (Vec<i64>, Vec<i32>, Vec<&[u8]>) = Default::default();
    for record in records {
        for (place, text) in (0..).zip(&record.slots) {
            seqs.push(record.seq.0.cast_signed());
            places.push(place);
            texts.push(text);
        }
    }
    if seqs.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO incident.slot (incident, seq, n, text)
        SELECT $1, s.* FROM unnest($2, $3, $4) AS s";
    transaction
        .execute_typed(
            sql,
            &[
                (&incident, Type::INT8),
                (&seqs, Type::INT8_ARRAY),
                (&places, Type::INT4_ARRAY),
                (&texts, Type::BYTEA_ARRAY),
            ],
        )
        .await?;
    Ok(())
}

async fn redact(transaction: &Transaction<'_>, incident: i64, slots: &[SlotRef]) -> Result<(), Fault> {
    // What doesn't fit the columns can't be in them.
    let fits = |it: &SlotRef| Some((i64::try_from(it.seq.0).ok()?, i32::try_from(it.slot).ok()?));
    let (seqs, places): (Vec<i64>, Vec<i32>) = slots.iter().filter_map(fits).unzip();
    if seqs.is_empty() {
        return Ok(());
    }
    let sql = "UPDATE incident.slot s SET text = '' FROM unnest($2, $3) AS r (seq, n)
        WHERE s.incident = $1 AND s.seq = r.seq AND s.n = r.n AND s.text <> ''";
    let parameters: [(&(dyn ToSql + Sync), Type); 3] =
        [(&incident, Type::INT8), (&seqs, Type::INT8_ARRAY), (&places, Type::INT4_ARRAY)];
    transaction.execute_typed(sql, &parameters).await?;
    Ok(())
}
