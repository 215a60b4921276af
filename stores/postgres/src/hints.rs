//! Telling other replicas of commits, and hearing of theirs. Hints only: all of it may fail, and nothing is lost.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::unfold;
use incident_core::model::id::{IncidentId, Seq};
use incident_core::port::store::{Hint, Hints};
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinHandle;
use tokio_postgres::types::Type;
use tokio_postgres::{AsyncMessage, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::pool::Connections;

/// How many hints a slow listener may fall behind before it misses some.
const KEPT: usize = 256;
/// How many hints go into one notification; PostgreSQL allows 8,000 bytes.
const TOGETHER: usize = 100;
/// The shortest and the longest wait before listening again after the connection broke.
const AGAIN: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

/// Both ends of the hints of one store.
pub(crate) struct Bell {
    heard: broadcast::Sender<Hint>,
    committed: mpsc::UnboundedSender<Hint>,
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
    pub(crate) fn ring(&self, hint: Hint) {
        let _ = self.heard.send(hint);
        let _ = self.committed.send(hint);
    }

    pub(crate) fn hints(&self) -> Hints {
        Box::pin(unfold(self.heard.subscribe(), |mut heard| async move {
            loop {
                match heard.recv().await {
                    Ok(hint) => return Some((hint, heard)),
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
async fn tell(connections: Connections, mut committed: mpsc::UnboundedReceiver<Hint>) {
    let mut batch = Vec::new();
    while committed.recv_many(&mut batch, TOGETHER).await > 0 {
        let payload = written(batch.drain(..));
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

/// Hints as a notification carries them, the last one of each incident: `id:version,id:version`.
fn written(hints: impl Iterator<Item = Hint>) -> String {
    let last: BTreeMap<IncidentId, Seq> = hints.map(|hint| (hint.incident, hint.version)).collect();
    let each: Vec<_> = last.into_iter().map(|(id, version)| format!("{id}:{}", version.0)).collect();
    each.join(",")
}

/// A hint of a notification; none if it is somebody else's.
fn read(text: &str) -> Option<Hint> {
    let (id, version) = text.split_once(':')?;
    Some(Hint::new(id.parse().ok()?, Seq(version.parse().ok()?)))
}

async fn listen_for_ever(config: Config, tls: MakeRustlsConnect, heard: broadcast::Sender<Hint>) {
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
    heard: &broadcast::Sender<Hint>,
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
                for hint in told.payload().split(',').filter_map(read) {
                    let _ = heard.send(hint);
                }
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_fits() {
        let id = |n| IncidentId::from_bytes([n; 16]);
        let hints = (0..TOGETHER).map(|n| Hint::new(id(u8::try_from(n).unwrap()), Seq(u64::MAX)));
        assert!(written(hints).len() < 8_000);
        let twice = [Hint::new(id(1), Seq(1)), Hint::new(id(1), Seq(2)), Hint::new(id(2), Seq(7))];
        let last: Vec<_> = written(twice.into_iter()).split(',').filter_map(read).collect();
        assert_eq!(last, twice[1..]);
        assert_eq!(["", "x", "x:1", "1:x"].map(read), [None; 4]);
    }
}
