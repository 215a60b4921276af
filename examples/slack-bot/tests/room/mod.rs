//! A bot in a workspace on loopback, people who write to it, and a switch that can be turned off.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![allow(dead_code, reason = "each test uses a part of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{SinkExt, StreamExt};
use incident_core::config::SecretRef;
use incident_core::local::FolderEvidence;
use incident_core::model::mitigation::MitigationKind;
use incident_core::model::plan::{ApprovedPlan, Execution, Intent, Plan, Reversible, Verification};
use incident_core::model::role::{Identity, Person, PersonId};
use incident_core::model::time::after;
use incident_core::port::store::Query;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, EffectContext, ErrorKind, Found, Mitigator, Preflight,
    PreflightContext, ReadContext,
};
use incident_core::port::{Clock, EvidenceStore};
use incident_core::runbook::ApprovalRule;
use incident_core::runtime::ManualClock;
use incident_core::store::MemoryStore;
use incident_core::views::timeline::timeline;
use incident_core::{Engine, IncidentId, Ports, Runbook};
use incident_slack::intake::{Event, Interaction, SlashCommand};
use incident_slack::socket::{Delivery, SocketMode};
use incident_slack::{SlackBackend, SlackConfig};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use crate::bot::Bot;
use crate::fake::{APP_TOKEN, CHANNEL, Served, TOKEN};
use crate::setup;

pub(crate) struct Room {
    pub(crate) engine: Engine,
    pub(crate) slack: SlackBackend,
    served: Served,
    bot: Arc<Bot>,
    pub(crate) clock: Arc<ManualClock>,
    config: SlackConfig,
    off: Arc<AtomicBool>,
    count: AtomicU64,
    folder: tempfile::TempDir,
}

impl Room {
    pub(crate) async fn open() -> Self {
        Self::configured(|_| {}).await
    }

    pub(crate) async fn configured(change: impl FnOnce(&mut SlackConfig)) -> Self {
        Self::under(runbook(), change).await
    }

    pub(crate) async fn under(runbook: Runbook, change: impl FnOnce(&mut SlackConfig)) -> Self {
        let (served, folder) = (Served::start().await, tempfile::tempdir().unwrap());
        let token = folder.path().join("token");
        std::fs::write(&token, TOKEN).unwrap();
        let mut config = SlackConfig::new(SecretRef::File(token), CHANNEL);
        config.api_url = served.api();
        config.buttons = true;
        config.message_every = Duration::ZERO;
        change(&mut config);
        let documents: Arc<dyn EvidenceStore> =
            Arc::new(FolderEvidence::new(folder.path().join("documents")));
        let slack = SlackBackend::new(&config).unwrap().with_evidence(Arc::clone(&documents));
        let mut outside = config.clone();
        (outside.passes_on, outside.rooms) = (true, None);
        let outside = SlackBackend::new(&outside).unwrap().into_ports();
        let off = Arc::new(AtomicBool::new(false));
        // A little after the workspace's own clock, whose messages follow each other by a second.
        let clock =
            Arc::new(ManualClock::new(incident_core::Time::from_timestamp(1_774_003_600, 0).unwrap()));
        let engine = setup::engine(MemoryStore::new(), runbook, slack.clone().into_ports(), outside)
            .ports("shop", Ports::new().with_mitigator(Switch(Arc::clone(&off))))
            .clock(Arc::clone(&clock) as Arc<dyn Clock>)
            .build()
            .unwrap();
        let bot = Arc::new(Bot::new(engine.clone(), slack.clone(), documents));
        Self { engine, slack, served, bot, clock, config, off, count: AtomicU64::new(1), folder }
    }

    /// Lets time pass, a minute at a time, and does what is due.
    pub(crate) async fn passes(&self, minutes: u32) {
        for _ in 0..minutes {
            self.clock.advance(Duration::from_secs(60));
            self.work().await;
        }
    }

    /// The workspace, for whatever happens in it besides.
    pub(crate) fn workspace(&self) -> std::sync::MutexGuard<'_, crate::fake::Workspace> {
        self.served.slack.state()
    }

    /// Does what is due, until nothing is.
    pub(crate) async fn work(&self) {
        for _ in 0..20 {
            let soon = after(self.engine.now(), Duration::from_secs(20));
            if self.engine.tick(soon).await.unwrap().ran == 0 {
                return;
            }
        }
    }

    pub(crate) fn slash(&self, user: &str, text: &str) -> Value {
        let number = self.count.fetch_add(1, Ordering::SeqCst);
        json!({
            "command": "/incident", "text": text, "user_id": user, "channel_id": CHANNEL,
            "trigger_id": format!("{number}.1"), "response_url": self.served.response_url(),
        })
    }

    /// Lets the bot hear a payload, as its websocket would.
    pub(crate) async fn hear(&self, kind: &str, payload: Value) {
        let delivery = match kind {
            "slash_commands" => Delivery::Command(SlashCommand::from_payload(&payload).unwrap()),
            "interactive" => Delivery::Interaction(Interaction::from_payload(&payload).unwrap()),
            _ => Delivery::Event(Event::from_payload(&payload)),
        };
        self.bot.hear(delivery).await;
    }

    /// Writes a command; returns what the one who wrote it is told.
    pub(crate) async fn command(&self, user: &str, text: &str) -> String {
        self.hear("slash_commands", self.slash(user, text)).await;
        self.last_answer()
    }

    pub(crate) async fn click(&self, user: &str, action: &str, value: &str) -> String {
        let number = self.count.fetch_add(1, Ordering::SeqCst);
        let click = json!({
            "type": "block_actions", "user": {"id": user}, "container": {"message_ts": "1.1"},
            "channel": {"id": CHANNEL}, "trigger_id": format!("{number}.4"),
            "actions": [{"action_id": action, "value": value, "action_ts": format!("{number}.2")}],
            "response_url": self.served.response_url(),
        });
        self.hear("interactive", click).await;
        self.last_answer()
    }

    /// The form that was opened last.
    pub(crate) fn form(&self) -> Value {
        self.workspace().views.last().unwrap().clone()
    }

    /// Sends a form with these texts and choices; returns what the one who sent it is told.
    pub(crate) async fn submit(&self, user: &str, form: &Value, values: &[(&str, &str)]) -> String {
        let number = self.count.fetch_add(1, Ordering::SeqCst);
        let value = |text: &str| json!({"value": text, "selected_option": {"value": text}});
        let values: serde_json::Map<String, Value> =
            values.iter().map(|(name, text)| ((*name).to_owned(), json!({ *name: value(text) }))).collect();
        let sent = json!({
            "type": "view_submission", "user": {"id": user}, "trigger_id": format!("{number}.3"),
            "view": {
                "id": format!("V{number}"), "callback_id": form["callback_id"],
                "private_metadata": form["private_metadata"], "state": {"values": values},
            },
        });
        self.hear("interactive", sent).await;
        self.last_answer()
    }

    /// Clicks the button of the last answer.
    pub(crate) async fn clicks_answer(&self, user: &str, action: &str) -> String {
        let answer = self.answers().pop().unwrap();
        let blocks = answer["blocks"].as_array().unwrap().clone();
        let mut buttons = blocks.into_iter().filter_map(|it| it["elements"].as_array().cloned()).flatten();
        let button = buttons.find(|it| it["action_id"] == action).unwrap();
        self.click(user, action, button["value"].as_str().unwrap()).await
    }

    pub(crate) async fn shortcut(&self, user: &str, ts: &str, text: &str) -> String {
        let message = self.messages().into_iter().find(|it| it["ts"] == ts).unwrap();
        let shortcut = json!({
            "type": "message_action", "callback_id": "incident_add_to_timeline", "user": {"id": user},
            "channel": {"id": CHANNEL}, "response_url": self.served.response_url(),
            "message": {"ts": ts, "user": message["user"], "text": text, "thread_ts": message["thread_ts"]},
        });
        self.hear("interactive", shortcut).await;
        self.last_answer()
    }

    pub(crate) async fn reaction(&self, user: &str, emoji: &str, ts: &str) {
        let event = json!({"type": "event_callback", "event": {
            "type": "reaction_added", "user": user, "reaction": emoji,
            "item": {"type": "message", "channel": CHANNEL, "ts": ts},
        }});
        self.hear("events_api", event).await;
    }

    /// Somebody writes into the channel, or into a thread of it.
    pub(crate) fn says(&self, user: &str, text: &str, thread: Option<&str>) -> String {
        let mut state = self.served.slack.state();
        let ts = state.says(CHANNEL, user, text);
        let messages = &mut state.channels.get_mut(CHANNEL).unwrap().messages;
        if let Some(thread) = thread {
            messages.last_mut().unwrap()["thread_ts"] = thread.into();
        }
        ts
    }

    /// The incident's channel of its own: its name, its messages, and whether it is archived.
    pub(crate) fn own_channel(&self) -> (String, Vec<Value>, bool) {
        let state = self.served.slack.state();
        let channel = state.channels.values().find(|it| it.id != CHANNEL).unwrap();
        (channel.name.clone(), channel.messages.clone(), channel.is_archived)
    }

    pub(crate) fn messages(&self) -> Vec<Value> {
        self.served.slack.state().channel(CHANNEL).messages.clone()
    }

    /// The latest button of this kind.
    pub(crate) fn button(&self, action: &str) -> Value {
        let blocks =
            self.messages().into_iter().rev().filter_map(|it| it["blocks"].as_array().cloned()).flatten();
        let mut buttons = blocks.filter_map(|it| it["elements"].as_array().cloned()).flatten();
        buttons.find(|it| it["action_id"] == action).unwrap()
    }

    pub(crate) fn answers(&self) -> Vec<Value> {
        self.served.slack.state().answers.clone()
    }

    fn last_answer(&self) -> String {
        let answer = self.answers().pop().unwrap();
        // Answers without a layout of their own have their text as the only block.
        let blocks = answer["blocks"].as_array().unwrap();
        let laid_out = if blocks.len() > 1 || blocks[0]["text"]["text"] != answer["text"] {
            answer["blocks"].to_string()
        } else {
            String::new()
        };
        let said = format!("{}{laid_out}", answer["text"].as_str().unwrap());
        said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    }

    pub(crate) async fn incidents(&self) -> Vec<IncidentId> {
        let page = self.engine.store().list(&Query::all()).await.unwrap();
        page.rows.iter().map(|row| row.id).collect()
    }

    pub(crate) async fn timeline(&self) -> Vec<String> {
        let handle = self.engine.incident(self.incidents().await.remove(0));
        let (state, records) = (handle.state().await.unwrap(), handle.records().await.unwrap());
        timeline(&state, &records).into_iter().map(|line| line.what).collect()
    }

    pub(crate) fn switched_off(&self) -> bool {
        self.off.load(Ordering::SeqCst)
    }

    /// Sends envelopes over a websocket to the bot; returns what it acknowledged.
    pub(crate) async fn over_websocket(&self, envelopes: &[(&str, &str, Value)]) -> Vec<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        self.served.slack.state().socket = Some(format!("ws://{address}/"));
        let app = self.folder.path().join("app");
        std::fs::write(&app, APP_TOKEN).unwrap();
        let socket = SocketMode::new(&self.config, &SecretRef::File(app)).unwrap();
        let (deliveries, mut inbox) = tokio::sync::mpsc::channel(8);
        let listening = tokio::spawn(async move { socket.listen(deliveries).await });
        let bot = Arc::clone(&self.bot);
        let hearing = tokio::spawn(async move {
            while let Some(delivery) = inbox.recv().await {
                bot.hear(delivery).await;
            }
        });
        let (stream, _) = listener.accept().await.unwrap();
        let mut websocket = accept_async(stream).await.unwrap();
        websocket.send(Message::text(json!({"type": "hello"}).to_string())).await.unwrap();
        let mut acknowledged = Vec::new();
        for (id, kind, payload) in envelopes {
            let envelope = json!({"envelope_id": id, "type": kind, "payload": payload, "accepts_response_payload": true});
            websocket.send(Message::text(envelope.to_string())).await.unwrap();
            let Some(Ok(Message::Text(text))) = websocket.next().await else { panic!("no acknowledgement") };
            let answer: Value = serde_json::from_str(text.as_str()).unwrap();
            acknowledged.push(answer["envelope_id"].as_str().unwrap().to_owned());
        }
        listening.abort();
        drop(listening.await);
        hearing.await.unwrap();
        acknowledged
    }
}

/// Alice and Bob, both of whom have to agree.
fn runbook() -> Runbook {
    let mut runbook = people();
    let both = ApprovalRule { persons: 2, roles: Vec::new(), proposer_counts: true };
    runbook.safety.by_kind.insert(MitigationKind::SwitchFeature, both);
    runbook
}

/// The default runbook, with Alice and Bob.
pub(crate) fn people() -> Runbook {
    let mut runbook = Runbook::default();
    for (id, account) in [("alice", "U1ALICE"), ("bob", "U2BOB")] {
        let person = Person {
            name: id.to_owned(),
            identities: vec![Identity::new("slack", account)],
            roles: Vec::new(),
        };
        runbook.persons.insert(PersonId::new(id), person);
    }
    runbook
}

/// A switch that can be turned off.
#[derive(Debug)]
struct Switch(Arc<AtomicBool>);

#[async_trait]
impl Adapter for Switch {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("shop")
    }

    async fn preflight(&self, _: &PreflightContext) -> Result<Preflight, AdapterError> {
        Ok(Preflight::default().good("it is there"))
    }
}

#[async_trait]
impl Mitigator for Switch {
    async fn plan(&self, _: &ReadContext, intent: Intent<'_>) -> Result<Plan, AdapterError> {
        match intent {
            Intent::Do(mitigation) => {
                let plan = Plan::new(mitigation.clone(), "shop/pricing", Reversible::Yes);
                Ok(plan.with_change("pricing", "on", "off"))
            }
            _ => Err(AdapterError::new(ErrorKind::Refused, "plan")),
        }
    }

    async fn execute(&self, cx: &EffectContext, plan: &ApprovedPlan) -> Result<Execution, AdapterError> {
        self.0.store(true, Ordering::SeqCst);
        Ok(Execution::new(plan.plan().clone(), cx.now))
    }

    async fn find(&self, _: &EffectContext, _: &Plan) -> Result<Found<Execution>, AdapterError> {
        Ok(Found::CannotTell)
    }

    async fn verify(&self, _: &EffectContext, _: &Execution) -> Result<Verification, AdapterError> {
        Ok(Verification::Holds)
    }
}
