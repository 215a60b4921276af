//! The pure heart: what may happen, what it obliges to, what is due. No clock, no randomness, no I/O.

pub mod time;

pub mod afterwards;
pub mod backoff;
pub(crate) mod blameless;
pub mod calendar;
pub mod chain;
pub mod check;
pub mod command;
pub mod completeness;
pub mod context;
pub mod decide;
pub mod due;
pub mod effect;
pub mod event;
pub mod evolve;
pub mod figures;
pub mod gate;
pub mod id;
pub mod impact;
pub mod incident;
pub mod index;
pub mod inert;
pub(crate) mod judge;
pub mod ledger;
pub mod metrics;
pub mod mitigation;
pub mod next;
pub mod notice;
pub mod obligation;
mod owe;
pub mod phase;
pub mod plan;
pub mod redact;
pub mod render;
pub mod role;
pub mod runbook;
pub mod severity;
pub mod shared_map;
pub mod signal;
#[cfg(test)]
pub(crate) mod test_driver;
pub mod text;
pub mod ticket;
pub mod timeline;
pub mod triage;

pub use effect::Receipt;
pub use id::{CommandId, Digest, EffectId, IncidentId, Seq};
pub use incident::Side;
pub use notice::{Notice, NoticeKind};
pub use phase::{Phase, Status};
pub use role::{Actor, Identity, Person, PersonId, Role};
pub use runbook::Runbook;
pub use severity::{Audience, Severity};
pub use signal::{Detection, Signal};
pub use time::Time;
