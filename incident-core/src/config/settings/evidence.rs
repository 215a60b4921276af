//! Where evidence is kept, as settings say: a folder, or a store that another crate brings.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::config::{BuildContext, ConfigError, EvidenceConfig};
use crate::port::EvidenceStore;

/// Where evidence is kept: `"evidence"`, or `{ type = "s3", … }` with the fields of that type.
#[derive(Debug)]
#[non_exhaustive]
pub enum EvidenceSettings {
    /// In this folder.
    Folder(PathBuf),
    /// In a store that another crate brings.
    Store(Box<dyn EvidenceConfig>),
}

/// Where evidence is kept, built.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum BuiltEvidence {
    /// In this folder.
    Folder(PathBuf),
    /// In this store.
    Store(Arc<dyn EvidenceStore>),
}

impl EvidenceSettings {
    pub(super) async fn build(self, base: &Path) -> Result<BuiltEvidence, ConfigError> {
        match self {
            Self::Folder(folder) => Ok(BuiltEvidence::Folder(base.join(folder))),
            Self::Store(store) => {
                let built = store.build(&BuildContext::new("evidence", base)).await;
                built.map(BuiltEvidence::Store).map_err(|error| error.within("evidence"))
            }
        }
    }
}

impl<'de> Deserialize<'de> for EvidenceSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FolderOrStore)
    }
}

/// An untagged enum would lose the place of an error inside.
struct FolderOrStore;

impl<'de> Visitor<'de> for FolderOrStore {
    type Value = EvidenceSettings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a folder, or a table with a `type`")
    }

    fn visit_str<E: Error>(self, folder: &str) -> Result<EvidenceSettings, E> {
        Ok(EvidenceSettings::Folder(folder.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, store: A) -> Result<EvidenceSettings, A::Error> {
        <Box<dyn EvidenceConfig>>::deserialize(MapAccessDeserializer::new(store)).map(EvidenceSettings::Store)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for EvidenceSettings {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EvidenceSettings".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A folder, or the type of a store that another crate brings with the fields of that type.",
            "anyOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "properties": { "type": { "type": "string" } },
                    "required": ["type"],
                    "additionalProperties": true
                }
            ]
        })
    }
}
