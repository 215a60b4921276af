//! Where notices arrive: it knows of each group whether its notices came, and when.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// A server on loopback that answers 200 to everything.
#[derive(Debug)]
pub struct Sink {
    address: SocketAddr,
    arrivals: Arc<Arrivals>,
}

#[derive(Debug, Default)]
struct Arrivals {
    seen: Mutex<Seen>,
    arrived: Notify,
    open: AtomicUsize,
    most: AtomicUsize,
    requests: AtomicUsize,
}

#[derive(Debug, Default)]
struct Seen {
    /// Groups, and whether it was the page.
    groups: BTreeSet<(u32, bool)>,
    last: Option<Instant>,
}

impl Sink {
    /// Starts it on a port of its own.
    ///
    /// # Panics
    /// If loopback has none.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let arrivals = Arc::new(Arrivals::default());
        tokio::spawn(accept(listener, Arc::clone(&arrivals)));
        Self { address, arrivals }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many different notices came.
    #[must_use]
    pub fn count(&self) -> usize {
        self.arrivals.seen().groups.len()
    }

    /// How many requests came.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.arrivals.requests.load(Ordering::Relaxed)
    }

    /// How many connections were open at once.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.arrivals.most.load(Ordering::Relaxed)
    }

    /// Waits until so many different notices came, or for as long as `end`, and says when the last one did.
    pub async fn until(&self, count: usize, end: Instant) -> Instant {
        self.wait(end, |seen| seen.groups.len() >= count).await
    }

    /// Waits for the page of a group, and says when it came.
    pub async fn page_of(&self, group: u32, end: Instant) -> Instant {
        self.wait(end, |seen| seen.groups.contains(&(group, true))).await
    }

    /// Waits for so many requests, whatever they say, or for as long as `end`.
    pub async fn requested(&self, count: usize, end: Instant) {
        self.wait(end, |_| self.requests() >= count).await;
    }

    async fn wait(&self, end: Instant, done: impl Fn(&Seen) -> bool) -> Instant {
        loop {
            let arrived = self.arrivals.arrived.notified();
            {
                let seen = self.arrivals.seen();
                if done(&seen) || Instant::now() >= end {
                    return seen.last.unwrap_or(end);
                }
            }
            let _ = timeout_at(end, arrived).await;
        }
    }
}

impl Arrivals {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("nobody panics with it")
    }

    async fn take(&self, request: Request<Incoming>) {
        let Ok(body) = request.into_body().collect().await else { return };
        self.requests.fetch_add(1, Ordering::Relaxed);
        let now = Instant::now();
        if let Some(notice) = notice(&body.to_bytes()) {
            let mut seen = self.seen();
            if seen.groups.insert(notice) {
                seen.last = Some(now);
            }
        }
        self.arrived.notify_waiters();
    }
}

/// The group that a notice is about, and whether it is the page: what isn't ours is.
fn notice(body: &[u8]) -> Option<(u32, bool)> {
    let text = std::str::from_utf8(body).ok()?;
    let group = match text.split_once(r#""service":"service-"#) {
        Some((_, rest)) => rest.split('"').next()?.parse().ok()?,
        // The incident that gathers is of no one service.
        None => u32::MAX,
    };
    Some((group, !text.contains(r#""kind":"opening""#)))
}

async fn accept(listener: TcpListener, arrivals: Arc<Arrivals>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let arrivals = Arc::clone(&arrivals);
        tokio::spawn(async move {
            let open = arrivals.open.fetch_add(1, Ordering::Relaxed) + 1;
            arrivals.most.fetch_max(open, Ordering::Relaxed);
            let service = service_fn(|request| async {
                arrivals.take(request).await;
                Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            arrivals.open.fetch_sub(1, Ordering::Relaxed);
        });
    }
}
