//! A storm of alerts: who sends them, who takes them in, and where the notices arrive.

pub mod alertmanager;
pub mod alerts;
pub mod endpoint;
pub mod sender;
pub mod sink;

use std::net::SocketAddr;
use std::time::Duration;

use incident_core::runbook::Runbook;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::machine;
use alertmanager::Alertmanager;
use alerts::Shape;
use endpoint::Served;
use sender::Sender;
use sink::Sink;

/// Who takes the alerts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The engine behind an HTTP endpoint, on SQLite; each group is an incident, however many come.
    Ours,
    /// The same with the default runbook, which gathers the groups of a storm in one incident.
    Gathering,
    /// The endpoint alone: it reads each POST and takes nothing in.
    Endpoint,
    /// Debian's Alertmanager, in memory.
    Alertmanager,
}

/// The process that takes the alerts in. It ends with this.
#[derive(Debug)]
pub enum Taker {
    /// Ours, and the folder with its database.
    Ours(Served, TempDir),
    /// The other.
    Alertmanager(Alertmanager),
}

/// What a storm came to.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// From the first POST to the last answer.
    pub accepting: Duration,
    /// From the first POST to the last group's notice.
    pub told: Duration,
    /// CPU of the process.
    pub cpu: Duration,
    /// The most memory it held, in bytes.
    pub peak: u64,
    /// The notices that didn't come in time.
    pub missing: usize,
}

impl Who {
    /// Starts it; its notices go to `sink`.
    ///
    /// # Errors
    /// Why it can't be started.
    pub async fn start(self, sink: SocketAddr) -> Result<Taker, String> {
        match self {
            Self::Ours | Self::Gathering | Self::Endpoint => {
                let folder = TempDir::new().map_err(|error| error.to_string())?;
                let served = Served::start(&folder.path().join("incidents.db"), sink, self)?;
                Ok(Taker::Ours(served, folder))
            }
            Self::Alertmanager => Ok(Taker::Alertmanager(Alertmanager::start(sink).await?)),
        }
    }

    /// The notices that so many groups lead to: of each incident the runbook pages those on call and tells the team.
    #[must_use]
    pub fn notices(self, groups: usize) -> usize {
        let own = usize::try_from(Runbook::default().signals.storm.incidents).unwrap_or(usize::MAX);
        match self {
            Self::Ours => 2 * groups,
            Self::Gathering => 2 * groups.min(own + 1),
            Self::Endpoint => 0,
            Self::Alertmanager => groups,
        }
    }

    /// How it is called where it is started.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Gathering => "gathering",
            Self::Endpoint => "endpoint",
            Self::Alertmanager => "alertmanager",
        }
    }

    /// Who is called so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Ours, Self::Gathering, Self::Endpoint, Self::Alertmanager]
            .into_iter()
            .find(|who| who.name() == name)
    }
}

impl Taker {
    /// Where it takes alerts in.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Ours(served, _) => served.address(),
            Self::Alertmanager(it) => it.address(),
        }
    }

    /// Its process.
    #[must_use]
    pub fn process(&self) -> u32 {
        match self {
            Self::Ours(served, _) => served.process(),
            Self::Alertmanager(it) => it.process(),
        }
    }
}

/// Lets a storm break over a process of its own.
///
/// # Errors
/// Why it can't be.
pub async fn storm(who: Who, shape: &Shape, patience: Duration) -> Result<Outcome, String> {
    let sink = Sink::start().await;
    let taker = who.start(sink.address()).await?;
    let sender = Sender::connect(taker.address(), shape.connections).await?;
    let bodies = shape.bodies(who);
    let cpu = machine::cpu(Some(taker.process()));
    let begun = Instant::now();
    sender.send(bodies).await?;
    let accepting = begun.elapsed();
    let expected = who.notices(shape.groups);
    let last = sink.until(expected, begun + patience).await;
    Ok(Outcome {
        accepting,
        told: last.duration_since(begun),
        cpu: machine::cpu(Some(taker.process())).saturating_sub(cpu),
        peak: machine::peak(Some(taker.process())),
        missing: expected.saturating_sub(sink.count()),
    })
}
