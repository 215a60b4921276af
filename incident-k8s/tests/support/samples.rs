//! Objects to begin with, all in the namespace `shop`.

use serde_json::{Value, json};

/// A template of one container `web` and a sidecar.
pub(crate) fn template(app: &str, image: &str) -> Value {
    json!({
        "metadata": {"labels": {"app": app}},
        "spec": {
            "containers": [
                {"name": "web", "image": image,
                    "env": [{"name": "FEATURE_X", "value": "true"},
                        {"name": "DB_URL", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}],
                    "resources": {"requests": {"cpu": "100m", "memory": "64Mi"},
                        "limits": {"cpu": "1", "memory": "256Mi"}}},
                {"name": "sidecar", "image": "shop/proxy:7", "aFieldFromTheFuture": {"kept": true}},
            ],
            "restartPolicy": "Always",
        },
    })
}

pub(crate) fn deployment(name: &str, image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": name}},
        "spec": {
            "replicas": 3, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": {"app": name}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
            "template": template(name, image),
        },
        "status": {},
    })
}

pub(crate) fn stateful_set(name: &str, image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "replicas": 3, "revisionHistoryLimit": 10, "podManagementPolicy": "OrderedReady",
            "selector": {"matchLabels": {"app": name}}, "serviceName": name,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "template": template(name, image),
        },
        "status": {},
    })
}

pub(crate) fn daemon_set(name: &str, image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "revisionHistoryLimit": 10, "selector": {"matchLabels": {"app": name}},
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
            "template": template(name, image),
        },
        "status": {},
    })
}

pub(crate) fn autoscaler(workload: &str, least: i64, most: i64) -> Value {
    json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": format!("{workload}-hpa"), "namespace": "shop"},
        "spec": {"minReplicas": least, "maxReplicas": most,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload}},
        "status": {"currentReplicas": 3},
    })
}

pub(crate) fn budget(app: &str, least: i64) -> Value {
    json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": format!("{app}-budget"), "namespace": "shop"},
        "spec": {"minAvailable": least, "selector": {"matchLabels": {"app": app}}},
    })
}

pub(crate) fn service(name: &str, app: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"selector": {"app": app}, "ports": [{"port": 80}]},
    })
}

pub(crate) fn ingress(name: &str, backend: &str) -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": name, "namespace": "shop", "annotations": {"team": "shop"}},
        "spec": {"ingressClassName": "nginx",
            "defaultBackend": {"service": {"name": backend, "port": {"number": 80}}}},
    })
}

/// Gives the first container of a workload another image.
pub(crate) fn set_image(image: &'static str) -> impl FnOnce(&mut Value) {
    move |workload| workload["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image)
}
