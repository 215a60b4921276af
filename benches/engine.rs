//! What goes through a store: a durable commit, and a storm of alerts.
#![allow(missing_docs, reason = "a measurement is called what it measures")]

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use incident_benches::{alerts, bytes_of, commit, engine, id_of, log, runtime};
use incident_core::model::id::{IncidentId, Seq};
use incident_core::port::Store;
use incident_core::store::MemoryStore;
use incident_sqlite::SqliteStore;
use tempfile::TempDir;

/// The log that a command comes upon, and with it.
const BEFORE: usize = 60;
const AFTER: usize = 63;
const ALERTS: usize = 10_000;
/// How many alerts a source sends at once.
const CALL: usize = 100;

fn main() {
    divan::main();
}

/// The records of one command, durable when it is over.
mod durable_command {
    use super::*;

    /// The least that durability takes: the same bytes appended to a file, and one `fdatasync`.
    #[divan::bench(sample_count = 1_000, sample_size = 1)]
    fn append_and_fdatasync(bencher: Bencher<'_, '_>) {
        let bytes = bytes_of(&commit(&log(AFTER), BEFORE));
        let folder = TempDir::new().expect("a folder to write to");
        let mut file = File::create(folder.path().join("log")).expect("a file to write to");
        bencher.bench_local(|| {
            file.write_all(&bytes).expect("the disk has room");
            file.sync_data().expect("the disk syncs");
        });
    }

    #[divan::bench(sample_count = 1_000, sample_size = 1)]
    fn sqlite(bencher: Bencher<'_, '_>) {
        let folder = TempDir::new().expect("a folder to write to");
        let store = SqliteStore::open(folder.path().join("incidents.db")).expect("the store opens");
        commits(bencher, &store);
    }

    #[divan::bench(sample_count = 1_000, sample_size = 1)]
    fn memory(bencher: Bencher<'_, '_>) {
        commits(bencher, &MemoryStore::new());
    }

    /// The same command to one incident after another, each of which has its log.
    fn commits(bencher: Bencher<'_, '_>, store: &dyn Store) {
        let (runtime, mut made) = (runtime(), 0_u64);
        let (before, with) = (log(BEFORE), log(AFTER));
        // A name is held once, and it isn't the keys that are measured.
        let bare = |mut commit: incident_core::port::store::Commit| {
            commit.index.keys.clear();
            commit
        };
        let (first, second) = (bare(commit(&before, 0)), bare(commit(&with, BEFORE)));
        let at = Seq(u64::try_from(BEFORE).expect("a small number"));
        let start = id_of(&before).to_bytes();
        bencher
            .with_inputs(|| {
                made += 1;
                let mut bytes = start;
                bytes[8..].copy_from_slice(&made.to_be_bytes());
                let id = IncidentId::from_bytes(bytes);
                runtime.block_on(store.commit(id, Seq::ZERO, &first)).expect("the store takes it");
                id
            })
            .bench_local_values(|id| {
                runtime.block_on(store.commit(id, at, &second)).expect("the store takes it");
            });
    }
}

/// 10,000 alerts through the engine, durable when it is over.
mod storm_of_10000 {
    use super::*;

    #[divan::bench(args = [1, 500], sample_count = 5, sample_size = 1)]
    fn memory_in_one_call(bencher: Bencher<'_, '_>, groups: usize) {
        storm(bencher, groups, ALERTS, |_| Arc::new(MemoryStore::new()));
    }

    #[divan::bench(args = [1, 500], sample_count = 5, sample_size = 1)]
    fn memory_in_calls_of_100(bencher: Bencher<'_, '_>, groups: usize) {
        storm(bencher, groups, CALL, |_| Arc::new(MemoryStore::new()));
    }

    #[divan::bench(args = [1, 500], sample_count = 5, sample_size = 1)]
    fn sqlite_in_one_call(bencher: Bencher<'_, '_>, groups: usize) {
        storm(bencher, groups, ALERTS, sqlite);
    }

    #[divan::bench(args = [1, 500], sample_count = 5, sample_size = 1)]
    fn sqlite_in_calls_of_100(bencher: Bencher<'_, '_>, groups: usize) {
        storm(bencher, groups, CALL, sqlite);
    }

    fn sqlite(folder: &TempDir) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(folder.path().join("incidents.db")).expect("the store opens"))
    }

    /// One call after the other, as a source sends them that waits for each answer.
    fn storm(
        bencher: Bencher<'_, '_>,
        groups: usize,
        call: usize,
        open: impl Fn(&TempDir) -> Arc<dyn Store>,
    ) {
        let runtime = runtime();
        let alerts = alerts(ALERTS, groups);
        bencher
            .counter(ItemsCount::new(ALERTS))
            .with_inputs(|| {
                let folder = TempDir::new().expect("a folder to write to");
                let calls: Vec<_> = alerts.chunks(call).map(<[_]>::to_vec).collect();
                (engine(open(&folder)), calls, folder)
            })
            .bench_local_values(|(engine, calls, folder)| {
                let declared = runtime.block_on(async {
                    let mut declared = 0;
                    for call in calls {
                        declared +=
                            engine.ingest("storm", call).await.expect("they are taken").declared.len();
                    }
                    declared
                });
                assert_eq!(declared, groups, "an incident a group");
                (engine, folder)
            });
    }
}
