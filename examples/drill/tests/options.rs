//! What the options promise: the reader's own settings, being asked, and going on with the newest drill.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking, and documents itself by its name"
)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs the drill in `folder` to its end, with `answers` as what is typed.
fn drill(folder: &Path, args: &[&str], answers: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_drill"))
        .args(["--pace", "fast"])
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut typed = child.stdin.take().unwrap();
    // It may end before it has read everything.
    let _ = typed.write_all(answers.as_bytes());
    drop(typed);
    child.wait_with_output().unwrap()
}

fn said(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

#[test]
fn the_readers_own_settings_say_where_everything_goes() {
    let folder = tempfile::tempdir().unwrap();
    let sample = include_str!("../settings.toml");
    std::fs::write(folder.path().join("settings.toml"), sample).unwrap();
    let output = drill(folder.path(), &["--config", "settings.toml"], "");
    assert!(output.status.success(), "{}", said(&output.stderr));
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(read("pager.txt").contains("Acknowledge within"), "{}", read("pager.txt"));
    assert!(read("room.txt").contains("resolved") && !read("room.txt").contains("Acknowledge within"));
    let files = std::fs::read_dir(folder.path().join("board")).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(files.filter(|file| file.extension().is_some_and(|it| it == "md")).count(), 3);
    assert!(!folder.path().join("drill-run-1/notices.txt").exists(), "nothing goes elsewhere");
}

#[test]
fn wrong_settings_are_refused_by_name_before_anything_is_made() {
    let sample = include_str!("../settings.toml");
    for (right, wrong, names) in [
        ("type = \"folder\"", "type = \"carrier-pigeon\"", "drill.adapters.board.type"),
        ("tracker = \"board\"", "tracer = \"board\"", "tracer"),
        ("path = \"board\"", "path = 7", "path"),
        ("adapter = \"pager\"", "adapter = \"paper\"", "drill.routes[0].adapter"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("settings.toml"), sample.replace(right, wrong)).unwrap();
        let output = drill(folder.path(), &["--config", "settings.toml"], "");
        let error = said(&output.stderr);
        assert!(!output.status.success() && error.contains(names), "{names}: {error}");
        assert!(!folder.path().join("drill-run-1/incidents.db").exists(), "{names}");
    }
}

#[test]
fn whoever_is_asked_may_say_no_first_and_go_on_later() {
    let folder = tempfile::tempdir().unwrap();
    let output = drill(folder.path(), &["--interactive"], "n\ny\ny\n");
    let (out, error) = (said(&output.stdout), said(&output.stderr));
    assert!(!output.status.success() && error.contains("go on with --resume"), "{out}{error}");
    assert_eq!(out.matches("acknowledge the incident? [Y/n]").count(), 2, "asked again after a no: {out}");

    let output = drill(folder.path(), &["--resume", "--interactive"], &"\n".repeat(200));
    let out = said(&output.stdout);
    assert!(output.status.success(), "{out}{}", said(&output.stderr));
    assert!(out.contains("audit: clean") && !out.contains("acknowledge the incident?"), "{out}");
}

#[test]
fn the_newest_drill_is_the_one_to_go_on_with_even_after_others_were_deleted() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["drill-run-2", "drill-run-10"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    let error = said(&drill(folder.path(), &["--resume"], "").stderr);
    assert!(error.contains("there is no drill to go on with in drill-run-10"), "{error}");
}
