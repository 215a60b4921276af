//! Where changes are found, and what is taken down of each.

use std::time::Duration;

use incident_core::model::inert::clip;
use incident_core::model::time::{Time, before};
use incident_core::port::{AdapterError, Onset};
use serde_json::{Value, json};

use crate::call::Call;
use crate::client::{Client, Listed};
use crate::reference::Repository;

/// Pages of a list that are read at most.
const MOST_PAGES: usize = 3;
/// Deployments of which the state is asked for.
const MOST_STATES: usize = 10;
/// Bytes of a title that are taken down.
const MOST_OF_TITLE: usize = 300;

/// The time in which a change is a recent one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    from: Time,
    onset: Onset,
    now: Time,
}

/// One change, and when it was.
pub(super) struct Change {
    pub(super) at: Time,
    what: Value,
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) changes: Vec<Change>,
    /// Whether everything was looked at.
    pub(super) whole: bool,
}

/// A list of GitHub that changes are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Commits,
    Merges,
    Releases,
    Deployments,
    Workflows,
}

impl Window {
    pub(super) fn new(onset: Onset, within: Duration, now: Time) -> Self {
        Self { from: before(onset.time(), within), onset, now }
    }

    /// When the incident started, if that is known.
    pub(super) fn started_at(&self) -> Option<Time> {
        self.onset.known()
    }

    /// The change as it is shown: with its distance from the start.
    pub(super) fn shown(&self, change: Change) -> Value {
        let Change { at, mut what } = change;
        what["at"] = json!(at);
        let (distance, seconds) = self.onset.distance(at);
        what[distance] = json!(seconds);
        what
    }

    fn has(&self, at: Time) -> bool {
        (self.from..=self.now).contains(&at)
    }
}

impl Source {
    pub(super) const ALL: [Self; 5] =
        [Self::Commits, Self::Merges, Self::Releases, Self::Deployments, Self::Workflows];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Commits => "commits",
            Self::Merges => "merged pull requests",
            Self::Releases => "releases",
            Self::Deployments => "deployments",
            Self::Workflows => "workflow runs",
        }
    }

    /// Whether the list can be read at all.
    pub(super) async fn probe(
        self,
        client: &Client,
        call: &Call,
        repository: &Repository,
    ) -> Result<(), AdapterError> {
        let path = match self {
            Self::Commits => "/commits?per_page=1",
            Self::Merges => "/pulls?per_page=1",
            Self::Releases => "/releases?per_page=1",
            Self::Deployments => "/deployments?per_page=1",
            Self::Workflows => "/actions/runs?per_page=1",
        };
        client.get(call, &repository.path(path)).await.map(drop)
    }

    /// What of the list lies in the window.
    pub(super) async fn changes(
        self,
        client: &Client,
        call: &Call,
        repository: &Repository,
        window: &Window,
    ) -> Result<Found, AdapterError> {
        let list = |path: String, by: &'static str| async move {
            let is_older = |item: &Value| time(item, by).is_some_and(|at| at < window.from);
            client.list(call, &repository.path(&path), MOST_PAGES, is_older).await
        };
        let (from, now) = (second(window.from), second(window.now));
        let listed = match self {
            Self::Commits => list(format!("/commits?since={from}&until={now}"), "").await?,
            Self::Merges => {
                list("/pulls?state=closed&sort=updated&direction=desc".to_owned(), "/updated_at").await?
            }
            Self::Releases => list("/releases".to_owned(), "/created_at").await?,
            Self::Deployments => list("/deployments".to_owned(), "/created_at").await?,
            // The parameter for when they were created is a time in GitHub's description and a range in its text.
            Self::Workflows => list("/actions/runs".to_owned(), "/created_at").await?,
        };
        let mut found = self.read(&listed, window);
        if self == Self::Deployments {
            for change in found.changes.iter_mut().take(MOST_STATES) {
                let path = format!("/deployments/{}/statuses?per_page=1", change.what["id"]);
                let states = client.get(call, &repository.path(&path)).await?;
                change.what["state"] = states[0]["state"].clone();
            }
        }
        Ok(found)
    }

    fn read(self, listed: &Listed, window: &Window) -> Found {
        let read = match self {
            Self::Commits => commit,
            Self::Merges => merge,
            Self::Releases => release,
            Self::Deployments => deployment,
            Self::Workflows => workflow,
        };
        let changes = listed.items.iter().filter_map(read).filter(|change| window.has(change.at)).collect();
        Found { changes, whole: listed.whole }
    }
}

fn commit(it: &Value) -> Option<Change> {
    let by = text(it, "/author/login").or_else(|| text(it, "/commit/author/name"));
    let what = json!({
        "kind": "commit", "sha": it["sha"], "title": title(it, "/commit/message"), "by": by,
        "link": it["html_url"],
    });
    Some(Change { at: time(it, "/commit/committer/date")?, what })
}

fn merge(it: &Value) -> Option<Change> {
    let what = json!({
        "kind": "merge", "number": it["number"], "title": title(it, "/title"), "sha": it["merge_commit_sha"],
        "into": text(it, "/base/ref"), "by": text(it, "/user/login"), "link": it["html_url"],
    });
    Some(Change { at: time(it, "/merged_at")?, what })
}

fn release(it: &Value) -> Option<Change> {
    let what = json!({
        "kind": "release", "tag": it["tag_name"], "title": title(it, "/name"), "prerelease": it["prerelease"],
        "by": text(it, "/author/login"), "link": it["html_url"],
    });
    Some(Change { at: time(it, "/published_at")?, what })
}

fn deployment(it: &Value) -> Option<Change> {
    let what = json!({
        "kind": "deployment", "id": it["id"].as_u64()?, "environment": it["environment"], "ref": it["ref"],
        "sha": it["sha"], "by": text(it, "/creator/login"), "state": null,
    });
    Some(Change { at: time(it, "/created_at")?, what })
}

fn workflow(it: &Value) -> Option<Change> {
    let state = text(it, "/conclusion").or_else(|| text(it, "/status"));
    let what = json!({
        "kind": "workflow", "title": title(it, "/name"), "branch": it["head_branch"], "sha": it["head_sha"],
        "event": it["event"], "state": state, "by": text(it, "/actor/login"), "link": it["html_url"],
    });
    Some(Change { at: time(it, "/run_started_at").or_else(|| time(it, "/created_at"))?, what })
}

fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer)?.as_str()
}

/// The first line.
fn title(value: &Value, pointer: &str) -> Option<String> {
    let line = text(value, pointer)?.lines().next().unwrap_or_default();
    Some(clip(line, MOST_OF_TITLE))
}

fn time(value: &Value, pointer: &str) -> Option<Time> {
    text(value, pointer)?.parse().ok()
}

fn second(time: Time) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
