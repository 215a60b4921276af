//! Notices as lines of a file.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use incident_core::model::inert;
use incident_core::model::effect::Receipt;
use incident_core::model::notice::Notice;
use incident_core::port::*;
use tokio::fs::OpenOptions;
use tokio::io::AsyncWriteExt;

use crate::file::{self, failed};

#[derive(Debug)]
pub struct Journal(pub PathBuf);

#[async_trait]
impl Adapter for Journal {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("journal")
    }

    async fn preflight(&self, _: &PreflightContext) -> Result<Preflight, AdapterError> {
        Ok(file::preflight(self.0.parent().unwrap_or(Path::new("."))).await)
    }
}

#[async_trait]
impl Notifier for Journal {
    fn repeat(&self, _: &Notice) -> Repeat {
        Repeat::Lookup
    }

    async fn deliver(&self, cx: &EffectContext, notice: &Notice) -> Result<Receipt, AdapterError> {
        let file = OpenOptions::new().create(true).append(true).open(&self.0).await;
        let mut file = file.map_err(|error| failed("open the journal", error).not_applied())?;
        // The effect's id comes first, so that `find` recognises it; `inert::line` keeps hostile text on its line.
        let line = format!("{} {}\n", cx.effect, inert::line(&notice.to_text()));
        file.write_all(line.as_bytes()).await.map_err(|error| failed("write the journal", error))?;
        file.flush().await.map_err(|error| failed("write the journal", error))?;
        Ok(Receipt::new(&cx.effect.to_string()))
    }

    async fn find(&self, cx: &EffectContext, _: &Notice) -> Result<Found<Receipt>, AdapterError> {
        let text = file::read(&self.0).await?.unwrap_or_default();
        let effect = cx.effect.to_string();
        let there = text.lines().any(|line| line.split(' ').next() == Some(&effect));
        Ok(if there { Found::Yes(Receipt::new(&effect)) } else { Found::No })
    }
}
