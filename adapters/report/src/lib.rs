//! What people read after an incident, made from [`incident_core`]'s public data alone.
//!
//! Nothing here reads a clock, a file or the network: every function is pure, and the same log gives the same bytes.

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
