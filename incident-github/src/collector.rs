//! What was merged, released and deployed shortly before an incident began.

mod candidates;
mod changes;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use incident_core::config::ConfigError;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, Capture, Collector, Preflight, PreflightContext, ReadContext,
};
use incident_core::views::redact::redact;
use serde_json::{Value, json};

use crate::call::Call;
use crate::client::Client;
use crate::config::{self, ChangesConfig};
use crate::reference::Repository;
use crate::tracker::lacking;

pub use candidates::candidates;
use changes::{Source, Window};

const TWO_HOURS: Duration = Duration::from_secs(7200);

/// Takes down what changed shortly before the incident began, and since.
///
/// There is one capture a repository, `changes/<owner>/<name>`: a JSON document with `repository`, `started_at`, `changes`
/// with the latest first, and `missing`, what couldn't be had and why. Each change has `kind`, `at`,
/// `seconds_before_start` or `seconds_after_start`, `by`, `link` and the fields below. While the start is unknown, `started_at` is
/// null, and the seconds are `seconds_before_declaration` or `seconds_after_declaration`.
///
/// | `kind` | and |
/// |---|---|
/// | `commit` | `sha`, `title`; of the default branch |
/// | `merge` | `number`, `title`, `sha`, `into` |
/// | `release` | `tag`, `title`, `prerelease` |
/// | `deployment` | `environment`, `ref`, `sha`, `state` as it is by now |
/// | `workflow` | `title`, `branch`, `sha`, `event`, `state` |
///
/// [`candidates`] makes hypotheses of it.
///
/// # Caveats
/// Commits are dated by their authors' machines and say when they were made, not when they were pushed; a merge's time is
/// GitHub's own. What is recognised as a secret is taken out; what isn't, stays.
pub struct GithubCollector {
    client: Client,
    repositories: Vec<Repository>,
    within: Duration,
}

impl GithubCollector {
    pub(crate) fn new(
        client: Client,
        tickets: &Repository,
        changes: &ChangesConfig,
    ) -> Result<Self, ConfigError> {
        let named = changes.repositories.iter();
        let named = named.map(|name| config::repository("changes.repositories", name));
        let mut repositories = named.collect::<Result<Vec<_>, _>>()?;
        if repositories.is_empty() {
            repositories.push(tickets.clone());
        }
        Ok(Self { client, repositories, within: changes.within.unwrap_or(TWO_HOURS) })
    }

    /// The changes of one repository, whatever of it can be had.
    async fn of(
        &self,
        call: &Call,
        repository: &Repository,
        window: &Window,
    ) -> Result<Capture, AdapterError> {
        let (mut changes, mut missing, mut failed) = (Vec::new(), Vec::new(), None);
        for source in Source::ALL {
            match source.changes(&self.client, call, repository, window).await {
                Ok(found) => {
                    if !found.whole {
                        missing.push(json!({ "what": source.name(), "why": "there are more than are read" }));
                    }
                    changes.extend(found.changes);
                }
                Err(error) => {
                    missing.push(json!({ "what": source.name(), "why": error.to_string() }));
                    failed = Some(error);
                }
            }
        }
        if let (Some(error), true) = (failed, missing.len() == Source::ALL.len()) {
            return Err(error);
        }
        changes.sort_by_key(|change| std::cmp::Reverse(change.at));
        let shown: Vec<Value> = changes.into_iter().map(|change| window.shown(change)).collect();
        Ok(document(json!({
            "repository": repository.as_str(), "started_at": window.started_at(), "changes": shown,
            "missing": missing,
        })))
    }
}

/// A repository's capture, without what looks like a secret.
fn document(mut value: Value) -> Capture {
    clean(&mut value);
    let name = format!("changes/{}", value["repository"].as_str().unwrap_or_default());
    let mut capture = Capture::text(&name, &serde_json::to_string_pretty(&value).unwrap_or_default());
    capture.media_type = "application/json".to_owned();
    let whole = value["missing"].as_array().is_some_and(Vec::is_empty);
    if whole { capture } else { capture.truncated() }
}

/// Takes what looks like a secret out of each text by itself: one that ends at an escaped character ends nowhere in the
/// document's text.
fn clean(value: &mut Value) {
    match value {
        Value::String(text) => *text = String::from_utf8_lossy(&redact(text.as_bytes()).bytes).into_owned(),
        Value::Array(list) => list.iter_mut().for_each(clean),
        Value::Object(map) => map.values_mut().for_each(clean),
        _ => {}
    }
}

impl fmt::Debug for GithubCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GithubCollector").field("repositories", &self.repositories).finish_non_exhaustive()
    }
}

#[async_trait]
impl Adapter for GithubCollector {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("github")
    }

    async fn preflight(&self, cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        let call = Call::new("look at recent changes", cx.now, cx.deadline);
        let mut preflight = Preflight::default();
        for repository in &self.repositories {
            for source in Source::ALL {
                let what = format!("{} of {repository}", source.name());
                preflight = match source.probe(&self.client, &call, repository).await {
                    Ok(()) => preflight.good(&what),
                    Err(error) => lacking(preflight, &what, error)?,
                };
            }
        }
        Ok(preflight)
    }
}

#[async_trait]
impl Collector for GithubCollector {
    async fn collect(&self, cx: &ReadContext) -> Result<Vec<Capture>, AdapterError> {
        let call = Call::new("collect recent changes", cx.now, cx.deadline);
        let window = Window::new(cx.onset, self.within, cx.now);
        let (mut captures, mut failed) = (Vec::new(), Vec::new());
        for repository in &self.repositories {
            match self.of(&call, repository, &window).await {
                Ok(capture) => captures.push(capture),
                Err(error) => failed.push((repository, error)),
            }
        }
        if captures.is_empty()
            && let Some((_, error)) = failed.pop()
        {
            return Err(error);
        }
        captures.extend(failed.into_iter().map(|(repository, error)| {
            let missing = json!([{ "what": "everything", "why": error.to_string() }]);
            document(json!({ "repository": repository.as_str(), "changes": [], "missing": missing }))
        }));
        Ok(captures)
    }
}
