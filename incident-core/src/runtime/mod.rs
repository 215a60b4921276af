//! The engine: takes commands, does what is due, and calls the adapters.

mod audit;
mod batch;
mod builder;
mod calls;
mod check;
mod clock;
mod engine;
mod error;
mod events;
mod evidence;
mod handle;
mod heard;
mod intake;
mod kept;
mod lane;
mod look;
mod pass;
mod places;
mod queue;
mod registry;
mod run;
mod storm;
mod tick;
mod timekeeper;
mod work;

pub use audit::{Audit, AuditFinding, AuditProblem, Health, PreflightReport};
pub use builder::{BuildError, EngineBuilder};
pub use clock::{ManualClock, SeededEntropy, SystemClock, SystemEntropy};
pub use engine::Engine;
pub use error::CommandError;
pub use handle::{Done, IncidentHandle};
pub use intake::Intake;
pub use tick::Tick;
