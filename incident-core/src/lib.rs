//! The incident-response runbook as a library.
//!
//! Your bot, CLI or service declares an incident. From then on the library knows what is owed to whom by when – a page, an
//! update every 15 minutes, a post-mortem in some business days – pages people, keeps the ticket, carries out mitigations
//! that were approved, and writes the post-mortem. Everything it owes is recorded before it acts, so that a crash, a restart
//! or another replica takes over where it stopped.
//!
//! # A tour
//!
//! 1. Open a [store](port::Store): [`MemoryStore`](store::MemoryStore) for tests, `incident_sqlite::SqliteStore` for one
//!    machine. It holds an append-only log of records for each incident.
//! 2. Register what your notices, tickets and mitigations reach: [`Ports`] in code, or [`Settings`] from TOML. Live
//!    incidents and drills reach different adapters, always.
//! 3. Build an [`Engine`] with them, ask [`preflight`](Engine::preflight) whether all of it will work, and keep
//!    [`run`](Engine::run) going in a task. Where you can't keep a task, call [`tick`](Engine::tick) from time to time.
//! 4. [`declare`](Engine::declare) an incident, or let alerts do it through [`ingest`](Engine::ingest). The
//!    [`IncidentHandle`] has a verb for everything people do; the [`Runbook`] in force says whether they may, and a
//!    [`Refusal`] says why not.
//! 5. Read: the [`state`](IncidentHandle::state) folded from the log, the
//!    [`timeline`](views::timeline::timeline) for people, [`next`](views::next) for what to do now, the records
//!    [as they come](Engine::events), and the [`PostMortem`], which people [write into](postmortem).
//! 6. Trust, but check: [`verify`](IncidentHandle::verify) recomputes the chain over an incident's log,
//!    [`audit`](Engine::audit) finds what was forgotten, [`health`](Engine::health) is for a health endpoint.
//!
//! ```
//! use incident_core::config::Ports;
//! use incident_core::local::Console;
//! use incident_core::store::MemoryStore;
//! use incident_core::{Actor, Declare, Engine, Severity};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! let engine = Engine::builder(MemoryStore::new())
//!     .ports("chat", Ports::new().with_notifier(Console::to(std::io::sink())))
//!     .route("chat", &["responders", "team"])
//!     .build()?;
//! let incident = engine
//!     .declare(Actor::human("slack", "U1"), Declare::new("checkout fails").severity(Severity::Sev1))
//!     .await?;
//! incident.acknowledge().await?;
//! for owed in incident.state().await?.obligations.values() {
//!     println!("{} by {:?}", owed.kind, owed.due);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Layers
//!
//! Pure floors, each of which uses only those above it in this list, without clock, randomness and I/O:
//!
//! - [`model`] – the vocabulary, as plain data.
//! - [`runbook`] – the response plan as data.
//! - [`log`] – records, the hash chain over them, and the incident's state folded from them.
//! - [`rules`] – commands, what may happen, what it obliges to, what is due.
//! - [`views`] – timeline, rendering, redaction, response times, next steps.
//! - [`postmortem`] – the document that a log makes.
//!
//! And around them:
//!
//! - [`port`] – the traits that adapters and stores implement. An adapter needs the model and the ports.
//! - [`config`] – from TOML to adapters, and references to secrets.
//! - [`runtime`] – the engine, the handles, the clocks.
//! - [`store`] and [`local`] – the store in memory; console, ticket folder and evidence folder.
//! - `conformance` – the public suite that stores are held to.
//!
//! # Features
//!
//! - `runtime` (default): the engine, the memory store and the local adapters; brings tokio. Without it the
//!   floors and the ports remain, with no async runtime.
//! - `toml`: runbooks and [`Settings`] that are TOML files. Without it, both are made in code.
//! - `conformance`: the suite for authors of stores.
//! - `schema`: JSON schemas of the settings and of the post-mortem.

pub mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "runtime")]
pub mod local;
pub mod log;
pub mod model;
pub mod port;
pub mod postmortem;
pub mod rules;
pub mod runbook;
#[cfg(feature = "runtime")]
pub mod runtime;
#[cfg(feature = "runtime")]
pub mod store;
pub mod views;

pub use config::Ports;
#[cfg(feature = "toml")]
pub use config::Settings;
pub use model::{
    Actor, Audience, Identity, IncidentId, Notice, Person, PersonId, Phase, Role, Severity, Side, Signal,
    Status, Time,
};
pub use postmortem::PostMortem;
pub use rules::command::{Command, Declare, Refusal, Request};
pub use runbook::Runbook;
#[cfg(feature = "runtime")]
pub use runtime::{CommandError, Engine, EngineBuilder, IncidentHandle};

/// The programs in README.md, which have to run.
#[cfg(all(doctest, feature = "runtime", feature = "toml"))]
#[doc = include_str!("../../README.md")]
struct Readme;
