//! Requests to the API server, built without I/O.

use std::borrow::Cow;
use std::fmt::Write as _;

use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue, USER_AGENT};
use kube::client::Body;
use serde_json::{Value, json};

use crate::error::Purpose;
use crate::object::{escaped, set};
use crate::target::Target;

/// A kind of object as the API's paths name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) group: Cow<'static, str>,
    pub(crate) version: Cow<'static, str>,
    pub(crate) plural: Cow<'static, str>,
}

const fn resource(group: &'static str, version: &'static str, plural: &'static str) -> Resource {
    Resource { group: Cow::Borrowed(group), version: Cow::Borrowed(version), plural: Cow::Borrowed(plural) }
}

impl Resource {
    pub(crate) const PODS: Self = resource("", "v1", "pods");
    pub(crate) const SERVICES: Self = resource("", "v1", "services");
    pub(crate) const EVENTS: Self = resource("", "v1", "events");
    pub(crate) const CONFIG_MAPS: Self = resource("", "v1", "configmaps");
    pub(crate) const SECRETS: Self = resource("", "v1", "secrets");
    pub(crate) const DEPLOYMENTS: Self = resource("apps", "v1", "deployments");
    pub(crate) const STATEFUL_SETS: Self = resource("apps", "v1", "statefulsets");
    pub(crate) const DAEMON_SETS: Self = resource("apps", "v1", "daemonsets");
    pub(crate) const REPLICA_SETS: Self = resource("apps", "v1", "replicasets");
    pub(crate) const CONTROLLER_REVISIONS: Self = resource("apps", "v1", "controllerrevisions");
    pub(crate) const AUTOSCALERS: Self = resource("autoscaling", "v2", "horizontalpodautoscalers");
    pub(crate) const SCALED_OBJECTS: Self = resource("keda.sh", "v1alpha1", "scaledobjects");
    pub(crate) const DISRUPTION_BUDGETS: Self = resource("policy", "v1", "poddisruptionbudgets");
    pub(crate) const ENDPOINT_SLICES: Self = resource("discovery.k8s.io", "v1", "endpointslices");
    pub(crate) const POD_METRICS: Self = resource("metrics.k8s.io", "v1beta1", "pods");
    pub(crate) const NODE_METRICS: Self = resource("metrics.k8s.io", "v1beta1", "nodes");

    pub(crate) fn new(api_version: &str, plural: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let own = |text: &str| Cow::Owned(text.to_owned());
        Self { group: own(group), version: own(version), plural: own(plural) }
    }

    /// The path of all objects in `namespace`, or in the cluster.
    pub(crate) fn path(&self, namespace: Option<&str>) -> String {
        let mut path = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        if let Some(namespace) = namespace {
            let _ = write!(path, "/namespaces/{namespace}");
        }
        let _ = write!(path, "/{}", self.plural);
        path
    }

    /// As permissions name it: `deployments.apps`, `pods`.
    pub(crate) fn shown(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_string()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }
}

/// One request, before it has a connection.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    accept: &'static str,
    is_dry_run: bool,
    pub(crate) body: Option<(&'static str, Value)>,
}

pub(crate) const JSON: &str = "application/json";
pub(crate) const JSON_PATCH: &str = "application/json-patch+json";
pub(crate) const MERGE_PATCH: &str = "application/merge-patch+json";
pub(crate) const APPLY_PATCH: &str = "application/apply-patch+yaml";

impl Request {
    fn new(method: Method, path: String) -> Self {
        Self { method, path, query: Vec::new(), accept: JSON, is_dry_run: false, body: None }
    }

    /// What is at `path`.
    pub(crate) fn at(path: String) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn get(resource: &Resource, namespace: &str, name: &str) -> Self {
        Self::new(Method::GET, format!("{}/{name}", resource.path(Some(namespace))))
    }

    pub(crate) fn of(target: &Target) -> Self {
        Self::get(&target.kind.resource(), &target.namespace, &target.name)
    }

    pub(crate) fn list(resource: &Resource, namespace: Option<&str>) -> Self {
        Self::new(Method::GET, resource.path(namespace))
    }

    pub(crate) fn post(path: String, body: Value) -> Self {
        Self { body: Some((JSON, body)), ..Self::new(Method::POST, path) }
    }

    /// The same object or its part, to be patched.
    pub(crate) fn patch(mut self, kind: &'static str, patch: Value, manager: &str) -> Self {
        self.method = Method::PATCH;
        self.body = Some((kind, patch));
        self.with("fieldManager", manager)
    }

    /// The same object, to be deleted if it is still the one with this uid.
    pub(crate) fn delete(mut self, uid: &str) -> Self {
        self.method = Method::DELETE;
        self.body = Some((
            JSON,
            json!({
                "apiVersion": "v1", "kind": "DeleteOptions",
                "preconditions": {"uid": uid}, "propagationPolicy": "Background",
            }),
        ));
        self
    }

    pub(crate) fn subresource(mut self, name: &str) -> Self {
        self.path = format!("{}/{name}", self.path);
        self
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Of a list, only what every object has: no data leaves the server.
    pub(crate) fn metadata_only(mut self) -> Self {
        self.accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        self
    }

    /// To be tried out: the server runs everything but the last step, admission included.
    ///
    /// A deletion that has a body takes its options from there alone: in the query, this would delete.
    pub(crate) fn dry_run(mut self) -> Self {
        self.is_dry_run = true;
        if self.method == Method::DELETE
            && let Some((_, options)) = &mut self.body
        {
            set(options, &["dryRun"], json!(["All"]));
            return self;
        }
        self.with("dryRun", "All")
    }

    /// Whether it changes something.
    pub(crate) fn purpose(&self) -> Purpose {
        let asks = self.path.starts_with("/apis/authorization.k8s.io/");
        if self.method == Method::GET || self.is_dry_run || asks { Purpose::Read } else { Purpose::Write }
    }

    /// As it goes to the client.
    pub(crate) fn build(&self) -> Result<http::Request<Body>, http::Error> {
        let mut uri = self.path.clone();
        for (place, (name, value)) in self.query.iter().enumerate() {
            let _ = write!(uri, "{}{name}={}", if place == 0 { '?' } else { '&' }, encoded(value));
        }
        let request = http::Request::builder()
            .method(self.method.clone())
            .uri(uri)
            .header(ACCEPT, HeaderValue::from_static(self.accept))
            .header(
                USER_AGENT,
                HeaderValue::from_static(concat!("incident-k8s/", env!("CARGO_PKG_VERSION"))),
            );
        match &self.body {
            Some((kind, body)) => request
                .header(CONTENT_TYPE, HeaderValue::from_static(kind))
                .body(Body::from(body.to_string().into_bytes())),
            None => request.body(Body::empty()),
        }
    }
}

/// The annotation that names the effect which changed an object last.
pub(crate) const MARKER: &str = "incident-rs.github.io/effect";

/// A JSON Patch that replaces `at` in `live`, sets or removes further annotations, names the effect, and fails with a
/// conflict if somebody was faster.
pub(crate) fn replacement(
    live: &Value,
    at: &str,
    value: &Value,
    effect: &str,
    annotations: &[(&str, Option<&str>)],
) -> Value {
    let mut patch = vec![
        json!({"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]}),
        json!({"op": if live.pointer(at).is_some() { "replace" } else { "add" }, "path": at, "value": value}),
    ];
    let present = live.pointer("/metadata/annotations").filter(|it| it.is_object());
    if present.is_none() {
        patch.push(json!({"op": "add", "path": "/metadata/annotations", "value": {}}));
    }
    for (name, value) in annotations.iter().copied().chain([(MARKER, Some(effect))]) {
        let path = format!("/metadata/annotations/{}", escaped(name));
        match value {
            Some(value) => patch.push(json!({"op": "add", "path": path, "value": value})),
            None if present.is_some_and(|it| it.get(name).is_some()) => {
                patch.push(json!({"op": "remove", "path": path}));
            }
            None => {}
        }
    }
    Value::Array(patch)
}

/// `text` as a value of a query.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_queries_are_those_of_the_api() {
        for (request, expect) in [
            (Request::get(&Resource::PODS, "shop", "a"), "GET /api/v1/namespaces/shop/pods/a"),
            (Request::list(&Resource::NODE_METRICS, None), "GET /apis/metrics.k8s.io/v1beta1/nodes"),
            (
                Request::list(&Resource::PODS, Some("shop")).with("labelSelector", "app in (a,b),!c"),
                "GET /api/v1/namespaces/shop/pods?labelSelector=app%20in%20%28a%2Cb%29%2C%21c",
            ),
            (
                Request::get(&Resource::DEPLOYMENTS, "shop", "a")
                    .subresource("scale")
                    .patch(MERGE_PATCH, json!({}), "incident-response")
                    .dry_run(),
                "PATCH /apis/apps/v1/namespaces/shop/deployments/a/scale?fieldManager=incident-response&dryRun=All",
            ),
            (
                Request::get(&Resource::new("networking.k8s.io/v1", "ingresses"), "shop", "a").delete("u"),
                "DELETE /apis/networking.k8s.io/v1/namespaces/shop/ingresses/a",
            ),
        ] {
            let built = request.build().unwrap();
            assert_eq!(format!("{} {}", built.method(), built.uri()), expect);
        }
    }

    #[test]
    fn trying_out_and_asking_change_nothing() {
        let patch = Request::get(&Resource::PODS, "shop", "a").patch(MERGE_PATCH, json!({}), "m");
        assert_eq!(patch.purpose(), Purpose::Write);
        assert_eq!(patch.dry_run().purpose(), Purpose::Read);
        let delete = Request::get(&Resource::PODS, "shop", "a").delete("u");
        assert_eq!(delete.purpose(), Purpose::Write);
        let tried = delete.dry_run();
        let (_, options) = tried.body.as_ref().unwrap();
        assert_eq!((tried.purpose(), &options["dryRun"]), (Purpose::Read, &json!(["All"])));
        let ask = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews".to_owned();
        assert_eq!(Request::post(ask, json!({})).purpose(), Purpose::Read);
    }

    #[test]
    fn a_replacement_is_held_to_the_version_it_was_made_for() {
        let live = json!({"metadata": {"resourceVersion": "7"}, "spec": {"a": 1}});
        assert_eq!(
            replacement(&live, "/spec/a", &json!(2), "e", &[("why", Some("because")), ("gone", None)]),
            json!([
                {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
                {"op": "replace", "path": "/spec/a", "value": 2},
                {"op": "add", "path": "/metadata/annotations", "value": {}},
                {"op": "add", "path": "/metadata/annotations/why", "value": "because"},
                {"op": "add", "path": "/metadata/annotations/incident-rs.github.io~1effect", "value": "e"},
            ])
        );
        let live = json!({"metadata": {"resourceVersion": "7", "annotations": {"x": "y"}}, "spec": {}});
        let patch = replacement(&live, "/spec/a", &json!(2), "e", &[("x", None)]);
        assert_eq!((&patch[1]["op"], &patch[2]["op"]), (&json!("add"), &json!("remove")));
        assert_eq!(patch[3]["path"], "/metadata/annotations/incident-rs.github.io~1effect");
    }
}
