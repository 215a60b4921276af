//! The suites for adapters notice what they should: each wrong adapter is caught, and its defect is named.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking, and documents itself by its name"
)]

mod evidence;
mod line;
mod local;
mod mitigators;
mod notifiers;
mod probes;
mod trackers;

use std::fmt::Debug;

use incident_core::conformance::backend::Report;

/// What the adapters are given, and must show nowhere.
const SECRET: &str = "sesame-open-4711";

/// That the suite's `case` caught `wrong`, and said so in these words.
fn caught(report: &Report, wrong: impl Debug, case: &str, names: &str) {
    let found = report.broken.iter().find(|broken| broken.case == case);
    let found = found.unwrap_or_else(|| panic!("{wrong:?} isn't caught by {case}: {report}"));
    assert!(found.how.contains(names), "{wrong:?}: {found}");
}
