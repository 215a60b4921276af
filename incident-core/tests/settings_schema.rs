//! The published schema of the settings, `docs/settings.schema.json`, is that of the code.

#![cfg(feature = "schema")]
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::path::PathBuf;

use incident_core::config::Settings;

fn published() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "docs", "settings.schema.json"].iter().collect()
}

fn current() -> String {
    format!("{:#}\n", Settings::json_schema())
}

#[test]
fn the_published_schema_is_current() {
    let published = fs::read_to_string(published()).unwrap().replace("\r\n", "\n");
    let hint = "run `cargo test -p incident-core --test settings_schema -- --ignored`";
    assert!(published == current(), "docs/settings.schema.json is out of date: {hint}");
}

#[test]
#[ignore = "writes the schema"]
fn write() {
    fs::create_dir_all(published().parent().unwrap()).unwrap();
    fs::write(published(), current()).unwrap();
}
