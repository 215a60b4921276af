//! P3: incidents from the disk to their state.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use incident_core::log::chain;
use incident_core::log::chain::StoredRecord;
use incident_core::log::event::{Fact, Record};
use incident_core::log::index::Index;
use incident_core::model::id::{Digest, IncidentId, Seq};
use incident_core::model::time::Time;
use incident_core::port::Store as _;
use incident_core::port::store::Commit;
use incident_sqlite::SqliteStore;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::row::{Line, Row, Scale, count, spread};
use crate::sample::{Slice, alternate, timed};
use crate::{log, runtime};

/// Both read from the page cache: what is compared is the work, not the disk.
const RECORDS: usize = 60;
const INCIDENTS: usize = 1_000;
/// How many passes an engine has at once.
const PASSES: usize = 64;

pub(super) fn load(scale: Scale) -> Row {
    let (runtime, folder) = (runtime(), TempDir::new().expect("a folder to write to"));
    let path = folder.path().join("incidents.db");
    let store = SqliteStore::open(&path).expect("the store opens");
    let ids = fill(&runtime, &store, scale.of(INCIDENTS).max(10), RECORDS);
    let raw = Connection::open(&path).expect("the file opens");
    let events = (ids.len() * RECORDS) as u64;
    let rate = |took: Duration| Slice { figure: events as f64 / took.as_secs_f64(), operations: events };
    let pair = alternate(
        scale.rounds(9),
        || rate(timed(|| folded(&runtime, &store, &ids)).0),
        || rate(timed(|| read_and_parsed(&raw, &ids)).0),
    );
    let cpu = |shown: String, cpu: f64| format!("{shown}, CPU {cpu:.2} µs");
    let ours = cpu(spread(pair.ours, count), pair.cpu);
    let line = Line::new("events/s", ours, "≥ 0.85×", false);
    let line = line.beside(cpu(spread(pair.beside, count), pair.cpu_beside), pair.ratio, |it| it >= 0.85);
    let points = [100, 10, 1].map(|part| {
        let some = &ids[..(ids.len() / part).max(1)];
        let work = (some.len() * RECORDS) as f64;
        (work, timed(|| folded(&runtime, &store, some)).0.as_secs_f64() / work)
    });
    Row::default().line(line).growing("P3 event loaded", points.to_vec())
}

/// Puts so many incidents of so many records into a store.
pub(super) fn fill(
    runtime: &Runtime,
    store: &SqliteStore,
    incidents: usize,
    records: usize,
) -> Vec<IncidentId> {
    let stored = log(records);
    let records: Vec<Record> =
        stored.iter().map(|it| chain::decode(it).expect("the corpus can be read")).collect();
    let mut ids: Vec<IncidentId> = Vec::new();
    for n in 0..incidents as u64 {
        let mut bytes = IncidentId::new(Time::UNIX_EPOCH, [0; 16]).to_bytes();
        bytes[8..].copy_from_slice(&n.to_be_bytes());
        let id = IncidentId::from_bytes(bytes);
        let mut records = records.clone();
        if let Fact::Declared(declared) = &mut records[0].fact {
            declared.id = id;
        }
        let (log, _) = chain::encode(&records, chain::origin(id));
        let (state, _) = chain::fold(id, &log).expect("it folds");
        let row = Index::new(state.version, None, Default::default());
        let commit = Commit::new(log, row, state.recorded_at);
        runtime.block_on(store.commit(id, Seq::ZERO, &commit)).expect("the store takes it");
        ids.push(id);
    }
    ids
}

/// What the engine does: as many passes at once, each reads a log, checks its links, reads its records and folds them.
fn folded(runtime: &Runtime, store: &SqliteStore, ids: &[IncidentId]) {
    runtime.block_on(stream::iter(ids).for_each_concurrent(PASSES, |id| async move {
        let log = store.load(*id, Seq::ZERO).await.expect("it can be read");
        let (state, _) = chain::fold(*id, &log).expect("it folds");
        assert_eq!(state.version, Seq(RECORDS as u64));
    }));
}

/// All of a log read, and then all of it parsed into the same types.
fn read_and_parsed(raw: &Connection, ids: &[IncidentId]) {
    for id in ids {
        let log = read(raw, *id).expect("it can be read");
        let parsed = log.iter().map(chain::decode).collect::<Result<Vec<_>, _>>().expect("it can be read");
        assert_eq!(parsed.len(), RECORDS);
    }
}

fn read(raw: &Connection, id: IncidentId) -> rusqlite::Result<Vec<StoredRecord>> {
    let mut records = raw.prepare_cached(
        "SELECT seq, chain, body, texts FROM record
         WHERE incident = (SELECT key FROM incident WHERE id = ?1) ORDER BY seq",
    )?;
    let rows = records.query_map([id.to_bytes()], |row| {
        let (seq, chain, slots) = (Seq(row.get(0)?), Digest(row.get(1)?), texts(row.get_ref(3)?.as_blob()?));
        Ok(StoredRecord { seq, body: row.get(2)?, slots, chain })
    })?;
    rows.collect()
}

fn texts(mut packed: &[u8]) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    while let Some((length, rest)) = packed.split_first_chunk() {
        let (text, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        texts.push(text.to_vec());
        packed = rest;
    }
    texts
}
