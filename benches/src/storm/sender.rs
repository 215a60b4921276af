//! Sends POSTs over a number of connections, each of which waits for its answer.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::try_join_all;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The connections to one taker.
#[derive(Debug)]
pub struct Sender {
    address: SocketAddr,
    connections: Mutex<Vec<SendRequest<Full<Bytes>>>>,
}

impl Sender {
    /// Connects.
    ///
    /// # Errors
    /// Why it can't.
    pub async fn connect(address: SocketAddr, connections: usize) -> Result<Self, String> {
        let mut open = Vec::with_capacity(connections);
        for _ in 0..connections {
            let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
            let _ = stream.set_nodelay(true);
            let (sender, connection) =
                http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
            tokio::spawn(connection);
            open.push(sender);
        }
        Ok(Self { address, connections: Mutex::new(open) })
    }

    /// Sends all bodies, each once it is accepted the next.
    ///
    /// # Errors
    /// Which answer wasn't a 2xx.
    pub async fn send(&self, bodies: Vec<Bytes>) -> Result<(), String> {
        let bodies = Arc::new(bodies);
        let next = Arc::new(AtomicUsize::new(0));
        let open = std::mem::take(&mut *self.connections.lock().expect("nobody panics with it"));
        let tasks = open.into_iter().map(|mut connection| {
            let (bodies, next, address) = (Arc::clone(&bodies), Arc::clone(&next), self.address);
            tokio::spawn(async move {
                while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                    post(&mut connection, address, body.clone()).await?;
                }
                Ok::<_, String>(connection)
            })
        });
        let done = try_join_all(tasks).await.map_err(|error| error.to_string())?;
        let connections = done.into_iter().collect::<Result<Vec<_>, _>>()?;
        *self.connections.lock().expect("nobody panics with it") = connections;
        Ok(())
    }
}

async fn post(
    connection: &mut SendRequest<Full<Bytes>>,
    address: SocketAddr,
    body: Bytes,
) -> Result<(), String> {
    let request = Request::post("/api/v2/alerts")
        .header("host", address.to_string())
        .header("content-type", "application/json")
        .body(Full::new(body))
        .map_err(|error| error.to_string())?;
    connection.ready().await.map_err(|error| error.to_string())?;
    let answer = connection.send_request(request).await.map_err(|error| error.to_string())?;
    let status = answer.status();
    answer.into_body().collect().await.map_err(|error| error.to_string())?;
    if status.is_success() { Ok(()) } else { Err(refused(status)) }
}

fn refused(status: StatusCode) -> String {
    format!("alerts were answered with {status}")
}
