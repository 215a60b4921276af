//! What the workspace is, and how it takes a request.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::channels::Channel;
use super::{APP_TOKEN, Asked, CHANNEL, Reply, TOKEN};

/// What a request that changes something may meet, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It takes effect, and the connection breaks.
    LoseReply,
    /// It takes effect, and the answer never comes.
    AnswerLate,
    /// It doesn't take effect, and the answer never comes.
    Hang,
    /// Slack's code for it.
    Code(&'static str),
    Status(u16),
    /// HTTP 429.
    Wait(u64),
    /// HTTP 429 of a proxy: no body and no media type.
    Bare(Option<u64>),
    /// A proxy's page, with this status.
    Html(u16),
    /// The request after next meets it: this one passes.
    Pass,
}

pub(crate) struct Workspace {
    pub(crate) origin: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) users: BTreeSet<String>,
    pub(crate) channels: BTreeMap<String, Channel>,
    pub(crate) troubles: VecDeque<Trouble>,
    /// Answers to people, as they arrived at a response URL.
    pub(crate) answers: Vec<Value>,
    /// Forms, as they were opened.
    pub(crate) views: Vec<Value>,
    pub(crate) uploads: BTreeMap<String, super::files::Upload>,
    /// Whether histories are shown 15 messages a minute.
    pub(crate) limited: bool,
    /// Whether a second message within a second in one channel is put off.
    pub(crate) throttles: bool,
    pub(crate) last_post: BTreeMap<String, Instant>,
    pub(crate) last_read: BTreeMap<String, Instant>,
    pub(crate) put_off: usize,
    /// What the next requests meet that change nothing.
    pub(crate) reads_meet: VecDeque<Trouble>,
    /// A refusal that every write to this method meets, until it is taken away.
    pub(crate) refused: BTreeMap<&'static str, &'static str>,
    /// Whether the bot's token is revoked for now.
    pub(crate) revoked: bool,
    /// Where the websocket of Socket Mode is.
    pub(crate) socket: Option<String>,
    count: u64,
}

pub(crate) const BOT_USER: &str = "U0BOT";
pub(crate) const BOT: &str = "B0BOT";
const SCOPES: [&str; 13] = [
    "chat:write",
    "channels:history",
    "channels:read",
    "channels:manage",
    "groups:history",
    "groups:read",
    "groups:write",
    "pins:write",
    "bookmarks:read",
    "bookmarks:write",
    "files:write",
    "reactions:read",
    "commands",
];
/// What each method needs, and whether it changes something.
const METHODS: [(&str, &str, bool); 22] = [
    ("auth.test", "", false),
    ("apps.connections.open", "", false),
    ("chat.postMessage", "chat:write", true),
    ("chat.update", "chat:write", true),
    ("chat.postEphemeral", "chat:write", true),
    ("views.open", "", true),
    ("conversations.history", "channels:history", false),
    ("conversations.replies", "channels:history", false),
    ("conversations.info", "channels:read", false),
    ("conversations.list", "channels:read", false),
    ("conversations.create", "channels:manage", true),
    ("conversations.archive", "channels:manage", true),
    ("conversations.setTopic", "channels:manage", true),
    ("conversations.invite", "channels:manage", true),
    ("pins.add", "pins:write", true),
    ("bookmarks.list", "bookmarks:read", false),
    ("bookmarks.add", "bookmarks:write", true),
    ("files.getUploadURLExternal", "files:write", false),
    ("files.completeUploadExternal", "files:write", true),
    ("/upload", "", true),
    ("/hooks/response", "", true),
    ("/hooks/gone", "", true),
];

impl Workspace {
    pub(super) fn new() -> Self {
        let users = ["U0BOT", "U1ALICE", "U2BOB"].map(str::to_owned);
        let mut channel = Channel::new(CHANNEL, "incidents", "U1ALICE");
        channel.members.insert(BOT_USER.to_owned());
        Self {
            origin: "http://127.0.0.1:1".to_owned(),
            scopes: SCOPES.map(str::to_owned).to_vec(),
            users: users.into(),
            views: Vec::new(),
            channels: BTreeMap::from([(CHANNEL.to_owned(), channel)]),
            troubles: VecDeque::new(),
            answers: Vec::new(),
            uploads: BTreeMap::new(),
            limited: false,
            throttles: false,
            last_post: BTreeMap::new(),
            last_read: BTreeMap::new(),
            put_off: 0,
            reads_meet: VecDeque::new(),
            refused: BTreeMap::new(),
            revoked: false,
            socket: None,
            count: 0,
        }
    }

    /// A number that wasn't given out before.
    pub(super) fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// The time of the next message, later than every one before.
    pub(super) fn next_ts(&mut self) -> String {
        let count = self.next();
        format!("{}.{:06}", 1_774_000_000 + count, count)
    }

    pub(crate) fn channel(&self, id: &str) -> &Channel {
        &self.channels[id]
    }

    pub(super) fn take(&mut self, asked: &Asked) -> Reply {
        let Some((_, scope, writes)) = METHODS.iter().find(|(method, ..)| *method == asked.method) else {
            return refuse("unknown_method");
        };
        let troubles = if *writes { &mut self.troubles } else { &mut self.reads_meet };
        let trouble = troubles.pop_front();
        match trouble {
            Some(Trouble::Hang) => return Reply::Silence,
            Some(Trouble::Code(code)) => return refuse(code),
            Some(Trouble::Status(status)) => return Reply::Status(status, Vec::new(), json!({"ok": false})),
            Some(Trouble::Html(status)) => return Reply::Html(status),
            Some(Trouble::Wait(seconds)) => return self.wait(seconds),
            Some(Trouble::Bare(seconds)) => return Reply::Bare(429, seconds),
            _ => {}
        }
        if let Some(code) = self.refused.get(asked.method.as_str()) {
            return refuse(code);
        }
        let reply = self.allowed(asked, scope).unwrap_or_else(|| self.carry_out(asked));
        match trouble {
            Some(Trouble::LoseReply) => Reply::Cut,
            Some(Trouble::AnswerLate) => Reply::Silence,
            _ => reply,
        }
    }

    /// The refusal, if the token isn't good for it.
    fn allowed(&self, asked: &Asked, scope: &str) -> Option<Reply> {
        if asked.method.starts_with('/') {
            // The address is the secret; nobody needs the token there.
            return asked.token.is_some().then(|| refuse("token_given_away"));
        }
        let good = if asked.method == "apps.connections.open" { APP_TOKEN } else { TOKEN };
        match asked.token.as_deref() {
            None | Some("") => return Some(refuse("not_authed")),
            Some(TOKEN) if self.revoked => return Some(refuse("token_revoked")),
            Some(token) if token != good => return Some(refuse("invalid_auth")),
            Some(_) => {}
        }
        if scope.is_empty() || self.scopes.iter().any(|it| it == scope) {
            return None;
        }
        let provided = self.scopes.join(",");
        Some(Reply::Json(
            json!({"ok": false, "error": "missing_scope", "needed": scope, "provided": provided}),
        ))
    }

    fn carry_out(&mut self, asked: &Asked) -> Reply {
        match asked.method.as_str() {
            "auth.test" => Reply::Json(json!({
                "ok": true, "url": "https://acme.slack.com/", "team": "Acme", "user": "incidents",
                "team_id": "T1", "user_id": BOT_USER, "bot_id": BOT,
            })),
            "apps.connections.open" => match &self.socket {
                Some(url) => Reply::Json(json!({"ok": true, "url": url})),
                None => refuse("internal_error"),
            },
            "chat.postMessage" => self.post_message(asked),
            "chat.update" => self.update_message(asked),
            "chat.postEphemeral" => {
                if let Some(code) = super::messages::unsound(&asked.args) {
                    return refuse(code);
                }
                self.answers.push(asked.args.clone());
                Reply::Json(json!({"ok": true, "message_ts": "1.1"}))
            }
            "views.open" => {
                if asked.text("trigger_id").is_empty() {
                    return refuse("invalid_trigger_id");
                }
                if !super::limits::view_offences(&asked.args["view"]).is_empty() {
                    return refuse("invalid_arguments");
                }
                self.views.push(asked.args["view"].clone());
                Reply::Json(json!({"ok": true}))
            }
            "conversations.history" | "conversations.replies" => self.read_messages(asked),
            "conversations.info" => self.channel_info(asked),
            "conversations.list" => self.list_channels(asked),
            "conversations.create" => self.create_channel(asked),
            "conversations.archive" => self.archive_channel(asked),
            "conversations.setTopic" => self.set_topic(asked),
            "conversations.invite" => self.invite(asked),
            "pins.add" => self.add_pin(asked),
            "bookmarks.list" => self.list_bookmarks(asked),
            "bookmarks.add" => self.add_bookmark(asked),
            "files.getUploadURLExternal" => self.begin_upload(asked),
            "/upload" => self.upload(asked),
            "files.completeUploadExternal" => self.complete_upload(asked),
            "/hooks/response" => {
                let answer = serde_json::from_slice(&asked.body).unwrap();
                if super::messages::unsound(&answer).is_some() {
                    return Reply::Status(400, Vec::new(), json!({"ok": false}));
                }
                self.answers.push(answer);
                Reply::Text("ok")
            }
            _ => Reply::Status(404, Vec::new(), json!({"ok": false, "error": "expired_url"})),
        }
    }

    pub(super) fn wait(&mut self, seconds: u64) -> Reply {
        self.put_off += 1;
        let headers = vec![("retry-after", seconds.to_string())];
        Reply::Status(429, headers, json!({"ok": false, "error": "ratelimited"}))
    }
}

/// `"ok": false`, with HTTP 200.
pub(super) fn refuse(code: &str) -> Reply {
    Reply::Json(json!({"ok": false, "error": code}))
}

/// `"ok": true`, with whatever belongs to it.
pub(super) fn good(mut more: Value) -> Reply {
    more["ok"] = true.into();
    Reply::Json(more)
}

/// Whether something that happened at `last` was less than `apart` ago.
pub(super) fn too_soon(last: Option<&Instant>, apart: Duration) -> bool {
    last.is_some_and(|last| last.elapsed() < apart)
}
