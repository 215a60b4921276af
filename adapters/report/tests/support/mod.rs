//! The page of an incident.

use incident_core::PostMortem;
use incident_report::post_mortem_html;
use incident_report_testing::Log;

/// The post-mortem of what `log` tells.
pub(crate) fn page(log: &Log) -> String {
    let document = PostMortem::write(&log.incident, &log.records, &log.runbook).with_head(log.head);
    post_mortem_html(&document, &log.incident, &log.records)
}
