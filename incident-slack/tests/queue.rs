//! Many messages in one channel: at Slack's rate, in order, without loss. Time is turned, and the network is in memory, for
//! that of the machine doesn't wait for a clock that is turned.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod fake;
mod support;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use fake::{CHANNEL, Slack};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use incident_core::model::effect::Receipt;
use incident_core::model::notice::NoticeKind;
use incident_core::port::{Applied, ErrorKind, Notifier, Retry};
use incident_slack::{SlackBackend, SlackNotifier};
use slack_morphism::prelude::{SlackClient, SlackClientHyperConnector};
use support::{config, context, effect, notice};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::time::Instant;

/// A connector whose other end is the workspace itself.
#[derive(Clone)]
struct InMemory(Slack);

struct Pipe(DuplexStream);

impl Connection for Pipe {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl tower_service::Service<hyper::Uri> for InMemory {
    type Response = TokioIo<Pipe>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = std::io::Result<TokioIo<Pipe>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: hyper::Uri) -> Self::Future {
        let (ours, theirs) = tokio::io::duplex(256 * 1024);
        let slack = self.0.clone();
        tokio::spawn(async move { slack.serve(theirs).await });
        Box::pin(async move { Ok(TokioIo::new(Pipe(ours))) })
    }
}

fn notifier(slack: &Slack) -> SlackNotifier {
    slack.state().throttles = true;
    let http = SlackClientHyperConnector::with_connector(InMemory(slack.clone()));
    let client = SlackClient::new(http.with_slack_api_url("http://slack.test/api"));
    SlackBackend::with_client(&config("https://slack.com/api"), client).unwrap().notifier()
}

/// Delivers as the engine does: it comes again after the wait that it was told.
async fn deliver(notifier: &SlackNotifier, number: u64, earlier: &[Receipt]) -> Receipt {
    let cx = context(number).with_earlier(earlier.to_vec());
    loop {
        match notifier.deliver(&cx, &notice(NoticeKind::Update)).await {
            Ok(receipt) => return receipt,
            Err(error) => {
                let Retry::After(Some(wait)) = error.retry else { panic!("{error}") };
                assert_eq!((error.kind, error.applied), (ErrorKind::RateLimited, Applied::No), "{error}");
                tokio::time::sleep(wait).await;
            }
        }
    }
}

fn arrived(slack: &Slack) -> Vec<String> {
    let messages = slack.state().channel(CHANNEL).messages.clone();
    messages.iter().map(|it| it["metadata"]["event_payload"]["op"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn three_hundred_messages_of_one_conversation_arrive_in_order() {
    let slack = Slack::new();
    let notifier = notifier(&slack);
    let (begun, mut earlier) = (Instant::now(), Vec::new());
    for number in 1..=300 {
        let receipt = deliver(&notifier, number, &earlier).await;
        earlier = vec![receipt];
    }
    let expect: Vec<String> = (1..=300).map(|number| effect(number).to_string()).collect();
    assert_eq!(arrived(&slack), expect);
    assert_eq!(slack.state().put_off, 0, "Slack never had to put one off");
    assert!(begun.elapsed() < Duration::from_secs(301), "one a second: {:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn three_hundred_messages_at_once_arrive_each_once() {
    let slack = Slack::new();
    let notifier = notifier(&slack);
    let deliveries = (1..=300).map(|number| deliver(&notifier, number, &[]));
    futures_util::future::join_all(deliveries).await;
    let mut arrived = arrived(&slack);
    arrived.sort();
    let mut expect: Vec<String> = (1..=300).map(|number| effect(number).to_string()).collect();
    expect.sort();
    assert_eq!(arrived, expect);
    assert_eq!(slack.state().put_off, 0, "Slack never had to put one off");
}
