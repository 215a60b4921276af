//! The shop: a small real service with a checkout, a health check and feature flags, all on loopback.
//!
//! | request | answers |
//! |---|---|
//! | `GET /checkout` | 200, or with `new-pricing` on in two of five cases 500, slowly |
//! | `GET /health` | `{ status, requests, error_rate, p95_ms }` over the window; 503 if too many fail |
//! | `GET /flags/<name>` | `{ name, value, version, effect }` and an `ETag` of the version |
//! | `PUT /flags/<name>` | sets `{ value }`, once for each effect id; 412 if `If-Match` isn't the version |
//! | `GET /flags/<name>/changes` | `{ changes: [{ version, value, effect }] }`, oldest first |
//!
//! It is deterministic but for time: which checkouts fail follows from their number.

mod flags;
mod load;
mod routes;
mod window;

use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use flags::Flags;
use window::Window;

/// The feature that breaks the checkout.
pub(crate) const NEW_PRICING: &str = "new-pricing";

/// How the shop runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options {
    /// How far back the health check looks; sub-second for a fast drill.
    pub(crate) window: Duration,
    /// The share of failing checkouts from which the shop is ill.
    pub(crate) max_error_rate: f64,
    /// How long a broken checkout takes.
    pub(crate) slow: Duration,
    /// When the shop stops by itself, so that a killed drill leaves nothing behind.
    pub(crate) lifetime: Duration,
    /// Checkouts a second that customers make from within; 0 for none.
    pub(crate) rate: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(60),
            max_error_rate: 0.001,
            slow: Duration::from_millis(300),
            lifetime: Duration::from_secs(15 * 60),
            rate: 0,
        }
    }
}

/// Serves `listener` until `shutdown`, or until the lifetime is over.
///
/// # Errors
/// If the listener has no address; a connection that breaks is nobody's error.
pub(crate) async fn run(
    listener: TcpListener,
    options: Options,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    let (lifetime, rate) = (options.lifetime, options.rate);
    let shop = Arc::new(Shop::new(options));
    // Dropping the set ends every connection and customer with the shop.
    let mut tasks = JoinSet::new();
    if rate > 0 {
        tasks.spawn(load::customers(address, rate));
    }
    let over = sleep(lifetime);
    tokio::pin!(over, shutdown);
    loop {
        let stream = tokio::select! {
            () = &mut shutdown => return Ok(()),
            () = &mut over => return Ok(()),
            // Reaping as they end keeps the set from growing.
            Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => continue,
            },
        };
        let shop = Arc::clone(&shop);
        tasks.spawn(async move {
            let service = service_fn(move |request| routes::answer(Arc::clone(&shop), request));
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// What the shop knows.
struct Shop {
    options: Options,
    flags: Mutex<Flags>,
    window: Mutex<Window>,
    checkouts: AtomicU64,
}

impl Shop {
    fn new(options: Options) -> Self {
        let window = Mutex::new(Window::new(options.window));
        Self { options, flags: Mutex::new(Flags::with(NEW_PRICING)), window, checkouts: AtomicU64::new(0) }
    }

    /// Sells one basket; the total in cents, or none if the checkout is broken.
    async fn checkout(&self) -> Option<u64> {
        let started = Instant::now();
        let number = self.checkouts.fetch_add(1, Ordering::Relaxed);
        let total = if self.flags().is_on(NEW_PRICING) && is_broken(number) {
            sleep(self.options.slow).await;
            None
        } else {
            Some(price(number))
        };
        let now = Instant::now();
        locked(&self.window).add(now, now - started, total.is_some());
        total
    }

    fn flags(&self) -> MutexGuard<'_, Flags> {
        locked(&self.flags)
    }

    fn health(&self) -> window::Health {
        locked(&self.window).health(Instant::now())
    }
}

/// Two of five, evenly spread: multiples of the golden ratio fall everywhere alike.
fn is_broken(number: u64) -> bool {
    let place = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    place < u64::MAX / 5 * 2
}

/// The price of the basket with this number.
fn price(number: u64) -> u64 {
    (1..=100).fold(0, |total, line: u64| total + (number ^ line).wrapping_mul(7919) % 997)
}

/// A lock that a panicked request can't take from the others.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
