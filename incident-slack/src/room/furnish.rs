//! What a channel of an incident is set up with. Each thing is set, not added: doing it again changes nothing, and what fails
//! is said in the receipt and set by the next notice.

use std::collections::BTreeSet;

use incident_core::model::notice::Notice;
use serde_json::{Value, json};

use crate::blocks;
use crate::blocks::escape::{brief, escape, is_id, web};
use crate::budget::Budget;
use crate::error::Failure;
use crate::notifier::SlackNotifier;

/// Users that one call invites.
const INVITED_AT_ONCE: usize = 100;
/// Characters of a bookmark's title; Slack's documentation names no limit.
const TITLE: usize = 60;
/// Bookmarks that a notice may add, so that the message doesn't wait for all of them.
const ADDED_AT_ONCE: usize = 5;

impl SlackNotifier {
    /// Sets topic, members and bookmarks.
    pub(super) async fn furnish(
        &self,
        room: &str,
        notice: &Notice,
        invite: &[String],
        budget: &Budget,
        degraded: &mut Vec<String>,
    ) {
        let mut note = |what: &str, done: Result<(), Failure>| {
            if let Err(failure) = done {
                degraded.push(format!("{what}: {}", failure.brief()));
            }
        };
        note("the topic isn't up to date", self.set_topic(room, notice, budget).await);
        note("not everybody could be invited", self.invite(room, notice, invite, budget).await);
        note("bookmarks are missing", self.bookmark(room, notice, budget).await);
    }

    /// Pins the message that the incident is known by.
    pub(super) async fn pin(&self, room: &str, ts: &str, budget: &Budget, degraded: &mut Vec<String>) {
        let body = json!({ "channel": room, "timestamp": ts });
        let pinned = self.client.write("pins.add", &body, budget).await;
        if let Err(failure) = unless(pinned, &["already_pinned"]) {
            degraded.push(format!("the first message isn't pinned: {}", failure.brief()));
        }
    }

    /// Sets the topic if it is another one, because Slack tells everybody each time. A topic that somebody else set stays.
    async fn set_topic(&self, room: &str, notice: &Notice, budget: &Budget) -> Result<(), Failure> {
        let topic = blocks::topic(notice);
        let read = self.client.read("conversations.info", &[("channel", room.to_owned())], budget).await?;
        let there = &read["channel"]["topic"];
        let shown = there["value"].as_str().unwrap_or_default();
        let creator = there["creator"].as_str().unwrap_or_default();
        let is_theirs =
            !shown.is_empty() && !creator.is_empty() && creator != self.client.me(budget).await?.user;
        if is_theirs || shown == topic || escape(shown) == topic {
            return Ok(());
        }
        let body = json!({ "channel": room, "topic": topic });
        self.client.write("conversations.setTopic", &body, budget).await.map(drop)
    }

    /// Invites those whom the configuration or the notice names, and everybody who responds.
    pub(crate) async fn invite(
        &self,
        room: &str,
        notice: &Notice,
        invite: &[String],
        budget: &Budget,
    ) -> Result<(), Failure> {
        let named = notice.recipients.iter().chain(&notice.responders).flat_map(|who| &who.identities);
        let named = named.filter_map(|identity| identity.account_in("slack"));
        let users = invite.iter().map(String::as_str).chain(named);
        let users: BTreeSet<&str> = users.filter(|user| is_id(user, &['U', 'W'])).collect();
        let users: Vec<&str> = users.into_iter().collect();
        for some in users.chunks(INVITED_AT_ONCE) {
            // With `force`, one whom Slack doesn't know keeps nobody else out.
            let body = json!({ "channel": room, "users": some.join(","), "force": true });
            let invited = self.client.write("conversations.invite", &body, budget).await;
            unless(invited, &["already_in_channel", "cant_invite_self"])?;
        }
        Ok(())
    }

    /// Adds those of the notice's links, and the runbook's, that are no bookmarks yet. Slack would add the same one twice.
    async fn bookmark(&self, room: &str, notice: &Notice, budget: &Budget) -> Result<(), Failure> {
        let runbook = self.settings.runbook_url.iter().map(|url| ("Runbook".to_owned(), url.clone()));
        let links = notice.links.iter().filter_map(|link| web(link)).map(|url| (title(&url), url));
        let wanted: Vec<(String, String)> = runbook.chain(links).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let there = self.client.read("bookmarks.list", &[("channel_id", room.to_owned())], budget).await?;
        let there = there["bookmarks"].as_array().cloned().unwrap_or_default();
        let is_there = |url: &str| {
            let bare = |url: &str| url.trim_end_matches('/').to_owned();
            there.iter().filter_map(|it| it["link"].as_str()).any(|link| bare(link) == bare(url))
        };
        for (title, url) in wanted.into_iter().filter(|(_, url)| !is_there(url)).take(ADDED_AT_ONCE) {
            let body = json!({ "channel_id": room, "title": title, "type": "link", "link": url });
            self.client.write("bookmarks.add", &body, budget).await?;
        }
        Ok(())
    }
}

/// `done`, or an outcome that is as good.
fn unless(done: Result<Value, Failure>, as_good: &[&str]) -> Result<(), Failure> {
    match done {
        Err(failure) if failure.code().is_some_and(|code| as_good.contains(&code)) => Ok(()),
        done => done.map(drop),
    }
}

/// Where a link leads, in a few words: `github.com/…/issues/17`.
fn title(url: &str) -> String {
    let bare = url.split_once("://").map_or(url, |(_, bare)| bare);
    let bare = bare.split(['?', '#']).next().unwrap_or(bare).trim_end_matches('/');
    match (bare.split_once('/'), bare.rsplitn(3, '/').collect::<Vec<_>>().as_slice()) {
        (Some((host, _)), [last, before, rest]) if !rest.is_empty() && *rest != host => {
            brief(&format!("{host}/…/{before}/{last}"), TITLE)
        }
        _ => brief(bare, TITLE),
    }
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn a_bookmark_says_where_it_leads() {
        for (url, expect) in [
            ("https://github.com/acme/shop/issues/17", "github.com/…/issues/17"),
            ("https://grafana.example/d/abc?orgId=1", "grafana.example/d/abc"),
            ("https://a.example/", "a.example"),
            ("https://a.example/x", "a.example/x"),
        ] {
            assert_eq!(title(url), expect);
        }
    }
}
