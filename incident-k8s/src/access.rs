//! Whether the account may do what an incident will ask of it, asked of the API server itself.

use std::collections::BTreeSet;

use futures_util::StreamExt;
use futures_util::stream;
use incident_core::port::{AdapterError, Preflight};
use serde_json::{Value, json};

use crate::budget::Budget;
use crate::catalogue::{Catalogue, plural};
use crate::client::Cluster;
use crate::request::{Request, Resource};

const ASK: &str = "ask what the account may do";
const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/// One verb on one kind of object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Need {
    verb: &'static str,
    group: String,
    resource: String,
    subresource: &'static str,
    /// Whether it is asked for in each namespace, or once for the cluster.
    namespaced: bool,
}

/// Verbs on a resource or its part, `pods/log`, in each namespace.
pub(crate) fn needs(verbs: &[&'static str], resource: &Resource, subresource: &'static str) -> Vec<Need> {
    let need = |verb: &&'static str| Need {
        verb,
        group: resource.group.to_string(),
        resource: resource.plural.to_string(),
        subresource,
        namespaced: true,
    };
    verbs.iter().map(need).collect()
}

/// A verb on a resource of the cluster.
pub(crate) fn of_cluster(verb: &'static str, resource: &Resource) -> Need {
    let (group, resource) = (resource.group.to_string(), resource.plural.to_string());
    Need { verb, group, resource, subresource: "", namespaced: false }
}

/// What mitigations need.
pub(crate) fn of_mitigations(catalogue: &Catalogue) -> Vec<Need> {
    let workloads = [Resource::DEPLOYMENTS, Resource::STATEFUL_SETS, Resource::DAEMON_SETS];
    let mut all = Vec::new();
    for workload in &workloads {
        all.extend(needs(&["get", "watch", "patch"], workload, ""));
    }
    for scaled in &workloads[..2] {
        all.extend(needs(&["patch"], scaled, "scale"));
    }
    all.extend(needs(&["get", "list"], &Resource::REPLICA_SETS, ""));
    all.extend(needs(&["get", "list"], &Resource::CONTROLLER_REVISIONS, ""));
    all.extend(needs(&["list", "patch"], &Resource::AUTOSCALERS, ""));
    all.extend(needs(&["list"], &Resource::DISRUPTION_BUDGETS, ""));
    all.extend(needs(&["get", "list"], &Resource::PODS, ""));
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

/// Asks for each, in each namespace; nothing is changed by asking.
///
/// # Errors
/// [`AdapterError`] if the server can't be asked.
pub(crate) async fn review(
    cluster: &Cluster,
    needed: &[Need],
    budget: &Budget,
) -> Result<Preflight, AdapterError> {
    let mut asked = Vec::new();
    for need in needed.iter().collect::<BTreeSet<_>>() {
        if need.namespaced {
            let places = cluster.scope().namespaces.iter();
            asked.extend(places.map(|place| (shown(need, Some(place)), body(need, Some(place)))));
        } else {
            asked.push((shown(need, None), body(need, None)));
        }
    }
    let asking = asked.into_iter().map(|(line, body)| async move {
        let answer = cluster.ask(ASK, &Request::post(REVIEWS.to_owned(), body), budget).await?;
        let allowed = answer.pointer("/status/allowed").and_then(Value::as_bool) == Some(true);
        Ok::<_, AdapterError>((line, allowed))
    });
    let answers: Vec<_> = stream::iter(asking).buffered(5).collect().await;
    let mut found = Preflight::default();
    for answer in answers {
        let (line, allowed) = answer?;
        found = if allowed {
            found.good(&line)
        } else {
            found.bad(&line, "grant it, for instance with the roles in incident-k8s/rbac")
        };
    }
    Ok(found)
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
