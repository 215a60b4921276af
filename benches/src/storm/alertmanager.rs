//! Debian's Alertmanager on loopback, which sends a group's first notice at once.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;

const PROGRAMS: [&str; 2] = ["prometheus-alertmanager", "alertmanager"];

/// A running Alertmanager. It ends with this.
#[derive(Debug)]
pub struct Alertmanager {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Alertmanager {
    /// The program, if it's installed.
    #[must_use]
    pub fn program() -> Option<&'static str> {
        PROGRAMS.into_iter().find(|program| {
            let mut version = Command::new(program);
            version.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            version.status().is_ok()
        })
    }

    /// Its version in a word or two.
    #[must_use]
    pub fn version() -> Option<String> {
        let out = Command::new(Self::program()?).arg("--version").output().ok()?;
        let text =
            [out.stdout, out.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        let version = text.split("version ").nth(1)?.split_whitespace().next()?;
        Some(format!("Alertmanager {version}"))
    }

    /// Starts it; its notices go to `sink`.
    ///
    /// # Errors
    /// Why it doesn't start.
    pub async fn start(sink: SocketAddr) -> Result<Self, String> {
        let program = Self::program()
            .ok_or("Alertmanager isn't installed (Debian: prometheus-alertmanager)".to_owned())?;
        let folder = TempDir::new().map_err(|error| error.to_string())?;
        let config = format!(
            "route:\n  receiver: sink\n  group_by: [service]\n  group_wait: 0s\n  group_interval: 5m\n  \
             repeat_interval: 4h\nreceivers:\n  - name: sink\n    webhook_configs:\n      - url: http://{sink}/\n"
        );
        let file = folder.path().join("alertmanager.yml");
        fs::write(&file, config).map_err(|error| error.to_string())?;
        let free = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
        let address = free.map_err(|error| error.to_string())?;
        // It ends with this process, however that ends.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", program])
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", folder.path().display()))
            .arg(format!("--web.listen-address={address}"))
            .args(["--cluster.listen-address=", "--log.level=error"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let started = Self { child, address, _folder: folder };
        for _ in 0..200 {
            if TcpStream::connect(address).await.is_ok() {
                return Ok(started);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("Alertmanager doesn't listen after ten seconds".to_owned())
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
