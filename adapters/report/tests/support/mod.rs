//! What the tests have in common.

#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test uses its part")]

pub mod aftermath;
pub mod driver;
pub mod incidents;
