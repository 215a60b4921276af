//! Finding out before an incident whether this will work in one.

use incident_core::port::{AdapterError, Preflight};
use serde_json::Value;

use crate::budget::Budget;
use crate::client::unread;
use crate::error::Failure;
use crate::notifier::SlackNotifier;

/// The check that fails if Slack doesn't accept the bot's token. Nothing can be said in Slack then.
pub const TOKEN_ACCEPTED: &str = "the bot's token is accepted";

const LOOK_AROUND: &str = "check the Slack workspace";

impl SlackNotifier {
    /// Who the token belongs to, what it is allowed, and whether the app is in its channel.
    ///
    /// # Errors
    /// [`AdapterError`] if Slack can't be asked; what Slack refuses is a line of the result.
    pub(crate) async fn look_around(&self, budget: &Budget) -> Result<Preflight, AdapterError> {
        let found = Preflight::default();
        let found = match self.client.who(budget).await {
            Ok(me) => found.good(&format!("the token is a bot's of {}", shown(&me.team))),
            Err(failure) if failure.is_refusal() => {
                let then = unread(LOOK_AROUND)(failure).context;
                return Ok(found.bad(TOKEN_ACCEPTED, &then));
            }
            Err(failure) => return Err(unread(LOOK_AROUND)(failure)),
        };
        let channel = &self.settings.channel;
        let seen = self.client.read("conversations.info", &[("channel", channel.clone())], budget).await;
        let is_private = match &seen {
            Ok(answer) => answer["channel"]["is_private"] == true,
            // Private channels of old have ids of their own.
            Err(_) => channel.starts_with('G'),
        };
        let found = match self.client.scopes(budget).await {
            Some(Ok(scopes)) => self.allowed(found, &scopes, is_private),
            Some(Err(Failure::Odd)) => {
                found.bad("the token's scopes", "Slack's answer doesn't name them; is a proxy in between?")
            }
            Some(Err(failure)) => return Err(unread(LOOK_AROUND)(failure)),
            None => found,
        };
        let what = format!("the channel {channel}");
        match seen {
            Ok(answer) => Ok(stands(found, &what, &answer["channel"])),
            Err(failure) if failure.is_refusal() => {
                Ok(found.bad(&what, &unread(LOOK_AROUND)(failure).context))
            }
            Err(failure) => Err(unread(LOOK_AROUND)(failure)),
        }
    }

    /// A line for each scope that is needed.
    fn allowed(&self, found: Preflight, scopes: &[String], is_private: bool) -> Preflight {
        self.needs(is_private).into_iter().fold(found, |found, (scope, why)| {
            let what = format!("the scope {scope}, {why}");
            if scopes.iter().any(|it| it == scope) {
                found.good(&what)
            } else {
                found.bad(&what, "add it to the bot's token scopes and install the app again")
            }
        })
    }

    /// The scopes that are needed as this is configured, and what for.
    fn needs(&self, is_private: bool) -> Vec<(&'static str, &'static str)> {
        let read = |private| if private { "groups:history" } else { "channels:history" };
        let see = |private| if private { "groups:read" } else { "channels:read" };
        let mut needs = vec![
            ("chat:write", "to post"),
            (read(is_private), "to look whether something was posted"),
            (see(is_private), "to see the channel before an incident"),
        ];
        if let Some(rooms) = &self.settings.rooms {
            let make = if rooms.private { "groups:write" } else { "channels:manage" };
            needs.push((make, "to make, name and archive an incident's channel, and to invite"));
            needs.push((read(rooms.private), "to look whether something was posted there"));
            needs.push((see(rooms.private), "to find an incident's channel again"));
            needs.push(("pins:write", "to pin the first message"));
            needs.push(("bookmarks:read", "to see which links are there"));
            needs.push(("bookmarks:write", "to add links"));
        }
        if self.evidence.is_some() {
            needs.push(("files:write", "to attach the post-mortem"));
        }
        needs.sort_unstable();
        needs.dedup_by_key(|(scope, _)| *scope);
        needs
    }
}

fn stands(found: Preflight, what: &str, channel: &Value) -> Preflight {
    if channel["is_archived"] == true {
        return found.bad(what, "it is archived: bring it back, or configure another one");
    }
    if channel["is_member"] == false {
        return found.bad(what, "the app isn't in it: invite it with /invite");
    }
    found.good(what)
}

/// A name of the workspace's, as one line.
fn shown(name: &str) -> String {
    incident_core::model::inert::clip(&incident_core::model::inert::line(name), 80)
}
