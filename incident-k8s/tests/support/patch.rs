//! The patches that the server takes, and who owns which field afterwards.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::answer::Answer;
use super::state::Key;

/// A manager as a real server tells them apart: by name, operation and subresource.
type Manager = (String, String, String);

/// `live` after the patch of this content type.
pub(crate) fn patched(key: &Key, live: &Value, content_type: &str, patch: &Value) -> Result<Value, Answer> {
    let mut after = live.clone();
    match content_type {
        "application/json-patch+json" => {
            let patch: json_patch::Patch =
                serde_json::from_value(patch.clone()).map_err(|_| Answer::bad("invalid JSON patch"))?;
            json_patch::patch(&mut after, &patch).map_err(|_| Answer::unprocessable())?;
        }
        "application/merge-patch+json" => json_patch::merge(&mut after, patch),
        "application/strategic-merge-patch+json" => strategic(&mut after, patch),
        _ => return Err(Answer::wrong_type()),
    }
    if after["metadata"]["resourceVersion"] != live["metadata"]["resourceVersion"] {
        return Err(Answer::modified(key));
    }
    Ok(after)
}

/// A merge that knows which lists go by name: containers, variables, ports.
fn strategic(live: &mut Value, patch: &Value) {
    match (live, patch) {
        (Value::Object(live), Value::Object(patch)) => {
            if patch.get("$patch").and_then(Value::as_str) == Some("replace") {
                *live = patch.clone();
                live.remove("$patch");
                return;
            }
            for (name, value) in patch {
                if value.is_null() {
                    live.remove(name);
                } else {
                    strategic(live.entry(name.clone()).or_insert(Value::Null), value);
                }
            }
        }
        (Value::Array(live), Value::Array(patch)) if patch.iter().all(|it| it.get("name").is_some()) => {
            for value in patch {
                match live.iter_mut().find(|it| it["name"] == value["name"]) {
                    Some(same) => strategic(same, value),
                    None => live.push(value.clone()),
                }
            }
        }
        (live, patch) => *live = patch.clone(),
    }
}

/// `live` – or nothing – after `manifest` was applied by `manager`, unless others own fields that it would change.
pub(crate) fn applied(
    live: Option<&Value>,
    manifest: &Value,
    manager: &str,
    force: bool,
    now: &str,
) -> Result<Value, Answer> {
    let empty = json!({"apiVersion": manifest["apiVersion"], "kind": manifest["kind"], "metadata": {}});
    let before = live.cloned().unwrap_or(empty);
    let mut after = before.clone();
    let mut wanted = BTreeMap::new();
    leaves(manifest, String::new(), &mut wanted);
    wanted.retain(|path, _| !is_identity(path));
    let owners = owners(&before);
    let us: Manager = (manager.to_owned(), "Apply".to_owned(), String::new());
    let conflicts: Vec<_> = wanted
        .iter()
        .filter(|(path, value)| before.pointer(path) != Some(value))
        .flat_map(|(path, _)| {
            let others = owners.iter().filter(|(of, owned)| **of != us && owned.contains(path));
            others.map(move |(of, _)| (of.clone(), path.replace('/', ".")))
        })
        .collect();
    if !conflicts.is_empty() && !force {
        let conflicts: Vec<_> = conflicts
            .into_iter()
            .map(|((name, _, part), path)| {
                let part =
                    if part.is_empty() { String::new() } else { format!(" with subresource \"{part}\"") };
                (format!("\"{name}\"{part}"), path)
            })
            .collect();
        return Err(Answer::field_conflict(&conflicts));
    }
    json_patch::merge(&mut after, manifest);
    // Fields that this manager applied before and no longer does go, unless somebody else wants them, too.
    if let Some(owned) = owners.get(&us) {
        let others = |path: &String| owners.iter().any(|(of, owned)| *of != us && owned.contains(path));
        for path in owned.iter().filter(|path| !wanted.contains_key(*path) && !others(path)) {
            remove(&mut after, path);
        }
    }
    own(&before, &mut after, manager, "Apply", "", now);
    if after["metadata"]["managedFields"].is_null() {
        after["metadata"]["managedFields"] = json!([]);
    }
    let entries = after["metadata"]["managedFields"].as_array_mut().expect("a list");
    entries.retain(|it| !(it["manager"] == manager && it["operation"] == "Apply"));
    let fields: BTreeSet<String> = wanted.into_keys().collect();
    entries.push(entry(manager, "Apply", "", now, &fields));
    Ok(after)
}

fn is_identity(path: &str) -> bool {
    [
        "/apiVersion",
        "/kind",
        "/metadata/name",
        "/metadata/namespace",
        "/metadata/resourceVersion",
        "/metadata/uid",
        "/metadata/generation",
    ]
    .contains(&path)
}

/// Notes in `after` that `manager` changed what differs from `before`.
pub(crate) fn own(before: &Value, after: &mut Value, manager: &str, how: &str, part: &str, now: &str) {
    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
    leaves(before, String::new(), &mut old);
    leaves(after, String::new(), &mut new);
    let ours = |path: &String| !is_identity(path) && !path.starts_with("/metadata/managedFields");
    let changed: BTreeSet<String> = new
        .iter()
        .filter(|(path, it)| ours(path) && old.get(*path) != Some(*it))
        .map(|(path, _)| path.clone())
        .collect();
    let gone: BTreeSet<String> =
        old.keys().filter(|path| ours(path) && !new.contains_key(*path)).cloned().collect();
    if changed.is_empty() && gone.is_empty() {
        return;
    }
    let us: Manager = (manager.to_owned(), how.to_owned(), part.to_owned());
    let mut owners = owners(before);
    for owned in owners.values_mut() {
        owned.retain(|path| !changed.contains(path) && !gone.contains(path));
    }
    let kept = before["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let mut entries: Vec<Value> = kept
        .iter()
        .filter_map(|it| {
            let key = manager_of(it);
            let left = owners.get(&key)?;
            let mut it = it.clone();
            it["fieldsV1"] = fields_v1(left);
            (!left.is_empty() && key != us).then_some(it)
        })
        .collect();
    let mut all = owners.remove(&us).unwrap_or_default();
    all.extend(changed);
    if !all.is_empty() {
        entries.push(entry(manager, how, part, now, &all));
    }
    after["metadata"]["managedFields"] = Value::Array(entries);
}

fn manager_of(entry: &Value) -> Manager {
    let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    (text("manager"), text("operation"), text("subresource"))
}

fn entry(manager: &str, how: &str, part: &str, now: &str, fields: &BTreeSet<String>) -> Value {
    let mut entry = json!({
        "manager": manager, "operation": how, "time": now, "fieldsType": "FieldsV1", "fieldsV1": fields_v1(fields),
    });
    if !part.is_empty() {
        entry["subresource"] = json!(part);
    }
    entry
}

fn fields_v1(paths: &BTreeSet<String>) -> Value {
    let mut tree = json!({});
    for path in paths {
        let mut at = &mut tree;
        for step in path.split('/').skip(1) {
            at = &mut at[format!("f:{step}")];
            if at.is_null() {
                *at = json!({});
            }
        }
    }
    tree
}

fn owners(object: &Value) -> BTreeMap<Manager, BTreeSet<String>> {
    let mut owners = BTreeMap::new();
    for entry in object["metadata"]["managedFields"].as_array().into_iter().flatten() {
        let mut paths = BTreeSet::new();
        named(&entry["fieldsV1"], String::new(), &mut paths);
        owners.insert(manager_of(entry), paths);
    }
    owners
}

fn named(tree: &Value, at: String, found: &mut BTreeSet<String>) {
    match tree.as_object() {
        Some(map) if !map.is_empty() => {
            for (name, inner) in map {
                named(inner, format!("{at}/{}", name.trim_start_matches("f:")), found);
            }
        }
        _ => {
            found.insert(at);
        }
    }
}

/// Every place that holds no object, lists being one.
fn leaves(value: &Value, at: String, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (name, inner) in map {
                leaves(inner, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        other => {
            found.insert(at, other.clone());
        }
    }
}

/// Removes what is at `path`, and what is empty without it.
fn remove(value: &mut Value, path: &str) {
    if let Some((parent, name)) = path.rsplit_once('/')
        && let Some(map) = value.pointer_mut(parent).and_then(Value::as_object_mut)
    {
        map.remove(&name.replace("~1", "/").replace("~0", "~"));
        if map.is_empty() && parent.matches('/').count() > 1 {
            remove(value, parent);
        }
    }
}
