//! Incidents to report on, and a browser to read the reports with.
#![allow(clippy::missing_panics_doc, reason = "a test or a measurement that can't go on is to stop")]

mod aftermath;
mod browser;
mod driver;
mod incidents;

pub use aftermath::{because, write};
pub use browser::{Browser, Tab};
pub use driver::Driver;
pub use incidents::{crowded, hostile, long, simple};
