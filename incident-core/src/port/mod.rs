//! The traits that backends implement, and what they are handed. Traits and data only.

pub mod store;
