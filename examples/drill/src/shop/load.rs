//! Customers: checkouts at a steady rate.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::Uri;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Checkouts that may be under way at once; a customer beyond that goes away, as they do.
const AT_ONCE: usize = 64;
/// How long a customer waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes `rate` checkouts a second at `shop`, until it is dropped.
pub(crate) async fn customers(shop: SocketAddr, rate: u32) {
    let Ok(uri) = format!("http://{shop}/checkout").parse::<Uri>() else { return };
    let client = Client::builder(TokioExecutor::new()).build_http();
    let mut ticks = interval(Duration::from_secs(1) / rate.clamp(1, 10_000));
    // A machine that was asleep shouldn't greet the shop with all the customers it missed.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut under_way = JoinSet::new();
    loop {
        ticks.tick().await;
        while under_way.try_join_next().is_some() {}
        if under_way.len() < AT_ONCE {
            under_way.spawn(timeout(PATIENCE, buy(client.clone(), uri.clone())));
        }
    }
}

async fn buy(client: Client<HttpConnector, Empty<Bytes>>, uri: Uri) {
    if let Ok(answer) = client.get(uri).await {
        // Reading to the end lets the connection be used again.
        let _ = answer.into_body().collect().await;
    }
}
