//! The end of an incident: its document as a file, and what is said after it.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod fake;
mod support;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fake::channels::Channel;
use fake::{CHANNEL, Served, Trouble};
use incident_core::model::effect::Receipt;
use incident_core::model::id::Digest;
use incident_core::model::notice::NoticeKind;
use incident_core::model::phase::Status;
use incident_core::port::store::StoreError;
use incident_core::port::{Adapter, EvidenceStore, Found, Notifier, PreflightContext};
use incident_slack::{RoomConfig, SlackBackend, SlackNotifier};
use support::{config, context, notice, now};

const DOCUMENT: &[u8] =
    b"# Checkout was slow\n\n## Summary\n\n- It was slow for 45 min\n\n## Impact\n\n- none\n";

/// A store with one document.
#[derive(Debug)]
struct Kept;

#[async_trait]
impl EvidenceStore for Kept {
    async fn put(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        Ok(Digest::sha256(bytes))
    }

    async fn get(&self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        Ok((digest == Digest::sha256(DOCUMENT)).then(|| DOCUMENT.to_vec()))
    }
}

fn notifier(served: &Served, rooms: bool) -> SlackNotifier {
    let mut config = config(&served.api());
    config.message_every = Duration::ZERO;
    config.rooms = rooms.then(RoomConfig::default);
    SlackBackend::new(&config).unwrap().with_evidence(Arc::new(Kept)).notifier()
}

fn published(document: &[u8]) -> incident_core::Notice {
    let mut notice = notice(NoticeKind::PostMortemPublished);
    notice.document = Some(Digest::sha256(document));
    notice.status = Status::Resolved;
    notice
}

fn closed() -> incident_core::Notice {
    let mut notice = notice(NoticeKind::Closed);
    notice.status = Status::Resolved;
    notice
}

async fn opened(notifier: &SlackNotifier) -> Vec<Receipt> {
    vec![notifier.deliver(&context(1), &notice(NoticeKind::Opening)).await.unwrap()]
}

/// The incident's channel, archived or not.
fn room(served: &Served) -> Channel {
    let state = served.slack.state();
    state.channels.values().find(|it| it.id != CHANNEL).unwrap().clone()
}

#[tokio::test]
async fn a_post_mortem_is_a_message_and_a_file_below_it() {
    for rooms in [false, true] {
        let served = Served::start().await;
        let notifier = notifier(&served, rooms);
        let cx = context(2).with_earlier(opened(&notifier).await);
        let receipt = notifier.deliver(&cx, &published(DOCUMENT)).await.unwrap();
        assert_eq!(receipt.degraded, Vec::<String>::new());
        let state = served.slack.state();
        let channel = state.channels.values().find(|it| !it.files.is_empty()).unwrap();
        assert_eq!(channel.files[0]["content"], std::str::from_utf8(DOCUMENT).unwrap());
        let message = channel.messages[1].to_string();
        assert!(message.contains("It was slow for 45 min") && !message.contains("Impact"), "{message}");
        let below = if rooms { &channel.messages[1]["ts"] } else { &channel.messages[0]["ts"] };
        assert_eq!(&channel.files[0]["thread_ts"], below);
        drop(state);
        let methods = served.slack.methods();
        let place = |method: &str| methods.iter().rposition(|it| it == method).unwrap();
        assert!(place("/upload") < place("chat.postMessage"), "the bytes first: {methods:?}");
        assert!(
            place("chat.postMessage") < place("files.completeUploadExternal"),
            "shared last: {methods:?}"
        );
    }
}

#[tokio::test]
async fn a_file_is_shared_once_whatever_comes_of_it() {
    for trouble in [Trouble::LoseReply, Trouble::Code("internal_error"), Trouble::Wait(9)] {
        let served = Served::start().await;
        let notifier = notifier(&served, false);
        let cx = context(2).with_earlier(opened(&notifier).await);
        for trouble in [Trouble::Pass, Trouble::Pass, trouble] {
            served.slack.meets(trouble);
        }
        let receipt = notifier.deliver(&cx, &published(DOCUMENT)).await.unwrap();
        assert!(receipt.degraded[0].contains("whether the document is attached"), "{receipt:?}");
        assert_eq!(served.slack.asked_for("files.completeUploadExternal").len(), 1);
    }
}

#[tokio::test]
async fn a_document_that_is_not_kept_or_cannot_be_sent_keeps_no_message_back() {
    let served = Served::start().await;
    let notifier = notifier(&served, false);
    let cx = context(2).with_earlier(opened(&notifier).await);
    let receipt = notifier.deliver(&cx, &published(b"elsewhere")).await.unwrap();
    assert_eq!(receipt.degraded, Vec::<String>::new());
    served.slack.state().scopes.retain(|scope| scope != "files:write");
    let receipt = notifier.deliver(&cx, &published(DOCUMENT)).await.unwrap();
    assert_eq!(receipt.degraded, ["the document isn't attached: missing_scope"]);
    let found = notifier.preflight(&PreflightContext::new(now())).await.unwrap();
    assert!(format!("{found:?}").contains("files:write"), "{found:?}");
}

#[tokio::test]
async fn nobody_makes_a_channel_for_what_is_over() {
    let served = Served::start().await;
    let notifier = notifier(&served, true);
    let receipt = notifier.deliver(&context(1), &closed()).await.unwrap();
    assert_eq!((served.slack.state().channels.len(), &receipt.conversation), (1, &None));
    let found = notifier.find(&context(1), &closed()).await.unwrap();
    let Found::Yes(found) = found else { panic!("{found:?}") };
    assert_eq!((found.reference, found.conversation), (receipt.reference, None));
}

#[tokio::test]
async fn what_is_said_after_the_end_makes_no_new_channel() {
    let served = Served::start().await;
    let notifier = notifier(&served, true);
    let earlier = opened(&notifier).await;
    let id = room(&served).id;
    served.slack.state().channels.get_mut(&id).unwrap().is_archived = true;
    let mut reminder = notice(NoticeKind::Reminder);
    reminder.status = Status::Resolved;
    let cx = context(3).with_earlier(earlier);
    let receipt = notifier.deliver(&cx, &reminder).await.unwrap();
    assert!(receipt.degraded[0].contains("said outside"), "{receipt:?}");
    assert_eq!(served.slack.state().channels.len(), 2);
    let outside = served.slack.state().channel(CHANNEL).messages.clone();
    assert!(outside.last().unwrap().to_string().contains("looking at the payment service"), "{outside:?}");
    let found = notifier.find(&cx, &reminder).await.unwrap();
    let Found::Yes(found) = found else { panic!("{found:?}") };
    assert_eq!((found.reference, found.conversation), (receipt.reference, None));
}
