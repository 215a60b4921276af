//! Messages: posted, edited, read.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::workspace::{BOT, BOT_USER, good, refuse, too_soon};
use super::{Asked, Reply, Workspace, limits};

impl Workspace {
    pub(super) fn post_message(&mut self, asked: &Asked) -> Reply {
        let channel = asked.text("channel");
        if let Some(refusal) = self.not_writable(&channel) {
            return refusal;
        }
        let since = Duration::from_millis(999);
        if self.throttles && too_soon(self.last_post.get(&channel), since) {
            return self.wait(1);
        }
        self.last_post.insert(channel.clone(), Instant::now());
        if let Some(code) = unsound(&asked.args) {
            return refuse(code);
        }
        let ts = self.next_ts();
        let mut message = json!({
            "type": "message", "ts": ts, "user": BOT_USER, "bot_id": BOT, "app_id": "A1",
            "text": asked.text("text"), "blocks": asked.args["blocks"], "metadata": asked.args["metadata"],
        });
        let parent = asked.text("thread_ts");
        let messages = &mut self.channels.get_mut(&channel).unwrap().messages;
        // An answer to a message that is gone goes into the channel itself, without a word.
        if messages.iter().any(|it| it["ts"] == parent.as_str() && !parent.is_empty()) {
            message["thread_ts"] = parent.into();
        }
        messages.push(message.clone());
        message.as_object_mut().unwrap().remove("metadata");
        good(json!({"channel": channel, "ts": ts, "message": message}))
    }

    pub(super) fn update_message(&mut self, asked: &Asked) -> Reply {
        let channel = asked.text("channel");
        if let Some(refusal) = self.not_writable(&channel) {
            return refusal;
        }
        if asked.text("text").encode_utf16().count() > 4_000 {
            return refuse("msg_too_long");
        }
        if let Some(code) = unsound(&asked.args) {
            return refuse(code);
        }
        let (ts, text) = (asked.text("ts"), asked.text("text"));
        let messages = &mut self.channels.get_mut(&channel).unwrap().messages;
        let Some(message) = messages.iter_mut().find(|it| it["ts"] == ts.as_str()) else {
            return refuse("message_not_found");
        };
        if message["bot_id"] != BOT {
            return refuse("cant_update_message");
        }
        // Metadata that isn't given stays.
        message["text"] = text.clone().into();
        message["blocks"] = asked.args["blocks"].clone();
        good(json!({"channel": channel, "ts": ts, "text": text}))
    }

    pub(super) fn read_messages(&mut self, asked: &Asked) -> Reply {
        // These take their arguments from a query or a form alone.
        let channel = if asked.is_json { String::new() } else { asked.text("channel") };
        let Some(found) = self.channels.get(&channel).filter(|it| it.is_seen()) else {
            return refuse("channel_not_found");
        };
        if !found.members.contains(BOT_USER) {
            return refuse("not_in_channel");
        }
        if self.limited {
            if too_soon(self.last_read.get(&asked.method), Duration::from_secs(60)) {
                return self.wait(60);
            }
            self.last_read.insert(asked.method.clone(), Instant::now());
        }
        let found = &self.channels[&channel];
        let is_thread = asked.method == "conversations.replies";
        // The name of any message of a thread names the thread.
        let named = found.messages.iter().find(|it| it["ts"] == asked.text("ts").as_str());
        let parent = named.and_then(|it| it["thread_ts"].as_str()).map(str::to_owned);
        let parent = parent.unwrap_or_else(|| asked.text("ts"));
        let of_thread = |it: &&Value| it["ts"] == parent.as_str() || it["thread_ts"] == parent.as_str();
        let mut messages: Vec<Value> = if is_thread {
            let thread: Vec<_> = found.messages.iter().filter(of_thread).cloned().collect();
            if named.is_none() {
                return refuse("thread_not_found");
            }
            thread
        } else {
            found.messages.iter().filter(|it| it["thread_ts"].is_null()).rev().cloned().collect()
        };
        let inclusive = asked.text("inclusive") == "true";
        let (oldest, latest) = (asked.text("oldest"), asked.text("latest"));
        messages.retain(|it| {
            let ts = it["ts"].as_str().unwrap();
            let after = oldest.is_empty() || ts > oldest.as_str() || (inclusive && ts == oldest);
            let before = latest.is_empty() || ts < latest.as_str() || (inclusive && ts == latest);
            // A thread's first message comes with every page of it.
            (after && before) || (is_thread && ts == parent)
        });
        if asked.text("include_all_metadata") != "true" {
            messages.iter_mut().for_each(|it| drop(it.as_object_mut().unwrap().remove("metadata")));
        }
        let most = if self.limited { 15 } else { 999 };
        let limit = asked.text("limit").parse().unwrap_or(100).clamp(1, most);
        let from: usize = asked.text("cursor").parse().unwrap_or(0);
        let more = messages.len() > from + limit;
        let next = if more { (from + limit).to_string() } else { String::new() };
        let page: Vec<_> = messages.into_iter().skip(from).take(limit).collect();
        good(json!({"messages": page, "has_more": more, "response_metadata": {"next_cursor": next}}))
    }

    fn not_writable(&self, channel: &str) -> Option<Reply> {
        let Some(found) = self.channels.get(channel).filter(|it| it.is_seen()) else {
            return Some(refuse("channel_not_found"));
        };
        if found.is_archived {
            return Some(refuse("is_archived"));
        }
        (!found.members.contains(BOT_USER)).then(|| refuse("not_in_channel"))
    }

    /// Somebody deletes a message: with answers below it, a tombstone stays.
    pub(crate) fn deletes(&mut self, channel: &str, ts: &str) {
        let messages = &mut self.channels.get_mut(channel).unwrap().messages;
        if messages.iter().any(|it| it["thread_ts"] == ts) {
            let message = messages.iter_mut().find(|it| it["ts"] == ts).unwrap();
            *message = json!({
                "type": "message", "subtype": "tombstone", "ts": ts, "user": "USLACKBOT", "hidden": true,
                "text": "This message was deleted.",
            });
        } else {
            messages.retain(|it| it["ts"] != ts);
        }
    }

    /// Somebody else's message, as a person or another app writes one.
    pub(crate) fn says(&mut self, channel: &str, user: &str, text: &str) -> String {
        let ts = self.next_ts();
        let message = json!({"type": "message", "ts": ts, "user": user, "text": text});
        self.channels.get_mut(channel).unwrap().messages.push(message);
        ts
    }
}

/// The code with which Slack refuses such a message.
pub(super) fn unsound(args: &Value) -> Option<&'static str> {
    if args["text"].as_str().unwrap_or_default().is_empty() && args["blocks"].is_null() {
        return Some("no_text");
    }
    let offences = limits::offences(args);
    if offences.iter().any(|offence| offence.contains("13,000")) {
        return Some("msg_blocks_too_long");
    }
    (!offences.is_empty()).then_some("invalid_blocks")
}
