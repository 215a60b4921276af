//! A request as it arrived.

use hyper::http::request::Parts;
use serde_json::{Map, Value};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The method of the API, or the path of an address outside of it.
    pub(crate) method: String,
    pub(crate) token: Option<String>,
    /// The arguments of the query and of a form, or of a body in JSON.
    pub(crate) args: Value,
    pub(crate) is_json: bool,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(super) fn read(parts: &Parts, body: Vec<u8>) -> Self {
        let path = parts.uri.path();
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let is_json = header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
        let is_form = header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form"));
        let mut args = Map::new();
        let mut add = |pairs: &[u8]| {
            for (name, value) in url::form_urlencoded::parse(pairs) {
                args.insert(name.into_owned(), value.into_owned().into());
            }
        };
        add(parts.uri.query().unwrap_or_default().as_bytes());
        if is_form {
            add(&body);
        }
        if is_json && let Ok(Value::Object(more)) = serde_json::from_slice(&body) {
            args.extend(more);
        }
        Self {
            method: path.strip_prefix("/api/").unwrap_or(path).to_owned(),
            token: header("authorization").and_then(|it| it.strip_prefix("Bearer ")).map(str::to_owned),
            args: args.into(),
            is_json,
            body,
        }
    }

    /// An argument as text, whatever it came as.
    pub(crate) fn text(&self, name: &str) -> String {
        match &self.args[name] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        }
    }
}
