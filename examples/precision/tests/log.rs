//! The log reads the same, whatever features another crate of the program switches on.

use std::fs;
use std::path::{Path, PathBuf};

use incident_core::log::chain::{StoredRecord, decode, encode, fold, origin};
use incident_core::log::event::{Fact, Record};
use incident_core::model::id::{Digest, IncidentId, Seq};
use incident_core::model::impact::Impact;
use incident_core::model::mitigation::*;
use incident_core::model::plan::{Execution, Plan, Reversible};
use serde_json::{Value, json};

#[derive(serde::Deserialize)]
struct Line {
    seq: Seq,
    body: String,
    slots: Vec<String>,
    chain: Digest,
}

fn logs() -> Vec<(PathBuf, Vec<StoredRecord>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../incident-core/tests/corpus/v0");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let logs = paths.filter(|path| path.extension().is_some_and(|it| it == "jsonl"));
    let logs: Vec<_> = logs.map(|path| (path.clone(), stored(&path))).collect();
    assert!(!logs.is_empty(), "the corpus has logs");
    logs
}

fn stored(path: &Path) -> Vec<StoredRecord> {
    let text = fs::read_to_string(path).unwrap();
    let record = |line: &str| {
        let Line { seq, body, slots, chain } = serde_json::from_str(line).unwrap();
        let slots = slots.iter().map(|slot| hex::decode(slot).unwrap()).collect();
        StoredRecord { seq, body: body.into_bytes(), slots, chain }
    };
    text.lines().map(record).collect()
}

fn id(log: &[StoredRecord]) -> IncidentId {
    match decode(&log[0]).unwrap().fact {
        Fact::Declared(declared) => declared.id,
        fact => panic!("a log begins with its declaration, not {}", fact.kind()),
    }
}

/// The feature is on: a number keeps every digit.
#[test]
fn precision_is_arbitrary_here() {
    let number = "0.1000000000000000000000000000001";
    assert_eq!(serde_json::from_str::<Value>(number).unwrap().to_string(), number);
}

#[test]
fn every_golden_log_folds_to_the_state_it_folded_to() {
    for (path, log) in logs() {
        let (state, head) = fold(id(&log), &log).unwrap();
        assert_eq!(head, log.last().unwrap().chain, "{}", path.display());
        let then = fs::read_to_string(path.with_extension("state.txt")).unwrap();
        assert!(format!("{state:#?}\n") == then, "{}: the state differs", path.display());
    }
}

#[test]
fn every_golden_record_is_written_as_it_was_read() {
    for (path, log) in logs() {
        let records: Vec<Record> = log.iter().map(|stored| decode(stored).unwrap()).collect();
        let (written, _) = encode(&records, origin(id(&log)));
        for (written, read) in written.iter().zip(&log) {
            let text = |it: &StoredRecord| String::from_utf8_lossy(&it.body).into_owned();
            assert_eq!(text(written), text(read), "{} {}", path.display(), read.seq);
        }
    }
}

/// One of each kind, with every field that isn't text.
fn mitigations() -> Vec<Mitigation> {
    let text = || "deployment/checkout".to_owned();
    let map = || [("memory".to_owned(), "512Mi".to_owned())].into();
    vec![
        Mitigation::RollBack(RollBack { workload: text(), to_revision: Some("7".to_owned()) }),
        Mitigation::Scale(Scale { workload: text(), replicas: u32::MAX }),
        Mitigation::SetResources(SetResources {
            workload: text(),
            container: text(),
            requests: map(),
            limits: map(),
        }),
        Mitigation::RollingRestart(RollingRestart { workload: text() }),
        Mitigation::RestartInstance(RestartInstance { instance: text() }),
        Mitigation::SwitchFeature(SwitchFeature { feature: text(), on: true }),
        Mitigation::RouteTraffic(RouteTraffic { service: text(), to: text() }),
        Mitigation::EndQueries(EndQueries { database: text(), longer_than_seconds: u64::MAX }),
        Mitigation::AddIndex(AddIndex { database: text(), table: text(), columns: vec![text()] }),
        Mitigation::ClearCache(ClearCache { cache: text(), part: None }),
        Mitigation::Custom(Custom { name: text(), target: text(), parameters: map() }),
    ]
}

fn read_back<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(it: &T) {
    let text = serde_json::to_string(it).unwrap();
    assert_eq!(serde_json::from_str::<T>(&text).unwrap(), *it, "{text}");
    assert_eq!(serde_json::from_slice::<T>(text.as_bytes()).unwrap(), *it, "{text}");
    assert_eq!(serde_json::from_value::<T>(serde_json::to_value(it).unwrap()).unwrap(), *it, "{text}");
}

#[test]
fn every_mitigation_reads_back_with_its_plan_and_its_execution() {
    for mitigation in mitigations() {
        read_back(&mitigation);
        let payload =
            json!({ "replicas": 3, "share": 0.1, "large": u64::MAX, "minus": -1, "list": [1, 2.5] });
        let plan = Plan::new(mitigation, "prod/checkout", Reversible::Yes)
            .with_payload(payload.clone())
            .with_verify_within(std::time::Duration::from_secs(600));
        read_back(&plan);
        read_back(&Execution::new(plan, "2026-03-02T10:00:00Z".parse().unwrap()).with_before(payload));
    }
}

#[test]
fn shares_read_back() {
    for share in [0.1, 33.333_333_333_333_336, 100.0] {
        read_back(&Impact::<String> { users_percent: Some(share), ..Impact::default() });
    }
}
