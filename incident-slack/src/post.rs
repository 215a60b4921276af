//! One message, posted or brought up to date.

use incident_core::model::id::EffectId;
use incident_core::port::EffectContext;
use serde_json::{Value, json};

use crate::blocks::Message;
use crate::budget::Budget;
use crate::client::Client;
use crate::error::Failure;

/// The type of the metadata by which the message of an effect is found again.
pub(crate) const OPERATION: &str = "ir_op";
/// That of a message which only goes on with what didn't fit.
pub(crate) const CONTINUATION: &str = "ir_more";

/// A message that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Posted {
    pub(crate) channel: String,
    pub(crate) ts: String,
    /// The thread that it really is in.
    pub(crate) thread: Option<String>,
}

impl Posted {
    /// The name of the message: its channel and its timestamp.
    pub(crate) fn reference(&self) -> String {
        format!("{}/{}", self.channel, self.ts)
    }

    /// The message as a history or the answer to a post has it.
    pub(crate) fn read(channel: &str, message: &Value) -> Option<Self> {
        let text = |key: &str| message[key].as_str().map(str::to_owned);
        let ts = text("ts")?;
        let thread = text("thread_ts").filter(|thread| *thread != ts);
        Some(Self { channel: channel.to_owned(), ts, thread })
    }
}

/// Posts the message of an effect, once.
pub(crate) async fn post(
    client: &Client,
    (channel, thread): (&str, Option<&str>),
    message: &Message,
    cx: &EffectContext,
    is_page: bool,
    budget: &Budget,
) -> Result<Posted, Failure> {
    let body = body(channel, thread, message, OPERATION, cx.effect);
    let answer = client.post(channel, &body, is_page, budget).await?;
    let channel = answer["channel"].as_str().unwrap_or(channel).to_owned();
    let mut seen = answer["message"].clone();
    if seen["ts"].is_null() {
        seen["ts"] = answer["ts"].clone();
    }
    // It is there, but nobody knows under which name.
    Posted::read(&channel, &seen).ok_or(Failure::Odd)
}

/// Posts a message that belongs to an effect's and isn't the one that it is known by.
pub(crate) async fn post_beside(
    client: &Client,
    (channel, thread): (&str, Option<&str>),
    message: &Message,
    effect: EffectId,
    budget: &Budget,
) -> Result<Value, Failure> {
    let body = body(channel, thread, message, CONTINUATION, effect);
    client.post(channel, &body, false, budget).await
}

/// Brings a message up to date. Doing it again changes nothing.
pub(crate) async fn update(
    client: &Client,
    channel: &str,
    ts: &str,
    message: &Message,
    budget: &Budget,
) -> Result<(), Failure> {
    let mut body = inert(message);
    body["channel"] = channel.into();
    body["ts"] = ts.into();
    client.write("chat.update", &body, budget).await.map(drop)
}

fn body(channel: &str, thread: Option<&str>, message: &Message, kind: &str, effect: EffectId) -> Value {
    let mut body = inert(message);
    body["channel"] = channel.into();
    if let Some(thread) = thread {
        body["thread_ts"] = thread.into();
    }
    body["unfurl_links"] = false.into();
    body["unfurl_media"] = false.into();
    body["metadata"] = json!({
        "event_type": kind,
        "event_payload": { "op": effect.to_string(), "incident": effect.incident.to_string() },
    });
    body
}

/// A message in which nothing acts but what its blocks say.
fn inert(message: &Message) -> Value {
    json!({
        "text": message.text,
        "blocks": message.blocks,
        "mrkdwn": false,
        "parse": "none",
        "link_names": false,
    })
}
