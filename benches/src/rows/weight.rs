//! P13: how many crates, how long to build, how large.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::row::{Line, Row, Scale, bytes, seconds};
use crate::sample::timed;

const CRATES: usize = 45;
const LONGEST: Duration = Duration::from_secs(90);
const LARGEST: f64 = 12e6;

pub(super) fn weight(scale: Scale) -> Row {
    let mut row = Row::default().line(crates());
    if scale == Scale::Tiny {
        return row.line(Line::not_run("clean release build of `drill`", "≤ 90 s", "it takes minutes"));
    }
    let target = match TempDir::new() {
        Ok(folder) => folder,
        Err(error) => return row.line(Line::not_run("clean build", "≤ 90 s", &error.to_string())),
    };
    let mut build = cargo();
    build.args(["build", "--release", "--quiet", "-p", "incident-drill", "--bin", "drill"]);
    build.env("CARGO_TARGET_DIR", target.path()).stderr(Stdio::null());
    let (took, built) = timed(|| build.status());
    if !built.is_ok_and(|status| status.success()) {
        return row.line(Line::not_run("clean release build of `drill`", "≤ 90 s", "it doesn't build"));
    }
    let size = fs::metadata(target.path().join("release/drill")).map_or(0, |file| file.len()) as f64;
    let met = took <= LONGEST;
    row = row.line(Line::new(
        "clean release build of `drill`, once",
        seconds(took.as_secs_f64()),
        "≤ 90 s on 2 cores",
        met,
    ));
    let met = size > 0.0 && size <= LARGEST;
    row.line(Line::new("its size, stripped", bytes(size), "≤ 12 MB", met))
}

fn crates() -> Line {
    let mut tree = cargo();
    tree.args(["tree", "-p", "incident-core", "-e", "normal", "--prefix", "none", "--offline"]);
    let out = tree.output().map(|out| String::from_utf8_lossy(&out.stdout).into_owned()).unwrap_or_default();
    let crates: BTreeSet<&str> = out.lines().filter_map(|line| line.split(" (").next()).collect();
    if crates.is_empty() {
        return Line::not_run("crates of incident-core", "≤ 45", "cargo tells no dependencies");
    }
    let line = Line::new("crates of incident-core", crates.len().to_string(), "≤ 45", crates.len() <= CRATES);
    Line { beside: "31".to_owned(), ..line }
}

fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).stdin(Stdio::null());
    // What this run was built with must not find its way into what it builds.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_")) {
        cargo.env_remove(name);
    }
    cargo
}
