//! Issues, comments, labels, assignees and milestones.

use http::StatusCode;
use incident_core::model::time::Time;
use serde_json::{Value, json};

use super::state::{State, refusal};
use super::{Asked, Reply, page};

/// What GitHub takes at most, in characters.
const MOST_OF_BODY: usize = 65_536;
const MOST_OF_TITLE: usize = 256;

pub(crate) fn answer(state: &mut State, asked: &Asked, name: &str, rest: &[&str]) -> Reply {
    if rest[0] == "issues" && !state.has_issues {
        return refusal(410, "Issues are disabled for this repo");
    }
    if asked.is_write() && state.archived {
        return refusal(403, "Repository was archived so is read-only.");
    }
    match (asked.method.as_str(), rest) {
        ("GET", ["issues"]) => list(state, asked, name),
        ("POST", ["issues"]) => create(state, asked, name),
        (_, ["issues", number, rest @ ..]) => match number.parse().ok().and_then(|it| place(state, name, it))
        {
            Some(place) => of_issue(state, asked, place, rest),
            None => refusal(404, "Not Found"),
        },
        ("GET", ["labels"]) => {
            page::of(asked, &state.base, &state.labels.values().cloned().collect::<Vec<_>>())
        }
        ("GET", ["labels", name]) => match state.labels.get(&name.to_lowercase()) {
            Some(label) => Reply::new(200, label.clone()),
            None => refusal(404, "Not Found"),
        },
        ("POST", ["labels"]) => create_label(state, asked),
        ("GET", ["assignees", account]) => match is_assignable(state, account) {
            true => Reply::new(204, Value::Null),
            false => refusal(404, "Not Found"),
        },
        ("GET", ["milestones"]) => {
            let wanted = asked.query.get("state").map_or("open", String::as_str);
            let of = |it: &&Value| wanted == "all" || it["state"] == wanted;
            let milestones: Vec<Value> = state.milestones.iter().filter(of).cloned().collect();
            page::of(asked, &state.base, &milestones)
        }
        _ => refusal(404, "Not Found"),
    }
}

/// Pull requests are in the list, too, and only what is open unless asked otherwise. What was just created isn't there
/// for a while.
fn list(state: &mut State, asked: &Asked, name: &str) -> Reply {
    let query = |name: &str| asked.query.get(name).map(String::as_str);
    let wanted = query("state").unwrap_or("open");
    let labels: Vec<&str> =
        query("labels").unwrap_or_default().split(',').filter(|it| !it.is_empty()).collect();
    let since: Option<Time> = query("since").and_then(|since| since.parse().ok());
    let has = |issue: &Value, name: &str| {
        let mut all = issue["labels"].as_array().into_iter().flatten();
        all.any(|label| label["name"].as_str().is_some_and(|it| it.eq_ignore_ascii_case(name)))
    };
    let mut shown: Vec<Value> = seen(&mut state.issues)
        .into_iter()
        .filter(|issue| is_in(issue, name) && issue["vanished"] != true && issue["moved"].is_null())
        .filter(|issue| wanted == "all" || issue["state"] == wanted)
        .filter(|issue| query("creator").is_none_or(|creator| issue["user"]["login"] == creator))
        .filter(|issue| labels.iter().all(|name| has(issue, name)))
        .filter(|issue| since.is_none_or(|since| time(issue, "updated_at") >= since))
        .collect();
    let by = if query("sort") == Some("updated") { "updated_at" } else { "created_at" };
    shown.sort_by_cached_key(|issue| (time(issue, by), issue["number"].as_u64()));
    if query("direction") != Some("asc") {
        shown.reverse();
    }
    page::of(asked, &state.base, &shown)
}

fn create(state: &mut State, asked: &Asked, name: &str) -> Reply {
    let mut body = asked.body.clone();
    if let Some(reply) = too_long(&body) {
        return reply;
    }
    if !state.push {
        // Without push access these are dropped, and nobody is told.
        for field in ["labels", "assignees", "milestone"] {
            body.as_object_mut().unwrap().remove(field);
        }
    }
    for name in texts(&body["labels"]) {
        if !state.labels.contains_key(&name.to_lowercase()) {
            return invalid("Label", "name", "invalid");
        }
    }
    for account in texts(&body["assignees"]) {
        if !is_assignable(state, &account) {
            return invalid("Issue", "assignees", "invalid");
        }
    }
    let wanted = body["milestone"].clone();
    if !wanted.is_null() && !state.milestones.iter().any(|it| it["number"] == wanted) {
        return invalid("Issue", "milestone", "invalid");
    }
    let account = state.account.clone();
    Reply::new(201, open(state, &account, name, &body))
}

/// Opens an issue as `by`.
pub(crate) fn open(state: &mut State, by: &str, name: &str, body: &Value) -> Value {
    state.next();
    let number = state.issues.len() as u64 + 1;
    let labels: Vec<Value> = texts(&body["labels"])
        .iter()
        .filter_map(|name| state.labels.get(&name.to_lowercase()))
        .cloned()
        .collect();
    let assignees: Vec<Value> =
        texts(&body["assignees"]).iter().map(|login| json!({ "login": login, "type": "User" })).collect();
    let milestone = state.milestones.iter().find(|it| it["number"] == body["milestone"]).cloned();
    let issue = json!({
        "number": number, "title": body["title"], "body": body["body"], "state": "open", "state_reason": null,
        "labels": labels, "assignees": assignees, "milestone": milestone, "user": { "login": by, "type": "User" },
        "locked": false, "created_at": state.now, "updated_at": state.now, "closed_at": null,
        "html_url": format!("https://github.com/acme/{name}/issues/{number}"), "hidden": state.lag,
        "repository_url": format!("https://api.github.com/repos/acme/{name}"),
    });
    state.issues.push(issue.clone());
    issue
}

fn of_issue(state: &mut State, asked: &Asked, place: usize, rest: &[&str]) -> Reply {
    if state.issues[place]["vanished"] == true {
        return refusal(404, "Not Found");
    }
    if state.issues[place]["deleted"] == true {
        return refusal(410, "This issue was deleted");
    }
    if let Some(there) = state.issues[place]["moved"].as_str() {
        let there = format!("{}{there}", state.base);
        return Reply::new(301, json!({ "message": "Moved Permanently", "url": there }))
            .with("location", &there);
    }
    match (asked.method.as_str(), rest) {
        ("GET", []) => Reply::new(200, state.issues[place].clone()),
        ("PATCH", []) => edit(state, asked, place),
        ("GET", ["comments"]) => list_comments(state, asked, place),
        ("POST", ["comments"]) => comment(state, asked, place),
        ("POST", ["labels"]) => add_labels(state, asked, place),
        ("DELETE", ["labels", name]) => remove_label(state, place, name),
        _ => refusal(404, "Not Found"),
    }
}

fn edit(state: &mut State, asked: &Asked, place: usize) -> Reply {
    if let Some(reply) = too_long(&asked.body) {
        return reply;
    }
    let mine = state.issues[place]["user"]["login"] == state.account.as_str();
    if !(state.push || state.triage || mine) {
        return refusal(403, "Must have admin rights to Repository.");
    }
    state.next();
    let (now, issue) = (state.now, &mut state.issues[place]);
    for field in ["title", "body"] {
        if asked.body[field].is_string() {
            issue[field] = asked.body[field].clone();
        }
    }
    // The reason counts only if the state changes.
    if asked.body["state"].is_string() && asked.body["state"] != issue["state"] {
        let closes = asked.body["state"] == "closed";
        let reason = asked.body["state_reason"].as_str();
        issue["state"] = asked.body["state"].clone();
        issue["state_reason"] = json!(reason.unwrap_or(if closes { "completed" } else { "reopened" }));
        issue["closed_at"] = if closes { json!(now) } else { Value::Null };
    }
    issue["updated_at"] = json!(now);
    Reply::new(200, issue.clone())
}

fn list_comments(state: &mut State, asked: &Asked, place: usize) -> Reply {
    let number = place as u64 + 1;
    let since: Option<Time> = asked.query.get("since").and_then(|since| since.parse().ok());
    let of = |comment: &Value| {
        comment["issue"] == number && since.is_none_or(|since| time(comment, "updated_at") >= since)
    };
    let comments: Vec<Value> = seen(&mut state.comments).into_iter().filter(of).collect();
    page::of(asked, &state.base, &comments)
}

fn comment(state: &mut State, asked: &Asked, place: usize) -> Reply {
    if let Some(reply) = too_long(&asked.body) {
        return reply;
    }
    if state.issues[place]["locked"] == true && !state.push {
        return refusal(403, "Unable to create comment because issue is locked.");
    }
    let account = state.account.clone();
    Reply::new(201, add_comment(state, &account, place as u64 + 1, asked.body["body"].as_str().unwrap()))
}

/// Comments on issue `number` as `by`.
pub(crate) fn add_comment(state: &mut State, by: &str, number: u64, body: &str) -> Value {
    let id = state.next();
    let comment = json!({
        "id": id, "issue": number, "body": body, "user": { "login": by, "type": "User" },
        "created_at": state.now, "updated_at": state.now, "hidden": state.lag,
        "html_url": format!("https://github.com/acme/shop/issues/{number}#issuecomment-{id}"),
    });
    state.comments.push(comment.clone());
    comment
}

fn add_labels(state: &mut State, asked: &Asked, place: usize) -> Reply {
    if !(state.push || state.triage) {
        return refusal(403, "Must have push access to repository");
    }
    for name in texts(&asked.body["labels"]) {
        let Some(label) = state.labels.get(&name.to_lowercase()).cloned() else {
            return invalid("Label", "name", "invalid");
        };
        let labels = state.issues[place]["labels"].as_array_mut().unwrap();
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    Reply::new(200, state.issues[place]["labels"].clone())
}

fn remove_label(state: &mut State, place: usize, name: &str) -> Reply {
    let labels = state.issues[place]["labels"].as_array_mut().unwrap();
    let before = labels.len();
    labels.retain(|label| !label["name"].as_str().unwrap().eq_ignore_ascii_case(name));
    if labels.len() == before {
        return refusal(404, "Label does not exist");
    }
    Reply::new(200, state.issues[place]["labels"].clone())
}

fn create_label(state: &mut State, asked: &Asked) -> Reply {
    let name = asked.body["name"].as_str().unwrap_or_default();
    let color = asked.body["color"].as_str().unwrap_or("ededed");
    let description = asked.body["description"].as_str().unwrap_or_default();
    if !state.push {
        return refusal(404, "Not Found");
    }
    if state.labels.contains_key(&name.to_lowercase()) {
        return invalid("Label", "name", "already_exists");
    }
    let hex = color.len() == 6 && color.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !hex || name.is_empty() || name.chars().count() > 50 || description.chars().count() > 100 {
        return invalid("Label", "color", "invalid");
    }
    let id = state.next();
    let label = json!({ "id": id, "name": name, "color": color, "description": description });
    state.labels.insert(name.to_lowercase(), label.clone());
    Reply::new(201, label)
}

fn place(state: &State, name: &str, number: u64) -> Option<usize> {
    state.issues.iter().position(|issue| is_in(issue, name) && issue["number"] == number)
}

fn is_in(issue: &Value, name: &str) -> bool {
    issue["repository_url"].as_str().is_some_and(|url| url.ends_with(&format!("/{name}")))
}

/// What lists show by now; each look brings the rest nearer.
fn seen(items: &mut [Value]) -> Vec<Value> {
    let mut seen = Vec::new();
    for item in items {
        match item["hidden"].as_u64() {
            Some(left) if left > 0 => item["hidden"] = json!(left - 1),
            _ => seen.push(item.clone()),
        }
    }
    seen
}

fn is_assignable(state: &State, account: &str) -> bool {
    state.assignable.iter().any(|it| it.eq_ignore_ascii_case(account))
}

fn too_long(body: &Value) -> Option<Reply> {
    for (field, most) in [("body", MOST_OF_BODY), ("title", MOST_OF_TITLE)] {
        if body[field].as_str().is_some_and(|text| text.chars().count() > most) {
            let message = format!("{field} is too long (maximum is {most} characters)");
            let errors =
                json!([{ "resource": "Issue", "code": "custom", "field": field, "message": message }]);
            return Some(Reply::new(
                StatusCode::UNPROCESSABLE_ENTITY.as_u16(),
                json!({ "message": "Validation Failed", "errors": errors }),
            ));
        }
    }
    None
}

fn invalid(resource: &str, field: &str, code: &str) -> Reply {
    let errors = json!([{ "resource": resource, "field": field, "code": code }]);
    Reply::new(422, json!({ "message": "Validation Failed", "errors": errors }))
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn time(item: &Value, field: &str) -> Time {
    item[field].as_str().unwrap().parse().unwrap()
}
