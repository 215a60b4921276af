//! An incident as a channel of its own, on the wire.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod fake;
mod support;

use std::time::Duration;

use fake::channels::Channel;
use fake::{CHANNEL, Served, Trouble};
use incident_core::model::notice::{NoticeKind, Recipient};
use incident_core::model::role::{Identity, PersonId};
use incident_core::port::{Adapter, Applied, Found, Notifier, PreflightContext, Retry};
use incident_slack::{RoomConfig, SlackBackend, SlackConfig, SlackNotifier};
use support::{config, context, notice, now};

fn notifier(served: &Served) -> SlackNotifier {
    configured(served, |_| {})
}

fn configured(served: &Served, change: impl FnOnce(&mut SlackConfig)) -> SlackNotifier {
    let mut config = config(&served.api());
    config.message_every = Duration::ZERO;
    let mut rooms = RoomConfig::default();
    rooms.invite = vec!["U2BOB".to_owned(), "U9GONE".to_owned()];
    config.rooms = Some(rooms);
    config.runbook_url = Some("https://wiki.example/runbook".to_owned());
    change(&mut config);
    SlackBackend::new(&config).unwrap().notifier()
}

fn opening() -> incident_core::Notice {
    let mut notice = notice(NoticeKind::Opening);
    let mut alice = Recipient::new(PersonId::new("alice"), "Alice");
    alice.identities = vec![Identity::new("slack", "U1ALICE"), Identity::new("github", "alice")];
    notice.recipients = vec![alice];
    notice.links = vec!["https://github.com/acme/shop/issues/17".to_owned(), "javascript:x".to_owned()];
    notice
}

fn room(served: &Served) -> Channel {
    served.slack.state().room("inc-").clone()
}

#[tokio::test]
async fn a_channel_is_made_and_set_up_and_the_message_comes_last() {
    let served = Served::start().await;
    let receipt = notifier(&served).deliver(&context(1), &opening()).await.unwrap();
    let room = room(&served);
    assert_eq!(room.name, "inc-checkout-is-slow-0707070707");
    assert_eq!(room.topic, "SEV2 · investigating · Checkout is slow");
    let members: Vec<_> = room.members.iter().map(String::as_str).collect();
    assert_eq!(members, ["U0BOT", "U1ALICE", "U2BOB"], "whom Slack doesn't know keeps nobody out");
    let bookmarks: Vec<_> = room.bookmarks.iter().map(|it| it["title"].as_str().unwrap()).collect();
    assert_eq!(bookmarks, ["Runbook", "github.com/…/issues/17"]);
    let summary = room.messages[0]["ts"].as_str().unwrap();
    assert!(room.pins.contains(summary));
    assert_eq!(receipt.conversation, Some(format!("room:{}/{summary}", room.id)));
    assert_eq!(receipt.degraded, Vec::<String>::new());
    let methods = served.slack.methods();
    let place = |method: &str| methods.iter().position(|it| it == method).unwrap();
    for earlier in ["conversations.create", "conversations.setTopic", "conversations.invite", "bookmarks.add"]
    {
        assert!(place(earlier) < place("chat.postMessage"), "{methods:?}");
    }
    let announced = served.slack.state().channel(CHANNEL).messages.clone();
    assert_eq!(announced.len(), 1, "whoever is paged in the configured channel finds the way");
    assert!(announced[0].to_string().contains(&format!("<#{}>", room.id)), "{announced:?}");
}

#[tokio::test]
async fn later_notices_keep_the_channel_current_and_tell_nobody_twice() {
    let served = Served::start().await;
    let notifier = notifier(&served);
    let first = notifier.deliver(&context(1), &opening()).await.unwrap();
    let cx = |number| context(number).with_earlier(vec![first.clone()]);
    let second = notifier.deliver(&cx(2), &notice(NoticeKind::Update)).await.unwrap();
    assert_eq!((&second.conversation, second.degraded.len()), (&first.conversation, 0), "{second:?}");
    assert_eq!(room(&served).topics, 1, "the same topic isn't set again");
    let mut worse = notice(NoticeKind::SeverityChanged);
    worse.severity = incident_core::Severity::Sev1;
    worse.links = vec!["https://status.example/".to_owned()];
    notifier.deliver(&cx(3), &worse).await.unwrap();
    let room = room(&served);
    assert_eq!((room.topics, room.topic.as_str()), (2, "SEV1 · investigating · Checkout is slow"));
    assert_eq!(room.bookmarks.len(), 3, "{:?}", room.bookmarks);
    assert!(room.messages[0]["blocks"].to_string().contains("SEV1 · Checkout is slow"));
    assert!(room.messages.iter().all(|message| message["thread_ts"].is_null()));
}

#[tokio::test]
async fn a_creation_without_an_answer_is_no_second_channel() {
    for private in [false, true] {
        let served = Served::start().await;
        let notifier = configured(&served, |config| {
            let mut rooms = RoomConfig::default();
            rooms.private = private;
            config.rooms = Some(rooms);
        });
        served.slack.meets(Trouble::LoseReply);
        let error = notifier.deliver(&context(1), &opening()).await.unwrap_err();
        assert_eq!(error.applied, Applied::Maybe);
        assert_eq!(served.slack.asked_for("conversations.create").len(), 1, "a creation is sent once");
        notifier.deliver(&context(1).with_attempt(2, now()), &opening()).await.unwrap();
        let room = room(&served);
        assert_eq!((room.messages.len(), room.is_private), (1, private));
        assert!(room.topics == 1 && room.pins.len() == 1, "it is set up all the same");
    }
}

#[tokio::test]
async fn a_message_without_an_answer_is_found_in_the_channel() {
    let served = Served::start().await;
    let notifier = configured(&served, |config| {
        config.runbook_url = None;
        config.rooms = Some(RoomConfig::default());
    });
    let bare = notice(NoticeKind::Opening);
    for trouble in [Trouble::Pass, Trouble::Pass, Trouble::LoseReply] {
        served.slack.meets(trouble);
    }
    let error = notifier.deliver(&context(1), &bare).await.unwrap_err();
    assert_eq!(error.applied, Applied::Maybe);
    let found = notifier.find(&context(1), &bare).await.unwrap();
    let Found::Yes(found) = found else { panic!("{found:?}") };
    let summary = room(&served).messages[0]["ts"].as_str().unwrap().to_owned();
    assert_eq!(found.conversation, Some(format!("room:{}/{summary}", room(&served).id)));
    let again = notifier.deliver(&context(1).with_attempt(2, now()), &bare).await.unwrap();
    assert_eq!(again.conversation, found.conversation);
    assert!(room(&served).pins.contains(&summary) && room(&served).messages.len() == 1);
}

#[tokio::test]
async fn a_name_of_an_archived_channel_or_of_somebody_elses_gets_a_number() {
    let served = Served::start().await;
    {
        let mut state = served.slack.state();
        let mut archived = Channel::new("C7OLD", "inc-checkout-is-slow-0707070707", "U0BOT");
        archived.is_archived = true;
        let theirs = Channel::new("C7THEIRS", "inc-checkout-is-slow-0707070707-2", "U1ALICE");
        state.channels.extend([archived, theirs].map(|it| (it.id.clone(), it)));
    }
    notifier(&served).deliver(&context(1), &opening()).await.unwrap();
    let state = served.slack.state();
    let ours = state.channels.values().find(|it| it.name == "inc-checkout-is-slow-0707070707-3").unwrap();
    assert_eq!(ours.messages.len(), 1);
    assert!(state.channel("C7THEIRS").messages.is_empty());
}

#[tokio::test]
async fn a_channel_that_people_archived_is_replaced() {
    let served = Served::start().await;
    let notifier = notifier(&served);
    let first = notifier.deliver(&context(1), &opening()).await.unwrap();
    let old = room(&served).id;
    served.slack.state().channels.get_mut(&old).unwrap().is_archived = true;
    let cx = context(2).with_earlier(vec![first]);
    let second = notifier.deliver(&cx, &notice(NoticeKind::Reopened)).await.unwrap();
    assert!(second.degraded[0].contains("this one is new"), "{second:?}");
    assert_ne!(room(&served).id, old);
    assert_eq!(room(&served).messages.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_set_up_degrades_and_is_set_by_the_next_notice() {
    let served = Served::start().await;
    let notifier = notifier(&served);
    let missing = ["pins:write", "bookmarks:write"];
    // The creation and the topic pass, the invitation doesn't.
    for trouble in [Trouble::Pass, Trouble::Pass, Trouble::Code("internal_error")] {
        served.slack.meets(trouble);
    }
    served.slack.state().scopes.retain(|scope| !missing.contains(&scope.as_str()));
    let first = notifier.deliver(&context(1), &opening()).await.unwrap();
    assert_eq!(
        first.degraded,
        [
            "not everybody could be invited: internal_error",
            "bookmarks are missing: missing_scope",
            "the first message isn't pinned: missing_scope"
        ]
    );
    served.slack.state().scopes.extend(missing.map(str::to_owned));
    let cx = context(2).with_earlier(vec![first]);
    let second = notifier.deliver(&cx, &notice(NoticeKind::Update)).await.unwrap();
    assert_eq!(second.degraded, Vec::<String>::new());
    assert!(room(&served).members.contains("U2BOB"));
    assert!(room(&served).pins.len() == 1 && room(&served).bookmarks.len() == 1);
}

#[tokio::test]
async fn a_page_goes_to_the_configured_channel() {
    let served = Served::start().await;
    notifier(&served).deliver(&context(1), &notice(NoticeKind::Page)).await.unwrap();
    assert_eq!(served.slack.state().channel(CHANNEL).messages.len(), 1);
    assert_eq!(served.slack.state().channels.len(), 1);
}

#[tokio::test]
async fn an_incident_keeps_the_shape_that_it_began_with() {
    let served = Served::start().await;
    let first = notifier(&served).deliver(&context(1), &opening()).await.unwrap();
    let threads = configured(&served, |config| config.rooms = None);
    threads.deliver(&context(2).with_earlier(vec![first]), &notice(NoticeKind::Update)).await.unwrap();
    assert_eq!(room(&served).messages.len(), 2);
    let first = threads.deliver(&context(3), &opening()).await.unwrap();
    notifier(&served)
        .deliver(&context(4).with_earlier(vec![first]), &notice(NoticeKind::Update))
        .await
        .unwrap();
    let messages = served.slack.state().channel(CHANNEL).messages.clone();
    assert_eq!(messages[2]["thread_ts"], messages[1]["ts"], "behind what announced the room");
}

#[tokio::test]
async fn where_no_channel_can_be_made_the_conversation_is_a_thread() {
    for code in ["restricted_action", "missing_scope", "user_is_restricted", "not_allowed_token_type", "new"]
    {
        let served = Served::start().await;
        let notifier = notifier(&served);
        served.slack.state().refused.insert("conversations.create", code);
        let first = notifier.deliver(&context(1), &opening()).await.unwrap();
        assert_eq!(first.degraded, [format!("no channel can be made, so this is a thread: {code}")]);
        let found = notifier.find(&context(1), &opening()).await.unwrap();
        let Found::Yes(found) = found else { panic!("{found:?}") };
        assert_eq!(found.conversation, first.conversation);
        served.slack.state().refused.clear();
        let cx = context(2).with_earlier(vec![first]);
        notifier.deliver(&cx, &notice(NoticeKind::Update)).await.unwrap();
        let messages = served.slack.state().channel(CHANNEL).messages.clone();
        assert_eq!(messages[1]["thread_ts"], messages[0]["ts"]);
    }
    let served = Served::start().await;
    served.slack.state().scopes.retain(|scope| scope != "channels:manage");
    let found = notifier(&served).preflight(&PreflightContext::new(now())).await.unwrap();
    assert!(format!("{found:?}").contains("channels:manage") && !found.is_good(), "{found:?}");
}

#[tokio::test]
async fn what_passes_makes_no_thread_of_a_room() {
    for trouble in [Trouble::Wait(2), Trouble::Code("internal_error"), Trouble::Code("token_revoked")] {
        let served = Served::start().await;
        served.slack.meets(trouble);
        let error = notifier(&served).deliver(&context(1), &opening()).await.unwrap_err();
        assert!(matches!(error.retry, Retry::After(_)), "{error}");
        assert!(served.slack.state().channel(CHANNEL).messages.is_empty());
    }
}

#[tokio::test]
async fn a_room_that_the_app_was_removed_from_is_replaced() {
    let served = Served::start().await;
    let notifier = notifier(&served);
    let first = notifier.deliver(&context(1), &opening()).await.unwrap();
    let old = room(&served).id;
    served.slack.state().channels.get_mut(&old).unwrap().members.remove("U0BOT");
    let cx = context(2).with_earlier(vec![first.clone()]);
    let second = notifier.deliver(&cx, &notice(NoticeKind::Update)).await.unwrap();
    assert_ne!(second.conversation, first.conversation);
    let cx = context(3).with_earlier(vec![first, second.clone()]);
    let third = notifier.deliver(&cx, &notice(NoticeKind::Update)).await.unwrap();
    assert_eq!(third.conversation, second.conversation, "it isn't tried over and over");
}

#[tokio::test]
async fn a_page_leads_to_the_room_and_invites_whom_it_wakes() {
    let served = Served::start().await;
    let notifier = configured(&served, |config| config.rooms = Some(RoomConfig::default()));
    let first = notifier.deliver(&context(1), &notice(NoticeKind::Opening)).await.unwrap();
    assert!(!room(&served).members.contains("U1ALICE"));
    let mut page = opening();
    page.kind = NoticeKind::Page;
    page.conversation = Some(first.clone());
    notifier.deliver(&context(2), &page).await.unwrap();
    assert!(room(&served).members.contains("U1ALICE"), "who is paged is invited");
    let page = served.slack.state().channel(CHANNEL).messages.last().unwrap().to_string();
    assert!(page.contains(&format!("<#{}>", room(&served).id)), "{page}");
    let mut update = notice(NoticeKind::Update);
    let mut bob = Recipient::new(PersonId::new("bob"), "Bob");
    bob.identities = vec![Identity::new("slack", "U2BOB")];
    update.responders = vec![bob];
    notifier.deliver(&context(3).with_earlier(vec![first]), &update).await.unwrap();
    assert!(room(&served).members.contains("U2BOB"), "who responds is invited");
}

#[tokio::test]
async fn a_topic_that_people_wrote_stays() {
    let served = Served::start().await;
    let notifier = notifier(&served);
    let first = notifier.deliver(&context(1), &opening()).await.unwrap();
    {
        let mut state = served.slack.state();
        let id = state.room("inc-").id.clone();
        let room = state.channels.get_mut(&id).unwrap();
        (room.topic, room.topic_by) = ("call: https://meet.example/x".to_owned(), "U1ALICE".to_owned());
    }
    let mut worse = notice(NoticeKind::SeverityChanged);
    worse.severity = incident_core::Severity::Sev1;
    notifier.deliver(&context(2).with_earlier(vec![first]), &worse).await.unwrap();
    assert_eq!(room(&served).topic, "call: https://meet.example/x");
}
