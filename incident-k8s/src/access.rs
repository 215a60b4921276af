//! Whether the account may do what an incident will ask of it, asked of the API server itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use incident_core::port::{AdapterError, ErrorKind, Preflight};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::budget::Budget;
use crate::catalogue::{Catalogue, plural};
use crate::client::Cluster;
use crate::object::items;
use crate::request::{Request, Resource};

const ASK: &str = "ask what the account may do";
const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const RULES: &str = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
/// Questions in flight at once.
const AT_ONCE: usize = 8;
/// How long an answer serves all ports of a backend.
const FRESH: Duration = Duration::from_secs(30);

/// One verb on one kind of object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Need {
    verb: &'static str,
    group: String,
    resource: String,
    subresource: &'static str,
    place: Place,
}

/// Where a verb is needed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// In each namespace of the backend.
    Each,
    In(String),
    Cluster,
}

/// Verbs on a resource or its part, `pods/log`.
pub(crate) fn needs(
    place: &Place,
    verbs: &[&'static str],
    resource: &Resource,
    subresource: &'static str,
) -> Vec<Need> {
    let need = |verb: &&'static str| Need {
        verb,
        group: resource.group.to_string(),
        resource: resource.plural.to_string(),
        subresource,
        place: place.clone(),
    };
    verbs.iter().map(need).collect()
}

/// What mitigations need to be planned, carried out, found and verified.
pub(crate) fn of_mitigations(catalogue: &Catalogue) -> Vec<Need> {
    let workloads = [Resource::DEPLOYMENTS, Resource::STATEFUL_SETS, Resource::DAEMON_SETS];
    let needs =
        |verbs: &[&'static str], resource: &Resource, part| needs(&Place::Each, verbs, resource, part);
    let mut all = Vec::new();
    for workload in &workloads {
        all.extend(needs(&["get", "watch", "patch"], workload, ""));
    }
    for scaled in &workloads[..2] {
        all.extend(needs(&["patch"], scaled, "scale"));
    }
    all.extend(needs(&["get", "list"], &Resource::REPLICA_SETS, ""));
    all.extend(needs(&["get", "list"], &Resource::CONTROLLER_REVISIONS, ""));
    all.extend(needs(&["get", "list", "patch"], &Resource::AUTOSCALERS, ""));
    all.extend(needs(&["list"], &Resource::DISRUPTION_BUDGETS, ""));
    all.extend(needs(&["get", "list", "delete"], &Resource::PODS, ""));
    all.extend(needs(&["create"], &Resource::PODS, "eviction"));
    for route in catalogue.routes() {
        match &route.manifest {
            Some(manifest) => {
                let api = manifest.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
                let resource = Resource::new(api, &plural(route, manifest));
                all.extend(needs(&["get", "patch", "create", "delete"], &resource, ""));
            }
            None => {
                all.extend(needs(&["get", "patch"], &Resource::SERVICES, ""));
                all.extend(needs(&["list"], &Resource::ENDPOINT_SLICES, ""));
            }
        }
    }
    all
}

/// What mitigations need where KEDA scales, if the cluster has it.
pub(crate) async fn of_keda(cluster: &Cluster, budget: &Budget) -> Vec<Need> {
    let group = format!("/apis/{}", Resource::SCALED_OBJECTS.group);
    match cluster.ask(ASK, &Request::at(group), budget).await {
        Ok(_) => needs(&Place::Each, &["get", "patch"], &Resource::SCALED_OBJECTS, ""),
        Err(_) => Vec::new(),
    }
}

/// What the server said lately of the account's rules, by namespace.
#[derive(Default)]
pub(crate) struct Reviews(Mutex<BTreeMap<String, (Instant, Arc<Rules>)>>);

/// What the account may do in a namespace.
#[derive(Default)]
struct Rules {
    rules: Vec<Value>,
    /// Whether there may be more that the server can't list.
    incomplete: bool,
}

impl Rules {
    fn of(answer: &Value) -> Self {
        let incomplete = answer.pointer("/status/incomplete").and_then(Value::as_bool) == Some(true);
        let rules = items(answer, "/status/resourceRules").to_vec();
        Self { rules, incomplete }
    }

    /// Whether a rule allows `need`, whichever object it is about.
    fn allow(&self, need: &Need) -> bool {
        let part = need.subresource;
        let whole = if part.is_empty() { need.resource.clone() } else { format!("{}/{part}", need.resource) };
        self.rules.iter().any(|rule| {
            let has = |at: &str, value: &str| {
                items(rule, at).iter().filter_map(Value::as_str).any(|it| it == "*" || it == value)
            };
            let any_part = || !part.is_empty() && has_exactly(rule, &format!("*/{part}"));
            has("/verbs", need.verb)
                && has("/apiGroups", &need.group)
                && (has("/resources", &whole) || any_part())
                && items(rule, "/resourceNames").is_empty()
        })
    }
}

fn has_exactly(rule: &Value, resource: &str) -> bool {
    items(rule, "/resources").iter().any(|it| it.as_str() == Some(resource))
}

/// Asks the server once per namespace for the account's rules, and for single verbs only if the server can't list them
/// all. All ports of a backend share the answers.
///
/// # Errors
/// [`AdapterError`] if the server can't be asked.
pub(crate) async fn review(
    cluster: &Cluster,
    needed: &[Need],
    budget: &Budget,
) -> Result<Preflight, AdapterError> {
    let mut asked: BTreeSet<(&Need, Option<&str>)> = BTreeSet::new();
    for need in needed {
        match &need.place {
            Place::Each => {
                asked.extend(cluster.scope().namespaces.iter().map(|place| (need, Some(place.as_str()))));
            }
            Place::In(place) => drop(asked.insert((need, Some(place)))),
            Place::Cluster => drop(asked.insert((need, None))),
        }
    }
    let places: BTreeSet<String> = asked.iter().filter_map(|(_, place)| place.map(str::to_owned)).collect();
    let listing = places.into_iter().map(|place| async move {
        let rules = rules(cluster, &place, budget).await;
        (place, rules)
    });
    let listed: Vec<(String, Result<Arc<Rules>, AdapterError>)> =
        stream::iter(listing).buffered(AT_ONCE).collect().await;
    let listed: BTreeMap<_, _> = listed.into_iter().collect();
    let mut asking = Vec::new();
    for (need, place) in &asked {
        let known = match listed.get(place.unwrap_or_default()) {
            Some(Ok(rules)) if rules.allow(need) => Some(true),
            Some(Ok(rules)) if !rules.incomplete => Some(false),
            Some(Err(error)) if error.kind == ErrorKind::Auth => {
                return Err(AdapterError::new(error.kind, ASK).with_context(error.context.clone()));
            }
            _ => None,
        };
        asking.push(((*need).clone(), place.map(str::to_owned), known));
    }
    let answering = asking.into_iter().map(|(need, place, known)| async move {
        match known {
            Some(answer) => Ok(answer),
            None => one(cluster, &need, place.as_deref(), budget).await,
        }
    });
    let answers: Vec<Result<bool, AdapterError>> = stream::iter(answering).buffered(AT_ONCE).collect().await;
    let mut found = Preflight::default();
    for ((need, place), answer) in asked.iter().zip(answers) {
        let line = shown(need, *place);
        found = match answer {
            Ok(true) => found.good(&line),
            Ok(false) => found.bad(&line, "grant it, for instance with the roles in incident-k8s/rbac"),
            // The answers that came in time are still reported.
            Err(error) if error.kind == ErrorKind::Unavailable && !found.checks.is_empty() => {
                found.bad(&line, "the server didn't answer in time; run the preflight again")
            }
            Err(error) => return Err(error),
        };
    }
    Ok(found)
}

async fn rules(cluster: &Cluster, place: &str, budget: &Budget) -> Result<Arc<Rules>, AdapterError> {
    let known = cluster.reviews().0.lock().await.get(place).cloned();
    if let Some((_, rules)) = known.filter(|(asked, _)| asked.elapsed() < FRESH) {
        return Ok(rules);
    }
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": place},
    });
    let answer = cluster.ask(ASK, &Request::post(RULES.to_owned(), body), budget).await?;
    let rules = Arc::new(Rules::of(&answer));
    cluster.reviews().0.lock().await.insert(place.to_owned(), (Instant::now(), Arc::clone(&rules)));
    Ok(rules)
}

async fn one(
    cluster: &Cluster,
    need: &Need,
    place: Option<&str>,
    budget: &Budget,
) -> Result<bool, AdapterError> {
    let answer = cluster.ask(ASK, &Request::post(REVIEWS.to_owned(), body(need, place)), budget).await?;
    Ok(answer.pointer("/status/allowed").and_then(Value::as_bool) == Some(true))
}

fn body(need: &Need, namespace: Option<&str>) -> Value {
    let mut attributes = json!({"verb": need.verb, "group": need.group, "resource": need.resource});
    if let Some(namespace) = namespace {
        attributes["namespace"] = json!(namespace);
    }
    if !need.subresource.is_empty() {
        attributes["subresource"] = json!(need.subresource);
    }
    json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    })
}

fn shown(need: &Need, namespace: Option<&str>) -> String {
    let group = if need.group.is_empty() { String::new() } else { format!(".{}", need.group) };
    let part = if need.subresource.is_empty() { String::new() } else { format!("/{}", need.subresource) };
    let place = namespace.map_or_else(|| "in the cluster".to_owned(), |it| format!("in {it}"));
    format!("may {} {}{part}{group} {place}", need.verb, need.resource)
}

#[cfg(test)]
mod tests;
