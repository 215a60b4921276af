//! What the controllers make of workloads: revisions, pods, endpoints, status. Good images are ready at once, those
//! that end in `:bad` never.

use serde_json::{Value, json};

use super::state::{Key, State};

const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";

/// One pass of all controllers.
pub(crate) fn run(state: &mut State) {
    for plural in ["deployments", "statefulsets", "daemonsets"] {
        let keys: Vec<Key> = state.all(plural).map(|(key, _)| key.clone()).collect();
        for key in keys {
            match plural {
                "deployments" => deployment(state, &key),
                "statefulsets" => stateful_set(state, &key),
                _ => daemon_set(state, &key),
            }
        }
    }
    budgets(state);
    endpoints(state);
}

pub(crate) fn is_bad(template: &Value) -> bool {
    let images = template["spec"]["containers"].as_array();
    images.into_iter().flatten().any(|it| it["image"].as_str().is_some_and(|image| image.ends_with(":bad")))
}

/// A name for a template, the same for the same one.
pub(crate) fn hash(template: &Value) -> String {
    let bare = bare(template).to_string();
    let hash = bare.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{:010x}", hash >> 24)
}

fn bare(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
        labels.remove("pod-template-hash");
    }
    if let Some(map) = template.as_object_mut() {
        map.remove("$patch");
    }
    template
}

fn owned<'a>(
    state: &'a State,
    plural: &'a str,
    owner: &'a Value,
) -> impl Iterator<Item = (&'a Key, &'a Value)> {
    state.all(plural).filter(move |(_, object)| {
        let owners = object["metadata"]["ownerReferences"].as_array();
        owners.into_iter().flatten().any(|it| it["uid"] == owner["metadata"]["uid"])
    })
}

fn reference(owner: &Value) -> Value {
    json!([{"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true}])
}

fn number(object: &Value, field: &str) -> i64 {
    object["metadata"]["annotations"][field].as_str().and_then(|it| it.parse().ok()).unwrap_or(0)
}

fn deployment(state: &mut State, key: &Key) {
    let live = state.objects[key].clone();
    if live["spec"]["paused"] == json!(true) {
        let mut paused = live.clone();
        paused["status"]["observedGeneration"] = live["metadata"]["generation"].clone();
        return state.store(key, paused);
    }
    let template = &live["spec"]["template"];
    let wanted = live["spec"]["replicas"].as_i64().unwrap_or(1);
    let sets: Vec<(Key, Value)> =
        owned(state, "replicasets", &live).map(|(key, set)| (key.clone(), set.clone())).collect();
    let newest = sets.iter().map(|(_, set)| number(set, REVISION)).max().unwrap_or(0);
    let same = sets.iter().find(|(_, set)| bare(&set["spec"]["template"]) == *template);
    let (current, mut set) = match same {
        Some((key, set)) => (key.clone(), set.clone()),
        None => {
            let hash = hash(template);
            let name = format!("{}-{hash}", key.name);
            let mut inner = template.clone();
            inner["metadata"]["labels"]["pod-template-hash"] = json!(hash);
            let mut selector = live["spec"]["selector"].clone();
            selector["matchLabels"]["pod-template-hash"] = json!(hash);
            let set = json!({
                "apiVersion": "apps/v1", "kind": "ReplicaSet",
                "metadata": {"name": name, "namespace": key.namespace, "labels": inner["metadata"]["labels"],
                    "annotations": {}, "ownerReferences": reference(&live)},
                "spec": {"replicas": 0, "selector": selector, "template": inner},
                "status": {"replicas": 0},
            });
            let key = state.put(set);
            let set = state.objects[&key].clone();
            (key, set)
        }
    };
    // What people note on the deployment is noted on the revision in force.
    for (name, value) in live["metadata"]["annotations"].as_object().into_iter().flatten() {
        if !name.starts_with("deployment.kubernetes.io/") && !name.ends_with("last-applied-configuration") {
            set["metadata"]["annotations"][name.as_str()] = value.clone();
        }
    }
    // A revision that is used again gets a new number, and remembers the old one.
    let mine = number(&set, REVISION);
    if mine < newest || mine == 0 {
        if mine > 0 {
            set["metadata"]["annotations"][HISTORY] = json!(mine.to_string());
        }
        set["metadata"]["annotations"][REVISION] = json!((newest + 1).to_string());
    }
    let bad = is_bad(template);
    let old_ready = sets
        .iter()
        .filter(|(of, set)| *of != current && !is_bad(&set["spec"]["template"]))
        .any(|(_, set)| set["spec"]["replicas"].as_i64() > Some(0));
    // A bad revision stays at what surges, and the old pods stay with it.
    let stuck = bad && old_ready;
    set["spec"]["replicas"] = json!(if stuck { 1.min(wanted) } else { wanted });
    state.store(&current, set);
    let mut keep = stuck;
    for (of, mut old) in sets.into_iter().filter(|(of, _)| *of != current) {
        let good = !is_bad(&old["spec"]["template"]);
        let runs = old["spec"]["replicas"].as_i64() > Some(0);
        let stays = keep && good && runs;
        old["spec"]["replicas"] = json!(if stays { wanted } else { 0 });
        keep &= !stays;
        state.store(&of, old);
    }
    prune(state, &live);
    let sets: Vec<Key> = owned(state, "replicasets", &live).map(|(key, _)| key.clone()).collect();
    let (mut all, mut ready) = (0, 0);
    for of in &sets {
        let (pods, up) = replica_set(state, of);
        all += pods;
        ready += up;
    }
    status(state, key, &current, wanted, all, ready, stuck || (bad && wanted > 0));
}

/// Old revisions beyond the limit go.
fn prune(state: &mut State, live: &Value) {
    let limit = live["spec"]["revisionHistoryLimit"].as_u64().unwrap_or(10);
    let mut old: Vec<(i64, Key)> = owned(state, "replicasets", live)
        .filter(|(_, set)| set["spec"]["replicas"] == 0)
        .map(|(key, set)| (number(set, REVISION), key.clone()))
        .collect();
    old.sort();
    while old.len() as u64 > limit {
        let (_, key) = old.remove(0);
        state.remove(&key);
    }
}

fn status(state: &mut State, key: &Key, current: &Key, wanted: i64, all: i64, ready: i64, slow: bool) {
    let mut live = state.objects[key].clone();
    let set = &state.objects[current];
    let updated = set["status"]["replicas"].clone();
    live["metadata"]["annotations"][REVISION] = set["metadata"]["annotations"][REVISION].clone();
    let before = live["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let (reason, is) = match (slow, state.overdue) {
        (true, true) => ("ProgressDeadlineExceeded", "False"),
        (true, false) => ("ReplicaSetUpdated", "True"),
        (false, _) => ("NewReplicaSetAvailable", "True"),
    };
    let same = before.iter().find(|it| it["type"] == "Progressing" && it["reason"] == reason);
    let since = same.map_or_else(|| json!(state.stamp()), |it| it["lastUpdateTime"].clone());
    let progressing = json!({"type": "Progressing", "status": is, "reason": reason,
        "lastUpdateTime": since, "lastTransitionTime": since});
    live["status"] = json!({
        "observedGeneration": live["metadata"]["generation"], "replicas": all, "updatedReplicas": updated,
        "readyReplicas": ready, "availableReplicas": ready, "conditions": [progressing],
    });
    if wanted > ready {
        live["status"]["unavailableReplicas"] = json!(wanted - ready);
    }
    state.store(key, live);
}

/// Makes and removes pods; how many there are, and how many of them ready.
fn replica_set(state: &mut State, key: &Key) -> (i64, i64) {
    let set = state.objects[key].clone();
    let wanted = set["spec"]["replicas"].as_i64().unwrap_or(0);
    // A pod that is leaving doesn't count: another one is made at once.
    let pods: Vec<Key> =
        owned(state, "pods", &set).filter(|(_, pod)| !is_leaving(pod)).map(|(key, _)| key.clone()).collect();
    for extra in pods.iter().skip(usize::try_from(wanted).unwrap_or(0)) {
        state.begin_deletion(extra, None);
    }
    for _ in pods.len()..usize::try_from(wanted).unwrap_or(0) {
        let name = format!("{}-{}", key.name, &state.uid()[31..]);
        pod(state, &name, &set, &set["spec"]["template"].clone(), &[]);
    }
    let all: Vec<bool> = owned(state, "pods", &set)
        .filter(|(_, pod)| !is_leaving(pod))
        .map(|(_, pod)| is_ready(pod))
        .collect();
    let (all, ready) = (all.len() as i64, all.iter().filter(|it| **it).count() as i64);
    let mut set = state.objects[key].clone();
    set["status"] = json!({"replicas": all, "readyReplicas": ready, "availableReplicas": ready,
        "observedGeneration": set["metadata"]["generation"]});
    state.store(key, set);
    (all, ready)
}

fn is_leaving(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|it| it["type"] == "Ready" && it["status"] == "True")
}

fn pod(state: &mut State, name: &str, owner: &Value, template: &Value, labels: &[(&str, &str)]) {
    let bad = is_bad(template);
    let stamp = state.stamp();
    let containers = template["spec"]["containers"].as_array().cloned().unwrap_or_default();
    let statuses: Vec<Value> = containers
        .iter()
        .map(|it| {
            let fails = it["image"].as_str().is_some_and(|image| image.ends_with(":bad"));
            let how = if fails {
                json!({"waiting": {"reason": "CrashLoopBackOff"}})
            } else {
                json!({"running": {"startedAt": stamp}})
            };
            json!({"name": it["name"], "image": it["image"], "ready": !fails, "state": how,
                "restartCount": if fails { 4 } else { 0 }})
        })
        .collect();
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": owner["metadata"]["namespace"],
            "labels": template["metadata"]["labels"], "ownerReferences": reference(owner)},
        "spec": template["spec"],
        "status": {"phase": "Running", "podIP": "10.0.0.1", "startTime": stamp, "containerStatuses": statuses,
            "conditions": [{"type": "Ready", "status": if bad { "False" } else { "True" }}]},
    });
    for (key, value) in labels {
        pod["metadata"]["labels"][*key] = json!(value);
    }
    pod["spec"]["nodeName"] = json!("node-1");
    state.put(pod);
}

/// The ControllerRevision of the live template, which gets the highest number; and its name.
fn revision(state: &mut State, key: &Key, live: &Value) -> String {
    let mut template = live["spec"]["template"].clone();
    let name = format!("{}-{}", key.name, hash(&template));
    template["$patch"] = json!("replace");
    let all: Vec<(Key, Value)> =
        owned(state, "controllerrevisions", live).map(|(key, it)| (key.clone(), it.clone())).collect();
    let newest = all.iter().filter_map(|(_, it)| it["revision"].as_i64()).max().unwrap_or(0);
    let same = all.into_iter().find(|(_, it)| it["data"]["spec"]["template"] == template);
    match same {
        Some((of, mut it)) => {
            if it["revision"].as_i64() < Some(newest) {
                it["revision"] = json!(newest + 1);
                state.store(&of, it);
            }
            of.name
        }
        None => {
            state.put(json!({
                "apiVersion": "apps/v1", "kind": "ControllerRevision",
                "metadata": {"name": name, "namespace": key.namespace, "ownerReferences": reference(live),
                    "labels": live["spec"]["template"]["metadata"]["labels"]},
                "revision": newest + 1, "data": {"spec": {"template": template}},
            }));
            name
        }
    }
}

/// Pods in the order of their numbers; one that isn't ready holds all others up, whatever the template says by now.
fn stateful_set(state: &mut State, key: &Key) {
    let live = state.objects[key].clone();
    let update = revision(state, key, &live);
    let wanted = live["spec"]["replicas"].as_i64().unwrap_or(1);
    let template = live["spec"]["template"].clone();
    let of = |ordinal: i64| Key::new("", "pods", &key.namespace, &format!("{}-{ordinal}", key.name));
    let mut held = false;
    for ordinal in 0..wanted {
        match state.objects.get(&of(ordinal)) {
            Some(pod) => held |= !is_ready(pod) || is_leaving(pod),
            None if !held => {
                let labels = [("controller-revision-hash", update.as_str())];
                pod(state, &of(ordinal).name, &live, &template, &labels);
                held |= is_bad(&template);
            }
            None => {}
        }
    }
    for ordinal in (0..wanted).rev().filter(|_| !held) {
        let outdated = |pod: &Value| pod["metadata"]["labels"]["controller-revision-hash"] != json!(update);
        if state.objects.get(&of(ordinal)).is_some_and(outdated) {
            state.begin_deletion(&of(ordinal), None);
            break;
        }
    }
    let extra: Vec<Key> = owned(state, "pods", &live)
        .filter(|(_, pod)| !is_leaving(pod))
        .filter(|(pod, _)| pod.name.rsplit('-').next().and_then(|it| it.parse().ok()) >= Some(wanted))
        .map(|(key, _)| key.clone())
        .collect();
    for pod in &extra {
        state.begin_deletion(pod, None);
    }
    let pods: Vec<Value> = owned(state, "pods", &live).map(|(_, pod)| pod.clone()).collect();
    let updated =
        pods.iter().filter(|it| it["metadata"]["labels"]["controller-revision-hash"] == json!(update));
    let (updated, ready) = (updated.count() as i64, pods.iter().filter(|it| is_ready(it)).count() as i64);
    let mut live = state.objects[key].clone();
    let whole = updated == wanted && ready == wanted;
    let before = live["status"]["currentRevision"].as_str().map(str::to_owned);
    let current = if whole { update.clone() } else { before.unwrap_or_else(|| update.clone()) };
    live["status"] = json!({
        "observedGeneration": live["metadata"]["generation"], "replicas": pods.len(), "readyReplicas": ready,
        "availableReplicas": ready, "updatedReplicas": updated, "currentRevision": current, "updateRevision": update,
    });
    state.store(key, live);
}

fn daemon_set(state: &mut State, key: &Key) {
    let live = state.objects[key].clone();
    let update = revision(state, key, &live);
    let bad = is_bad(&live["spec"]["template"]);
    let (updated, available) = if bad { (1, 1) } else { (2, 2) };
    let mut live = state.objects[key].clone();
    live["status"] = json!({
        "observedGeneration": live["metadata"]["generation"], "desiredNumberScheduled": 2,
        "currentNumberScheduled": 2, "updatedNumberScheduled": updated, "numberAvailable": available,
        "numberReady": available,
    });
    let _ = update;
    state.store(key, live);
}

fn budgets(state: &mut State) {
    let budgets: Vec<(Key, Value)> =
        state.all("poddisruptionbudgets").map(|(key, it)| (key.clone(), it.clone())).collect();
    for (key, mut budget) in budgets {
        let labels = budget["spec"]["selector"]["matchLabels"].as_object().cloned().unwrap_or_default();
        let fits = |pod: &Value| labels.iter().all(|(key, value)| pod["metadata"]["labels"][key] == *value);
        let healthy = state.all("pods").filter(|(_, pod)| fits(pod) && is_ready(pod)).count() as i64;
        let needed = budget["spec"]["minAvailable"].as_i64().unwrap_or(0);
        budget["status"] = json!({"currentHealthy": healthy, "desiredHealthy": needed,
            "disruptionsAllowed": (healthy - needed).max(0), "expectedPods": healthy});
        state.store(&key, budget);
    }
}

fn endpoints(state: &mut State) {
    let services: Vec<Value> = state.all("services").map(|(_, it)| it.clone()).collect();
    for service in services {
        let name = service["metadata"]["name"].as_str().unwrap_or_default();
        let namespace = service["metadata"]["namespace"].as_str().unwrap_or_default();
        let labels = service["spec"]["selector"].as_object().cloned().unwrap_or_default();
        let fits = |pod: &Value| labels.iter().all(|(key, value)| pod["metadata"]["labels"][key] == *value);
        let endpoints: Vec<Value> = state
            .all("pods")
            .filter(|(_, pod)| !labels.is_empty() && fits(pod))
            .map(|(_, pod)| json!({
                    "addresses": [pod["status"]["podIP"]], "conditions": {"ready": is_ready(pod) && !is_leaving(pod)},
                    "targetRef": {"kind": "Pod", "name": pod["metadata"]["name"], "namespace": namespace,
                        "uid": pod["metadata"]["uid"]}}))
            .collect();
        let key = Key::new("discovery.k8s.io", "endpointslices", namespace, &format!("{name}-x"));
        let mut slice = state.objects.get(&key).cloned().unwrap_or_else(|| {
            json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
                "metadata": {"name": key.name, "namespace": namespace,
                    "labels": {"kubernetes.io/service-name": name}}})
        });
        slice["endpoints"] = json!(endpoints);
        if state.objects.contains_key(&key) { state.store(&key, slice) } else { drop(state.put(slice)) }
    }
}
