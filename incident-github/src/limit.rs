//! GitHub's two kinds of limits, which come with two statuses and in three dialects.
//!
//! The primary one counts requests an hour and names the second at which it begins anew; the secondary ones count
//! whatever they like and name a wait, or nothing. Both answer `403` or `429`, and a `403` is a missing permission just as
//! often.

use std::time::Duration;

use http::header::{HeaderMap, RETRY_AFTER};
use incident_core::model::time::{Time, since};

/// The longest wait that is believed; more would silence an incident.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);
/// How long to wait where GitHub says that there is a limit and not for how long, by its documentation.
const UNSAID: Duration = Duration::from_secs(60);
/// What GitHub's messages say where the headers don't.
const SAID: [&str; 3] = ["rate limit", "abuse detection", "too many requests"];

/// What GitHub says where it calls content invalid and means that there is too much of it.
const TOO_MUCH: [&str; 2] = ["submitted too quickly", "spammed"];

/// How long to wait, if this answer is a limit's.
pub(crate) fn wait(status: u16, headers: &HeaderMap, message: &str, now: Time) -> Option<Duration> {
    if status == 422 {
        let message = message.to_lowercase();
        return TOO_MUCH.iter().any(|said| message.contains(said)).then_some(UNSAID);
    }
    if status != 403 && status != 429 {
        return None;
    }
    let number = |name: &str| -> Option<i64> { headers.get(name)?.to_str().ok()?.trim().parse().ok() };
    let asked = headers.get(RETRY_AFTER).and_then(|_| number("retry-after"));
    let reset = number("x-ratelimit-reset").filter(|_| number("x-ratelimit-remaining") == Some(0));
    let wait = match (asked, reset) {
        (Some(seconds), _) => Duration::from_secs(u64::try_from(seconds).unwrap_or(0)),
        (None, Some(epoch)) => until(epoch, now),
        (None, None) => {
            let message = message.to_lowercase();
            if status == 403 && !SAID.iter().any(|said| message.contains(said)) {
                return None;
            }
            UNSAID
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

/// Until one second after `epoch`, for the limit may still hold within that second.
fn until(epoch: i64, now: Time) -> Duration {
    let reset = Time::from_timestamp(epoch.saturating_add(1), 0).unwrap_or(now);
    since(reset, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_is_understood_and_a_missing_permission_is_no_limit() {
        let now: Time = "2026-11-26T14:30:00Z".parse().unwrap();
        let reset = |seconds: i64| (now.timestamp() + seconds).to_string();
        let secondary = "You have exceeded a secondary rate limit. Please wait.";
        type Headers<'h> = &'h [(&'h str, &'h str)];
        let cases: [(u16, Headers<'_>, &str, Option<u64>); 17] = [
            (429, &[("retry-after", "17")], "", Some(17)),
            (403, &[("retry-after", "17")], "", Some(17)),
            (403, &[("retry-after", "-5")], "", Some(0)),
            (403, &[("retry-after", "99999999")], "", Some(86_400)),
            (403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &reset(90))], "", Some(91)),
            (429, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &reset(-90))], "", Some(0)),
            (403, &[("x-ratelimit-remaining", "4999"), ("x-ratelimit-reset", &reset(90))], "", None),
            (403, &[("x-ratelimit-remaining", "12")], secondary, Some(60)),
            (403, &[], "You have triggered an abuse detection mechanism.", Some(60)),
            (429, &[], "", Some(60)),
            (429, &[("x-ratelimit-reset", "soon")], "", Some(60)),
            (403, &[], "Resource not accessible by integration", None),
            (403, &[], "", None),
            (404, &[("retry-after", "17")], "", None),
            (422, &[], "Validation Failed was submitted too quickly", Some(60)),
            (422, &[], "The endpoint has been spammed.", Some(60)),
            (422, &[], "Validation Failed", None),
        ];
        for (status, headers, message, seconds) in cases {
            let headers: HeaderMap = headers
                .iter()
                .map(|(name, value)| {
                    (http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap())
                })
                .collect();
            let got = wait(status, &headers, message, now);
            assert_eq!(got, seconds.map(Duration::from_secs), "{status} {headers:?} {message}");
        }
    }
}
