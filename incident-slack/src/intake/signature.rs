//! Whether a request comes from Slack.

use std::collections::BTreeMap;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use incident_core::model::time::{Time, after};
use sha2::Sha256;

/// How old or how new a request may be, as Slack's documentation asks for.
const TOLERANCE: Duration = Duration::from_secs(300);

/// Checks that `body` was signed by Slack with this app's signing secret, within five minutes of `now`.
///
/// `timestamp` and `signature` are the values of the headers `X-Slack-Request-Timestamp` and `X-Slack-Signature`; `body` is
/// what arrived, before any decoding. The signature is compared in constant time. A signature doesn't make a request new:
/// keep [`Replays`] besides.
///
/// ```
/// use incident_core::model::time::Time;
/// use incident_slack::intake::{SignatureError, verify_signature};
///
/// let signature = "v0=2de40a6c5fb2ae5ace4f248b98a1da188aff9437ccd3990291efdc46b26c0cfb";
/// let check = |body: &[u8], now: Time| verify_signature("the signing secret", "1795662000", signature, body, now);
///
/// let sent: Time = "2026-11-26T03:00:00Z".parse()?;
/// assert_eq!(check(b"command=%2Fincident", sent), Ok(()));
/// assert_eq!(check(b"command=%2Fother", sent), Err(SignatureError::Mismatch));
/// assert_eq!(check(b"command=%2Fincident", "2026-11-26T03:06:00Z".parse()?), Err(SignatureError::Expired));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`SignatureError`]; answer 401 then, and do nothing. An empty secret verifies nothing.
pub fn verify_signature(
    secret: &str,
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now: Time,
) -> Result<(), SignatureError> {
    // Everybody can sign with an empty key, and to HMAC a key of NULs is one.
    if secret.chars().all(|character| character.is_whitespace() || character == '\0') {
        return Err(SignatureError::NoSecret);
    }
    let is_number = !timestamp.is_empty() && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let sent_at: i64 = timestamp.parse().ok().filter(|_| is_number).ok_or(SignatureError::Malformed)?;
    let hex = signature.strip_prefix("v0=").ok_or(SignatureError::Malformed)?;
    let signature = hex::decode(hex).map_err(|_| SignatureError::Malformed)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(b"v0:");
    mac.update(timestamp.as_bytes());
    mac.update(b":");
    mac.update(body);
    mac.verify_slice(&signature).map_err(|_| SignatureError::Mismatch)?;
    if now.timestamp().abs_diff(sent_at) > TOLERANCE.as_secs() {
        return Err(SignatureError::Expired);
    }
    Ok(())
}

/// Why a request isn't to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The signing secret is empty, so anybody could have signed the request. Set the app's signing secret.
    #[error("the signing secret is empty: set the app's own, from Basic Information")]
    NoSecret,
    /// The headers aren't of this form.
    #[error("not a signature: expected v0=<hex> and a time in seconds")]
    Malformed,
    /// Another secret, or the body was changed.
    #[error("the signature doesn't fit")]
    Mismatch,
    /// The request is too old, or from the future.
    #[error("the request is too old or too new")]
    Expired,
}

/// The signatures of the last minutes, so that a request which is sent again by somebody else is noticed.
///
/// Slack's own retries are signed anew; what makes those one is the id of their [`Intake`](super::Intake).
#[derive(Debug, Default)]
pub struct Replays {
    until: BTreeMap<String, Time>,
}

impl Replays {
    /// None seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether `signature` – one that fits – is seen for the first time. Forgets those that are too old to be accepted.
    pub fn is_first(&mut self, signature: &str, now: Time) -> bool {
        self.until.retain(|_, until| *until >= now);
        // A request may be from five minutes ahead, and is accepted until five minutes after that.
        self.until.insert(signature.to_ascii_lowercase(), after(now, TOLERANCE * 2)).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const TIMESTAMP: &str = "1531420618";
    const BODY: &[u8] = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn at(seconds: i64) -> Time {
        Time::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn slacks_own_example_is_accepted_for_five_minutes() {
        for (offset, expect) in [
            (0, Ok(())),
            (300, Ok(())),
            (-300, Ok(())),
            (301, Err(SignatureError::Expired)),
            (-301, Err(SignatureError::Expired)),
        ] {
            let now = at(1_531_420_618 + offset);
            assert_eq!(verify_signature(SECRET, TIMESTAMP, SIGNATURE, BODY, now), expect, "{offset}");
        }
    }

    #[test]
    fn nothing_else_is_accepted() {
        let now = at(1_531_420_618);
        let longer = [BODY, b"&x=1"].concat();
        let cut = &SIGNATURE[..SIGNATURE.len() - 2];
        let without = &SIGNATURE[3..];
        for (secret, timestamp, signature, body, expect) in [
            ("other", TIMESTAMP, SIGNATURE, BODY, SignatureError::Mismatch),
            (SECRET, "1531420619", SIGNATURE, BODY, SignatureError::Mismatch),
            (SECRET, TIMESTAMP, SIGNATURE, &longer, SignatureError::Mismatch),
            (SECRET, TIMESTAMP, cut, BODY, SignatureError::Mismatch),
            (SECRET, TIMESTAMP, "v0=", BODY, SignatureError::Mismatch),
            (SECRET, TIMESTAMP, without, BODY, SignatureError::Malformed),
            (SECRET, TIMESTAMP, "v0=zz", BODY, SignatureError::Malformed),
            (SECRET, "+1531420618", SIGNATURE, BODY, SignatureError::Malformed),
            (SECRET, "99999999999999999999", SIGNATURE, BODY, SignatureError::Malformed),
            (SECRET, "", SIGNATURE, BODY, SignatureError::Malformed),
        ] {
            assert_eq!(verify_signature(secret, timestamp, signature, body, now), Err(expect), "{signature}");
        }
    }

    #[test]
    fn an_empty_secret_verifies_nothing() {
        for secret in ["", " ", "\n", "\0", "\0\0 "] {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
            mac.update(&[b"v0:", TIMESTAMP.as_bytes(), b":", BODY].concat());
            let signature = format!("v0={}", hex::encode(mac.finalize().into_bytes()));
            let checked = verify_signature(secret, TIMESTAMP, &signature, BODY, at(1_531_420_618));
            assert_eq!(checked, Err(SignatureError::NoSecret), "{secret:?}");
        }
    }

    #[test]
    fn a_request_is_new_once_while_it_would_be_accepted() {
        let mut replays = Replays::new();
        assert!(replays.is_first(SIGNATURE, at(0)));
        assert!(!replays.is_first(&SIGNATURE.to_uppercase().replace("V0", "v0"), at(600)));
        assert!(replays.is_first("v0=00", at(600)));
        assert!(replays.is_first(SIGNATURE, at(2_000)));
    }
}
