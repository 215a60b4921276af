//! An incident as a thread: a first message that is always current, and answers in order.

use incident_core::domain::effect::Receipt;
use incident_core::domain::notice::Notice;
use incident_core::port::{AdapterError, EffectContext};
use serde_json::Value;

use crate::blocks;
use crate::budget::Budget;
use crate::client::unwritten;
use crate::error::Failure;
use crate::notifier::{DELIVER, SlackNotifier};
use crate::place::Place;
use crate::post::{post, update};

impl SlackNotifier {
    /// Posts the message that the incident is known by.
    pub(crate) async fn begin_thread(
        &self,
        cx: &EffectContext,
        notice: &Notice,
        budget: &Budget,
    ) -> Result<Receipt, AdapterError> {
        let message = blocks::root(notice, &self.settings.style);
        let mut degraded = Vec::new();
        let to = (self.settings.channel.as_str(), None);
        let posted = post(&self.client, to, &message, cx, budget, &mut degraded).await;
        let posted = posted.map_err(unwritten(DELIVER))?;
        let place = Place::Thread { channel: posted.channel.clone(), root: posted.ts.clone() };
        Ok(self.receipt(&posted, Some(&place), degraded, budget).await)
    }

    /// Answers in the thread, and brings its first message up to date.
    ///
    /// Slack posts an answer to a message that is gone into the channel itself, and says so only by leaving the thread out of
    /// its reply. That message begins the thread anew then.
    pub(crate) async fn answer_in_thread(
        &self,
        cx: &EffectContext,
        notice: &Notice,
        channel: &str,
        root: &str,
        budget: &Budget,
    ) -> Result<Receipt, AdapterError> {
        let mut degraded = Vec::new();
        let (notice, uploaded) = self.attach(notice, budget, &mut degraded).await;
        let message = blocks::reply(&notice, &self.settings.style);
        let posted = post(&self.client, (channel, Some(root)), &message, cx, budget, &mut degraded).await;
        let posted = posted.map_err(unwritten(DELIVER))?;
        if let Some(uploaded) = uploaded {
            self.share(&uploaded, &posted, budget, &mut degraded).await;
        }
        let is_below = posted.thread.as_deref() == Some(root);
        if !is_below {
            degraded.push("the thread's first message is gone; this one begins it anew".to_owned());
        }
        let root = if is_below { root.to_owned() } else { posted.ts.clone() };
        self.refresh(&posted.channel, &root, &notice, budget, &mut degraded).await;
        let place = Place::Thread { channel: posted.channel.clone(), root };
        Ok(self.receipt(&posted, Some(&place), degraded, budget).await)
    }

    /// Brings the message that the incident is known by up to date.
    pub(crate) async fn refresh(
        &self,
        channel: &str,
        ts: &str,
        notice: &Notice,
        budget: &Budget,
        degraded: &mut Vec<String>,
    ) {
        let refreshed = async {
            let shown = self.shown(channel, ts, budget).await?;
            let message = blocks::refreshed(notice, &shown);
            update(&self.client, channel, ts, &message, budget).await
        };
        if let Err(failure) = refreshed.await {
            degraded.push(format!("the first message isn't up to date: {}", failure.brief()));
        }
    }

    /// The blocks that a message has; none where histories are limited, for the look-up needs its one read a minute.
    async fn shown(&self, channel: &str, ts: &str, budget: &Budget) -> Result<Vec<Value>, Failure> {
        if self.settings.limited {
            return Ok(Vec::new());
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
        Ok(message.and_then(|message| message["blocks"].as_array()).cloned().unwrap_or_default())
    }
}
