//! Stores that need nothing but this crate.

mod memory;

pub use memory::MemoryStore;
