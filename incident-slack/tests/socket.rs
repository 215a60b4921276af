//! Socket Mode, against a websocket on loopback.

#![cfg(feature = "socket-mode")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod fake;
mod support;

use fake::Served;
use futures_util::{SinkExt, StreamExt};
use incident_core::config::SecretRef;
use incident_core::port::ErrorKind;
use incident_slack::socket::{Delivery, SocketMode};
use serde_json::{Value, json};
use support::{app_token, config, secret};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

struct Line {
    served: Served,
    listener: TcpListener,
}

impl Line {
    async fn open() -> Self {
        let (served, listener) = (Served::start().await, TcpListener::bind("127.0.0.1:0").await.unwrap());
        served.slack.state().socket = Some(format!("ws://{}/", listener.local_addr().unwrap()));
        Self { served, listener }
    }

    async fn accept(&self) -> WebSocketStream<TcpStream> {
        accept_async(self.listener.accept().await.unwrap().0).await.unwrap()
    }
}

async fn send(websocket: &mut WebSocketStream<TcpStream>, envelope: &Value) {
    websocket.send(Message::text(envelope.to_string())).await.unwrap();
}

fn command(id: &str) -> Value {
    let payload = json!({"user_id": "U1", "trigger_id": id, "text": "ack", "channel_id": "C1"});
    json!({"envelope_id": id, "type": "slash_commands", "payload": payload})
}

async fn acknowledged(websocket: &mut WebSocketStream<TcpStream>) -> Value {
    loop {
        if let Message::Text(text) = websocket.next().await.unwrap().unwrap() {
            return serde_json::from_str::<Value>(text.as_str()).unwrap()["envelope_id"].clone();
        }
    }
}

#[tokio::test]
async fn it_connects_again_when_slack_asks_for_it_or_is_gone() {
    let line = Line::open().await;
    let socket = SocketMode::new(&config(&line.served.api()), &app_token()).unwrap();
    let (deliveries, mut inbox) = mpsc::channel(8);
    let listening = tokio::spawn(async move { socket.listen(deliveries).await });

    let mut first = line.accept().await;
    send(&mut first, &json!({"type": "hello"})).await;
    send(&mut first, &command("e-1")).await;
    assert_eq!(acknowledged(&mut first).await, "e-1");
    send(&mut first, &json!({"type": "disconnect", "reason": "refresh_requested"})).await;

    let mut second = line.accept().await;
    send(&mut second, &command("e-2")).await;
    assert_eq!(acknowledged(&mut second).await, "e-2");
    drop(second);

    let mut third = line.accept().await;
    third.send(Message::text("no JSON")).await.unwrap();
    send(&mut third, &command("e-3")).await;
    assert_eq!(acknowledged(&mut third).await, "e-3");
    for expect in ["e-1", "e-2", "e-3"] {
        let Some(Delivery::Command(command)) = inbox.recv().await else { panic!("a command") };
        assert_eq!(command.trigger, expect);
    }
    assert_eq!(line.served.slack.asked_for("apps.connections.open").len(), 3);

    drop(inbox);
    send(&mut third, &command("e-4")).await;
    assert!(listening.await.unwrap().is_ok(), "it ends once nobody receives any more");
}

#[tokio::test]
async fn what_nobody_received_is_not_acknowledged() {
    let line = Line::open().await;
    let socket = SocketMode::new(&config(&line.served.api()), &app_token()).unwrap();
    let (deliveries, inbox) = mpsc::channel(1);
    let listening = tokio::spawn(async move { socket.listen(deliveries).await });
    let mut websocket = line.accept().await;
    drop(inbox);
    send(&mut websocket, &command("e-1")).await;
    listening.await.unwrap().unwrap();
    let left = websocket.next().await;
    assert!(!matches!(left, Some(Ok(Message::Text(_)))), "so Slack delivers it again: {left:?}");
}

#[tokio::test]
async fn a_wrong_token_ends_it_with_its_reason() {
    let line = Line::open().await;
    let wrong = SecretRef::File(secret("wrong", "xapp-hunter2"));
    let socket = SocketMode::new(&config(&line.served.api()), &wrong).unwrap();
    let (deliveries, _inbox) = mpsc::channel(1);
    let error = socket.listen(deliveries).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(!format!("{error} {error:?} {socket:?}").contains("hunter2"));
    let bot = SocketMode::new(&config(&line.served.api()), &SecretRef::File(secret("bot", "xoxb-1")));
    assert_eq!(bot.unwrap_err().field, "app_token");
}
