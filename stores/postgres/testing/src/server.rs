//! A PostgreSQL.

use std::fs::Permissions;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use crate::guard;
use crate::{find, free_port, log, program};

/// A PostgreSQL with nothing in it. Nobody needs a password; it keeps its promises against a killed process, not against
/// a machine that loses power.
#[derive(Debug)]
pub struct Server {
    folder: TempDir,
    port: u16,
    running: Mutex<Child>,
    databases: AtomicU32,
}

impl Server {
    /// Whether this machine has what [`start`](Self::start) needs.
    #[must_use]
    pub fn is_installed() -> bool {
        let needed = ["initdb", "postgres", "pg_isready", "psql", "setpriv", "kill"];
        needed.iter().all(|name| find(name).is_some())
    }

    /// Makes one and starts it.
    ///
    /// # Panics
    /// If PostgreSQL isn't installed, saying what to install, or doesn't start, with its own words.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&["fsync=off", "full_page_writes=off"], &[])
    }

    /// As [`start`](Self::start), on a disk that is synced as in production.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[must_use]
    pub fn durable() -> Self {
        Self::start_with(&[], &[])
    }

    /// As [`start`](Self::start), with this certificate and key, both as PEM.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[must_use]
    pub fn encrypted(certificate: &str, key: &str) -> Self {
        let settings = ["fsync=off", "ssl=on", "ssl_cert_file='server.crt'", "ssl_key_file='server.key'"];
        Self::start_with(&settings, &[("server.crt", certificate), ("server.key", key)])
    }

    /// As [`start`](Self::start), and it asks everybody for a password; `postgres` has none, so it lets nobody in.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[must_use]
    pub fn guarded() -> Self {
        Self::start_with(&["fsync=off"], &[("pg_hba.conf", "host all all 127.0.0.1/32 scram-sha-256\n")])
    }

    fn start_with(settings: &[&str], files: &[(&str, &str)]) -> Self {
        let folder =
            tempfile::Builder::new().prefix("incident-pg").tempdir().expect("the machine has a folder");
        guard::hand_over(folder.path());
        let data = folder.path().join("data");
        let mut init = guard::command(&program("initdb", "postgresql"));
        init.args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
            "-D",
        ]);
        let output = init.arg(&data).current_dir(folder.path()).output().expect("initdb can be started");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        let mut conf = String::from("listen_addresses = '127.0.0.1'\nmax_connections = 200\n");
        for setting in settings {
            conf.push_str(&format!("{}\n", setting.replace('=', " = ")));
        }
        conf.push_str(&format!("unix_socket_directories = '{}'\n", folder.path().display()));
        for (name, text) in [("postgresql.auto.conf", &*conf)].iter().chain(files) {
            let file = data.join(name);
            std::fs::write(&file, text).expect("the folder is ours");
            std::fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("the file is ours");
            guard::hand_over(&file);
        }
        let port = free_port();
        let running = Mutex::new(launch(&folder, port));
        let server = Self { folder, port, running, databases: AtomicU32::new(0) };
        assert!(server.is_ready(), "PostgreSQL doesn't start: {}", log(&server.log_file()));
        server
    }

    /// The port on loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of `database`, as its owner.
    #[must_use]
    pub fn address(&self, database: &str) -> String {
        format!("host=127.0.0.1 port={} user=postgres dbname={database}", self.port)
    }

    /// A database with nothing in it; its name.
    ///
    /// # Panics
    /// If the server doesn't make it.
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.run("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// Runs SQL on `database`, as the owner of everything; what it printed.
    ///
    /// # Panics
    /// If the server refuses it, with its own words.
    pub fn run(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new(program("psql", "postgresql-client"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "postgres"]);
        let output = psql.args(["-p", &self.port.to_string(), "-d", database, "-c", sql]).output();
        let output = output.expect("psql can be started");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Kills the server as a machine that dies does, and starts it again on what is on the disk.
    ///
    /// # Panics
    /// If it doesn't come back.
    pub fn crash_and_restart(&self) {
        let mut running = self.running.lock().expect("nobody panics while starting");
        let pid = std::fs::read_to_string(self.folder.path().join("data/postmaster.pid")).expect("it runs");
        let pid = pid.lines().next().and_then(|pid| pid.parse().ok()).expect("the first line is its number");
        guard::signal("-KILL", pid);
        running.wait().expect("it is ours");
        drop(running);
        // Its children keep its memory for a moment, and a new server won't start beside them.
        for _ in 0..100 {
            *self.running.lock().expect("nobody panics while starting") = launch(&self.folder, self.port);
            if self.is_ready() {
                return;
            }
        }
        panic!("PostgreSQL doesn't come back: {}", log(&self.log_file()));
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Waits until it answers; false if it ended instead.
    fn is_ready(&self) -> bool {
        let ready = program("pg_isready", "postgresql-client");
        loop {
            let mut ask = Command::new(&ready);
            ask.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
            // It answers by its exit code, after waiting for the server itself.
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok()
                && ask.status().is_ok_and(|it| it.success())
            {
                return true;
            }
            let ended = self.running.lock().expect("nobody panics while starting").try_wait();
            if !matches!(ended, Ok(None)) {
                return false;
            }
            std::thread::yield_now();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(running) = self.running.get_mut() {
            guard::end(running);
        }
    }
}

fn launch(folder: &TempDir, port: u16) -> Child {
    let data = folder.path().join("data");
    // A server that was killed leaves this behind, and another process may have its number by now.
    let _ = std::fs::remove_file(data.join("postmaster.pid"));
    let log = std::fs::File::options().create(true).append(true).open(folder.path().join("log"));
    let mut postgres = guard::kept(folder.path(), &program("postgres", "postgresql"));
    postgres.args(["-p", &port.to_string(), "-D"]).arg(&data);
    postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.expect("the folder is ours"));
    guard::start(postgres)
}
