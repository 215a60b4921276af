//! What each answer of the server means.

use incident_core::port::{Applied, Retry};
use serde_json::json;

use super::*;

fn headers(retry_after: &str) -> HeaderMap {
    HeaderMap::from_iter([(RETRY_AFTER, retry_after.parse().unwrap())])
}

#[allow(clippy::needless_pass_by_value, reason = "reads better in a table")]
fn says(code: u16, reason: &str, message: &str, causes: Value) -> AdapterError {
    let status =
        json!({"kind": "Status", "reason": reason, "message": message, "details": {"causes": causes}});
    refused("try", Purpose::Write, code, &headers("7"), &status)
}

#[test]
fn each_refusal_says_what_to_do_and_whether_it_happened() {
    use Applied::{Maybe, No};
    use ErrorKind::*;
    let cause = |reason: &str, message: &str, field: &str| json!([{"reason": reason, "message": message, "field": field}]);
    let budget = cause("DisruptionBudget", "The disruption budget web needs 3 healthy pods", "");
    let owned =
        cause("FieldManagerConflict", "conflict with \"argocd-controller\" using apps/v1", ".spec.replicas");
    let uid = "the UID in the precondition (a) does not match the UID in record (b)";
    let field = cause("FieldValueInvalid", "Invalid value: \"100m\"", "spec.template.spec.containers[0]");
    let patch =
        |why: &str| cause("FieldValueInvalid", &format!("Invalid value: \"hunter2\": {why}"), "patch");
    let quota = "pods \"x\" is forbidden: exceeded quota: small, requested: pods=1";
    let rbac = "deployments.apps \"x\" is forbidden: User \"bot\" cannot patch resource \"deployments\" in API group \"apps\" in the namespace \"shop\"";
    let none = || json!([]);
    for (error, kind, applied, context) in [
        (says(400, "BadRequest", "", none()), Invalid, No, ""),
        (says(401, "Unauthorized", "Unauthorized", none()), Auth, No, "token"),
        (says(403, "Forbidden", rbac, none()), Permission, No, "may not patch deployments.apps in shop"),
        (says(403, "Forbidden", quota, none()), Refused, No, "quota"),
        (says(403, "Forbidden", "violates PodSecurity \"restricted\"", none()), Refused, No, "security"),
        (
            says(403, "Forbidden", "admission webhook \"p.example.com\" denied the request: no", none()),
            Refused,
            No,
            "p.example.com",
        ),
        (
            says(400, "BadRequest", "admission webhook \"p.example.com\" denied the request: no", none()),
            Refused,
            No,
            "p.example.com",
        ),
        (
            says(500, "InternalError", "Internal error: failed calling webhook \"p.example.com\": x", none()),
            Unavailable,
            No,
            "p.example.com",
        ),
        (says(404, "NotFound", "not found", none()), NotFound, No, ""),
        (says(404, "", "", none()), NotFound, No, "serve"),
        (
            says(404, "NotFound", "the server could not find the requested resource", none()),
            NotFound,
            No,
            "serve",
        ),
        (says(409, "Conflict", "the object has been modified", none()), Conflict, No, "moment"),
        (says(409, "AlreadyExists", "", none()), Conflict, No, "exists"),
        (says(409, "Conflict", "", owned), Conflict, No, ".spec.replicas belongs to argocd-controller"),
        (says(409, "Conflict", uid, none()), Precondition, No, "anew"),
        (
            says(409, "Conflict", "uid mismatch: the provided object specified", none()),
            Precondition,
            No,
            "anew",
        ),
        (says(422, "Invalid", "", patch("quantities must match")), Invalid, No, "a quantity"),
        (
            says(422, "Invalid", "", patch("unknown field \"spec.x\"")),
            Invalid,
            No,
            "the field spec.x isn't one",
        ),
        (
            says(
                422,
                "Invalid",
                "",
                patch(
                    "json: cannot unmarshal string into Go struct field IngressSpec.spec.tls of type []v1.TLS",
                ),
            ),
            Invalid,
            No,
            "the field IngressSpec.spec.tls isn't of the type []v1.TLS",
        ),
        (says(410, "Expired", "", none()), Unavailable, Maybe, "old"),
        (says(413, "RequestEntityTooLarge", "", none()), TooLarge, No, ""),
        (says(415, "UnsupportedMediaType", "", none()), Config, No, ""),
        (says(422, "Invalid", "", none()), Precondition, No, "patch"),
        (says(422, "Invalid", "", field), Invalid, No, "spec.template.spec.containers[0]"),
        (says(429, "TooManyRequests", "", budget), Refused, No, "budget"),
        (says(429, "TooManyRequests", "", none()), RateLimited, No, ""),
        (
            says(500, "InternalError", "This pod has more than one PodDisruptionBudget", none()),
            Refused,
            No,
            "several",
        ),
        (says(500, "InternalError", "etcd", none()), Unavailable, Maybe, ""),
        (says(503, "ServiceUnavailable", "", none()), Unavailable, Maybe, ""),
        (says(504, "Timeout", "", none()), Unavailable, Maybe, ""),
    ] {
        assert_eq!((error.kind, error.applied), (kind, applied), "{error}");
        assert!(error.context.contains(context), "{error}");
        let retry = match kind {
            RateLimited | Unavailable => Retry::After(Some(Duration::from_secs(7))),
            Conflict if context != ".spec.replicas belongs to argocd-controller" => {
                Retry::After(Some(Duration::from_secs(1)))
            }
            _ => Retry::Never,
        };
        assert_eq!(error.retry, retry, "{error}");
    }
}

#[test]
fn a_servers_own_words_are_not_repeated() {
    let secret = "hunter2 \u{1b}[2J";
    let causes =
        json!([{"reason": "FieldValueInvalid", "message": secret, "field": format!("spec {secret}")}]);
    for code in [400, 403, 404, 409, 422, 429, 500] {
        let message = format!("admission webhook \"{secret}\" denied the request: {secret}");
        let error = says(code, secret, &message, causes.clone());
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn what_a_plugin_for_credentials_says_is_not_kept() {
    let said = || kube::client::AuthError::AuthExec("token: hunter2".to_owned());
    for error in [kube::Error::Service(Box::new(said())), kube::Error::Auth(said())] {
        let error = Failure::of(error).into_error("try", Purpose::Write);
        assert_eq!((error.kind, error.applied), (ErrorKind::Auth, Applied::No));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[test]
fn a_wait_is_read_in_seconds_and_bounded() {
    for (text, seconds) in [("17", Some(17)), ("0", Some(0)), ("99999999999", Some(86_400)), ("-5", None)] {
        assert_eq!(wait(&headers(text)), seconds.map(Duration::from_secs), "{text:?}");
    }
}
