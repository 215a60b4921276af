//! Where a scenario plays: the tests' server, or a cluster with a namespace of its own.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Duration;

use futures_util::FutureExt;
use incident_k8s::{FeatureConfig, K8sBackend, K8sConfig, RouteConfig};
use kube::client::Body;
use serde_json::{Value, json};

use crate::support::Fake;

/// How long anything may take.
const LONGEST: Duration = Duration::from_secs(90);

pub(crate) struct Place {
    client: kube::Client,
    pub(crate) namespace: String,
    fake: Option<Fake>,
}

type Playing<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

impl Place {
    pub(crate) async fn fake() -> Self {
        let fake = Fake::start().await;
        Self { client: fake.client(), namespace: "shop".to_owned(), fake: Some(fake) }
    }

    /// The current context of the kubeconfig, in which a namespace is made.
    pub(crate) async fn cluster() -> Self {
        let options = kube::config::KubeConfigOptions::default();
        let mut config = kube::Config::from_kubeconfig(&options).await.expect("KUBECONFIG names a cluster");
        config.default_retry = false;
        let client = kube::Client::try_from(config).unwrap();
        let made =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": "incident-e2e-"}});
        let made = send(&client, "POST", "/api/v1/namespaces", "application/json", Some(&made)).await;
        let namespace = made["metadata"]["name"].as_str().expect("a namespace was made").to_owned();
        Self { client, namespace, fake: None }
    }

    /// Plays a scenario, and takes the namespace away whatever came of it.
    pub(crate) async fn run(self, scenario: for<'a> fn(&'a Self) -> Playing<'a>) {
        let playing = AssertUnwindSafe(scenario(&self)).catch_unwind();
        let outcome = tokio::time::timeout(LONGEST * 3, playing).await;
        if self.fake.is_none() {
            let path = format!("/api/v1/namespaces/{}", self.namespace);
            send(&self.client, "DELETE", &path, "application/json", None).await;
        }
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => panic!("it takes too long"),
        }
    }

    pub(crate) fn is_fake(&self) -> bool {
        self.fake.is_some()
    }

    pub(crate) fn backend(&self) -> K8sBackend {
        let mut config = K8sConfig::new("e2e", &self.namespace);
        // Where nothing ever runs, nobody waits long for it.
        config.verify_within = Duration::from_secs(10);
        config.features.insert("x".to_owned(), FeatureConfig::new("deployment/web", "web", "FEATURE_X"));
        let page = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "page"}, "data": {"on": "yes"}});
        let places = [
            ("maintenance".to_owned(), RouteConfig::manifest(page)),
            ("blue".to_owned(), RouteConfig::selector([("app", "blue")])),
        ];
        config.routes.insert("web".to_owned(), places.into());
        K8sBackend::with_client(config, self.client.clone()).unwrap()
    }

    fn path(&self, plural: &str) -> String {
        let api = match plural.split('/').next().unwrap_or_default() {
            "deployments" | "replicasets" => "/apis/apps/v1",
            _ => "/api/v1",
        };
        format!("{api}/namespaces/{}/{plural}", self.namespace)
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        send(&self.client, "GET", &self.path(path), "application/json", None).await
    }

    pub(crate) async fn create(&self, plural: &str, object: Value) {
        let made = send(&self.client, "POST", &self.path(plural), "application/json", Some(&object)).await;
        assert!(made["metadata"]["uid"].is_string(), "{made}");
    }

    /// Changes an object as somebody else would.
    pub(crate) async fn merge(&self, path: &str, patch: Value) {
        let kind = "application/strategic-merge-patch+json";
        let changed = send(&self.client, "PATCH", &self.path(path), kind, Some(&patch)).await;
        assert!(changed["metadata"]["uid"].is_string(), "{changed}");
    }

    /// A deployment `name` of `image`, seen by its controller.
    pub(crate) async fn deploy(&self, name: &str, image: &str) {
        let container = json!({"name": "web", "image": image, "env": [{"name": "FEATURE_X", "value": "true"}],
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}}});
        let labels = json!({"app": name});
        let deployment = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"replicas": 2, "progressDeadlineSeconds": 5, "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container],
                    "terminationGracePeriodSeconds": 0}}},
        });
        self.create("deployments", deployment).await;
        self.observed(name).await;
    }

    pub(crate) async fn set_image(&self, name: &str, image: &str) {
        let containers = json!([{"name": "web", "image": image}]);
        let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
        self.merge(&format!("deployments/{name}"), patch).await;
        self.observed(name).await;
    }

    pub(crate) async fn container(&self, name: &str) -> Value {
        self.get(&format!("deployments/{name}")).await["spec"]["template"]["spec"]["containers"][0].clone()
    }

    async fn observed(&self, name: &str) {
        let path = format!("deployments/{name}");
        self.until("the controller sees it", || async {
            let it = self.get(&path).await;
            it["status"]["observedGeneration"] == it["metadata"]["generation"]
        })
        .await;
    }

    /// Waits until something is so.
    pub(crate) async fn until<F: Future<Output = bool>>(&self, what: &str, so: impl Fn() -> F) {
        let waiting = async {
            while !so().await {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        assert!(tokio::time::timeout(LONGEST, waiting).await.is_ok(), "it takes too long until {what}");
    }
}

async fn send(client: &kube::Client, method: &str, path: &str, kind: &str, body: Option<&Value>) -> Value {
    let request = http::Request::builder().method(method).uri(path).header("content-type", kind);
    let bytes = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
    let answer = client.send(request.body(Body::from(bytes)).unwrap()).await.unwrap();
    let body = answer.into_body().collect_bytes().await.unwrap();
    serde_json::from_slice(&body).unwrap_or_default()
}
