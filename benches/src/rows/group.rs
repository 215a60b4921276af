//! P2: many commands at once, and how many share a sync.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use futures_util::future::join_all;
use incident_core::model::id::Seq;
use incident_core::port::Store as _;
use incident_core::runtime::IncidentHandle;
use incident_sqlite::SqliteStore;
use rusqlite::{Connection, TransactionBehavior, params};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::time::Instant;

use super::commands::{HOT, WORDS, declared, on_sqlite};
use crate::row::{Line, Row, Scale, count, spread};
use crate::sample::{Slice, alternate, timed};
use crate::{engine, runtime};

const SLICE: Duration = Duration::from_millis(500);

pub(super) fn concurrent(scale: Scale) -> Row {
    let (runtime, folder) = (runtime(), TempDir::new().expect("a folder to write to"));
    let engine = on_sqlite(&folder, "incidents.db");
    let mut row = Row::default();
    let incidents = runtime.block_on(declared(&engine, 2 * HOT));
    let mut raw = Raw::beside(&runtime, &folder, &incidents[0]);
    for callers in [64, 512] {
        let at_once = &incidents[..callers];
        let pair = alternate(
            scale.rounds(7),
            || rate(SLICE, |until| runtime.block_on(notes(at_once, until))),
            || rate(SLICE, |until| raw.transactions(callers, until)),
        );
        let cpu = |shown: String, cpu: f64| format!("{shown}, CPU {cpu:.1} µs");
        let what = format!("{callers} callers: events/s");
        let line = Line::new(&what, cpu(spread(pair.ours, count), pair.cpu), "≥ 0.75×", false);
        let beside = cpu(spread(pair.beside, count), pair.cpu_beside);
        row = row.line(line.beside(beside, pair.ratio, |ratio| ratio >= 0.75));
    }
    row = row.line(shared(&runtime, &folder.path().join("incidents.db"), &incidents[..64]));
    let points = [5, 50, 500].map(|notes| {
        let (took, ()) = timed(|| runtime.block_on(each(&incidents[..64], notes)));
        let events = f64::from(notes) * 64.0;
        (events, took.as_secs_f64() / events)
    });
    row.growing("P2 of 64 commands", points.to_vec())
}

/// How many events share a sync.
fn shared(runtime: &Runtime, file: &Path, at_once: &[IncidentHandle]) -> Line {
    let before = transactions(file);
    runtime.block_on(each(at_once, 40));
    let syncs = transactions(file).wrapping_sub(before);
    let events = 40 * at_once.len();
    let shared = events as f64 / f64::from(syncs.max(1));
    let ours = format!("{shared:.1} ({events} events, {syncs} transactions)");
    Line::new("64 callers: events a sync", ours, "≥ 32", shared >= 32.0)
}

/// How many transactions a file has had: SQLite counts them in the index of its log.
///
/// Read by another process, for to close the file here would let go of this one's locks.
fn transactions(file: &Path) -> u32 {
    let mut index = file.as_os_str().to_owned();
    index.push("-shm");
    let head = Command::new("head").args(["-c", "12"]).arg(index).output().expect("the system has head");
    let counter = head.stdout.get(8..12).and_then(|bytes| bytes.try_into().ok());
    u32::from_ne_bytes(counter.expect("the index has a head"))
}

fn rate(length: Duration, work: impl FnOnce(Instant) -> u64) -> Slice {
    let begun = Instant::now();
    let operations = work(begun + length);
    Slice { figure: operations as f64 / begun.elapsed().as_secs_f64(), operations }
}

/// Every caller sends one command after the other.
async fn notes(incidents: &[IncidentHandle], until: Instant) -> u64 {
    let tasks = incidents.iter().cloned().map(|incident| {
        tokio::spawn(async move {
            let mut done = 0;
            while Instant::now() < until {
                incident.note(WORDS).await.expect("a note is taken");
                done += 1;
            }
            done
        })
    });
    join_all(tasks.collect::<Vec<_>>()).await.into_iter().map(|done| done.unwrap_or(0)).sum()
}

async fn each(incidents: &[IncidentHandle], times: u32) {
    let tasks = incidents.iter().cloned().map(|incident| {
        tokio::spawn(async move {
            for _ in 0..times {
                incident.note(WORDS).await.expect("a note is taken");
            }
        })
    });
    join_all(tasks.collect::<Vec<_>>()).await;
}

/// The same rows in the same tables, by nobody but SQLite.
struct Raw {
    connection: Connection,
    incidents: Vec<i64>,
    next: usize,
    seq: i64,
    body: Vec<u8>,
    texts: Vec<u8>,
    summary: Vec<u8>,
}

impl Raw {
    fn beside(runtime: &Runtime, folder: &TempDir, like: &IncidentHandle) -> Self {
        let path = folder.path().join("raw.db");
        let store = SqliteStore::open(&path).expect("the store opens");
        let raw = engine(std::sync::Arc::new(store));
        runtime.block_on(declared(&raw, 2 * HOT));
        let log = runtime.block_on(async {
            let done = like.note(WORDS).await.expect("a note is taken");
            let reading = SqliteStore::open(folder.path().join("incidents.db")).expect("the store opens");
            reading.load(like.id(), Seq(done.seq.0 - 1)).await.expect("it can be read")
        });
        let connection = Connection::open(path).expect("the file opens");
        connection.pragma_update(None, "synchronous", "FULL").expect("it is a pragma");
        connection.set_prepared_statement_cache_capacity(16);
        let ask = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, Vec<u8>>(0));
        let summary = ask("SELECT summary FROM incident LIMIT 1").expect("there is one");
        let mut keys = connection.prepare("SELECT key FROM incident").expect("the table is there");
        let incidents = keys.query_map([], |row| row.get(0)).expect("it can be read");
        let incidents = incidents.collect::<Result<_, _>>().expect("it can be read");
        drop(keys);
        let slot = &log[0].slots[0];
        let length = u32::try_from(slot.len()).expect("a short text");
        let (body, texts) = (log[0].body.clone(), [&length.to_be_bytes(), &slot[..]].concat());
        Self { connection, incidents, next: 0, seq: 1_000, body, texts, summary }
    }

    /// Transactions of `group` records each.
    fn transactions(&mut self, group: usize, until: Instant) -> u64 {
        let mut done = 0;
        while Instant::now() < until {
            let begin = TransactionBehavior::Immediate;
            let write = self.connection.transaction_with_behavior(begin).expect("it is ours alone");
            for _ in 0..group {
                self.next = (self.next + 1) % self.incidents.len();
                self.seq += 1;
                let incident = self.incidents[self.next];
                append(&write, incident, self.seq, &self.body, &self.texts, &self.summary)
                    .expect("it can be written");
            }
            write.commit().expect("it can be written");
            done += group as u64;
        }
        done
    }
}

fn append(
    write: &Connection,
    incident: i64,
    seq: i64,
    body: &[u8],
    texts: &[u8],
    summary: &[u8],
) -> rusqlite::Result<()> {
    write
        .prepare_cached(
            "UPDATE incident SET version = ?2, next_wake = ?3, urgency = ?4, fold = ?5, summary = ?6 WHERE key = ?1",
        )?
        .execute(params![incident, seq, 1_900_000_000_000_i64 + seq, 1, 1, summary])?;
    write
        .prepare_cached("INSERT INTO record (incident, seq, chain, body, texts) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![incident, seq, [7_u8; 32], body, texts])?;
    Ok(())
}
