//! Notices as lines of a file.

use std::{fs, io, io::Write, path::PathBuf};

use async_trait::async_trait;
use incident_core::config::{AdapterConfig, BuildContext, ConfigError, Ports};
use incident_core::domain::{Notice, Receipt};
use incident_core::port::*;

#[derive(Debug)]
pub struct Journal(pub PathBuf);

#[async_trait]
impl Adapter for Journal {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("journal")
    }

    async fn preflight(&self, _: &PreflightContext) -> Result<Preflight, AdapterError> {
        let there = self.0.parent().is_some_and(|folder| folder.is_dir());
        let found = Preflight::default();
        Ok(if there { found.good("its folder") } else { found.bad("its folder", "create it") })
    }
}

#[async_trait]
impl Notifier for Journal {
    fn repeat(&self, _: &Notice) -> Repeat {
        Repeat::Lookup
    }

    async fn deliver(&self, cx: &EffectContext, notice: &Notice) -> Result<Receipt, AdapterError> {
        let file = fs::OpenOptions::new().create(true).append(true).open(&self.0);
        let mut file = file.map_err(|error| failed("open the journal", error).not_applied())?;
        let line = format!("{} {}\n", cx.effect, notice.to_text().replace('\n', " / "));
        file.write_all(line.as_bytes()).map_err(|error| failed("write the journal", error))?;
        Ok(Receipt::new(&cx.effect.to_string()))
    }

    async fn find(&self, cx: &EffectContext, _: &Notice) -> Result<Found<Receipt>, AdapterError> {
        let text = match fs::read_to_string(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::No),
            read => read.map_err(|error| failed("read the journal", error))?,
        };
        let effect = cx.effect.to_string();
        let there = text.lines().any(|line| line.starts_with(&effect));
        Ok(if there { Found::Yes(Receipt::new(&effect)) } else { Found::No })
    }
}

fn failed(operation: &'static str, error: io::Error) -> AdapterError {
    AdapterError::new(ErrorKind::Unavailable, operation).caused_by(error)
}

#[derive(Debug, serde::Deserialize)]
struct JournalConfig {
    path: PathBuf,
}

#[typetag::deserialize(name = "journal")]
#[async_trait]
impl AdapterConfig for JournalConfig {
    async fn build(self: Box<Self>, cx: &BuildContext) -> Result<Ports, ConfigError> {
        Ok(Ports::new().with_notifier(Journal(cx.base.join(self.path))))
    }
}
