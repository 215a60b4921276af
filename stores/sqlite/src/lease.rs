//! Claims, and the next time one may find something.
//!
//! Both walk the index `attention`, one pair of fold and urgency after the other – there are a handful – and see of
//! each pair only what they ask for. So their cost doesn't grow with the incidents that aren't due.

use std::cmp::Reverse;

use incident_core::model::id::IncidentId;
use incident_core::model::time::Time;
use incident_core::port::store::Claim;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::error::Fault;
use crate::read::time;

/// Compared as a pair, SQLite would seek the fold and walk its rows to the urgency.
const LESS_URGENT: &str = "SELECT fold, urgency FROM incident WHERE fold = ?1 AND urgency < ?2
    ORDER BY urgency DESC LIMIT 1";
const OLDER_FOLD: &str = "SELECT fold, urgency FROM incident WHERE fold < ?1
    ORDER BY fold DESC, urgency DESC LIMIT 1";

/// With a lower bound, which lets SQLite jump over the rows that wake at no time.
const EARLIEST: &str = "SELECT next_wake FROM incident
    WHERE fold = ?1 AND urgency = ?2 AND next_wake >= ?3 ORDER BY next_wake LIMIT 1";

/// Rows of a pair that wake by a time and that no other worker holds a lease on.
const WAKING: &str = "SELECT urgency, next_wake, key, id FROM incident
    WHERE fold = ?1 AND urgency = ?2 AND next_wake BETWEEN -9223372036854775808 AND ?3
    AND (lease_until IS NULL OR lease_until <= ?4 OR lease_worker = ?5)
    ORDER BY next_wake LIMIT ?6";

/// The same of rows that wake at no time.
const SETTLED: &str = "SELECT urgency, next_wake, key, id FROM incident
    WHERE fold = ?1 AND urgency = ?2 AND next_wake IS NULL AND ?3 IS NOT NULL
    AND (lease_until IS NULL OR lease_until <= ?4 OR lease_worker = ?5)
    ORDER BY key LIMIT ?6";

/// An incident that can be leased; the greater comes later.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Candidate {
    urgency: Reverse<i64>,
    settled: bool,
    next_wake: Option<i64>,
    key: i64,
    id: [u8; 16],
}

/// What the claim would take, in order.
pub(crate) fn candidates(connection: &Connection, claim: &Claim) -> Result<Vec<Candidate>, Fault> {
    let mut found = Vec::new();
    if claim.limit == 0 {
        return Ok(found);
    }
    let mut pair = pair_before(connection, (i64::from(claim.by) + 1, 0))?;
    while let Some((fold, urgency)) = pair {
        let outdated = fold < i64::from(claim.by);
        let due = if outdated { i64::MAX } else { claim.now.timestamp_millis() };
        gather(connection, claim, (fold, urgency), WAKING, due, &mut found)?;
        if outdated {
            gather(connection, claim, (fold, urgency), SETTLED, due, &mut found)?;
        }
        pair = pair_before(connection, (fold, urgency))?;
    }
    found.retain(|candidate| !claim.except.iter().any(|id| id.to_bytes() == candidate.id));
    found.sort_unstable();
    found.truncate(usize::try_from(claim.limit).unwrap_or(usize::MAX));
    Ok(found)
}

/// Whether the claim takes no lease and ends none, and so needs no transaction.
pub(crate) fn is_idle(connection: &Connection, claim: &Claim) -> Result<bool, Fault> {
    let mut holds = connection
        .prepare_cached("SELECT 1 FROM incident WHERE id = ?1 AND lease_worker = ?2 AND lease_until > ?3")?;
    for id in &claim.except {
        if holds.exists(params![id.to_bytes(), claim.worker, claim.now.timestamp_millis()])? {
            return Ok(false);
        }
    }
    Ok(candidates(connection, claim)?.is_empty())
}

/// Ends the leases that the claim gives up, and leases what it finds.
pub(crate) fn take(connection: &Connection, claim: &Claim) -> Result<Vec<IncidentId>, Fault> {
    let mut end = connection.prepare_cached(
        "UPDATE incident SET lease_worker = NULL, lease_until = NULL WHERE id = ?1 AND lease_worker = ?2",
    )?;
    for id in &claim.except {
        end.execute(params![id.to_bytes(), claim.worker])?;
    }
    let taken = candidates(connection, claim)?;
    let mut lease = connection
        .prepare_cached("UPDATE incident SET lease_worker = ?2, lease_until = ?3 WHERE key = ?1")?;
    for candidate in &taken {
        lease.execute(params![candidate.key, claim.worker, claim.until.timestamp_millis()])?;
    }
    Ok(taken.into_iter().map(|candidate| IncidentId::from_bytes(candidate.id)).collect())
}

/// The earliest wake of all rows.
pub(crate) fn next_wake(connection: &Connection) -> Result<Option<Time>, Fault> {
    let mut earliest: Option<i64> = None;
    let mut pair = pair_before(connection, (i64::MAX, 0))?;
    while let Some((fold, urgency)) = pair {
        let wake = connection
            .prepare_cached(EARLIEST)?
            .query_row([fold, urgency, i64::MIN], |row| row.get(0))
            .optional()?;
        earliest = earliest.into_iter().chain(wake).min();
        pair = pair_before(connection, (fold, urgency))?;
    }
    earliest.map(time).transpose()
}

/// The greatest pair of fold and urgency below this one that any row has.
fn pair_before(connection: &Connection, (fold, urgency): (i64, i64)) -> Result<Option<(i64, i64)>, Fault> {
    let pair = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let less_urgent = connection.prepare_cached(LESS_URGENT)?.query_row([fold, urgency], pair).optional()?;
    if less_urgent.is_some() {
        return Ok(less_urgent);
    }
    Ok(connection.prepare_cached(OLDER_FOLD)?.query_row([fold], pair).optional()?)
}

fn gather(
    connection: &Connection,
    claim: &Claim,
    (fold, urgency): (i64, i64),
    sql: &str,
    due: i64,
    found: &mut Vec<Candidate>,
) -> Result<(), Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let now = claim.now.timestamp_millis();
    let most = i64::from(claim.limit).saturating_add(i64::try_from(claim.except.len()).unwrap_or(i64::MAX));
    let mut rows = statement.query(params![fold, urgency, due, now, claim.worker, most])?;
    while let Some(row) = rows.next()? {
        found.push(candidate(row)?);
    }
    Ok(())
}

fn candidate(row: &Row<'_>) -> Result<Candidate, Fault> {
    let next_wake: Option<i64> = row.get(1)?;
    Ok(Candidate {
        urgency: Reverse(row.get(0)?),
        settled: next_wake.is_none(),
        next_wake,
        key: row.get(2)?,
        id: row.get(3)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A scan or a sort would cost the more, the more incidents there are that aren't due.
    #[test]
    fn every_statement_seeks_in_the_index() {
        let mut connection = Connection::open_in_memory().unwrap();
        let transaction = connection.transaction().unwrap();
        crate::schema::bring_up_to_date(&transaction).unwrap();
        for sql in [LESS_URGENT, OLDER_FOLD, EARLIEST, WAKING, SETTLED] {
            let mut explain = transaction.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let parameters = explain.parameter_count();
            let nulls = rusqlite::params_from_iter(std::iter::repeat_n(None::<i64>, parameters));
            let plan: Vec<String> =
                explain.query_map(nulls, |row| row.get(3)).unwrap().collect::<Result<_, _>>().unwrap();
            let seeks = plan.len() == 1
                && plan[0].starts_with("SEARCH incident USING")
                && plan[0].contains("INDEX attention (");
            assert!(seeks, "{sql}: {plan:?}");
        }
    }
    #[test]
    fn what_is_not_due_costs_nothing() {
        let steps = |incidents: i64| {
            let mut connection = Connection::open_in_memory().unwrap();
            let transaction = connection.transaction().unwrap();
            crate::schema::bring_up_to_date(&transaction).unwrap();
            let fill = "INSERT INTO incident (id, version, next_wake, urgency, fold, summary)
                WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
                SELECT CAST(printf('%016d', n) AS BLOB), 1, 1900000000000, n % 4, 1, x'' FROM n";
            transaction.execute(fill, [incidents]).unwrap();
            let now = 1_780_000_000_000_i64;
            let run = |sql: &str, with: &[&dyn rusqlite::ToSql]| {
                let mut statement = transaction.prepare(sql).unwrap();
                let mut rows = statement.query(with).unwrap();
                while rows.next().unwrap().is_some() {}
                drop(rows);
                statement.get_status(rusqlite::StatementStatus::VmStep)
            };
            [
                run(LESS_URGENT, &[&1, &3]),
                run(LESS_URGENT, &[&1, &0]),
                run(OLDER_FOLD, &[&2]),
                run(OLDER_FOLD, &[&1]),
                run(EARLIEST, &[&1, &1, &i64::MIN]),
                run(WAKING, &[&1, &1, &now, &now, &"us", &64]),
                run(SETTLED, &[&1, &1, &now, &now, &"us", &64]),
            ]
        };
        assert_eq!(steps(40), steps(4_000));
    }
}
