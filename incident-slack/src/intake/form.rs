//! The form that commands and interactions arrive as.

use std::collections::BTreeMap;

use serde_json::Value;

/// The fields of a form; of one that is there twice the first.
pub(super) fn fields(body: &[u8]) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(body) {
        fields.entry(name.into_owned()).or_insert_with(|| value.into_owned());
    }
    fields
}

/// A text at a path of a payload; empty if there is none.
pub(super) fn text(payload: &Value, path: &str) -> String {
    payload.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned()
}
