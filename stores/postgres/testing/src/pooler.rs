//! A PgBouncer before a PostgreSQL.

use std::net::TcpStream;
use std::process::{Child, Stdio};

use tempfile::TempDir;

use crate::guard;
use crate::server::Server;
use crate::{free_port, log, program};

/// A PgBouncer that hands a connection to the server out for the length of a transaction.
#[derive(Debug)]
pub struct Pooler {
    folder: TempDir,
    port: u16,
    running: Child,
}

impl Pooler {
    /// Starts one before `server`.
    ///
    /// # Panics
    /// If PgBouncer isn't installed, saying what to install, or doesn't start, with its own words.
    #[must_use]
    pub fn start(server: &Server) -> Self {
        let folder =
            tempfile::Builder::new().prefix("incident-pgb").tempdir().expect("the machine has a folder");
        let port = free_port();
        // Few connections to the server for many to the pooler, so that transactions do change places.
        let conf = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 3\n\
             max_client_conn = 500\nlogfile =\npidfile =\n",
            server.port()
        )
        .replace("* = host", "* = user=postgres host");
        std::fs::write(folder.path().join("pgbouncer.ini"), conf).expect("the folder is ours");
        guard::hand_over(folder.path());
        let log_file = folder.path().join("log");
        let out = std::fs::File::create(&log_file).expect("the folder is ours");
        let mut pgbouncer = guard::kept(folder.path(), &program("pgbouncer", "pgbouncer"));
        pgbouncer.arg(folder.path().join("pgbouncer.ini"));
        pgbouncer.stdin(Stdio::null()).stdout(Stdio::null()).stderr(out);
        let mut running = guard::start(pgbouncer);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let alive = matches!(running.try_wait(), Ok(None));
            assert!(alive, "PgBouncer doesn't start: {}", log(&log_file));
            std::thread::yield_now();
        }
        Self { folder, port, running }
    }

    /// The address of `database` behind the pooler.
    #[must_use]
    pub fn address(&self, database: &str) -> String {
        format!("host=127.0.0.1 port={} user=postgres dbname={database}", self.port)
    }

    /// What it wrote, for a failing test.
    #[must_use]
    pub fn log(&self) -> String {
        log(&self.folder.path().join("log"))
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        guard::end(&mut self.running);
    }
}
