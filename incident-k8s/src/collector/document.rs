//! Captures without what looks like a secret.

use incident_core::model::text::Texts;
use incident_core::port::Capture;
use incident_core::views::redact::{names_secret, redact};
use serde_json::Value;

/// A capture of structured data, without what looks like a secret. Each text is cleaned by itself, for a secret that ends
/// at an escaped character ends nowhere in the document's text.
pub(super) fn document(name: &str, mut value: Value) -> Capture {
    clean(&mut value);
    let mut capture = Capture::text(name, &serde_json::to_string_pretty(&value).unwrap_or_default());
    capture.media_type = "application/json".to_owned();
    capture
}

/// Takes out what looks like a secret, by the name of its field, by the flag before it in a list, and by its own shape.
pub(super) fn clean(value: &mut Value) {
    match value {
        Value::String(text) => *text = String::from_utf8_lossy(&redact(text.as_bytes()).bytes).into_owned(),
        Value::Array(list) => {
            let mut named = false;
            for it in list {
                let flag = it.as_str().filter(|text| text.starts_with('-') && !text.contains('='));
                let names = flag.is_some_and(names_secret);
                if named && flag.is_none() {
                    hide(it);
                } else {
                    clean(it);
                }
                named = names;
            }
        }
        Value::Object(map) => {
            let is_entry = map.get("name").and_then(Value::as_str).is_some_and(names_secret);
            for (name, it) in map.iter_mut() {
                if names_secret(name) || (is_entry && name == "value") { hide(it) } else { clean(it) }
            }
        }
        _ => {}
    }
}

/// The value of a field that is called as a secret is, unless it has fields of its own.
fn hide(value: &mut Value) {
    match value {
        Value::String(text) if !text.is_empty() => *text = Texts::REDACTED.to_owned(),
        Value::Number(_) => *value = Value::from(Texts::REDACTED),
        other => clean(other),
    }
}

/// A capture of text, without what looks like a secret; bytes that aren't UTF-8 are replaced.
pub(super) fn redacted(name: &str, bytes: &[u8]) -> Capture {
    Capture::text(name, &String::from_utf8_lossy(&redact(bytes).bytes))
}
