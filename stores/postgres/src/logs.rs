//! What commits append to the logs, and what they take out of them.

use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

use crate::error::Fault;
use crate::write::Row;

/// Appends the records, without what is in their slots.
pub(crate) async fn append(transaction: &Transaction<'_>, rows: &[&Row<'_>]) -> Result<(), Fault> {
    let (mut incidents, mut seqs, mut slots): (Vec<i64>, Vec<i64>, Vec<i32>) = Default::default();
    let (mut chains, mut bodies): (Vec<&[u8]>, Vec<&[u8]>) = Default::default();
    for (row, record) in rows.iter().flat_map(|row| row.commit.records.iter().map(move |it| (row, it))) {
        let count = i32::try_from(record.slots.len());
        incidents.push(row.key);
        seqs.push(record.seq.0.cast_signed());
        slots.push(count.map_err(|_| Fault::Damaged("a record has more slots than a list can"))?);
        chains.push(&record.chain.0);
        bodies.push(&record.body);
    }
    if seqs.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO incident.record (incident, seq, slots, chain, body)
        SELECT * FROM unnest($1, $2, $3, $4, $5)";
    transaction
        .execute_typed(
            sql,
            &[
                (&incidents, Type::INT8_ARRAY),
                (&seqs, Type::INT8_ARRAY),
                (&slots, Type::INT4_ARRAY),
                (&chains, Type::BYTEA_ARRAY),
                (&bodies, Type::BYTEA_ARRAY),
            ],
        )
        .await?;
    Ok(())
}

/// Fills the slots of the records.
pub(crate) async fn fill_slots(transaction: &Transaction<'_>, rows: &[&Row<'_>]) -> Result<(), Fault> {
    let (mut incidents, mut seqs, mut places): (Vec<i64>, Vec<i64>, Vec<i32>) = Default::default();
    let mut texts: Vec<&[u8]> = Vec::new();
    for (row, record) in rows.iter().flat_map(|row| row.commit.records.iter().map(move |it| (row, it))) {
        for (place, text) in (0..).zip(&record.slots) {
            incidents.push(row.key);
            seqs.push(record.seq.0.cast_signed());
            places.push(place);
            texts.push(text);
        }
    }
    if seqs.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO incident.slot (incident, seq, n, text) SELECT * FROM unnest($1, $2, $3, $4)";
    transaction
        .execute_typed(
            sql,
            &[
                (&incidents, Type::INT8_ARRAY),
                (&seqs, Type::INT8_ARRAY),
                (&places, Type::INT4_ARRAY),
                (&texts, Type::BYTEA_ARRAY),
            ],
        )
        .await?;
    Ok(())
}

/// Empties slots, also those just filled.
pub(crate) async fn redact(transaction: &Transaction<'_>, rows: &[&Row<'_>]) -> Result<(), Fault> {
    let (mut incidents, mut seqs, mut places): (Vec<i64>, Vec<i64>, Vec<i32>) = Default::default();
    for (row, slot) in rows.iter().flat_map(|row| row.commit.redact.iter().map(move |it| (row, it))) {
        // What doesn't fit the columns can't be in them.
        let (Ok(seq), Ok(place)) = (i64::try_from(slot.seq.0), i32::try_from(slot.slot)) else { continue };
        incidents.push(row.key);
        seqs.push(seq);
        places.push(place);
    }
    if seqs.is_empty() {
        return Ok(());
    }
    let sql = "UPDATE incident.slot s SET text = '' FROM unnest($1, $2, $3) AS r (incident, seq, n)
        WHERE s.incident = r.incident AND s.seq = r.seq AND s.n = r.n AND s.text <> ''";
    transaction
        .execute_typed(
            sql,
            &[(&incidents, Type::INT8_ARRAY), (&seqs, Type::INT8_ARRAY), (&places, Type::INT4_ARRAY)],
        )
        .await?;
    Ok(())
}
