//! A night under the default runbook, from the first word in chat to the closed incident: two responders, a stranger, a phone's
//! keyboard, a deleted thread and a revoked token.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../src/bot.rs"]
mod bot;
#[path = "../../../incident-slack/tests/fake/mod.rs"]
mod fake;
#[path = "../src/find.rs"]
#[allow(dead_code, reason = "the program uses the rest")]
mod find;
#[path = "../src/forms.rs"]
mod forms;
mod room;
#[path = "../src/setup.rs"]
#[allow(dead_code, reason = "the program uses the rest")]
mod setup;

use fake::CHANNEL;
use room::{Room, people};

const ALICE: &str = "U1ALICE";
const BOB: &str = "U2BOB";
const STRANGER: &str = "U9STRANGER";

struct Night {
    room: Room,
    messages: usize,
}

impl Night {
    /// Somebody writes a command; the answer has to say this.
    async fn says(&mut self, who: &str, text: &str, answer: &str) -> String {
        self.messages += 1;
        let told = self.room.command(who, text).await;
        assert!(told.contains(answer), "{who}: {text}\n  expected: {answer}\n  told: {told}");
        told
    }

    /// Like [`says`](Self::says), where the answer is the number of what was recorded.
    async fn records(&mut self, who: &str, text: &str) -> u64 {
        let told = self.says(who, text, "Recorded as #").await;
        told.trim_start_matches("Recorded as #").trim_end_matches('.').parse().unwrap()
    }

    async fn clicks(&mut self, who: &str, action: &str, answer: &str) {
        self.messages += 1;
        let value = self.room.button(action)["value"].as_str().unwrap().to_owned();
        let told = self.room.click(who, action, &value).await;
        assert!(told.contains(answer), "{who} clicks {action}\n  expected: {answer}\n  told: {told}");
    }

    /// All that is in the channel.
    fn channel(&self) -> String {
        let messages = self.room.messages();
        messages.iter().map(|it| format!("{}{}\n", it["text"], it["blocks"])).collect()
    }

    /// The incident's latest first message.
    fn root(&self) -> (String, String) {
        let messages = self.room.messages();
        let is_root = |it: &&serde_json::Value| {
            let text = it["blocks"].to_string();
            it["thread_ts"].is_null()
                && text.contains("ir_title")
                && !text.contains("ir_what")
                && !text.contains("has to publish")
        };
        let root = messages.iter().rfind(is_root).unwrap();
        (root["ts"].as_str().unwrap().to_owned(), root["blocks"].to_string())
    }
}

#[tokio::test]
async fn a_night_in_chat_ends_with_a_published_post_mortem_and_a_closed_incident() {
    let mut night = Night { room: Room::under(people(), |_| {}).await, messages: 0 };

    // Something is wrong. Alice types on a phone.
    night.says(ALICE, "status", "There is no open incident").await;
    night.says(ALICE, "oncall", "1. responders").await;
    let told =
        night.says(ALICE, "Declare Sev2 Service: checkout #4711 orders are stuck", "Declared as #").await;
    assert!(told.contains("SEV2 · #4711 orders are stuck"), "{told}");
    assert!(told.contains("On its way: page to responders via slack"), "it says who is paged how: {told}");
    night.room.work().await;
    assert!(night.channel().contains("*Page*"), "the page is there");

    // Who counts?
    night.says(STRANGER, "ack", "your Slack account isn't in the runbook").await;
    night.says(STRANGER, "cancel it is nothing", "your Slack account isn't in the runbook").await;
    night.says(STRANGER, "note customers are calling us", "Recorded.").await;
    night.says(ALICE, "\u{200f}ack.", "Recorded.").await;
    night.says(ALICE, "assign lead me", "Recorded.").await;
    let (_, root) = night.root();
    assert!(root.contains("Incident lead\\nalice"), "the first message names the lead at once: {root}");

    // The bot says what is missing and how to give it.
    let told = night.says(ALICE, "advance", "Not yet: Detection isn't finished. 2 things are missing").await;
    assert!(told.contains("when it began – /incident started 09:50"), "{told}");
    assert!(told.contains("/incident tick confirm-incident"), "{told}");
    night.says(ALICE, "started 15 min ago", "Recorded.").await;
    night.says(BOB, "tick confirm-incident.", "Recorded.").await;
    let told = night.says(BOB, "status", "SEV2 · #4711 orders are stuck").await;
    assert!(told.contains("/incident advance"), "next steps come with their commands: {told}");
    night.says(ALICE, "advance", "Recorded.").await;
    night.says(ALICE, "triage", "1. Was data lost or spoiled?").await;
    night.says(ALICE, "Triage no no no yes yes", "Recorded.").await;
    night.says(ALICE, "impact users:1200 customers:yes one in ten orders fails", "Recorded.").await;
    night.says(ALICE, "advance", "Recorded.").await;
    night.room.work().await;
    assert!(night.channel().contains("For customers"), "what is for people outside waits for a person");
    night.says(ALICE, "advance", "Recorded.").await;

    // Looking for the cause.
    night
        .says(
            ALICE,
            "update Paging <@U2BOB|bob> now | see grafana.example | next: look at the cache",
            "Recorded.",
        )
        .await;
    night.room.work().await;
    assert!(night.channel().contains("bob now | see grafana.example"), "{}", night.channel());
    let cold = night.records(BOB, "hypothesis the cache is cold").await;
    let full = night.records(BOB, "hypothesis the queue is full").await;
    let (root, _) = night.root();
    let said = night.room.says("U3CAROL", "it began with the deployment", Some(&root));
    night.room.reaction(ALICE, "memo", &said).await;
    assert!(night.room.timeline().await.iter().any(|line| line.contains("it began with the deployment")));

    // Somebody deletes the first message; the next notice begins a new thread.
    night.room.workspace().deletes(CHANNEL, &root);
    night.says(ALICE, "update the cache has been cold since the deployment | eta: 15 min", "Recorded.").await;
    night.room.work().await;
    let (anew, blocks) = night.root();
    assert!(anew != root && blocks.contains("orders are stuck"), "{blocks}");
    night.says(ALICE, "advance", "Recorded.").await;

    // The token is revoked for a while: nothing is lost, and everybody who asks sees it.
    night.room.workspace().revoked = true;
    night.room.clock.advance(std::time::Duration::from_secs(1));
    let pages = night.channel().matches("*Page*").count();
    night.says(ALICE, "page I need help", "On its way: page to").await;
    night.room.work().await;
    let told = night.says(ALICE, "status", "NOT DELIVERED – page to").await;
    assert!(told.contains("via slack"), "{told}");
    night.room.workspace().revoked = false;
    night.room.passes(2).await;
    assert!(
        night.channel().matches("*Page*").count() > pages,
        "the page arrives once the token is good again"
    );

    // A mitigation: proposed, planned, approved by another person, carried out.
    let switch = "propose shop switch-feature feature:pricing on:no it broke with it";
    let switch = night.records(ALICE, switch).await;
    night.room.work().await;
    night.clicks(STRANGER, "incident_approve", "your Slack account isn't in the runbook").await;
    night.clicks(ALICE, "incident_approve", "0 of 1").await;
    assert!(!night.room.switched_off());
    night.clicks(BOB, "incident_approve", "approved and ordered").await;
    night.room.work().await;
    assert!(night.room.switched_off(), "#{switch} is carried out");
    night.says(ALICE, "advance", "Recorded.").await;

    // It is over when every check has held for 15 minutes.
    let told = night.says(ALICE, "resolve a cold cache", "Not yet: Recovery isn't finished").await;
    assert!(told.contains("/incident attest CHECK green"), "{told}");
    for check in ["pods-ready", "health", "error-rate", "latency-p95", "user-reports"] {
        night.says(BOB, &format!("attest {check} green I looked at it"), "Recorded.").await;
    }
    night.room.passes(20).await;
    night.says(ALICE, "update everything is green | next: watch it", "Recorded.").await;
    night.says(ALICE, "resolve a cold cache", "Recorded.").await;
    night.room.work().await;
    assert!(night.channel().contains("*Resolved*"), "{}", night.channel());

    // The post-mortem.
    night.says(ALICE, &format!("confirm {cold} warming it ended the errors"), "Recorded.").await;
    night.says(ALICE, &format!("rule-out #{full} it was empty"), "Recorded.").await;
    let told = night.says(ALICE, "postmortem", "Missing before it can be published").await;
    assert!(told.contains("/incident postmortem write trigger TEXT"), "{told}");
    night.says(ALICE, "postmortem publish", "Not yet: the post-mortem isn't complete").await;
    night.says(ALICE, "postmortem write trigger the deployment of version 42", "Recorded.").await;
    night.says(BOB, "postmortem write went-well the page came within a minute", "Recorded.").await;
    night
        .says(BOB, "postmortem write could-be-better the dashboard had no cache hit rate", "Recorded.")
        .await;
    night.says(BOB, "postmortem write lucky it was at night", "Recorded.").await;
    let why = night.records(ALICE, "postmortem why a deployment empties the cache").await;
    night.says(ALICE, &format!("postmortem proof {why} {cold}"), "Recorded.").await;
    night.says(ALICE, &format!("postmortem proof {cold} {why}"), "Recorded.").await;
    let action =
        "action warm the cache before traffic | owner: <@U2BOB|bob> | kind: prevent | priority: high";
    let action = night.records(ALICE, action).await;
    for step in ["update-runbook", "update-diagrams", "update-dashboards", "update-alert-rules"] {
        night.says(BOB, &format!("postmortem doc {step} not-needed it is right as it is"), "Recorded.").await;
    }
    night.says(ALICE, "postmortem review <@U2BOB|bob>", "Recorded.").await;
    night.says(ALICE, "meeting tomorrow 14:00 | place: https://meet.example/x", "Recorded.").await;
    night.says(ALICE, "postmortem publish", "The post-mortem is published.").await;
    night.room.work().await;
    let document = night.room.workspace().channel(CHANNEL).files[0]["content"].to_string();
    assert!(document.contains("a deployment empties the cache"), "it is a file in the thread: {document}");

    // What is left.
    night.says(ALICE, "meeting held me <@U2BOB|bob>", "Recorded.").await;
    night.says(BOB, &format!("done {action} it is warm before traffic comes"), "Recorded.").await;
    let id = night.room.incidents().await[0].short();
    night.says(ALICE, "list", &format!("#{id} SEV2")).await;
    night.says(ALICE, &format!("#{id} close"), "Recorded.").await;
    night.room.work().await;
    night.says(ALICE, "list", "No incident is open").await;
    night.says(BOB, &format!("#{id}"), "closed").await;
    let (_, root) = night.root();
    assert!(root.contains("*Status*\\nclosed"), "the first message is current to the end: {root}");
    assert!(night.messages >= 60, "{} messages", night.messages);
}
