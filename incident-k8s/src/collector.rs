//! Evidence from a cluster, taken down before it is gone: bounded, redacted, and never the value of a secret.

mod changes;
mod describe;
mod document;
#[cfg(feature = "exec")]
mod exec;
mod logs;

use std::fmt;
use std::sync::Mutex;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use incident_core::config::ConfigError;
use incident_core::model::time::Time;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, Capture, Collector, ErrorKind, Onset, Preflight, PreflightContext,
    ReadContext,
};
use serde_json::{Value, json};

use crate::access::{self, Need, Place, needs};
use crate::budget::Budget;
use crate::catalogue::workload;
use crate::client::{Cluster, Listed};
use crate::config::EvidenceConfig;
use crate::diff;
use crate::history::template;
#[cfg(feature = "exec")]
use crate::object::name;
use crate::object::selector;
use crate::request::{Request, Resource};
use crate::target::{Kind, Target};

use changes::Candidate;
use document::{document, redacted};
use logs::Wanted;

/// Workloads that are read at once.
const AT_ONCE: usize = 3;
const COLLECT: &str = "collect evidence";
/// The most events that are taken down, the latest ones.
const MOST_EVENTS: usize = 1_000;

/// Takes down what will be gone later, nearest to the incident's own service first.
///
/// | capture | what |
/// |---|---|
/// | `index` | what was looked at, when, and what couldn't be had and why |
/// | `pods`, `workloads` | what `kubectl describe` shows, as data; of environment variables nothing |
/// | `events` | the latest of the namespaces, by the time at which they really happened last |
/// | `top` | what pods and nodes use, if the cluster measures it |
/// | `changes` | what changed shortly before the incident: candidates for its cause |
/// | `logs/<namespace>/<pod>/<container>` | their ends, of all pods of all revisions, and `.previous` of containers that restarted |
/// | `exec/<name>` | what a declared command says from inside a pod; only with the feature `exec` |
///
/// Each kind has its own share of the time and all are read in parallel, so that none takes what another needs. A list
/// that can't be had is missing, and never an empty one.
///
/// # Caveats
/// Logs of pods that are gone are gone, and the node keeps only the latest part of the others. Events last an hour
/// unless the cluster is set up to keep them longer. What is recognised as a secret is taken out; what isn't, stays.
pub struct K8sCollector {
    cluster: Cluster,
    config: EvidenceConfig,
    workloads: Vec<Target>,
}

/// One collection: where, by when, and what is missing so far.
struct Collection<'a> {
    cluster: &'a Cluster,
    config: &'a EvidenceConfig,
    budget: Budget,
    now: Time,
    onset: Onset,
    gaps: Mutex<Vec<Value>>,
}

/// A workload with its pods and what keeps its revisions; what couldn't be listed is none.
struct Found {
    target: Target,
    object: Value,
    pods: Option<Vec<Value>>,
    kept: Option<Vec<Value>>,
}

/// What is kept of a workload that was found: what is shown of it, and what else is looked for.
struct Noted {
    target: Target,
    workload: Value,
    pods: Vec<Value>,
    changes: Vec<Candidate>,
    /// The ConfigMaps and Secrets that it uses.
    uses: Vec<String>,
    logs: Vec<Wanted>,
    /// A pod of it in which a command can be run.
    #[cfg(feature = "exec")]
    ready_pod: Option<String>,
}

impl K8sCollector {
    pub(crate) fn new(cluster: Cluster, config: EvidenceConfig) -> Result<Self, ConfigError> {
        let scope = cluster.scope();
        let named = config.workloads.iter();
        let workloads =
            named.map(|text| workload("evidence.workloads", text, scope)).collect::<Result<Vec<_>, _>>()?;
        if workloads.is_empty() {
            return Err(ConfigError::new("evidence.workloads", "expected a workload or more"));
        }
        for (place, it) in config.exec.iter().enumerate() {
            let field = format!("evidence.exec.{place}");
            if !cfg!(feature = "exec") {
                return Err(ConfigError::new(&field, "expected none: this build lacks the feature `exec`"));
            }
            workload(&format!("{field}.workload"), &it.workload, scope)?;
            if it.command.is_empty() || it.command.iter().any(|word| word.contains('\0')) {
                return Err(ConfigError::new(
                    &format!("{field}.command"),
                    "expected a program and its arguments",
                ));
            }
        }
        Ok(Self { cluster, config, workloads })
    }

    /// The workloads of the incident's own service, and all others. If none has the service's name, the first one that
    /// is configured counts as it.
    fn ranked(&self, service: Option<&str>) -> (Vec<Target>, Vec<Target>) {
        let is_own = |target: &Target| {
            let last = service.map(|it| it.rsplit('/').next().unwrap_or_default());
            last.is_some_and(|name| name == target.name)
        };
        let (own, others): (Vec<Target>, Vec<Target>) = self.workloads.iter().cloned().partition(is_own);
        if own.is_empty() {
            return (self.workloads[..1].to_vec(), self.workloads[1..].to_vec());
        }
        (own, others)
    }

    async fn take(&self, cx: &ReadContext) -> Result<Vec<Capture>, AdapterError> {
        let it = Collection {
            cluster: &self.cluster,
            config: &self.config,
            budget: Budget::within(cx.deadline),
            now: cx.now,
            onset: cx.onset,
            gaps: Mutex::default(),
        };
        let (own, others) = self.ranked(cx.service.as_deref());
        let places = namespaces(own.iter().chain(&others));
        let (mut noted, mut failed) = it.workloads(&own, &it.budget.share(30)).await;
        if let Some(error) = failed.take_if(|error| error.kind == ErrorKind::Auth) {
            return Err(error);
        }
        let logs: Vec<Wanted> = noted.iter_mut().flat_map(|it| std::mem::take(&mut it.logs)).collect();
        let most = self.config.most_bytes;
        let (share, half, little) = (it.budget.share(70), it.budget.share(50), it.budget.share(20));
        let ((rest, missed), events, top, configured, own_logs) = tokio::join!(
            it.workloads(&others, &half),
            it.events(&places, &half),
            it.top(&places, &little),
            it.configuration(&places, &half),
            it.logs(logs, most, &share),
        );
        noted.extend(rest);
        if let (true, Some(error)) = (noted.is_empty(), failed.or(missed)) {
            return Err(error);
        }
        let used: usize = own_logs.iter().map(|capture| capture.bytes.len()).sum();
        let logs: Vec<Wanted> = noted.iter_mut().flat_map(|it| std::mem::take(&mut it.logs)).collect();
        #[cfg(feature = "exec")]
        let commands = it.exec(&noted).await;
        let more_logs = it.logs(logs, most.saturating_sub(used), &it.budget).await;
        let (mut pods, mut workloads, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        for it in &mut noted {
            pods.append(&mut it.pods);
            workloads.push(it.workload.take());
            changes.append(&mut it.changes);
        }
        let mut captures =
            vec![document("pods", Value::Array(pods)), document("workloads", Value::Array(workloads))];
        captures.extend(events);
        captures.extend(top);
        captures.push(it.changes(changes, configured, &noted));
        #[cfg(feature = "exec")]
        captures.extend(commands);
        captures.extend(own_logs);
        captures.extend(more_logs);
        let gaps = it.gaps.into_inner().unwrap_or_default();
        let index = json!({
            "cluster": self.cluster.scope().cluster, "taken_at": cx.now,
            "workloads": self.workloads.iter().map(|it| it.identity(&self.cluster.scope().cluster)).collect::<Vec<_>>(),
            "captures": captures.iter().map(|it| &it.name).collect::<Vec<_>>(), "missing": gaps,
        });
        captures.insert(0, document("index", index));
        Ok(captures)
    }
}

impl Collection<'_> {
    fn gap(&self, what: &str, why: &impl ToString) {
        if let Ok(mut gaps) = self.gaps.lock() {
            gaps.push(json!({ "what": what, "why": why.to_string() }));
        }
    }

    /// What is listed, and whether there is more; none if it can't be had, which is noted.
    async fn listed(&self, what: &str, request: &Request, budget: &Budget) -> Option<Listed> {
        match self.cluster.list(COLLECT, request, budget).await {
            Ok(listed) => {
                if listed.truncated {
                    self.gap(what, &"there are more than are read");
                }
                Some(listed)
            }
            Err(error) => {
                self.gap(what, &error);
                None
            }
        }
    }

    /// Reads the workloads `targets` until the deadline; also the last error.
    async fn workloads(&self, targets: &[Target], budget: &Budget) -> (Vec<Noted>, Option<AdapterError>) {
        let reading = targets.iter().cloned().map(|target| async move {
            if budget.left().is_zero() {
                return Err(None);
            }
            self.workload(target, budget).await.map(|found| self.note(found)).map_err(Some)
        });
        let read: Vec<_> = stream::iter(reading).buffered(AT_ONCE).collect().await;
        let (mut noted, mut failed, mut unread) = (Vec::new(), None, Vec::new());
        for (target, it) in targets.iter().zip(read) {
            match it {
                Ok(it) => noted.push(it),
                Err(Some(error)) => {
                    self.gap(&target.placed(), &error);
                    failed = Some(error);
                }
                Err(None) => unread.push(target.placed()),
            }
        }
        if !unread.is_empty() {
            let some = unread.iter().take(20).map(String::as_str).collect::<Vec<_>>().join(", ");
            self.gap(
                &format!("{} workloads, such as {some}", unread.len()),
                &"not reached before the deadline",
            );
        }
        (noted, failed)
    }

    async fn workload(&self, target: Target, budget: &Budget) -> Result<Found, AdapterError> {
        let object = self.cluster.ask(COLLECT, &Request::of(&target), budget).await?;
        let placed = target.placed();
        let Some(selector) = selector(&object, "/spec/selector") else {
            self.gap(&format!("pods of {placed}"), &"its selector can't be read");
            return Ok(Found { target, object, pods: None, kept: None });
        };
        let of = |resource: &Resource| {
            Request::list(resource, Some(&target.namespace)).with("labelSelector", selector.clone())
        };
        let keeper = match target.kind {
            Kind::Deployment => Resource::REPLICA_SETS,
            _ => Resource::CONTROLLER_REVISIONS,
        };
        let (pods, kept) = (format!("pods of {placed}"), format!("revisions of {placed}"));
        let (all_pods, all_kept) = (of(&Resource::PODS), of(&keeper));
        let (pods, kept) =
            tokio::join!(self.listed(&pods, &all_pods, budget), self.listed(&kept, &all_kept, budget));
        let (pods, kept) = (pods.map(|it| it.items), kept.map(|it| it.items));
        Ok(Found { target, object, pods, kept })
    }

    fn note(&self, found: Found) -> Noted {
        let mut changes = Vec::new();
        self.revised(&found, &mut changes);
        self.written(&found.target.placed(), &found.object, &mut changes);
        let pods = found.pods.as_deref().unwrap_or_default();
        Noted {
            workload: describe::workload(&found),
            pods: pods.iter().map(|pod| describe::pod(&found.target.namespace, pod)).collect(),
            changes,
            uses: diff::configuration(&template(&found.object)),
            logs: self.wanted(&found.target.namespace, pods),
            #[cfg(feature = "exec")]
            ready_pod: pods
                .iter()
                .find(|pod| crate::mitigator::is_ready(pod))
                .map(|pod| name(pod).to_owned()),
            target: found.target,
        }
    }

    async fn events(&self, places: &[String], budget: &Budget) -> Option<Capture> {
        let mut events: Vec<(Time, Value)> = Vec::new();
        let (mut had, mut truncated) = (false, false);
        for place in places {
            let request = Request::list(&Resource::EVENTS, Some(place));
            let listed = self.listed(&format!("events in {place}"), &request, budget).await;
            truncated |= listed.as_ref().is_none_or(|it| it.truncated);
            had |= listed.is_some();
            let described = listed.into_iter().flat_map(|it| it.items);
            events.extend(described.map(|it| (describe::last_seen(&it), describe::event(place, &it))));
        }
        events.sort_by_key(|(time, _)| *time);
        let skip = events.len().saturating_sub(MOST_EVENTS);
        let shown = events.into_iter().skip(skip).map(|(_, event)| event).collect();
        let capture = had.then(|| document("events", Value::Array(shown)))?;
        Some(if truncated || skip > 0 { capture.truncated() } else { capture })
    }

    /// What is used, if anything measures it. A cluster that doesn't is no fault.
    async fn top(&self, places: &[String], budget: &Budget) -> Option<Capture> {
        let mut used = serde_json::Map::new();
        let mut requests = vec![("nodes".to_owned(), Request::list(&Resource::NODE_METRICS, None))];
        for place in places {
            let request = Request::list(&Resource::POD_METRICS, Some(place));
            requests.push((format!("pods in {place}"), request));
        }
        for (what, request) in requests {
            match self.cluster.list(COLLECT, &request, budget).await {
                Ok(listed) => {
                    let all = listed.items.iter().map(describe::usage).collect();
                    used.insert(what, Value::Array(all));
                }
                Err(error) if error.kind == ErrorKind::NotFound => {
                    self.gap(&format!("use of {what}"), &"the cluster has no metrics API");
                }
                Err(error) => self.gap(&format!("use of {what}"), &error),
            }
        }
        (!used.is_empty()).then(|| document("top", Value::Object(used)))
    }
}

/// The namespaces of `targets`, each once, in their order.
fn namespaces<'a>(targets: impl Iterator<Item = &'a Target>) -> Vec<String> {
    let mut places: Vec<String> = Vec::new();
    for target in targets {
        if !places.contains(&target.namespace) {
            places.push(target.namespace.clone());
        }
    }
    places
}

impl fmt::Debug for K8sCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("K8sCollector").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

#[async_trait]
impl Adapter for K8sCollector {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("kubernetes")
    }

    async fn preflight(&self, cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        let mut needed: Vec<Need> = Vec::new();
        for target in &self.workloads {
            let place = Place::In(target.namespace.clone());
            needed.extend(needs(&place, &["get"], &target.kind.resource(), ""));
        }
        for namespace in namespaces(self.workloads.iter()) {
            let place = Place::In(namespace);
            for resource in [
                Resource::PODS,
                Resource::EVENTS,
                Resource::REPLICA_SETS,
                Resource::CONTROLLER_REVISIONS,
                Resource::CONFIG_MAPS,
                Resource::POD_METRICS,
            ] {
                needed.extend(needs(&place, &["list"], &resource, ""));
            }
            needed.extend(needs(&place, &["get"], &Resource::PODS, "log"));
            if self.config.secrets {
                needed.extend(needs(&place, &["list"], &Resource::SECRETS, ""));
            }
            if !self.config.exec.is_empty() {
                needed.extend(needs(&place, &["get", "create"], &Resource::PODS, "exec"));
            }
        }
        needed.extend(needs(&Place::Cluster, &["list"], &Resource::NODE_METRICS, ""));
        access::review(&self.cluster, &needed, &Budget::within(cx.deadline)).await
    }
}

#[async_trait]
impl Collector for K8sCollector {
    async fn collect(&self, cx: &ReadContext) -> Result<Vec<Capture>, AdapterError> {
        self.take(cx).await
    }
}

#[cfg(test)]
mod tests;
