//! The suite that every notifier is held to, against Slack on loopback: with threads, and with a channel for each incident.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod fake;
mod support;

use std::sync::Arc;

use async_trait::async_trait;
use fake::{CHANNEL, Served, TOKEN, Trouble, limits};
use incident_core::conformance::backend::{Arrival, Backend, Fault};
use incident_core::conformance::notifier::{self, NotifierHarness};
use incident_core::port::Notifier;
use incident_slack::{RoomConfig, SlackBackend};
use serde_json::Value;
use support::config;
use tokio::sync::OnceCell;

struct Workspace {
    rooms: bool,
    served: OnceCell<Served>,
}

impl Workspace {
    fn new(rooms: bool) -> Self {
        Self { rooms, served: OnceCell::new() }
    }

    async fn served(&self) -> &Served {
        self.served.get_or_init(Served::start).await
    }
}

#[async_trait]
impl Backend for Workspace {
    async fn meets(&self, fault: Fault) -> bool {
        let slack = &self.served().await.slack;
        slack.meets(match fault {
            Fault::LoseReply => Trouble::LoseReply,
            Fault::AnswerLate => Trouble::AnswerLate,
            Fault::Break => Trouble::Code("internal_error"),
            // Only the message is refused for good: a room that can't be made becomes a thread.
            Fault::Refuse => {
                slack.state().refused.insert("chat.postMessage", "invalid_blocks");
                return true;
            }
            Fault::Wait(wait) => Trouble::Wait(wait.as_secs()),
            Fault::Hang => Trouble::Hang,
            Fault::ForgetConversation if self.rooms => {
                slack.state().channels.values_mut().filter(|it| it.id != CHANNEL).for_each(|it| {
                    it.is_archived = true;
                });
                return true;
            }
            Fault::ForgetConversation => {
                slack.state().channels.get_mut(CHANNEL).unwrap().messages.clear();
                return true;
            }
            // The adapter has its address for life, so nobody can go away from under it.
            _ => return false,
        });
        true
    }

    async fn inbox(&self) -> Vec<Arrival> {
        let state = self.served().await.slack.state();
        let messages = state.channels.values().flat_map(|channel| channel.messages.clone());
        let messages = messages.filter(|message| message["metadata"]["event_type"] == "ir_op");
        let mut messages: Vec<Value> = messages.collect();
        messages.sort_by_key(|message| message["ts"].as_str().unwrap().to_owned());
        messages.iter().map(arrival).collect()
    }

    async fn writes(&self) -> usize {
        // All the rest leads to the same state however often it is asked for; a new channel is announced besides.
        let posts = self.served().await.slack.asked_for("chat.postMessage");
        posts.iter().filter(|asked| asked.args["metadata"]["event_type"] == "ir_op").count()
    }

    fn secret(&self) -> Option<String> {
        Some(TOKEN.to_owned())
    }

    fn acts(&self, text: &str) -> Vec<String> {
        let acts = ["@channel", "@here", "\u{202e}", "\u{7}", "ACTS: !channel", "ACTS: @U1"];
        acts.into_iter().filter(|act| text.contains(act)).map(str::to_owned).collect()
    }
}

fn arrival(message: &Value) -> Arrival {
    let effect = message["metadata"]["event_payload"]["op"].as_str().and_then(|op| op.parse().ok());
    let acting: Vec<String> = limits::acting(message).iter().map(|it| format!("ACTS: {it}")).collect();
    let text = format!("{}\n{}", limits::readable(message), acting.join("\n"));
    Arrival::new(effect, &text).marked(text.contains("possibly sent before"))
}

#[async_trait]
impl NotifierHarness for Workspace {
    async fn notifier(&self) -> Arc<dyn Notifier> {
        let mut config = config(&self.served().await.api());
        config.rooms = self.rooms.then(RoomConfig::default);
        // The suite sends several in one breath and tells nothing of the time between them.
        config.message_every = std::time::Duration::ZERO;
        Arc::new(SlackBackend::new(&config).unwrap().notifier())
    }
}

#[tokio::test]
async fn threads_keep_the_promises_of_a_notifier() {
    let report = notifier::check(|| Workspace::new(false)).await;
    report.assert();
    // What converges is looked for in a repeated delivery: the engine never asks.
    let looks = report.not_applicable.iter().filter(|it| !it.contains("`find` says No")).count();
    assert_eq!(looks, 0, "{report}");
}

#[tokio::test]
async fn rooms_keep_the_promises_of_a_notifier() {
    let report = notifier::check(|| Workspace::new(true)).await;
    report.assert();
    // What converges is looked for in a repeated delivery: the engine never asks.
    let looks = report.not_applicable.iter().filter(|it| !it.contains("`find` says No")).count();
    assert_eq!(looks, 0, "{report}");
}
