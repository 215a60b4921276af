//! What is taken down as evidence, and how much of it.

use std::time::Duration;

use serde::Deserialize;

/// What is collected.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct EvidenceConfig {
    /// The workloads whose pods, logs and revisions are taken down.
    pub workloads: Vec<String>,
    /// How far back logs go from now; 2 hours unless set.
    #[serde(default = "two_hours", with = "humantime_serde")]
    pub logs_since: Duration,
    /// The most of one container's log, in bytes; 256 KiB unless set.
    #[serde(default = "per_container")]
    pub most_bytes_per_container: usize,
    /// The most of all logs together, in bytes; 8 MiB unless set.
    #[serde(default = "in_all")]
    pub most_bytes: usize,
    /// How long before the incident began a change is a recent one; 1 hour unless set.
    #[serde(default = "one_hour", with = "humantime_serde")]
    pub changes_within: Duration,
    /// Whether names and versions – never values – of secrets are looked at for recent changes; no unless set, because
    /// the permission to list them is one to read them.
    #[serde(default)]
    pub secrets: bool,
    /// Commands that are run inside a pod; none unless set, and only with the crate's feature `exec`.
    #[serde(default)]
    pub exec: Vec<ExecConfig>,
}

/// A command that may be run inside a pod, such as a look-up of a name. There is no shell and no input.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ExecConfig {
    /// What it finds out, such as `dns`.
    pub name: String,
    /// The workload, in one ready pod of which it is run.
    pub workload: String,
    /// The container.
    pub container: String,
    /// The program and its arguments, exactly as they are run: `["nslookup", "db.internal"]`.
    pub command: Vec<String>,
}

impl ExecConfig {
    /// `command`, run in `container` of a ready pod of `workload`, to find out `name`.
    #[must_use]
    pub fn new<const N: usize>(name: &str, workload: &str, container: &str, command: [&str; N]) -> Self {
        let own = str::to_owned;
        let (name, workload, container) = (own(name), own(workload), own(container));
        Self { name, workload, container, command: command.map(own).to_vec() }
    }
}

impl EvidenceConfig {
    /// Of these workloads, with the usual bounds.
    #[must_use]
    pub fn new<const N: usize>(workloads: [&str; N]) -> Self {
        Self {
            workloads: workloads.map(str::to_owned).to_vec(),
            logs_since: two_hours(),
            most_bytes_per_container: per_container(),
            most_bytes: in_all(),
            changes_within: one_hour(),
            secrets: false,
            exec: Vec::new(),
        }
    }
}

fn two_hours() -> Duration {
    Duration::from_secs(7200)
}

fn one_hour() -> Duration {
    Duration::from_secs(3600)
}

fn per_container() -> usize {
    256 * 1024
}

fn in_all() -> usize {
    8 * 1024 * 1024
}
