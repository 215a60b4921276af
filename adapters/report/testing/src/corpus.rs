//! The incidents whose logs the core keeps for the documents made of them.

use incident_core::log::chain::{StoredRecord, decode, fold};
use incident_core::log::event::Fact;
use incident_core::model::id::{Digest, Seq};
use incident_core::runbook::Runbook;
use serde::Deserialize;

use super::Log;

/// Their names: a simple one, a long one that comes back and takes another in, and one of hostile words.
pub const CORPUS: [&str; 3] = ["outage", "relapse", "hostile"];

const RUNBOOK: &str = include_str!("../../../../incident-core/tests/corpus/v0/runbook.toml");
const LOGS: [&str; 3] = [
    include_str!("../../../../incident-core/tests/corpus/v0/outage.jsonl"),
    include_str!("../../../../incident-core/tests/corpus/v0/relapse.jsonl"),
    include_str!("../../../../incident-core/tests/corpus/v0/hostile.jsonl"),
];

#[derive(Deserialize)]
struct Line {
    seq: Seq,
    body: String,
    slots: Vec<String>,
    chain: Digest,
}

/// The incident called `name` in [`CORPUS`].
#[must_use]
pub fn corpus(name: &str) -> Log {
    let place = CORPUS.iter().position(|known| *known == name).expect("a name of the corpus");
    let read = |line| {
        let Line { seq, body, slots, chain } = serde_json::from_str(line).expect("the corpus can be read");
        let slots = slots.iter().map(|slot| hex::decode(slot).expect("a slot is hexadecimal"));
        StoredRecord { seq, body: body.into_bytes(), slots: slots.collect(), chain }
    };
    let stored: Vec<StoredRecord> = LOGS[place].lines().map(read).collect();
    let records: Vec<_> =
        stored.iter().map(|record| decode(record).expect("the corpus can be read")).collect();
    let Fact::Declared(declared) = &records[0].fact else { panic!("a log begins with a declaration") };
    let (incident, head) = fold(declared.id, &stored).expect("the corpus folds");
    Log { incident, records, head, runbook: runbook() }
}

/// The runbook that knows the persons of the corpus.
pub(crate) fn runbook() -> Runbook {
    Runbook::from_toml(RUNBOOK).expect("a runbook")
}
