//! What the domain promises, held on its public interface alone.
//!
//! `scenario` plays an incident and checks, after every step, what must hold always; the other modules are tables of
//! cases, one module a subject.

#![allow(
    clippy::needless_pass_by_value,
    clippy::type_complexity,
    reason = "a scenario reads best when it hands its words over"
)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod accepted;
mod afterwards;
mod automation;
mod corpus;
mod course;
mod deadlines;
mod documents;
mod effects;
mod escalation;
mod follow_ups;
mod hostile;
mod life;
mod merge;
mod mitigations;
mod notices;
mod occurrences;
mod pages;
mod paging;
mod patience;
mod phases;
mod properties;
mod rails;
mod recovery;
mod refusals;
mod samples;
mod scenario;
mod sides;
mod signals;
mod storms;
mod text;
mod tickets;
mod timeline;
mod way_back;
mod world;
mod worse_news;
