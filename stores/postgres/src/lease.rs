//! Claims.

use std::cmp::Reverse;

use incident_core::model::id::IncidentId;
use incident_core::port::store::Claim;
use tokio_postgres::types::Type;

use crate::error::Fault;
use crate::pool::Connection;
use crate::read;

/// Ends the leases that the claim gives up, and leases what it finds. What another claim or commit is at, is left to it.
///
/// What wants attention is found by two indexes; the rows of incidents that don't are never touched. The keys are gathered
/// apart, for with both conditions and no statistics yet the planner reads the whole table.
const CLAIM: &str = "WITH given_up AS (
        UPDATE incident.incident SET lease_worker = NULL, lease_until = NULL
        WHERE id = ANY ($1) AND lease_worker = $2
    ), found AS (
        SELECT key FROM incident.incident
        WHERE key = ANY (ARRAY(SELECT key FROM incident.incident WHERE next_wake <= $3)
                || ARRAY(SELECT key FROM incident.incident WHERE fold < $4))
            AND (next_wake <= $3 OR fold < $4) AND fold <= $4
            AND (lease_until IS NULL OR lease_until <= $3 OR lease_worker = $2)
            AND id <> ALL ($1)
        ORDER BY urgency DESC, next_wake NULLS LAST, key LIMIT $5
        FOR UPDATE SKIP LOCKED
    )
    UPDATE incident.incident i SET lease_worker = $2, lease_until = $6 FROM found WHERE i.key = found.key
    RETURNING i.id, i.urgency, i.next_wake, i.key";

pub(crate) async fn claim(connection: &Connection, claim: &Claim) -> Result<Vec<IncidentId>, Fault> {
    let except: Vec<Vec<u8>> = claim.except.iter().map(|id| id.to_bytes().to_vec()).collect();
    let (now, until) = (claim.now.timestamp_millis(), claim.until.timestamp_millis());
    let rows = connection
        .query_typed(
            CLAIM,
            &[
                (&except, Type::BYTEA_ARRAY),
                (&claim.worker.as_bytes(), Type::BYTEA),
                (&now, Type::INT8),
                (&i64::from(claim.by), Type::INT8),
                (&i64::from(claim.limit), Type::INT8),
                (&until, Type::INT8),
            ],
        )
        .await?;
    let mut taken = Vec::with_capacity(rows.len());
    for row in &rows {
        let wake: Option<i64> = row.try_get(2)?;
        let order = (Reverse(row.try_get::<_, i16>(1)?), wake.is_none(), wake, row.try_get::<_, i64>(3)?);
        taken.push((order, read::incident(row.try_get(0)?)?));
    }
    taken.sort_unstable_by_key(|(order, _)| *order);
    Ok(taken.into_iter().map(|(_, id)| id).collect())
}

#[cfg(test)]
mod tests {
    use incident_postgres_testing::Server;

    use super::*;

    /// A scan would cost the more, the more incidents there are that aren't due.
    #[test]
    fn a_claim_reads_no_row_that_is_not_due() {
        let server = Server::start();
        let database = server.database();
        let address = server.address(&database);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(crate::migrate(&crate::Options::new(&address).unwrap())).unwrap();
        let fill = "INSERT INTO incident.incident (id, version, next_wake, urgency, fold, summary)
            SELECT decode(lpad(to_hex(n), 32, '0'), 'hex'), 1, 1900000000000, 1, 1, '' FROM generate_series(1, 20000) n";
        let explain = format!(
            "PREPARE claim (bytea[], bytea, bigint, bigint, bigint, bigint) AS {CLAIM};
             EXPLAIN (ANALYZE, COSTS off, TIMING off) EXECUTE claim ('{{}}', 'us', 1780000000000, 1, 64, 1780000001000)"
        );
        server.run(&database, fill);
        for statistics in ["", "ANALYZE incident.incident;"] {
            let plan = server.run(&database, &format!("{statistics} {explain}"));
            assert!(!plan.contains("Seq Scan") && !plan.contains("Rows Removed"), "{plan}");
        }
    }
}
