//! What of the cluster can be mitigated beyond what it declares itself.

use std::collections::BTreeMap;

use incident_core::config::ConfigError;
use serde::Deserialize;
use serde_json::Value;

use crate::target::is_name;

/// How far a workload may be scaled in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ScaleLimits {
    /// The most replicas; 50 unless set.
    pub replicas: u32,
    /// How many times the present number at most; 3 unless set.
    pub factor: u32,
}

impl Default for ScaleLimits {
    fn default() -> Self {
        Self { replicas: 50, factor: 3 }
    }
}

/// A feature that an environment variable turns on and off. Changing it restarts the workload's pods.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FeatureConfig {
    /// The workload, such as `deployment/checkout`.
    pub workload: String,
    /// The container.
    pub container: String,
    /// The variable.
    pub variable: String,
    /// Its value when the feature is on; `true` unless set.
    #[serde(default = "on")]
    pub on: String,
    /// Its value when the feature is off; `false` unless set.
    #[serde(default = "off")]
    pub off: String,
}

impl FeatureConfig {
    /// `variable` of `container` in `workload`, `true` or `false`.
    #[must_use]
    pub fn new(workload: &str, container: &str, variable: &str) -> Self {
        let own = str::to_owned;
        Self {
            workload: own(workload),
            container: own(container),
            variable: own(variable),
            on: on(),
            off: off(),
        }
    }
}

/// A place that a service's traffic can be sent to: either other pods by their labels, or what a manifest makes of an
/// Ingress, an HTTPRoute or the like.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RouteConfig {
    /// The service's selector.
    #[serde(default)]
    pub selector: BTreeMap<String, String>,
    /// A manifest that is applied with this adapter's field manager, never by force: it holds only the fields that
    /// change.
    #[serde(default)]
    pub manifest: Option<Value>,
    /// How paths name the manifest's kind, if it isn't the kind in small letters with an `s` or `es`.
    #[serde(default)]
    pub plural: Option<String>,
}

impl RouteConfig {
    /// The pods with these labels.
    #[must_use]
    pub fn selector<const N: usize>(labels: [(&str, &str); N]) -> Self {
        let own = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        Self { selector: labels.map(own).into(), ..Self::default() }
    }

    /// What `manifest` says.
    #[must_use]
    pub fn manifest(manifest: Value) -> Self {
        Self { manifest: Some(manifest), ..Self::default() }
    }

    pub(crate) fn check(&self, field: &str) -> Result<(), ConfigError> {
        match (&self.manifest, self.selector.is_empty()) {
            (None, true) | (Some(_), false) => {
                Err(ConfigError::new(field, "expected either a selector or a manifest"))
            }
            (None, false) => Ok(()),
            (Some(manifest), true) => {
                let named = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str);
                let field = format!("{field}.manifest");
                let wrong = |problem| Err(ConfigError::new(&field, problem));
                match (named("/apiVersion"), named("/kind"), named("/metadata/name")) {
                    (Some(_), Some("Secret"), Some(_)) => {
                        wrong("expected no Secret: a plan shows and records what it changes")
                    }
                    (Some(version), Some(kind), Some(name))
                        if is_name(name)
                            && version.split('/').all(is_name)
                            && kind.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
                    {
                        Ok(())
                    }
                    _ => wrong("expected apiVersion, kind and metadata.name"),
                }
            }
        }
    }
}

fn on() -> String {
    "true".to_owned()
}

fn off() -> String {
    "false".to_owned()
}
