//! A short run of each fuzz target: every seed, and changes of it that are the same each time.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking, and documents itself by its name"
)]

#[path = "../fuzz/targets.rs"]
mod targets;

use std::fs;
use std::path::Path;

/// How many changes of each seed are tried.
const CHANGES: u64 = 1_000;

/// Numbers that look random and are the same each time (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }
}

/// What a parser is likely to stumble over.
const MORSELS: [&[u8]; 14] = [
    b"\0",
    b"\n",
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b"=",
    b"-1",
    b"1e999",
    b"null",
    b"\xff\xfe",
    "\u{202e}".as_bytes(),
    b"18446744073709551616",
];

fn changed(seed: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len() + 1);
        let to = (at + numbers.below(16)).min(bytes.len());
        match numbers.below(5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            1 => drop(bytes.drain(at..to)),
            2 => drop(bytes.splice(at..at, MORSELS[numbers.below(MORSELS.len())].iter().copied())),
            3 => bytes.extend_from_within(at..to),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

fn run(name: &str, target: fn(&[u8]) -> bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
    let mut seeds: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{name} has seeds");
    for seed in seeds {
        let bytes = fs::read(&seed).unwrap();
        let wrong = seed.file_stem().is_some_and(|name| name == "wrong");
        assert_eq!(target(&bytes), !wrong, "{}", seed.display());
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        for _ in 0..CHANGES {
            target(&changed(&bytes, &mut numbers));
        }
    }
}

#[test]
fn any_bytes_are_a_record_or_a_reason() {
    run("event", targets::event);
}

#[test]
fn any_text_is_a_runbook_or_a_reason() {
    run("runbook", targets::runbook);
}

#[test]
fn any_text_is_settings_or_a_reason() {
    run("settings", targets::settings);
}

#[test]
fn any_alerts_are_taken_in_or_counted() {
    run("signals", targets::signals);
}

#[test]
fn any_text_fills_any_phrase_and_stays_text() {
    run("template", targets::template);
}
