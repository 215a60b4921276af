//! Settings of a store.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use incident_core::port::store::{StoreError, StoreTrouble};
use tokio_postgres::config::{Config, Host, SslMode};

/// How a [`PostgresStore`](crate::PostgresStore) is opened.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use incident_postgres::Options;
///
/// let options = Options::new("host=db.internal user=incident dbname=incident")?
///     .password("from your secret store")
///     .connections(8);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    pub(crate) config: Config,
    pub(crate) listen: Option<Config>,
    pub(crate) root_certificates: Option<PathBuf>,
    pub(crate) connections: usize,
    pub(crate) deadline: Duration,
    pub(crate) migrate: bool,
    pub(crate) hints: bool,
}

impl Options {
    /// The server at `address`, as libpq writes it: `host=… user=… dbname=…` or `postgresql://…`.
    ///
    /// # Encryption
    /// `sslmode=require` encrypts and checks the server's certificate, as libpq's `verify-full` does. It is what a host
    /// gets that doesn't say otherwise, unless it is a socket or this machine; `sslmode=disable` is the way to do without.
    /// There is no `prefer`: what may silently be unencrypted, is.
    ///
    /// # Errors
    /// [`StoreError`] `Foreign` if the address can't be understood. It never repeats the address, which may hold a
    /// password.
    pub fn new(address: &str) -> Result<Self, StoreError> {
        Ok(Self {
            config: parse(address)?,
            listen: None,
            root_certificates: None,
            connections: 8,
            deadline: Duration::from_secs(10),
            migrate: true,
            hints: true,
        })
    }

    /// With this password, which is shown nowhere.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.config.password(password);
        if let Some(listen) = &mut self.listen {
            listen.password(password);
        }
        self
    }

    /// With the certificates in this PEM file as the only ones trusted, instead of the machine's.
    #[must_use]
    pub fn root_certificates(mut self, file: impl Into<PathBuf>) -> Self {
        self.root_certificates = Some(file.into());
        self
    }

    /// With at most so many connections at a time, besides the one that listens; 8 unless said otherwise, 1 at least.
    #[must_use]
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = most.max(1);
        self
    }

    /// With this much time for a call as a whole: to wait for a connection, to make one, and for the server's answers. Ten
    /// seconds unless said otherwise.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Only checks that the tables are there and current: for a role that may not create them. The role that owns them
    /// calls [`migrate`](crate::migrate) before.
    #[must_use]
    pub fn without_migrating(mut self) -> Self {
        self.migrate = false;
        self
    }

    /// Without hints: other replicas' commits are seen at the next look, a second later at most. Saves one connection.
    #[must_use]
    pub fn without_hints(mut self) -> Self {
        self.hints = false;
        self
    }

    /// Listens for hints at this address instead: behind a transaction-mode pooler, `LISTEN` needs the server itself.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn listen_at(mut self, address: &str) -> Result<Self, StoreError> {
        let mut listen = parse(address)?;
        if let (None, Some(password)) = (listen.get_password(), self.config.get_password()) {
            listen.password(password);
        }
        self.listen = Some(listen);
        Ok(self)
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("hosts", &self.config.get_hosts().iter().map(shown).collect::<Vec<_>>())
            .field("database", &self.config.get_dbname())
            .field("connections", &self.connections)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

fn parse(address: &str) -> Result<Config, StoreError> {
    let mut config: Config = address.parse().map_err(|error: tokio_postgres::Error| {
        // Its own words may quote the address; only the kind of mistake is safe to show.
        let key = std::error::Error::source(&error).is_some();
        let what = if key { "a key or a value in it is not known" } else { "it can't be read" };
        StoreError::new(StoreTrouble::Foreign, "read the address").caused_by(what)
    })?;
    if config.get_ssl_mode() == SslMode::Prefer {
        let local = config.get_hosts().iter().all(is_local);
        config.ssl_mode(if local { SslMode::Disable } else { SslMode::Require });
    }
    if config.get_application_name().is_none() {
        config.application_name("incident");
    }
    config.connect_timeout(Duration::from_secs(5));
    config.keepalives_idle(Duration::from_secs(30));
    config.tcp_user_timeout(Duration::from_secs(30));
    Ok(config)
}

/// A host as `Debug` shows it. What isn't the name of one may be the end of a password with an `@` in it.
fn shown(host: &Host) -> &str {
    let name = match host {
        Host::Tcp(name) => &**name,
        #[cfg(unix)]
        Host::Unix(path) => path.to_str().unwrap_or("…"),
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:/[]".contains(&byte);
    if name.bytes().all(is_name) { name } else { "…" }
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_machine_is_encrypted_unless_said_otherwise() {
        for (address, mode) in [
            ("host=db.internal user=u", SslMode::Require),
            ("postgresql://u@10.0.0.7/incident", SslMode::Require),
            ("host=db.internal sslmode=prefer", SslMode::Require),
            ("host=db.internal sslmode=disable", SslMode::Disable),
            ("host=127.0.0.1", SslMode::Disable),
            ("host=localhost sslmode=require", SslMode::Require),
            ("host=/var/run/postgresql", SslMode::Disable),
            ("host=localhost,db.internal", SslMode::Require),
        ] {
            assert_eq!(Options::new(address).unwrap().config.get_ssl_mode(), mode, "{address}");
        }
    }

    #[test]
    fn a_password_is_shown_nowhere() {
        let options = Options::new("postgresql://u:sesame@db/x").unwrap().password("hunter2");
        let debug = format!("{options:?}");
        assert!(!debug.contains("sesame") && !debug.contains("hunter2"), "{debug}");
        let split = format!("{:?}", Options::new("postgresql://u:open@sesame@db/x").unwrap());
        assert!(!split.contains("sesame"), "{split}");
        for wrong in ["host=x passwort=sesame", "postgresql://u:sesame@db:port/x", "sesame"] {
            let error = Options::new(wrong).unwrap_err();
            let shown = format!("{error:?} {error} {:?}", error.source.as_ref().map(ToString::to_string));
            assert!(!shown.contains("sesame"), "{shown}");
        }
    }
}
