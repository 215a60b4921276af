//! Public suites that an implementation of a port is held to: ours and yours run the same ones.
//!
//! Each suite checks what the port's *Behaviour* lists promise, a named case for each promise, and says of a case that
//! fails which promise is broken and how.

pub mod backend;
pub mod evidence;
pub mod fake;
mod log;
pub mod mitigator;
pub mod notifier;
pub mod probe;
pub mod store;
pub mod tracker;

use std::fmt;

/// A promise that an implementation doesn't keep.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Broken {
    /// The case that found out.
    pub case: &'static str,
    /// The promise, in a sentence.
    pub promise: &'static str,
    /// What was seen instead.
    pub how: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: broken promise: {}\n  how: {}", self.case, self.promise, self.how)
    }
}

impl std::error::Error for Broken {}
