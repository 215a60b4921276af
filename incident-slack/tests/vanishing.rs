//! What could make a page or an update vanish: it is kept, tried again, and arrives once the obstacle is gone.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod fake;
mod support;

use std::time::Duration;

use fake::{CHANNEL, Served, Trouble};
use incident_core::model::notice::NoticeKind;
use incident_core::port::{Applied, Notifier, Retry};
use incident_slack::{SlackBackend, SlackNotifier};
use support::{config, context, notice};

fn notifier(served: &Served) -> SlackNotifier {
    let mut config = config(&served.api());
    config.message_every = Duration::ZERO;
    SlackBackend::new(&config).unwrap().notifier()
}

/// Everything that a person, an administrator or time takes out of the way.
const PASSING: [&str; 16] = [
    "message_limit_exceeded",
    "org_login_required",
    "accesslimited",
    "external_channel_migrating",
    "token_revoked",
    "account_inactive",
    "invalid_auth",
    "missing_scope",
    "is_archived",
    "not_in_channel",
    "channel_not_found",
    "restricted_action",
    "ekm_access_denied",
    "team_added_to_org",
    "ratelimited",
    "a_code_from_the_future",
];

#[tokio::test]
async fn a_refused_page_is_tried_again_whatever_the_reason_and_arrives() {
    for code in PASSING {
        let served = Served::start().await;
        let notifier = notifier(&served);
        served.slack.meets(Trouble::Code(code));
        let error = notifier.deliver(&context(1), &notice(NoticeKind::Page)).await.unwrap_err();
        assert_eq!((error.applied, error.retry), (Applied::No, Retry::After(None)), "{code}: {error}");
        notifier.deliver(&context(1), &notice(NoticeKind::Page)).await.unwrap();
        assert_eq!(served.slack.state().channel(CHANNEL).messages.len(), 1);
    }
}

#[tokio::test]
async fn a_proxys_answer_is_no_refusal_of_slacks() {
    for status in [301, 302, 400, 401, 403, 404, 407, 410, 418, 451] {
        for trouble in [Trouble::Status(status), Trouble::Html(status)] {
            let served = Served::start().await;
            served.slack.meets(trouble);
            let error = notifier(&served).deliver(&context(1), &notice(NoticeKind::Page)).await.unwrap_err();
            assert_eq!((error.applied, error.retry), (Applied::No, Retry::After(None)), "{status}: {error}");
        }
    }
}

#[tokio::test]
async fn a_429_without_a_body_keeps_its_wait_and_leaves_no_doubt() {
    for (wait, retry) in [(Some(7), Some(7)), (None, None), (Some(4_294_967_295), Some(300))] {
        let served = Served::start().await;
        served.slack.meets(Trouble::Bare(wait));
        let error = notifier(&served).deliver(&context(1), &notice(NoticeKind::Page)).await.unwrap_err();
        let retry = Retry::After(retry.map(Duration::from_secs));
        assert_eq!((error.applied, error.retry), (Applied::No, retry), "{wait:?}: {error}");
    }
}

#[tokio::test]
async fn a_deleted_first_message_with_answers_below_it_is_begun_anew() {
    let served = Served::start().await;
    let notifier = notifier(&served);
    let first = notifier.deliver(&context(1), &notice(NoticeKind::Opening)).await.unwrap();
    let cx = context(2).with_earlier(vec![first.clone()]);
    notifier.deliver(&cx, &notice(NoticeKind::Update)).await.unwrap();
    let root = served.slack.state().channel(CHANNEL).messages[0]["ts"].as_str().unwrap().to_owned();
    served.slack.state().deletes(CHANNEL, &root);
    let cx = context(3).with_earlier(vec![first.clone()]);
    let third = notifier.deliver(&cx, &notice(NoticeKind::Update)).await.unwrap();
    assert_ne!(third.conversation, first.conversation);
    let messages = served.slack.state().channel(CHANNEL).messages.clone();
    let last = messages.last().unwrap();
    assert!(last["thread_ts"].is_null() && last.to_string().contains("ir_title"), "{last}");
    let cx = context(4).with_earlier(vec![first, third.clone()]);
    let fourth = notifier.deliver(&cx, &notice(NoticeKind::Update)).await.unwrap();
    assert_eq!(fourth.conversation, third.conversation);
}
