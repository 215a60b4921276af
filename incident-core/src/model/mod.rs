//! The vocabulary: plain data without policy.

pub mod afterwards;
pub mod append_map;
pub mod cause;
pub mod colour;
pub mod cow_map;
pub mod effect;
pub mod id;
pub mod impact;
pub mod inert;
pub mod mitigation;
pub mod notice;
pub mod obligation;
pub mod phase;
pub mod plan;
pub mod role;
pub mod route;
pub mod severity;
pub mod side;
pub mod signal;
pub mod text;
pub mod ticket;
pub mod time;

pub use effect::Receipt;
pub use id::{CommandId, Digest, EffectId, IncidentId, Seq};
pub use notice::{Notice, NoticeKind};
pub use phase::{Phase, Status};
pub use role::{Actor, Identity, Person, PersonId, Role};
pub use severity::{Audience, Severity};
pub use side::Side;
pub use signal::{Detection, Signal};
pub use time::Time;
