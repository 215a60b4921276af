//! What people read after an incident, made from [`incident_core`]'s public data alone.
//!
//! Nothing here reads a clock, a file or the network: every function is pure, and the same log gives the same bytes.

mod html;
mod svg;

pub use html::post_mortem_html;
pub use svg::timeline_svg;
