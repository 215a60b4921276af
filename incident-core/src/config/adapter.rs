//! The one trait that turns configuration into adapters.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use super::secret::SecretError;
use crate::port::{Adapter, Collector, Mitigator, Notifier, Probe, Tracker};

/// The configuration of one backend, found by its `type`.
///
/// An adapter crate implements this for its own settings struct and marks the implementation with
/// `#[typetag::deserialize(name = "…")]`. A crate that is only listed as a dependency and never named in code is dropped
/// by the linker, and its `type` is unknown then: `use incident_slack as _;` or a call of its `register()` keeps it.
///
/// An error while reading is shown without the value, which may be a secret: with the field's path and what the visitor
/// says it expects. Of an error in an implementation's own words only one that begins with `expected` is shown, and it
/// must not quote the value.
#[typetag::deserialize(tag = "type")]
#[async_trait]
pub trait AdapterConfig: fmt::Debug + Send + Sync {
    /// Builds the backend's ports, which share one client and one rate budget.
    ///
    /// # Behaviour
    /// - Reads secrets and files, and connects to nothing.
    ///
    /// # Errors
    /// [`ConfigError`], naming the field.
    async fn build(self: Box<Self>, cx: &BuildContext) -> Result<Ports, ConfigError>;
}

/// What building may need to know.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BuildContext {
    /// The name the ports get in the settings.
    pub name: String,
    /// The folder that relative paths of the configuration are meant from.
    pub base: PathBuf,
}

impl BuildContext {
    /// For ports called `name`, with paths meant from `base`.
    #[must_use]
    pub fn new(name: &str, base: impl Into<PathBuf>) -> Self {
        Self { name: name.to_owned(), base: base.into() }
    }
}

/// The ports of one backend. They share one client, so one limit and one budget holds for all.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Ports {
    /// Carries notices.
    pub notifier: Option<Arc<dyn Notifier>>,
    /// Keeps tickets.
    pub tracker: Option<Arc<dyn Tracker>>,
    /// Carries out mitigations.
    pub mitigator: Option<Arc<dyn Mitigator>>,
    /// Answer recovery checks, by the check's name.
    pub probes: BTreeMap<String, Arc<dyn Probe>>,
    /// Takes down evidence.
    pub collector: Option<Arc<dyn Collector>>,
}

impl Ports {
    /// No port yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a notifier.
    #[must_use]
    pub fn with_notifier(mut self, notifier: impl Notifier) -> Self {
        self.notifier = Some(Arc::new(notifier));
        self
    }

    /// With a tracker.
    #[must_use]
    pub fn with_tracker(mut self, tracker: impl Tracker) -> Self {
        self.tracker = Some(Arc::new(tracker));
        self
    }

    /// With a mitigator.
    #[must_use]
    pub fn with_mitigator(mut self, mitigator: impl Mitigator) -> Self {
        self.mitigator = Some(Arc::new(mitigator));
        self
    }

    /// With a probe that answers the check `name`.
    #[must_use]
    pub fn with_probe(mut self, name: &str, probe: impl Probe) -> Self {
        self.probes.insert(name.to_owned(), Arc::new(probe));
        self
    }

    /// With a collector.
    #[must_use]
    pub fn with_collector(mut self, collector: impl Collector) -> Self {
        self.collector = Some(Arc::new(collector));
        self
    }

    /// Every port, as what they have in common.
    pub fn adapters(&self) -> impl Iterator<Item = &dyn Adapter> {
        let one = |it: Option<_>| it.into_iter();
        one(self.notifier.as_deref().map(|it| it as &dyn Adapter))
            .chain(self.tracker.as_deref().map(|it| it as &dyn Adapter))
            .chain(self.mitigator.as_deref().map(|it| it as &dyn Adapter))
            .chain(self.probes.values().map(|it| &**it as &dyn Adapter))
            .chain(self.collector.as_deref().map(|it| it as &dyn Adapter))
    }
}

/// A configuration that can't be used. It names the field and never a secret.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {problem}")]
#[non_exhaustive]
pub struct ConfigError {
    /// The field, as a path: `live.adapters.chat.url`.
    pub field: String,
    /// What is wrong and what was expected.
    pub problem: String,
    /// The error beneath.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ConfigError {
    /// `field` is wrong, and how.
    #[must_use]
    pub fn new(field: &str, problem: &str) -> Self {
        Self { field: field.to_owned(), problem: problem.to_owned(), source: None }
    }

    /// The secret of `field` can't be read.
    #[must_use]
    pub fn secret(field: &str, error: SecretError) -> Self {
        Self {
            field: field.to_owned(),
            problem: "a secret is missing".to_owned(),
            source: Some(Box::new(error)),
        }
    }

    /// With `place` before the field's path.
    #[must_use]
    pub fn within(mut self, place: &str) -> Self {
        self.field = if self.field.is_empty() { place.to_owned() } else { format!("{place}.{}", self.field) };
        self
    }
}
