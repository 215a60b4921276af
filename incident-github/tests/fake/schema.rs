//! The operations that are used, as GitHub's OpenAPI description has them, condensed to what is sent.
//!
//! A request that isn't of one of these is a defect of the adapter, whatever GitHub makes of it.

use serde_json::Value;

use super::Asked;

/// What a field of a request's body is.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Texts, at least so many.
    Texts(usize),
    Number,
}

struct Operation {
    method: &'static str,
    path: &'static str,
    query: &'static [&'static str],
    /// Fields of the body: name, kind, and whether it must be there.
    body: &'static [(&'static str, Kind, bool)],
}

const PAGED: &[&str] = &["per_page", "page"];

const fn read(path: &'static str, query: &'static [&'static str]) -> Operation {
    Operation { method: "GET", path, query, body: &[] }
}

const fn write(
    method: &'static str,
    path: &'static str,
    body: &'static [(&'static str, Kind, bool)],
) -> Operation {
    Operation { method, path, query: &[], body }
}

const OPERATIONS: &[Operation] = &[
    read("/user", &[]),
    read("/app", &[]),
    read("/app/installations/{}", &[]),
    read("/repos/{}/{}", &[]),
    read(
        "/repos/{}/{}/issues",
        &[
            "milestone",
            "state",
            "assignee",
            "type",
            "creator",
            "mentioned",
            "labels",
            "sort",
            "direction",
            "since",
            "per_page",
            "page",
        ],
    ),
    read("/repos/{}/{}/issues/{}", &[]),
    read("/repos/{}/{}/issues/{}/comments", &["since", "per_page", "page"]),
    read("/repos/{}/{}/labels", PAGED),
    read("/repos/{}/{}/labels/{}", &[]),
    read("/repos/{}/{}/assignees/{}", &[]),
    read("/repos/{}/{}/milestones", &["state", "sort", "direction", "per_page", "page"]),
    read(
        "/repos/{}/{}/commits",
        &["sha", "path", "author", "committer", "since", "until", "per_page", "page"],
    ),
    read("/repos/{}/{}/pulls", &["state", "head", "base", "sort", "direction", "per_page", "page"]),
    read("/repos/{}/{}/releases", PAGED),
    read("/repos/{}/{}/deployments", &["sha", "ref", "task", "environment", "per_page", "page"]),
    read("/repos/{}/{}/deployments/{}/statuses", PAGED),
    read(
        "/repos/{}/{}/actions/runs",
        &["actor", "branch", "event", "status", "created", "head_sha", "per_page", "page"],
    ),
    write(
        "POST",
        "/repos/{}/{}/issues",
        &[
            ("title", Kind::Text, true),
            ("body", Kind::Text, false),
            ("labels", Kind::Texts(0), false),
            ("assignees", Kind::Texts(0), false),
            ("milestone", Kind::Number, false),
        ],
    ),
    write(
        "PATCH",
        "/repos/{}/{}/issues/{}",
        &[
            ("title", Kind::Text, false),
            ("body", Kind::Text, false),
            ("state", Kind::OneOf(&["open", "closed"]), false),
            ("state_reason", Kind::OneOf(&["completed", "not_planned", "duplicate", "reopened"]), false),
        ],
    ),
    write("POST", "/repos/{}/{}/issues/{}/comments", &[("body", Kind::Text, true)]),
    write("POST", "/repos/{}/{}/issues/{}/labels", &[("labels", Kind::Texts(1), true)]),
    write("DELETE", "/repos/{}/{}/issues/{}/labels/{}", &[]),
    write(
        "POST",
        "/repos/{}/{}/labels",
        &[("name", Kind::Text, true), ("color", Kind::Text, false), ("description", Kind::Text, false)],
    ),
];

/// What is wrong with a request.
pub(crate) fn violations(asked: &Asked) -> Vec<String> {
    let path = asked.path.replace("/repositories/1296269/", "/repos/acme/shop/");
    let Some(operation) = OPERATIONS.iter().find(|it| it.method == asked.method && fits(it.path, &path))
    else {
        return vec![format!("{}: no such operation", asked.line())];
    };
    let mut wrong = Vec::new();
    for name in asked.query.keys().filter(|name| !operation.query.contains(&name.as_str())) {
        wrong.push(format!("{}: the parameter {name}", asked.line()));
    }
    if let Some(labels) = asked.query.get("labels").filter(|labels| labels.is_empty()) {
        wrong.push(format!("{}: the labels {labels:?}", asked.line()));
    }
    let fields = asked.body.as_object().cloned().unwrap_or_default();
    for (name, value) in &fields {
        let known = operation.body.iter().find(|(field, ..)| field == name);
        if !known.is_some_and(|(_, kind, _)| is(*kind, value)) {
            wrong.push(format!("{}: the field {name} = {value}", asked.line()));
        }
    }
    for (name, ..) in operation.body.iter().filter(|(name, _, must)| *must && !fields.contains_key(*name)) {
        wrong.push(format!("{}: {name} is missing", asked.line()));
    }
    for (header, expected) in
        [("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")]
    {
        if asked.headers.get(header).map(String::as_str) != Some(expected) {
            wrong.push(format!("{}: the header {header} = {:?}", asked.line(), asked.headers.get(header)));
        }
    }
    wrong
}

fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len()
        && pattern
            .iter()
            .zip(path)
            .all(|(pattern, part)| *pattern == "{}" && !part.is_empty() || *pattern == part)
}

fn is(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::Text => value.is_string(),
        Kind::OneOf(words) => value.as_str().is_some_and(|value| words.contains(&value)),
        Kind::Texts(least) => {
            value.as_array().is_some_and(|all| all.len() >= least && all.iter().all(Value::is_string))
        }
        Kind::Number => value.is_u64(),
    }
}
