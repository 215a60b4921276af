//! What earlier versions wrote: the logs of `corpus/` can be read, fold to the state they folded to, and are whole; and
//! the documents of `documents/` are what three of them make.
//!
//! The logs are written by `domain::corpus` and never change; see the README beside them. The documents change with how
//! they read; write them anew with `cargo test -p incident-core --test corpus write_documents -- --ignored`.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use incident_core::log::chain::{StoredRecord, decode, encode, fold, origin, verify};
use incident_core::log::event::{Fact, Record};
use incident_core::model::id::{Digest, IncidentId, Seq};
use incident_core::{PostMortem, Runbook};

/// A record as a line of a log shows it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    seq: Seq,
    body: String,
    slots: Vec<String>,
    chain: Digest,
}

struct Log {
    name: String,
    stored: Vec<StoredRecord>,
    /// Where the state is written that it folded to.
    state: PathBuf,
}

impl Log {
    fn records(&self) -> Vec<Record> {
        self.stored.iter().map(|stored| decode(stored).unwrap()).collect()
    }

    fn id(&self) -> IncidentId {
        match decode(&self.stored[0]).unwrap().fact {
            Fact::Declared(declared) => declared.id,
            fact => panic!("{}: begins with {}", self.name, fact.kind()),
        }
    }
}

/// The logs that a document is kept of: a simple one, a long one, a hostile one.
const DOCUMENTED: [&str; 3] = ["outage", "relapse", "hostile"];

fn tests(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}

fn logs() -> Vec<Log> {
    let paths = fs::read_dir(tests("corpus/v0")).unwrap().map(|entry| entry.unwrap().path());
    let logs: Vec<Log> =
        paths.filter(|path| path.extension().is_some_and(|it| it == "jsonl")).map(read).collect();
    assert!(!logs.is_empty(), "the corpus has logs");
    logs
}

fn read(path: impl AsRef<Path>) -> Log {
    let path = path.as_ref();
    let text = fs::read_to_string(path).unwrap();
    let stored = text.lines().map(|line| {
        let Line { seq, body, slots, chain } = serde_json::from_str(line).unwrap();
        let slots = slots.iter().map(|slot| hex::decode(slot).unwrap()).collect();
        StoredRecord { seq, body: body.into_bytes(), slots, chain }
    });
    Log {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        stored: stored.collect(),
        state: path.with_extension("state.txt"),
    }
}

#[test]
fn every_kind_of_fact_is_in_it() {
    let there: BTreeSet<&str> =
        logs().iter().flat_map(Log::records).map(|record| record.fact.kind()).collect();
    let missing: Vec<_> = Fact::KINDS.iter().filter(|kind| !there.contains(**kind)).collect();
    assert!(missing.is_empty(), "give the corpus a log with {missing:?}");
}

/// The state of a log, and as it is written down.
fn folded(log: &Log) -> String {
    let (state, head) = fold(log.id(), &log.stored).unwrap();
    assert_eq!(head, log.stored.last().unwrap().chain, "{}", log.name);
    format!("{state:#?}\n")
}

#[test]
#[ignore = "writes the states that are missing"]
fn write_states() {
    for log in logs().iter().filter(|log| !log.state.exists()) {
        fs::write(&log.state, folded(log)).unwrap();
    }
}

#[test]
fn a_log_folds_to_the_state_it_folded_to() {
    for log in logs() {
        let (now, then) = (folded(&log), fs::read_to_string(&log.state).unwrap());
        let differs = now.lines().zip(then.lines()).position(|(now, then)| now != then);
        assert!(now == then, "{}: the state differs from line {differs:?} (from 0) on", log.name);
    }
}

#[test]
fn a_log_is_whole() {
    for log in logs() {
        let head = log.stored.last().unwrap().chain;
        let verified = verify(log.id(), &log.stored, Some(head)).unwrap();
        assert_eq!(verified.version, log.stored.last().unwrap().seq, "{}", log.name);
    }
}

#[test]
fn what_is_read_is_written_alike() {
    for log in logs() {
        let (again, head) = encode(&log.records(), origin(log.id()));
        assert_eq!(again.len(), log.stored.len());
        for (again, stored) in again.iter().zip(&log.stored) {
            let (again_body, body) =
                (String::from_utf8_lossy(&again.body), String::from_utf8_lossy(&stored.body));
            assert_eq!(again_body, body, "{} {}", log.name, stored.seq);
            assert_eq!(again.slots, stored.slots, "{} {}", log.name, stored.seq);
            assert_eq!(again.chain, stored.chain, "{} {}", log.name, stored.seq);
        }
        assert_eq!(Some(head), log.stored.last().map(|stored| stored.chain));
    }
}

#[test]
fn words_that_were_taken_out_are_gone() {
    let emptied =
        |log: &Log| log.stored.iter().flat_map(|it| &it.slots).filter(|slot| slot.is_empty()).count();
    assert!(logs().iter().map(emptied).sum::<usize>() > 0, "the corpus has an emptied slot");
}

/// What a log makes: the document's file, and what is to be in it.
fn documents(name: &str) -> [(PathBuf, String); 2] {
    let log = read(tests(&format!("corpus/v0/{name}.jsonl")));
    let runbook = Runbook::from_toml(&fs::read_to_string(tests("corpus/v0/runbook.toml")).unwrap()).unwrap();
    let (incident, head) = fold(log.id(), &log.stored).unwrap();
    let document = PostMortem::write(&incident, &log.records(), &runbook).with_head(head);
    [("md", document.to_markdown()), ("json", document.to_json())]
        .map(|(ending, text)| (tests(&format!("documents/{name}.{ending}")), text))
}

#[test]
#[ignore = "writes the documents"]
fn write_documents() {
    for (path, text) in DOCUMENTED.into_iter().flat_map(documents) {
        fs::write(path, text).unwrap();
    }
}

#[test]
fn a_log_makes_the_same_document_to_the_byte() {
    for name in DOCUMENTED {
        assert_eq!(documents(name), documents(name), "{name}");
        for (path, now) in documents(name) {
            let then = fs::read_to_string(&path).unwrap_or_default();
            let differs = now.lines().zip(then.lines()).position(|(now, then)| now != then);
            assert!(now == then, "{}: it differs from line {differs:?} (from 0) on", path.display());
        }
    }
}
