//! What is measured: logs, incidents, alerts, and a runtime to run an engine on.
#![allow(clippy::missing_panics_doc, reason = "a measurement that can't begin is to stop")]

pub mod machine;
pub mod plot;
pub mod row;
pub mod rows;
pub mod sample;
pub mod storm;
pub mod table;

use std::sync::Arc;

use incident_core::log::chain;
use incident_core::log::chain::StoredRecord;
use incident_core::log::event::Fact;
use incident_core::log::incident::Incident;
use incident_core::log::index::index;
use incident_core::model::id::{Digest, IncidentId, Seq};
use incident_core::model::signal::{Detection, Signal};
use incident_core::port::Store;
use incident_core::port::store::Commit;
use incident_core::runbook::Runbook;
use incident_core::runtime::Engine;
use serde::Deserialize;
use tokio::runtime::{Builder, Runtime};

const WHOLE_LIFE: &str = include_str!("../../incident-core/tests/corpus/v0/whole-life.jsonl");

#[derive(Deserialize)]
struct Line {
    seq: Seq,
    body: String,
    slots: Vec<String>,
    chain: Digest,
}

/// The first `length` records of the golden corpus's whole life.
#[must_use]
pub fn log(length: usize) -> Vec<StoredRecord> {
    let read = |line| {
        let Line { seq, body, slots, chain } = serde_json::from_str(line).expect("the corpus can be read");
        let slots = slots.iter().map(|slot| hex::decode(slot).expect("a slot is hexadecimal"));
        StoredRecord { seq, body: body.into_bytes(), slots: slots.collect(), chain }
    };
    let log: Vec<StoredRecord> = WHOLE_LIFE.lines().take(length).map(read).collect();
    assert_eq!(log.len(), length, "the corpus has a log of {length} records");
    log
}

/// The incident of a log, as its first record names it.
#[must_use]
pub fn id_of(log: &[StoredRecord]) -> IncidentId {
    match chain::decode(&log[0]).expect("the corpus can be read").fact {
        Fact::Declared(declared) => declared.id,
        fact => panic!("a log begins with {}", fact.kind()),
    }
}

/// The state after a log.
#[must_use]
pub fn folded(log: &[StoredRecord]) -> Incident {
    chain::fold(id_of(log), log).expect("the corpus folds").0
}

/// The commit that brings the records of `log` from `from` on, as an engine makes it.
#[must_use]
pub fn commit(log: &[StoredRecord], from: usize) -> Commit {
    let after = folded(log);
    Commit::new(log[from..].to_vec(), index(&after), after.recorded_at)
}

/// The bytes of a commit that a store has to keep.
#[must_use]
pub fn bytes_of(commit: &Commit) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in &commit.records {
        bytes.extend_from_slice(&record.body);
        record.slots.iter().for_each(|slot| bytes.extend_from_slice(slot));
        bytes.extend_from_slice(&record.chain.0);
    }
    bytes.extend_from_slice(&commit.index.summary);
    bytes
}

/// `count` alerts, all different, of `groups` services.
#[must_use]
pub fn alerts(count: usize, groups: usize) -> Vec<Signal> {
    let alert = |n: usize| {
        Signal::firing(&format!("alert-{n}"), "error rate above 5 %", Detection::MetricAlert)
            .with_label("service", &format!("service-{}", n % groups))
            .with_label("severity", "warning")
            .with_label("pod", &format!("pod-{n}"))
    };
    (0..count).map(alert).collect()
}

/// An engine on `store` that has nothing registered, and takes no alerts for a storm.
#[must_use]
pub fn engine(store: Arc<dyn Store>) -> Engine {
    let mut runbook = Runbook::default();
    runbook.signals.storm.incidents = 0;
    Engine::builder_on(store)
        .runbook(runbook)
        .pages_nobody()
        .build()
        .expect("an engine without adapters can be built")
}

/// A runtime as a service has it, with a thread a core.
#[must_use]
pub fn runtime() -> Runtime {
    Builder::new_multi_thread().enable_all().build().expect("the machine runs threads")
}
