//! What the tests have in common.

#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its part, and fails by panicking")]

pub(crate) mod driver;

use std::path::Path;

use incident_core::PostMortem;
use incident_report::post_mortem_html;
use incident_report_testing::Log;

/// The post-mortem of what `log` tells.
pub(crate) fn page(log: &Log) -> String {
    let document = PostMortem::write(&log.incident, &log.records, &log.runbook).with_head(log.head);
    post_mortem_html(&document, &log.incident, &log.records)
}

/// What is different from the file in `golden/`. One that isn't there is written, and complained of this once.
pub(crate) fn differs(name: &str, printed: &str) -> Option<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let Ok(golden) = std::fs::read_to_string(&file) else {
        std::fs::write(&file, printed).unwrap();
        return Some(format!("{name} is new: look at it, and run the test again"));
    };
    let differing = golden.lines().zip(printed.lines()).zip(1..).find(|((one, other), _)| one != other);
    let whole = || (golden != printed).then(|| format!("{name} has another end"));
    differing.map(|((was, is), line)| format!("{name}:{line}\n  was {was}\n  is  {is}")).or_else(whole)
}

/// That something is printed as it was.
pub(crate) fn as_it_was(name: &str, printed: &str) {
    assert_eq!(differs(name, printed), None);
}
