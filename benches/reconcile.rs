//! What a pass costs while nothing is due, whatever the number of incidents that owe something later.
//!
//! The sizes can be named: `cargo bench -p incident-benches --bench reconcile -- 100 1000000`.
#![allow(missing_docs, reason = "a measurement is called what it measures")]
#![allow(clippy::print_stdout, reason = "it prints what it measured")]

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use incident_benches::{engine, runtime};
use incident_core::domain::chain::StoredRecord;
use incident_core::domain::id::{Digest, IncidentId, Seq};
use incident_core::domain::index::{Index, Urgency};
use incident_core::domain::time::{Time, after};
use incident_core::port::Store;
use incident_core::port::store::Commit;
use incident_core::runtime::Engine;
use incident_core::store::MemoryStore;
use incident_postgres::{Options, PostgresStore};
use incident_postgres_testing::Server;
use incident_sqlite::SqliteStore;
use tempfile::TempDir;
use tokio::time::Instant;

const PASSES: usize = 101;

fn main() {
    let named: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if named.is_empty() { vec![10, 1_000, 100_000] } else { named };
    let folder = TempDir::new().expect("a folder to write to");
    let file = folder.path().join("incidents.db");
    println!("a pass with nothing due, median of {PASSES} (shortest–longest)");
    measure("memory", &sizes, || Arc::new(MemoryStore::new()));
    measure("SQLite", &sizes, || Arc::new(SqliteStore::open(&file).expect("the store opens")));
    if Server::is_installed() {
        let server = Server::start();
        let options = Options::new(&server.address(&server.database())).expect("it is an address");
        let open = || -> Arc<dyn Store> {
            Arc::new(runtime().block_on(PostgresStore::open(options.clone())).expect("the store opens"))
        };
        measure("PostgreSQL", &sizes, open);
    } else {
        println!("PostgreSQL: not run: it isn't installed (Debian: postgresql)");
    }
}

fn measure(name: &str, sizes: &[u64], open: impl Fn() -> Arc<dyn Store>) {
    let runtime = runtime();
    let store = open();
    let engine = engine(Arc::clone(&store));
    let (mut filled, mut first) = (0, None);
    for size in sizes {
        runtime.block_on(fill(&*store, engine.now(), filled..*size));
        filled = filled.max(*size);
        let mut passes: Vec<Duration> = (0..PASSES).map(|_| runtime.block_on(pass(&engine))).collect();
        passes.sort_unstable();
        let median = passes[PASSES / 2];
        let ratio = median.as_secs_f64() / first.get_or_insert(median).as_secs_f64();
        println!(
            "{name}: {size} unsettled: {median:.1?} ({:.1?}–{:.1?}), {ratio:.2} of the first",
            passes[0],
            passes[PASSES - 1],
        );
    }
}

/// Incidents that owe something in a year.
async fn fill(store: &dyn Store, now: Time, numbers: std::ops::Range<u64>) {
    let wake = after(now, Duration::from_secs(365 * 86_400));
    let commits = numbers.map(|n| async move {
        let commit = Commit::new(vec![record()], Index::new(Seq(1), Some(wake), Urgency::ROUTINE), now);
        store.commit(numbered(now, n), Seq::ZERO, &commit).await.expect("the store takes it");
    });
    stream::iter(commits).buffer_unordered(8).collect::<()>().await;
}

fn numbered(now: Time, n: u64) -> IncidentId {
    let mut bytes = IncidentId::new(now, [0; 16]).to_bytes();
    bytes[8..].copy_from_slice(&n.to_be_bytes());
    IncidentId::from_bytes(bytes)
}

fn record() -> StoredRecord {
    StoredRecord { seq: Seq(1), body: vec![b' '; 400], slots: Vec::new(), chain: Digest([7; 32]) }
}

async fn pass(engine: &Engine) -> Duration {
    let begun = Instant::now();
    let tick = engine.tick(Time::MAX_UTC).await.expect("the store answers");
    let took = begun.elapsed();
    assert_eq!(tick.ran, 0, "nothing is due");
    took
}
