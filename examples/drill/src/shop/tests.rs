//! The shop over the wire: it breaks with the flag, recovers without it, and ends when it should.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Options, run};

const LONG: Duration = Duration::from_secs(20);

struct Running {
    address: SocketAddr,
    task: JoinHandle<std::io::Result<()>>,
}

async fn start(options: Options) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    Running { address, task: tokio::spawn(run(listener, options, std::future::pending())) }
}

fn fast() -> Options {
    Options { window: Duration::from_millis(300), slow: Duration::from_millis(5), ..Options::default() }
}

impl Running {
    async fn ask(&self, method: Method, path: &str, effect: Option<&str>, body: &str) -> (StatusCode, Value) {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let uri = format!("http://{}{path}", self.address);
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(effect) = effect {
            request = request.header("X-Incident-Effect", effect);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        let (parts, body) = client.request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status, serde_json::from_slice(&body).unwrap())
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.ask(Method::GET, path, None, "").await
    }

    async fn set(&self, on: bool, effect: &str) -> (StatusCode, Value) {
        let body = json!({ "value": on }).to_string();
        self.ask(Method::PUT, "/flags/new-pricing", Some(effect), &body).await
    }

    async fn health_becomes(&self, status: &str) {
        timeout(LONG, async { while self.get("/health").await.1["status"] != status {} })
            .await
            .unwrap_or_else(|_| panic!("the shop never became {status}"));
    }
}

#[tokio::test]
async fn the_new_pricing_breaks_two_of_five_checkouts_and_health_shows_it() {
    let shop = start(Options { window: LONG, ..fast() }).await;
    assert_eq!(shop.get("/health").await.1["status"], "idle");
    for _ in 0..20 {
        assert_eq!(shop.get("/checkout").await.0, StatusCode::OK);
    }
    let (code, health) = shop.get("/health").await;
    assert_eq!((code, &health["status"], &health["error_rate"]), (StatusCode::OK, &json!("ok"), &json!(0.0)));
    shop.set(true, "deploy").await;
    let mut broken = 0;
    for _ in 0..100 {
        broken += u32::from(shop.get("/checkout").await.0 == StatusCode::INTERNAL_SERVER_ERROR);
    }
    assert!((38..=42).contains(&broken), "{broken} of 100");
    let (code, health) = shop.get("/health").await;
    assert_eq!((code, &health["status"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("failing")));
    assert_eq!(health["requests"], 120);
    assert!(health["p95_ms"].as_f64().unwrap() >= 5.0, "{health}");
}

#[tokio::test]
async fn customers_make_it_break_and_recover_by_themselves() {
    let shop = start(Options { rate: 200, ..fast() }).await;
    shop.health_becomes("ok").await;
    shop.set(true, "deploy").await;
    shop.health_becomes("failing").await;
    shop.set(false, "mitigation").await;
    shop.health_becomes("ok").await;
}

#[tokio::test]
async fn a_flag_remembers_each_effect_once() {
    let shop = start(fast()).await;
    shop.set(true, "a").await;
    shop.set(false, "b").await;
    let (_, again) = shop.set(false, "b").await;
    let state = json!({ "name": "new-pricing", "value": false, "version": 3, "effect": "b" });
    assert_eq!(again, state);
    assert_eq!(shop.get("/flags/new-pricing").await, (StatusCode::OK, state));
    let changes = json!({ "changes": [
        { "version": 2, "value": true, "effect": "a" },
        { "version": 3, "value": false, "effect": "b" },
    ] });
    assert_eq!(shop.get("/flags/new-pricing/changes").await.1, changes);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let shop = start(fast()).await;
    let put = |path: &'static str, body: String| {
        let shop = &shop;
        async move { shop.ask(Method::PUT, path, None, &body).await.0 }
    };
    assert_eq!(put("/flags/new-pricing", "{}".into()).await, StatusCode::BAD_REQUEST);
    assert_eq!(put("/flags/new-pricing", " ".repeat(5000)).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(put("/flags/old", r#"{"value":true}"#.into()).await, StatusCode::NOT_FOUND);
    assert_eq!(put("/health", String::new()).await, StatusCode::NOT_FOUND);
    for path in ["/", "/flags/old", "/flags/old/changes", "/flags"] {
        assert_eq!(shop.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn it_ends_with_its_lifetime() {
    let shop = start(Options { lifetime: Duration::from_millis(50), rate: 50, ..fast() }).await;
    timeout(LONG, shop.task).await.unwrap().unwrap().unwrap();
}
