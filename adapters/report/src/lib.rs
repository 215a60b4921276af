//! What people read after an incident, made from [`incident_core`]'s public data alone.
//!
//! - [`post_mortem_html`] and [`timeline_svg`] – one incident as a page that needs nothing besides itself, and as a picture.
//! - [`Insights`] and [`insights_html`] – how a team is doing over the incidents of a [`History`].
//! - [`Invitation`] – the review meeting for people's calendars.
//! - [`csv()`], [`PastIncident`], [`cloud_events`], [`ocsf`] – incidents for other programs; [`Import`] – incidents from them.
//! - `templates` (feature `templates`) – a team's own texts.
//!
//! ```
//! use incident_core::log::incident::Incident;
//! use incident_core::model::id::IncidentId;
//! use incident_core::model::time::Time;
//! use incident_core::runbook::Runbook;
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
//! - Nothing here reads a clock or the network, and the same log gives the same bytes. Only [`History::load`] and
//!   [`Import::commit`] ask a store, and only templates are read from a folder, which they are given.
//! - Whatever people, alerts and backends wrote stays text; a link is one only if it leads to `http` or `https`.
//!
//! # What it is not
//! It isn't a document of its own: what is said is [`incident_core::postmortem`]'s, and this only shows it.

mod exchange;
mod history;
mod html;
mod insights;
mod invitation;
mod on_lines;
mod svg;
#[cfg(feature = "templates")]
pub mod templates;

pub use exchange::{
    CloudEventsError, Import, ImportError, Imported, Importing, PastAction, PastIncident, PastNote,
    cloud_events, csv, ocsf,
};
pub use history::{History, Past};
pub use html::post_mortem_html;
pub use insights::{
    Causes, Figure, FollowUps, Group, Insights, Keeping, LeftOut, Month, Period, Repeat, Trend, insights_html,
};
pub use invitation::{EMAIL, Invitation, InvitationError, Invitee};
pub use svg::timeline_svg;
