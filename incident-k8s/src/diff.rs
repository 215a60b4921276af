//! What a change of a pod template comes to, in lines for the people who approve it. No I/O.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use incident_core::model::inert;
use incident_core::model::plan::Change;
use incident_core::views::redact::{names_secret, redact};
use serde_json::Value;

use crate::object::{fields, items, text};
use crate::template::RESTARTED_AT;

/// Bytes of a value that a line shows.
const MOST_SHOWN: usize = 200;
/// Lines about fields that have no words of their own.
const MOST_OTHERS: usize = 12;
const NONE: &str = "none";

/// Variables and flags whose values may be shown, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Harmless(BTreeSet<String>);

impl Harmless {
    pub(crate) fn with<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(self.0.iter().cloned().chain(names.into_iter().map(str::to_owned)).collect())
    }

    fn names(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

/// The differences between two pod templates: images, environment, resources and commands by container, then whatever
/// else differs. A value of the environment or of an argument is shown only where it is named as harmless: nobody knows
/// what a secret looks like. Otherwise a mark shows that it changed.
pub(crate) fn templates(from: &Value, to: &Value, harmless: &Harmless) -> Vec<Change> {
    let mut lines = Lines::default();
    let restarted = |template: &Value| {
        template
            .pointer("/metadata/annotations")
            .and_then(|it| it.get(RESTARTED_AT)?.as_str())
            .map(str::to_owned)
    };
    lines.add("time of restart", restarted(from), restarted(to));
    for (list, kind) in [("/spec/initContainers", "init container"), ("/spec/containers", "container")] {
        let (before, after) = (named(from, list), named(to, list));
        for (name, container) in &before {
            match after.get(name) {
                Some(changed) => lines.container(name, container, changed, harmless),
                None => {
                    lines.add(&format!("{kind} {name}"), Some(text(container, "/image").to_owned()), None);
                }
            }
        }
        for (name, container) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
            lines.add(&format!("{kind} {name}"), None, Some(text(container, "/image").to_owned()));
        }
    }
    let mut others = Vec::new();
    paths(&without_known(from), &without_known(to), String::new(), &mut others);
    lines.others("template", &others);
    lines.0
}

/// The names of ConfigMaps and Secrets that a template uses, each with its kind.
pub(crate) fn configuration(template: &Value) -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![template];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(map) => {
                for (key, inner) in map {
                    let kind = match key.as_str() {
                        "configMapRef" | "configMapKeyRef" | "configMap" => Some("configmap"),
                        "secretRef" | "secretKeyRef" | "secret" => Some("secret"),
                        _ => None,
                    };
                    let name = inner.get("name").or_else(|| inner.get("secretName")).and_then(Value::as_str);
                    if let (Some(kind), Some(name)) = (kind, name) {
                        found.insert(format!("{kind}/{name}"));
                    }
                    open.push(inner);
                }
            }
            Value::Array(list) => open.extend(list),
            _ => {}
        }
    }
    found.into_iter().collect()
}

#[derive(Default)]
struct Lines(Vec<Change>);

impl Lines {
    fn add(&mut self, what: &str, from: Option<String>, to: Option<String>) {
        if from != to {
            let shown = |it: Option<String>| it.map_or_else(|| NONE.to_owned(), |it| shown(&it));
            self.0.push(Change { what: inert::line(what), from: shown(from), to: shown(to) });
        }
    }

    fn container(&mut self, name: &str, from: &Value, to: &Value, harmless: &Harmless) {
        let image = |it: &Value| Some(text(it, "/image").to_owned());
        self.add(&format!("image of {name}"), image(from), image(to));
        for kind in ["requests", "limits"] {
            let pointer = format!("/resources/{kind}");
            let singular = kind.trim_end_matches('s');
            let (before, after) = (quantities(from, &pointer), quantities(to, &pointer));
            for resource in union(&before, &after) {
                let what = format!("{resource} {singular} of {name}");
                self.add(&what, before.get(resource).cloned(), after.get(resource).cloned());
            }
        }
        let (before, after) = (variables(from, harmless), variables(to, harmless));
        for variable in union(&before, &after) {
            let what = format!("env {variable} of {name}");
            self.add(&what, before.get(variable).cloned(), after.get(variable).cloned());
        }
        for (field, word) in [("/command", "command"), ("/args", "arguments")] {
            let words = |it: &Value| it.pointer(field).map(|_| words(items(it, field), harmless));
            self.add(&format!("{word} of {name}"), words(from), words(to));
        }
        let mut others = Vec::new();
        paths(&without_shown(from), &without_shown(to), String::new(), &mut others);
        self.others(name, &others);
    }

    /// Fields that differ, by their place alone: their values may be anything.
    fn others(&mut self, of: &str, paths: &[String]) {
        for path in paths.iter().take(MOST_OTHERS) {
            let what = inert::clip(&inert::line(&format!("{of}: {path}")), MOST_SHOWN);
            self.0.push(Change { what, from: "as it is".to_owned(), to: "changed".to_owned() });
        }
        if let Some(more) = paths.len().checked_sub(MOST_OTHERS).filter(|more| *more > 0) {
            let what = format!("{of}: {more} more fields");
            self.0.push(Change { what, from: "as they are".to_owned(), to: "changed".to_owned() });
        }
    }
}

fn shown(text: &str) -> String {
    inert::clip(&inert::line(text), MOST_SHOWN)
}

/// `value` unless it looks like a secret by its name or its shape.
pub(crate) fn hidden(name: &str, value: &str) -> String {
    if names_secret(name) {
        return mark(value);
    }
    String::from_utf8_lossy(&redact(value.as_bytes()).bytes).into_owned()
}

/// A short keyed hash: it shows that a value changed, and can't be used to guess the value. The key lasts as long as the
/// process.
fn mark(value: &str) -> String {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    format!("hidden #{:08x}", KEY.hash_one(value) & 0xffff_ffff)
}

/// A command line with its flags' names, and marks for all other words.
fn words(list: &[Value], harmless: &Harmless) -> String {
    let mut shown = Vec::new();
    let mut before: Option<&str> = None;
    for word in list.iter().map(|it| it.as_str().unwrap_or_default()) {
        let flag = word.starts_with("--") && word.len() > 2;
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if flag => (name, Some(value)),
            _ => (word, None),
        };
        shown.push(match value {
            Some(value) if harmless.names(name) => format!("{name}={}", hidden(name, value)),
            Some(value) => format!("{name}={}", mark(value)),
            None if flag => word.to_owned(),
            None if before.is_some_and(|flag| harmless.names(flag)) => {
                hidden(before.unwrap_or_default(), word)
            }
            None => mark(word),
        });
        before = (flag && value.is_none()).then_some(word);
    }
    shown.join(" ")
}

fn named<'a>(template: &'a Value, list: &str) -> BTreeMap<&'a str, &'a Value> {
    items(template, list).iter().map(|it| (text(it, "/name"), it)).collect()
}

fn quantities(container: &Value, pointer: &str) -> BTreeMap<String, String> {
    let quantity = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let all = fields(container, pointer).into_iter();
    all.map(|(name, value)| (name.to_owned(), quantity(value))).collect()
}

fn variables(container: &Value, harmless: &Harmless) -> BTreeMap<String, String> {
    let value = |entry: &Value| match entry.get("valueFrom") {
        Some(from) => {
            let source = fields(from, "").into_iter().next();
            let (kind, it) = source.unwrap_or(("unknown", &Value::Null));
            format!("from {kind} {} {}", text(it, "/name"), text(it, "/key")).trim_end().to_owned()
        }
        None if harmless.names(text(entry, "/name")) => hidden(text(entry, "/name"), text(entry, "/value")),
        None => mark(text(entry, "/value")),
    };
    items(container, "/env").iter().map(|it| (text(it, "/name").to_owned(), value(it))).collect()
}

fn union<'a>(a: &'a BTreeMap<String, String>, b: &'a BTreeMap<String, String>) -> Vec<&'a str> {
    let mut names: Vec<&str> = a.keys().chain(b.keys()).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn without_known(template: &Value) -> Value {
    let mut rest = template.clone();
    if let Some(spec) = rest.pointer_mut("/spec").and_then(Value::as_object_mut) {
        spec.remove("containers");
        spec.remove("initContainers");
    }
    if let Some(annotations) = rest.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(RESTARTED_AT);
        if annotations.is_empty()
            && let Some(metadata) = rest.pointer_mut("/metadata").and_then(Value::as_object_mut)
        {
            metadata.remove("annotations");
        }
    }
    rest
}

fn without_shown(container: &Value) -> Value {
    let mut rest = container.clone();
    if let Some(map) = rest.as_object_mut() {
        for known in ["image", "env", "command", "args"] {
            map.remove(known);
        }
    }
    if let Some(resources) = rest.pointer_mut("/resources").and_then(Value::as_object_mut) {
        resources.remove("requests");
        resources.remove("limits");
    }
    if rest.get("resources").is_some_and(|it| it.as_object().is_some_and(serde_json::Map::is_empty))
        && let Some(map) = rest.as_object_mut()
    {
        map.remove("resources");
    }
    rest
}

/// The places where `from` and `to` differ, as far down as both are objects.
fn paths(from: &Value, to: &Value, at: String, found: &mut Vec<String>) {
    match (from, to) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<_> = a.keys().chain(b.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let (one, other) = (a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null));
                let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                paths(one, other, at, found);
            }
        }
        _ if from != to => found.push(at),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
