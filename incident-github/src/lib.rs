//! GitHub for [`incident_core`]: an incident's ticket that stays truthful and is never opened twice, an issue for each
//! follow-up, and what was merged and released just before.
//!
//! One `type = "github"` backend is one account and one repository for tickets. Its ports share one client and one budget
//! of what may be written, so that a storm of updates doesn't get the account blocked.
//!
//! - [`GithubTracker`] keeps tickets and follow-ups as issues.
//! - [`GithubCollector`] takes down recent commits, merges, releases, deployments and workflow runs; [`candidates`] makes
//!   hypotheses of them.
//! - [`TicketEvent`] reads webhooks, checked with [`verify_signature`]: what people do on GitHub becomes commands.
//!
//! # In code, around a client of your own
//! ```
//! use incident_github::{ChangesConfig, GithubBackend, GithubConfig};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! # let client = octocrab::OctocrabBuilder::new_empty()
//! #     .with_service(tower::service_fn(|_: http::Request<octocrab::OctoBody>| async {
//! #         Ok::<_, std::convert::Infallible>(http::Response::new(http_body_util::Empty::<hyper::body::Bytes>::new()))
//! #     }))
//! #     .with_auth(octocrab::AuthState::None)
//! #     .build()?;
//! // client: your Octocrab, with RetryConfig::None: the engine retries, and looks before it does.
//! let mut config = GithubConfig::new("acme/shop");
//! config.changes = Some(ChangesConfig::new(["acme/shop", "acme/infra"]));
//! let ports = GithubBackend::with_client(config, client)?.into_ports();
//! assert!(ports.tracker.is_some() && ports.collector.is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Guarantees
//! - A write is sent once. Nothing is retried; of redirects only a read's is followed, and never to another host.
//! - Each call has a connect deadline and a total one, which ends before the engine's own. At most 32 MiB of an answer are
//!   read.
//! - At most 80 writes a minute and 500 an hour, a second apart, over all ports and incidents of a backend. What finds no
//!   place in time wasn't sent, and the error says how long to wait.
//! - No token and nothing of GitHub's own words is in an error or a `Debug` output.
//!
//! # Caveats
//! GitHub has neither idempotency keys nor conditional writes. What may have been written is looked for, and what lists
//! don't show in time can't be told; see [`GithubTracker`].

mod backend;
mod budget;
mod call;
mod client;
mod collector;
mod config;
mod error;
mod intake;
mod label;
mod limit;
mod marker;
mod reference;
mod signature;
mod status;
mod text;
mod tracker;

pub use backend::GithubBackend;
pub use collector::{GithubCollector, candidates};
pub use config::{AppConfig, ChangesConfig, ContentConfig, GithubConfig, LabelConfig};
pub use intake::{Happening, IntakeError, TicketEvent};
pub use signature::{SignatureError, verify_signature};
pub use tracker::GithubTracker;

/// Keeps this crate in the program, so that `type = "github"` is known to the settings.
///
/// A crate that is only a dependency and never named in code is dropped by the linker, and its configuration type with
/// it. Calling this, or `use incident_github as _;`, prevents that.
pub fn register() {}

/// The program in README.md, which has to compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
