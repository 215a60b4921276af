//! Answers that go on: watches, and bodies that never end.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::answer::Answer;
use super::{Asked, Body, Shared};

/// Every change of the objects of one kind after a version, until the time is over.
pub(crate) fn watch(shared: &Arc<Shared>, asked: &Asked) -> Response<Body> {
    let from: u64 = asked.parameter("resourceVersion").and_then(|it| it.parse().ok()).unwrap_or(0);
    let state = shared.state.lock().unwrap();
    let compacted = state.compacted;
    let now = state.version;
    drop(state);
    if from < compacted {
        let status: Value = serde_json::from_slice(&Answer::expired(from, now).body).unwrap();
        let line = format!("{}\n", json!({"type": "ERROR", "object": status}));
        return streamed(stream::iter([line]).boxed());
    }
    let seconds = asked.parameter("timeoutSeconds").and_then(|it| it.parse().ok()).unwrap_or(300);
    let plural = asked.path.rsplit('/').next().unwrap_or_default().to_owned();
    let name =
        asked.parameter("fieldSelector").and_then(|it| it.strip_prefix("metadata.name=")).map(str::to_owned);
    let ends = tokio::time::Instant::now() + Duration::from_secs(seconds);
    let begin = (Arc::clone(shared), from);
    let lines = stream::unfold(begin, move |(shared, seen)| {
        let (plural, name) = (plural.clone(), name.clone());
        async move {
            loop {
                let changed = shared.changed.notified();
                let next = {
                    let state = shared.state.lock().unwrap();
                    let of = |object: &Value| {
                        let key = super::Key::of_object(object);
                        key.plural == plural && name.as_ref().is_none_or(|name| *name == key.name)
                    };
                    state.log.iter().find(|(version, _, object)| *version > seen && of(object)).cloned()
                };
                if let Some((version, kind, object)) = next {
                    let line = format!("{}\n", json!({"type": kind, "object": object}));
                    return Some((line, (shared.clone(), version)));
                }
                tokio::time::timeout_at(ends, changed).await.ok()?;
            }
        }
    });
    streamed(lines.boxed())
}

/// The head of `answer`, and a body that begins and never ends.
pub(crate) fn endless(answer: &Answer) -> Response<Body> {
    let begins = String::from_utf8_lossy(&answer.body).chars().take(5).collect::<String>();
    let mut response = streamed(stream::iter([begins]).chain(stream::pending()).boxed());
    *response.status_mut() = answer.status.try_into().unwrap();
    response
}

/// Runs what the test says a command does: its answer over a WebSocket, then how it ended.
pub(crate) fn exec(shared: &Arc<Shared>, mut request: Request<Incoming>) -> Response<Body> {
    let query = super::pairs(request.uri().query().unwrap_or_default());
    let command: Vec<String> =
        query.into_iter().filter(|(key, _)| key == "command").map(|(_, value)| value).collect();
    let run = shared.state.lock().unwrap().exec;
    let (code, out) = run(&command);
    let key = request.headers()["sec-websocket-key"].as_bytes().to_vec();
    tokio::spawn(async move {
        let Ok(upgraded) = hyper::upgrade::on(&mut request).await else { return };
        let io = TokioIo::new(upgraded);
        let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
        let status = match code {
            0 => json!({"status": "Success"}),
            code => json!({"status": "Failure", "reason": "NonZeroExitCode",
                "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]}}),
        };
        for (channel, text) in [(1_u8, out), (3, status.to_string())] {
            let mut frame = vec![channel];
            frame.extend(text.as_bytes());
            let _ = socket.send(Message::binary(frame)).await;
        }
        let _ = socket.close(None).await;
    });
    Response::builder()
        .status(101)
        .header("upgrade", "websocket")
        .header("connection", "Upgrade")
        .header("sec-websocket-accept", derive_accept_key(&key))
        .header("sec-websocket-protocol", "v5.channel.k8s.io")
        .body(http_body_util::Empty::new().boxed())
        .unwrap()
}

fn streamed(lines: stream::BoxStream<'static, String>) -> Response<Body> {
    let frames = lines.map(|line| Ok(Frame::data(Bytes::from(line))));
    // A boxed body has to be shareable, and a stream that is polled by one task alone is.
    Response::new(BodyExt::boxed(StreamBody::new(SyncStream(std::sync::Mutex::new(frames.boxed())))))
}

type Frames = stream::BoxStream<'static, Result<Frame<Bytes>, std::convert::Infallible>>;

struct SyncStream(std::sync::Mutex<Frames>);

impl futures_util::Stream for SyncStream {
    type Item = Result<Frame<Bytes>, std::convert::Infallible>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.lock().unwrap().poll_next_unpin(cx)
    }
}
