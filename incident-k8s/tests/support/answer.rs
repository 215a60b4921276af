//! What the server says, in its own words.

use serde_json::{Value, json};

use super::state::Key;

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body: body.to_string().into_bytes() }
    }

    pub(crate) fn text(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type", "text/plain; charset=utf-8".to_owned())];
        Self { status, headers, body: body.into() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// A `Status` that says no.
    pub(crate) fn failure(code: u16, reason: &str, message: &str, details: Value) -> Self {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": code,
        });
        if !details.is_null() {
            status["details"] = details;
        }
        Self::json(code, &status)
    }

    pub(crate) fn not_found(key: &Key) -> Self {
        let message = format!("{} \"{}\" not found", key.qualified(), key.name);
        Self::failure(404, "NotFound", &message, key.details())
    }

    pub(crate) fn no_api() -> Self {
        Self::text(404, "404 page not found\n")
    }

    pub(crate) fn modified(key: &Key) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{}\": the object has been modified; please apply your changes to the \
             latest version and try again",
            key.qualified(),
            key.name
        );
        Self::failure(409, "Conflict", &message, key.details())
    }

    pub(crate) fn other_uid(key: &Key, wanted: &str, uid: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{}\": the UID in the precondition ({wanted}) does not match the UID in \
             record ({uid}). The object might have been deleted and then recreated",
            key.kind(),
            key.name
        );
        Self::failure(409, "Conflict", &message, json!({"name": key.name, "kind": key.kind()}))
    }

    pub(crate) fn forbidden(verb: &str, key: &Key, part: &str) -> Self {
        let resource = if part.is_empty() { key.plural.clone() } else { format!("{}/{part}", key.plural) };
        let message = format!(
            "{} \"{}\" is forbidden: User \"system:serviceaccount:shop:bot\" cannot {verb} resource \"{resource}\" in API \
             group \"{}\" in the namespace \"{}\"",
            key.qualified(),
            key.name,
            key.group,
            key.namespace
        );
        Self::failure(403, "Forbidden", &message, key.details())
    }

    pub(crate) fn invalid(key: &Key, field: &str, why: &str) -> Self {
        let message = format!("{}.{} \"{}\" is invalid: {field}: {why}", key.kind(), key.group, key.name);
        let reason = match why.split([' ', ':']).next() {
            Some("Required") => "FieldValueRequired",
            Some("Forbidden") => "FieldValueForbidden",
            _ => "FieldValueInvalid",
        };
        let cause = json!({"reason": reason, "message": why, "field": field});
        let details = json!({"name": key.name, "group": key.group, "kind": key.kind(), "causes": [cause]});
        Self::failure(422, "Invalid", &message, details)
    }

    /// A patch whose test failed or that names no place.
    pub(crate) fn unprocessable() -> Self {
        let message = "the server rejected our request due to an error in our request";
        Self::failure(422, "Invalid", message, json!({}))
    }

    pub(crate) fn wrong_type() -> Self {
        Self::failure(415, "UnsupportedMediaType", "415: Unsupported Media Type", json!({}))
    }

    pub(crate) fn unauthorized() -> Self {
        Self::failure(401, "Unauthorized", "Unauthorized", Value::Null)
    }

    pub(crate) fn disruption(budget: &str, needed: i64, healthy: i64) -> Self {
        let message = "Cannot evict pod as it would violate the pod's disruption budget.";
        let why =
            format!("The disruption budget {budget} needs {needed} healthy pods and has {healthy} currently");
        let details = json!({"causes": [{"reason": "DisruptionBudget", "message": why}]});
        Self::failure(429, "TooManyRequests", message, details)
    }

    pub(crate) fn throttled(seconds: u32) -> Self {
        let message = "too many requests, please try again later";
        let details = json!({"retryAfterSeconds": seconds});
        Self::failure(429, "TooManyRequests", message, details).with("retry-after", &seconds.to_string())
    }

    /// What the eviction subresource says to several budgets.
    pub(crate) fn several_budgets(key: &Key) -> Self {
        let why = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
        Self::failure(500, "", why, json!({"name": key.name}))
    }

    /// What can't be decoded is refused with a cause whose field is "patch" and whose message quotes the whole object.
    pub(crate) fn undecodable(object: &Value, why: &str) -> Self {
        let cause = format!("Invalid value: \"{}\": {why}", object.to_string().replace('"', "\\\""));
        let details =
            json!({"causes": [{"reason": "FieldValueInvalid", "message": cause, "field": "patch"}]});
        Self::failure(422, "Invalid", &format!(" \"\" is invalid: patch: {cause}"), details)
    }

    /// A resource that a group which is served doesn't have.
    pub(crate) fn no_resource() -> Self {
        Self::failure(404, "NotFound", "the server could not find the requested resource", json!({}))
    }

    /// An object that was to be applied to with its uid, and is gone or another one.
    pub(crate) fn uid_mismatch(key: &Key, wanted: &str, uid: Option<&str>) -> Self {
        let why = match uid {
            Some(uid) => {
                format!("Precondition failed: UID in precondition: {wanted}, UID in object meta: {uid}")
            }
            None => format!(
                "uid mismatch: the provided object specified uid {wanted}, and no existing object was found"
            ),
        };
        let message = format!("Operation cannot be fulfilled on {} \"{}\": {why}", key.qualified(), key.name);
        Self::failure(409, "Conflict", &message, key.details())
    }

    /// A budget whose controller lags behind.
    pub(crate) fn budget_in_work(budget: &str) -> Self {
        let message = "Cannot evict pod as it would violate the pod's disruption budget.";
        let why = format!("The disruption budget {budget} is still being processed by the server.");
        let cause = json!({"reason": "DisruptionBudget", "message": why});
        let details = json!({"retryAfterSeconds": 10, "causes": [cause]});
        Self::failure(429, "TooManyRequests", message, details).with("retry-after", "10")
    }

    pub(crate) fn expired(old: u64, now: u64) -> Self {
        let message = format!("too old resource version: {old} ({now})");
        Self::failure(410, "Expired", &message, Value::Null)
    }

    pub(crate) fn denied_by_webhook(webhook: &str) -> Self {
        let message = format!("admission webhook \"{webhook}\" denied the request: policy says no");
        Self::failure(403, "Forbidden", &message, json!({}))
    }

    pub(crate) fn webhook_down(webhook: &str) -> Self {
        let message = format!(
            "Internal error occurred: failed calling webhook \"{webhook}\": failed to call webhook: Post: connection refused"
        );
        Self::failure(500, "InternalError", &message, json!({}))
    }

    pub(crate) fn quota(key: &Key) -> Self {
        let message = format!(
            "{} \"{}\" is forbidden: exceeded quota: small, requested: pods=1, used: pods=3, limited: pods=3",
            key.qualified(),
            key.name
        );
        Self::failure(403, "Forbidden", &message, key.details())
    }

    pub(crate) fn bad(message: &str) -> Self {
        Self::failure(400, "BadRequest", message, Value::Null)
    }

    pub(crate) fn field_conflict(conflicts: &[(String, String)]) -> Self {
        let one = |(manager, field): &(String, String)| {
            json!({"reason": "FieldManagerConflict",
                "message": format!("conflict with {manager} using v1"), "field": field})
        };
        let causes: Vec<_> = conflicts.iter().map(one).collect();
        let each: Vec<_> = conflicts
            .iter()
            .map(|(manager, field)| format!("conflict with {manager} using v1: {field}"))
            .collect();
        let plural = if causes.len() == 1 { "" } else { "s" };
        let message = format!("Apply failed with {} conflict{plural}: {}", causes.len(), each.join(", "));
        Self::failure(409, "Conflict", &message, json!({"causes": causes}))
    }
}
