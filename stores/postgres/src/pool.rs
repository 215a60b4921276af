//! Connections: encrypted or not, so many at a time, each call within its deadline.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType,
    Timeouts,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::Fault;
use crate::options::Options;

/// How long telling the server to stop may take.
const CANCEL: Duration = Duration::from_secs(5);

/// A connection that was used a moment ago is taken to work; asking it costs a round trip.
const FRESH: Duration = Duration::from_secs(1);

/// How long a connection that was idle may take to say that it still works.
const PING: Duration = Duration::from_secs(1);

/// Nobody waits for a call this long, and the clock can still say when it would be over.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A connection that goes back to the others when it is dropped.
pub(crate) type Connection = Object;

/// Connections to one server.
#[derive(Clone)]
pub(crate) struct Connections {
    pool: Pool,
    tls: MakeRustlsConnect,
    deadline: Duration,
}

impl Connections {
    pub(crate) fn new(options: &Options) -> Result<Self, Fault> {
        let tls = tls(options)?;
        let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(options.config.clone(), tls.clone(), config);
        let wait = Some(options.deadline);
        let timeouts = Timeouts { wait, create: wait, recycle: wait };
        let pool = Pool::builder(manager)
            .max_size(options.connections)
            .timeouts(timeouts)
            .post_recycle(ping(options.deadline))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|_| Fault::NoConnection("the pool can't be built"))?;
        Ok(Self { pool, tls, deadline: options.deadline.min(LONGEST) })
    }

    /// A connection for one call.
    pub(crate) async fn lend(&self) -> Result<Lent, Fault> {
        let taken = self.in_time(async {
            self.pool.get().await.map_err(|error| match error {
                PoolError::Backend(error) => Fault::Sql(error),
                PoolError::Timeout(TimeoutType::Wait) => Fault::NoConnection("every connection is in use"),
                PoolError::Timeout(_) => Fault::NoConnection("the server took too long to connect"),
                _ => Fault::NoConnection("the pool is closed"),
            })
        });
        Ok(Lent { connection: Some(taken.await?), tls: self.tls.clone() })
    }

    pub(crate) async fn in_time<T>(&self, call: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        before(self.end(), call).await
    }

    /// When a call that begins now has to be over.
    pub(crate) fn end(&self) -> Instant {
        Instant::now() + self.deadline
    }

    /// How long a call may take.
    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    pub(crate) fn tls(&self) -> MakeRustlsConnect {
        self.tls.clone()
    }
}

/// The call's answer, if it comes before `end`.
pub(crate) async fn before<T>(
    end: Instant,
    call: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    timeout_at(end, call).await.unwrap_or(Err(Fault::Late))
}

/// A connection that is closed unless it is given back: a caller that goes away leaves it in the middle of something.
pub(crate) struct Lent {
    connection: Option<Connection>,
    tls: MakeRustlsConnect,
}

impl Lent {
    pub(crate) fn connection(&mut self) -> Result<&mut Connection, Fault> {
        self.connection.as_mut().ok_or(Fault::NoConnection("the connection is gone"))
    }

    /// Whether the connection died before this call asked anything of it. The call may be made on another one then, as long
    /// as it asked for nothing to be committed.
    pub(crate) fn died_idle<T>(&self, done: &Result<T, Fault>) -> bool {
        let was_used = self.connection.as_ref().is_some_and(|it| Object::metrics(it).recycle_count > 0);
        was_used && matches!(done, Err(fault) if fault.is_dead_line())
    }

    /// Gives the connection back, unless what came of the call spoilt it.
    pub(crate) fn back<T>(mut self, done: Result<T, Fault>) -> Result<T, Fault> {
        match &done {
            Err(fault) if fault.spoils_connection() => {
                if let (Fault::Late, Some(connection)) = (fault, &self.connection) {
                    // The server would go on with what nobody waits for.
                    let (cancel, tls) = (connection.cancel_token(), self.tls.clone());
                    tokio::spawn(timeout(CANCEL, async move {
                        let _ = cancel.cancel_query(tls).await;
                    }));
                }
            }
            _ => drop(self.connection.take()),
        }
        done
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        drop(self.connection.take().map(Object::take));
    }
}

/// Asks a connection that was idle whether it still works: a firewall or a failover may have ended it without a word.
fn ping(deadline: Duration) -> Hook {
    let most = PING.min(deadline / 4);
    Hook::async_fn(move |client, metrics| {
        Box::pin(async move {
            if metrics.last_used() < FRESH {
                return Ok(());
            }
            match timeout(most, client.simple_query("")).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(HookError::Backend(error)),
                Err(_) => Err(HookError::message("it doesn't answer")),
            }
        })
    })
}

fn tls(options: &Options) -> Result<MakeRustlsConnect, Fault> {
    let mut roots = RootCertStore::empty();
    let needed = options.config.get_ssl_mode() != SslMode::Disable
        || options.listen.as_ref().is_some_and(|listen| listen.get_ssl_mode() != SslMode::Disable);
    if needed {
        let found = match &options.root_certificates {
            Some(file) => {
                let read =
                    CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
                read.map_err(|error| match error {
                    pem::Error::Io(error) => Fault::Certificates(error),
                    error => Fault::Certificates(io::Error::new(io::ErrorKind::InvalidData, error)),
                })?
            }
            None => rustls_native_certs::load_native_certs().certs,
        };
        roots.add_parsable_certificates(found);
        if roots.is_empty() {
            let problem = "no certificate authority is trusted; name a PEM file with root_certificates";
            return Err(Fault::Certificates(io::Error::new(io::ErrorKind::InvalidData, problem)));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Fault::Certificates(io::Error::other(error)))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
