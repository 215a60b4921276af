//! What a bot needs besides the notifier, and how the backend is configured.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod fake;
mod support;

use std::path::Path;

use fake::{CHANNEL, Served};
use incident_core::config::{SecretRef, Settings};
use incident_core::port::{Applied, ErrorKind};
use incident_slack::intake::{Answer, Event};
use incident_slack::{RoomConfig, SlackBackend, SlackConfig};
use serde_json::json;
use support::{config, secret};

#[tokio::test]
async fn an_answer_goes_to_slacks_address_without_the_token() {
    let served = Served::start().await;
    let slack = SlackBackend::new(&config(&served.api())).unwrap();
    slack.respond(&served.response_url(), &Answer::new("<!here> *done*")).await.unwrap();
    let answers = served.slack.state().answers.clone();
    assert_eq!(answers[0]["response_type"], "ephemeral");
    assert_eq!(answers[0]["blocks"][0]["text"]["text"], "&lt;!here&gt; *done*");
    assert_eq!(served.slack.asked_for("/hooks/response")[0].token, None);
    let gone = served.response_url().replace("response", "gone");
    let error = slack.respond(&gone, &Answer::help()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound, "an address that is used up");
    let evil = slack.respond("https://evil.example/hooks", &Answer::help()).await.unwrap_err();
    assert!(!format!("{evil} {evil:?}").contains("evil.example"), "{evil}");
}

#[tokio::test]
async fn a_reactions_message_is_fetched_with_author_and_permalink() {
    let served = Served::start().await;
    let slack = SlackBackend::new(&config(&served.api())).unwrap();
    let ts = served.slack.state().says(CHANNEL, "U2BOB", "it is &lt;slow&gt;");
    let event = json!({"event": {"type": "reaction_added", "user": "U1ALICE", "reaction": "memo",
        "item": {"type": "message", "channel": CHANNEL, "ts": ts}}});
    let Event::Reaction(reaction) = Event::from_payload(&event) else { panic!("a reaction") };
    let quote = slack.quote(&reaction).await.unwrap();
    assert_eq!(
        (quote.author.as_str(), quote.by.as_str(), quote.text.as_str()),
        ("U2BOB", "U1ALICE", "it is <slow>")
    );
    let link = format!("https://acme.slack.com/archives/{CHANNEL}/p{}", ts.replace('.', ""));
    assert_eq!(quote.permalink, Some(link));
    let below = {
        let mut state = served.slack.state();
        let below = state.says(CHANNEL, "U2BOB", "an answer");
        let messages = &mut state.channels.get_mut(CHANNEL).unwrap().messages;
        messages.last_mut().unwrap()["thread_ts"] = ts.clone().into();
        below
    };
    let mut answer = reaction.clone();
    answer.ts = below;
    let quote = slack.quote(&answer).await.unwrap();
    assert_eq!((quote.text.as_str(), quote.thread.as_str()), ("an answer", ts.as_str()));
    let mut gone = reaction;
    gone.ts = "1.000001".to_owned();
    let error = slack.quote(&gone).await.unwrap_err();
    assert_eq!((error.kind, error.applied), (ErrorKind::NotFound, Applied::No));
}

#[tokio::test]
async fn settings_build_it_and_name_the_field_that_is_wrong() {
    let token = secret("settings", fake::TOKEN);
    let side = |more: &str| {
        format!(
            "[live.adapters.room]\ntype = \"slack\"\ntoken = {{ file = \"{}\" }}\n{more}\n\
             [[live.routes]]\nadapter = \"room\"\naudiences = [\"team\"]\n",
            token.display()
        )
    };
    incident_slack::register();
    let whole = r#"
        channel = "C024BE7LH"
        page_mentions = ["here", "S0123"]
        buttons = true
        limited_history = true
        runbook_url = "https://wiki.example/runbook"
        message_every = "1200ms"
        rooms = { prefix = "incident-", private = true, invite = ["U1"], archive = false }
    "#;
    let built = Settings::from_toml(&side(whole)).unwrap().build(Path::new(".")).await.unwrap();
    assert!(built.live.ports["room"].notifier.is_some());
    for (more, field) in [
        ("channel = \"#incidents\"", "channel"),
        ("channel = \"C1A\"\npage_mentions = [\"everybody\"]", "page_mentions"),
        ("channel = \"C1A\"\nrooms = { prefix = \"Inc \" }", "rooms.prefix"),
        ("channel = \"C1A\"\nrooms = { invite = [\"@alice\"] }", "rooms.invite"),
        ("channel = \"C1A\"\nrunbook_url = \"ftp://x\"", "runbook_url"),
        ("channel = \"C1A\"\napi_url = \"http://slack.com/api\"", "api_url"),
        ("channel = \"C1A\"\ntimeout = \"1s\"", "timeout"),
        ("channel = \"C1A\"\nconnect_timeout = \"0s\"", "connect_timeout"),
        ("channel = \"C1A\"\nchanel = \"C1A\"", "chanel"),
    ] {
        let error = match Settings::from_toml(&side(more)) {
            Ok(settings) => format!("{:?}", settings.build(Path::new(".")).await.unwrap_err()),
            Err(error) => error.to_string(),
        };
        assert!(error.contains(field), "{field}: {error}");
    }
}

#[test]
fn a_token_is_never_shown_and_a_wrong_one_is_refused_by_name() {
    for (token, good) in
        [("xoxb-hunter2", true), ("xoxp-hunter2", true), ("xapp-hunter2", false), ("xoxb-hunter2 x", false)]
    {
        let config = SlackConfig::new(SecretRef::File(secret("shown", token)), "C024BE7LH");
        let shown = match SlackBackend::new(&config) {
            Ok(slack) => {
                assert!(good, "{token}");
                format!("{slack:?} {:?}", slack.notifier())
            }
            Err(error) => {
                assert!(!good && error.field == "token", "{token}: {error}");
                format!("{error} {error:?}")
            }
        };
        assert!(!format!("{shown} {config:?}").contains("hunter2"), "{shown}");
    }
    assert_eq!(RoomConfig::default().prefix, "inc-");
}
