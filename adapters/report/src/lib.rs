//! What people read after an incident, made from [`incident_core`]'s public data alone.
//!
//! - [`post_mortem_html`] – the post-mortem as one page that needs nothing besides itself.
//! - [`timeline_svg`] – the incident as a picture.
//!
//! ```
//! use incident_core::domain::incident::Incident;
//! use incident_core::domain::{IncidentId, Runbook, Time};
//! use incident_core::PostMortem;
//! use incident_report::post_mortem_html;
//!
//! # let id = IncidentId::new(Time::UNIX_EPOCH, [0; 16]);
//! # let (incident, records) = (Incident::blank(id), Vec::new());
//! // let (incident, records) = (handle.state().await?, handle.records().await?);
//! let document = PostMortem::write(&incident, &records, &Runbook::default());
//! let page = post_mortem_html(&document, &incident, &records);
//! assert!(page.starts_with("<!DOCTYPE html>"));
//! ```
//!
//! # Guarantees
//! - Nothing here reads a clock, a file or the network: every function is pure, total, and the same input gives the same
//!   bytes.
//! - Whatever people, alerts and backends wrote stays text; a link is one only if it leads to `http` or `https`.
//!
//! # What it is not
//! It isn't a document of its own: what is said is [`incident_core::postmortem`]'s, and this only shows it.

mod html;
mod on_lines;
mod svg;

pub use html::post_mortem_html;
pub use svg::timeline_svg;
