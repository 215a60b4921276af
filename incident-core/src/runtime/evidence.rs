//! What is kept of a capture: text without secrets, and everything else as it is.

use crate::views::redact::redact;

/// The most bytes of one piece of evidence.
const LARGEST: usize = 16 * 1024 * 1024;

/// A capture as it is kept.
#[derive(Debug)]
pub(super) struct Clean {
    pub(super) bytes: Vec<u8>,
    pub(super) truncated: bool,
    pub(super) redactions: usize,
    pub(super) unredacted: bool,
}

/// Redacts text. Bytes of another media type are kept as they are: a redacted picture is no picture.
pub(super) fn clean(mut bytes: Vec<u8>, media_type: &str, truncated: bool) -> Clean {
    let truncated = truncated || bytes.len() > LARGEST;
    bytes.truncate(LARGEST);
    if !is_text(media_type) {
        return Clean { bytes, truncated, redactions: 0, unredacted: true };
    }
    let clean = redact(&bytes);
    Clean { bytes: clean.bytes, truncated, redactions: clean.count, unredacted: false }
}

/// Whether a media type is text. One that says nothing counts as text, so that it is redacted.
fn is_text(media_type: &str) -> bool {
    const TEXT: [&str; 14] = [
        "json",
        "xml",
        "yaml",
        "toml",
        "ndjson",
        "jsonl",
        "x-ndjson",
        "x-yaml",
        "javascript",
        "x-sh",
        "x-www-form-urlencoded",
        "sql",
        "graphql",
        "x-pem-file",
    ];
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let Some((kind, subtype)) = essence.split_once('/') else { return true };
    let suffix = subtype.rsplit('+').next().unwrap_or(subtype);
    kind == "text" || kind == "message" || TEXT.contains(&suffix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_no_text_is_kept_as_it_is() {
        for (media_type, text) in [
            ("text/plain", true),
            ("TEXT/Plain; charset=utf-8", true),
            ("application/json", true),
            ("application/problem+json", true),
            ("application/vnd.kubernetes+yaml;v=1", true),
            ("image/svg+xml", true),
            ("", true),
            ("nonsense", true),
            ("image/png", false),
            ("application/octet-stream", false),
            ("application/pdf", false),
            ("application/gzip", false),
            ("video/mp4", false),
        ] {
            assert_eq!(is_text(media_type), text, "{media_type:?}");
            let secret = b"\xff\xfe password=hunter2".to_vec();
            let kept = clean(secret.clone(), media_type, false);
            assert_eq!(kept.unredacted, !text);
            assert_eq!(kept.bytes == secret, !text, "{media_type:?}");
            assert_eq!(kept.redactions, usize::from(text));
        }
    }

    #[test]
    fn it_is_bounded_and_says_so() {
        for media_type in ["image/png", "text/plain"] {
            let kept = clean(vec![b'a'; LARGEST + 1], media_type, false);
            assert!(kept.truncated && kept.bytes.len() <= LARGEST, "{media_type}");
        }
        assert!(!clean(vec![0; 9], "image/png", false).truncated);
    }
}
