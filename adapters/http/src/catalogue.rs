//! Everything a service can be told to do, and which of it a mitigation means.

use std::collections::BTreeMap;
use std::path::Path;

use incident_core::config::ConfigError;
use incident_core::model::inert;
use incident_core::model::mitigation::Mitigation;

use crate::action::{self, Action, Cache, Call, Custom, Feature, Key, Verify};
use crate::config::{CacheConfig, CustomConfig, FeatureConfig, MitigationsConfig, ReadConfig};
use crate::state::Read;

/// The declared actions.
pub(crate) struct Catalogue(BTreeMap<Key, Action>);

impl Catalogue {
    /// # Errors
    /// [`ConfigError`] naming the field.
    pub(crate) fn new(config: &MitigationsConfig, folder: &Path) -> Result<Self, ConfigError> {
        let mut all = Self(BTreeMap::new());
        for (name, feature) in &config.features {
            all.add_feature(&format!("mitigations.features.{name}"), name, feature, folder)?;
        }
        for (name, cache) in &config.caches {
            all.add_cache(&format!("mitigations.caches.{name}"), name, cache, folder)?;
        }
        for (name, custom) in &config.custom {
            all.add_custom(&format!("mitigations.custom.{name}"), name, custom, folder)?;
        }
        Ok(all)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Action> {
        self.0.get(key)
    }

    /// Every state that is read, once, with what it is the state of.
    pub(crate) fn reads(&self) -> impl Iterator<Item = (&str, &Read)> {
        let mut reads = BTreeMap::new();
        for action in self.0.values() {
            let verify = action.verify.as_ref().map(|verify| &verify.read);
            // The read comes first, because it asks for more than the verification of the same path.
            for read in action.read.iter().chain(verify) {
                reads.entry((&*read.request.path, &*read.value)).or_insert((&*action.what, read));
            }
        }
        reads.into_values()
    }

    /// The action that `mitigation` means.
    ///
    /// # Errors
    /// Why there is none, and what there is instead.
    pub(crate) fn find(&self, mitigation: &Mitigation) -> Result<Key, String> {
        let key = match mitigation {
            Mitigation::SwitchFeature(it) => Key::Feature(Feature { name: it.feature.clone(), on: it.on }),
            Mitigation::ClearCache(it) => Key::Cache(Cache { name: it.cache.clone(), part: it.part.clone() }),
            Mitigation::Custom(it) => {
                if !it.parameters.is_empty() {
                    return Err("a declared call takes no parameters".to_owned());
                }
                Key::Custom(Custom { name: it.name.clone(), undo: false })
            }
            _ => return Err("it only switches features, clears caches and makes declared calls".to_owned()),
        };
        let Some(action) = self.0.get(&key) else {
            return Err(format!("this isn't declared; {}", self.known()));
        };
        if let Mitigation::Custom(it) = mitigation
            && it.target != action.target
        {
            let declared = &action.target;
            return Err(format!("it acts on {declared} and on nothing else"));
        }
        Ok(key)
    }

    fn known(&self) -> String {
        let mut names: Vec<_> = self.0.values().map(|action| inert::line(&action.what)).collect();
        names.dedup();
        if names.is_empty() { "nothing is".to_owned() } else { format!("known are {}", names.join(", ")) }
    }

    fn add_feature(
        &mut self,
        field: &str,
        name: &str,
        config: &FeatureConfig,
        folder: &Path,
    ) -> Result<(), ConfigError> {
        if config.on.is_none() && config.off.is_none() {
            return Err(ConfigError::new(field, "expected a call for on, off or both"));
        }
        if config.on_value == config.off_value {
            return Err(ConfigError::new(&format!("{field}.off_value"), "expected another than on_value"));
        }
        if config.verify.as_ref().is_some_and(|verify| verify.is.is_some()) {
            let problem = "a feature compares with on_value and off_value instead";
            return Err(ConfigError::new(&format!("{field}.verify.is"), problem));
        }
        let read = read(field, config.read.as_ref())?;
        let verify = Verify::new(&format!("{field}.verify"), config.verify.as_ref(), read.as_ref())?;
        for (on, call, wanted) in
            [(true, &config.on, &config.on_value), (false, &config.off, &config.off_value)]
        {
            let Some(call) = call else { continue };
            let way = if on { "on" } else { "off" };
            let action = Action {
                what: format!("the feature {name}"),
                target: name.to_owned(),
                call: Call::new(&format!("{field}.{way}"), call, folder)?,
                wanted: Some(wanted.clone()),
                read: read.clone(),
                verify: verify.clone(),
            };
            self.0.insert(Key::Feature(Feature { name: name.to_owned(), on }), action);
        }
        Ok(())
    }

    fn add_cache(
        &mut self,
        field: &str,
        name: &str,
        config: &CacheConfig,
        folder: &Path,
    ) -> Result<(), ConfigError> {
        if config.call.is_none() && config.parts.is_empty() {
            return Err(ConfigError::new(field, "expected a call, or parts"));
        }
        if config.verify.as_ref().is_some_and(|verify| verify.is.is_none()) {
            return Err(ConfigError::new(&format!("{field}.verify.is"), "expected what a clear cache shows"));
        }
        let read = read(field, config.read.as_ref())?;
        // Reading a cache shows that it changed and not to what, so only a declared check verifies it.
        let verify = match &config.verify {
            Some(verify) => Verify::new(&format!("{field}.verify"), Some(verify), read.as_ref())?,
            None => None,
        };
        let whole = config.call.iter().map(|call| (None, format!("{field}.call"), call));
        let parts = config.parts.iter();
        let parts = parts.map(|(part, call)| (Some(part.clone()), format!("{field}.parts.{part}"), call));
        for (part, field, call) in whole.chain(parts) {
            let what = match &part {
                Some(part) => format!("{part} in the cache {name}"),
                None => format!("the cache {name}"),
            };
            let action = Action {
                what,
                target: name.to_owned(),
                call: Call::new(&field, call, folder)?,
                wanted: None,
                read: read.clone(),
                verify: verify.clone(),
            };
            self.0.insert(Key::Cache(Cache { name: name.to_owned(), part }), action);
        }
        Ok(())
    }

    fn add_custom(
        &mut self,
        field: &str,
        name: &str,
        config: &CustomConfig,
        folder: &Path,
    ) -> Result<(), ConfigError> {
        let read = read(field, config.read.as_ref())?;
        if config.value.is_some() && read.is_none() {
            return Err(ConfigError::new(
                &format!("{field}.read"),
                "expected, because value says what it shows",
            ));
        }
        let place = format!("{field}.verify");
        let verify = Verify::new(&place, config.verify.as_ref(), read.as_ref())?;
        let nothing_to_compare = |it: &Verify| it.is.is_none() && config.value.is_none();
        if config.verify.is_some() && verify.as_ref().is_some_and(nothing_to_compare) {
            return Err(ConfigError::new(&format!("{place}.is"), "expected what must be there"));
        }
        let target = config.target.as_deref().unwrap_or(name);
        let action = |call, wanted, verify| Action {
            what: format!("{name} on {target}"),
            target: target.to_owned(),
            call,
            wanted,
            read: read.clone(),
            verify,
        };
        let call = Call::new(&format!("{field}.call"), &config.call, folder)?;
        self.0.insert(
            Key::Custom(Custom { name: name.to_owned(), undo: false }),
            action(call, config.value.clone(), verify),
        );
        if let Some(inverse) = &config.inverse {
            let call = Call::new(&format!("{field}.inverse"), inverse, folder)?;
            // What the way back leads to is what the plan pinned, so it is seen by reading that again.
            let back = Verify::new(&place, None, read.as_ref())?;
            self.0
                .insert(Key::Custom(Custom { name: name.to_owned(), undo: true }), action(call, None, back));
        }
        Ok(())
    }
}

fn read(field: &str, config: Option<&ReadConfig>) -> Result<Option<Read>, ConfigError> {
    config.map(|read| action::read(&format!("{field}.read"), read)).transpose()
}
