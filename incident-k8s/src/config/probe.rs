//! Health checks as they are written down.

use std::time::Duration;

use serde::Deserialize;

/// A health check, by its `check`.
///
/// ```
/// let probe: incident_k8s::ProbeConfig = toml::from_str(r#"
///     check = "ready"
///     workload = "deployment/checkout"
/// "#)?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "check", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProbeConfig {
    /// As many pods are ready as the workload wants – ready, not just running.
    Ready(Ready),
    /// The last change of the workload is rolled out everywhere.
    RolledOut(Ready),
    /// No container waits in a crash loop, fails to start, or restarted lately.
    NoCrashLoops(Restarts),
    /// The service has at least one pod that takes traffic.
    Endpoints {
        /// The service's name, or `namespace/service/name`.
        service: String,
        /// How many at least; 1 unless set.
        #[serde(default = "one")]
        at_least: u32,
    },
    /// All pods of the workload together log at most so many lines of errors a minute.
    ErrorLines(ErrorLines),
}

/// The workload to look at.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Ready {
    /// The workload, such as `deployment/checkout`.
    pub workload: String,
}

impl Ready {
    /// `workload`.
    #[must_use]
    pub fn new(workload: &str) -> Self {
        Self { workload: workload.to_owned() }
    }
}

/// How many restarts are too many.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Restarts {
    /// The workload.
    pub workload: String,
    /// A container that ended with an error within so long counts as looping; 5 minutes unless set.
    #[serde(default = "five_minutes", with = "humantime_serde")]
    pub within: Duration,
}

impl Restarts {
    /// Any within 5 minutes.
    #[must_use]
    pub fn new(workload: &str) -> Self {
        Self { workload: workload.to_owned(), within: five_minutes() }
    }
}

/// How many lines of errors are too many.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ErrorLines {
    /// The workload.
    pub workload: String,
    /// The most lines a minute, over all its pods.
    pub at_most: f64,
    /// What makes a line one of an error; any of these, as written. `ERROR` and `FATAL` unless set.
    #[serde(default = "errors")]
    pub containing: Vec<String>,
    /// How far back; 2 minutes unless set. The API knows whole seconds.
    #[serde(default = "two_minutes", with = "humantime_serde")]
    pub within: Duration,
    /// The container; all of them unless set.
    #[serde(default)]
    pub container: Option<String>,
    /// How much is read of each container's log, in bytes; 1 MiB unless set.
    #[serde(default = "mebibyte")]
    pub most_bytes: usize,
}

impl ErrorLines {
    /// At most `at_most` lines a minute with `ERROR` or `FATAL`, over the last 2 minutes.
    #[must_use]
    pub fn new(workload: &str, at_most: f64) -> Self {
        Self {
            workload: workload.to_owned(),
            at_most,
            containing: errors(),
            within: two_minutes(),
            container: None,
            most_bytes: mebibyte(),
        }
    }
}

fn one() -> u32 {
    1
}

fn five_minutes() -> Duration {
    Duration::from_secs(300)
}

fn two_minutes() -> Duration {
    Duration::from_secs(120)
}

fn errors() -> Vec<String> {
    ["ERROR", "FATAL"].map(str::to_owned).to_vec()
}

fn mebibyte() -> usize {
    1024 * 1024
}
