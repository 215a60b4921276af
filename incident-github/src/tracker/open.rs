//! Opening an issue with all that belongs to it.

use std::time::Duration;

use http::{Method, StatusCode};
use incident_core::domain::effect::Receipt;
use incident_core::domain::ticket::OpenTicket;
use incident_core::port::{AdapterError, EffectContext, ErrorKind};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{GithubTracker, receipt};
use crate::call::Call;
use crate::client::Answer;
use crate::error::{Failure, Purpose};
use crate::marker::Marker;
use crate::reference::{Issue, is_account, is_same_account};
use crate::{label, status, text};

/// The most assignees of an issue.
const MOST_ASSIGNEES: usize = 10;

/// What of the wished can't be had, in words.
type Degraded = Vec<String>;

impl GithubTracker {
    /// Opens an issue. What GitHub would refuse it for – an assignee who left, a milestone that is gone – is left out and
    /// said.
    pub(super) async fn open(
        &self,
        call: &Call,
        cx: &EffectContext,
        it: &OpenTicket,
    ) -> Result<Receipt, AdapterError> {
        let mut degraded = Vec::new();
        // Nothing of the issue is there yet, whatever becomes of a label.
        let labels =
            self.labels_there(call, &it.labels, &mut degraded).await.map_err(AdapterError::not_applied)?;
        let assignees = self.assignable(call, it, &mut degraded).await?;
        let milestone = self.milestone(call, it, &mut degraded).await?;
        let parts = parts(it);
        let marker = Marker { due: it.due, ..Marker::new(cx.effect) };
        let mut body = json!({
            "title": text::title(&it.title), "body": body(it, &parts[0], marker),
            "labels": labels, "assignees": assignees,
        });
        if let Some(number) = milestone {
            body["milestone"] = json!(number);
        }
        let path = self.repository.path("/issues");
        let answer = self.client.write(call, Method::POST, &path, Some(&body)).await?;
        let opened = self.labelled(call, answer)?.json(call, Purpose::Write)?;
        let issue = self.named(&opened).ok_or_else(|| Failure::NotJson.into_error(call, Purpose::Write))?;
        degraded.extend(dropped(&body, &opened));
        for (number, part) in (2..).zip(&parts[1..]) {
            // The ticket is there: what follows is of less weight than that it is known.
            if let Err(error) = self.say_part(call, &issue, part, Marker::new(cx.effect).part(number)).await {
                degraded.push(format!("part {number} of {} of its text is missing: {error}", parts.len()));
            }
        }
        let mut receipt = receipt(&issue, &opened);
        receipt.degraded = degraded;
        Ok(receipt)
    }

    /// The issue that GitHub's answer is of.
    pub(super) fn named(&self, seen: &Value) -> Option<Issue> {
        Some(Issue { repository: self.repository.clone(), number: seen["number"].as_u64()? })
    }

    /// The labels, each there by now, except those that couldn't be created.
    pub(super) async fn labels_there(
        &self,
        call: &Call,
        wanted: &[String],
        degraded: &mut Degraded,
    ) -> Result<Vec<String>, AdapterError> {
        let mut there = Vec::new();
        for name in wanted.iter().map(|name| label::name(name)).filter(|name| !name.is_empty()) {
            match self.label_there(call, &name).await {
                Ok(()) => there.push(name),
                Err(error) if matches!(error.kind, ErrorKind::RateLimited | ErrorKind::Unavailable) => {
                    return Err(error);
                }
                Err(error) => degraded.push(format!("the label {name} is missing: {error}")),
            }
        }
        Ok(there)
    }

    /// Creates a label unless it exists. GitHub can't be relied on to do so by itself.
    async fn label_there(&self, call: &Call, name: &str) -> Result<(), AdapterError> {
        if self.client.knows_label(name) {
            return Ok(());
        }
        let answer =
            self.client.ask(call, &self.repository.path(&format!("/labels/{}", encoded(name)))).await?;
        if answer.status == StatusCode::NOT_FOUND {
            let (path, body) = (self.repository.path("/labels"), label::body(name, &self.labels));
            let answer = self.client.write(call, Method::POST, &path, Some(&body)).await?;
            let by_another =
                answer.status == StatusCode::UNPROCESSABLE_ENTITY && answer.said().contains("already_exists");
            if !by_another {
                answer.accepted(call, Purpose::Write)?;
            }
        } else {
            answer.accepted(call, Purpose::Read)?;
        }
        self.client.learn_label(name);
        Ok(())
    }

    /// The answer to a write with labels. One that was there may be gone by now, and is created before the next try.
    pub(super) fn labelled(&self, call: &Call, answer: Answer) -> Result<Answer, AdapterError> {
        let is_gone = answer.status == StatusCode::UNPROCESSABLE_ENTITY && answer.said().contains("label");
        let accepted = answer.accepted(call, Purpose::Write);
        if is_gone {
            self.client.forget_labels();
            return accepted.map_err(|error| error.retry_after(Some(Duration::from_secs(1))));
        }
        accepted
    }

    /// The accounts that may be assigned here.
    async fn assignable(
        &self,
        call: &Call,
        it: &OpenTicket,
        degraded: &mut Degraded,
    ) -> Result<Vec<String>, AdapterError> {
        let mut assignable = Vec::new();
        for account in it.assignees.iter().filter_map(|identity| identity.account_in("github")) {
            let path = self.repository.path(&format!("/assignees/{}", encoded(account)));
            let may = is_account(account)
                && assignable.len() < MOST_ASSIGNEES
                && self.client.ask(call, &path).await?.status == StatusCode::NO_CONTENT;
            if may {
                assignable.push(account.to_owned());
            } else {
                degraded.push(format!("{} can't be assigned here", text::title(account)));
            }
        }
        Ok(assignable)
    }

    /// The number of a follow-up's milestone.
    async fn milestone(
        &self,
        call: &Call,
        it: &OpenTicket,
        degraded: &mut Degraded,
    ) -> Result<Option<u64>, AdapterError> {
        let Some(title) = self.milestone.as_deref().filter(|_| is_follow_up(it)) else { return Ok(None) };
        let found = self.find_milestone(call, title).await?;
        if found.is_none() {
            degraded.push(format!("there is no open milestone {title}"));
        }
        Ok(found)
    }

    /// The number of the open milestone with this title.
    pub(super) async fn find_milestone(&self, call: &Call, title: &str) -> Result<Option<u64>, AdapterError> {
        let is_it = |milestone: &Value| milestone["title"] == title;
        let path = self.repository.path("/milestones?state=open");
        let listed = self.client.list(call, &path, 10, is_it).await?;
        Ok(listed.items.iter().find(|it| is_it(it)).and_then(|it| it["number"].as_u64()))
    }
}

/// The labels and assignees of `it`, as far as GitHub could have them.
pub(super) fn wishes(it: &OpenTicket) -> Value {
    let accounts = it.assignees.iter().filter_map(|identity| identity.account_in("github"));
    let labels = it.labels.iter().map(|name| label::name(name));
    json!({ "labels": labels.collect::<Vec<_>>(), "assignees": accounts.collect::<Vec<_>>() })
}

/// A follow-up names its parent, and is due.
fn is_follow_up(it: &OpenTicket) -> bool {
    it.parent.is_some() || it.due.is_some()
}

/// The text of an issue, in as many parts as it needs.
pub(super) fn parts(it: &OpenTicket) -> Vec<String> {
    let lines = text::lines(&it.body);
    if is_follow_up(it) { text::paragraphs(&lines) } else { text::list(&lines) }
}

/// The body of an issue: our section, what people may change, and the marker.
fn body(it: &OpenTicket, part: &str, marker: Marker) -> String {
    let mut paragraphs = vec![status::section(part)];
    paragraphs.extend(it.due.map(status::due_line));
    // Written like this, GitHub shows it on the parent, too.
    let parent = it.parent.as_ref().and_then(|parent| Issue::parse(parent.as_str()));
    paragraphs.extend(parent.map(|parent| format!("Part of {parent}")));
    paragraphs.push(marker.line());
    paragraphs.join("\n\n")
}

/// What of the wished an issue lacks. Without push access GitHub leaves it out and says nothing.
pub(super) fn dropped(wanted: &Value, seen: &Value) -> Degraded {
    let names = |value: &Value, of: &str| -> Vec<String> {
        let all = value.as_array().into_iter().flatten();
        all.filter_map(|it| it.as_str().or_else(|| it[of].as_str())).map(str::to_owned).collect()
    };
    let mut dropped = Vec::new();
    let labels = names(&seen["labels"], "name");
    for label in names(&wanted["labels"], "name") {
        if !labels.iter().any(|there| label::is_same(there, &label)) {
            dropped.push(format!("GitHub dropped the label {label}"));
        }
    }
    let assignees = names(&seen["assignees"], "login");
    for account in names(&wanted["assignees"], "login") {
        if !assignees.iter().any(|there| is_same_account(there, &account)) {
            dropped.push(format!("GitHub dropped the assignee {account}"));
        }
    }
    if !wanted["milestone"].is_null() && wanted["milestone"] != seen["milestone"]["number"] {
        dropped.push("GitHub dropped the milestone".to_owned());
    }
    dropped
}

/// A name as a part of a path.
pub(super) fn encoded(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}
