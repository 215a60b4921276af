//! Whether a message is there already: its effect's id is looked for in the metadata of our own messages.
//!
//! A look begins a little before the effect was first started, because clocks differ. It says No only if it saw everything
//! since, and only once Slack can't apply the first attempt late any more. Where Slack limits histories to 15 messages a
//! minute a look often can't tell.

use std::time::Duration;

use incident_core::model::effect::Receipt;
use incident_core::model::notice::Notice;
use incident_core::model::phase::Status;
use incident_core::model::time::{Time, before, since};
use incident_core::port::{AdapterError, EffectContext, Found};
use serde_json::Value;

use crate::budget::Budget;
use crate::client::{Me, unread};
use crate::error::Failure;
use crate::notifier::SlackNotifier;
use crate::place::Place;
use crate::post::{CONTINUATION, OPERATION, Posted};
use crate::room::Search;

const LOOK: &str = "look for a notice in Slack";
/// How far the workspace's clock may be from ours.
const SKEW: Duration = Duration::from_secs(300);
/// How late Slack may still apply a request whose answer was lost.
const LATE: Duration = Duration::from_secs(60);
/// Messages of a page, and pages that are read.
const PAGE: usize = 200;
const PAGES: usize = 8;
/// What is shown of a history where it is limited.
const LIMITED_PAGE: usize = 15;

/// What a look through one history found.
enum Seen {
    Yes(Posted),
    No,
    NotAll,
}

impl SlackNotifier {
    /// Looks for the message of an effect wherever it may have gone.
    pub(crate) async fn look_for(
        &self,
        cx: &EffectContext,
        notice: &Notice,
        budget: &Budget,
    ) -> Result<Found<Receipt>, AdapterError> {
        let looked = self.look(cx, notice, budget).await.map_err(unread(LOOK))?;
        let Found::Yes((posted, place)) = looked else {
            return Ok(if matches!(looked, Found::No) { Found::No } else { Found::CannotTell });
        };
        let degraded = vec!["the answer was lost, so what follows the message may be missing".to_owned()];
        Ok(Found::Yes(self.receipt(&posted, place.as_ref(), degraded, budget).await))
    }

    pub(crate) async fn look(
        &self,
        cx: &EffectContext,
        notice: &Notice,
        budget: &Budget,
    ) -> Result<Found<(Posted, Option<Place>)>, Failure> {
        let me = self.client.me(budget).await?;
        let place = Place::of(&cx.earlier).filter(|_| !notice.kind.is_page());
        let mut sure = since(cx.now, cx.first_started) >= LATE || !cx.maybe_before;
        for (channel, thread) in self.known(notice, place.as_ref()) {
            match self.scan(me, cx, OPERATION, (channel, thread), budget).await? {
                Seen::Yes(posted) => {
                    let place = self.place_of(notice, &posted, thread, place.as_ref());
                    return Ok(Found::Yes((posted, place)));
                }
                Seen::No => {}
                Seen::NotAll => sure = false,
            }
        }
        // A channel that was begun anew, or whose creation was the last that was heard of.
        let has_room = !notice.kind.is_page() && !matches!(place, Some(Place::Thread { .. }));
        if let Some(rooms) = self.settings.rooms.as_ref().filter(|_| has_room) {
            match self.find_room(rooms, notice, budget).await? {
                Search::Found(room) if place.as_ref().is_none_or(|place| place.channel() != room) => {
                    match self.scan(me, cx, OPERATION, (&room, None), budget).await? {
                        Seen::Yes(posted) => {
                            let place = Place::Room { channel: room, summary: posted.ts.clone() };
                            return Ok(Found::Yes((posted, Some(place))));
                        }
                        Seen::No => {}
                        Seen::NotAll => sure = false,
                    }
                }
                Search::Found(_) | Search::None => {}
                Search::NotAll => sure = false,
            }
        }
        Ok(if sure { Found::No } else { Found::CannotTell })
    }

    /// Whether the message that goes on with what didn't fit is there, in the thread below `first`.
    pub(crate) async fn is_continued(
        &self,
        cx: &EffectContext,
        channel: &str,
        first: &str,
        budget: &Budget,
    ) -> Result<bool, Failure> {
        let me = self.client.me(budget).await?;
        let seen = self.scan(me, cx, CONTINUATION, (channel, Some(first)), budget).await?;
        Ok(!matches!(seen, Seen::No))
    }

    /// The histories that the message may be in, each with the thread in it that is meant.
    fn known<'a>(&'a self, notice: &Notice, place: Option<&'a Place>) -> Vec<(&'a str, Option<&'a str>)> {
        let outside = (self.settings.channel.as_str(), None);
        match place {
            // An answer whose thread was gone is in the channel itself.
            Some(Place::Thread { channel, root }) if *channel != self.settings.channel => {
                vec![(channel, Some(root)), (channel, None), outside]
            }
            Some(Place::Thread { channel, root }) => vec![(channel, Some(root)), (channel, None)],
            // Once it is over, what finds its channel archived is said outside.
            Some(Place::Room { channel, .. }) if notice.status == Status::Resolved => {
                vec![(channel, None), outside]
            }
            Some(Place::Room { channel, .. }) => vec![(channel, None)],
            // Where no room can be made, the conversation is a thread.
            None => vec![outside],
        }
    }

    /// The conversation that a message belongs to or began; none if it is a page or was said outside.
    fn place_of(
        &self,
        notice: &Notice,
        posted: &Posted,
        thread: Option<&str>,
        place: Option<&Place>,
    ) -> Option<Place> {
        match place {
            Some(Place::Thread { .. }) if thread.is_some() => place.cloned(),
            Some(Place::Room { channel, .. }) => place.filter(|_| *channel == posted.channel).cloned(),
            None if notice.kind.is_page() => None,
            None if self.settings.rooms.is_some() && notice.status == Status::Resolved => None,
            _ => Some(Place::Thread { channel: posted.channel.clone(), root: posted.ts.clone() }),
        }
    }

    /// Looks through one history: a channel's, or that of a thread in it.
    async fn scan(
        &self,
        me: &Me,
        cx: &EffectContext,
        kind: &str,
        (channel, thread): (&str, Option<&str>),
        budget: &Budget,
    ) -> Result<Seen, Failure> {
        let (limit, pages) = if self.settings.limited { (LIMITED_PAGE, 1) } else { (PAGE, PAGES) };
        let method = if thread.is_some() { "conversations.replies" } else { "conversations.history" };
        let mut cursor = None;
        for _ in 0..pages {
            let mut params = vec![
                ("channel", channel.to_owned()),
                ("oldest", oldest(cx.first_started)),
                ("limit", limit.to_string()),
                ("include_all_metadata", "true".to_owned()),
            ];
            params.extend(thread.map(|thread| ("ts", thread.to_owned())));
            params.extend(cursor.map(|cursor| ("cursor", cursor)));
            let page = match self.client.read(method, &params, budget).await {
                Err(failure) if failure.code() == Some("thread_not_found") => return Ok(Seen::No),
                // Nobody lets us look there any more; it may be there all the same.
                Err(failure) if matches!(failure.code(), Some("channel_not_found" | "not_in_channel")) => {
                    return Ok(Seen::NotAll);
                }
                read => read?,
            };
            let messages = page["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
            let ours = messages.iter().find(|message| is_of(message, kind, me, cx));
            if let Some(posted) = ours.and_then(|message| Posted::read(channel, message)) {
                return Ok(Seen::Yes(posted));
            }
            let next = page["response_metadata"]["next_cursor"].as_str().filter(|next| !next.is_empty());
            if page["has_more"] != true && next.is_none() {
                return Ok(Seen::No);
            }
            match next {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(Seen::NotAll),
            }
        }
        Ok(Seen::NotAll)
    }
}

/// Whether `message` is ours, and carries the effect. Anybody can write the same metadata, so the sender counts.
fn is_of(message: &Value, kind: &str, me: &Me, cx: &EffectContext) -> bool {
    let is = |key: &str, mine: &str| !mine.is_empty() && message[key] == mine;
    let metadata = &message["metadata"];
    (is("bot_id", &me.bot) || is("user", &me.user))
        && metadata["event_type"] == kind
        && metadata["event_payload"]["op"] == cx.effect.to_string()
}

fn oldest(first_started: Time) -> String {
    let from = before(first_started, SKEW).timestamp().max(0);
    format!("{from}.000000")
}
