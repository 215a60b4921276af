//! Signing what is posted, and checking it at the other end.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use incident_core::model::time::Time;
use sha2::Sha256;

/// The most signatures of one header that are looked at; two are enough to change a secret.
const MOST_SIGNATURES: usize = 8;

/// `t=<unix seconds>,v1=<hex>`, the HMAC-SHA256 over `<unix seconds>.<body>`.
pub(crate) fn sign(secret: &str, now: Time, body: &[u8]) -> String {
    let seconds = now.timestamp().to_string();
    let signature = hex::encode(mac(secret.as_bytes(), &seconds, body).finalize().into_bytes());
    format!("t={seconds},v1={signature}")
}

/// Checks that `body` came with a signature by `secret` that isn't older or newer than `tolerance`.
///
/// For whoever receives the notices of a [`WebhookNotifier`](crate::WebhookNotifier): `header` is the value of
/// `X-Incident-Signature`, `body` the bytes as they arrived, before any parsing. The signature is compared in constant
/// time; several `v1` may be there while a secret is being changed, and one that fits is enough.
///
/// A signature doesn't make a message new: drop an `id` that was seen within the tolerance or longer.
///
/// ```
/// use std::time::Duration;
/// use incident_core::model::time::Time;
/// use incident_http::{SignatureError, verify_signature};
///
/// let header = "t=1795444200,v1=c442925a7b8f43d80671fb715858fbf2d9a11c847b4208359cb9108fb7f2372b";
/// let now: Time = "2026-11-23T14:31:00Z".parse()?;
/// let tolerance = Duration::from_secs(300);
///
/// assert_eq!(verify_signature("hunter2", header, br#"{"schema":1}"#, now, tolerance), Ok(()));
/// assert_eq!(
///     verify_signature("hunter2", header, br#"{"schema":2}"#, now, tolerance),
///     Err(SignatureError::Mismatch),
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`SignatureError`]; refuse the message then.
pub fn verify_signature(
    secret: &str,
    header: &str,
    body: &[u8],
    now: Time,
    tolerance: Duration,
) -> Result<(), SignatureError> {
    let mut seconds = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", it)) if seconds.is_none() => seconds = Some(it),
            Some(("t", _)) => return Err(SignatureError::Malformed),
            Some(("v1", it)) if signatures.len() < MOST_SIGNATURES => signatures.push(it),
            // Versions that are yet to come mustn't break those who check this one.
            _ => {}
        }
    }
    let seconds = seconds.ok_or(SignatureError::Malformed)?;
    let signed_at: i64 = seconds.parse().map_err(|_| SignatureError::Malformed)?;
    if signatures.is_empty() {
        return Err(SignatureError::Malformed);
    }
    let fits = signatures
        .iter()
        .filter_map(|hex| hex::decode(hex).ok())
        .any(|signature| mac(secret.as_bytes(), seconds, body).verify_slice(&signature).is_ok());
    if !fits {
        return Err(SignatureError::Mismatch);
    }
    if now.timestamp().abs_diff(signed_at) > tolerance.as_secs() {
        return Err(SignatureError::Expired);
    }
    Ok(())
}

/// Why a message isn't to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The header isn't of this form.
    #[error("not a signature: expected t=<unix seconds>,v1=<hex>")]
    Malformed,
    /// Another secret, or the body was changed.
    #[error("the signature doesn't fit")]
    Mismatch,
    /// The message is too old, or from the future.
    #[error("the signature is too old or too new")]
    Expired,
}

fn mac(secret: &[u8], seconds: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(seconds.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLERANCE: Duration = Duration::from_secs(300);

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_signed_verifies_until_it_is_too_old_or_too_new() {
        let signed = sign("s", at("2026-11-23T14:30:00Z"), b"body");
        for (now, expect) in [
            ("2026-11-23T14:30:00Z", Ok(())),
            ("2026-11-23T14:35:00Z", Ok(())),
            ("2026-11-23T14:25:00Z", Ok(())),
            ("2026-11-23T14:35:01Z", Err(SignatureError::Expired)),
            ("2026-11-23T14:24:59Z", Err(SignatureError::Expired)),
        ] {
            assert_eq!(verify_signature("s", &signed, b"body", at(now), TOLERANCE), expect, "{now}");
        }
    }

    #[test]
    fn nothing_else_verifies() {
        let now = at("2026-11-23T14:30:00Z");
        let good = sign("s", now, b"body");
        let other = sign("other", now, b"body");
        let both = format!("{},{}", other, good.split_once(',').unwrap().1);
        let moved = good.replacen("t=1", "t=2", 1);
        for (header, expect) in [
            (good.as_str(), Ok(())),
            (&both, Ok(())),
            (&format!("{good},v2=new"), Ok(())),
            (&other, Err(SignatureError::Mismatch)),
            (&moved, Err(SignatureError::Mismatch)),
            (&format!("{good}00"), Err(SignatureError::Mismatch)),
            (&good[..good.len() - 2], Err(SignatureError::Mismatch)),
            ("t=1795444200,v1=", Err(SignatureError::Mismatch)),
            ("t=1795444200,v1=zz", Err(SignatureError::Mismatch)),
            ("t=1795444200", Err(SignatureError::Malformed)),
            (&format!("t=0,{good}"), Err(SignatureError::Malformed)),
            ("v1=00", Err(SignatureError::Malformed)),
            ("t=now,v1=00", Err(SignatureError::Malformed)),
            ("", Err(SignatureError::Malformed)),
        ] {
            assert_eq!(verify_signature("s", header, b"body", now, TOLERANCE), expect, "{header}");
        }
    }
}
