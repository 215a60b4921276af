//! The rules: what may happen, what it obliges to, and what is due. Pure functions without clock, randomness or I/O.

pub mod backoff;
pub(crate) mod blameless;
pub mod command;
pub mod completeness;
pub(crate) mod consequences;
pub mod context;
pub mod decide;
pub mod due;
pub mod gate;
pub(crate) mod handlers;
#[cfg(test)]
pub(crate) mod test_driver;
