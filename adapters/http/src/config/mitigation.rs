//! Mitigations, as they are written down: which calls change what, and how the state is read.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::secret::TextOrSecret;

/// What a service can be told to do.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MitigationsConfig {
    /// Features that can be switched, by name.
    #[serde(default)]
    pub features: BTreeMap<String, FeatureConfig>,
    /// Caches that can be cleared, by name.
    #[serde(default)]
    pub caches: BTreeMap<String, CacheConfig>,
    /// Anything else, by name.
    #[serde(default)]
    pub custom: BTreeMap<String, CustomConfig>,
}

/// A feature that can be switched.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FeatureConfig {
    /// How to read its state.
    #[serde(default)]
    pub read: Option<ReadConfig>,
    /// The call that turns it on.
    #[serde(default)]
    pub on: Option<CallConfig>,
    /// The call that turns it off.
    #[serde(default)]
    pub off: Option<CallConfig>,
    /// What `read` shows while it is on; `true` unless set.
    #[serde(default = "yes")]
    pub on_value: Value,
    /// What `read` shows while it is off; `false` unless set.
    #[serde(default = "no")]
    pub off_value: Value,
    /// How to see that a switch holds; unset, as `read` shows it.
    #[serde(default)]
    pub verify: Option<VerifyConfig>,
}

impl FeatureConfig {
    /// A feature that reads as true or false and is switched by these calls.
    #[must_use]
    pub fn new(read: ReadConfig, on: CallConfig, off: CallConfig) -> Self {
        Self {
            read: Some(read),
            on: Some(on),
            off: Some(off),
            on_value: yes(),
            off_value: no(),
            verify: None,
        }
    }
}

/// A cache that can be cleared.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CacheConfig {
    /// The call that clears all of it.
    #[serde(default)]
    pub call: Option<CallConfig>,
    /// The calls that clear a part of it, by the part's name.
    #[serde(default)]
    pub parts: BTreeMap<String, CallConfig>,
    /// How to read something that changes only when it is cleared, such as a generation.
    #[serde(default)]
    pub read: Option<ReadConfig>,
    /// How to see that it is clear; needs `is`.
    #[serde(default)]
    pub verify: Option<VerifyConfig>,
}

impl CacheConfig {
    /// A cache that `call` clears.
    #[must_use]
    pub fn new(call: CallConfig) -> Self {
        Self { call: Some(call), parts: BTreeMap::new(), read: None, verify: None }
    }
}

/// Any other change that a call makes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CustomConfig {
    /// What it acts on; a mitigation must name exactly this. Its own name unless set.
    #[serde(default)]
    pub target: Option<String>,
    /// The call that makes the change.
    pub call: CallConfig,
    /// The call that takes it back.
    #[serde(default)]
    pub inverse: Option<CallConfig>,
    /// How to read the state that it changes.
    #[serde(default)]
    pub read: Option<ReadConfig>,
    /// What `read` shows afterwards.
    #[serde(default)]
    pub value: Option<Value>,
    /// How to see that the change holds; unset, as `read` shows it.
    #[serde(default)]
    pub verify: Option<VerifyConfig>,
}

impl CustomConfig {
    /// A change that `call` makes.
    #[must_use]
    pub fn new(call: CallConfig) -> Self {
        Self { target: None, call, inverse: None, read: None, value: None, verify: None }
    }
}

/// A call that changes something.
///
/// Method, path and body are shown to the people who approve and are kept in the log: a secret belongs in a header.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CallConfig {
    /// POST, PUT, PATCH or DELETE.
    pub method: String,
    /// The path.
    pub path: String,
    /// The JSON body, if there is one.
    #[serde(default)]
    pub body: Option<Value>,
    /// Headers besides the backend's own.
    #[serde(default)]
    pub headers: BTreeMap<String, TextOrSecret>,
}

impl CallConfig {
    /// `method` on `path`, without a body.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), body: None, headers: BTreeMap::new() }
    }

    /// With this JSON body.
    #[must_use]
    pub fn with_body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
}

/// How to read a state.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReadConfig {
    /// What to GET.
    pub path: String,
    /// Where the value is, as a JSON pointer; the plan pins it.
    pub value: String,
    /// Where a version is that grows with every change; the plan pins it too.
    #[serde(default)]
    pub version: Option<String>,
    /// The header in which the call sends the pinned version.
    #[serde(default)]
    pub version_header: Option<String>,
    /// Whether the answer has an `ETag`; it is pinned, and the call sends it as `If-Match`.
    #[serde(default)]
    pub etag: bool,
    /// Where the service shows the effect id of the last change, or a list of those of all changes.
    #[serde(default)]
    pub receipt: Option<String>,
}

impl ReadConfig {
    /// The value at the JSON pointer `value` in what a GET of `path` answers.
    #[must_use]
    pub fn new(path: &str, value: &str) -> Self {
        Self {
            path: path.to_owned(),
            value: value.to_owned(),
            version: None,
            version_header: None,
            etag: false,
            receipt: None,
        }
    }
}

/// How to see that a change holds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VerifyConfig {
    /// What to GET; that of `read` unless set.
    #[serde(default)]
    pub path: Option<String>,
    /// Where to look, as a JSON pointer; that of `read` unless set.
    #[serde(default)]
    pub value: Option<String>,
    /// What must be there. A feature compares with its own `on_value` and `off_value` instead.
    #[serde(default)]
    pub is: Option<Value>,
    /// How long to wait between looks; 5 seconds unless set.
    #[serde(default, with = "humantime_serde")]
    pub again: Option<Duration>,
    /// How long the change may take to show before it counts as failed; 2 minutes unless set.
    #[serde(default, with = "humantime_serde")]
    pub within: Option<Duration>,
}

fn yes() -> Value {
    Value::Bool(true)
}

fn no() -> Value {
    Value::Bool(false)
}
