//! The table of README.md: every row in a process of its own, one after the other.
//!
//! ```console
//! $ cargo bench -p incident-benches --bench table -- --fill           # all rows, and write README.md and growth.svg
//! $ cargo bench -p incident-benches --bench table -- --fill --resume  # only rows that haven't been measured yet
//! $ cargo bench -p incident-benches --bench table -- P1 P7            # these, to look at
//! $ cargo bench -p incident-benches --bench table -- --tiny           # all, a hundredth of the work, to see that they run
//! $ cargo bench -p incident-benches --bench table -- storm ours 50000 500 64 8   # one storm, to look at with a profiler
//! ```
#![allow(missing_docs, reason = "a program, not a library")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it prints what it measured")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use incident_benches::row::{Row, Scale};
use incident_benches::rows::{By, Entry, ROWS, hold};
use incident_benches::storm::alerts::Shape;
use incident_benches::storm::{Who, endpoint, storm};
use incident_benches::{machine, plot, runtime, table};
use tokio::time::Instant;

/// What a service that takes so much in would choose; README.md says what it gains.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// No row may take longer; the slowest needs about half of it.
const LONGEST: Duration = Duration::from_secs(600);

/// What the command line asks for.
#[derive(Default)]
struct Wanted {
    rows: Vec<&'static Entry>,
    fill: bool,
    resume: bool,
    tiny: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", database, sink, who] => {
            endpoint::serve(Path::new(database), sink, Who::named(who).expect("it is one of them"));
        }
        ["hold", file] => println!("{}", hold(Path::new(file))),
        ["storm", who, alerts, groups, per_post, connections] => {
            return one_storm(who, [alerts, groups, per_post, connections]);
        }
        ["row", id, scale] => row(id, if scale == "tiny" { Scale::Tiny } else { Scale::Full }),
        _ => return all(&wanted(&words)),
    }
    ExitCode::SUCCESS
}

/// One storm, to look at with a profiler.
fn one_storm(who: &str, numbers: [&str; 4]) -> ExitCode {
    let who = Who::named(who).expect("ours, gathering or alertmanager");
    let [alerts, groups, per_post, connections] = numbers
        .map(|number| number.parse().expect("alerts, groups, alerts a POST and connections are numbers"));
    let shape = Shape { alerts, groups, per_post, connections };
    match runtime().block_on(storm(who, &shape, Duration::from_secs(60))) {
        Ok(outcome) => println!("{outcome:#?}"),
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn wanted(words: &[&str]) -> Wanted {
    let mut wanted = Wanted::default();
    for word in words {
        match *word {
            "--fill" => wanted.fill = true,
            "--resume" => wanted.resume = true,
            "--tiny" => wanted.tiny = true,
            word => wanted.rows.extend(table::entry(word)),
        }
    }
    if wanted.rows.is_empty() {
        // As a part of `cargo bench`, what needs a program from outside stays away.
        let plain = !wanted.fill && !wanted.tiny;
        wanted.rows = ROWS.iter().filter(|entry| entry.alone || !plain).collect();
    }
    wanted
}

/// Measures one row in this process, and prints what came of it for the process that started it.
fn row(id: &str, scale: Scale) {
    let entry = table::entry(id).expect("it is a row");
    if let By::Function(measure) = entry.by {
        println!("{}", serde_json::to_string(&measure(scale)).expect("a row is JSON"));
    }
}

fn all(wanted: &Wanted) -> ExitCode {
    let machine = machine::described();
    println!("{machine}");
    let mut rows: Vec<(&Entry, Row)> = Vec::new();
    for entry in &wanted.rows {
        let kept = kept(entry, wanted.tiny);
        let known = fs::read(&kept).ok().filter(|_| wanted.resume);
        let row = known.and_then(|known| serde_json::from_slice(&known).ok()).unwrap_or_else(|| {
            let begun = Instant::now();
            let row = measured(entry, wanted.tiny);
            eprintln!("{} took {:.0?}", entry.id, begun.elapsed());
            // Kept at once: whatever becomes of the next row, this one needn't be measured again.
            let _ = fs::create_dir_all(kept.parent().expect("it is in a folder"));
            let _ = fs::write(&kept, serde_json::to_vec(&row).expect("a row is JSON"));
            row
        });
        println!(
            "{}",
            table::text(&machine, &[(*entry, row.clone())]).lines().skip(4).collect::<Vec<_>>().join("\n")
        );
        rows.push((*entry, row));
    }
    if !wanted.fill {
        return ExitCode::SUCCESS;
    }
    match write(&machine, &rows) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the table and the plot. Rows that weren't asked for are those that were measured last.
fn write(machine: &str, measured: &[(&'static Entry, Row)]) -> Result<(), String> {
    let rows: Vec<(&Entry, Row)> = ROWS
        .iter()
        .map(|entry| {
            let now =
                measured.iter().find(|(measured, _)| measured.id == entry.id).map(|(_, row)| row.clone());
            let before = || serde_json::from_slice(&fs::read(kept(entry, false)).ok()?).ok();
            let row = now.or_else(before);
            (entry, row.unwrap_or_else(|| Row::not_run("–", "–", "it wasn't asked for")))
        })
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = folder.join("README.md");
    let text = fs::read_to_string(&readme).map_err(|error| error.to_string())?;
    let filled = table::fill(&text, machine, &rows)?;
    fs::write(readme, filled).map_err(|error| error.to_string())?;
    let growth: Vec<_> = rows.into_iter().flat_map(|(_, row)| row.growth).collect();
    fs::write(folder.join("growth.svg"), plot::svg(&growth)).map_err(|error| error.to_string())
}

/// Where what came of a row is kept.
fn kept(entry: &Entry, tiny: bool) -> PathBuf {
    let scale = if tiny { "tiny" } else { "full" };
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("benches").join(scale).join(format!("{}.json", entry.id))
}

/// Measures a row in a process of its own, and ends that after a while.
fn measured(entry: &Entry, tiny: bool) -> Row {
    let mut command = match entry.by {
        By::Function(_) => {
            let mut row = Command::new(std::env::current_exe().expect("this program is a file"));
            row.args(["row", entry.id, if tiny { "tiny" } else { "full" }]);
            row
        }
        By::Cargo(arguments) => {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(arguments);
            cargo
        }
    };
    let not_run = |why: &str| Row::not_run("–", "–", why);
    let out = tempfile::tempfile().and_then(|file| Ok((file.try_clone()?, file)));
    let Ok((out, mut read)) = out else { return not_run("no file can be written") };
    let started = command.stdin(Stdio::null()).stdout(out).spawn();
    let Ok(mut child) = started else { return not_run("its process can't be started") };
    let ended = runtime().block_on(async {
        let end = Instant::now() + LONGEST;
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return status.success(),
                Ok(None) if Instant::now() < end => tokio::time::sleep(Duration::from_millis(20)).await,
                _ => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return false;
                }
            }
        }
    });
    if !ended {
        return not_run("it failed, or took longer than ten minutes");
    }
    read_row(&mut read).unwrap_or_else(|| not_run("it said nothing that is a row"))
}

fn read_row(out: &mut fs::File) -> Option<Row> {
    use std::io::{Read as _, Seek as _};
    let mut text = String::new();
    out.rewind().ok()?;
    out.read_to_string(&mut text).ok()?;
    text.lines().rev().find_map(|line| serde_json::from_str(line).ok())
}
