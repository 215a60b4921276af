//! A collector of this drill's own: what the shop says of itself while it is ill.

use async_trait::async_trait;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, Capture, Collector, ErrorKind, Preflight, PreflightContext,
    ReadContext,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Takes down the shop's health and the changes of its flag.
#[derive(Debug)]
pub(crate) struct ShopEvidence {
    pub(crate) port: u16,
}

impl ShopEvidence {
    pub(crate) async fn get(&self, path: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.take(64 * 1024).read_to_string(&mut answer).await?;
        Ok(answer.split_once("\r\n\r\n").map_or(answer.clone(), |(_, body)| body.to_owned()))
    }
}

#[async_trait]
impl Adapter for ShopEvidence {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("shop")
    }

    async fn preflight(&self, _cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        Ok(Preflight::default())
    }
}

#[async_trait]
impl Collector for ShopEvidence {
    async fn collect(&self, _cx: &ReadContext) -> Result<Vec<Capture>, AdapterError> {
        let mut captures = Vec::new();
        for (name, path) in [("health", "/health"), ("flag-changes", "/flags/new-pricing/changes")] {
            let body = self.get(path).await;
            let body = body.map_err(|error| {
                AdapterError::new(ErrorKind::Unavailable, "ask the shop").caused_by(error)
            })?;
            captures.push(Capture::text(name, &body));
        }
        Ok(captures)
    }
}
