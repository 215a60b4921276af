//! Making JSON of what is nearly JSON, so that one broken text doesn't cost the whole body.

use std::fmt::Write as _;

/// The body as JSON, if it is nearly that.
///
/// Bytes that aren't UTF-8 and half surrogate pairs become U+FFFD, control characters and unknown escapes in texts are
/// escaped, and the numbers that JSON doesn't have become null.
pub(super) fn repaired(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut json = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(first) = rest.chars().next() {
        rest = if first == '"' {
            json.push('"');
            string(&rest[1..], &mut json)
        } else if let Some(after) =
            ["-Infinity", "Infinity", "NaN"].iter().find_map(|it| rest.strip_prefix(it))
        {
            json.push_str("null");
            after
        } else {
            json.push(first);
            &rest[first.len_utf8()..]
        };
    }
    json
}

/// Copies the text that begins with `rest` up to its closing quote; gives what follows.
fn string<'t>(mut rest: &'t str, json: &mut String) -> &'t str {
    loop {
        let plain = rest.find(|it: char| matches!(it, '"' | '\\' | '\0'..='\u{1f}')).unwrap_or(rest.len());
        json.push_str(&rest[..plain]);
        rest = &rest[plain..];
        let Some(special) = rest.chars().next() else { return rest };
        match special {
            '"' => {
                json.push('"');
                return &rest[1..];
            }
            '\\' => rest = escape(rest, json),
            control => {
                let _ = write!(json, "\\u{:04x}", u32::from(control));
                rest = &rest[1..];
            }
        }
    }
}

/// Copies the escape that `rest` begins with, or what may stand for it; gives what follows.
fn escape<'t>(rest: &'t str, json: &mut String) -> &'t str {
    let length = match rest.as_bytes().get(1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
        Some(b'u') => match (unit(rest), rest.get(6..).and_then(unit)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 12,
            (Some(0xd800..0xe000), _) => {
                json.push_str("\\ufffd");
                return &rest[6..];
            }
            (Some(_), _) => 6,
            (None, _) => 0,
        },
        _ => 0,
    };
    if length == 0 {
        json.push_str("\\\\");
        return &rest[1..];
    }
    json.push_str(&rest[..length]);
    &rest[length..]
}

/// The code unit that an escape at the beginning of `text` names.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_json_becomes_json_and_what_is_json_stays() {
        for (nearly, json) in [
            (r#"{"a":"b\n\u00e9\ud83d\ude00\"\\"}"#, r#"{"a":"b\n\u00e9\ud83d\ude00\"\\"}"#),
            (r#"["cut \ud83d"]"#, r#"["cut \ufffd"]"#),
            (r#"["\ud83d\ud83d\ude00"]"#, r#"["\ufffd\ud83d\ude00"]"#),
            (r#"["\ude00\ud83d"]"#, r#"["\ufffd\ufffd"]"#),
            (r#"["\ud83d\u0041"]"#, r#"["\ufffd\u0041"]"#),
            ("[\"a\tb\nc\"]", r#"["a\u0009b\u000ac"]"#),
            (r#"["C:\xyz \u12"]"#, r#"["C:\\xyz \\u12"]"#),
            (r#"[NaN,-Infinity,Infinity,"NaN"]"#, r#"[null,null,null,"NaN"]"#),
            (r#"["open"#, r#"["open"#),
            (r#"["\"#, r#"["\\"#),
            (r#"["\u00"#, r#"["\\u00"#),
        ] {
            assert_eq!(repaired(nearly.as_bytes()), json, "{nearly}");
        }
        assert_eq!(repaired(b"[\"\xff\"]"), "[\"\u{fffd}\"]");
    }
}
