//! The settings of an embedder: which adapters there are on each side, and which route reaches whom.

mod built;
mod error;
mod evidence;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use super::adapter::{AdapterConfig, BuildContext, ConfigError, Ports};
use super::hidden;
use crate::model::route::Route;
use crate::runbook::Runbook;
use crate::runbook::parse::node::Node;

pub use built::{Built, BuiltSide};
pub use error::SettingsError;
pub use evidence::{BuiltEvidence, EvidenceSettings};

/// Settings, read from TOML: which adapters there are on each side, and which route reaches whom.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Settings {
    /// The file with the runbook, laid over the default one; a relative path is meant from the settings' folder.
    #[serde(default)]
    pub runbook: Option<PathBuf>,
    /// Where evidence is kept: a folder, or a store that another crate brings; without either none is collected.
    #[serde(default)]
    pub evidence: Option<EvidenceSettings>,
    /// Whether an engine may start although no live route reaches anybody whom a page could wake.
    #[serde(default)]
    pub pages_nobody: bool,
    /// What live incidents reach.
    #[serde(default)]
    pub live: SideSettings,
    /// What drills reach: nothing that live incidents do.
    #[serde(default)]
    pub drill: SideSettings,
}

/// What incidents of one side reach.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct SideSettings {
    /// The backends, by a name of your own; each has a `type`, and the fields of that type.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, schema::Adapter>"))]
    pub adapters: BTreeMap<String, Box<dyn AdapterConfig>>,
    /// Which adapter carries notices to whom.
    #[serde(default)]
    pub routes: Vec<RouteSettings>,
    /// The adapter that keeps the tickets.
    #[serde(default)]
    pub tracker: Option<String>,
}

/// One way that notices take.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RouteSettings {
    /// The route's name; the adapter's by default.
    #[serde(default)]
    pub name: Option<String>,
    /// The adapter that carries the notices.
    pub adapter: String,
    /// Whom it reaches.
    pub audiences: Vec<String>,
    /// The route that carries a page if this one can't.
    #[serde(default)]
    pub fallback: Option<String>,
}

impl RouteSettings {
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.adapter)
    }
}

#[cfg(feature = "schema")]
mod schema {
    /// A backend: its type, and the fields of that type.
    #[derive(schemars::JsonSchema)]
    #[allow(dead_code, reason = "it is only described")]
    pub(super) struct Adapter {
        /// Which adapter: `console`, `folder`, `http` and what your crates add.
        r#type: String,
        /// The fields of that type.
        #[schemars(flatten)]
        fields: std::collections::BTreeMap<String, serde_json::Value>,
    }
}

impl Settings {
    /// Reads settings from TOML.
    ///
    /// ```
    /// # use incident_core::config::Settings;
    /// # let settings = Settings::from_toml(r#"
    /// runbook = "runbook.toml"          # laid over the default runbook
    /// evidence = "evidence"             # the folder that evidence is kept in
    ///
    /// [live]
    /// tracker = "tickets"
    ///
    /// [live.adapters]
    /// chat = { type = "console", record = "notices.jsonl" }
    /// tickets = { type = "folder", path = "tickets" }
    ///
    /// [[live.routes]]
    /// adapter = "chat"
    /// audiences = ["responders", "team", "caretaker"]
    /// # "#)?;
    /// # assert_eq!(settings.live.tracker.as_deref(), Some("tickets"));
    /// # Ok::<(), incident_core::config::SettingsError>(())
    /// ```
    ///
    /// # Errors
    /// [`SettingsError`] says the line, the field and what was expected; it never repeats a value, which may be a secret.
    pub fn from_toml(text: &str) -> Result<Self, SettingsError> {
        let table: Table = text.parse().map_err(|error| SettingsError::syntax(text, &error))?;
        Self::deserialize(Node(Value::Table(table))).map_err(|trouble| SettingsError::new(text, trouble))
    }

    /// Builds every adapter. Relative paths are meant from `base`.
    ///
    /// # Errors
    /// [`ConfigError`] names the field; nothing is connected to.
    pub async fn build(self, base: &Path) -> Result<Built, ConfigError> {
        let runbook = self.runbook.as_deref().map(|path| read_runbook(base, path)).transpose()?;
        let evidence = match self.evidence {
            Some(evidence) => Some(evidence.build(base).await?),
            None => None,
        };
        Ok(Built {
            runbook,
            evidence,
            pages_nobody: self.pages_nobody,
            live: self.live.build("live", base).await?,
            drill: self.drill.build("drill", base).await?,
        })
    }

    /// The JSON schema of the settings.
    #[cfg(feature = "schema")]
    #[must_use]
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }
}

impl SideSettings {
    async fn build(self, place: &str, base: &Path) -> Result<BuiltSide, ConfigError> {
        let mut ports = BTreeMap::new();
        for (name, config) in self.adapters {
            let built = config.build(&BuildContext::new(&name, base)).await;
            let shown = if hidden::is_field(&name) { &*name } else { "…" };
            let built = built.map_err(|error| error.within(&format!("{place}.adapters.{shown}")))?;
            ports.insert(name, built);
        }
        let (mut routes, mut names) = (Vec::new(), BTreeSet::new());
        for (at, route) in self.routes.into_iter().enumerate() {
            let delivers = |it: &Ports| it.notifier.is_some();
            if !ports.get(&route.adapter).is_some_and(delivers) {
                let problem = unnamed("delivers notices", &ports, delivers);
                return Err(ConfigError::new(&format!("{place}.routes[{at}].adapter"), &problem));
            }
            if !names.insert(route.name().to_owned()) {
                let problem = "an earlier route has this name; give each route a name of its own";
                return Err(ConfigError::new(&format!("{place}.routes[{at}].name"), problem));
            }
            let audiences: Vec<&str> = route.audiences.iter().map(String::as_str).collect();
            let mut built = Route::new(route.name(), &audiences);
            built.fallback.clone_from(&route.fallback);
            routes.push((built, route.adapter));
        }
        let keeps_tickets = |it: &Ports| it.tracker.is_some();
        if let Some(tracker) = &self.tracker
            && !ports.get(tracker).is_some_and(keeps_tickets)
        {
            let problem = unnamed("keeps tickets", &ports, keeps_tickets);
            return Err(ConfigError::new(&format!("{place}.tracker"), &problem));
        }
        Ok(BuiltSide { ports, routes, tracker: self.tracker })
    }
}

fn read_runbook(base: &Path, path: &Path) -> Result<Runbook, ConfigError> {
    let shown = path.to_str().filter(|path| hidden::is_path(path)).unwrap_or("the file named there");
    let text = std::fs::read_to_string(base.join(path)).map_err(|error| {
        let problem = format!(
            "{shown} can't be read: {}; a relative path starts at the settings' folder",
            error.kind()
        );
        ConfigError { source: Some(Box::new(error)), ..ConfigError::new("runbook", &problem) }
    })?;
    Runbook::from_toml(&text).map_err(|error| {
        ConfigError::new("runbook", &format!("{shown}, line {}: {}", error.line, error.problem))
    })
}

/// Why a name stands for no adapter that `does` what is asked of it, and which ones there are.
fn unnamed(does: &str, ports: &BTreeMap<String, Ports>, fits: fn(&Ports) -> bool) -> String {
    let named = ports.iter().filter(|(name, it)| fits(it) && hidden::is_field(name));
    let names: Vec<&str> = named.map(|(name, _)| name.as_str()).collect();
    match names.is_empty() {
        true => format!("it names no adapter that {does}; configure one under `adapters`"),
        false => format!("it names no adapter that {does}; use one of: {}", names.join(", ")),
    }
}

#[cfg(test)]
mod secrecy;
#[cfg(test)]
mod tests;
