//! Whether a webhook is from GitHub.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Checks that `body` was signed with `secret`, the webhook's.
///
/// `header` is the value of `X-Hub-Signature-256`, and `body` the bytes as they arrived, before any parsing. The signature
/// is compared in constant time. An empty secret verifies nothing: a webhook without one isn't signed.
///
/// ```
/// use incident_github::{SignatureError, verify_signature};
///
/// // The example of GitHub's documentation.
/// let secret = "It's a Secret to Everybody";
/// let header = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
/// assert_eq!(verify_signature(secret, b"Hello, World!", header), Ok(()));
/// assert_eq!(verify_signature(secret, b"Hello, World?", header), Err(SignatureError::Mismatch));
/// ```
///
/// # Errors
/// [`SignatureError`]; answer 401 then, and read nothing of the body.
pub fn verify_signature(secret: &str, body: &[u8], header: &str) -> Result<(), SignatureError> {
    let hex = header.trim().strip_prefix("sha256=").ok_or(SignatureError::Malformed)?;
    let signature = hex::decode(hex).map_err(|_| SignatureError::Malformed)?;
    if secret.is_empty() {
        return Err(SignatureError::Mismatch);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(body);
    mac.verify_slice(&signature).map_err(|_| SignatureError::Mismatch)
}

/// Why a webhook isn't to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The header isn't of this form.
    #[error("not a signature: expected sha256=<hex>")]
    Malformed,
    /// Another secret, or the body was changed.
    #[error("the signature doesn't fit")]
    Mismatch,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_right_signature_over_the_raw_bytes_verifies() {
        let (secret, body) = ("It's a Secret to Everybody", b"Hello, World!".as_slice());
        let good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let upper = good.replace("757107EA", "757107ea");
        for (secret, body, header, expect) in [
            (secret, body, good, Ok(())),
            (secret, body, &upper, Ok(())),
            (secret, b"Hello, World! ".as_slice(), good, Err(SignatureError::Mismatch)),
            ("another", body, good, Err(SignatureError::Mismatch)),
            ("", body, good, Err(SignatureError::Mismatch)),
            (secret, body, &good[..good.len() - 2], Err(SignatureError::Mismatch)),
            (secret, body, "sha256=", Err(SignatureError::Mismatch)),
            (secret, body, &good[..good.len() - 1], Err(SignatureError::Malformed)),
            (secret, body, "sha256=zz", Err(SignatureError::Malformed)),
            (secret, body, &good.replace("sha256", "sha1"), Err(SignatureError::Malformed)),
            (secret, body, "", Err(SignatureError::Malformed)),
        ] {
            assert_eq!(verify_signature(secret, body, header), expect, "{header}");
        }
    }
}
