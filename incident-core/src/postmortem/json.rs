//! The document as JSON.

use super::document::PostMortem;

impl PostMortem {
    /// The document as JSON, indented, with a line break at its end; the same document always gives the same text.
    ///
    /// Its schema is `docs/post-mortem.schema.json`: times are UTC in RFC 3339, lengths of time whole seconds, digests and
    /// ids text. A field may join; none changes its meaning.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).expect("a document has only text as keys");
        json.push('\n');
        json
    }

    /// The JSON schema of the document.
    #[cfg(feature = "schema")]
    #[must_use]
    pub fn json_schema() -> serde_json::Value {
        schemars::SchemaGenerator::new(schemars::generate::SchemaSettings::draft2020_12().for_serialize())
            .into_root_schema_for::<Self>()
            .to_value()
    }
}
