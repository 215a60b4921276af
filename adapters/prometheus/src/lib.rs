//! Alertmanager's webhook, version 4, and Grafana's that is made after it, as signals for [`incident_core`].
//!
//! Pure: bytes in, [`Signal`](incident_core::model::signal::Signal)s out. The HTTP endpoint is yours.
//!
//! ```
//! use incident_prometheus::Webhook;
//!
//! let body = br#"{"version":"4","status":"firing","truncatedAlerts":0,"alerts":[{"status":"firing",
//!     "labels":{"alertname":"QueueStuck","service":"orders"},"startsAt":"2026-03-01T08:15:00Z",
//!     "annotations":{"summary":"nothing taken for 5 min"},"fingerprint":"5d1c"}]}"#;
//! let webhook = Webhook::parse(body)?;
//! assert_eq!(webhook.signals[0].summary, "nothing taken for 5 min");
//! # Ok::<(), incident_prometheus::WebhookError>(())
//! ```
//!
//! # Expected flow
//! 1. The endpoint reads at most [`Limits::bytes`] of a POST and parses them.
//! 2. It hands the signals to `Engine::ingest` and waits: then they are durable.
//! 3. It answers 2xx. If the engine failed, it answers 503: Alertmanager sends again after a 5xx or no answer, and
//!    **never** after a 4xx, not even 429. A body that is no webhook will not be one next time either: that is a 400.
//!
//! # Guarantees
//! - One odd alert costs no other. What can be read of it is taken, and the rest is in its
//!   [`notes`](incident_core::model::signal::Signal::notes), which the incident's timeline shows.
//! - An alert is resolved only by an entry that says so itself. Neither the group's status nor an alert's absence
//!   resolves anything, so a group that was cut short (`max_alerts`) ends nothing that it doesn't list. An entry whose
//!   status is unknown counts as firing.
//! - Fields that aren't known pass, whatever is in them; so does any version.
//! - Time and memory are bounded by the limits, and no input makes it panic.
//! - An error or a note names the field and repeats nothing of what was sent.
//!
//! # Caveats
//! - The same alerts come again: every `repeat_interval`, after each change of their group, and from each replica of
//!   Alertmanager. `Engine::ingest` knows an occurrence by its fingerprint and start, in whatever order they come.
//! - Nothing here says who sent it. Alertmanager signs nothing: ask for a bearer token or a client certificate.
//! - The texts of a signal are as they were sent. The core makes them harmless where it shows them.

mod error;
mod limits;
mod webhook;

pub use error::WebhookError;
pub use limits::Limits;
pub use webhook::Webhook;
