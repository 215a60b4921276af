//! What people read after an incident, made from [`incident_core`]'s public data alone.
//!
//! - [`post_mortem_html`] and [`timeline_svg`] – one incident as a page, and as a picture.
//! - [`Insights`] and [`insights_html`] – how a team is doing over the incidents of a [`History`].
//! - [`Invitation`] – the review meeting for people's calendars.
//! - [`csv()`], [`PastIncident`], [`cloud_events`], [`ocsf`] – incidents for other programs; [`Import`] – incidents from them.
//! - `templates` (feature `templates`) – a team's own texts.
//!
//! Nothing here reads a clock or the network, and the same log gives the same bytes. Only [`History::load`] and
//! [`Import::commit`] ask a store, and only templates are read from a folder, which they are given.

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
