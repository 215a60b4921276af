//! Evidence from a cluster, taken down before it is gone: bounded, redacted, and never the value of a secret.

mod changes;
mod describe;
#[cfg(feature = "exec")]
mod exec;
mod logs;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Mutex;

use async_trait::async_trait;
use incident_core::config::ConfigError;
use incident_core::domain::redact::redact;
use incident_core::domain::time::Time;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, Capture, Collector, ErrorKind, Preflight, PreflightContext,
    ReadContext,
};
use serde_json::{Value, json};

use crate::access::{self, Need, needs, of_cluster};
use crate::budget::Budget;
use crate::catalogue::workload;
use crate::client::{Cluster, Listed};
use crate::config::EvidenceConfig;
use crate::object::selector;
use crate::request::{Request, Resource};
use crate::target::{Kind, Target};

const COLLECT: &str = "collect evidence";
/// The most events that are taken down, the latest ones.
const MOST_EVENTS: usize = 1_000;

/// Takes down what will be gone later.
///
/// | capture | what |
/// |---|---|
/// | `index` | what was looked at, when, and what couldn't be had and why |
/// | `pods`, `workloads` | what `kubectl describe` shows, as data; of environment variables nothing |
/// | `events` | the latest of the namespace, by the time at which they really happened last |
/// | `top` | what pods and nodes use, if the cluster measures it |
/// | `changes` | what changed shortly before the incident: candidates for its cause |
/// | `logs/<pod>/<container>` | of all pods of all revisions, and `.previous` of containers that restarted |
/// | `exec/<name>` | what a declared command says from inside a pod; only with the feature `exec` |
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
    started_at: Time,
    gaps: Mutex<Vec<Value>>,
}

/// A workload with its pods and what keeps its revisions.
struct Found {
    target: Target,
    object: Value,
    pods: Vec<Value>,
    kept: Vec<Value>,
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

    async fn take(&self, cx: &ReadContext) -> Result<Vec<Capture>, AdapterError> {
        let it = Collection {
            cluster: &self.cluster,
            config: &self.config,
            budget: Budget::within(cx.deadline),
            now: cx.now,
            started_at: cx.started_at,
            gaps: Mutex::default(),
        };
        let mut found = Vec::new();
        let mut failed = None;
        for target in &self.workloads {
            match it.workload(target).await {
                Ok(workload) => found.push(workload),
                Err(error) => {
                    it.gap(&target.to_string(), &error);
                    failed = Some(error);
                }
            }
        }
        if let (true, Some(error)) = (found.is_empty(), failed) {
            return Err(error);
        }
        let mut captures = vec![
            document("pods", &Value::Array(found.iter().flat_map(describe::pods).collect())),
            document("workloads", &Value::Array(found.iter().map(describe::workload).collect())),
        ];
        captures.extend(it.events(&found).await);
        captures.extend(it.top(&found).await);
        captures.push(it.changes(&found).await);
        #[cfg(feature = "exec")]
        captures.extend(it.exec(&found).await);
        captures.extend(it.logs(&found).await);
        let gaps = it.gaps.into_inner().unwrap_or_default();
        let index = json!({
            "cluster": self.cluster.scope().cluster, "taken_at": cx.now,
            "workloads": self.workloads.iter().map(|it| it.identity(&self.cluster.scope().cluster)).collect::<Vec<_>>(),
            "captures": captures.iter().map(|it| &it.name).collect::<Vec<_>>(), "missing": gaps,
        });
        captures.insert(0, document("index", &index));
        Ok(captures)
    }
}

impl Collection<'_> {
    fn gap(&self, what: &str, why: &impl ToString) {
        if let Ok(mut gaps) = self.gaps.lock() {
            gaps.push(json!({ "what": what, "why": why.to_string() }));
        }
    }

    /// What is listed; a list that can't be had is noted.
    async fn listed(&self, what: &str, request: &Request) -> Listed {
        match self.cluster.list(COLLECT, request, &self.budget).await {
            Ok(listed) => {
                if listed.truncated {
                    self.gap(what, &"there are more than are read");
                }
                listed
            }
            Err(error) => {
                self.gap(what, &error);
                Listed::default()
            }
        }
    }

    async fn workload(&self, target: &Target) -> Result<Found, AdapterError> {
        let object = self.cluster.ask(COLLECT, &Request::of(target), &self.budget).await?;
        let Some(selector) = selector(&object, "/spec/selector") else {
            self.gap(&format!("pods of {target}"), &"its selector can't be read");
            return Ok(Found { target: target.clone(), object, pods: Vec::new(), kept: Vec::new() });
        };
        let of = |resource: &Resource| {
            Request::list(resource, Some(&target.namespace)).with("labelSelector", selector.clone())
        };
        let keeper = match target.kind {
            Kind::Deployment => Resource::REPLICA_SETS,
            _ => Resource::CONTROLLER_REVISIONS,
        };
        let pods = self.listed(&format!("pods of {target}"), &of(&Resource::PODS)).await.items;
        let kept = self.listed(&format!("revisions of {target}"), &of(&keeper)).await.items;
        Ok(Found { target: target.clone(), object, pods, kept })
    }

    async fn events(&self, found: &[Found]) -> Vec<Capture> {
        let mut events = Vec::new();
        let mut truncated = false;
        for namespace in namespaces(found) {
            let request = Request::list(&Resource::EVENTS, Some(namespace));
            let listed = self.listed(&format!("events in {namespace}"), &request).await;
            truncated |= listed.truncated;
            events.extend(listed.items);
        }
        let mut events: Vec<_> = events.iter().map(|event| (describe::last_seen(event), event)).collect();
        events.sort_by_key(|(time, _)| *time);
        let skip = events.len().saturating_sub(MOST_EVENTS);
        let shown: Vec<_> = events.iter().skip(skip).map(|(_, event)| describe::event(event)).collect();
        let capture = document("events", &Value::Array(shown));
        vec![if truncated || skip > 0 { capture.truncated() } else { capture }]
    }

    /// What is used, if anything measures it. A cluster that doesn't is no fault.
    async fn top(&self, found: &[Found]) -> Option<Capture> {
        let mut used = serde_json::Map::new();
        let mut requests = vec![("nodes".to_owned(), Request::list(&Resource::NODE_METRICS, None))];
        for namespace in namespaces(found) {
            requests.push((
                format!("pods in {namespace}"),
                Request::list(&Resource::POD_METRICS, Some(namespace)),
            ));
        }
        for (what, request) in requests {
            match self.cluster.list(COLLECT, &request, &self.budget).await {
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
        (!used.is_empty()).then(|| document("top", &Value::Object(used)))
    }
}

/// The namespaces of what was found, each once.
fn namespaces(found: &[Found]) -> BTreeSet<&str> {
    found.iter().map(|it| it.target.namespace.as_str()).collect()
}

/// A capture of structured data, without what looks like a secret. Each text is cleaned by itself, for a secret that ends
/// at an escaped character ends nowhere in the document's text.
fn document(name: &str, value: &Value) -> Capture {
    let mut value = value.clone();
    clean(&mut value);
    let mut capture = Capture::text(name, &serde_json::to_string_pretty(&value).unwrap_or_default());
    capture.media_type = "application/json".to_owned();
    capture
}

fn clean(value: &mut Value) {
    match value {
        Value::String(text) => *text = String::from_utf8_lossy(&redact(text.as_bytes()).bytes).into_owned(),
        Value::Array(list) => list.iter_mut().for_each(clean),
        Value::Object(map) => map.values_mut().for_each(clean),
        _ => {}
    }
}

/// A capture of text, without what looks like a secret; bytes that aren't UTF-8 are replaced.
fn redacted(name: &str, bytes: &[u8]) -> Capture {
    Capture::text(name, &String::from_utf8_lossy(&redact(bytes).bytes))
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
            needed.extend(needs(&["get"], &target.kind.resource(), ""));
        }
        for resource in [
            Resource::PODS,
            Resource::EVENTS,
            Resource::REPLICA_SETS,
            Resource::CONTROLLER_REVISIONS,
            Resource::CONFIG_MAPS,
            Resource::POD_METRICS,
        ] {
            needed.extend(needs(&["list"], &resource, ""));
        }
        needed.extend(needs(&["get"], &Resource::PODS, "log"));
        needed.push(of_cluster("list", &Resource::NODE_METRICS));
        if self.config.secrets {
            needed.extend(needs(&["list"], &Resource::SECRETS, ""));
        }
        if !self.config.exec.is_empty() {
            needed.extend(needs(&["get", "create"], &Resource::PODS, "exec"));
        }
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
