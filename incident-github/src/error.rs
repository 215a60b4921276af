//! From what GitHub says to what the engine can do about it.

use std::error::Error;

use hyper_util::client::legacy;
use incident_core::port::{AdapterError, ErrorKind};
use serde_json::Value;

use crate::call::Call;

/// Whether a request changes something, and so whether a failure leaves a doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Read,
    Write,
}

/// No usable answer came.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The time was over before the request could be sent.
    Unsent,
    /// An installation gets no token. What GitHub says of it isn't kept.
    NoCredentials,
    /// An installation got no token this time.
    NoToken,
    NotConnected(Box<dyn Error + Send + Sync>),
    TimedOut,
    Lost(Box<dyn Error + Send + Sync>),
    /// The answer is larger than what is read of one.
    TooLarge,
    /// The answer isn't what GitHub answers.
    NotJson,
}

impl Failure {
    pub(crate) fn of(error: octocrab::Error) -> Self {
        match error {
            octocrab::Error::Service { source, .. } => {
                let connecting =
                    source.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect);
                if connecting { Self::NotConnected(source) } else { Self::Lost(source) }
            }
            octocrab::Error::Hyper { source, .. } => Self::Lost(Box::new(source)),
            // Every request is sent raw, so whatever else it complains of is the request for a token.
            octocrab::Error::GitHub { source, .. } if is_final(source.status_code.as_u16()) => {
                Self::NoCredentials
            }
            _ => Self::NoToken,
        }
    }

    pub(crate) fn into_error(self, call: &Call, purpose: Purpose) -> AdapterError {
        let unavailable = |context: &str| call.error(ErrorKind::Unavailable, context);
        let error = match self {
            Self::Unsent => unavailable("no time was left to ask").not_applied(),
            Self::NoCredentials => {
                let check =
                    "the installation gets no token; check the App's id, its key and that it is installed";
                call.error(ErrorKind::Auth, check).retry_after(None)
            }
            Self::NoToken => unavailable("the installation got no token this time").not_applied(),
            Self::NotConnected(source) => unavailable("no connection").not_applied().caused_by(source),
            Self::TimedOut => unavailable("no answer in time"),
            Self::Lost(source) => {
                unavailable("the connection ended without a valid answer").caused_by(source)
            }
            Self::TooLarge => unavailable("the answer is larger than one is read"),
            Self::NotJson => unavailable("the answer isn't one of GitHub's API; is it a proxy's?"),
        };
        if purpose == Purpose::Read { error.not_applied() } else { error }
    }
}

/// Whether the answer to the request for a token stays the same. A `403` may as well be a limit.
fn is_final(status: u16) -> bool {
    matches!(status, 401 | 404 | 422)
}

/// What a status that isn't a success means. Of GitHub's words only what is known beforehand is understood, and nothing
/// is repeated. Only what GitHub itself is known to say for good is final: a proxy may refuse, and a token be renewed.
pub(crate) fn refused(call: &Call, purpose: Purpose, status: u16, body: Option<&Value>) -> AdapterError {
    let said = said(body);
    let (kind, then) = meaning(status, &said);
    let context = if then.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {then}") };
    let error = call.error(kind, context);
    let error = if is_known_final(status, &said) { error } else { error.retry_after(None) };
    if purpose == Purpose::Read { error.not_applied() } else { error }
}

/// What a `403` says that stays so until somebody changes the issue, the repository or the token.
const FORBIDDEN: [&str; 5] = ["locked", "archived", "saml", "resource not accessible", "must have"];

/// Whether this is GitHub's own word, and stays the same however often it is asked.
fn is_known_final(status: u16, said: &str) -> bool {
    match status {
        403 => FORBIDDEN.iter().any(|words| said.contains(words)),
        400 | 410 | 413 | 422 | 451 => !said.is_empty(),
        _ => false,
    }
}

/// GitHub's message with the details behind it, in lower case.
pub(crate) fn said(body: Option<&Value>) -> String {
    let Some(body) = body else { return String::new() };
    let details = body["errors"].as_array().into_iter().flatten();
    let details = details
        .flat_map(|it| [it["message"].as_str(), it["resource"].as_str(), it["code"].as_str(), it.as_str()]);
    let all: Vec<&str> = body["message"].as_str().into_iter().chain(details.flatten()).collect();
    all.join(" ").to_lowercase()
}

fn meaning(status: u16, said: &str) -> (ErrorKind, &'static str) {
    let has = |words: &str| said.contains(words);
    match status {
        300..=399 => (ErrorKind::Config, "it has moved where it can't be followed"),
        401 => (ErrorKind::Auth, "the token isn't accepted; renew it"),
        403 if has("locked") => (ErrorKind::Refused, "the issue is locked; unlock it"),
        403 if has("archived") => (ErrorKind::Refused, "the repository is archived"),
        403 if has("saml") => {
            (ErrorKind::Permission, "authorise the token for the organisation's single sign-on")
        }
        403 => (ErrorKind::Permission, "grant the token write access to issues"),
        404 => (ErrorKind::NotFound, "it doesn't exist, or the token may not see it"),
        409 => (ErrorKind::Conflict, ""),
        410 if has("disabled") => (ErrorKind::Config, "issues are disabled in the repository; enable them"),
        410 => (ErrorKind::NotFound, "it was deleted"),
        413 => (ErrorKind::TooLarge, ""),
        422 if has("too long") => (ErrorKind::TooLarge, ""),
        400 | 422 => (ErrorKind::Invalid, ""),
        408 | 500..=599 => (ErrorKind::Unavailable, ""),
        _ => (ErrorKind::Refused, ""),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use incident_core::model::time::Time;
    use incident_core::port::{Applied, Retry};
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn each_refusal_says_what_to_do_and_whether_it_happened() {
        use ErrorKind::*;
        let call = Call::new("try", Time::UNIX_EPOCH, Duration::from_secs(10));
        let long = json!({ "message": "Validation Failed", "errors": [{ "message": "body is too long (maximum is 65536 characters)" }] });
        let plain = |message: &str| json!({ "message": message });
        for (status, body, kind, applied, is_final) in [
            (301, plain("Moved Permanently"), Config, Applied::No, false),
            (307, plain(""), Config, Applied::No, false),
            (400, plain("Problems parsing JSON"), Invalid, Applied::No, true),
            (401, plain("Bad credentials"), Auth, Applied::No, false),
            (403, plain("Resource not accessible by personal access token"), Permission, Applied::No, true),
            (403, plain("Must have admin rights to Repository."), Permission, Applied::No, true),
            (
                403,
                plain("Resource protected by organization SAML enforcement."),
                Permission,
                Applied::No,
                true,
            ),
            (403, plain("Unable to create comment because issue is locked."), Refused, Applied::No, true),
            (403, plain("Repository was archived so is read-only."), Refused, Applied::No, true),
            (403, plain("Something nobody has heard of"), Permission, Applied::No, false),
            (403, Value::Null, Permission, Applied::No, false),
            (404, plain("Not Found"), NotFound, Applied::No, false),
            (405, Value::Null, Refused, Applied::No, false),
            (407, Value::Null, Refused, Applied::No, false),
            (409, plain("Conflict"), Conflict, Applied::No, false),
            (410, plain("Issues are disabled for this repo"), Config, Applied::No, true),
            (410, plain("This issue was deleted"), NotFound, Applied::No, true),
            (413, plain("Too large"), TooLarge, Applied::No, true),
            (418, plain("I'm a teapot"), Refused, Applied::No, false),
            (422, long, TooLarge, Applied::No, true),
            (422, plain("Validation Failed"), Invalid, Applied::No, true),
            // A proxy's page isn't GitHub's word.
            (400, Value::Null, Invalid, Applied::No, false),
            (422, Value::Null, Invalid, Applied::No, false),
            (451, plain("Repository access blocked"), Refused, Applied::No, true),
            (500, plain(""), Unavailable, Applied::Maybe, false),
            (502, plain("Server Error"), Unavailable, Applied::Maybe, false),
            (503, plain(""), Unavailable, Applied::Maybe, false),
        ] {
            let error = refused(&call, Purpose::Write, status, Some(&body));
            assert_eq!((error.kind, error.applied), (kind, applied), "{status} {body}");
            assert_eq!(error.retry == Retry::Never, is_final, "{status} {body}");
            assert_eq!(refused(&call, Purpose::Read, status, Some(&body)).applied, Applied::No, "{status}");
        }
    }
}
