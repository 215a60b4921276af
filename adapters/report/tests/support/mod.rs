//! The incidents that are reported on, and their pages.

#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

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
