//! P12: what an open incident takes in memory.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use incident_core::log::incident::Incident;
use incident_core::model::id::Seq;
use incident_core::port::Store as _;
use incident_core::port::store::Query;
use incident_sqlite::SqliteStore;
use tempfile::TempDir;

use super::load::fill;
use crate::row::{Line, Row, Scale, bytes, spread};
use crate::sample::Spread;
use crate::{engine, log, machine, runtime};

const INCIDENTS: usize = 20_000;
const EVENTS: usize = 20;
const TIMES: usize = 5;

pub(super) fn memory(scale: Scale) -> Row {
    let size: usize = log(EVENTS).iter().map(|record| record.body.len()).sum();
    let folder = TempDir::new().expect("a folder to write to");
    let file = folder.path().join("incidents.db");
    let store = SqliteStore::open(&file).expect("the store opens");
    fill(&runtime(), &store, scale.of(INCIDENTS).max(1_000), EVENTS);
    drop(store);
    let program = std::env::current_exe().expect("this program is a file");
    let each = (0..scale.rounds(TIMES)).filter_map(|_| {
        // In a process of its own: here, memory that was let go of would be taken again.
        let out = Command::new(&program).arg("hold").arg(&file).output().ok()?;
        String::from_utf8(out.stdout).ok()?.trim().parse::<f64>().ok()
    });
    let each: Vec<f64> = each.collect();
    if each.is_empty() {
        return Row::not_run("bytes", "≤ 1.0×", "the process that holds them failed");
    }
    let ratio = Spread::of(each.iter().map(|held| held / size as f64).collect());
    let line = Line::new("bytes", spread(Spread::of(each), bytes), "≤ 1.0×", false);
    Row::default().line(line.beside(bytes(size as f64), ratio, |ratio| ratio <= 1.0))
}

/// Holds every incident of a file as an engine gives them, and says what one takes: the program of the process that
/// `memory` starts.
#[must_use]
pub fn hold(file: &Path) -> f64 {
    let store = Arc::new(SqliteStore::open(file).expect("the store opens"));
    let engine = engine(store.clone());
    runtime().block_on(async {
        let mut ids = Vec::new();
        loop {
            let query = Query::all().after(ids.last().copied()).limit(1_000);
            let page = store.list(&query).await.expect("it can be read");
            ids.extend(page.rows.iter().map(|row| row.id));
            if !page.more {
                break;
            }
        }
        // What reading takes once – threads, the cache of the file – isn't an incident's.
        let (warm, ids) = ids.split_at(ids.len() / 10);
        let mut held: Vec<Incident> = Vec::with_capacity(ids.len());
        for id in warm {
            drop(engine.incident(*id).state().await.expect("it can be read"));
        }
        let before = machine::resident(None);
        for id in ids {
            held.push(engine.incident(*id).state().await.expect("it can be read"));
        }
        let after = machine::resident(None);
        assert!(held.iter().all(|incident| incident.version == Seq(EVENTS as u64)));
        after.saturating_sub(before) as f64 / held.len() as f64
    })
}
