//! Telling other replicas of commits, and hearing of theirs. Hints only: all of it may fail, and nothing is lost.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::unfold;
use incident_core::domain::IncidentId;
use incident_core::port::store::Hints;
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinHandle;
use tokio_postgres::types::Type;
use tokio_postgres::{AsyncMessage, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::pool::Connections;

/// How many hints a slow listener may fall behind before it misses some.
const KEPT: usize = 256;
/// How many ids go into one notification; PostgreSQL allows 8,000 bytes.
const TOGETHER: usize = 200;
/// The shortest and the longest wait before listening again after the connection broke.
const AGAIN: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

/// Both ends of the hints of one store.
pub(crate) struct Bell {
    heard: broadcast::Sender<IncidentId>,
    committed: mpsc::UnboundedSender<IncidentId>,
    tasks: [JoinHandle<()>; 2],
}

impl Bell {
    pub(crate) fn hang(connections: Connections, listen: Config) -> Self {
        let heard = broadcast::Sender::new(KEPT);
        let (committed, to_tell) = mpsc::unbounded_channel();
        let tls = connections.tls();
        let listening = tokio::spawn(listen_for_ever(listen, tls, heard.clone()));
        let telling = tokio::spawn(tell(connections, to_tell));
        Self { heard, committed, tasks: [listening, telling] }
    }

    /// Somebody committed through this store.
    pub(crate) fn ring(&self, id: IncidentId) {
        let _ = self.heard.send(id);
        let _ = self.committed.send(id);
    }

    pub(crate) fn hints(&self) -> Hints {
        Box::pin(unfold(self.heard.subscribe(), |mut heard| async move {
            loop {
                match heard.recv().await {
                    Ok(id) => return Some((id, heard)),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                }
            }
        }))
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Notifies after the commits and not within them: a transaction that notifies makes every other one that does wait for
/// its sync.
async fn tell(connections: Connections, mut committed: mpsc::UnboundedReceiver<IncidentId>) {
    let mut batch = Vec::new();
    while committed.recv_many(&mut batch, TOGETHER).await > 0 {
        let ids: BTreeSet<String> = batch.drain(..).map(|id| id.to_string()).collect();
        let payload = ids.into_iter().collect::<Vec<_>>().join(",");
        let Ok(mut lent) = connections.lend().await else { continue };
        let Ok(connection) = lent.connection() else { continue };
        let told = connections.in_time(async {
            let sql = "SELECT pg_notify('incident', $1)";
            connection.query_typed(sql, &[(&payload, Type::TEXT)]).await?;
            Ok(())
        });
        let told = told.await;
        let _ = lent.back(told);
    }
}

async fn listen_for_ever(config: Config, tls: MakeRustlsConnect, heard: broadcast::Sender<IncidentId>) {
    let (shortest, longest) = AGAIN;
    let mut wait = shortest;
    loop {
        if listen(&config, tls.clone(), &heard).await.is_ok() {
            wait = shortest;
        }
        tracing::debug!(?wait, "not listening for other replicas' commits; they are seen at the next look");
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(longest);
    }
}

/// Listens until the connection breaks; an error if it never began.
async fn listen(
    config: &Config,
    tls: MakeRustlsConnect,
    heard: &broadcast::Sender<IncidentId>,
) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = config.connect(tls).await?;
    let mut messages = futures_util::stream::poll_fn(move |cx| connection.poll_message(cx));
    let mut begin = std::pin::pin!(client.batch_execute("LISTEN incident"));
    let mut begun = false;
    loop {
        let message = tokio::select! {
            listening = &mut begin, if !begun => {
                listening?;
                begun = true;
                continue;
            }
            message = messages.next() => message,
        };
        match message {
            Some(Ok(AsyncMessage::Notification(told))) => {
                for id in told.payload().split(',').filter_map(|id| id.parse().ok()) {
                    let _ = heard.send(id);
                }
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Ok(()),
        }
    }
}
