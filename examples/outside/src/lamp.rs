//! A lamp that shows health: a file that says `green` or something else.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use incident_core::model::inert;
use incident_core::port::*;

use crate::file;

#[derive(Debug)]
pub struct Lamp(pub PathBuf);

#[async_trait]
impl Adapter for Lamp {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("lamp")
    }

    async fn preflight(&self, _: &PreflightContext) -> Result<Preflight, AdapterError> {
        Ok(file::preflight(self.0.parent().unwrap_or(Path::new("."))).await)
    }
}

#[async_trait]
impl Probe for Lamp {
    async fn look(&self, _: &ReadContext) -> Result<Reading, AdapterError> {
        // A file that isn't there is neither well nor unwell.
        let Some(text) = file::read(&self.0).await? else { return Ok(Reading::unknown("there is no lamp")) };
        Ok(match text.trim() {
            "green" => Reading::green("the lamp is green"),
            other => Reading::red(&inert::clip(&inert::line(other), 64)),
        })
    }
}
