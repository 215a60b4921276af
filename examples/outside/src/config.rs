//! `type = "desk"`: the ports of one folder.

use std::path::PathBuf;

use async_trait::async_trait;
use incident_core::config::{AdapterConfig, BuildContext, ConfigError, Ports};

use crate::{Cards, Journal, Lamp, Switch};

/// What is written down. A misspelt key is an error, not a default.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeskConfig {
    folder: PathBuf,
}

#[typetag::deserialize(name = "desk")]
#[async_trait]
impl AdapterConfig for DeskConfig {
    async fn build(self: Box<Self>, cx: &BuildContext) -> Result<Ports, ConfigError> {
        let folder = cx.base.join(self.folder);
        Ok(Ports::new()
            .with_notifier(Journal(folder.join("journal.txt")))
            .with_tracker(Cards(folder.join("cards")))
            .with_mitigator(Switch(folder.join("switch.json")))
            .with_probe("lamp", Lamp(folder.join("lamp.txt"))))
    }
}
