//! P8: a pass while nothing is due, whatever the number of incidents that owe something later.

use std::cell::Cell;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use incident_core::log::index::{FOLD, Index};
use incident_core::model::effect::Urgency;
use incident_core::model::id::{Digest, IncidentId, Seq};
use incident_core::model::time::Time;
use incident_core::port::Store;
use incident_core::port::store::{Commit, StoredRecord};
use incident_core::runtime::Engine;
use incident_core::store::MemoryStore;
use incident_postgres::{Options, PostgresStore};
use incident_postgres_testing::Server;
use incident_sqlite::SqliteStore;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::row::{Line, Row, Scale, seconds, spread};
use crate::sample::{Spread, timed};
use crate::{engine, runtime};

const PASSES: usize = 201;
/// Far enough from now that nothing is due, in milliseconds since 1970.
const LATER: i64 = 4_000_000_000_000;

pub(super) fn pass(scale: Scale) -> Row {
    let most = scale.of(1_000_000);
    let sizes = [100, (most / 10).max(101), most.max(102)];
    let runtime = runtime();
    let mut row = Row::default();
    let memory = Arc::new(MemoryStore::new());
    let filled = Cell::new(0);
    let to_memory = |size| fill_memory(&runtime, &memory, filled.replace(size)..size);
    row = measured(row, &runtime, "memory", &sizes, Arc::clone(&memory) as _, to_memory);
    let folder = TempDir::new().expect("a folder to write to");
    let file = folder.path().join("incidents.db");
    let sqlite = Arc::new(SqliteStore::open(&file).expect("the store opens"));
    row = measured(row, &runtime, "SQLite", &sizes, sqlite, |size| fill_sqlite(&file, size));
    if !Server::is_installed() {
        let why = "PostgreSQL isn't installed (Debian: postgresql)";
        return row.line(Line::not_run("PostgreSQL", "≤ 2×", why));
    }
    let server = Server::start();
    let database = server.database();
    let options = Options::new(&server.address(&database)).expect("it is an address");
    let postgres = Arc::new(runtime.block_on(PostgresStore::open(options)).expect("the store opens"));
    measured(row, &runtime, "PostgreSQL", &sizes, postgres, |size| fill_postgres(&server, &database, size))
}

fn measured(
    row: Row,
    runtime: &Runtime,
    name: &str,
    sizes: &[usize],
    store: Arc<dyn Store>,
    fill: impl Fn(usize),
) -> Row {
    let engine = engine(store);
    let took: Vec<Spread> = sizes
        .iter()
        .map(|size| {
            fill(*size);
            let passes = (0..PASSES).map(|_| timed(|| runtime.block_on(one(&engine))).0.as_secs_f64());
            Spread::of(passes.collect())
        })
        .collect();
    let (first, last) = (took[0], took[took.len() - 1]);
    let by = |spread: Spread| Spread {
        median: spread.median / first.median,
        least: spread.least / first.median,
        most: spread.most / first.median,
    };
    let what = format!("{name}: {} unsettled", crate::row::count(sizes[sizes.len() - 1] as f64));
    let line = Line::new(&what, spread(last, seconds), "≤ 2×", false);
    let points = sizes.iter().zip(&took).map(|(size, took)| (*size as f64, took.median));
    row.line(line.beside(spread(first, seconds), by(last), |ratio| ratio <= 2.0))
        .growing(&format!("P8 pass, {name}"), points.collect())
}

async fn one(engine: &Engine) {
    let tick = engine.tick(Time::MAX_UTC).await.expect("the store answers");
    assert_eq!(tick.ran, 0, "nothing is due");
}

fn fill_memory(runtime: &Runtime, store: &MemoryStore, numbers: Range<usize>) {
    let wake = Time::from_timestamp_millis(LATER);
    let now = Time::UNIX_EPOCH;
    runtime.block_on(async {
        for n in numbers {
            let record =
                StoredRecord { seq: Seq(1), body: vec![b' '; 64], slots: Vec::new(), chain: Digest([7; 32]) };
            let commit = Commit::new(vec![record], Index::new(Seq(1), wake, Urgency::ROUTINE), now);
            let id = IncidentId::from_bytes((n as u128 + 1).to_be_bytes());
            store.commit(id, Seq::ZERO, &commit).await.expect("the store takes it");
        }
    });
}

/// Incidents up to the number `size`; those that are there already stay.
fn fill_sqlite(file: &Path, size: usize) {
    let connection = Connection::open(file).expect("the file opens");
    connection.busy_timeout(Duration::from_secs(10)).expect("it can wait");
    let sql = "INSERT INTO incident (id, version, next_wake, urgency, fold, summary)
        WITH RECURSIVE n (n) AS (SELECT count(*) + 1 FROM incident UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
        SELECT CAST(printf('%016d', n) AS BLOB), 1, ?2 + n, 1, ?3, x'00' FROM n WHERE n <= ?1";
    connection.execute(sql, rusqlite::params![size as i64, LATER, FOLD]).expect("it can be written");
}

fn fill_postgres(server: &Server, database: &str, size: usize) {
    let sql = format!(
        "INSERT INTO incident.incident (id, version, next_wake, urgency, fold, summary)
         SELECT decode(lpad(to_hex(n), 32, '0'), 'hex'), 1, {LATER} + n, 1, {FOLD}, '\\x00'
         FROM generate_series((SELECT count(*) + 1 FROM incident.incident), {size}) n;
         ANALYZE incident.incident"
    );
    server.run(database, &sql);
}
