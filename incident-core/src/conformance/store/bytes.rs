//! What was committed is what comes back.

use super::StoreHarness;
use super::kit::{How, Outcome, commit_of, ensure, incident, record, same};
use crate::model::id::{Digest, Seq};
use crate::port::store::{Store, StoredRecord};

const MIB: usize = 1 << 20;

fn stored(seq: usize, body: Vec<u8>, slots: Vec<Vec<u8>>) -> StoredRecord {
    let chain = Digest::of(&[&seq.to_be_bytes()]);
    StoredRecord { seq: Seq(seq as u64), body, slots, chain }
}

/// Commits the records at once and reads them back.
async fn round_trip(store: &dyn Store, records: Vec<StoredRecord>) -> Outcome {
    store.commit(incident(1), Seq::ZERO, &commit_of(0, records.clone())).await?;
    let found = store.load(incident(1), Seq::ZERO).await?;
    ensure!(found.len() == records.len(), "{} of {} records came back", found.len(), records.len());
    for (found, expected) in found.iter().zip(&records) {
        let parts = [
            ("sequence", found.seq == expected.seq),
            ("body", found.body == expected.body),
            ("number of slots", found.slots.len() == expected.slots.len()),
            ("text of a slot", found.slots == expected.slots),
            ("chain link", found.chain == expected.chain),
        ];
        let changed = parts.iter().find(|(_, intact)| !intact).map(|(part, _)| part);
        ensure!(changed.is_none(), "the {changed:?} of record {} came back changed", expected.seq);
    }
    Ok(())
}

/// Bytes that a store might take for something else.
fn awkward() -> Vec<Vec<u8>> {
    vec![
        vec![],
        vec![0],
        vec![0, 0, 0, 1, 0],
        vec![0xff, 0xfe, 0x80],
        (0..=255).collect(),
        b"\xf0\x28\x8c\x28 not UTF-8".to_vec(),
        b"'; DROP TABLE record; -- \\x00 \\N \r\n".to_vec(),
        "é e\u{301} \u{feff} 🔥".as_bytes().to_vec(),
        b" \t trailing \0".to_vec(),
    ]
}

pub(super) async fn bodies_come_back(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    let mut records: Vec<_> = (1..).zip(awkward()).map(|(seq, body)| stored(seq, body, Vec::new())).collect();
    records[0].chain = Digest([0; 32]);
    records[1].chain = Digest([0xff; 32]);
    round_trip(&*store, records).await
}

pub(super) async fn slots_come_back(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    let many = (0..300_u32).map(|n| n.to_be_bytes().to_vec()).collect();
    let empty = vec![Vec::new(); 3];
    let mixed = vec![Vec::new(), b"text".to_vec(), Vec::new()];
    let slots = [Vec::new(), awkward(), many, empty, mixed, Vec::new()];
    let records = (1..).zip(slots).map(|(seq, slots)| stored(seq, b"body".to_vec(), slots)).collect();
    round_trip(&*store, records).await
}

pub(super) async fn large_bytes_come_back(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    let large: Vec<u8> = (0..MIB).map(|n| u8::try_from(n * 31 % 251).unwrap_or_default()).collect();
    let reversed = large.iter().rev().copied().collect();
    let slots = vec![b"before".to_vec(), reversed, b"after".to_vec()];
    round_trip(&*store, vec![stored(1, large, slots), stored(2, b"small".to_vec(), Vec::new())]).await
}

/// Commits records 1 to `last`, `step` at a time, and returns them.
async fn long_log(store: &dyn Store, last: u64, step: usize) -> Result<Vec<StoredRecord>, How> {
    for at in (0..last).step_by(step) {
        let records = (at + 1..=last.min(at + step as u64)).map(|seq| record("long", seq)).collect();
        store.commit(incident(1), Seq(at), &commit_of(at, records)).await?;
    }
    Ok((1..=last).map(|seq| record("long", seq)).collect())
}

pub(super) async fn a_long_log_comes_back_in_order(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    let log = long_log(&*store, 3_000, 700).await?;
    let found = store.load(incident(1), Seq::ZERO).await?;
    ensure!(found == log, "{} records were committed, {} came back, or out of order", log.len(), found.len());
    Ok(())
}

pub(super) async fn the_tail_is_what_comes_after(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    let log = long_log(&*store, 7, 3).await?;
    for after in 0..=8 {
        let tail = store.load(incident(1), Seq(after as u64)).await?;
        same(&format!("the records after {after}"), &tail, &log[after.min(7)..].to_vec())?;
    }
    for after in [1 << 40, 1 << 63, u64::MAX] {
        same(&format!("the records after {after}"), &store.load(incident(1), Seq(after)).await?, &vec![])?;
    }
    Ok(())
}
