//! P1: one durable command after the other.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use incident_core::model::id::Seq;
use incident_core::model::role::Actor;
use incident_core::model::severity::Severity;
use incident_core::rules::command::Declare;
use incident_core::runtime::{Engine, IncidentHandle};
use incident_sqlite::SqliteStore;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::row::{Line, Row, Scale, seconds, spread};
use crate::sample::{Spread, alternate, latency, timed};
use crate::{engine, runtime};

/// As many incidents are open at once as in the table of limits, so that none gets an unlikely long log.
pub(super) const HOT: usize = 256;
pub(super) const WORDS: &str = "the last deployment is suspected; error rate at 4.2 % and rising";
const SLICE: Duration = Duration::from_millis(300);

pub(super) fn one(scale: Scale) -> Row {
    let (runtime, folder) = (runtime(), TempDir::new().expect("a folder to write to"));
    let engine = on_sqlite(&folder, "incidents.db");
    let incidents = runtime.block_on(declared(&engine, HOT.min(scale.of(HOT * 100))));
    let bytes = written(&runtime, &engine, &incidents[0]);

    let mut file = File::create(folder.path().join("log")).expect("a file to write to");
    let mut turn = incidents.iter().cycle();
    let command = |incident: &IncidentHandle| {
        runtime.block_on(incident.note(WORDS)).expect("a note is taken");
    };
    let pair = alternate(
        scale.rounds(9),
        || latency(SLICE, || command(turn.next().expect("it has no end"))),
        || {
            latency(SLICE, || {
                file.write_all(&bytes).expect("the disk has room");
                file.sync_data().expect("the disk syncs");
            })
        },
    );
    let goal = "≤ 1.5×";
    let what = "one command: latency, p50";
    let cpu = |shown: String, cpu: f64| format!("{shown}, CPU {cpu:.0} µs");
    let line = Line::new(what, cpu(spread(pair.ours, seconds), pair.cpu), goal, false);
    let beside = cpu(spread(pair.beside, seconds), pair.cpu_beside);
    let points = [10, 100, 1_000].map(|count| growth(&runtime, &engine, count)).to_vec();
    Row::default().line(line.beside(beside, pair.ratio, |ratio| ratio <= 1.5)).growing("P1 command", points)
}

/// Commands to one incident, whose log grows with each.
fn growth(runtime: &Runtime, engine: &Engine, count: u32) -> (f64, f64) {
    let each = (0..3).map(|_| {
        let incident = runtime.block_on(declared(engine, 1)).remove(0);
        let (took, ()) = timed(|| {
            for _ in 0..count {
                runtime.block_on(incident.note(WORDS)).expect("a note is taken");
            }
        });
        took.as_secs_f64() / f64::from(count)
    });
    (f64::from(count), Spread::of(each.collect()).median)
}

pub(super) fn on_sqlite(folder: &TempDir, name: &str) -> Engine {
    engine(Arc::new(SqliteStore::open(folder.path().join(name)).expect("the store opens")))
}

pub(super) async fn declared(engine: &Engine, count: usize) -> Vec<IncidentHandle> {
    let mut incidents = Vec::with_capacity(count);
    for _ in 0..count {
        let what = Declare::new("checkout is slow").severity(Severity::Sev3).service("checkout");
        let actor = Actor::human("chat", "alice");
        incidents.push(engine.declare(actor, what).await.expect("an incident is declared"));
    }
    incidents
}

/// The bytes that one command leaves in the store.
fn written(runtime: &Runtime, engine: &Engine, incident: &IncidentHandle) -> Vec<u8> {
    runtime.block_on(async {
        let done = incident.note(WORDS).await.expect("a note is taken");
        let log = engine.store().load(incident.id(), Seq(done.seq.0 - 1)).await.expect("it can be read");
        let mut bytes = Vec::new();
        for record in &log {
            bytes.extend_from_slice(&record.body);
            record.slots.iter().for_each(|slot| bytes.extend_from_slice(slot));
            bytes.extend_from_slice(&record.chain.0);
        }
        bytes
    })
}
