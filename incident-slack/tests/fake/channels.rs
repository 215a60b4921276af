//! Channels: made, set up, archived.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::workspace::{BOT_USER, good, refuse};
use super::{Asked, Reply, Workspace};

#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) creator: String,
    pub(crate) is_private: bool,
    pub(crate) is_archived: bool,
    pub(crate) members: BTreeSet<String>,
    pub(crate) topic: String,
    /// Who set the topic.
    pub(crate) topic_by: String,
    /// How often the topic was set; each time everybody is told.
    pub(crate) topics: usize,
    pub(crate) pins: BTreeSet<String>,
    pub(crate) bookmarks: Vec<Value>,
    pub(crate) messages: Vec<Value>,
    pub(crate) files: Vec<Value>,
}

impl Channel {
    pub(crate) fn new(id: &str, name: &str, creator: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            creator: creator.to_owned(),
            is_private: false,
            is_archived: false,
            members: BTreeSet::from([creator.to_owned()]),
            topic: String::new(),
            topic_by: String::new(),
            topics: 0,
            pins: BTreeSet::new(),
            bookmarks: Vec::new(),
            messages: Vec::new(),
            files: Vec::new(),
        }
    }

    /// Whether the app may know of it.
    pub(super) fn is_seen(&self) -> bool {
        !self.is_private || self.members.contains(BOT_USER)
    }

    fn to_json(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "creator": self.creator, "is_archived": self.is_archived,
            "is_private": self.is_private, "is_member": self.members.contains(BOT_USER),
            "topic": {"value": self.topic, "creator": self.topic_by}, "num_members": self.members.len(),
        })
    }
}

impl Workspace {
    /// The channel whose name begins like this, if there is exactly one that isn't archived.
    pub(crate) fn room(&self, prefix: &str) -> &Channel {
        let mut found = self.channels.values().filter(|it| it.name.starts_with(prefix) && !it.is_archived);
        let room = found.next().unwrap();
        assert!(found.next().is_none(), "more than one room");
        room
    }

    pub(super) fn channel_info(&self, asked: &Asked) -> Reply {
        match self.channels.get(&asked.text("channel")).filter(|it| it.is_seen()) {
            Some(channel) => good(json!({"channel": channel.to_json()})),
            None => refuse("channel_not_found"),
        }
    }

    pub(super) fn list_channels(&self, asked: &Asked) -> Reply {
        let is_private = asked.text("types") == "private_channel";
        let archived_too = asked.text("exclude_archived") != "true";
        let all = self
            .channels
            .values()
            .filter(|it| it.is_seen() && it.is_private == is_private && (archived_too || !it.is_archived));
        let limit: usize = asked.text("limit").parse().unwrap_or(100);
        let from: usize = asked.text("cursor").parse().unwrap_or(0);
        let all: Vec<_> = all.map(Channel::to_json).collect();
        let next = if all.len() > from + limit { (from + limit).to_string() } else { String::new() };
        let page: Vec<_> = all.into_iter().skip(from).take(limit).collect();
        good(json!({"channels": page, "response_metadata": {"next_cursor": next}}))
    }

    pub(super) fn create_channel(&mut self, asked: &Asked) -> Reply {
        let name = asked.text("name");
        let belongs = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-' || it == '_';
        if !name.chars().all(belongs) {
            return refuse("invalid_name_specials");
        }
        if name.is_empty() || name.len() > 80 {
            return refuse("invalid_name_maxlength");
        }
        // Archived channels keep their names.
        if self.channels.values().any(|it| it.name == name) {
            return refuse("name_taken");
        }
        let id = format!("C{:08}", self.next());
        let mut channel = Channel::new(&id, &name, BOT_USER);
        channel.is_private = asked.args["is_private"] == true;
        let json = channel.to_json();
        self.channels.insert(id, channel);
        good(json!({"channel": json}))
    }

    pub(super) fn archive_channel(&mut self, asked: &Asked) -> Reply {
        self.changed(asked, |channel, _| {
            if channel.is_archived {
                return refuse("already_archived");
            }
            channel.is_archived = true;
            good(json!({}))
        })
    }

    pub(super) fn set_topic(&mut self, asked: &Asked) -> Reply {
        self.changed(asked, |channel, asked| {
            let topic = asked.text("topic");
            if topic.encode_utf16().count() > 250 {
                return refuse("too_long");
            }
            if channel.is_archived {
                return refuse("is_archived");
            }
            channel.topics += 1;
            channel.topic_by = BOT_USER.to_owned();
            channel.topic = topic;
            good(json!({"topic": channel.topic}))
        })
    }

    pub(super) fn invite(&mut self, asked: &Asked) -> Reply {
        let known = self.users.clone();
        self.changed(asked, |channel, asked| {
            let users: Vec<String> = asked.text("users").split(',').map(str::to_owned).collect();
            let force = asked.args["force"] == true;
            if users.len() > 100 {
                return refuse("too_many_users");
            }
            if !force && users.iter().any(|user| !known.contains(user)) {
                return refuse("user_not_found");
            }
            if users.iter().all(|user| channel.members.contains(user)) {
                return refuse("already_in_channel");
            }
            if users.iter().all(|user| user == BOT_USER) {
                return refuse("cant_invite_self");
            }
            channel.members.extend(users.into_iter().filter(|user| known.contains(user)));
            good(json!({"channel": channel.to_json()}))
        })
    }

    pub(super) fn add_pin(&mut self, asked: &Asked) -> Reply {
        self.changed(asked, |channel, asked| {
            let ts = asked.text("timestamp");
            if !channel.messages.iter().any(|it| it["ts"] == ts.as_str()) {
                return refuse("message_not_found");
            }
            if channel.pins.insert(ts) { good(json!({})) } else { refuse("already_pinned") }
        })
    }

    pub(super) fn list_bookmarks(&self, asked: &Asked) -> Reply {
        match self.channels.get(&asked.text("channel_id")).filter(|it| it.is_seen()) {
            Some(channel) => good(json!({"bookmarks": channel.bookmarks})),
            None => refuse("channel_not_found"),
        }
    }

    pub(super) fn add_bookmark(&mut self, asked: &Asked) -> Reply {
        let id = format!("Bk{}", self.next());
        let Some(channel) = self.channels.get_mut(&asked.text("channel_id")) else {
            return refuse("channel_not_found");
        };
        // The same one twice is two.
        let bookmark = json!({"id": id, "title": asked.text("title"), "link": asked.text("link")});
        channel.bookmarks.push(bookmark.clone());
        good(json!({"bookmark": bookmark}))
    }

    fn changed(&mut self, asked: &Asked, change: impl FnOnce(&mut Channel, &Asked) -> Reply) -> Reply {
        match self.channels.get_mut(&asked.text("channel")).filter(|it| it.is_seen()) {
            Some(channel) => change(channel, asked),
            None => refuse("channel_not_found"),
        }
    }
}
