//! Reading the state that a mitigation changes, and holding it to what a plan saw.

use http::header::{ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH};
use incident_core::model::plan::Plan;
use incident_core::model::time::Time;
use incident_core::port::{AdapterError, ErrorKind};
use serde_json::Value;

use crate::budget::Budget;
use crate::client::{Answer, Body, Client, json};
use crate::compare::equal;
use crate::error::{Purpose, accepted};
use crate::request::Request;

const OPERATION: &str = "read the state";
/// Bytes of a value that a plan can pin; it is in the log for good.
const MOST_PINNED: usize = 1024;

pub(crate) const VALUE: &str = "value";
const VERSION: &str = "version";
const ETAG_PIN: &str = "etag";
const RECEIPT: &str = "receipt";

/// How to read a state.
#[derive(Clone)]
pub(crate) struct Read {
    pub(crate) request: Request,
    pub(crate) value: String,
    pub(crate) version: Option<String>,
    pub(crate) version_header: Option<HeaderName>,
    pub(crate) etag: bool,
    pub(crate) receipt: Option<String>,
}

/// A state that was read.
pub(crate) struct Seen {
    pub(crate) value: Value,
    version: Option<Value>,
    etag: Option<String>,
    receipt: Option<Receipt>,
}

enum Receipt {
    /// The effect that made the last change, if any.
    Last(Option<String>),
    /// The effects that made all changes.
    All(Vec<String>),
}

/// What the receipts say about one effect.
pub(crate) enum Trace {
    Ours,
    Absent,
    Unclear,
    Untold,
}

impl Read {
    /// Only a value, at `pointer` in what a GET of `path` answers.
    pub(crate) fn value_only(path: &str, pointer: &str) -> Self {
        Self {
            request: Request::get(path),
            value: pointer.to_owned(),
            version: None,
            version_header: None,
            etag: false,
            receipt: None,
        }
    }

    pub(crate) async fn look(
        &self,
        client: &Client,
        budget: &Budget,
        now: Time,
    ) -> Result<Seen, AdapterError> {
        let answer = client.send(&self.request, budget).await;
        let answer = answer.map_err(|failure| failure.into_error(OPERATION, Purpose::Read))?;
        self.understand(accepted(OPERATION, Purpose::Read, now, answer)?)
    }

    fn understand(&self, answer: Answer) -> Result<Seen, AdapterError> {
        let document: Value = match answer.body {
            Body::Whole(bytes) => json(&bytes).ok_or_else(not_json)?,
            Body::TooLarge => {
                let error = AdapterError::new(ErrorKind::TooLarge, OPERATION);
                return Err(error.with_context("the answer is over 256 KiB"));
            }
            Body::Broken(failure) => return Err(failure.into_error(OPERATION, Purpose::Read)),
        };
        let at = |pointer: &str| {
            document
                .pointer(pointer)
                .cloned()
                .ok_or_else(|| misread(format!("the answer has nothing at {pointer}")))
        };
        let pinned = |pointer: &str| {
            let found = at(pointer)?;
            let is_short = found.to_string().len() <= MOST_PINNED;
            is_short
                .then_some(found)
                .ok_or_else(|| misread(format!("the value at {pointer} is too long to be pinned")))
        };
        let value = pinned(&self.value)?;
        let version = self.version.as_deref().map(pinned).transpose()?;
        let etag = if self.etag { Some(etag_of(&answer.headers)?) } else { None };
        let receipt = self.receipt.as_deref().map(at).transpose()?.map(|found| match found {
            Value::Array(all) => {
                Receipt::All(all.into_iter().filter_map(|one| one.as_str().map(str::to_owned)).collect())
            }
            last => Receipt::Last(last.as_str().map(str::to_owned)),
        });
        Ok(Seen { value, version, etag, receipt })
    }

    /// `request` on the condition that the world is as `plan` pinned it.
    pub(crate) fn condition(&self, request: Request, plan: &Plan) -> Result<Request, AdapterError> {
        let mut conditions = Vec::new();
        if let Some(etag) = plan.pins.get(ETAG_PIN) {
            conditions.push((IF_MATCH, etag.clone()));
        }
        if let (Some(name), Some(version)) = (&self.version_header, plan.pins.get(VERSION)) {
            conditions.push((name.clone(), version.trim_matches('"').to_owned()));
        }
        conditions.into_iter().try_fold(request, |request, (name, value)| {
            let value = HeaderValue::from_str(&value)
                .map_err(|_| misread(format!("the version doesn't fit into the header {name}")))?;
            Ok(request.with_header(name, value))
        })
    }
}

impl Seen {
    /// `plan` with what was seen pinned.
    pub(crate) fn pin(&self, plan: Plan) -> Plan {
        let mut plan = plan.with_pin(VALUE, &self.value.to_string());
        if let Some(version) = &self.version {
            plan = plan.with_pin(VERSION, &version.to_string());
        }
        if let Some(etag) = &self.etag {
            plan = plan.with_pin(ETAG_PIN, etag);
        }
        if let Some(Receipt::Last(Some(last))) = &self.receipt {
            plan = plan.with_pin(RECEIPT, last);
        }
        plan
    }

    /// What is no longer as `plan` pinned it. A pin that is missing counts as changed.
    pub(crate) fn moved(&self, plan: &Plan) -> Option<&'static str> {
        let differs = |name: &str, seen: Option<String>| seen.as_ref() != plan.pins.get(name);
        if pinned_value(plan).is_none_or(|pinned| !equal(&pinned, &self.value)) {
            Some("the value")
        } else if differs(VERSION, self.version.as_ref().map(Value::to_string)) {
            Some("the version")
        } else if differs(ETAG_PIN, self.etag.clone()) {
            Some("the ETag")
        } else {
            None
        }
    }

    /// What the service's own receipts say about `effect`.
    pub(crate) fn trace(&self, effect: &str, plan: &Plan) -> Trace {
        match &self.receipt {
            None => Trace::Untold,
            Some(Receipt::All(all)) if all.iter().any(|one| one == effect) => Trace::Ours,
            Some(Receipt::All(_)) => Trace::Absent,
            Some(Receipt::Last(Some(last))) if last == effect => Trace::Ours,
            // The last change is still the one the plan saw; of changes without an id that alone proves nothing.
            Some(Receipt::Last(last))
                if last.as_ref() == plan.pins.get(RECEIPT)
                    && (last.is_some() || self.moved(plan).is_none()) =>
            {
                Trace::Absent
            }
            Some(Receipt::Last(_)) => Trace::Unclear,
        }
    }
}

/// The value that `plan` pinned, if it pinned one.
pub(crate) fn pinned_value(plan: &Plan) -> Option<Value> {
    serde_json::from_str(plan.pins.get(VALUE)?).ok()
}

fn etag_of(headers: &HeaderMap) -> Result<String, AdapterError> {
    let etag = headers.get(ETAG).and_then(|etag| etag.to_str().ok());
    etag.map(str::to_owned).ok_or_else(|| misread("the answer has no ETag".to_owned()))
}

/// An answer without what the configuration expects in it.
fn misread(context: String) -> AdapterError {
    AdapterError::new(ErrorKind::Config, OPERATION).with_context(context)
}

/// Most likely a proxy's page instead of the service, so it may pass.
fn not_json() -> AdapterError {
    AdapterError::new(ErrorKind::Unavailable, OPERATION).with_context("the answer isn't JSON").not_applied()
}
