//! The bot talks with people: against a workspace on loopback, over its websocket, and as the program that a team starts.

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

use incident_core::model::mitigation::{Mitigation, SwitchFeature};
use incident_slack::intake::Approval;
use room::Room;
use serde_json::{Value, json};

#[tokio::test]
async fn a_false_alarm_is_cancelled_in_chat() {
    let room = Room::open().await;
    let declared = room.command("U1ALICE", "declare sev2 service:checkout Checkout is slow").await;
    assert!(declared.contains("Declared as #"), "{declared}");
    room.work().await;
    let messages = room.messages();
    assert_eq!(messages.iter().filter(|it| it.to_string().contains("*Page*")).count(), 1, "one page");
    let root =
        messages.iter().find(|it| it.to_string().contains("ir_title") && !it.to_string().contains("*Page*"));
    let root = root.unwrap()["ts"].as_str().unwrap().to_owned();

    assert_eq!(room.command("U1ALICE", "ack").await, "Recorded.");
    assert_eq!(room.command("U1ALICE", "update looking at the cache | next: roll back").await, "Recorded.");
    let status = room.command("U2BOB", "status").await;
    assert!(status.contains("SEV2 · Checkout is slow"), "{status}");
    room.work().await;
    let answers: Vec<Value> =
        room.messages().into_iter().filter(|it| it["thread_ts"] == root.as_str()).collect();
    assert!(answers.iter().any(|it| it.to_string().contains("looking at the cache")), "{answers:#?}");

    let said = room.says("U3CAROL", "it began with the deployment", Some(&root));
    room.reaction("U1ALICE", "memo", &said).await;
    assert_eq!(
        room.shortcut("U1ALICE", &said, "it began with the deployment").await,
        "It is on the timeline."
    );
    let lines = room.timeline().await;
    let notes = lines.iter().filter(|line| line.contains("it began with the deployment")).count();
    assert_eq!(notes, 1, "quoted twice it is one note: {lines:#?}");
    assert!(lines.iter().any(|line| line.contains("slack:U3CAROL in Slack")), "{lines:#?}");

    let refused = room.command("U1ALICE", "resolve a cold cache").await;
    assert!(refused.starts_with("Not yet:") && refused.contains("/incident started 09:50"), "{refused}");
    assert_eq!(room.command("U1ALICE", "cancel it was a test").await, "Recorded.");
    room.work().await;
    let first = room.messages().into_iter().find(|it| it["ts"] == root.as_str()).unwrap().to_string();
    assert!(first.contains("cancelled, a false alarm"), "the first message is current: {first}");
    assert!(room.command("U1ALICE", "status").await.contains("There is no open incident"));
}

#[tokio::test]
async fn a_channel_of_its_own_is_archived_once_the_incident_is_closed() {
    let room = Room::configured(|config| config.rooms = Some(incident_slack::RoomConfig::default())).await;
    room.command("U1ALICE", "declare sev3 Checkout is slow").await;
    room.work().await;
    let alice = incident_core::Actor::human("slack", "U1ALICE");
    let incident = room.engine.incident(room.incidents().await.remove(0)).as_actor(alice);
    incident.acknowledge().await.unwrap();
    incident.resolve_over("a cold cache", "it is well").await.unwrap();
    room.work().await;
    let (name, messages, archived) = room.own_channel();
    assert!(name.starts_with("inc-checkout-is-slow-"), "{name}");
    assert!(messages.last().unwrap().to_string().contains("*Resolved*") && !archived);
    incident.close_over("nothing is left").await.unwrap();
    room.work().await;
    let (_, messages, archived) = room.own_channel();
    assert!(messages.last().unwrap().to_string().contains("*Closed*") && !archived, "{messages:#?}");
    let (state, now) = (incident.state().await.unwrap(), room.engine.now());
    assert!(!room.slack.archive_room(&state, now).await.unwrap(), "people read on for a day");
    let later = incident_core::model::time::after(now, std::time::Duration::from_secs(25 * 3600));
    assert!(room.slack.archive_room(&state, later).await.unwrap());
    assert!(room.own_channel().2);
}

#[tokio::test]
async fn what_cannot_be_done_is_said_to_the_one_who_asked() {
    let room = Room::open().await;
    for (text, says) in [
        ("ack", "There is no open incident"),
        ("resovle it", "did you mean resolve?"),
        ("severity huge", "sev1, sev2, sev3 or sev4"),
        ("help", "/incident declare"),
    ] {
        let answer = room.command("U1ALICE", text).await;
        assert!(answer.contains(says), "{text}: {answer}");
    }
    room.command("U1ALICE", "declare One").await;
    room.command("U1ALICE", "declare Two").await;
    let answer = room.command("U1ALICE", "ack").await;
    assert!(answer.starts_with("Which one?") && answer.contains("One") && answer.contains("Two"), "{answer}");
    let answer = room.command("U1ALICE", "close").await;
    assert!(answer.starts_with("Which one?"), "{answer}");
    assert!(room.answers().iter().filter(|it| it["response_type"] == "in_channel").count() == 2);
}

#[tokio::test]
async fn a_command_that_slack_delivers_twice_is_carried_out_once() {
    let room = Room::open().await;
    let command = room.slash("U1ALICE", "declare Once");
    room.hear("slash_commands", command.clone()).await;
    room.hear("slash_commands", command).await;
    assert_eq!(room.incidents().await.len(), 1);
}

#[tokio::test]
async fn two_persons_approve_by_button_and_a_stale_click_is_refused() {
    let room = Room::open().await;
    room.command("U1ALICE", "declare sev1 Checkout is down").await;
    room.command("U1ALICE", "ack").await;
    let incident = room.incidents().await.remove(0);
    let off = Mitigation::SwitchFeature(SwitchFeature { feature: "pricing".to_owned(), on: false });
    let handle = room.engine.incident(incident).as_actor(incident_core::Actor::human("slack", "U1ALICE"));
    handle.propose("shop", off, "it broke with it").await.unwrap();
    room.work().await;
    let button = room.button("incident_approve");
    let value = button["value"].as_str().unwrap().to_owned();

    let plan: Approval = value.parse().unwrap();
    let other = value
        .replace(&plan.digest.to_string(), &incident_core::model::id::Digest::sha256(b"other").to_string());
    let stale = room.click("U1ALICE", "incident_approve", &other).await;
    assert!(stale.starts_with("Nothing was approved: the plan has changed"), "{stale}");
    let stranger = room.click("U9STRANGER", "incident_approve", &value).await;
    assert!(stranger.starts_with("Nothing was done: your Slack account isn't in the runbook"), "{stranger}");
    assert!(!room.switched_off());

    let first = room.click("U1ALICE", "incident_approve", &value).await;
    assert!(first.contains("1 of 2"), "{first}");
    let same = room.click("U1ALICE", "incident_approve", &value).await;
    assert!(!same.contains("ordered"), "one person counts once: {same}");
    let second = room.click("U2BOB", "incident_approve", &value).await;
    assert!(second.contains("approved and ordered"), "{second}");
    room.work().await;
    assert!(room.switched_off(), "and it was carried out");
}

#[tokio::test]
async fn an_incident_is_declared_and_triaged_with_a_form_and_buttons() {
    let room = Room::open().await;
    room.command("U1ALICE", "declare").await;
    let form = room.form();
    let filled = [("what", "Orders are stuck"), ("severity", "sev3"), ("service", "checkout")];
    let told = room.submit("U1ALICE", &form, &filled).await;
    assert!(told.contains("Declared as #") && told.contains("SEV3 · Orders are stuck"), "{told}");
    let asked = room.command("U1ALICE", "triage").await;
    assert!(asked.contains("Question 1: Was data lost or spoiled?"), "{asked}");
    let stranger = room.clicks_answer("U9STRANGER", "incident_triage_no").await;
    assert!(stranger.starts_with("Nothing was done: your Slack account isn't in the runbook"), "{stranger}");
    room.command("U1ALICE", "triage").await;
    let mut told = String::new();
    for (number, button) in ["no", "no", "no", "yes", "yes"].into_iter().enumerate() {
        told = room.clicks_answer("U1ALICE", &format!("incident_triage_{button}")).await;
        assert!(number == 4 || told.contains(&format!("Question {}:", number + 2)), "{told}");
    }
    assert!(told.starts_with("Triage is recorded: SEV"), "{told}");
}

#[tokio::test]
async fn two_editors_of_one_section_see_each_other_and_no_text_is_lost() {
    let room = Room::open().await;
    room.command("U1ALICE", "declare sev2 Orders are stuck").await;
    room.command("U1ALICE", "ack").await;
    let alice = incident_core::Actor::human("slack", "U1ALICE");
    let handle = room.engine.incident(room.incidents().await.remove(0)).as_actor(alice);
    handle.resolve_over("a cold cache", "it is well").await.unwrap();
    room.command("U1ALICE", "postmortem").await;
    room.clicks_answer("U1ALICE", "incident_edit_trigger").await;
    let alices = room.form();
    room.command("U2BOB", "postmortem edit trigger").await;
    let bobs = room.form();
    let stranger = room.submit("U9STRANGER", &bobs, &[("text", "my long text")]).await;
    assert!(stranger.contains("isn't in the runbook") && stranger.contains("my long text"), "{stranger}");
    let saved = room.submit("U2BOB", &bobs, &[("text", "the deployment")]).await;
    assert_eq!(saved, "Trigger is saved.");
    let told = room.submit("U1ALICE", &alices, &[("text", "version 42 <&>")]).await;
    assert!(told.starts_with("Trigger isn't saved yet: somebody else changed it"), "{told}");
    let both = room.form();
    assert!(both["blocks"].to_string().contains("the deployment"), "{both}");
    assert_eq!(both["blocks"][2]["element"]["initial_value"], "version 42 <&>");
    let merged = room.submit("U1ALICE", &both, &[("text", "the deployment of version 42")]).await;
    assert_eq!(merged, "Trigger is saved.");
    room.command("U2BOB", "postmortem edit trigger").await;
    assert_eq!(room.form()["blocks"][0]["element"]["initial_value"], "the deployment of version 42");
}

#[tokio::test]
async fn everything_comes_over_the_websocket_and_is_acknowledged() {
    let room = Room::open().await;
    let envelopes = [
        ("e-1", "slash_commands", room.slash("U1ALICE", "declare Checkout is slow")),
        ("e-2", "events_api", json!({"type": "event_callback", "event": {"type": "from_the_future"}})),
        ("e-3", "from_the_future", json!({})),
    ];
    assert_eq!(room.over_websocket(&envelopes).await, ["e-1", "e-2", "e-3"]);
    assert_eq!(room.incidents().await.len(), 1);
}

#[tokio::test]
async fn the_program_says_what_is_wrong_with_its_tokens() {
    let served = fake::Served::start().await;
    let folder = tempfile::tempdir().unwrap();
    let run = |tokens: &[(&str, &str)], args: &[&str]| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_slack_bot"));
        program.env_remove("SLACK_BOT_TOKEN").env_remove("SLACK_APP_TOKEN").envs(tokens.iter().copied());
        program.args(args).args(["--api-url", &served.api()]).current_dir(folder.path());
        tokio::task::spawn_blocking(move || program.output().unwrap())
    };
    let channel = ["--channel", fake::CHANNEL];
    let bot = ("SLACK_BOT_TOKEN", fake::TOKEN);
    for (tokens, args, says) in [
        (vec![], &[][..], "--channel is missing"),
        (vec![], &channel, "the environment variable SLACK_BOT_TOKEN is not set"),
        (vec![bot], &channel, "the environment variable SLACK_APP_TOKEN is not set"),
        (vec![("SLACK_BOT_TOKEN", fake::APP_TOKEN)], &channel, "this is an app-level token"),
        (vec![bot, ("SLACK_APP_TOKEN", fake::TOKEN)], &channel, "expected an app-level token, xapp-"),
        (
            vec![("SLACK_BOT_TOKEN", "xoxb-wrong-hunter2"), ("SLACK_APP_TOKEN", fake::APP_TOKEN)],
            &channel,
            "renew the bot token",
        ),
    ] {
        let output = run(&tokens, args).await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(says), "{says}: {said}");
        assert!(!said.contains("hunter2") && !said.contains("sesame"), "{said}");
    }
}

#[tokio::test]
async fn a_refused_connection_for_commands_or_a_busy_slack_ends_no_engine() {
    use std::io::{BufRead, BufReader};
    for trouble in [None, Some(fake::Trouble::Status(502)), Some(fake::Trouble::Wait(30))] {
        let served = fake::Served::start().await;
        served.slack.state().reads_meet.extend(trouble);
        let folder = tempfile::tempdir().unwrap();
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_slack_bot"));
        program.env("SLACK_BOT_TOKEN", fake::TOKEN).env("SLACK_APP_TOKEN", "xapp-revoked-hunter2");
        program.args(["--channel", fake::CHANNEL, "--api-url", &served.api()]).current_dir(folder.path());
        program.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
        let mut running = program.spawn().unwrap();
        let lines = BufReader::new(running.stderr.take().unwrap()).lines();
        let said = tokio::task::spawn_blocking(move || {
            let mut said = Vec::new();
            for line in lines.map_while(Result::ok) {
                said.push(line);
                if said.last().unwrap().contains("no commands can be heard") {
                    break;
                }
            }
            said.join("\n")
        });
        let said = tokio::time::timeout(std::time::Duration::from_secs(60), said).await.unwrap().unwrap();
        assert!(said.contains("open Socket Mode: the credentials"), "{said}");
        assert!(said.contains("nobody outside reads Slack"), "it says at start what it can't: {said}");
        assert!(!said.contains("hunter2"), "{said}");
        assert!(running.try_wait().unwrap().is_none(), "the engine goes on");
        running.kill().unwrap();
        running.wait().unwrap();
    }
}
