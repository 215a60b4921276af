//! What commits change: a group of them in one transaction, with as many statements as for one alone.

use std::collections::HashMap;
use std::iter;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, try_join_all};
use incident_core::model::id::{IncidentId, Seq};
use incident_core::port::store::{Commit, CommitError, StoredRecord};
use tokio::try_join;
use tokio_postgres::Transaction;
use tokio_postgres::types::{ToSql, Type};

use crate::error::Fault;
use crate::pool::Connection;
use crate::{keys, logs, read};

/// A commit that somebody asks for.
pub(crate) struct Wish {
    pub(crate) id: IncidentId,
    pub(crate) at: Seq,
    pub(crate) commit: Commit,
}

impl Wish {
    /// The incident and the keys that no other commit may touch meanwhile.
    pub(crate) fn touches(&self) -> Vec<Vec<u8>> {
        let keys = self.commit.index.keys.iter().map(|key| key.name.as_bytes().to_vec());
        iter::once(self.id.to_bytes().to_vec()).chain(keys).collect()
    }

    /// How many bytes it brings.
    pub(crate) fn size(&self) -> usize {
        let of_record = |it: &StoredRecord| it.body.len() + it.slots.iter().map(Vec::len).sum::<usize>();
        self.commit.index.summary.len() + self.commit.records.iter().map(of_record).sum::<usize>()
    }
}

/// What came of one commit of a group.
pub(crate) enum Outcome {
    /// It stands.
    Made,
    /// It is refused, whatever becomes of the others.
    Refused(CommitError),
    /// A key was refused to another one, so nothing of this one was made either.
    Left,
    /// Somebody else is at its row: it has to wait for that one, and the others needn't.
    Locked,
}

/// A row that is held against others until the transaction ends, and the commit to it.
pub(crate) struct Row<'a> {
    pub(crate) key: i64,
    pub(crate) commit: &'a Commit,
    /// Whether it was there before.
    pub(crate) is_old: bool,
}

/// Judges and writes what is wished for. No two wishes may be for one incident or name one key.
///
/// `sent` says whether the server was asked to make it last. It lets go of the rows when it hears no more of us for
/// `silence`: a machine that died would hold them for hours.
pub(crate) async fn commit(
    connection: &mut Connection,
    wishes: &[&Wish],
    silence: Duration,
    sent: &AtomicBool,
) -> Result<Vec<Outcome>, Fault> {
    let transaction = connection.transaction().await?;
    let entered = enter(&transaction, wishes, silence).await?;
    let rows: Vec<&Row<'_>> = entered.iter().filter_map(|it| it.as_ref().ok()).collect();
    let mut refused = keys::take(&transaction, &rows).await?;
    let stands = refused.is_empty() && !rows.is_empty();
    if stands {
        // Nothing here waits for an answer of the one before, so all of it is one way to the server and back.
        let writes: Vec<BoxFuture<'_, Result<(), Fault>>> = vec![
            update(&transaction, &rows).boxed(),
            keys::drop_others(&transaction, &rows).boxed(),
            logs::append(&transaction, &rows).boxed(),
            logs::fill_slots(&transaction, &rows).boxed(),
            logs::redact(&transaction, &rows).boxed(),
        ];
        try_join_all(writes).await?;
        sent.store(true, Ordering::Relaxed);
        transaction.commit().await?;
    } else {
        transaction.rollback().await?;
    }
    let outcome = |entered: Result<Row<'_>, Outcome>| match entered {
        Ok(_) if stands => Outcome::Made,
        Ok(row) => refused.remove(&row.key).map_or(Outcome::Left, Outcome::Refused),
        Err(outcome) => outcome,
    };
    Ok(entered.into_iter().map(outcome).collect())
}

/// The rows of the wishes, each held or made, unless what it was decided on is refused.
async fn enter<'a>(
    transaction: &Transaction<'_>,
    wishes: &[&'a Wish],
    silence: Duration,
) -> Result<Vec<Result<Row<'a>, Outcome>>, Fault> {
    let (new, old): (Vec<&Wish>, Vec<&Wish>) = wishes.iter().partition(|wish| wish.at == Seq::ZERO);
    let is_alone = wishes.len() == 1;
    let ((), held, made) =
        try_join!(end_in(transaction, silence), hold(transaction, &old, is_alone), make(transaction, &new))?;
    let enter = |wish: &&'a Wish| {
        if wish.at == Seq::ZERO {
            let key = *made.get(&wish.id).ok_or(Outcome::Refused(CommitError::Conflict))?;
            return Ok(Row { key, commit: &wish.commit, is_old: false });
        }
        let key = match held.get(&wish.id) {
            Some(held) => held.judge(wish).map_err(Outcome::Refused)?,
            // Alone, it would have waited for whoever has it.
            None if is_alone => return Err(Outcome::Refused(CommitError::Conflict)),
            None => return Err(Outcome::Locked),
        };
        Ok(Row { key, commit: &wish.commit, is_old: true })
    };
    Ok(wishes.iter().map(enter).collect())
}

/// Makes the server end the transaction when it hears nothing for so long.
async fn end_in(transaction: &Transaction<'_>, silence: Duration) -> Result<(), Fault> {
    let sql = "SELECT set_config('idle_in_transaction_session_timeout', $1, true)";
    let millis = i32::try_from(silence.as_millis()).unwrap_or(i32::MAX).max(1);
    transaction.query_typed(sql, &[(&millis.to_string(), Type::TEXT)]).await?;
    Ok(())
}

/// A row as it is.
struct Held {
    key: i64,
    version: i64,
    fold: i64,
}

impl Held {
    /// The row's key, if it is as the wish takes it to be.
    fn judge(&self, wish: &Wish) -> Result<i64, CommitError> {
        if i64::try_from(wish.at.0) != Ok(self.version) {
            return Err(CommitError::Conflict);
        }
        if self.fold > i64::from(wish.commit.index.by) {
            let senseless = Fault::Damaged("the version of a fold makes no sense");
            let by = u32::try_from(self.fold).map_err(|_| senseless.during("commit"))?;
            return Err(CommitError::NewerFold { by });
        }
        Ok(self.key)
    }
}

/// Holds the rows that are there against others. Those that others hold are passed over, unless it is about one alone: no
/// group waits for another one or for a claim, so no circle of them can.
async fn hold(
    transaction: &Transaction<'_>,
    wishes: &[&Wish],
    is_alone: bool,
) -> Result<HashMap<IncidentId, Held>, Fault> {
    if wishes.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = if is_alone {
        "SELECT id, key, version, fold FROM incident.incident WHERE id = ANY ($1) FOR UPDATE"
    } else {
        "SELECT id, key, version, fold FROM incident.incident WHERE id = ANY ($1) FOR UPDATE SKIP LOCKED"
    };
    let ids: Vec<[u8; 16]> = wishes.iter().map(|wish| wish.id.to_bytes()).collect();
    let ids: Vec<&[u8]> = ids.iter().map(<[u8; 16]>::as_slice).collect();
    let rows = transaction.query_typed(sql, &[(&ids, Type::BYTEA_ARRAY)]).await?;
    let held = rows.iter().map(|row| {
        let held = Held { key: row.try_get(1)?, version: row.try_get(2)?, fold: row.try_get(3)? };
        Ok((read::incident(row.try_get(0)?)?, held))
    });
    held.collect()
}

/// Makes the rows of new incidents as they are to be, in the order of their ids, so that two groups that make the same
/// ones wait for each other in a line and not in a circle; the keys of those that weren't there.
async fn make(transaction: &Transaction<'_>, wishes: &[&Wish]) -> Result<HashMap<IncidentId, i64>, Fault> {
    if wishes.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<[u8; 16]> = wishes.iter().map(|wish| wish.id.to_bytes()).collect();
    let ids: Vec<&[u8]> = ids.iter().map(<[u8; 16]>::as_slice).collect();
    let columns = Columns::of(wishes.iter().map(|wish| &wish.commit));
    let sql = "INSERT INTO incident.incident (id, version, next_wake, urgency, fold, summary)
        SELECT r.* FROM unnest($1, $2, $3, $4, $5, $6) AS r (id) ORDER BY r.id
        ON CONFLICT (id) DO NOTHING RETURNING id, key";
    let rows = transaction.query_typed(sql, &columns.after((&ids, Type::BYTEA_ARRAY))).await?;
    rows.iter().map(|row| Ok((read::incident(row.try_get(0)?)?, row.try_get(1)?))).collect()
}

/// Sets the rows that were there to what they are to be.
async fn update(transaction: &Transaction<'_>, rows: &[&Row<'_>]) -> Result<(), Fault> {
    let old: Vec<&&Row<'_>> = rows.iter().filter(|row| row.is_old).collect();
    if old.is_empty() {
        return Ok(());
    }
    let keys: Vec<i64> = old.iter().map(|row| row.key).collect();
    let columns = Columns::of(old.iter().map(|row| row.commit));
    let sql =
        "UPDATE incident.incident i SET version = r.version, next_wake = r.next_wake, urgency = r.urgency,
            fold = r.fold, summary = r.summary
        FROM unnest($1, $2, $3, $4, $5, $6) AS r (key, version, next_wake, urgency, fold, summary)
        WHERE i.key = r.key";
    transaction.execute_typed(sql, &columns.after((&keys, Type::INT8_ARRAY))).await?;
    Ok(())
}

/// What commits set in rows, column by column.
#[derive(Default)]
struct Columns<'a> {
    version: Vec<i64>,
    next_wake: Vec<Option<i64>>,
    urgency: Vec<i16>,
    fold: Vec<i64>,
    summary: Vec<&'a [u8]>,
}

impl<'a> Columns<'a> {
    fn of(commits: impl Iterator<Item = &'a Commit>) -> Self {
        let mut columns = Self::default();
        for Commit { index, .. } in commits {
            columns.version.push(index.version.0.cast_signed());
            columns.next_wake.push(index.next_wake.map(|wake| wake.timestamp_millis()));
            columns.urgency.push(index.urgency.0.into());
            columns.fold.push(index.by.into());
            columns.summary.push(&index.summary);
        }
        columns
    }

    /// The parameters of a statement, after the one that says which rows.
    fn after<'b>(&'b self, which: Parameter<'b>) -> [Parameter<'b>; 6] {
        [
            which,
            (&self.version, Type::INT8_ARRAY),
            (&self.next_wake, Type::INT8_ARRAY),
            (&self.urgency, Type::INT2_ARRAY),
            (&self.fold, Type::INT8_ARRAY),
            (&self.summary, Type::BYTEA_ARRAY),
        ]
    }
}

/// A value with its type, so that the server needn't be asked for it.
type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);
