//! Opening an issue with all that belongs to it.

use std::time::Duration;

use http::{Method, StatusCode};
use incident_core::model::effect::Receipt;
use incident_core::model::ticket::OpenTicket;
use incident_core::port::{AdapterError, EffectContext, ErrorKind};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::GithubTracker;
use super::place::Place;
use crate::call::Call;
use crate::client::Answer;
use crate::error::{Failure, Purpose};
use crate::marker::Marker;
use crate::reference::{Issue, Repository, is_account, is_same_account};
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
        let labels = self
            .labels_there(call, &self.repository, &it.labels, &mut degraded)
            .await
            .map_err(AdapterError::not_applied)?;
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
        let answer = self.create(call, &mut body, &mut degraded).await?;
        let opened = self.labelled(call, answer)?.json(call, Purpose::Write)?;
        let issue = self.named(&opened).ok_or_else(|| Failure::NotJson.into_error(call, Purpose::Write))?;
        if cx.attempt > 1
            && let Some(receipt) = self.yield_to_earlier(call, cx, &issue).await
        {
            return Ok(receipt);
        }
        degraded.extend(dropped(&body, &opened));
        let mut place = Place::new(issue);
        for (number, part) in (2..).zip(&parts[1..]) {
            // The ticket is there: what follows is of less weight than that it is known.
            if let Err(error) =
                self.say_part(call, &mut place, part, Marker::new(cx.effect).part(number)).await
            {
                degraded.push(format!("part {number} of {} of its text is missing: {error}", parts.len()));
            }
        }
        let mut receipt = place.receipt(&opened);
        receipt.degraded = degraded;
        Ok(receipt)
    }

    /// Creates the issue. An assignee or a milestone that is gone by now is left out, and a repository that has another name
    /// is followed: in each case GitHub did nothing yet.
    async fn create(
        &self,
        call: &Call,
        body: &mut Value,
        degraded: &mut Degraded,
    ) -> Result<Answer, AdapterError> {
        let mut path = self.repository.path("/issues");
        loop {
            let answer = self.client.write(call, Method::POST, &path, Some(body)).await?;
            let blamed = ["assignees", "milestone"].into_iter().find(|field| answer.blames(field));
            if answer.status.is_redirection() {
                let seen = self.client.get(call, &self.repository.path("")).await?;
                let now = seen["full_name"].as_str().and_then(Repository::parse);
                let Some(now) = now.filter(|now| now.path("/issues") != path) else { return Ok(answer) };
                degraded.push(format!("the repository is {now} now; change the settings"));
                path = now.path("/issues");
            } else if let Some(field) = blamed
                && body.as_object_mut().is_some_and(|body| body.remove(field).is_some())
            {
                degraded.push(format!("GitHub refused the {field}"));
            } else {
                return Ok(answer);
            }
        }
    }

    /// The receipt of the issue that an earlier attempt opened, should lists show it only now; ours is closed as its
    /// duplicate then.
    async fn yield_to_earlier(&self, call: &Call, cx: &EffectContext, ours: &Issue) -> Option<Receipt> {
        let (opened, _) = self.opened(call, cx).await.ok()?;
        let earlier = opened.iter().find(|seen| seen["number"].as_u64() < Some(ours.number))?;
        let first = Place::new(self.named(earlier)?);
        let (mut place, first_name) = (Place::new(ours.clone()), first.issue.to_string());
        let mut receipt = first.receipt(earlier);
        let words = format!("Duplicate of {first_name}");
        let said = self.say_part(call, &mut place, &words, Marker::new(cx.effect)).await;
        let close = json!({ "state": "closed", "state_reason": "duplicate" });
        let closed = self.change(call, &mut place, Method::PATCH, "", Some(&close)).await;
        let closed = said.and(closed).and_then(|answer| answer.accepted(call, Purpose::Write));
        receipt.degraded.push(match closed {
            Ok(_) => format!("{ours} was opened twice and is closed as a duplicate"),
            Err(error) => format!("{ours} is a duplicate; close it: {error}"),
        });
        Some(receipt)
    }

    /// The issue that GitHub's answer is of.
    pub(super) fn named(&self, seen: &Value) -> Option<Issue> {
        let here = Issue { repository: self.repository.clone(), number: seen["number"].as_u64()? };
        Some(Issue::of(seen).filter(|issue| issue.repository != here.repository).unwrap_or(here))
    }

    /// The labels, each there by now, except those that couldn't be created.
    pub(super) async fn labels_there(
        &self,
        call: &Call,
        repository: &Repository,
        wanted: &[String],
        degraded: &mut Degraded,
    ) -> Result<Vec<String>, AdapterError> {
        let mut there = Vec::new();
        for name in wanted.iter().map(|name| label::name(name)).filter(|name| !name.is_empty()) {
            match self.label_there(call, repository, &name).await {
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
    async fn label_there(
        &self,
        call: &Call,
        repository: &Repository,
        name: &str,
    ) -> Result<(), AdapterError> {
        let known = format!("{repository} {name}");
        if self.client.knows_label(&known) {
            return Ok(());
        }
        let answer = self.client.ask(call, &repository.path(&format!("/labels/{}", encoded(name)))).await?;
        if answer.status == StatusCode::NOT_FOUND {
            let (path, body) = (repository.path("/labels"), label::body(name, &self.labels));
            let answer = self.client.write(call, Method::POST, &path, Some(&body)).await?;
            let by_another =
                answer.status == StatusCode::UNPROCESSABLE_ENTITY && answer.said().contains("already_exists");
            if !by_another {
                answer.accepted(call, Purpose::Write)?;
            }
        } else {
            answer.accepted(call, Purpose::Read)?;
        }
        self.client.learn_label(&known);
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
