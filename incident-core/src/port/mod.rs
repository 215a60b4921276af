//! The traits that backends implement, and what they are handed. Traits and data only.
//!
//! An adapter implements [`Adapter`] and one or more of [`Notifier`], [`Tracker`], [`Mitigator`], [`Probe`] and
//! [`Collector`]. Each method's *Behaviour* list is its contract; the suites in `conformance` check it.

mod adapter;
mod clock;
mod collector;
mod context;
mod error;
mod evidence;
mod mitigator;
mod notifier;
mod probe;
pub mod store;
mod tracker;

pub use adapter::{Adapter, Capabilities, Found, Preflight, PreflightCheck, Repeat};
pub use clock::{Clock, Entropy};
pub use collector::{Capture, Collector};
pub use context::{EffectContext, Onset, PreflightContext, ReadContext};
pub use error::{AdapterError, Applied, ErrorKind, Retry};
pub use evidence::EvidenceStore;
pub use mitigator::Mitigator;
pub use notifier::Notifier;
pub use probe::{Colour, Probe, Reading};
pub use store::Store;
pub use tracker::Tracker;
