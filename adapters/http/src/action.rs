//! One thing that a service can be told to do.

use std::path::Path;
use std::time::Duration;

use http::Method;
use http::header::HeaderMap;
use incident_core::config::ConfigError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::{CallConfig, ReadConfig, VerifyConfig};
use crate::request::{self, Request};
use crate::secret;
use crate::state::Read;

/// Which action; a plan carries it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Key {
    Feature(Feature),
    Cache(Cache),
    Custom(Custom),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Feature {
    pub(crate) name: String,
    pub(crate) on: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cache {
    pub(crate) name: String,
    pub(crate) part: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Custom {
    pub(crate) name: String,
    pub(crate) undo: bool,
}

impl Key {
    /// The action that takes this one back, whether it is declared or not.
    pub(crate) fn opposite(&self) -> Option<Self> {
        match self {
            Self::Feature(Feature { name, on }) => {
                Some(Self::Feature(Feature { name: name.clone(), on: !on }))
            }
            Self::Custom(Custom { name, undo }) => {
                Some(Self::Custom(Custom { name: name.clone(), undo: !undo }))
            }
            Self::Cache(_) => None,
        }
    }
}

/// An action that is declared.
pub(crate) struct Action {
    /// What it changes, in words.
    pub(crate) what: String,
    /// What it acts on, without the service's own name.
    pub(crate) target: String,
    pub(crate) call: Call,
    /// What reading shows afterwards, if that is always the same.
    pub(crate) wanted: Option<Value>,
    pub(crate) read: Option<Read>,
    pub(crate) verify: Option<Verify>,
}

/// A declared call: the part that people approve, and headers that stay secret.
pub(crate) struct Call {
    pub(crate) shown: ShownCall,
    method: Method,
    headers: HeaderMap,
}

/// The part of a call that a plan carries and people approve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShownCall {
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<Value>,
}

impl Call {
    pub(crate) fn new(field: &str, config: &CallConfig, base: &Path) -> Result<Self, ConfigError> {
        let method = match config.method.as_str() {
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "PATCH" => Method::PATCH,
            "DELETE" => Method::DELETE,
            _ => {
                let problem = "expected POST, PUT, PATCH or DELETE";
                return Err(ConfigError::new(&format!("{field}.method"), problem));
            }
        };
        let path = request::path(&format!("{field}.path"), &config.path)?;
        let headers = secret::headers(&format!("{field}.headers"), &config.headers, base)?;
        let shown = ShownCall { method: method.to_string(), path, body: config.body.clone() };
        Ok(Self { shown, method, headers })
    }

    pub(crate) fn request(&self) -> Request {
        let request = Request::write(self.method.clone(), &self.shown.path).with_headers(&self.headers);
        match &self.shown.body {
            Some(body) => request.with_json(body.to_string().into_bytes()),
            None => request,
        }
    }
}

/// How to see that an action holds.
#[derive(Clone)]
pub(crate) struct Verify {
    pub(crate) read: Read,
    /// What must be there; none means what the plan wanted.
    pub(crate) is: Option<Value>,
    pub(crate) again: Duration,
    pub(crate) within: Duration,
}

impl Verify {
    /// How `config` and `read` together say it; none if neither says where to look.
    pub(crate) fn new(
        field: &str,
        config: Option<&VerifyConfig>,
        read: Option<&Read>,
    ) -> Result<Option<Self>, ConfigError> {
        let default = VerifyConfig::default();
        let VerifyConfig { path, value, is, again, within } = config.unwrap_or(&default);
        let path = match path {
            Some(path) => Some(request::path(&format!("{field}.path"), path)?),
            None => read.map(|read| read.request.path.clone()),
        };
        let value = match value {
            Some(value) => Some(request::pointer(&format!("{field}.value"), value)?),
            None => read.map(|read| read.value.clone()),
        };
        let (Some(path), Some(value)) = (path, value) else {
            return match config {
                Some(_) => {
                    Err(ConfigError::new(field, "expected path and value, or a read to take them from"))
                }
                None => Ok(None),
            };
        };
        let again = again.unwrap_or(Duration::from_secs(5));
        let within = within.unwrap_or(Duration::from_secs(120));
        if again.is_zero() {
            return Err(ConfigError::new(&format!("{field}.again"), "expected more than nothing"));
        }
        Ok(Some(Self { read: Read::value_only(&path, &value), is: is.clone(), again, within }))
    }
}

/// The way to read a state that `config` declares.
pub(crate) fn read(field: &str, config: &ReadConfig) -> Result<Read, ConfigError> {
    let at = |name: &str| format!("{field}.{name}");
    let pointer =
        |name: &str, it: &Option<String>| it.as_deref().map(|it| request::pointer(&at(name), it)).transpose();
    let header = config.version_header.as_deref();
    if header.is_some() && config.version.is_none() {
        return Err(ConfigError::new(&at("version"), "expected, because version_header sends it"));
    }
    Ok(Read {
        request: Request::get(&request::path(&at("path"), &config.path)?),
        value: request::pointer(&at("value"), &config.value)?,
        version: pointer("version", &config.version)?,
        version_header: header.map(|name| request::header_name(&at("version_header"), name)).transpose()?,
        etag: config.etag,
        receipt: pointer("receipt", &config.receipt)?,
    })
}
