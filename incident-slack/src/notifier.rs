//! Notices as messages of Slack.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use incident_core::model::effect::Receipt;
use incident_core::model::notice::Notice;
use incident_core::model::phase::Status;
use incident_core::model::side::Side;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, EffectContext, EvidenceStore, Found, Notifier, Preflight,
    PreflightContext, Repeat, Retry,
};

use crate::blocks;
use crate::budget::Budget;
use crate::client::{Client, unread, unwritten};
use crate::error::Failure;
use crate::place::Place;
use crate::post::{Posted, post, post_beside};
use crate::settings::Settings;

pub(crate) const DELIVER: &str = "post a notice in Slack";
/// How long learning the workspace's address may take, for a link to what is posted already.
const ADDRESS: Duration = Duration::from_secs(1);
/// After so many attempts a message stays without what comes after it: the first message up to date, the end of a long text.
const ATTEMPTS: u32 = 5;

/// Why a notice isn't there, or not as a whole.
pub(crate) enum Undelivered {
    /// Slack didn't take the message.
    NotPosted(Failure),
    /// It couldn't be looked for, or what comes after it failed.
    Later(AdapterError),
}

impl From<Undelivered> for AdapterError {
    fn from(why: Undelivered) -> Self {
        match why {
            Undelivered::NotPosted(failure) => unwritten(DELIVER)(failure),
            Undelivered::Later(error) => error,
        }
    }
}

/// Posts notices to Slack.
///
/// # Expected flow
/// The first notice of an incident on a route opens its conversation: a thread in the configured channel, or a channel of its
/// own. Each later notice is a message in it, and the notifier edits the first message so that it stays current. A page, a
/// breach and a call for a person are messages of their own in the configured channel, with mentions.
///
/// # Guarantees
/// - A message is posted once and carries its effect's id in its metadata. After an unknown outcome the notifier looks for it
///   before it posts again; if it can't tell, the second message says that it may be a repeat.
/// - Messages in one channel are a second apart, pages first. A message that gets no place before its deadline isn't sent, and
///   the error says when the next place is free.
/// - Every refusal is retried, except those that are known to be final, such as an invalid message.
/// - The notifier retries a failed edit of the first message and the missing end of a long text with the whole notice. Topic,
///   pin, bookmarks and invitations are set again by the next notice; the receipt names what failed.
/// - If people delete the first message, archive the channel or remove the app from it, the next notice opens a new
///   conversation. If the workspace allows no new channel, the conversation is a thread.
///
/// # Caveats
/// Metadata can be read by everybody in the channel; it holds the ids of the effect and the incident.
#[derive(Debug)]
pub struct SlackNotifier {
    pub(crate) client: Client,
    pub(crate) settings: Arc<Settings>,
    /// Where a document's bytes are, if they are kept.
    pub(crate) evidence: Option<Arc<dyn EvidenceStore>>,
}

impl SlackNotifier {
    pub(crate) fn new(
        client: Client,
        settings: Arc<Settings>,
        evidence: Option<Arc<dyn EvidenceStore>>,
    ) -> Self {
        Self { client, settings, evidence }
    }

    /// In the configured channel itself, in no conversation: what must wake somebody, and what has no place of its own any
    /// more.
    pub(crate) async fn say_in_channel(
        &self,
        cx: &EffectContext,
        notice: &Notice,
        mut degraded: Vec<String>,
        budget: &Budget,
    ) -> Result<Receipt, AdapterError> {
        let to = (self.settings.channel.as_str(), None);
        let message = |notice: &Notice| blocks::root(notice, &self.settings.style);
        let posted = self.post_once(cx, notice, to, message, budget, &mut degraded).await?;
        Ok(self.receipt(&posted, None, degraded, budget).await)
    }

    /// A page, with the way to the incident's channel, into which its recipients are invited.
    async fn page(
        &self,
        cx: &EffectContext,
        notice: &Notice,
        budget: &Budget,
    ) -> Result<Receipt, AdapterError> {
        let mut receipt = self.say_in_channel(cx, notice, Vec::new(), budget).await?;
        let room = notice.conversation.as_ref().and_then(|it| it.conversation.as_deref()?.parse().ok());
        if let Some(Place::Room { channel, .. }) = room
            && let Err(failure) = self.invite(&channel, notice, &[], budget).await
        {
            receipt.degraded.push(format!("not everybody could be invited: {}", failure.brief()));
        }
        Ok(receipt)
    }

    /// Posts the message of this notice and what didn't fit into it, unless an earlier attempt did. Where that can't be told,
    /// the message says that it may be a repeat: twice beats never.
    pub(crate) async fn post_once(
        &self,
        cx: &EffectContext,
        notice: &Notice,
        to: (&str, Option<&str>),
        message: impl Fn(&Notice) -> blocks::Message,
        budget: &Budget,
        degraded: &mut Vec<String>,
    ) -> Result<Posted, Undelivered> {
        let is_page = notice.kind.is_page();
        let mut notice = Cow::Borrowed(notice);
        let mut posted = None;
        if cx.maybe_before && self.repeat(&notice) == Repeat::Converging {
            match self.look(cx, &notice, budget).await {
                Ok(Found::Yes((found, _))) => posted = Some(found),
                Ok(Found::No) => {}
                Err(failure) if failure.passes() && !is_page => {
                    return Err(Undelivered::Later(unread(DELIVER)(failure)));
                }
                Ok(Found::CannotTell) | Err(_) => notice.to_mut().possible_repeat = true,
            }
        }
        let message = message(&notice);
        let was_there = posted.is_some();
        let posted = match posted {
            Some(posted) => posted,
            None => {
                let posted = post(&self.client, to, &message, cx, is_page, budget).await;
                posted.map_err(Undelivered::NotPosted)?
            }
        };
        if let Some(more) = blocks::continued(&message.rest) {
            let first = posted.thread.as_deref().unwrap_or(&posted.ts);
            let channel = posted.channel.as_str();
            let done = match was_there {
                true => self.is_continued(cx, channel, first, budget).await,
                false => Ok(false),
            };
            let done = match done {
                Ok(false) => post_beside(&self.client, (channel, Some(first)), &more, cx.effect, budget)
                    .await
                    .map(drop),
                done => done.map(drop),
            };
            let done = self.or_later(cx, "the end of a long text is missing", done, degraded);
            done.map_err(Undelivered::Later)?;
        }
        Ok(posted)
    }

    /// Notes what a step after the message failed with, or lets the engine repeat the whole notice if that may help. What is
    /// there already isn't said again.
    pub(crate) fn or_later(
        &self,
        cx: &EffectContext,
        what: &str,
        done: Result<(), Failure>,
        degraded: &mut Vec<String>,
    ) -> Result<(), AdapterError> {
        let Err(failure) = done else { return Ok(()) };
        if failure.passes() && cx.attempt < ATTEMPTS && !self.settings.limited {
            let error = unwritten(DELIVER)(failure).maybe_applied();
            return Err(if error.retry == Retry::Never { error.retry_after(None) } else { error });
        }
        degraded.push(format!("{what}: {}", failure.brief()));
        Ok(())
    }

    /// The receipt of what was posted, with a link if the workspace says where it is.
    pub(crate) async fn receipt(
        &self,
        posted: &Posted,
        place: Option<&Place>,
        degraded: Vec<String>,
        budget: &Budget,
    ) -> Receipt {
        // A link is nice to have: the message is there whether or not this is answered.
        let _ = self.client.me(&budget.at_most(ADDRESS)).await;
        let mut receipt = Receipt::new(&posted.reference());
        receipt.link = self.client.permalink(&posted.channel, &posted.ts, posted.thread.as_deref());
        receipt.conversation = place.map(ToString::to_string);
        receipt.degraded = degraded;
        receipt
    }
}

#[async_trait]
impl Adapter for SlackNotifier {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("slack").with_conversations()
    }

    /// Asks who the token belongs to, what it is allowed, and whether the app is in its channel.
    async fn preflight(&self, cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        self.look_around(&Budget::within(cx.deadline)).await
    }
}

#[async_trait]
impl Notifier for SlackNotifier {
    /// A repeat looks for the message first and then finishes what comes after it, unless the histories that it would look
    /// through are limited.
    fn repeat(&self, _: &Notice) -> Repeat {
        if self.settings.limited { Repeat::Lookup } else { Repeat::Converging }
    }

    async fn deliver(&self, cx: &EffectContext, notice: &Notice) -> Result<Receipt, AdapterError> {
        let (notice, budget) = (marked(cx, notice), Budget::within(cx.deadline));
        if notice.kind.is_page() {
            return self.page(cx, &notice, &budget).await;
        }
        match (Place::of(&cx.earlier), &self.settings.rooms) {
            (Some(Place::Thread { channel, root }), _) => {
                self.answer_in_thread(cx, &notice, (&channel, &root), &budget).await
            }
            (Some(Place::Room { channel, summary }), _) => {
                self.say_in_room(cx, &notice, (&channel, &summary), &budget).await
            }
            // Nobody needs a channel for what is over.
            (None, Some(_)) if notice.status == Status::Resolved => {
                self.say_in_channel(cx, &notice, Vec::new(), &budget).await
            }
            (None, Some(rooms)) => self.open_room(cx, &notice, rooms, Vec::new(), &budget).await,
            (None, None) => self.begin_thread(cx, &notice, Vec::new(), &budget).await,
        }
    }

    async fn find(&self, cx: &EffectContext, notice: &Notice) -> Result<Found<Receipt>, AdapterError> {
        self.look_for(cx, &marked(cx, notice), &Budget::within(cx.deadline)).await
    }
}

/// The notice as its side has it: every message of a drill says that it is one.
fn marked<'a>(cx: &EffectContext, notice: &'a Notice) -> Cow<'a, Notice> {
    let mut notice = Cow::Borrowed(notice);
    if cx.side == Side::Drill && !notice.drill {
        notice.to_mut().drill = true;
    }
    notice
}
