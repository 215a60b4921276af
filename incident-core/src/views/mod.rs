//! What people read of an incident: the timeline, notices with their texts, redaction, response times, next steps.

pub mod metrics;
pub mod next;
pub mod redact;
pub mod render;
pub mod timeline;
