//! The connections to one service: never more than so many at once, and each used again.

use std::error::Error;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use incident_core::config::ConfigError;
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};
use tower_service::Service as _;

use crate::error::Failure;

/// Connections that are open at once; more of them only slow each other down.
const MOST: usize = 32;
/// How long an idle connection is trusted to be still there.
const TRUSTED: Duration = Duration::from_secs(20);

/// What goes out.
pub(crate) type Outgoing = Full<Bytes>;

/// The connections to one service.
///
/// A client with a pool bounds what is idle in it, and not what is open: a connection on its way back is neither in use
/// nor there, and the next request opens another. Here a turn lasts until its connection is idle again, and a socket
/// counts until it is closed.
pub(crate) struct Connections {
    connector: HttpsConnector<HttpConnector>,
    to: Uri,
    connect_timeout: Duration,
    turns: Semaphore,
    sockets: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
}

/// A connection that nobody uses.
struct Idle {
    sender: SendRequest<Outgoing>,
    since: Instant,
}

/// The right to use one connection.
pub(crate) struct Turn<'a> {
    connections: &'a Connections,
    _permit: SemaphorePermit<'a>,
}

impl Connections {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// [`ConfigError`] if this machine has no certificates to trust.
    pub(crate) fn new(to: Uri, connect_timeout: Duration) -> Result<Self, ConfigError> {
        let connector = connector(&to)?;
        let (turns, sockets) = (Semaphore::new(MOST), Arc::new(Semaphore::new(MOST)));
        Ok(Self { connector, to, connect_timeout, turns, sockets, idle: Mutex::default() })
    }

    /// Waits for a turn; first come, first served. It is none if the semaphore is closed, and nobody closes it.
    pub(crate) async fn turn(&self) -> Option<Turn<'_>> {
        let permit = self.turns.acquire().await.ok()?;
        Some(Turn { connections: self, _permit: permit })
    }

    /// The connection that was used last. Those that were closed or lie too long are given up.
    fn idle(&self) -> Option<SendRequest<Outgoing>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|it| it.sender.is_ready() && it.since.elapsed() < TRUSTED);
        idle.pop().map(|it| it.sender)
    }

    async fn open(&self) -> Result<SendRequest<Outgoing>, Failure> {
        let opened = timeout(self.connect_timeout, self.connect()).await;
        opened
            .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
            .map_err(Failure::unconnected)
    }

    async fn connect(&self) -> Result<SendRequest<Outgoing>, Box<dyn Error + Send + Sync>> {
        let socket = Arc::clone(&self.sockets).acquire_owned().await?;
        let mut connector = self.connector.clone();
        poll_fn(|cx| connector.poll_ready(cx)).await?;
        let stream = connector.call(self.to.clone()).await?;
        let (sender, connection) = http1::handshake(stream).await?;
        tokio::spawn(async move {
            // How it ended, whoever waits for an answer is told.
            let _ = connection.await;
            drop(socket);
        });
        Ok(sender)
    }
}

impl Turn<'_> {
    /// Sends `request` once. The connection comes with the answer: it is busy until that is read.
    ///
    /// # Errors
    /// [`Failure`]; whether the request may have been carried out is in it.
    pub(crate) async fn send(
        &self,
        mut request: Request<Outgoing>,
    ) -> Result<(SendRequest<Outgoing>, Response<Incoming>), Failure> {
        while let Some(mut sender) = self.connections.idle() {
            match sender.try_send_request(request).await {
                Ok(answer) => return Ok((sender, answer)),
                Err(mut failed) => match failed.take_message() {
                    // The service had closed the connection, and nothing of the request went out.
                    Some(unsent) => request = unsent,
                    None => return Err(Failure::lost(failed.into_error())),
                },
            }
        }
        let mut sender = self.connections.open().await?;
        let answer = sender.send_request(request).await.map_err(Failure::lost)?;
        Ok((sender, answer))
    }

    /// Ends the turn of a connection whose answer was read whole; it is kept for the next turn if it is idle before `end`.
    pub(crate) async fn keep(self, mut sender: SendRequest<Outgoing>, end: Instant) {
        if let Ok(Ok(())) = timeout_at(end, sender.ready()).await {
            let mut idle = self.connections.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(Idle { sender, since: Instant::now() });
        }
    }
}

fn connector(to: &Uri) -> Result<HttpsConnector<HttpConnector>, ConfigError> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(TRUSTED));
    install_ring_if_none();
    let builder = HttpsConnectorBuilder::new();
    if to.scheme_str() == Some("https") {
        let tls = builder.with_native_roots().map_err(|error| {
            let problem = "this machine has no certificates to trust; install ca-certificates";
            let mut wrong = ConfigError::new("base_url", problem);
            wrong.source = Some(Box::new(error));
            wrong
        })?;
        return Ok(tls.https_only().enable_http1().wrap_connector(tcp));
    }
    // Without this, a container that has no certificates couldn't even speak plain HTTP.
    let tls = ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    Ok(builder.with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp))
}

fn install_ring_if_none() {
    if CryptoProvider::get_default().is_none() {
        // Losing this race means that somebody else has installed one, which is as good.
        let _ = ring::default_provider().install_default();
    }
}
