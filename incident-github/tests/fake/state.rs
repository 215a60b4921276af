//! What the fake holds, which faults it meets, and who may do what.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use incident_core::model::time::{Time, after};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Asked, Reply, TOKEN, issues, page, schema, t0};

/// What may happen to a request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// None: it is answered as ever.
    Pass,
    /// It takes effect, and the connection ends without an answer.
    LoseReply,
    /// It takes effect, and nobody answers.
    AnswerLate,
    /// Nothing happens, and nobody answers.
    Hang,
    /// This is the answer, and nothing happens.
    Answer(u16, Vec<(&'static str, String)>, Value),
}

impl Fault {
    /// An answer with a message.
    pub(crate) fn answer(status: u16, message: &str) -> Self {
        Self::Answer(
            status,
            Vec::new(),
            json!({ "message": message, "documentation_url": "https://docs.github.com/rest" }),
        )
    }
}

/// GitHub, with one repository.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) base: String,
    /// Whose the token is, and whether GitHub says so.
    pub(crate) account: String,
    pub(crate) says_account: bool,
    pub(crate) visible: bool,
    pub(crate) has_issues: bool,
    pub(crate) archived: bool,
    /// What the account may do: pull always.
    pub(crate) push: bool,
    pub(crate) triage: bool,
    /// The scopes of a classic token.
    pub(crate) scopes: Option<&'static str>,
    /// Whether Apps get no answer but an error.
    pub(crate) app_breaks: bool,
    pub(crate) now: Time,
    pub(crate) issues: Vec<Value>,
    pub(crate) comments: Vec<Value>,
    pub(crate) labels: BTreeMap<String, Value>,
    pub(crate) milestones: Vec<Value>,
    pub(crate) assignable: BTreeSet<String>,
    /// Lists of changes, by their path in the repository.
    pub(crate) changes: BTreeMap<&'static str, Vec<Value>>,
    /// How many lists don't show yet what was just created.
    pub(crate) lag: u64,
    /// What the next writes, and the next reads of a path, meet.
    pub(crate) faults: VecDeque<Fault>,
    pub(crate) read_faults: VecDeque<(&'static str, Fault)>,
    pub(crate) asked: Vec<Asked>,
    pub(crate) violations: Vec<String>,
    began: Instant,
    ids: u64,
}

impl State {
    pub(crate) fn new(base: &str) -> Self {
        let mut state = Self {
            base: base.to_owned(),
            account: "incident-bot".to_owned(),
            says_account: true,
            visible: true,
            has_issues: true,
            archived: false,
            push: true,
            triage: true,
            scopes: None,
            app_breaks: false,
            now: t0(),
            issues: Vec::new(),
            comments: Vec::new(),
            labels: BTreeMap::new(),
            milestones: Vec::new(),
            assignable: BTreeSet::from(["alice".to_owned(), "Bob".to_owned()]),
            changes: BTreeMap::new(),
            lag: 0,
            faults: VecDeque::new(),
            read_faults: VecDeque::new(),
            asked: Vec::new(),
            violations: Vec::new(),
            began: Instant::now(),
            ids: 1_000,
        };
        for name in ["incident", "sev1", "sev2", "sev3", "sev4", "incident-followup", "priority:high"] {
            state.put_label(name);
        }
        state
    }

    pub(crate) fn answer(&mut self, mut asked: Asked) -> Reply {
        asked.after = self.began.elapsed();
        self.asked.push(asked.clone());
        if asked.path.starts_with("/app") {
            return self.of_app(&asked);
        }
        self.violations.extend(schema::violations(&asked));
        if !asked.headers.contains_key("user-agent") && self.base.starts_with("http:") {
            return Reply::new(403, json!({ "message": "Request forbidden by administrative rules." }));
        }
        if asked.headers.get("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return refusal(401, "Bad credentials");
        }
        let fault = if asked.is_write() { self.faults.pop_front() } else { self.read_fault(&asked.path) };
        match fault {
            Some(Fault::Hang) => return Reply::Silence,
            Some(Fault::Answer(status, headers, body)) => return Reply::Answer(status, headers, body),
            _ => {}
        }
        let reply = self.route(&asked);
        match fault {
            Some(Fault::LoseReply) => Reply::Cut,
            Some(Fault::AnswerLate) => Reply::Silence,
            _ => reply,
        }
    }

    /// What an App asks for itself, with a signed word instead of a token.
    fn of_app(&self, asked: &Asked) -> Reply {
        let signed = asked.headers.get("authorization").is_some_and(|it| it.split('.').count() == 3);
        match (asked.line().as_str(), signed) {
            _ if self.app_breaks => refusal(503, "Service Unavailable"),
            (_, false) => refusal(401, "A JSON web token could not be decoded"),
            ("POST /app/installations/2/access_tokens", _) => {
                let permissions = json!({ "issues": "write", "metadata": "read" });
                Reply::new(
                    201,
                    json!({ "token": TOKEN, "expires_at": "2099-01-01T00:00:00Z", "permissions": permissions }),
                )
            }
            ("GET /app", _) => Reply::new(200, json!({ "id": 1, "slug": "our-app" })),
            ("GET /app/installations/2", _) => {
                let issues = if self.push { "write" } else { "read" };
                Reply::new(
                    200,
                    json!({ "id": 2, "app_slug": "our-app", "permissions": { "issues": issues } }),
                )
            }
            _ => refusal(404, "Not Found"),
        }
    }

    fn read_fault(&mut self, path: &str) -> Option<Fault> {
        let (of, _) = self.read_faults.front()?;
        if path.ends_with(of) { self.read_faults.pop_front().map(|(_, fault)| fault) } else { None }
    }

    fn route(&mut self, asked: &Asked) -> Reply {
        let path = asked.path.replace("/repositories/1296269/", "/repos/acme/shop/");
        let parts: Vec<String> = path.trim_start_matches('/').split('/').map(page::decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match parts.as_slice() {
            ["user"] if self.says_account => {
                Reply::new(200, json!({ "login": self.account, "id": 4711, "type": "User" }))
            }
            ["user"] => refusal(403, "Resource not accessible by integration"),
            ["repos", owner, name, rest @ ..] => {
                if owner.eq_ignore_ascii_case("acme") && name.eq_ignore_ascii_case("old") {
                    let there = format!("{}{}", self.base, asked.path.replacen("/acme/old", "/acme/shop", 1));
                    return Reply::new(301, json!({ "message": "Moved Permanently" }))
                        .with("location", &there);
                }
                let known = owner.eq_ignore_ascii_case("acme")
                    && (name.eq_ignore_ascii_case("shop") || name.eq_ignore_ascii_case("web"));
                if !known || !self.visible {
                    // Whether it is private or isn't there at all is nobody's business.
                    return refusal(404, "Not Found");
                }
                self.in_repository(asked, &name.to_lowercase(), rest)
            }
            _ => refusal(404, "Not Found"),
        }
    }

    fn in_repository(&mut self, asked: &Asked, name: &str, rest: &[&str]) -> Reply {
        match rest {
            [] => {
                let permissions =
                    json!({ "admin": false, "push": self.push, "triage": self.triage, "pull": true });
                let reply = Reply::new(
                    200,
                    json!({
                        "id": 1_296_269, "full_name": format!("acme/{name}"), "private": true, "archived": self.archived,
                        "has_issues": self.has_issues, "permissions": permissions, "default_branch": "main",
                    }),
                );
                match self.scopes {
                    Some(scopes) => reply.with("x-oauth-scopes", scopes),
                    None => reply,
                }
            }
            ["issues" | "labels" | "assignees" | "milestones", ..] => issues::answer(self, asked, name, rest),
            ["deployments", id, "statuses"] => {
                let states = json!([{ "id": 1, "state": if *id == "1" { "failure" } else { "success" } }]);
                Reply::new(200, states)
            }
            _ => self.list_changes(asked, &rest.join("/")),
        }
    }

    fn list_changes(&self, asked: &Asked, path: &str) -> Reply {
        let Some(all) = self.changes.get(path) else { return refusal(404, "Not Found") };
        let within = |at: Option<&str>, from: Option<&str>, until: Option<&str>| {
            let time = |text: Option<&str>| text.and_then(|text| text.parse::<Time>().ok());
            let at = time(at);
            from.is_none_or(|from| at >= time(Some(from)))
                && until.is_none_or(|until| at <= time(Some(until)))
        };
        let query = |name: &str| asked.query.get(name).map(String::as_str);
        let created = query("created").and_then(|range| range.split_once(".."));
        let shown: Vec<Value> = all
            .iter()
            .filter(|it| {
                within(
                    it.pointer("/commit/committer/date").and_then(Value::as_str),
                    query("since"),
                    query("until"),
                )
            })
            .filter(|it| {
                created.is_none_or(|(from, until)| within(it["created_at"].as_str(), Some(from), Some(until)))
            })
            .cloned()
            .collect();
        match path {
            "actions/runs" => page::of_runs(asked, &self.base, &shown),
            _ => page::of(asked, &self.base, &shown),
        }
    }

    /// The next number of a new thing, and a second later.
    pub(crate) fn next(&mut self) -> u64 {
        self.now = after(self.now, Duration::from_secs(1));
        self.ids += 1;
        self.ids
    }

    pub(crate) fn put_label(&mut self, name: &str) {
        let label = json!({ "id": self.ids, "name": name, "color": "ededed", "description": null });
        self.labels.insert(name.to_lowercase(), label);
    }

    /// An issue that somebody opened by hand. Returns its number.
    pub(crate) fn put_issue(&mut self, by: &str, title: &str, body: &str) -> u64 {
        issues::open(self, by, "shop", &json!({ "title": title, "body": body }))["number"].as_u64().unwrap()
    }

    /// Transfers an issue to the repository `acme/web`. Returns its number there.
    pub(crate) fn transfer(&mut self, number: u64) -> u64 {
        let mut there = self.issue(number).clone();
        let new = self.issues.len() as u64 + 1;
        there["number"] = json!(new);
        there["repository_url"] = json!("https://api.github.com/repos/acme/web");
        there["html_url"] = json!(format!("https://github.com/acme/web/issues/{new}"));
        self.issues.push(there);
        self.edit(number, "moved", json!(format!("/repos/acme/web/issues/{new}")));
        new
    }

    /// A comment that somebody wrote by hand.
    pub(crate) fn put_comment(&mut self, by: &str, number: u64, body: &str) {
        issues::add_comment(self, by, number, body);
    }

    pub(crate) fn issue(&self, number: u64) -> &Value {
        self.issues.iter().find(|issue| issue["number"] == number).unwrap()
    }

    pub(crate) fn edit(&mut self, number: u64, field: &str, value: Value) {
        self.issues.iter_mut().find(|issue| issue["number"] == number).unwrap()[field] = value;
    }

    /// The bodies of an issue's comments.
    pub(crate) fn said(&self, number: u64) -> Vec<String> {
        let of = |comment: &&Value| comment["issue"] == number;
        let comments = self.comments.iter().filter(of);
        comments.map(|comment| comment["body"].as_str().unwrap().to_owned()).collect()
    }
}

pub(crate) fn refusal(status: u16, message: &str) -> Reply {
    Reply::new(status, json!({ "message": message, "documentation_url": "https://docs.github.com/rest" }))
}
