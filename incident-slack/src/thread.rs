//! An incident as a thread: a first message that is always current, and answers in order.

use incident_core::model::effect::Receipt;
use incident_core::model::notice::Notice;
use incident_core::port::{AdapterError, EffectContext};
use serde_json::Value;

use crate::blocks;
use crate::budget::Budget;
use crate::error::Failure;
use crate::notifier::SlackNotifier;
use crate::place::Place;
use crate::post::update;
use crate::room::is_gone;

/// What is left of the message that an incident is known by.
pub(crate) enum Shown {
    Blocks(Vec<Value>),
    /// It was deleted. Answers below it lie under a tombstone.
    Deleted,
    /// Histories are limited, and the look-up needs the one read a minute.
    Unknown,
}

impl SlackNotifier {
    /// Posts the message that the incident is known by.
    pub(crate) async fn begin_thread(
        &self,
        cx: &EffectContext,
        notice: &Notice,
        mut degraded: Vec<String>,
        budget: &Budget,
    ) -> Result<Receipt, AdapterError> {
        let message = |notice: &Notice| blocks::root(notice, &self.settings.style);
        let to = (self.settings.channel.as_str(), None);
        let posted = self.post_once(cx, notice, to, message, budget, &mut degraded).await?;
        let place = Place::Thread { channel: posted.channel.clone(), root: posted.ts.clone() };
        Ok(self.receipt(&posted, Some(&place), degraded, budget).await)
    }

    /// Answers in the thread, and brings its first message up to date.
    ///
    /// Slack posts an answer to a message that is gone into the channel itself, and an answer below a deleted message under
    /// a tombstone that nobody opens. So the first message is read first, and begun anew if it is gone.
    pub(crate) async fn answer_in_thread(
        &self,
        cx: &EffectContext,
        notice: &Notice,
        (channel, root): (&str, &str),
        budget: &Budget,
    ) -> Result<Receipt, AdapterError> {
        let mut degraded = Vec::new();
        let shown = self.shown(channel, root, budget).await;
        let elsewhere =
            channel != self.settings.channel && matches!(&shown, Err(failure) if is_gone(failure));
        if elsewhere || matches!(shown, Ok(Shown::Deleted)) {
            degraded.push("the thread's first message is gone; this one begins it anew".to_owned());
            return self.begin_thread(cx, notice, degraded, budget).await;
        }
        let (notice, uploaded) = self.attach(notice, budget, &mut degraded).await;
        let message = |notice: &Notice| blocks::reply(notice, &self.settings.style);
        let to = (channel, Some(root));
        let posted = self.post_once(cx, &notice, to, message, budget, &mut degraded).await?;
        if let Some(uploaded) = uploaded {
            self.share(&uploaded, &posted, budget, &mut degraded).await;
        }
        let is_below = posted.thread.as_deref() == Some(root);
        if !is_below {
            degraded.push("the thread's first message is gone; this one begins it anew".to_owned());
        }
        let root = if is_below { root.to_owned() } else { posted.ts.clone() };
        let shown = shown.ok().filter(|_| is_below);
        let refreshed = self.refresh(&posted.channel, &root, shown, &notice, budget).await;
        self.or_later(cx, STALE, refreshed, &mut degraded)?;
        let place = Place::Thread { channel: posted.channel.clone(), root };
        Ok(self.receipt(&posted, Some(&place), degraded, budget).await)
    }

    /// Brings the message that the incident is known by up to date.
    pub(crate) async fn refresh(
        &self,
        channel: &str,
        ts: &str,
        shown: Option<Shown>,
        notice: &Notice,
        budget: &Budget,
    ) -> Result<(), Failure> {
        let shown = match shown {
            Some(shown) => shown,
            None => self.shown(channel, ts, budget).await?,
        };
        let shown = match shown {
            Shown::Blocks(blocks) => blocks,
            Shown::Deleted | Shown::Unknown => Vec::new(),
        };
        update(&self.client, channel, ts, &blocks::refreshed(notice, &shown), budget).await
    }

    /// What a message shows.
    pub(crate) async fn shown(&self, channel: &str, ts: &str, budget: &Budget) -> Result<Shown, Failure> {
        if self.settings.limited {
            return Ok(Shown::Unknown);
        }
        let params = [
            ("channel", channel.to_owned()),
            ("oldest", ts.to_owned()),
            ("latest", ts.to_owned()),
            ("inclusive", "true".to_owned()),
            ("limit", "1".to_owned()),
        ];
        let read = self.client.read("conversations.history", &params, budget).await?;
        let messages = read["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let message = messages.iter().find(|message| message["ts"] == ts);
        Ok(match message {
            Some(message) if message["subtype"] != "tombstone" => {
                Shown::Blocks(message["blocks"].as_array().cloned().unwrap_or_default())
            }
            _ => Shown::Deleted,
        })
    }
}

/// What is said of a first message that couldn't be edited.
pub(crate) const STALE: &str = "the first message isn't up to date";
