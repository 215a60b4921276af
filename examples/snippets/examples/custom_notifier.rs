//! A notifier of your own: registered in code, and found by its `type` in settings.
//!
//! `cargo run -p incident-snippets --example custom_notifier`

use std::error::Error;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use incident_core::config::{AdapterConfig, BuildContext, ConfigError};
use incident_core::model::effect::Receipt;
use incident_core::model::notice::Notice;
use incident_core::model::time;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, EffectContext, ErrorKind, Found, Notifier, Preflight,
    PreflightContext, Repeat,
};
use incident_core::store::MemoryStore;
use incident_core::{Actor, Declare, Engine, EngineBuilder, Ports, Settings};
use serde::Deserialize;

/// Appends a line for each notice to a file that a sign on the wall shows.
#[derive(Debug)]
struct Sign {
    file: PathBuf,
}

#[async_trait]
impl Adapter for Sign {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("sign")
    }

    async fn preflight(&self, _cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        let folder = self.file.parent().is_some_and(Path::is_dir);
        let preflight = Preflight::default();
        Ok(if folder {
            preflight.good("the sign is there")
        } else {
            preflight.bad("no sign", "create its folder")
        })
    }
}

#[async_trait]
impl Notifier for Sign {
    /// Each line carries the effect's id, so the engine may ask before it repeats one.
    fn repeat(&self, _notice: &Notice) -> Repeat {
        Repeat::Lookup
    }

    /// Called once; if it fails, the engine decides what comes next. `headline` is free of mentions and control characters.
    async fn deliver(&self, cx: &EffectContext, notice: &Notice) -> Result<Receipt, AdapterError> {
        let opened = OpenOptions::new().create(true).append(true).open(&self.file);
        // Nothing was written for sure: say so, and the engine needn't look.
        let mut file = opened.map_err(|error| failed("open the sign's file", error).not_applied())?;
        let line = format!("{} {}\n", cx.effect, notice.headline());
        file.write_all(line.as_bytes()).map_err(|error| failed("write on the sign", error))?;
        Ok(Receipt::new(&cx.effect.to_string()))
    }

    /// Asked after a crash or a lost answer, when nobody knows whether `deliver` did its work.
    async fn find(&self, cx: &EffectContext, _notice: &Notice) -> Result<Found<Receipt>, AdapterError> {
        let effect = cx.effect.to_string();
        match std::fs::read_to_string(&self.file) {
            Ok(text) if text.lines().any(|line| line.split(' ').next() == Some(&effect)) => {
                Ok(Found::Yes(Receipt::new(&effect)))
            }
            Ok(_) => Ok(Found::No),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::No),
            Err(error) => Err(failed("read the sign's file", error)),
        }
    }
}

/// Unless an error says otherwise, the notice may have been delivered.
fn failed(operation: &'static str, error: io::Error) -> AdapterError {
    AdapterError::new(ErrorKind::Unavailable, operation).caused_by(error)
}

/// What follows `type = "sign"` in the settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignConfig {
    file: PathBuf,
}

#[typetag::deserialize(name = "sign")]
#[async_trait]
impl AdapterConfig for SignConfig {
    async fn build(self: Box<Self>, cx: &BuildContext) -> Result<Ports, ConfigError> {
        Ok(Ports::new().with_notifier(Sign { file: cx.base.join(&self.file) }))
    }
}

const SETTINGS: &str = r#"
[live.adapters.wall]
type = "sign"
file = "sign.txt"

[[live.routes]]
adapter = "wall"
audiences = ["responders", "team"]
"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (code, settings) = (in_code(folder.path()).await?, from_settings(folder.path()).await?);
    write!(io::stdout(), "{code}{settings}")?;
    Ok(())
}

/// Registered in code, without a word of configuration.
pub(crate) async fn in_code(folder: &Path) -> Result<String, Box<dyn Error>> {
    let file = folder.join("code.txt");
    let ports = Ports::new().with_notifier(Sign { file: file.clone() });
    let builder = Engine::builder(MemoryStore::new()).ports("wall", ports);
    tell(builder.route("wall", &["responders", "team"]), &file).await
}

/// The same adapter, from TOML.
pub(crate) async fn from_settings(folder: &Path) -> Result<String, Box<dyn Error>> {
    let built = Settings::from_toml(SETTINGS)?.build(folder).await?;
    tell(Engine::builder(MemoryStore::new()).configured(built), &folder.join("sign.txt")).await
}

/// Declares an incident and lets the engine do what is due; what the sign shows then.
async fn tell(builder: EngineBuilder, file: &Path) -> Result<String, Box<dyn Error>> {
    let engine = builder.build()?;
    assert!(engine.preflight().await.is_good());
    engine.declare(Actor::human("slack", "U024BE7LH"), Declare::new("Checkout fails @here")).await?;
    engine.tick(time::after(engine.now(), Duration::from_secs(10))).await?;
    Ok(std::fs::read_to_string(file)?)
}
