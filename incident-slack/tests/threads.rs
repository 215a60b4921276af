//! An incident as a thread, on the wire.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod fake;
mod support;

use std::time::Duration;

use fake::{CHANNEL, Served, Trouble};
use incident_core::model::effect::Receipt;
use incident_core::model::notice::{Label, Line, NoticeKind};
use incident_core::port::{Adapter, Applied, ErrorKind, Found, Notifier, PreflightContext, Retry};
use incident_slack::{SlackBackend, SlackConfig, SlackNotifier};
use serde_json::Value;
use support::{config, context, effect, notice, now};

fn notifier(served: &Served) -> SlackNotifier {
    configured(served, |_| {})
}

fn configured(served: &Served, change: impl FnOnce(&mut SlackConfig)) -> SlackNotifier {
    let mut config = config(&served.api());
    config.message_every = Duration::ZERO;
    change(&mut config);
    SlackBackend::new(&config).unwrap().notifier()
}

fn messages(served: &Served) -> Vec<Value> {
    served.slack.state().channel(CHANNEL).messages.clone()
}

async fn opened(notifier: &SlackNotifier) -> Receipt {
    notifier.deliver(&context(1), &notice(NoticeKind::Opening)).await.unwrap()
}

#[tokio::test]
async fn a_post_mentions_nobody_and_opens_no_preview_and_carries_its_effect() {
    let served = Served::start().await;
    let receipt = opened(&notifier(&served)).await;
    let asked = served.slack.asked_for("chat.postMessage").remove(0).args;
    for (key, expect) in [
        ("mrkdwn", Value::from(false)),
        ("parse", "none".into()),
        ("link_names", false.into()),
        ("unfurl_links", false.into()),
        ("unfurl_media", false.into()),
        ("channel", CHANNEL.into()),
        ("thread_ts", Value::Null),
    ] {
        assert_eq!(asked[key], expect, "{key}");
    }
    assert_eq!(asked["metadata"]["event_type"], "ir_op");
    assert_eq!(asked["metadata"]["event_payload"]["op"], effect(1).to_string());
    let ts = messages(&served)[0]["ts"].as_str().unwrap().to_owned();
    assert_eq!(receipt.reference, format!("{CHANNEL}/{ts}"));
    assert_eq!(receipt.conversation, Some(format!("{CHANNEL}/{ts}")));
    let link = format!("https://acme.slack.com/archives/{CHANNEL}/p{}", ts.replace('.', ""));
    assert_eq!(receipt.link, Some(link));
    assert_eq!(receipt.degraded, Vec::<String>::new());
}

#[tokio::test]
async fn later_notices_answer_in_the_thread_and_the_first_message_stays_current() {
    let served = Served::start().await;
    let notifier = notifier(&served);
    let mut opening = notice(NoticeKind::Opening);
    opening.said = "Impact: one in ten orders fails".to_owned();
    let first = notifier.deliver(&context(1), &opening).await.unwrap();
    let mut changed = notice(NoticeKind::SeverityChanged);
    changed.severity = incident_core::Severity::Sev1;
    let cx = context(2).with_earlier(vec![first.clone()]);
    let second = notifier.deliver(&cx, &changed).await.unwrap();
    assert_eq!((second.conversation, second.degraded), (first.conversation, Vec::new()));
    let messages = messages(&served);
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[1]["thread_ts"], messages[0]["ts"]);
    let first = messages[0]["blocks"].to_string();
    assert!(first.contains("SEV1 · Checkout is slow"), "its header is current: {first}");
    assert!(first.contains("one in ten orders fails"), "it keeps what it began with: {first}");
    assert!(first.contains("Latest: severity changed"), "it has the latest word: {first}");
    assert_eq!(
        messages[0]["metadata"]["event_payload"]["op"],
        effect(1).to_string(),
        "an edit keeps the metadata"
    );
}

#[tokio::test]
async fn a_thread_whose_first_message_is_gone_is_begun_anew() {
    let served = Served::start().await;
    let notifier = notifier(&served);
    let first = opened(&notifier).await;
    served.slack.state().channels.get_mut(CHANNEL).unwrap().messages.clear();
    let cx = context(2).with_earlier(vec![first.clone()]);
    let second = notifier.deliver(&cx, &notice(NoticeKind::Update)).await.unwrap();
    assert_ne!(second.conversation, first.conversation);
    assert!(second.degraded[0].contains("begins it anew"), "{second:?}");
    let cx = context(3).with_earlier(vec![first, second.clone()]);
    let third = notifier.deliver(&cx, &notice(NoticeKind::Update)).await.unwrap();
    assert_eq!(third.conversation, second.conversation);
    let messages = messages(&served);
    assert_eq!(messages[1]["thread_ts"], messages[0]["ts"]);
    assert!(
        messages[0]["blocks"].to_string().contains("Checkout is slow"),
        "the new first message has the card"
    );
}

#[tokio::test]
async fn a_first_message_that_may_not_be_edited_degrades() {
    let served = Served::start().await;
    let notifier = notifier(&served);
    let first = opened(&notifier).await;
    served.slack.meets(Trouble::Pass);
    served.slack.meets(Trouble::Code("edit_window_closed"));
    let cx = context(2).with_earlier(vec![first]);
    let receipt = notifier.deliver(&cx, &notice(NoticeKind::Update)).await.unwrap();
    assert_eq!(receipt.degraded, ["the first message isn't up to date: edit_window_closed"]);
}

#[tokio::test]
async fn a_lost_edit_is_made_again_and_the_message_is_not_posted_twice() {
    let troubles = [
        Trouble::LoseReply,
        Trouble::Hang,
        Trouble::Wait(30),
        Trouble::Bare(None),
        Trouble::Html(200),
        Trouble::Html(403),
        Trouble::Code("internal_error"),
    ];
    for trouble in troubles {
        let served = Served::start().await;
        let notifier = configured(&served, |config| config.timeout = Duration::from_millis(2_100));
        let first = opened(&notifier).await;
        let mut ended = notice(NoticeKind::Cancelled);
        ended.lines[0].text = "it was a test".to_owned();
        served.slack.meets(Trouble::Pass);
        served.slack.meets(trouble.clone());
        let cx = context(2).with_earlier(vec![first]);
        let error = notifier.deliver(&cx, &ended).await.unwrap_err();
        assert_eq!(error.applied, Applied::Maybe, "the message is there: {error}");
        assert!(matches!(error.retry, Retry::After(_)), "{trouble:?}: {error}");
        notifier.deliver(&cx.with_attempt(2, now()), &ended).await.unwrap();
        assert_eq!(messages(&served).len(), 2, "{trouble:?}");
        assert!(messages(&served)[0].to_string().contains("false alarm"), "{trouble:?}: the card is current");
    }
}

#[tokio::test]
async fn a_page_is_a_message_of_its_own_with_mentions() {
    let served = Served::start().await;
    let notifier = configured(&served, |config| config.page_mentions = vec!["here".to_owned()]);
    let first = opened(&notifier).await;
    let page = notifier.deliver(&context(2), &notice(NoticeKind::Page)).await.unwrap();
    assert_eq!(page.conversation, None);
    let messages = messages(&served);
    assert!(messages[1]["thread_ts"].is_null());
    assert!(messages[1]["blocks"].to_string().contains("<!here>"));
    assert!(!messages[0]["blocks"].to_string().contains("<!here>"));
    let found =
        notifier.find(&context(2).with_earlier(vec![first]), &notice(NoticeKind::Page)).await.unwrap();
    let Found::Yes(found) = found else { panic!("{found:?}") };
    assert_eq!((found.reference, found.conversation), (page.reference, None));
}

#[tokio::test]
async fn what_does_not_fit_follows_in_the_thread() {
    let served = Served::start().await;
    let notifier = notifier(&served);
    let mut long = notice(NoticeKind::Update);
    let text: String = (0..700).map(|number| format!("word{number} ")).collect();
    long.lines = vec![Line { label: Label::Progress, text }];
    let receipt = notifier.deliver(&context(1), &long).await.unwrap();
    let messages = messages(&served);
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[1]["thread_ts"], messages[0]["ts"]);
    assert_eq!(messages[1]["metadata"]["event_type"], "ir_more", "it isn't taken for the notice");
    assert!(messages[1]["blocks"].to_string().contains("word699"));
    assert_eq!(receipt.degraded, Vec::<String>::new());
    served.slack.meets(Trouble::Pass);
    served.slack.meets(Trouble::Code("restricted_action"));
    let receipt = notifier.deliver(&context(2), &long).await.unwrap();
    assert!(receipt.degraded[0].contains("the end of a long text is missing"), "{receipt:?}");
}

#[tokio::test]
async fn the_second_half_follows_after_a_lost_answer_to_either_half() {
    let long = |kind| {
        let mut long = notice(kind);
        let text: String = (0..700).map(|number| format!("word{number} ")).collect();
        long.lines = vec![Line { label: Label::Progress, text }];
        long
    };
    let troubles = [
        vec![Trouble::LoseReply],
        vec![Trouble::Pass, Trouble::LoseReply],
        vec![Trouble::Pass, Trouble::Wait(1)],
    ];
    for troubles in troubles {
        for kind in [NoticeKind::Update, NoticeKind::Page] {
            let served = Served::start().await;
            let notifier = notifier(&served);
            troubles.iter().cloned().for_each(|trouble| served.slack.meets(trouble));
            notifier.deliver(&context(1), &long(kind)).await.unwrap_err();
            notifier.deliver(&context(1).with_attempt(2, now()), &long(kind)).await.unwrap();
            let all: Vec<String> = messages(&served).iter().map(|it| it["blocks"].to_string()).collect();
            assert_eq!(all.iter().filter(|it| it.contains("word0 ")).count(), 1, "{kind} {troubles:?}");
            assert_eq!(all.iter().filter(|it| it.contains("word699")).count(), 1, "{kind} {troubles:?}");
        }
    }
}

#[tokio::test]
async fn what_slack_may_still_apply_is_posted_again_with_a_mark() {
    for kind in [NoticeKind::Update, NoticeKind::Page] {
        let served = Served::start().await;
        let notifier = notifier(&served);
        served.slack.meets(Trouble::Html(502));
        let error = notifier.deliver(&context(1), &notice(kind)).await.unwrap_err();
        assert_eq!(error.applied, Applied::Maybe);
        // Twenty seconds later Slack hasn't applied it, and still may.
        let mut soon = context(1).with_attempt(2, now());
        soon.now = now() + Duration::from_secs(20);
        notifier.deliver(&soon, &notice(kind)).await.unwrap();
        assert!(messages(&served)[0].to_string().contains("possibly sent before"), "{kind}");
        let mut late = context(2).with_attempt(2, now());
        late.now = now() + Duration::from_secs(120);
        notifier.deliver(&late, &notice(kind)).await.unwrap();
        assert!(!messages(&served)[1].to_string().contains("possibly sent before"), "{kind}");
        // An attempt that was certainly refused leaves no doubt.
        let refused = context(3).with_attempt(2, now()).with_maybe_before(false);
        notifier.deliver(&refused, &notice(kind)).await.unwrap();
        assert!(!messages(&served)[2].to_string().contains("possibly sent before"), "{kind}");
    }
}

#[tokio::test]
async fn a_look_finds_an_answer_in_the_thread_and_one_whose_thread_was_gone() {
    let served = Served::start().await;
    let notifier = notifier(&served);
    let first = opened(&notifier).await;
    let cx = |number| context(number).with_earlier(vec![first.clone()]);
    let second = notifier.deliver(&cx(2), &notice(NoticeKind::Update)).await.unwrap();
    let found = notifier.find(&cx(2), &notice(NoticeKind::Update)).await.unwrap();
    let Found::Yes(found) = found else { panic!("{found:?}") };
    assert_eq!((&found.reference, &found.conversation), (&second.reference, &second.conversation));
    assert_eq!(notifier.find(&cx(3), &notice(NoticeKind::Update)).await.unwrap(), Found::No);
    served.slack.state().channels.get_mut(CHANNEL).unwrap().messages.clear();
    let third = notifier.deliver(&cx(3), &notice(NoticeKind::Update)).await.unwrap();
    let found = notifier.find(&cx(3), &notice(NoticeKind::Update)).await.unwrap();
    let Found::Yes(found) = found else { panic!("{found:?}") };
    assert_eq!((found.reference, found.conversation), (third.reference, third.conversation));
}

#[tokio::test]
async fn somebody_elses_message_with_our_metadata_is_not_ours() {
    let served = Served::start().await;
    let notifier = notifier(&served);
    opened(&notifier).await;
    {
        let mut state = served.slack.state();
        let message = &mut state.channels.get_mut(CHANNEL).unwrap().messages[0];
        (message["bot_id"], message["user"]) = ("B9OTHER".into(), "U9OTHER".into());
    }
    let found = notifier.find(&context(1), &notice(NoticeKind::Opening)).await.unwrap();
    assert_eq!(found, Found::No);
}

#[tokio::test]
async fn another_apps_metadata_of_any_shape_hides_nothing() {
    let served = Served::start().await;
    let notifier = notifier(&served);
    opened(&notifier).await;
    served.slack.state().says(CHANNEL, "U1ALICE", "hi");
    {
        let mut state = served.slack.state();
        let messages = &mut state.channels.get_mut(CHANNEL).unwrap().messages;
        messages[1]["metadata"] =
            serde_json::json!({"event_type": "x", "event_payload": {"n": 1, "o": {"p": []}}});
        messages[1]["blocks"] = serde_json::json!([{"type": "from_the_future"}, 7]);
    }
    let found = notifier.find(&context(1), &notice(NoticeKind::Opening)).await.unwrap();
    assert!(matches!(found, Found::Yes(_)), "{found:?}");
}

#[tokio::test]
async fn a_look_goes_through_pages_and_says_no_only_after_the_last() {
    let served = Served::start().await;
    let notifier = notifier(&served);
    opened(&notifier).await;
    for number in 0..450 {
        served.slack.state().says(CHANNEL, "U1ALICE", &format!("chatter {number}"));
    }
    let found = notifier.find(&context(1), &notice(NoticeKind::Opening)).await.unwrap();
    assert!(matches!(found, Found::Yes(_)), "{found:?}");
    assert_eq!(notifier.find(&context(2), &notice(NoticeKind::Opening)).await.unwrap(), Found::No);
}

#[tokio::test]
async fn a_limited_history_that_does_not_reach_back_cannot_tell() {
    let served = Served::start().await;
    served.slack.state().limited = true;
    let notifier = configured(&served, |config| config.limited_history = true);
    opened(&notifier).await;
    let near = notifier.find(&context(1), &notice(NoticeKind::Opening)).await.unwrap();
    assert!(matches!(near, Found::Yes(_)), "it is among the last 15: {near:?}");
    let again = notifier.find(&context(1), &notice(NoticeKind::Opening)).await.unwrap_err();
    assert_eq!((again.kind, again.applied), (ErrorKind::RateLimited, Applied::No));
    assert_eq!(again.retry, Retry::After(Some(Duration::from_secs(60))), "one look a minute");
    for number in 0..20 {
        served.slack.state().says(CHANNEL, "U1ALICE", &format!("chatter {number}"));
    }
    served.slack.state().last_read.clear();
    let far = notifier.find(&context(1), &notice(NoticeKind::Opening)).await.unwrap();
    assert_eq!(far, Found::CannotTell);
    assert_eq!(served.slack.asked_for("conversations.history").len(), 3, "a look is one read");
}

#[tokio::test]
async fn a_proxys_page_is_no_success() {
    let served = Served::start().await;
    let notifier = notifier(&served);
    for (status, applied) in
        [(200, Applied::Maybe), (502, Applied::Maybe), (403, Applied::No), (302, Applied::No)]
    {
        served.slack.meets(Trouble::Html(status));
        let error = notifier.deliver(&context(1), &notice(NoticeKind::Opening)).await.unwrap_err();
        assert_eq!(error.applied, applied, "{status}: {error}");
        assert!(matches!(error.retry, Retry::After(_)), "{status}: {error}");
    }
    assert!(messages(&served).is_empty());
}

#[tokio::test]
async fn nobody_listening_is_certainly_nothing_posted() {
    let mut config = config("http://127.0.0.1:9/api");
    config.connect_timeout = Duration::from_millis(500);
    let notifier = SlackBackend::new(&config).unwrap().notifier();
    let error = notifier.deliver(&context(1), &notice(NoticeKind::Opening)).await.unwrap_err();
    assert_eq!((error.kind, error.applied), (ErrorKind::Unavailable, Applied::No), "{error}");
    let looked = notifier.find(&context(1), &notice(NoticeKind::Opening)).await.unwrap_err();
    assert_eq!(looked.applied, Applied::No);
}

#[tokio::test]
async fn a_refusal_for_want_of_a_scope_names_it() {
    let served = Served::start().await;
    served.slack.state().scopes.retain(|scope| scope != "chat:write");
    let error = notifier(&served).deliver(&context(1), &notice(NoticeKind::Opening)).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Permission, Retry::After(None)));
    assert!(error.context.contains("needed chat:write, provided channels:history"), "{error}");
}

#[tokio::test]
async fn preflight_finds_what_would_fail_in_an_incident() {
    let cx = PreflightContext::new(now());
    type Spoil = fn(&mut fake::Workspace);
    let cases: [(Spoil, &str); 5] = [
        (|_| {}, ""),
        (|it| it.scopes.retain(|scope| scope != "chat:write"), "chat:write"),
        (|it| it.channels.get_mut(CHANNEL).unwrap().is_archived = true, "archived"),
        (|it| it.channels.get_mut(CHANNEL).unwrap().members.clear(), "/invite"),
        (|it| drop(it.channels.remove(CHANNEL)), "there is no such channel"),
    ];
    for (spoil, says) in cases {
        let served = Served::start().await;
        spoil(&mut served.slack.state());
        let found = notifier(&served).preflight(&cx).await.unwrap();
        assert_eq!(found.is_good(), says.is_empty(), "{found:?}");
        assert!(format!("{found:?}").contains(says), "{found:?}");
        assert!(served.slack.asked_for("chat.postMessage").is_empty());
    }
    let served = Served::start().await;
    let wrong = support::secret("revoked", "xoxb-revoked");
    let notifier = configured(&served, |config| config.token = incident_core::config::SecretRef::File(wrong));
    let found = notifier.preflight(&cx).await.unwrap();
    assert!(format!("{found:?}").contains("renew the bot token"), "{found:?}");
}
