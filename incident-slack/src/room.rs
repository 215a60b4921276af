//! An incident as a channel of its own: found or made, set up, kept current, archived.
//!
//! What is set up comes before the message, as far as it can: the message is what is looked for after a doubt, and all the
//! rest leads to the same state however often it is done.

mod furnish;
mod name;

use incident_core::domain::effect::Receipt;
use incident_core::domain::notice::{Notice, NoticeKind};
use incident_core::domain::phase::Status;
use incident_core::port::{AdapterError, EffectContext, ErrorKind, Notifier as _, Repeat, Retry};
use serde_json::json;

use crate::blocks;
use crate::budget::Budget;
use crate::client::{unread, unwritten};
use crate::config::RoomConfig;
use crate::error::Failure;
use crate::notifier::{DELIVER, SlackNotifier};
use crate::place::Place;
use crate::post::{Posted, post};

/// Rooms of one incident: a new one is made when people archived the one before.
const ROOMS: usize = 9;
/// Channels of a page, and pages that are read.
const PAGE: usize = 900;
const PAGES: usize = 15;

const OPEN: &str = "open a channel for the incident";
const ARCHIVE: &str = "archive the incident's channel";

/// What a look through the workspace's channels found.
pub(crate) enum Search {
    Found(String),
    None,
    NotAll,
}

impl SlackNotifier {
    /// Makes the incident's channel, or finds it, and posts the message that the incident is known by.
    pub(crate) async fn open_room(
        &self,
        cx: &EffectContext,
        notice: &Notice,
        rooms: &RoomConfig,
        mut degraded: Vec<String>,
        budget: &Budget,
    ) -> Result<Receipt, AdapterError> {
        let room = self.enter(rooms, notice, budget).await?;
        self.furnish(&room, notice, &rooms.invite, &budget.half(), &mut degraded).await;
        let message = blocks::root(notice, &self.settings.style);
        let posted = post(&self.client, (&room, None), &message, cx, budget, &mut degraded).await;
        let posted = posted.map_err(unwritten(DELIVER))?;
        self.pin(&room, &posted.ts, budget, &mut degraded).await;
        let place = Place::Room { channel: room, summary: posted.ts.clone() };
        Ok(self.receipt(&posted, Some(&place), degraded, budget).await)
    }

    /// Says something in the incident's channel, and brings what stands above it up to date.
    pub(crate) async fn say_in_room(
        &self,
        cx: &EffectContext,
        notice: &Notice,
        room: &str,
        summary: &str,
        budget: &Budget,
    ) -> Result<Receipt, AdapterError> {
        let mut degraded = Vec::new();
        let (notice, uploaded) = self.attach(notice, budget, &mut degraded).await;
        let message = blocks::reply(&notice, &self.settings.style);
        let posted = match self.left_behind(cx, &notice, budget).await.map_err(unread(DELIVER))? {
            Some(posted) => posted,
            None => match post(&self.client, (room, None), &message, cx, budget, &mut degraded).await {
                Err(failure) if is_gone(&failure) => {
                    return self.move_out(cx, &notice, degraded, budget).await;
                }
                posted => posted.map_err(unwritten(DELIVER))?,
            },
        };
        if let Some(uploaded) = uploaded {
            self.share(&uploaded, &posted, budget, &mut degraded).await;
        }
        self.keep(cx, &notice, &posted, summary, budget, &mut degraded).await;
        if notice.kind == NoticeKind::Closed {
            self.archive(room, &notice, budget, &mut degraded).await?;
        }
        let place = Place::Room { channel: room.to_owned(), summary: summary.to_owned() };
        Ok(self.receipt(&posted, Some(&place), degraded, budget).await)
    }

    /// Says it elsewhere, for the incident's channel is gone or archived: in a new one, or in the configured channel once the
    /// incident is over.
    async fn move_out(
        &self,
        cx: &EffectContext,
        notice: &Notice,
        mut degraded: Vec<String>,
        budget: &Budget,
    ) -> Result<Receipt, AdapterError> {
        let gone = "the incident's channel is gone or archived";
        if notice.status == Status::Resolved {
            degraded.push(format!("{gone}, and it is over; this is said outside"));
            return self.say_in_channel(cx, notice, degraded, budget).await;
        }
        degraded.push(format!("{gone}; this one is new"));
        let rooms = self.settings.rooms.clone().unwrap_or_default();
        self.open_room(cx, notice, &rooms, degraded, budget).await
    }

    /// Archives the channel. What may work later is tried again with the whole notice, which looks for its message first.
    async fn archive(
        &self,
        room: &str,
        notice: &Notice,
        budget: &Budget,
        degraded: &mut Vec<String>,
    ) -> Result<(), AdapterError> {
        if self.settings.rooms.as_ref().is_some_and(|rooms| !rooms.archive) {
            return Ok(());
        }
        let body = json!({ "channel": room });
        let Err(failure) = self.client.write("conversations.archive", &body, budget).await else {
            return Ok(());
        };
        if failure.code() == Some("already_archived") {
            return Ok(());
        }
        let brief = failure.brief();
        let error = unwritten(ARCHIVE)(failure);
        if self.repeat(notice) == Repeat::Converging && error.retry != Retry::Never {
            return Err(error.maybe_applied());
        }
        degraded.push(format!("the channel isn't archived: {brief}"));
        Ok(())
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
    ) {
        self.refresh(&posted.channel, summary, notice, budget, degraded).await;
        if notice.kind == NoticeKind::Closed {
            return;
        }
        // What failed the last time is set again, all of it.
        let again = cx.earlier.last().is_some_and(|receipt| !receipt.degraded.is_empty());
        let rooms = self.settings.rooms.as_ref().filter(|_| again);
        let invite = rooms.map_or(&[][..], |rooms| &rooms.invite);
        self.furnish(&posted.channel, notice, invite, budget, degraded).await;
        if again {
            self.pin(&posted.channel, summary, budget, degraded).await;
        }
    }

    /// The incident's channel. Of one that exists already it is the one that this app made and nobody archived.
    async fn enter(
        &self,
        rooms: &RoomConfig,
        notice: &Notice,
        budget: &Budget,
    ) -> Result<String, AdapterError> {
        for number in 1..=ROOMS {
            let name = name::of(&rooms.prefix, notice, number);
            let body = json!({ "name": name, "is_private": rooms.private });
            match self.client.write("conversations.create", &body, budget).await {
                Ok(answer) => {
                    let id = answer["channel"]["id"].as_str().map(str::to_owned);
                    return id.ok_or(Failure::Odd).map_err(unwritten(OPEN));
                }
                Err(failure) if failure.code() == Some("name_taken") => {}
                Err(failure) => return Err(unwritten(OPEN)(failure)),
            }
            // Archived channels keep their names, so the name alone says nothing.
            match self.find_room(rooms, notice, budget).await.map_err(unread(OPEN))? {
                Search::Found(room) => return Ok(room),
                Search::None | Search::NotAll => {}
            }
        }
        let error = AdapterError::new(ErrorKind::Conflict, OPEN);
        Err(error.with_context("every name that it could have is taken"))
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

/// Whether the channel can't be spoken in any more, for good.
fn is_gone(failure: &Failure) -> bool {
    matches!(failure.code(), Some("is_archived" | "channel_not_found" | "not_in_channel"))
}
