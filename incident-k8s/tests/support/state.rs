//! Objects, their versions, and what was changed when.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::answer::Answer;
use super::controllers;

/// Where an object is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) group: String,
    pub(crate) plural: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// Kinds that a test may put there, by group and plural.
const KINDS: [(&str, &str, &str, &str); 20] = [
    ("", "v1", "pods", "Pod"),
    ("", "v1", "services", "Service"),
    ("", "v1", "events", "Event"),
    ("", "v1", "configmaps", "ConfigMap"),
    ("", "v1", "secrets", "Secret"),
    ("", "v1", "namespaces", "Namespace"),
    ("", "v1", "nodes", "Node"),
    ("apps", "apps/v1", "deployments", "Deployment"),
    ("apps", "apps/v1", "statefulsets", "StatefulSet"),
    ("apps", "apps/v1", "daemonsets", "DaemonSet"),
    ("apps", "apps/v1", "replicasets", "ReplicaSet"),
    ("apps", "apps/v1", "controllerrevisions", "ControllerRevision"),
    ("autoscaling", "autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    ("keda.sh", "keda.sh/v1alpha1", "scaledobjects", "ScaledObject"),
    ("policy", "policy/v1", "poddisruptionbudgets", "PodDisruptionBudget"),
    ("discovery.k8s.io", "discovery.k8s.io/v1", "endpointslices", "EndpointSlice"),
    ("networking.k8s.io", "networking.k8s.io/v1", "ingresses", "Ingress"),
    ("metrics.k8s.io", "metrics.k8s.io/v1beta1", "pods", "PodMetrics"),
    ("metrics.k8s.io", "metrics.k8s.io/v1beta1", "nodes", "NodeMetrics"),
    ("example.com", "example.com/v1", "widgets", "Widget"),
];

impl Key {
    /// From `deployments/checkout`, in the namespace `shop`.
    pub(crate) fn of(text: &str) -> Self {
        let (plural, name) = text.split_once('/').expect("plural/name");
        let group = KINDS.iter().find(|(_, _, known, _)| *known == plural).expect("a known plural").0;
        Self::new(group, plural, "shop", name)
    }

    pub(crate) fn new(group: &str, plural: &str, namespace: &str, name: &str) -> Self {
        let own = str::to_owned;
        Self { group: own(group), plural: own(plural), namespace: own(namespace), name: own(name) }
    }

    pub(crate) fn of_object(object: &Value) -> Self {
        let (version, kind) = (&object["apiVersion"], &object["kind"]);
        let known = KINDS.iter().find(|(_, api, _, known)| version == *api && kind == *known);
        let (group, _, plural, _) = known.unwrap_or_else(|| panic!("unknown kind {version} {kind}"));
        let text = |at: &str| object.pointer(at).and_then(Value::as_str).unwrap_or_default();
        Self::new(group, plural, text("/metadata/namespace"), text("/metadata/name"))
    }

    pub(crate) fn is_known(group: &str, plural: &str) -> bool {
        KINDS.iter().any(|(known, _, of, _)| *known == group && *of == plural)
    }

    /// Groups and plurals of everything that is served.
    pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
        KINDS.iter().map(|(group, _, plural, _)| (*group, *plural))
    }

    pub(crate) fn is_served(group: &str) -> bool {
        KINDS.iter().any(|(known, ..)| *known == group)
    }

    fn row(&self) -> (&'static str, &'static str, &'static str, &'static str) {
        *KINDS.iter().find(|(group, _, plural, _)| *group == self.group && *plural == self.plural).unwrap()
    }

    pub(crate) fn kind(&self) -> &'static str {
        self.row().3
    }

    pub(crate) fn api_version(&self) -> &'static str {
        self.row().1
    }

    /// `deployments.apps`, as messages have it.
    pub(crate) fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    pub(crate) fn details(&self) -> Value {
        let mut details = json!({"name": self.name, "kind": self.plural});
        if !self.group.is_empty() {
            details["group"] = json!(self.group);
        }
        details
    }
}

pub(crate) type Admission = fn(&mut Value) -> Result<(), Answer>;

/// Everything the server knows.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) objects: BTreeMap<Key, Value>,
    pub(crate) version: u64,
    /// Versions up to this one are forgotten: a watch or a list from there is expired.
    pub(crate) compacted: u64,
    /// What changed, for watches.
    pub(crate) log: Vec<(u64, &'static str, Value)>,
    /// `verb resource` pairs that the account may not.
    pub(crate) denied: BTreeSet<String>,
    /// Whether the server can't list what the account may do.
    pub(crate) incomplete: bool,
    /// Groups that aren't served.
    pub(crate) absent: BTreeSet<String>,
    /// The logs of containers: pod, container, previous.
    pub(crate) logs: BTreeMap<(String, String, bool), Vec<u8>>,
    pub(crate) admission: Option<Admission>,
    /// What a command that is run in a pod ends with and says.
    pub(crate) exec: fn(&[String]) -> (i32, String),
    pub(crate) controllers: bool,
    /// Whether there is a kubelet that ends pods which are to be deleted.
    pub(crate) kubelet: bool,
    /// Whether rollouts that make no progress are past their deadline.
    pub(crate) overdue: bool,
    pub(crate) now: DateTime<Utc>,
    uids: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            objects: BTreeMap::new(),
            version: 100,
            compacted: 0,
            log: Vec::new(),
            denied: BTreeSet::new(),
            incomplete: false,
            absent: ["metrics.k8s.io", "keda.sh"].map(str::to_owned).into(),
            logs: BTreeMap::new(),
            admission: None,
            exec: |command| (0, command.join(" ")),
            controllers: true,
            kubelet: true,
            overdue: false,
            now: "2026-11-23T14:00:00Z".parse().unwrap(),
            uids: 0,
        }
    }
}

impl State {
    pub(crate) fn stamp(&self) -> String {
        self.now.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    pub(crate) fn uid(&mut self) -> String {
        self.uids += 1;
        format!("00000000-0000-4000-8000-{:012}", self.uids)
    }

    /// Creates `object` or replaces it; what the server fills in is filled in.
    pub(crate) fn put(&mut self, mut object: Value) -> Key {
        let key = Key::of_object(&object);
        super::admit::complete(&key, &mut object);
        let existing = self.objects.get(&key).cloned();
        let metadata = object["metadata"].as_object_mut().expect("metadata");
        let uid = existing.as_ref().map(|it| it["metadata"]["uid"].clone());
        if !metadata.contains_key("uid") {
            let uid = uid.unwrap_or_else(|| json!(self.uid()));
            object["metadata"]["uid"] = uid;
        }
        if object["metadata"].get("creationTimestamp").is_none() {
            let created = existing.as_ref().map(|it| it["metadata"]["creationTimestamp"].clone());
            object["metadata"]["creationTimestamp"] = created.unwrap_or_else(|| json!(self.stamp()));
        }
        if object.get("spec").is_some() && object["metadata"].get("generation").is_none() {
            object["metadata"]["generation"] = json!(1);
        }
        self.store(&key, object);
        key
    }

    /// Stores `object` if it differs from what is there: a new version, a new generation if its spec differs.
    pub(crate) fn store(&mut self, key: &Key, mut object: Value) {
        let before = self.objects.get(key);
        if before == Some(&object) {
            return;
        }
        if let Some(before) = before
            && before.get("spec") != object.get("spec")
            && before["metadata"]["generation"] == object["metadata"]["generation"]
            && let Some(generation) = before["metadata"]["generation"].as_i64()
        {
            object["metadata"]["generation"] = json!(generation + 1);
        }
        let kind = if before.is_some() { "MODIFIED" } else { "ADDED" };
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.log.push((self.version, kind, object.clone()));
        self.objects.insert(key.clone(), object);
    }

    /// Lets `manager` change an object.
    pub(crate) fn change(&mut self, key: &Key, manager: &str, change: impl FnOnce(&mut Value)) {
        let before = self.objects.get(key).unwrap_or_else(|| panic!("there is no {key:?}")).clone();
        let mut after = before.clone();
        change(&mut after);
        super::patch::own(&before, &mut after, manager, "Update", "", &self.stamp());
        count(key, &before, &mut after);
        self.store(key, after);
    }

    pub(crate) fn remove(&mut self, key: &Key) {
        if let Some(object) = self.objects.remove(key) {
            self.version += 1;
            self.log.push((self.version, "DELETED", object));
        }
    }

    pub(crate) fn all<'a>(&'a self, plural: &'a str) -> impl Iterator<Item = (&'a Key, &'a Value)> {
        self.objects.iter().filter(move |(key, _)| key.plural == plural && key.group != "metrics.k8s.io")
    }

    /// Marks a pod as to be deleted, as a real server does while the pod may still end by itself. Anything else, and what
    /// runs nowhere or gets no time, is gone at once.
    pub(crate) fn begin_deletion(&mut self, key: &Key, grace: Option<i64>) {
        let Some(object) = self.objects.get(key).cloned() else { return };
        let of_pod = object["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap_or(30);
        let runs = object["spec"]["nodeName"].is_string();
        if key.plural != "pods" || !runs || grace.unwrap_or(of_pod) == 0 {
            return self.remove(key);
        }
        let mut leaving = object;
        leaving["metadata"]["deletionTimestamp"] = json!(self.stamp());
        leaving["metadata"]["deletionGracePeriodSeconds"] = json!(grace.unwrap_or(of_pod));
        self.store(key, leaving);
    }

    /// Runs the controllers until nothing changes any more, and lets the kubelet end what is to end.
    pub(crate) fn settle(&mut self) {
        for _ in 0..50 {
            self.run_controllers();
            if !self.end_pods() {
                return;
            }
        }
    }

    /// Whether the kubelet ended a pod.
    fn end_pods(&mut self) -> bool {
        let is_leaving = |object: &Value| object["metadata"]["deletionTimestamp"].is_string();
        let ended: Vec<Key> = self
            .objects
            .iter()
            .filter(|(key, object)| {
                key.plural == "pods"
                    && is_leaving(object)
                    && object["metadata"]["deletionGracePeriodSeconds"].is_number()
            })
            .map(|(key, _)| key.clone())
            .collect();
        if !self.kubelet {
            return false;
        }
        ended.iter().for_each(|key| self.remove(key));
        !ended.is_empty()
    }

    fn run_controllers(&mut self) {
        if self.controllers {
            for _ in 0..20 {
                let before = self.version;
                controllers::run(self);
                if self.version == before {
                    return;
                }
            }
            panic!("the controllers don't settle");
        }
    }
}

/// Counts the generation as a real server does: changes of the spec, and of a Deployment's annotations, too.
pub(crate) fn count(key: &Key, before: &Value, after: &mut Value) {
    let annotated = before["metadata"].get("annotations") != after["metadata"].get("annotations");
    let counts = before.get("spec") != after.get("spec") || (key.plural == "deployments" && annotated);
    if let Some(generation) = before["metadata"]["generation"].as_i64().filter(|_| counts) {
        after["metadata"]["generation"] = json!(generation + 1);
    }
}
