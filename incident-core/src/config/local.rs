//! The configuration of the local adapters.

use std::path::PathBuf;

use async_trait::async_trait;
use serde::Deserialize;

use super::adapter::{AdapterConfig, BuildContext, ConfigError, Ports};
use crate::local::{Console, Folder};

/// Notices on standard output or in a file, and a record of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsoleConfig {
    /// The file that notices are appended to as text; standard output by default.
    #[serde(default)]
    file: Option<PathBuf>,
    /// The file that gets a line of JSON for each notice, so that none is delivered twice.
    #[serde(default)]
    record: Option<PathBuf>,
}

#[typetag::deserialize(name = "console")]
#[async_trait]
impl AdapterConfig for ConsoleConfig {
    async fn build(self: Box<Self>, cx: &BuildContext) -> Result<Ports, ConfigError> {
        let console = match &self.file {
            Some(file) => {
                let file = cx.base.join(file);
                let writable = std::fs::OpenOptions::new().create(true).append(true).open(&file);
                writable.map_err(|error| ConfigError {
                    source: Some(Box::new(error)),
                    ..ConfigError::new("file", "it can't be written")
                })?;
                Console::file(file)
            }
            None => Console::stdout(),
        };
        let console = match &self.record {
            Some(record) => console.with_record(cx.base.join(record)),
            None => console,
        };
        Ok(Ports::new().with_notifier(console))
    }
}

/// Tickets in a folder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FolderConfig {
    /// The folder.
    path: PathBuf,
}

#[typetag::deserialize(name = "folder")]
#[async_trait]
impl AdapterConfig for FolderConfig {
    async fn build(self: Box<Self>, cx: &BuildContext) -> Result<Ports, ConfigError> {
        Ok(Ports::new().with_tracker(Folder::new(cx.base.join(&self.path))))
    }
}
