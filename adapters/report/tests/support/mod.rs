//! The incidents that are reported on, and their pages.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test uses its part, and fails by panicking"
)]

use std::path::Path;

use incident_core::PostMortem;
use incident_core::domain::chain::{encode, origin};
use incident_report::post_mortem_html;
use incident_report_testing::{Driver, hostile, long, simple};

/// The name of an incident, and who plays it.
pub type Incident = (&'static str, fn() -> Driver);

pub const INCIDENTS: [Incident; 3] = [("simple", simple), ("long", long), ("hostile", hostile)];

/// The page of an incident, with the head of its chain.
pub fn page(driver: &Driver) -> String {
    let (_, head) = encode(&driver.records, origin(driver.incident.id));
    let document = PostMortem::write(&driver.incident, &driver.records, &driver.runbook).with_head(head);
    post_mortem_html(&document, &driver.incident, &driver.records)
}

/// What is different from the file in `golden/`. One that isn't there is written, and complained of this once.
pub fn differs(name: &str, printed: &str) -> Option<String> {
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
pub fn as_it_was(name: &str, printed: &str) {
    assert_eq!(differs(name, printed), None);
}
