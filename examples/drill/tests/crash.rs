//! Kills the real drill at more than fifty points and goes on with it each time: nothing is lost, nothing done twice.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking, and documents itself by its name"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use incident_core::log::chain;
use incident_core::log::event::{Fact, Record};
use incident_core::model::effect::{Outcome, Work};
use incident_core::model::id::{IncidentId, Seq};
use incident_core::port::Store;
use incident_core::port::store::Query;
use incident_sqlite::SqliteStore;

/// When to kill: once a line says this, or after so many lines.
#[derive(Debug, Clone, Copy)]
enum Kill {
    At(&'static str),
    After(usize),
}

/// Each row is one drill, killed at each of these points, one after the other.
const DRILLS: [&[Kill]; 10] = [
    &[
        Kill::At("turned on"),
        Kill::At("Declared"),
        Kill::At("acknowledged"),
        Kill::At("Detection → Triage"),
        Kill::After(3),
    ],
    &[
        Kill::At("Impact"),
        Kill::At("Triage → Comm"),
        Kill::At("Comm"),
        Kill::At("Hypothesis (recent"),
        Kill::After(2),
    ],
    &[
        Kill::At("Update: The new"),
        Kill::At("Investigation → Res"),
        Kill::At("Proposed"),
        Kill::At("Plan "),
        Kill::At("approved"),
    ],
    &[
        Kill::At("Ordered"),
        Kill::At("Carried out"),
        Kill::At("Holds"),
        Kill::At("is the cause"),
        Kill::At("is not the cause"),
    ],
    &[
        Kill::At("Resolution → Rec"),
        Kill::At("vouches"),
        Kill::At("The new pricing is off"),
        Kill::At("alert resolved"),
        Kill::After(1),
    ],
    &[
        Kill::At("Recovery → Post"),
        Kill::At("Resolved"),
        Kill::At("Permanent fix"),
        Kill::At("Action item (prevent"),
        Kill::At("Action item (detect"),
    ],
    &[
        Kill::At("Cause "),
        Kill::At("in review"),
        Kill::At("Post-mortem published"),
        Kill::At("meeting held"),
        Kill::At("Closed"),
        Kill::After(0),
        Kill::After(1),
    ],
    &[
        Kill::After(0),
        Kill::After(1),
        Kill::After(2),
        Kill::After(4),
        Kill::After(7),
        Kill::After(11),
        Kill::After(16),
    ],
    &[
        Kill::After(9),
        Kill::After(13),
        Kill::After(17),
        Kill::After(19),
        Kill::After(21),
        Kill::After(25),
        Kill::After(5),
    ],
    &[
        Kill::After(14),
        Kill::After(15),
        Kill::After(16),
        Kill::After(18),
        Kill::After(20),
        Kill::After(22),
        Kill::After(24),
    ],
];

#[test]
fn the_points_are_fifty_at_least() {
    assert!(DRILLS.iter().map(|points| points.len()).sum::<usize>() >= 50);
}

#[test]
fn a_killed_drill_goes_on_and_loses_and_repeats_nothing() {
    let drill = |points: &'static [Kill]| {
        std::thread::spawn(move || {
            let folder = tempfile::tempdir().unwrap();
            let dir = folder.path().join("run");
            let killed =
                points.iter().enumerate().filter(|(at, kill)| play(&dir, *at > 0, Some(**kill))).count();
            play(&dir, true, None);
            check(&dir);
            killed
        })
    };
    // Two at a time, as many as the smallest machine has cores.
    let killed: usize = DRILLS
        .chunks(2)
        .flat_map(|pair| {
            let threads: Vec<_> = pair.iter().map(|points| drill(points)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        })
        .sum();
    assert!(killed >= 50, "only {killed} kills came before the drill was through");
}

/// Runs the drill until it is killed or through; says whether it was killed.
fn play(dir: &Path, resume: bool, kill: Option<Kill>) -> bool {
    // Killed before there was a database, there is nothing to go on with.
    let resume = resume && dir.join("incidents.db").exists();
    let mut command = Command::new(env!("CARGO_BIN_EXE_drill"));
    command.args(["--pace", "fast", "--dir"]).arg(dir).args(resume.then_some("--resume"));
    let mut child: Child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        said.push(line.unwrap());
        let now = match kill {
            Some(Kill::At(words)) => said.last().unwrap().contains(words),
            Some(Kill::After(lines)) => said.len() > lines,
            None => false,
        };
        if now {
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
    }
    let status = child.wait().unwrap();
    assert!(status.success(), "{kill:?}: {status}\n{}", said.join("\n"));
    assert!(said.iter().any(|line| line.contains("audit: clean")), "{}", said.join("\n"));
    false
}

fn check(dir: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (id, records) = runtime.block_on(log(&dir.join("incidents.db")));
    every_notice_came(id, &records, &std::fs::read_to_string(dir.join("notices.jsonl")).unwrap());
    one_execution(&std::fs::read_to_string(dir.join("shop-changes.json")).unwrap());
    let closed = records.iter().filter(|record| matches!(record.fact, Fact::Closed(_))).count();
    assert_eq!(closed, 1, "it is closed once");
    let report = std::fs::read_to_string(dir.join("report.md")).unwrap();
    assert!(report.contains("closed") && report.contains("Root cause"), "{report}");
    let files = std::fs::read_dir(dir.join("tickets")).unwrap().map(|entry| entry.unwrap().path());
    let tickets = files.filter(|path| path.extension().is_some_and(|it| it == "md")).count();
    assert_eq!(tickets, 3, "one ticket, and one for each action item");
}

async fn log(database: &Path) -> (IncidentId, Vec<Record>) {
    let store = SqliteStore::open(database).unwrap();
    let rows = store.list(&Query::all()).await.unwrap().rows;
    assert_eq!(rows.len(), 1, "one incident");
    let log = store.load(rows[0].id, Seq::ZERO).await.unwrap();
    chain::verify(rows[0].id, &log, None).unwrap();
    (rows[0].id, log.iter().map(|stored| chain::decode(stored).unwrap()).collect())
}

/// Every notice that was planned is in the record once, or was made pointless by something later.
fn every_notice_came(id: IncidentId, records: &[Record], delivered: &str) {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for line in delivered.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok()) {
        *times.entry(line["effect"].as_str().unwrap().to_owned()).or_default() += 1;
        assert_eq!(line["drill"], true);
    }
    for record in records {
        let Fact::EffectPlanned(planned) = &record.fact else { continue };
        let outcome = records.iter().find_map(|later| match &later.fact {
            Fact::EffectSettled(settled) if settled.effect == record.seq => Some(&settled.outcome),
            _ => None,
        });
        let Work::Notify(notify) = &planned.work else { continue };
        let count = times.get(&format!("{id}-{}", record.seq.0)).copied().unwrap_or(0);
        match outcome {
            Some(Outcome::Done(_)) => {
                assert_eq!(count, 1, "{} of {} came {count} times", notify.kind, record.seq);
            }
            Some(Outcome::Superseded { .. } | Outcome::Expired) => assert!(count <= 1),
            other => panic!("{} of {} ended as {other:?}", notify.kind, record.seq),
        }
    }
}

/// The shop's own record of its flag: turned on to break it, and off once, by one effect.
fn one_execution(changes: &str) {
    let changes: serde_json::Value = serde_json::from_str(changes).unwrap();
    let changes = changes["changes"].as_array().unwrap();
    let by_effect = changes.iter().filter(|change| change["effect"].is_string()).count();
    assert_eq!(by_effect, 1, "{changes:?}");
    assert_eq!(changes.last().unwrap()["value"], false);
}
