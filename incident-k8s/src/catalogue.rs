//! What of the configuration mitigations need, checked.

use std::collections::BTreeMap;
use std::time::Duration;

use incident_core::config::ConfigError;
use serde_json::Value;

use crate::config::{K8sConfig, RouteConfig, ScaleLimits};
use crate::target::{Kind, Scope, Target};
use crate::template::Edit;

/// What is declared beside what the cluster itself has.
#[derive(Debug)]
pub(crate) struct Catalogue {
    pub(crate) scale: ScaleLimits,
    pub(crate) verify_within: Duration,
    features: BTreeMap<String, Feature>,
    routes: BTreeMap<(String, String), RouteConfig>,
}

#[derive(Debug)]
struct Feature {
    target: Target,
    container: String,
    variable: String,
    values: [String; 2],
}

impl Catalogue {
    pub(crate) fn new(config: &K8sConfig, scope: &Scope) -> Result<Self, ConfigError> {
        let mut features = BTreeMap::new();
        for (name, it) in &config.features {
            let target = workload(&format!("features.{name}.workload"), &it.workload, scope)?;
            let values = [it.off.clone(), it.on.clone()];
            let (container, variable) = (it.container.clone(), it.variable.clone());
            features.insert(name.clone(), Feature { target, container, variable, values });
        }
        let mut routes = BTreeMap::new();
        for (service, places) in &config.routes {
            for (place, route) in places {
                route.check(&format!("routes.{service}.{place}"))?;
                routes.insert((service.clone(), place.clone()), route.clone());
            }
        }
        Ok(Self { scale: config.scale, verify_within: config.verify_within, features, routes })
    }

    /// The workload and the edit of its template that turn a feature on or off.
    pub(crate) fn feature(&self, name: &str, on: bool) -> Option<(Target, Edit)> {
        let feature = self.features.get(name)?;
        let variables = [(feature.variable.clone(), feature.values[usize::from(on)].clone())].into();
        let edit = Edit::Environment { container: feature.container.clone(), variables };
        Some((feature.target.clone(), edit))
    }

    pub(crate) fn features(&self) -> String {
        self.features.keys().cloned().collect::<Vec<_>>().join(", ")
    }

    /// Where the traffic of the service `name` goes when it is sent to `place`.
    pub(crate) fn route(&self, name: &str, place: &str) -> Option<&RouteConfig> {
        self.routes.get(&(name.to_owned(), place.to_owned()))
    }

    pub(crate) fn routes(&self) -> impl Iterator<Item = &RouteConfig> {
        self.routes.values()
    }
}

/// The workload that `text` names.
pub(crate) fn workload(field: &str, text: &str, scope: &Scope) -> Result<Target, ConfigError> {
    let target = Target::parse(text, None, scope).map_err(|problem| ConfigError::new(field, &problem))?;
    if target.kind.is_workload() {
        Ok(target)
    } else {
        Err(ConfigError::new(field, "expected a deployment, statefulset or daemonset"))
    }
}

/// How paths name the kind of a manifest.
pub(crate) fn plural(route: &RouteConfig, manifest: &Value) -> String {
    if let Some(plural) = &route.plural {
        return plural.clone();
    }
    let kind = crate::object::text(manifest, "/kind").to_ascii_lowercase();
    if kind.ends_with('s') { format!("{kind}es") } else { format!("{kind}s") }
}

/// The service that `text` names.
pub(crate) fn service(field: &str, text: &str, scope: &Scope) -> Result<Target, ConfigError> {
    let target = Target::parse(text, Some(Kind::Service), scope);
    let target = target.map_err(|problem| ConfigError::new(field, &problem))?;
    if target.kind == Kind::Service { Ok(target) } else { Err(ConfigError::new(field, "expected a service")) }
}
