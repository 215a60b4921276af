//! From what the API server says to what the engine can do about it.

use std::error::Error;
use std::time::Duration;

use http::header::{HeaderMap, RETRY_AFTER};
use incident_core::port::{AdapterError, ErrorKind};
use serde_json::Value;

use crate::object::{items, number, text};

/// The longest wait that a server can ask for; more would silence an incident.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// What a missing API is called, so that it isn't taken for a missing object.
const NOT_SERVED: &str = "the cluster doesn't serve this API";

/// Whether `error` says that an object is missing, and not the whole API.
pub(crate) fn is_missing(error: &AdapterError) -> bool {
    error.kind == ErrorKind::NotFound && !error.context.ends_with(NOT_SERVED)
}

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
    /// The token or certificate couldn't be had. What the library says of it may hold the token, so it isn't kept.
    NoCredentials,
    /// The kubeconfig's plugin gave no credentials, and why.
    Plugin {
        name: String,
        why: &'static str,
    },
    NotConnected(Box<dyn Error + Send + Sync>),
    TimedOut,
    Lost(Box<dyn Error + Send + Sync>),
    /// The answer is larger than what is read of one.
    TooLarge,
    /// The answer isn't what the API answers.
    NotJson,
}

impl Failure {
    pub(crate) fn of(error: kube::Error) -> Self {
        match error {
            kube::Error::Auth(_) => Self::NoCredentials,
            kube::Error::Service(error) if error.is::<kube::client::AuthError>() => Self::NoCredentials,
            kube::Error::Service(error) => {
                let connecting = error.downcast_ref::<hyper_util::client::legacy::Error>();
                if connecting.is_some_and(hyper_util::client::legacy::Error::is_connect) {
                    Self::NotConnected(error)
                } else {
                    Self::Lost(error)
                }
            }
            other => Self::Lost(Box::new(other)),
        }
    }

    pub(crate) fn into_error(self, operation: &'static str, purpose: Purpose) -> AdapterError {
        let of = |kind, context: &str| AdapterError::new(kind, operation).with_context(context);
        let unavailable = |context: &str| of(ErrorKind::Unavailable, context);
        let error = match self {
            Self::Unsent => unavailable("no time was left to ask").not_applied(),
            Self::NoCredentials => {
                of(ErrorKind::Auth, "no credentials could be had; check the kubeconfig's user or its plugin")
            }
            Self::Plugin { name, why } => {
                of(ErrorKind::Auth, &format!("no credentials: the plugin {name} {why}")).not_applied()
            }
            Self::NotConnected(source) => unavailable("no connection").not_applied().caused_by(source),
            Self::TimedOut => unavailable("no answer in time"),
            Self::Lost(source) => {
                unavailable("the connection ended without a valid answer").caused_by(source)
            }
            Self::TooLarge => of(ErrorKind::TooLarge, "the answer is too large; narrow what is asked for"),
            Self::NotJson => unavailable("the answer isn't one of the Kubernetes API; is it a proxy's?"),
        };
        if purpose == Purpose::Read { error.not_applied() } else { error }
    }
}

/// The failure that an answer's body is, whatever its status says: an eviction's refusal can come as a success.
pub(crate) fn disguised(body: &[u8]) -> Option<(u16, Value)> {
    const LONGEST: usize = 16 * 1024;
    let status: Value = serde_json::from_slice(body.get(..body.len().min(LONGEST))?).ok()?;
    let is_failure = text(&status, "/kind") == "Status" && text(&status, "/status") == "Failure";
    let code = u16::try_from(number(&status, "/code")).ok().filter(|code| *code >= 300);
    is_failure.then(|| (code.unwrap_or(500), status))
}

/// What a status that isn't a success means. Nothing of the server's own words is repeated but names that Kubernetes
/// restricts: of fields, webhooks and managers.
pub(crate) fn refused(
    operation: &'static str,
    purpose: Purpose,
    code: u16,
    headers: &HeaderMap,
    status: &Value,
) -> AdapterError {
    let (kind, context) = meaning(code, status);
    let context = if context.is_empty() { format!("HTTP {code}") } else { format!("HTTP {code}: {context}") };
    let error = AdapterError::new(kind, operation).with_context(context);
    let error = match kind {
        ErrorKind::RateLimited | ErrorKind::Unavailable => error.retry_after(wait(headers)),
        // Somebody was faster between our look and our write: looking again settles it.
        ErrorKind::Conflict if causes(status).next().is_none() => {
            error.retry_after(Some(Duration::from_secs(1)))
        }
        _ => error,
    };
    // Admission comes before the object is stored, so a webhook that fails has kept the change out.
    if purpose == Purpose::Read || quoted_after(status, "failed calling webhook ").is_some() {
        error.not_applied()
    } else {
        error
    }
}

fn meaning(code: u16, status: &Value) -> (ErrorKind, String) {
    let message = text(status, "/message");
    let says = |words: &str| message.contains(words);
    if let Some(webhook) = quoted_after(status, "admission webhook ").filter(|_| says("denied the request")) {
        return (ErrorKind::Refused, format!("the admission webhook {webhook} denies it"));
    }
    if let Some(webhook) = quoted_after(status, "failed calling webhook ") {
        let why = format!("the webhook {webhook} fails, and nothing is changed without it");
        return (ErrorKind::Unavailable, why);
    }
    match code {
        400 => (ErrorKind::Invalid, String::new()),
        401 => (ErrorKind::Auth, "the token is expired or not known".to_owned()),
        403 if says("exceeded quota") => {
            (ErrorKind::Refused, "a resource quota doesn't leave room for it".to_owned())
        }
        403 if says("violates PodSecurity") => {
            (ErrorKind::Refused, "the namespace's pod security level denies it".to_owned())
        }
        403 if says("is being terminated") => {
            (ErrorKind::Refused, "the namespace is being deleted".to_owned())
        }
        403 if says(" cannot ") => (ErrorKind::Permission, lacking(status)),
        403 => (ErrorKind::Permission, "forbidden by the role or by admission".to_owned()),
        // A kind that a served group lacks answers a status, too, but one that names no object.
        404 if text(status, "/reason") != "NotFound" || says("could not find the requested resource") => {
            (ErrorKind::NotFound, NOT_SERVED.to_owned())
        }
        404 => (ErrorKind::NotFound, String::new()),
        405 | 406 | 415 => (ErrorKind::Config, "the server doesn't take such a request".to_owned()),
        409 => conflict(status),
        410 => (ErrorKind::Unavailable, "what was read is too old to go on from".to_owned()),
        413 => (ErrorKind::TooLarge, String::new()),
        422 if causes(status).next().is_none() => {
            (ErrorKind::Precondition, "it isn't as the patch expects".to_owned())
        }
        422 => (ErrorKind::Invalid, format!("invalid: {}", invalid(status))),
        // A budget that is only being worked out says when to ask again; one that forbids it doesn't.
        429 if causes(status).any(|cause| text(cause, "/reason") == "DisruptionBudget")
            && number(status, "/details/retryAfterSeconds") == 0 =>
        {
            (ErrorKind::Refused, "a disruption budget doesn't allow it now".to_owned())
        }
        429 => (ErrorKind::RateLimited, String::new()),
        500 if says("more than one PodDisruptionBudget") => {
            (ErrorKind::Refused, "several disruption budgets match the pod; leave one".to_owned())
        }
        408 | 425 | 500..=599 => (ErrorKind::Unavailable, String::new()),
        300..=399 => (ErrorKind::Config, "redirects aren't followed".to_owned()),
        _ => (ErrorKind::Refused, String::new()),
    }
}

/// Which verb on which resource the account lacks.
fn lacking(status: &Value) -> String {
    let message = text(status, "/message");
    let verb = message.split(" cannot ").nth(1).and_then(|it| it.split(' ').next()).and_then(restricted);
    let resource = quoted_after(status, " resource ");
    let group = quoted_after(status, " in API group ").map(|it| format!(".{it}")).unwrap_or_default();
    let place = quoted_after(status, " in the namespace ").map(|it| format!(" in {it}")).unwrap_or_default();
    match (verb, resource) {
        (Some(verb), Some(resource)) => {
            format!("the account may not {verb} {resource}{group}{place}; grant it that verb")
        }
        _ => "the account lacks the role for it; run the preflight".to_owned(),
    }
}

/// What is wrong with which fields. What can't be decoded has a cause that quotes the whole object and whose field is
/// "patch", so what is wrong is told by the end of the message.
fn invalid(status: &Value) -> String {
    let each: Vec<String> = causes(status)
        .filter_map(|cause| match text(cause, "/field") {
            "patch" => Some(undecodable(text(cause, "/message"))),
            field => restricted(field).map(str::to_owned),
        })
        .collect();
    if each.is_empty() { "the server doesn't say which field".to_owned() } else { each.join(", ") }
}

fn undecodable(message: &str) -> String {
    let end = |words: &str| message.rfind(words).map(|at| &message[at + words.len()..]);
    if message.contains("quantities must match") || message.contains("unable to parse quantity") {
        return "a quantity that Kubernetes can't read; expected one such as 500m, 1.5 or 128Mi".to_owned();
    }
    if let Some(field) = end("unknown field ").and_then(quoted) {
        return format!("the field {field} isn't one of this kind");
    }
    if let Some(field) = end(" of type ").and(end("struct field ")).and_then(|it| it.split(' ').next()) {
        let wanted = end(" of type ").and_then(|it| it.split([' ', '"']).next()).and_then(restricted);
        if let (Some(field), Some(wanted)) = (restricted(field), wanted) {
            return format!("the field {field} isn't of the type {wanted}");
        }
    }
    "the object that would come of it can't be decoded; check the types of its fields".to_owned()
}

/// Whether all that stands in the way of an apply is what `manager` itself wrote by other means than applying. To a real
/// server these are two managers.
pub(crate) fn is_own_conflict(status: &Value, manager: &str) -> bool {
    let own =
        |name: &str| name == manager || name.strip_prefix(manager).is_some_and(|it| it.starts_with('/'));
    let mut causes = causes(status).peekable();
    causes.peek().is_some()
        && causes.all(|cause| {
            text(cause, "/reason") == "FieldManagerConflict"
                && text(cause, "/message").strip_prefix("conflict with ").and_then(quoted).is_some_and(own)
        })
}

fn conflict(status: &Value) -> (ErrorKind, String) {
    if text(status, "/reason") == "AlreadyExists" {
        return (ErrorKind::Conflict, "it exists already".to_owned());
    }
    let held = ["in the precondition", "UID in precondition", "uid mismatch"];
    if held.iter().any(|it| text(status, "/message").contains(it)) {
        return (ErrorKind::Precondition, "it was deleted and made anew".to_owned());
    }
    let owned = causes(status).filter(|cause| text(cause, "/reason") == "FieldManagerConflict");
    let owned: Vec<String> = owned
        .filter_map(|cause| {
            let manager = quoted(text(cause, "/message").strip_prefix("conflict with ")?)?;
            Some(format!("{} belongs to {manager}", restricted(text(cause, "/field"))?))
        })
        .collect();
    if owned.is_empty() {
        (ErrorKind::Conflict, "it was changed in the moment of writing".to_owned())
    } else {
        (ErrorKind::Conflict, owned.join(", "))
    }
}

fn causes(status: &Value) -> impl Iterator<Item = &Value> {
    items(status, "/details/causes").iter()
}

/// The name in quotes that stands behind `before` in the message.
fn quoted_after<'a>(status: &'a Value, before: &str) -> Option<&'a str> {
    let message = text(status, "/message");
    quoted(&message[message.find(before)? + before.len()..])
}

fn quoted(text: &str) -> Option<&str> {
    restricted(text.strip_prefix('"')?.split('"').next()?)
}

/// `text` if it is a name or a path of fields and no prose.
fn restricted(text: &str) -> Option<&str> {
    let belongs = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:[]".contains(&byte);
    (!text.is_empty() && text.len() <= 128 && text.bytes().all(belongs)).then_some(text)
}

/// What `Retry-After` asks for; the API server gives seconds.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().map_or(LONGEST_WAIT, Duration::from_secs).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests;
