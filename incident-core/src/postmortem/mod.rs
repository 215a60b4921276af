//! The post-mortem: what an incident's log says about what happened, with its gaps named. It never says who is to blame.

mod account;
mod communication;
mod completeness;
mod document;
mod markdown;
mod sections;

pub use account::{ActionItem, Approval, Evidence, MitigationAccount, Promises};
pub use completeness::Missing;
pub use document::{PostMortem, Statement};

#[cfg(test)]
mod tests;
