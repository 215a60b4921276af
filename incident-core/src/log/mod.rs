//! What happened: records and facts, the hash chain over them, the fold to an incident's state, and the index row.

pub mod append_map;
pub mod chain;
pub mod check;
pub mod cow_map;
pub mod event;
pub mod fold;
pub mod incident;
pub mod index;
pub mod mitigation;
pub mod storm;

pub use incident::Incident;
