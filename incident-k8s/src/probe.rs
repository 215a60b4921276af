//! Health checks of workloads, services and logs.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use incident_core::config::ConfigError;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, Preflight, PreflightContext, Probe, ReadContext, Reading,
};
use serde_json::Value;

use crate::access::{self, Need, Place, needs};
use crate::budget::Budget;
use crate::catalogue::{service, workload};
use crate::client::Cluster;
use crate::config::{ErrorLines, ProbeConfig};
use crate::history::is_observed;
use crate::mitigator::ready_endpoints;
use crate::object::{name, number, selector};
use crate::pods::{containers, is_gone, is_over, runs, trouble};
use crate::request::{Request, Resource};
use crate::rollout::{Rollout, desired, rollout};
use crate::target::{Scope, Target};

const LOOK: &str = "look at the cluster";
/// Logs that are read at once.
const AT_ONCE: usize = 5;

/// Looks at a workload, a service or logs and says whether they are well.
///
/// | check | green | red | unknown |
/// |---|---|---|---|
/// | `ready` | as many pods are ready as are wanted | fewer | none are wanted, or the controller lags behind |
/// | `rolled_out` | every pod is of the last revision, and available | not, or not any more within its deadline | none are wanted, paused, or the controller lags behind |
/// | `no_crash_loops` | as many pods as are wanted run, every container of them, and none failed lately | one waits in a loop, can't start, or failed lately | a pod is missing or isn't running yet |
/// | `endpoints` | enough pods take traffic, each counted once | too few | nothing says who serves it |
/// | `error_lines` | all pods together log few enough | too many | a log couldn't be read to its end, a pod has none yet, or there are no pods |
///
/// A server that can't be asked, and a workload that doesn't exist, are errors: the engine records them as unknown.
pub struct K8sProbe {
    name: String,
    cluster: Cluster,
    check: Check,
}

enum Check {
    Ready(Target),
    RolledOut(Target),
    NoCrashLoops(Target, Duration),
    Endpoints(Target, u32),
    ErrorLines(Target, ErrorLines),
}

impl K8sProbe {
    pub(crate) fn new(cluster: Cluster, name: &str, config: &ProbeConfig) -> Result<Self, ConfigError> {
        let scope = cluster.scope();
        let at = |field: &str| format!("probes.{name}.{field}");
        let target = |text: &str, scope: &Scope| workload(&at("workload"), text, scope);
        let check = match config {
            ProbeConfig::Ready(it) => Check::Ready(target(&it.workload, scope)?),
            ProbeConfig::RolledOut(it) => Check::RolledOut(target(&it.workload, scope)?),
            ProbeConfig::NoCrashLoops(it) => Check::NoCrashLoops(target(&it.workload, scope)?, it.within),
            ProbeConfig::Endpoints { service: text, at_least } => {
                Check::Endpoints(service(&at("service"), text, scope)?, *at_least)
            }
            ProbeConfig::ErrorLines(it) => {
                if it.within < Duration::from_secs(1) {
                    return Err(ConfigError::new(&at("within"), "expected a second or more"));
                }
                if it.containing.iter().all(String::is_empty) || it.containing.iter().any(String::is_empty) {
                    return Err(ConfigError::new(
                        &at("containing"),
                        "expected what a line of an error has in it",
                    ));
                }
                if !it.at_most.is_finite() || it.at_most < 0.0 {
                    return Err(ConfigError::new(&at("at_most"), "expected a number of lines a minute"));
                }
                Check::ErrorLines(target(&it.workload, scope)?, it.clone())
            }
        };
        Ok(Self { name: name.to_owned(), cluster, check })
    }

    async fn read(&self, cx: &ReadContext) -> Result<Reading, AdapterError> {
        let budget = Budget::within(cx.deadline);
        match &self.check {
            Check::Ready(target) => Ok(ready(target, &self.ask(&Request::of(target), &budget).await?)),
            Check::RolledOut(target) => {
                let workload = self.ask(&Request::of(target), &budget).await?;
                Ok(rolled_out(target, &workload))
            }
            Check::NoCrashLoops(target, within) => {
                let (workload, pods, truncated) = self.pods(target, &budget).await?;
                let all = pods.iter().filter(|pod| !is_over(pod));
                if let Some(trouble) = all.clone().find_map(|pod| trouble(pod, cx.now, *within)) {
                    return Ok(Reading::red(&trouble));
                }
                // Evicted pods stay behind as records, and pods that are being deleted are replaced.
                let (running, waiting): (Vec<&Value>, Vec<&Value>) =
                    all.filter(|pod| !is_gone(pod)).partition(|pod| runs(pod));
                let wanted = desired(target.kind, &workload);
                let count = i64::try_from(running.len()).unwrap_or(i64::MAX);
                Ok(match waiting.first() {
                    None if count == 0 => Reading::unknown("there are no pods"),
                    _ if truncated => Reading::unknown("there are more pods than are looked at"),
                    Some(pod) => Reading::unknown(&format!("{} isn't running yet", name(pod))),
                    None if count < wanted => {
                        Reading::unknown(&format!("{count} of {wanted} pods are running"))
                    }
                    None => Reading::green(&format!("{count} pods without trouble")),
                })
            }
            Check::Endpoints(target, least) => {
                let request = Request::list(&Resource::ENDPOINT_SLICES, Some(&target.namespace))
                    .with("labelSelector", format!("kubernetes.io/service-name={}", target.name));
                let slices = self.cluster.list(LOOK, &request, &budget).await?;
                let ready = ready_endpoints(&slices.items);
                let seen = format!("{ready} endpoints are ready, {least} wanted");
                Ok(match (slices.items.is_empty(), ready >= usize::try_from(*least).unwrap_or(usize::MAX)) {
                    (true, _) => Reading::unknown("no endpoint slice names that service"),
                    (false, true) => Reading::green(&seen),
                    (false, false) => Reading::red(&seen),
                })
            }
            Check::ErrorLines(target, config) => self.error_lines(target, config, &budget).await,
        }
    }

    /// Counts over the logs of all pods of all revisions, since the one that a bad rollout breaks is seldom the oldest.
    async fn error_lines(
        &self,
        target: &Target,
        config: &ErrorLines,
        budget: &Budget,
    ) -> Result<Reading, AdapterError> {
        let (_, pods, truncated) = self.pods(target, budget).await?;
        let wanted = |container: &&str| config.container.as_deref().is_none_or(|name| name == *container);
        let logs: Vec<Request> = pods
            .iter()
            .flat_map(|pod| containers(pod).filter(wanted).map(move |container| (name(pod), container)))
            .map(|(pod, container)| {
                Request::get(&Resource::PODS, &target.namespace, pod)
                    .subresource("log")
                    .with("container", container)
                    .with("sinceSeconds", config.within.as_secs().to_string())
                    .with("limitBytes", config.most_bytes.saturating_add(1).to_string())
            })
            .collect();
        if logs.is_empty() {
            return Ok(Reading::unknown("there are no pods with such a container"));
        }
        let count = logs.len();
        let reading = logs
            .into_iter()
            .map(|request| async move { self.cluster.log(LOOK, &request, config.most_bytes, budget).await });
        let read: Vec<_> = stream::iter(reading).buffer_unordered(AT_ONCE).collect().await;
        let (mut lines, mut unread) = (0_usize, 0_usize);
        for log in read {
            match log {
                // The server answers 204 for the log of a pod that isn't scheduled.
                Ok(log) => {
                    lines += matching(&log.bytes, &config.containing);
                    unread += usize::from(log.truncated || log.absent);
                }
                Err(_) => unread += 1,
            }
        }
        let minutes = config.within.as_secs_f64() / 60.0;
        #[allow(clippy::cast_precision_loss, reason = "no log has that many lines")]
        let rate = lines as f64 / minutes;
        let seen = format!("{rate:.1} lines of errors a minute in {count} logs, {} allowed", config.at_most);
        Ok(if rate > config.at_most {
            Reading::red(&seen)
        } else if unread > 0 || truncated {
            Reading::unknown(&format!("{seen}; {unread} logs weren't read to their end"))
        } else {
            Reading::green(&seen)
        })
    }

    async fn ask(&self, request: &Request, budget: &Budget) -> Result<Value, AdapterError> {
        self.cluster.ask(LOOK, request, budget).await
    }

    async fn pods(
        &self,
        target: &Target,
        budget: &Budget,
    ) -> Result<(Value, Vec<Value>, bool), AdapterError> {
        let workload = self.ask(&Request::of(target), budget).await?;
        let Some(selector) = selector(&workload, "/spec/selector") else {
            return Ok((workload, Vec::new(), false));
        };
        let request = Request::list(&Resource::PODS, Some(&target.namespace)).with("labelSelector", selector);
        let listed = self.cluster.list(LOOK, &request, budget).await?;
        Ok((workload, listed.items, listed.truncated))
    }

    /// What the look needs, where it looks.
    fn needed(&self) -> Vec<Need> {
        let (Check::Ready(target)
        | Check::RolledOut(target)
        | Check::NoCrashLoops(target, _)
        | Check::Endpoints(target, _)
        | Check::ErrorLines(target, _)) = &self.check;
        let place = Place::In(target.namespace.clone());
        if matches!(self.check, Check::Endpoints(..)) {
            return needs(&place, &["list"], &Resource::ENDPOINT_SLICES, "");
        }
        let mut needed = needs(&place, &["get"], &target.kind.resource(), "");
        if matches!(self.check, Check::NoCrashLoops(..) | Check::ErrorLines(..)) {
            needed.extend(needs(&place, &["list"], &Resource::PODS, ""));
        }
        if matches!(self.check, Check::ErrorLines(..)) {
            needed.extend(needs(&place, &["get"], &Resource::PODS, "log"));
        }
        needed
    }
}

fn ready(target: &Target, workload: &Value) -> Reading {
    let wanted = desired(target.kind, workload);
    let field = match target.kind {
        crate::target::Kind::DaemonSet => "/status/numberReady",
        _ => "/status/readyReplicas",
    };
    let ready = number(workload, field);
    let seen = format!("{ready} of {wanted} pods of {target} are ready");
    match () {
        () if !is_observed(workload) => Reading::unknown("the controller hasn't seen the last change yet"),
        () if wanted == 0 => Reading::unknown("it is scaled to nothing, so nothing can be ready"),
        () if ready >= wanted => Reading::green(&seen),
        () => Reading::red(&seen),
    }
}

fn rolled_out(target: &Target, workload: &Value) -> Reading {
    if !is_observed(workload) {
        return Reading::unknown("the controller hasn't seen the last change yet");
    }
    match rollout(target.kind, workload, None) {
        Rollout::Done => Reading::green("every pod is of the last revision, and available"),
        Rollout::Vacuous => Reading::unknown("it is scaled to nothing, so nothing is shown"),
        Rollout::Paused => Reading::unknown("it is paused"),
        Rollout::Waiting(detail) | Rollout::Stalled(detail) => Reading::red(&detail),
    }
}

/// Lines that have any of `words` in them, whatever encoding the rest of them is in.
fn matching(log: &[u8], words: &[String]) -> usize {
    let has = |line: &[u8], word: &str| line.windows(word.len()).any(|part| part == word.as_bytes());
    log.split(|byte| *byte == b'\n').filter(|line| words.iter().any(|word| has(line, word))).count()
}

impl fmt::Debug for K8sProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("K8sProbe")
            .field("name", &self.name)
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Adapter for K8sProbe {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("kubernetes")
    }

    async fn preflight(&self, cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        access::review(&self.cluster, &self.needed(), &Budget::within(cx.deadline)).await
    }
}

#[async_trait]
impl Probe for K8sProbe {
    async fn look(&self, cx: &ReadContext) -> Result<Reading, AdapterError> {
        self.read(cx).await
    }
}

#[cfg(test)]
mod tests;
