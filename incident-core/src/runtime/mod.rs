//! The engine: takes commands, does what is due, and calls the adapters.

mod audit;
mod batch;
mod builder;
mod clock;
mod engine;
mod error;
mod events;
mod finishing;
mod handle;
mod intake;
mod kept;
mod lane;
mod look;
mod queue;
mod registry;
mod storm;
mod tick;
mod work;

pub use audit::{Audit, AuditFinding, AuditProblem, PreflightReport};
pub use builder::{BuildError, EngineBuilder};
pub use clock::{ManualClock, SeededEntropy, SystemClock, SystemEntropy};
pub use engine::Engine;
pub use error::CommandError;
pub use handle::{Done, IncidentHandle};
pub use intake::Intake;
pub use tick::Tick;
