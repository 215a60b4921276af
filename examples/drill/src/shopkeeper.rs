//! Keeps the shop open in a process of its own, breaks it, and looks after its health as a monitor would.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use incident_core::model::id::IncidentId;
use incident_core::model::side::Side;
use incident_core::model::signal::{Detection, Signal};
use incident_core::model::time::Time;
use incident_core::port::{Colour, Probe, ReadContext};
use incident_core::runtime::Engine;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::args::Pace;
use crate::evidence::ShopEvidence;
use crate::shop::NEW_PRICING;

/// The shop's process, and where it listens.
pub(crate) struct Shopkeeper {
    child: Option<Child>,
    pub(crate) port: u16,
}

impl Shopkeeper {
    /// Finds the shop open, or opens it, at the port it had before.
    pub(crate) async fn open(dir: &Path, pace: Pace) -> Result<Self, Box<dyn Error>> {
        let port_file = dir.join("shop.port");
        let before = std::fs::read_to_string(&port_file).ok().and_then(|port| port.trim().parse().ok());
        if let Some(port) = before
            && TcpStream::connect(("127.0.0.1", port)).await.is_ok()
        {
            return Ok(Self { child: None, port });
        }
        let _ = std::fs::remove_file(&port_file);
        let (window, rate, slow) = match pace {
            Pace::Normal => ("2s", "60", "400ms"),
            Pace::Fast => ("250ms", "200", "20ms"),
        };
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["shop", "--window", window, "--rate", rate, "--slow", slow, "--lifetime", "10m"]);
        command.args(["--port", &before.unwrap_or(0).to_string(), "--port-file"]).arg(&port_file);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let port = wait_for(port_file).await?;
        Ok(Self { child: Some(child), port })
    }

    /// Turns the defect on.
    pub(crate) async fn break_it(&self) -> io::Result<()> {
        let body = "{\"value\":true}";
        let request = format!(
            "PUT /flags/{NEW_PRICING} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        if answer.starts_with("HTTP/1.1 200") {
            Ok(())
        } else {
            Err(io::Error::other("the shop can't be broken"))
        }
    }

    /// Closes the shop, also one that an earlier run opened.
    ///
    /// What was done to its flag is kept beside the rest, for whoever wants to see that it was done once. A run that was
    /// killed while it closed kept it already, and the shop of this run knows nothing of it.
    pub(crate) async fn close(mut self, dir: &Path) -> io::Result<()> {
        let kept = dir.join("shop-changes.json");
        if !kept.exists() {
            let changes = ShopEvidence { port: self.port }.get("/flags/new-pricing/changes").await?;
            write_whole(&kept, &changes)?;
        }
        std::fs::remove_file(dir.join("shop.port"))?;
        if let Some(child) = &mut self.child {
            child.wait()?;
        }
        Ok(())
    }
}

/// Completes once `port_file` is gone: the sign to close.
pub(crate) async fn gone(port_file: PathBuf) {
    while port_file.exists() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn wait_for(port_file: PathBuf) -> io::Result<u16> {
    for _ in 0..500 {
        if let Some(port) = std::fs::read_to_string(&port_file).ok().and_then(|port| port.trim().parse().ok())
        {
            return Ok(port);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(io::Error::other("the shop didn't open within 5 s"))
}

/// Writes `text` so that whoever waits for the file never reads a part of it.
pub(crate) fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let part = file.with_extension("part");
    std::fs::write(&part, text)?;
    std::fs::rename(part, file)
}

/// Watches the shop as a monitor does: an alert when it turns ill, another when it is well again.
pub(crate) async fn monitor(engine: Engine, probe: Arc<dyn Probe>, every: Duration) {
    let nobody = IncidentId::new(Time::UNIX_EPOCH, [0; 16]);
    let mut last = None;
    loop {
        let now = engine.now();
        let seen = probe.look(&ReadContext::new(nobody, now)).await.map(|reading| reading.colour);
        let seen = seen.unwrap_or(Colour::Red);
        if last != Some(seen) {
            let alert =
                Signal::firing("checkout/health", "checkout fails its health check", Detection::HealthCheck)
                    .with_label("service", "checkout")
                    .with_label("severity", "error")
                    .started_at(now);
            let alert = if seen == Colour::Green { alert.resolved() } else { alert };
            if engine.ingest_for(Side::Drill, "monitor", vec![alert]).await.is_ok() {
                last = Some(seen);
            }
        }
        tokio::time::sleep(every).await;
    }
}
