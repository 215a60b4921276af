//! What happened: records and facts, the hash chain over them, the fold to an incident's state, and the index row.

pub mod chain;
pub mod check;
pub mod event;
pub mod firing;
pub mod fold;
pub mod incident;
pub mod index;
pub mod mitigation;
pub mod storm;
pub mod wake;

pub use incident::Incident;
