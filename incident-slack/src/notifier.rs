//! Notices as messages of Slack.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use incident_core::domain::effect::Receipt;
use incident_core::domain::incident::Side;
use incident_core::domain::notice::{Notice, NoticeKind};
use incident_core::domain::phase::Status;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, EffectContext, EvidenceStore, Found, Notifier, Preflight,
    PreflightContext, Repeat,
};

use crate::blocks;
use crate::budget::Budget;
use crate::client::{Client, unwritten};
use crate::error::Failure;
use crate::place::Place;
use crate::post::{Posted, post};
use crate::settings::Settings;

pub(crate) const DELIVER: &str = "post a notice in Slack";
/// How long learning the workspace's address may take, for a link to what is posted already.
const ADDRESS: Duration = Duration::from_secs(1);

/// Says notices in Slack.
///
/// # Expected flow
/// The first notice of an incident on a route begins its conversation: a thread in the configured channel, or a channel of
/// its own. Each later one is a message in it, and the first message is brought up to date. What must wake somebody – a page,
/// a breach, a call for a person – is a message of its own in the configured channel, with mentions.
///
/// # Guarantees
/// - A message is posted once, carries its effect's id in its metadata, and is looked for there after a doubt.
/// - Messages of one channel are a second apart. One that gets no place before its deadline wasn't sent, and the error says
///   when there will be one.
/// - What comes after the message – the first one up to date, topic, pin, bookmarks – is set, not added: what failed of it is
///   in the receipt, and the next notice sets it again.
/// - A thread whose first message was deleted, or a channel that was archived, is begun anew.
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
        let message = blocks::root(notice, &self.settings.style);
        let to = (self.settings.channel.as_str(), None);
        let posted = post(&self.client, to, &message, cx, budget, &mut degraded).await;
        let posted = posted.map_err(unwritten(DELIVER))?;
        Ok(self.receipt(&posted, None, degraded, budget).await)
    }

    /// The message of this notice, if an earlier attempt left it there: only what has steps after the message is repeated
    /// without a look, and looks here instead.
    pub(crate) async fn left_behind(
        &self,
        cx: &EffectContext,
        notice: &Notice,
        budget: &Budget,
    ) -> Result<Option<Posted>, Failure> {
        if cx.attempt < 2 || self.repeat(notice) != Repeat::Converging {
            return Ok(None);
        }
        Ok(match self.look(cx, notice, budget).await? {
            Found::Yes((posted, _)) => Some(posted),
            Found::No | Found::CannotTell => None,
        })
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
    fn repeat(&self, notice: &Notice) -> Repeat {
        // That it is over is said and the channel archived; done again, what was said is looked for first.
        let archives = self.settings.rooms.as_ref().is_some_and(|rooms| rooms.archive);
        if notice.kind == NoticeKind::Closed && archives && !self.settings.limited {
            return Repeat::Converging;
        }
        Repeat::Lookup
    }

    async fn deliver(&self, cx: &EffectContext, notice: &Notice) -> Result<Receipt, AdapterError> {
        let (notice, budget) = (marked(cx, notice), Budget::within(cx.deadline));
        if notice.kind.is_page() {
            return self.say_in_channel(cx, &notice, Vec::new(), &budget).await;
        }
        match (Place::of(&cx.earlier), &self.settings.rooms) {
            (Some(Place::Thread { channel, root }), _) => {
                self.answer_in_thread(cx, &notice, &channel, &root, &budget).await
            }
            (Some(Place::Room { channel, summary }), _) => {
                self.say_in_room(cx, &notice, &channel, &summary, &budget).await
            }
            // Nobody needs a channel for what is over.
            (None, Some(_)) if notice.status == Status::Resolved => {
                self.say_in_channel(cx, &notice, Vec::new(), &budget).await
            }
            (None, Some(rooms)) => self.open_room(cx, &notice, rooms, Vec::new(), &budget).await,
            (None, None) => self.begin_thread(cx, &notice, &budget).await,
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
