//! What the server does to an object before it stores it: unknown fields go, defaults come, and what is invalid is refused.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::state::Key;

/// The fields that the server knows, by the kind of what has them. A kind that isn't here keeps everything, as a custom
/// resource without a schema does. The one "from the future" is known to the server and not to the adapter.
const KNOWN: [(&str, &[&str]); 5] = [
    (
        "container",
        &[
            "name",
            "image",
            "command",
            "args",
            "env",
            "envFrom",
            "ports",
            "resources",
            "volumeMounts",
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
            "lifecycle",
            "imagePullPolicy",
            "terminationMessagePath",
            "terminationMessagePolicy",
            "securityContext",
            "workingDir",
            "aFieldFromTheFuture",
        ],
    ),
    (
        "services",
        &[
            "selector",
            "ports",
            "type",
            "clusterIP",
            "clusterIPs",
            "ipFamilies",
            "sessionAffinity",
            "externalName",
            "internalTrafficPolicy",
        ],
    ),
    ("ingresses", &["ingressClassName", "defaultBackend", "rules", "tls"]),
    ("horizontalpodautoscalers", &["minReplicas", "maxReplicas", "scaleTargetRef", "metrics", "behavior"]),
    ("configmaps", &["apiVersion", "kind", "metadata", "data", "binaryData", "immutable"]),
];

fn known(of: &str) -> Option<&'static [&'static str]> {
    KNOWN.iter().find(|(name, _)| *name == of).map(|(_, fields)| *fields)
}

fn keep(object: Option<&mut Value>, fields: &[&str]) {
    if let Some(map) = object.and_then(Value::as_object_mut) {
        map.retain(|name, _| fields.contains(&name.as_str()));
    }
}

fn fill(object: &mut Value, defaults: Value) {
    if let (Some(map), Value::Object(defaults)) = (object.as_object_mut(), defaults) {
        for (name, value) in defaults {
            map.entry(name).or_insert(value);
        }
    }
}

/// Drops what the server doesn't know and fills in what it does by itself.
pub(crate) fn complete(key: &Key, object: &mut Value) {
    match key.plural.as_str() {
        "configmaps" => keep(Some(object), known("configmaps").unwrap()),
        plural @ ("services" | "ingresses" | "horizontalpodautoscalers") => {
            keep(object.get_mut("spec"), known(plural).unwrap());
        }
        "deployments" | "statefulsets" | "daemonsets" => {
            if let Some(template) = object.pointer_mut("/spec/template") {
                complete_template(template);
            }
        }
        _ => {}
    }
    if let Some(spec) = object.get_mut("spec").filter(|it| it.is_object()) {
        fill(
            spec,
            match key.plural.as_str() {
                "deployments" => {
                    json!({"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
                    "strategy": {"type": "RollingUpdate",
                        "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}})
                }
                "statefulsets" => json!({"replicas": 1, "revisionHistoryLimit": 10,
                    "podManagementPolicy": "OrderedReady",
                    "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}}),
                "horizontalpodautoscalers" => json!({"minReplicas": 1}),
                "services" => json!({"type": "ClusterIP", "sessionAffinity": "None"}),
                _ => json!({}),
            },
        );
    }
}

fn complete_template(template: &mut Value) {
    if let Some(spec) = template.get_mut("spec").filter(|it| it.is_object()) {
        fill(spec, json!({"restartPolicy": "Always", "dnsPolicy": "ClusterFirst"}));
        for list in ["containers", "initContainers"] {
            for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                keep(Some(container), known("container").unwrap());
                fill(container, json!({"imagePullPolicy": "IfNotPresent", "resources": {}}));
            }
        }
    }
}

/// What the server finds wrong with `after`, which replaces `live` or is made anew.
pub(crate) fn validate(key: &Key, live: Option<&Value>, after: &Value) -> Result<(), Answer> {
    let wrong = |field: &str, why: &str| Err(Answer::invalid(key, field, why));
    for field in ["name", "namespace", "uid"] {
        if live.is_some_and(|live| live["metadata"][field] != after["metadata"][field]) {
            return wrong(&format!("metadata.{field}"), "Invalid value: field is immutable");
        }
    }
    if !is_name(&key.name) {
        return wrong("metadata.name", "Invalid value: a lowercase RFC 1123 subdomain must consist of …");
    }
    for (name, _) in map(after, "/metadata/labels") {
        if !is_label(&name) {
            return wrong(
                "metadata.labels",
                "Invalid value: name part must consist of alphanumeric characters",
            );
        }
    }
    if after["spec"]["replicas"].as_i64().is_some_and(|it| it < 0) {
        return wrong("spec.replicas", "Invalid value: must be greater than or equal to 0");
    }
    resources(key, after)?;
    match key.plural.as_str() {
        "deployments" | "statefulsets" | "daemonsets" => workload(key, live, after),
        "ingresses" => ingress(key, after),
        "horizontalpodautoscalers" => autoscaler(key, after),
        "services" => {
            for (name, value) in map(after, "/spec/selector") {
                if !is_label(&name) || value.as_str().is_none_or(|value| !is_label_value(value)) {
                    return wrong(
                        "spec.selector",
                        "Invalid value: a valid label must be an empty string or …",
                    );
                }
            }
            Ok(())
        }
        "configmaps" if live.is_some_and(|live| live["immutable"] == json!(true)) => {
            let live = live.unwrap();
            if live.get("data") != after.get("data") || after["immutable"] != json!(true) {
                return wrong("data", "Forbidden: field is immutable when `immutable` is set");
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn workload(key: &Key, live: Option<&Value>, after: &Value) -> Result<(), Answer> {
    let wrong = |field: &str, why: &str| Err(Answer::invalid(key, field, why));
    if live.is_some_and(|live| live["spec"]["selector"] != after["spec"]["selector"]) {
        return wrong("spec.selector", "Invalid value: field is immutable");
    }
    let labels = map(after, "/spec/template/metadata/labels");
    for (name, value) in map(after, "/spec/selector/matchLabels") {
        if labels.get(&name) != Some(&value) {
            let why = "Invalid value: `selector` does not match template `labels`";
            return wrong("spec.template.metadata.labels", why);
        }
    }
    if let (Some(live), "statefulsets") = (live, key.plural.as_str()) {
        for fixed in ["serviceName", "podManagementPolicy", "volumeClaimTemplates"] {
            if live["spec"][fixed] != after["spec"][fixed] {
                return wrong("spec", "Forbidden: updates to statefulset spec for fields other than …");
            }
        }
    }
    let containers = after.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    if containers.is_none_or(Vec::is_empty) {
        return wrong("spec.template.spec.containers", "Required value");
    }
    Ok(())
}

fn resources(key: &Key, after: &Value) -> Result<(), Answer> {
    let containers = after.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    for (place, container) in containers.into_iter().flatten().enumerate() {
        let at = format!("spec.template.spec.containers[{place}].resources");
        let (requests, limits) = (map(container, "/resources/requests"), map(container, "/resources/limits"));
        // What isn't a quantity can't even be decoded, so the server names no place.
        if requests.values().chain(limits.values()).any(|it| amount(it).is_none()) {
            return Err(Answer::undecodable(
                after,
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            ));
        }
        for (name, request) in &requests {
            if limits.contains_key(name) && limits.get(name).and_then(amount) < amount(request) {
                let why = "Invalid value: must be less than or equal to the limit";
                return Err(Answer::invalid(key, &format!("{at}.requests"), why));
            }
        }
    }
    Ok(())
}

fn ingress(key: &Key, after: &Value) -> Result<(), Answer> {
    let default = after.pointer("/spec/defaultBackend").map(|it| ("spec.defaultBackend".to_owned(), it));
    let mut backends: Vec<_> = default.into_iter().collect();
    for (rule, it) in after.pointer("/spec/rules").and_then(Value::as_array).into_iter().flatten().enumerate()
    {
        for (place, path) in
            it.pointer("/http/paths").and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            backends.push((format!("spec.rules[{rule}].http.paths[{place}].backend"), &path["backend"]));
        }
    }
    for (at, backend) in backends {
        let service = &backend["service"];
        if !service.is_object() {
            return Err(Answer::invalid(key, &at, "Required value: either service or resource is required"));
        }
        if service["name"].as_str().is_none_or(str::is_empty) {
            return Err(Answer::invalid(key, &format!("{at}.service.name"), "Required value"));
        }
        if service["port"].get("number").or_else(|| service["port"].get("name")).is_none() {
            let why = "Required value: port name or number is required";
            return Err(Answer::invalid(key, &format!("{at}.service.port"), why));
        }
    }
    Ok(())
}

fn autoscaler(key: &Key, after: &Value) -> Result<(), Answer> {
    let (least, most) = (after["spec"]["minReplicas"].as_i64(), after["spec"]["maxReplicas"].as_i64());
    if least.is_some_and(|it| it < 1) {
        return Err(Answer::invalid(
            key,
            "spec.minReplicas",
            "Invalid value: must be greater than or equal to 1",
        ));
    }
    if most < Some(1) || most < least {
        let why = "Invalid value: must be greater than or equal to `minReplicas`";
        return Err(Answer::invalid(key, "spec.maxReplicas", why));
    }
    Ok(())
}

fn map(object: &Value, at: &str) -> Map<String, Value> {
    object.pointer(at).and_then(Value::as_object).cloned().unwrap_or_default()
}

fn is_name(name: &str) -> bool {
    let inner = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || matches!(it, '-' | '.');
    !name.is_empty() && name.len() <= 253 && name.chars().all(inner)
}

fn is_label(name: &str) -> bool {
    is_label_value(name.rsplit('/').next().unwrap_or_default())
}

fn is_label_value(value: &str) -> bool {
    value.len() <= 63 && value.chars().all(|it| it.is_ascii_alphanumeric() || "-_.".contains(it))
}

fn amount(quantity: &Value) -> Option<f64> {
    let text = match quantity {
        Value::Number(number) => return number.as_f64(),
        other => other.as_str()?,
    };
    let end = text.find(|it: char| !(it.is_ascii_digit() || it == '.')).unwrap_or(text.len());
    let factor = match &text[end..] {
        "" => 1.0,
        "m" => 0.001,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    text[..end].parse::<f64>().ok().map(|number| number * factor)
}
