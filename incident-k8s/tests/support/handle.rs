//! What the server does with a request.

use serde_json::{Value, json};

use super::answer::Answer;
use super::state::{Key, State, count};
use super::{Asked, admit, patch, selector};

/// Where a request goes: a kind of object in a namespace, perhaps one object, perhaps a part of it.
struct Place {
    key: Key,
    part: String,
}

pub(crate) fn handle(state: &mut State, asked: &Asked) -> Answer {
    if asked.path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" {
        return review(state, &asked.json());
    }
    if asked.path == "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews" {
        return rules(state);
    }
    let Some(place) = place(&asked.path) else { return Answer::no_api() };
    let Place { key, part } = &place;
    if let Some(refused) = forbidden(state, asked, key, part) {
        return refused;
    }
    if state.absent.contains(&key.group) || !Key::is_served(&key.group) {
        return Answer::no_api();
    }
    if !Key::is_known(&key.group, &key.plural) {
        return Answer::no_resource();
    }
    match (asked.method.as_str(), part.as_str()) {
        ("GET", "") if key.name.is_empty() => list(state, asked, key),
        ("GET", "log") => log(state, asked, key),
        ("GET", "scale") => {
            found(state, key).map_or_else(|no| no, |object| Answer::json(200, &scale_of(key, object)))
        }
        ("GET", _) => found(state, key).map_or_else(|no| no, |object| Answer::json(200, object)),
        ("POST", "eviction") => evict(state, asked, key),
        ("POST", "") => create(state, asked, key),
        ("DELETE", "") => delete(state, key, &asked.json(), asked.is_dry_run()),
        ("PUT", "") => replace(state, asked, key).unwrap_or_else(|no| no),
        ("PATCH", "scale") => scale(state, asked, key).unwrap_or_else(|no| no),
        ("PATCH", _) => change(state, asked, key, part).unwrap_or_else(|no| no),
        _ => Answer::failure(405, "MethodNotAllowed", "the server does not allow this method", json!({})),
    }
}

fn place(path: &str) -> Option<Place> {
    let mut steps = path.trim_start_matches('/').split('/').map(str::to_owned);
    let group = match steps.next()?.as_str() {
        "api" => String::new(),
        "apis" => steps.next()?,
        _ => return None,
    };
    let (_version, mut next) = (steps.next()?, steps.next()?);
    let mut namespace = String::new();
    let rest: Vec<String> = steps.collect();
    let mut rest = rest.into_iter();
    if next == "namespaces" && rest.len() >= 2 {
        namespace = rest.next()?;
        next = rest.next()?;
    }
    let name = rest.next().unwrap_or_default();
    let key = Key { group, plural: next, namespace, name };
    Some(Place { key, part: rest.next().unwrap_or_default() })
}

fn forbidden(state: &State, asked: &Asked, key: &Key, part: &str) -> Option<Answer> {
    let verb = match (asked.method.as_str(), key.name.is_empty()) {
        ("GET", _) if asked.parameter("watch").is_some() => "watch",
        ("GET", true) => "list",
        ("GET", false) => "get",
        ("POST", _) => "create",
        ("PATCH", _) => "patch",
        _ => "delete",
    };
    let resource = if part.is_empty() { key.plural.clone() } else { format!("{}/{part}", key.plural) };
    state.denied.contains(&format!("{verb} {resource}")).then(|| Answer::forbidden(verb, key, part))
}

fn review(state: &State, asked: &Value) -> Answer {
    let of = |name: &str| asked["spec"]["resourceAttributes"][name].as_str().unwrap_or_default().to_owned();
    let part = of("subresource");
    let resource = if part.is_empty() { of("resource") } else { format!("{}/{part}", of("resource")) };
    let allowed = !state.denied.contains(&format!("{} {resource}", of("verb")));
    let mut answer = asked.clone();
    answer["status"] = json!({"allowed": allowed});
    Answer::json(201, &answer)
}

/// Every verb on every resource but those that are denied, as rules; nothing where the server can't list them.
fn rules(state: &State) -> Answer {
    let mut rules = Vec::new();
    let parts = ["", "/log", "/exec", "/eviction", "/scale"];
    for (group, plural) in Key::all().filter(|_| !state.incomplete) {
        for part in parts {
            let resource = format!("{plural}{part}");
            let verbs = ["get", "list", "watch", "create", "update", "patch", "delete"].into_iter();
            let verbs: Vec<_> =
                verbs.filter(|verb| !state.denied.contains(&format!("{verb} {resource}"))).collect();
            rules.push(json!({"verbs": verbs, "apiGroups": [group], "resources": [resource]}));
        }
    }
    Answer::json(
        201,
        &json!({"kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1",
            "status": {"resourceRules": rules, "nonResourceRules": [], "incomplete": state.incomplete}}),
    )
}

fn found<'a>(state: &'a State, key: &Key) -> Result<&'a Value, Answer> {
    state.objects.get(key).ok_or_else(|| Answer::not_found(key))
}

fn list(state: &State, asked: &Asked, key: &Key) -> Answer {
    let limit: usize = asked.parameter("limit").and_then(|it| it.parse().ok()).unwrap_or(usize::MAX);
    let mut after = String::new();
    if let Some(token) = asked.parameter("continue") {
        let Some((version, name)) = token.split_once(':') else {
            return Answer::bad("invalid continue token: continue key is not valid");
        };
        if version.parse::<u64>().unwrap_or(0) < state.compacted {
            let why = "The provided continue parameter is too old to display a consistent list result.";
            return Answer::failure(410, "Expired", why, Value::Null);
        }
        after = name.to_owned();
    }
    let selector = match asked.parameter("labelSelector").map(selector::parse) {
        Some(Err(why)) => return Answer::bad(&why),
        Some(Ok(terms)) => terms,
        None => Vec::new(),
    };
    let fits = |of: &Key, object: &Value| {
        of.group == key.group
            && of.plural == key.plural
            && (key.namespace.is_empty() || of.namespace == key.namespace)
            && of.name > after
            && selector::selects(&selector, object)
            && asked.parameter("fieldSelector").is_none_or(|selector| fields_fit(object, selector))
    };
    let mut items: Vec<&Value> =
        state.objects.iter().filter(|(of, object)| fits(of, object)).map(|(_, object)| object).collect();
    let mut metadata = json!({"resourceVersion": state.version.to_string()});
    if items.len() > limit {
        items.truncate(limit);
        let last = items.last().and_then(|it| it["metadata"]["name"].as_str()).unwrap_or_default();
        metadata["continue"] = json!(format!("{}:{last}", state.version));
    }
    let partial = asked.accept.contains("as=PartialObjectMetadataList");
    // Items of a list name neither their kind nor its version.
    let shown = |it: &&Value| {
        let mut shown = if partial { json!({"metadata": it["metadata"]}) } else { (*it).clone() };
        let fields = shown.as_object_mut().expect("an object");
        fields.remove("kind");
        fields.remove("apiVersion");
        shown
    };
    let items: Vec<Value> = items.iter().map(shown).collect();
    let kind = if partial { "PartialObjectMetadataList".to_owned() } else { format!("{}List", key.kind()) };
    Answer::json(
        200,
        &json!({
            "kind": kind, "apiVersion": key.api_version(), "metadata": metadata, "items": items,
        }),
    )
}

fn fields_fit(object: &Value, selector: &str) -> bool {
    selector.split(',').all(|term| {
        let (path, value) = term.split_once('=').unwrap_or((term, ""));
        object.pointer(&format!("/{}", path.replace('.', "/"))).and_then(Value::as_str) == Some(value)
    })
}

fn log(state: &State, asked: &Asked, key: &Key) -> Answer {
    let pod = match found(state, key) {
        Ok(pod) => pod,
        Err(no) => return no,
    };
    let containers = pod["spec"]["containers"].as_array().cloned().unwrap_or_default();
    let container = match asked.parameter("container") {
        Some(container) => container.to_owned(),
        None if containers.len() == 1 => containers[0]["name"].as_str().unwrap_or_default().to_owned(),
        None => return Answer::bad("a container name must be specified for pod"),
    };
    let init = pod["spec"]["initContainers"].as_array().cloned().unwrap_or_default();
    if !containers.iter().chain(&init).any(|it| it["name"] == json!(container)) {
        return Answer::bad(&format!("container {container} is not valid for pod {}", key.name));
    }
    if pod["spec"]["nodeName"].as_str().is_none() {
        return Answer { status: 204, headers: Vec::new(), body: Vec::new() };
    }
    let previous = asked.parameter("previous") == Some("true");
    let statuses = pod["status"]["containerStatuses"].as_array().cloned().unwrap_or_default();
    let waits = statuses
        .iter()
        .find(|it| it["name"] == json!(container))
        .and_then(|it| it["state"]["waiting"]["reason"].as_str());
    if let Some(reason @ ("ContainerCreating" | "PodInitializing")) = waits.filter(|_| !previous) {
        return Answer::bad(&format!(
            "container \"{container}\" in pod \"{}\" is waiting to start: {reason}",
            key.name
        ));
    }
    match state.logs.get(&(key.name.clone(), container.clone(), previous)) {
        Some(log) => {
            // The last lines first, and of these the first bytes: this order is the kubelet's.
            let tail = asked
                .parameter("tailLines")
                .and_then(|it| it.parse().ok())
                .map_or(0, |lines| tail(log, lines));
            let most = asked.parameter("limitBytes").and_then(|it| it.parse().ok()).unwrap_or(usize::MAX);
            let log = &log[tail..];
            Answer::text(200, &log[..log.len().min(most)])
        }
        None if previous => Answer::bad(&format!(
            "previous terminated container \"{container}\" in pod \"{}\" not found",
            key.name
        )),
        None => Answer::text(200, ""),
    }
}

/// Where the last `lines` lines of `log` begin.
fn tail(log: &[u8], lines: usize) -> usize {
    let body = log.strip_suffix(b"\n").unwrap_or(log);
    let ends = body.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
    match lines {
        0 => log.len(),
        lines => ends.map(|(at, _)| at + 1).nth(lines - 1).unwrap_or(0),
    }
}

/// The scale of a workload, as the subresource shows it.
fn scale_of(key: &Key, object: &Value) -> Value {
    let metadata = &object["metadata"];
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": key.name, "namespace": key.namespace, "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"], "creationTimestamp": metadata["creationTimestamp"]},
        "spec": {"replicas": object["spec"]["replicas"]},
        "status": {"replicas": object["status"]["replicas"]},
    })
}

fn scale(state: &mut State, asked: &Asked, key: &Key) -> Result<Answer, Answer> {
    let live = found(state, key)?.clone();
    let scale = scale_of(key, &live);
    let patched = patch::patched(key, &scale, &asked.content_type, &asked.json())?;
    let replicas = patched["spec"]["replicas"].as_i64().unwrap_or(-1);
    if replicas < 0 {
        return Err(Answer::invalid(
            key,
            "spec.replicas",
            "Invalid value: must be greater than or equal to 0",
        ));
    }
    let mut after = live.clone();
    after["spec"]["replicas"] = json!(replicas);
    let manager = asked.parameter("fieldManager").unwrap_or("unknown");
    patch::own(&live, &mut after, manager, "Update", "scale", &state.stamp());
    commit(state, asked, key, after.clone());
    Ok(Answer::json(
        200,
        &scale_of(key, state.objects.get(key).filter(|_| !asked.is_dry_run()).unwrap_or(&after)),
    ))
}

fn change(state: &mut State, asked: &Asked, key: &Key, part: &str) -> Result<Answer, Answer> {
    let applies = asked.content_type == "application/apply-patch+yaml";
    if applies && asked.parameter("fieldManager").is_none_or(str::is_empty) {
        return Err(Answer::invalid(key, "fieldManager", "Required value: is required for apply patch"));
    }
    let manager = asked.parameter("fieldManager").unwrap_or("unknown");
    if manager.len() > 128 || !manager.chars().all(|it| it.is_ascii_graphic()) {
        return Err(Answer::invalid(
            key,
            "fieldManager",
            "Invalid value: must be printable and no more than 128",
        ));
    }
    let now = state.stamp();
    let live = state.objects.get(key).cloned();
    let body = asked.json();
    let mut after = if applies {
        applied(key, live.as_ref(), &body, asked, manager, &now)?
    } else {
        let live = live.as_ref().ok_or_else(|| Answer::not_found(key))?;
        let mut after = patch::patched(key, live, &asked.content_type, &body)?;
        if part == "status" {
            let status = after["status"].take();
            after = live.clone();
            after["status"] = status;
        } else if let Some(map) = after.as_object_mut() {
            // What is sent for the status of an object that has a part of that name is dropped.
            match live.get("status") {
                Some(status) => drop(map.insert("status".to_owned(), status.clone())),
                None => drop(map.remove("status")),
            }
        }
        admit::complete(key, &mut after);
        patch::own(live, &mut after, manager, "Update", part, &now);
        after
    };
    finish(state, asked, key, live.as_ref(), &mut after)
}

fn applied(
    key: &Key,
    live: Option<&Value>,
    body: &Value,
    asked: &Asked,
    manager: &str,
    now: &str,
) -> Result<Value, Answer> {
    let named = body["metadata"]["name"].as_str().unwrap_or_default();
    if named != key.name {
        let why =
            format!("the name of the object ({named}) does not match the name on the URL ({})", key.name);
        return Err(Answer::bad(&why));
    }
    let uid = live.and_then(|live| live["metadata"]["uid"].as_str());
    if let Some(wanted) = body["metadata"]["uid"].as_str().filter(|wanted| Some(*wanted) != uid) {
        return Err(Answer::uid_mismatch(key, wanted, uid));
    }
    // A version that is given counts only where there is an object: what is gone is made anew.
    let version = body["metadata"].get("resourceVersion");
    if let (Some(version), Some(live)) = (version, live)
        && live["metadata"]["resourceVersion"] != *version
    {
        return Err(Answer::modified(key));
    }
    let force = asked.parameter("force") == Some("true");
    let mut body = body.clone();
    if let Some(metadata) = body["metadata"].as_object_mut() {
        metadata.remove("resourceVersion");
        metadata.remove("uid");
    }
    let mut after = patch::applied(live, &body, manager, force, now)?;
    after["metadata"]["name"] = json!(key.name);
    after["metadata"]["namespace"] = json!(key.namespace);
    admit::complete(key, &mut after);
    Ok(after)
}

fn replace(state: &mut State, asked: &Asked, key: &Key) -> Result<Answer, Answer> {
    let live = found(state, key)?.clone();
    let mut after = asked.json();
    let version = &after["metadata"]["resourceVersion"];
    if version.is_string() && *version != live["metadata"]["resourceVersion"] {
        return Err(Answer::modified(key));
    }
    if let (Some(map), Some(status)) = (after.as_object_mut(), live.get("status")) {
        map.insert("status".to_owned(), status.clone());
    }
    admit::complete(key, &mut after);
    let manager = asked.parameter("fieldManager").unwrap_or("unknown");
    patch::own(&live, &mut after, manager, "Update", "", &state.stamp());
    finish(state, asked, key, Some(&live), &mut after)
}

/// Admission, validation, and – unless it is only tried – the change itself.
fn finish(
    state: &mut State,
    asked: &Asked,
    key: &Key,
    live: Option<&Value>,
    after: &mut Value,
) -> Result<Answer, Answer> {
    if let Some(admit) = state.admission {
        admit(after)?;
    }
    admit::validate(key, live, after)?;
    if let Some(live) = live {
        count(key, live, after);
    }
    if asked.is_dry_run() {
        return Ok(Answer::json(if live.is_some() { 200 } else { 201 }, after));
    }
    let status = if live.is_some() { 200 } else { 201 };
    if live.is_some() {
        commit(state, asked, key, after.clone());
    } else {
        state.put(after.clone());
        state.settle();
    }
    Ok(Answer::json(status, &state.objects[key]))
}

fn commit(state: &mut State, asked: &Asked, key: &Key, after: Value) {
    if !asked.is_dry_run() {
        state.store(key, after);
        state.settle();
    }
}

fn create(state: &mut State, asked: &Asked, key: &Key) -> Answer {
    let mut object = asked.json();
    object["metadata"]["namespace"] = json!(key.namespace);
    let key = Key::of_object(&object);
    if state.objects.contains_key(&key) {
        let message = format!("{} \"{}\" already exists", key.qualified(), key.name);
        return Answer::failure(409, "AlreadyExists", &message, key.details());
    }
    admit::complete(&key, &mut object);
    if let Err(no) = admit::validate(&key, None, &object) {
        return no;
    }
    let manager = asked.parameter("fieldManager").unwrap_or("unknown");
    let bare = json!({"apiVersion": object["apiVersion"], "kind": object["kind"], "metadata": {}});
    patch::own(&bare, &mut object, manager, "Update", "", &state.stamp());
    if !asked.is_dry_run() {
        state.put(object.clone());
        state.settle();
    }
    Answer::json(201, state.objects.get(&key).unwrap_or(&object))
}

fn delete(state: &mut State, key: &Key, options: &Value, dry_run: bool) -> Answer {
    let object = match found(state, key) {
        Ok(object) => object,
        Err(no) => return no,
    };
    let uid = object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    let preconditions =
        options.get("preconditions").or_else(|| options["deleteOptions"].get("preconditions"));
    if let Some(wanted) = preconditions.and_then(|it| it["uid"].as_str())
        && wanted != uid
    {
        return Answer::other_uid(key, wanted, &uid);
    }
    let grace =
        options.get("gracePeriodSeconds").or_else(|| options["deleteOptions"].get("gracePeriodSeconds"));
    let grace = grace.and_then(Value::as_i64);
    if !dry_run {
        state.begin_deletion(key, grace);
        state.settle();
    }
    Answer::json(200, &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}))
}

fn evict(state: &mut State, asked: &Asked, key: &Key) -> Answer {
    let pod = match found(state, key) {
        Ok(pod) => pod.clone(),
        Err(no) => return no,
    };
    let budgets: Vec<_> = state
        .all("poddisruptionbudgets")
        .filter(|(of, budget)| {
            let labels = budget["spec"]["selector"]["matchLabels"].as_object();
            of.namespace == key.namespace
                && labels
                    .is_some_and(|it| it.iter().all(|(key, value)| pod["metadata"]["labels"][key] == *value))
        })
        .map(|(_, budget)| budget.clone())
        .collect();
    let conditions = pod["status"]["conditions"].as_array();
    let ready = conditions.into_iter().flatten().any(|it| it["type"] == "Ready" && it["status"] == "True");
    match &budgets[..] {
        [] => {}
        [budget] => {
            let status = |name: &str| budget["status"][name].as_i64().unwrap_or(0);
            let (healthy, needed) = (status("currentHealthy"), status("desiredHealthy"));
            let spared = !ready && healthy >= needed;
            if status("disruptionsAllowed") <= 0 && !spared {
                let name = budget["metadata"]["name"].as_str().unwrap_or_default();
                return Answer::disruption(name, needed, healthy);
            }
        }
        _ => return Answer::several_budgets(key),
    }
    let answer = delete(state, key, &asked.json(), asked.is_dry_run());
    if answer.status == 200 { Answer { status: 201, ..answer } } else { answer }
}
