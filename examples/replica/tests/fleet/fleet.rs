//! Real replicas: started, killed, stopped, and started again.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use incident_core::config::Settings;
use incident_core::runtime::Engine;
use incident_postgres::{Options, PostgresStore};
use incident_postgres_testing::{Relay, Server};
use tempfile::TempDir;

use crate::backend::Backend;

pub(crate) const LEASE: Duration = Duration::from_millis(1_500);

/// How many flags there are to switch.
pub(crate) const FLAGS: usize = 40;

/// Hours as seconds, and nothing that only a person or a probe could say.
const RUNBOOK: &str = r#"
[severities.sev2]
respond_within = { elapsed = "4s" }
update_every = "3s"

[escalation]
every = "2s"

[reminders]
before_update = "1s"

[recovery.checks]
pods-ready = false
health = false
error-rate = false
latency-p95 = false

[safety]
cooldown = "1s"
budget_per_hour = 1000

[persons.alice]
name = "Alice"
identities = ["chat:alice"]

[persons.bob]
name = "Bob"
identities = ["chat:bob"]
"#;

/// Replicas on one database, and the world around them.
pub(crate) struct Fleet {
    pub(crate) server: Server,
    pub(crate) database: String,
    pub(crate) relay: Relay,
    pub(crate) backend: Backend,
    pub(crate) folder: TempDir,
    pub(crate) replicas: Vec<Option<Child>>,
}

impl Fleet {
    pub(crate) async fn with(server: Server, replicas: usize) -> Self {
        let database = server.database();
        let (relay, backend) = (Relay::to(server.port()), Backend::start().await);
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("runbook.toml", RUNBOOK);
        write("key", "a key that the receiver knows, too");
        write("settings.toml", &settings(backend.port, &folder.path().join("key")));
        let mut fleet = Self { server, database, relay, backend, folder, replicas: Vec::new() };
        for n in 0..replicas {
            fleet.replicas.push(None);
            fleet.start(n);
        }
        fleet
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("settings.toml")
    }

    /// Starts replica `n`; the first reaches the database over a line that can be cut.
    pub(crate) fn start(&mut self, n: usize) {
        let mut address = self.server.address(&self.database);
        if n == 0 {
            address = address.replace(&self.server.port().to_string(), &self.relay.port().to_string());
        }
        let log = std::fs::File::options().create(true).append(true).open(self.folder.path().join("log"));
        let mut replica = Command::new(env!("CARGO_BIN_EXE_replica"));
        replica.args(["--database", &address, "--worker", &format!("replica-{n}")]);
        replica.arg("--settings").arg(self.settings());
        replica.args(["--lease", &format!("{}ms", LEASE.as_millis())]);
        let child = replica.stdin(Stdio::null()).stderr(log.unwrap()).spawn();
        self.replicas[n] = Some(child.unwrap());
    }

    pub(crate) fn kill(&mut self, n: usize) {
        if let Some(mut child) = self.replicas[n].take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts what ended by itself: the database was away when it came up.
    pub(crate) fn revive(&mut self) {
        for n in 0..self.replicas.len() {
            let ended = self.replicas[n].as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)));
            if ended {
                self.start(n);
            }
        }
    }

    /// Sends a signal to replica `n`.
    pub(crate) fn signal(&self, n: usize, signal: &str) {
        if let Some(child) = &self.replicas[n] {
            Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        }
    }

    /// An engine that takes people's commands, and carries nothing out itself.
    pub(crate) async fn desk(&self) -> Engine {
        incident_http::register();
        let text = std::fs::read_to_string(self.settings()).unwrap();
        let built = Settings::from_toml(&text).unwrap().build(self.folder.path()).await.unwrap();
        let options = Options::new(&self.server.address(&self.database)).unwrap().connections(12);
        let store = PostgresStore::open(options).await.unwrap();
        Engine::builder(store).configured(built).worker("desk").lease(LEASE).build().unwrap()
    }

    pub(crate) fn tickets(&self) -> Vec<String> {
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        let files = std::fs::read_dir(self.folder.path().join("tickets")).into_iter().flatten().flatten();
        let tickets =
            files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|it| it == "md"));
        tickets.map(|path| read(&path)).collect()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for n in 0..self.replicas.len() {
            self.kill(n);
        }
    }
}

fn settings(port: u16, key: &Path) -> String {
    let key = key.display();
    let mut text = format!(
        r#"
runbook = "runbook.toml"

[live]
tracker = "tickets"

[live.adapters.tickets]
type = "folder"
path = "tickets"

[live.adapters.room]
type = "http"
base_url = "http://127.0.0.1:{port}"
connect_timeout = "300ms"
timeout = "1s"
webhook = {{ path = "/notices/room", secret = {{ file = "{key}" }}, dedupes_for = "1h" }}

[live.adapters.pager]
type = "http"
base_url = "http://127.0.0.1:{port}"
connect_timeout = "300ms"
timeout = "1s"
webhook = {{ path = "/notices/pager", secret = {{ file = "{key}" }} }}

[[live.routes]]
adapter = "pager"
audiences = ["responders"]

[[live.routes]]
adapter = "room"
audiences = ["team", "leadership", "executives", "staff", "customers", "public", "caretaker"]

[live.adapters.shop]
type = "http"
base_url = "http://127.0.0.1:{port}"
connect_timeout = "300ms"
timeout = "1s"
"#
    );
    for flag in 0..FLAGS {
        text.push_str(&format!(
            r#"
[live.adapters.shop.mitigations.features.flag-{flag}]
read = {{ path = "/flags/flag-{flag}", value = "/value", version = "/version", receipt = "/effect", etag = true }}
on = {{ method = "PUT", path = "/flags/flag-{flag}", body = {{ value = true }} }}
off = {{ method = "PUT", path = "/flags/flag-{flag}", body = {{ value = false }} }}
verify = {{ again = "100ms", within = "10s" }}
"#
        ));
    }
    text
}
