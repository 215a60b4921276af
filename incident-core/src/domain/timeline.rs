//! placeholder until the timeline lands
use super::{event::Record, incident::Incident};
/// placeholder
#[must_use]
pub fn describe(_: &Incident, record: &Record) -> String {
    record.fact.kind().to_owned()
}
