//! Incidents as other programs read and write them: CSV, JSON Lines, CloudEvents, OCSF, and past incidents taken over.

mod cloud_events;
mod csv;
mod fields;
mod import;
mod ocsf;
mod past_incident;

pub use cloud_events::{CloudEventsError, cloud_events};
pub use csv::csv;
pub use import::{Import, ImportError, Imported, Importing};
pub use ocsf::ocsf;
pub use past_incident::{PastAction, PastIncident, PastNote};
