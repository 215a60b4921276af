//! The settings of an embedder: which adapters there are on each side, and which route reaches whom.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::adapter::{AdapterConfig, BuildContext, ConfigError, Ports};
use crate::domain::context::Route;
use crate::domain::incident::Side;
use crate::domain::runbook::{Finding, Runbook};
use crate::domain::severity::{Audience, Severity};

/// Settings, read from TOML.
///
/// ```toml
/// runbook = "runbook.toml"          # laid over the default runbook
/// evidence = "evidence"             # the folder that evidence is kept in
///
/// [live.adapters.chat]
/// type = "console"
///
/// [[live.routes]]
/// adapter = "chat"
/// audiences = ["responders", "team"]
///
/// [live]
/// tracker = "tickets"
/// ```
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Settings {
    /// The file with the runbook, laid over the default one; a relative path is meant from the settings' folder.
    #[serde(default)]
    pub runbook: Option<PathBuf>,
    /// The folder that evidence is kept in; without one none is collected.
    #[serde(default)]
    pub evidence: Option<PathBuf>,
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

/// Settings that can't be read. It says where and never repeats what was there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("settings, line {line}: {problem}")]
#[non_exhaustive]
pub struct SettingsError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what was expected.
    pub problem: String,
}

impl Settings {
    /// Reads settings from TOML.
    ///
    /// # Errors
    /// [`SettingsError`] says the line, the field and what was expected; it never repeats a value, which may be a secret.
    pub fn from_toml(text: &str) -> Result<Self, SettingsError> {
        toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
            SettingsError { line, problem: without_value(error.message()) }
        })
    }

    /// Contradictions between these settings and a runbook: an audience without a route, a route without an adapter.
    #[must_use]
    pub fn lint(&self, runbook: &Runbook) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (place, side) in [("live", &self.live), ("drill", &self.drill)] {
            if !side.adapters.is_empty() {
                side.lint(place, runbook, &mut findings);
            }
        }
        for name in self.live.adapters.keys().filter(|name| self.drill.adapters.contains_key(*name)) {
            findings.push(Finding::warning(
                &format!("drill.adapters.{name}"),
                "live and drill have adapters of the same name",
                "give the drill's a name of its own, so that nobody mistakes one for the other",
            ));
        }
        findings
    }

    /// Builds every adapter. Relative paths are meant from `base`.
    ///
    /// # Errors
    /// [`ConfigError`] names the field; nothing is connected to.
    pub async fn build(self, base: &Path) -> Result<Built, ConfigError> {
        let runbook = match &self.runbook {
            Some(path) => {
                let text = std::fs::read_to_string(base.join(path)).map_err(|error| ConfigError {
                    source: Some(Box::new(error)),
                    ..ConfigError::new("runbook", "the file can't be read")
                })?;
                Runbook::from_toml(&text).map_err(|error| ConfigError::new("runbook", &error.to_string()))?
            }
            None => Runbook::default(),
        };
        Ok(Built {
            runbook,
            evidence: self.evidence.map(|folder| base.join(folder)),
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
    fn lint(&self, place: &str, runbook: &Runbook, findings: &mut Vec<Finding>) {
        let mut promised: BTreeSet<Audience> = BTreeSet::from([Audience::new(Audience::RESPONDERS)]);
        promised.extend(Severity::ALL.into_iter().flat_map(|severity| runbook.audiences(severity, true)));
        promised.extend(runbook.escalation.chain.iter().map(|step| step.audience.clone()));
        for audience in promised {
            if !self.routes.iter().any(|route| route.audiences.iter().any(|it| it == audience.as_str())) {
                findings.push(Finding::error(
                    &format!("{place}.routes"),
                    &format!("the runbook promises to tell {audience}, and no route reaches them"),
                    "add a route for this audience, or take it out of the runbook",
                ));
            }
        }
        let missing = |adapter: &str| !self.adapters.contains_key(adapter);
        for (at, route) in self.routes.iter().enumerate() {
            let place = format!("{place}.routes[{at}]");
            if missing(&route.adapter) {
                findings.push(Finding::error(
                    &place,
                    "it names an adapter that isn't configured",
                    "configure it under adapters",
                ));
            }
            let known = |name: &String| {
                self.routes.iter().any(|other| other.name() == name && other.name() != route.name())
            };
            if route.fallback.as_ref().is_some_and(|name| !known(name)) {
                findings.push(Finding::error(&place, "its fallback is no other route", "name another route"));
            }
        }
        if self.tracker.as_deref().is_some_and(missing) {
            let place = format!("{place}.tracker");
            findings.push(Finding::error(
                &place,
                "it names an adapter that isn't configured",
                "configure it under adapters",
            ));
        }
    }

    async fn build(self, place: &str, base: &Path) -> Result<BuiltSide, ConfigError> {
        let mut ports = BTreeMap::new();
        for (name, config) in self.adapters {
            let built = config.build(&BuildContext::new(&name, base)).await;
            let built = built.map_err(|error| error.within(&format!("{place}.adapters.{name}")))?;
            ports.insert(name, built);
        }
        let mut routes = Vec::new();
        for (at, route) in self.routes.into_iter().enumerate() {
            let carries = ports.get(&route.adapter).is_some_and(|it: &Ports| it.notifier.is_some());
            if !carries {
                let field = format!("{place}.routes[{at}].adapter");
                return Err(ConfigError::new(&field, "it names no adapter that carries notices"));
            }
            let audiences: Vec<&str> = route.audiences.iter().map(String::as_str).collect();
            let mut built = Route::new(route.name(), &audiences);
            built.fallback.clone_from(&route.fallback);
            routes.push((built, route.adapter));
        }
        if let Some(tracker) = &self.tracker
            && ports.get(tracker).is_none_or(|it| it.tracker.is_none())
        {
            return Err(ConfigError::new(
                &format!("{place}.tracker"),
                "it names no adapter that keeps tickets",
            ));
        }
        Ok(BuiltSide { ports, routes, tracker: self.tracker })
    }
}

/// Settings whose adapters are built: what an engine is made of.
#[derive(Debug)]
#[non_exhaustive]
pub struct Built {
    /// The runbook.
    pub runbook: Runbook,
    /// The folder that evidence is kept in.
    pub evidence: Option<PathBuf>,
    /// What live incidents reach.
    pub live: BuiltSide,
    /// What drills reach.
    pub drill: BuiltSide,
}

impl Built {
    /// One side.
    #[must_use]
    pub fn side(&self, side: Side) -> &BuiltSide {
        match side {
            Side::Live => &self.live,
            Side::Drill => &self.drill,
        }
    }
}

/// What incidents of one side reach, built.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct BuiltSide {
    /// The ports, by name.
    pub ports: BTreeMap<String, Ports>,
    /// The routes, and the ports that each goes through.
    pub routes: Vec<(Route, String)>,
    /// The ports that keep the tickets.
    pub tracker: Option<String>,
}

/// An error's message without the value it quotes, and with the way out of the commonest trap.
fn without_value(message: &str) -> String {
    let Some((before, rest)) = message.split_once(": string \"") else {
        let unknown = message.starts_with("unknown variant");
        let hint = "; an adapter's crate must be named in code to be known: `use incident_http as _;`";
        return format!("{}{}", message.trim_end(), if unknown { hint } else { "" });
    };
    let expected = rest.rfind("\", expected").map_or("", |at| rest.get(at + 1..).unwrap_or_default());
    format!("{before}: a string{expected}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_place_and_never_the_value() {
        for (text, line, expect) in [
            ("live = \"s3cret\"", 1, "a string, expected"),
            ("\n[live]\nrotes = []", 3, "unknown field `rotes`, expected"),
            ("[live.adapters.x]\ntype = \"slakc\"", 2, "`use incident_http as _;`"),
            ("[live.adapters.x]\ntype = \"folder\"\npath = 7", 1, "invalid type"),
        ] {
            let error = Settings::from_toml(text).unwrap_err();
            assert!(error.problem.contains(expect), "{error}");
            assert!(!error.to_string().contains("s3cret"), "{error}");
            assert_eq!(error.line, line, "{error}");
        }
    }

    #[test]
    fn an_audience_without_a_route_and_a_route_without_an_adapter_are_found() {
        let text = "[live.adapters.chat]\ntype = \"console\"\n[[live.routes]]\nadapter = \"chatt\"\naudiences = [\"team\"]\n";
        let findings = Settings::from_toml(text).unwrap().lint(&Runbook::default());
        let said: Vec<String> = findings.iter().map(|finding| finding.what.clone()).collect();
        assert!(said.iter().any(|what| what.contains("responders")), "{said:?}");
        assert!(said.iter().any(|what| what.contains("isn't configured")), "{said:?}");
        assert!(!said.iter().any(|what| what.contains("tell team")), "{said:?}");
    }

    #[tokio::test]
    async fn building_names_the_field() {
        let text = "live.tracker = \"chat\"\n[live.adapters.chat]\ntype = \"console\"";
        let error = Settings::from_toml(text).unwrap().build(Path::new(".")).await.unwrap_err();
        assert_eq!(error.field, "live.tracker");
    }
}
