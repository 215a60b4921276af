//! An incident as a channel of its own: found or made, set up, kept current.
//!
//! What is set up comes before the message, as far as it can: the message is what is looked for after a doubt, and all the
//! rest leads to the same state however often it is done.

mod archive;
mod furnish;
mod name;

use std::time::Duration;

use incident_core::model::effect::Receipt;
use incident_core::model::notice::Notice;
use incident_core::model::phase::Status;
use incident_core::port::{AdapterError, EffectContext};
use serde_json::json;

use crate::blocks;
use crate::budget::Budget;
use crate::client::unwritten;
use crate::config::RoomConfig;
use crate::error::Failure;
use crate::notifier::{SlackNotifier, Undelivered};
use crate::place::Place;
use crate::post::{Posted, post_beside};
use crate::thread::STALE;

/// Rooms of one incident: a new one is made when people archived the one before.
const ROOMS: usize = 9;
/// Channels of a page, and pages that are read.
const PAGE: usize = 900;
const PAGES: usize = 15;

/// How long announcing a new channel may take.
const ANNOUNCING: Duration = Duration::from_secs(2);

const OPEN: &str = "open a channel for the incident";

/// What a look through the workspace's channels found.
pub(crate) enum Search {
    Found(String),
    None,
    NotAll,
}

impl SlackNotifier {
    /// Makes the incident's channel, or finds it, and posts the message that the incident is known by. Where the workspace
    /// lets the app make no channel, the conversation is a thread.
    pub(crate) async fn open_room(
        &self,
        cx: &EffectContext,
        notice: &Notice,
        rooms: &RoomConfig,
        mut degraded: Vec<String>,
        budget: &Budget,
    ) -> Result<Receipt, AdapterError> {
        let room = match self.enter(rooms, notice, budget).await {
            Ok(room) => room,
            Err(failure) if forbids(&failure) => {
                degraded.push(format!("no channel can be made, so this is a thread: {}", failure.brief()));
                return self.begin_thread(cx, notice, degraded, budget).await;
            }
            Err(failure) => return Err(unwritten(OPEN)(failure)),
        };
        self.furnish(&room, notice, &rooms.invite, &budget.half(), &mut degraded).await;
        let message = |notice: &Notice| blocks::root(notice, &self.settings.style);
        let posted = self.post_once(cx, notice, (&room, None), message, budget, &mut degraded).await?;
        self.pin(&posted.channel, &posted.ts, budget, &mut degraded).await;
        if !cx.maybe_before && !rooms.private {
            self.announce(cx, notice, &posted.channel, budget, &mut degraded).await;
        }
        let place = Place::Room { channel: posted.channel.clone(), summary: posted.ts.clone() };
        Ok(self.receipt(&posted, Some(&place), degraded, budget).await)
    }

    /// Says in the configured channel where the incident's own channel is: those who are paged look there.
    async fn announce(
        &self,
        cx: &EffectContext,
        notice: &Notice,
        room: &str,
        budget: &Budget,
        degraded: &mut Vec<String>,
    ) {
        let message = blocks::announcement(notice, room);
        let to = (self.settings.channel.as_str(), None);
        let budget = budget.at_most(ANNOUNCING);
        if let Err(failure) = post_beside(&self.client, to, &message, cx.effect, &budget).await {
            degraded.push(format!("the new channel isn't announced: {}", failure.brief()));
        }
    }

    /// Says something in the incident's channel, and brings what stands above it up to date.
    pub(crate) async fn say_in_room(
        &self,
        cx: &EffectContext,
        notice: &Notice,
        (room, summary): (&str, &str),
        budget: &Budget,
    ) -> Result<Receipt, AdapterError> {
        let mut degraded = Vec::new();
        let (notice, uploaded) = self.attach(notice, budget, &mut degraded).await;
        let message = |notice: &Notice| blocks::reply(notice, &self.settings.style);
        let posted = match self.post_once(cx, &notice, (room, None), message, budget, &mut degraded).await {
            Err(Undelivered::NotPosted(failure)) if is_gone(&failure) => {
                return self.move_out(cx, &notice, degraded, budget).await;
            }
            posted => posted?,
        };
        if let Some(uploaded) = uploaded {
            self.share(&uploaded, &posted, budget, &mut degraded).await;
        }
        self.keep(cx, &notice, &posted, summary, budget, &mut degraded).await?;
        let place = Place::Room { channel: room.to_owned(), summary: summary.to_owned() };
        Ok(self.receipt(&posted, Some(&place), degraded, budget).await)
    }

    /// Says it elsewhere, because the incident's channel is gone or archived or the app was removed from it: in a new one,
    /// or in the configured channel once the incident is over.
    async fn move_out(
        &self,
        cx: &EffectContext,
        notice: &Notice,
        mut degraded: Vec<String>,
        budget: &Budget,
    ) -> Result<Receipt, AdapterError> {
        let gone = "the incident's channel is gone or archived, or the app was removed from it";
        if notice.status == Status::Resolved {
            degraded.push(format!("{gone}; the incident is over, so this is said outside"));
            return self.say_in_channel(cx, notice, degraded, budget).await;
        }
        degraded.push(format!("{gone}; this one is new"));
        let rooms = self.settings.rooms.clone().unwrap_or_default();
        self.open_room(cx, notice, &rooms, degraded, budget).await
    }

    /// Brings the pinned message, the topic and the bookmarks up to date, and lets in whom the notice names.
    async fn keep(
        &self,
        cx: &EffectContext,
        notice: &Notice,
        posted: &Posted,
        summary: &str,
        budget: &Budget,
        degraded: &mut Vec<String>,
    ) -> Result<(), AdapterError> {
        let refreshed = self.refresh(&posted.channel, summary, None, notice, budget).await;
        self.or_later(cx, STALE, refreshed, degraded)?;
        // What failed the last time is set again, all of it.
        let again = cx.earlier.last().is_some_and(|receipt| !receipt.degraded.is_empty());
        let rooms = self.settings.rooms.as_ref().filter(|_| again);
        let invite = rooms.map_or(&[][..], |rooms| &rooms.invite);
        self.furnish(&posted.channel, notice, invite, budget, degraded).await;
        if again {
            self.pin(&posted.channel, summary, budget, degraded).await;
        }
        Ok(())
    }

    /// The incident's channel. Of one that exists already it is the one that this app made, that nobody archived and that the
    /// app is still in.
    async fn enter(&self, rooms: &RoomConfig, notice: &Notice, budget: &Budget) -> Result<String, Failure> {
        for number in 1..=ROOMS {
            let name = name::of(&rooms.prefix, notice, number);
            let body = json!({ "name": name, "is_private": rooms.private });
            match self.client.write("conversations.create", &body, budget).await {
                Ok(answer) => {
                    let id = answer["channel"]["id"].as_str().map(str::to_owned);
                    return id.ok_or(Failure::Odd);
                }
                Err(failure) if failure.code() == Some("name_taken") => {}
                Err(failure) => return Err(failure),
            }
            // Archived channels keep their names, so the name alone says nothing.
            match self.find_room(rooms, notice, budget).await? {
                Search::Found(room) => return Ok(room),
                Search::None | Search::NotAll => {}
            }
        }
        Err(Failure::refused("name_taken", &json!({})))
    }

    /// Looks for the incident's channel among those that this app made and nobody archived.
    pub(crate) async fn find_room(
        &self,
        rooms: &RoomConfig,
        notice: &Notice,
        budget: &Budget,
    ) -> Result<Search, Failure> {
        let me = self.client.me(budget).await?;
        let kind = if rooms.private { "private_channel" } else { "public_channel" };
        let mut cursor = String::new();
        for _ in 0..PAGES {
            let params = [
                ("types", kind.to_owned()),
                ("exclude_archived", "true".to_owned()),
                ("limit", PAGE.to_string()),
                ("cursor", cursor),
            ];
            let page = self.client.read("conversations.list", &params, budget).await?;
            let channels = page["channels"].as_array().map(Vec::as_slice).unwrap_or_default();
            let ours = channels.iter().find(|channel| {
                channel["creator"] == me.user.as_str()
                    && channel["is_archived"] != true
                    && channel["is_member"] != false
                    && channel["name"].as_str().is_some_and(|it| name::is_of(it, &rooms.prefix, notice))
            });
            if let Some(id) = ours.and_then(|channel| channel["id"].as_str()) {
                return Ok(Search::Found(id.to_owned()));
            }
            cursor = page["response_metadata"]["next_cursor"].as_str().unwrap_or_default().to_owned();
            if cursor.is_empty() {
                return Ok(Search::None);
            }
        }
        Ok(Search::NotAll)
    }
}

/// Slack's codes of a channel that the app can't speak in any more.
const GONE: [&str; 3] = ["is_archived", "channel_not_found", "not_in_channel"];

/// Whether the app can't speak in the channel any more.
pub(crate) fn is_gone(failure: &Failure) -> bool {
    failure.code().is_some_and(|code| GONE.contains(&code))
}

/// Whether Slack lets the app make no channel at all: a refusal that waiting doesn't change, and no bad token.
fn forbids(failure: &Failure) -> bool {
    failure.is_refusal() && !failure.is_about_token()
}
