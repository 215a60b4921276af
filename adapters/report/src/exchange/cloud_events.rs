//! The records of an incident as CloudEvents 1.0 in JSON, one a line.

use incident_core::log::event::{Fact, Record};
use incident_core::model::side::Side;
use incident_core::views::timeline::timeline;
use serde_json::json;

use crate::history::Past;

/// What types of events begin with; the kind of the record follows, as it is spelled in the log.
const TYPE: &str = "io.github.incident-rs.";

/// Each record of an incident as a CloudEvent, one a line, in the order of the log.
///
/// `source` and the incident's id are the event's source, the record's number is its id, so the two are unique together
/// and a receiver can drop what it has seen. `data` has the line of the timeline as plain text, and the fact itself,
/// in which texts are named by their digests.
///
/// # Errors
/// [`CloudEventsError`] if `source` is no URI.
pub fn cloud_events(past: &Past, source: &str) -> Result<String, CloudEventsError> {
    let plain =
        source.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\'));
    if source.is_empty() || !plain || source.contains(['?', '#']) {
        return Err(CloudEventsError);
    }
    let Past { incident, records } = past;
    let source = format!("{}/incidents/{}", source.trim_end_matches('/'), incident.id);
    let mut lines = timeline(incident, records);
    lines.sort_by_key(|line| line.seq);
    let events = records.iter().zip(lines).map(|(record, line)| {
        let event = json!({
            "specversion": "1.0",
            "id": record.seq.0.to_string(),
            "source": source,
            "type": format!("{TYPE}{}", kind(&record.fact)),
            "subject": incident.id,
            "time": record.occurred_at,
            "datacontenttype": "application/json",
            "data": data(past, record, &plain_words(&line.what)),
        });
        format!("{event}\n")
    });
    Ok(events.collect())
}

/// The words of a line as people wrote them: there is no mention that JSON could make, so nothing parts `@` from its word.
fn plain_words(line: &str) -> String {
    line.replace("@\u{200b}", "@")
}

fn data(past: &Past, record: &Record, what: &str) -> serde_json::Value {
    let fact = serde_json::to_value(&record.fact).unwrap_or_default();
    let fact = fact.as_object().and_then(|it| it.values().next()).cloned().unwrap_or_default();
    json!({
        "drill": past.incident.side == Side::Drill,
        "recorded_at": record.recorded_at,
        "actor": record.actor.to_string(),
        "origin": record.origin.source,
        "what": what,
        "fact": fact,
    })
}

/// The kind of a fact as the log spells it: the one key of its object.
fn kind(fact: &Fact) -> String {
    let spelled = serde_json::to_value(fact).unwrap_or_default();
    spelled.as_object().and_then(|it| it.keys().next()).cloned().unwrap_or_else(|| fact.kind().to_owned())
}

/// A source that is no URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("source: expected a URI without query and fragment, such as https://incidents.example.org")]
pub struct CloudEventsError;
