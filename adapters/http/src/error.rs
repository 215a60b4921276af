//! From what HTTP says to what the engine can do about it.

use std::error::Error;
use std::io;
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use incident_core::model::time::{Time, since};
use incident_core::port::{AdapterError, ErrorKind};

use crate::client::Answer;

/// The longest wait that a backend can ask for; more would silence an incident.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// Whether a request changes something, and so whether a failure leaves a doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Read,
    Write,
}

/// No usable answer came.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: FailureKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FailureKind {
    Unsent,
    NotConnected,
    TimedOut,
    Lost,
}

impl Failure {
    /// The time was over before the request could be sent.
    pub(crate) fn unsent() -> Self {
        Self { kind: FailureKind::Unsent, source: None }
    }

    /// There was no connection to send it over.
    pub(crate) fn unconnected(source: Box<dyn Error + Send + Sync>) -> Self {
        Self { kind: FailureKind::NotConnected, source: Some(source) }
    }

    /// The time was over before the answer was there.
    pub(crate) fn timed_out() -> Self {
        Self { kind: FailureKind::TimedOut, source: None }
    }

    /// The connection broke on the way.
    pub(crate) fn lost(source: hyper::Error) -> Self {
        Self { kind: FailureKind::Lost, source: Some(source.into()) }
    }

    /// What this says about the service itself, if it does.
    ///
    /// A refused, dropped or silent connection is how an outage looks. A name that isn't resolved or a certificate that
    /// isn't accepted may as well be our own fault, so they say nothing.
    pub(crate) fn observation(&self) -> Option<&'static str> {
        match self.kind {
            FailureKind::Unsent => None,
            FailureKind::TimedOut => Some("no answer in time"),
            FailureKind::Lost => Some("the connection ended without a valid answer"),
            FailureKind::NotConnected => match self.io_kind()? {
                io::ErrorKind::ConnectionRefused => Some("connection refused"),
                io::ErrorKind::TimedOut => Some("no connection in time"),
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof => Some("the connection was dropped"),
                _ => None,
            },
        }
    }

    pub(crate) fn into_error(self, operation: &'static str, purpose: Purpose) -> AdapterError {
        let error = AdapterError::new(ErrorKind::Unavailable, operation);
        let error = match self.kind {
            FailureKind::Unsent => error.with_context("no time was left to send it").not_applied(),
            FailureKind::NotConnected => error.with_context("no connection").not_applied(),
            FailureKind::TimedOut => error.with_context("no answer in time"),
            FailureKind::Lost => error.with_context("the connection ended without a valid answer"),
        };
        let error = if purpose == Purpose::Read { error.not_applied() } else { error };
        match self.source {
            Some(source) => error.caused_by(source),
            None => error,
        }
    }

    fn io_kind(&self) -> Option<io::ErrorKind> {
        let mut error: Option<&(dyn Error + 'static)> = self.source.as_deref().map(|it| it as _);
        while let Some(layer) = error {
            if let Some(io) = layer.downcast_ref::<io::Error>() {
                return Some(io.kind());
            }
            error = layer.source();
        }
        None
    }
}

/// `answer` if its status is a success.
///
/// # Errors
/// By the status: what the backend's own refusal means, and whether it may have acted all the same.
pub(crate) fn accepted(
    operation: &'static str,
    purpose: Purpose,
    now: Time,
    answer: Answer,
) -> Result<Answer, AdapterError> {
    if answer.status.is_success() {
        Ok(answer)
    } else {
        Err(refused(operation, purpose, now, answer.status, &answer.headers))
    }
}

/// Statuses that say of a notice that it won't ever be taken: the endpoint is gone for good, or what is in the notice is at
/// fault.
const FINAL: [u16; 3] = [410, 413, 422];

/// `answer` if its status is a success.
///
/// # Errors
/// By the status. Any that isn't known to be final asks for another try: a proxy, a deploy or an expired token refuses for
/// a while what must not be lost.
pub(crate) fn delivered(operation: &'static str, now: Time, answer: Answer) -> Result<Answer, AdapterError> {
    let (status, wait) = (answer.status.as_u16(), wait(&answer.headers, now));
    accepted(operation, Purpose::Write, now, answer)
        .map_err(|error| if FINAL.contains(&status) { error } else { error.retry_after(wait) })
}

/// What a status that isn't a success means.
pub(crate) fn refused(
    operation: &'static str,
    purpose: Purpose,
    now: Time,
    status: StatusCode,
    headers: &HeaderMap,
) -> AdapterError {
    let kind = match status.as_u16() {
        300..=399 => ErrorKind::Config,
        400 | 422 => ErrorKind::Invalid,
        401 | 407 => ErrorKind::Auth,
        403 => ErrorKind::Permission,
        404 | 410 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        412 => ErrorKind::Precondition,
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::RateLimited,
        // The server, or a proxy before it, gave up on receiving the request.
        408 | 425 | 500..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::Refused,
    };
    let code = status.as_u16();
    let error = AdapterError::new(kind, operation);
    let error = match kind {
        ErrorKind::Config => {
            error.with_context(format!("HTTP {code}; redirects aren't followed, give the final address"))
        }
        _ => error.with_context(format!("HTTP {code}")),
    };
    let error = match kind {
        ErrorKind::RateLimited | ErrorKind::Unavailable => error.retry_after(wait(headers, now)),
        _ => error,
    };
    match (purpose, code) {
        (Purpose::Read, _) => error.not_applied(),
        // Many a service acts on a POST and then sends the browser elsewhere.
        (Purpose::Write, 301..=303) => error.maybe_applied(),
        (Purpose::Write, _) => error,
    }
}

/// What `Retry-After` asks for, in seconds or as a date.
pub(crate) fn wait(headers: &HeaderMap, now: Time) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_or(LONGEST_WAIT, Duration::from_secs)
    } else {
        since(httpdate::parse_http_date(text).ok()?.into(), now)
    };
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use incident_core::port::{Applied, Retry};

    use super::*;

    fn now() -> Time {
        "2026-11-23T14:30:00Z".parse().unwrap()
    }

    fn headers(retry_after: &str) -> HeaderMap {
        HeaderMap::from_iter([(RETRY_AFTER, retry_after.parse().unwrap())])
    }

    #[test]
    fn retry_after_is_read_in_both_dialects() {
        for (text, seconds) in [
            ("17", Some(17)),
            (" 0 ", Some(0)),
            ("Mon, 23 Nov 2026 14:31:30 GMT", Some(90)),
            ("Monday, 23-Nov-26 14:31:30 GMT", Some(90)),
            ("Mon Nov 23 14:31:30 2026", Some(90)),
            ("Mon, 23 Nov 2026 14:00:00 GMT", Some(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(86_400)),
            ("99999999999999999999999", Some(86_400)),
            ("-5", None),
            ("soon", None),
            ("", None),
        ] {
            let got = wait(&headers(text), now());
            assert_eq!(got, seconds.map(Duration::from_secs), "{text:?}");
        }
    }

    #[test]
    fn each_status_says_what_to_do_and_whether_it_happened() {
        use ErrorKind::*;
        for (code, kind, applied) in [
            (302, Config, Applied::Maybe),
            (303, Config, Applied::Maybe),
            (307, Config, Applied::No),
            (308, Config, Applied::No),
            (400, Invalid, Applied::No),
            (401, Auth, Applied::No),
            (403, Permission, Applied::No),
            (404, NotFound, Applied::No),
            (408, Unavailable, Applied::Maybe),
            (409, Conflict, Applied::No),
            (410, NotFound, Applied::No),
            (412, Precondition, Applied::No),
            (413, TooLarge, Applied::No),
            (418, Refused, Applied::No),
            (422, Invalid, Applied::No),
            (429, RateLimited, Applied::No),
            (500, Unavailable, Applied::Maybe),
            (502, Unavailable, Applied::Maybe),
            (503, Unavailable, Applied::Maybe),
        ] {
            let status = StatusCode::from_u16(code).unwrap();
            let error = refused("try", Purpose::Write, now(), status, &headers("7"));
            assert_eq!((error.kind, error.applied), (kind, applied), "{code}");
            let waits = matches!(kind, RateLimited | Unavailable);
            let retry = if waits { Retry::After(Some(Duration::from_secs(7))) } else { Retry::Never };
            assert_eq!(error.retry, retry, "{code}");
            let read = refused("try", Purpose::Read, now(), status, &headers("7"));
            assert_eq!(read.applied, Applied::No, "a read changes nothing, {code}");
        }
    }
}
