//! Secrets that are known by the key before them.

use std::ops::Range;

use super::run;

/// How keys of secrets end, without what joins words.
const ENDS: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "accountkey",
    "secretkey",
    "privatekey",
    "signingkey",
    "credential",
    "credentials",
];
/// Headers whose value may have spaces.
const HEADERS: [&str; 4] = ["authorization", "proxyauthorization", "cookie", "setcookie"];
/// Keys that are secret in the query of a URL.
const QUERY: [&str; 6] = ["sig", "signature", "key", "xamzsignature", "xamzcredential", "xgoogsignature"];
/// Values that say only whether there is a secret.
const PLAIN: [&str; 8] = ["true", "false", "null", "nil", "none", "yes", "no", "~"];
/// The longest key that is looked at.
const LONGEST: usize = 128;

/// What stands around a key.
pub(super) struct Around {
    /// It is the name of a command-line flag, so its value may follow a space.
    pub(super) flag: bool,
    /// It is part of a URL's query.
    pub(super) in_query: bool,
    /// It is the first on its line, so that an unquoted value after a colon goes to the line's end.
    pub(super) leads_line: bool,
}

/// The value of the key that begins at `at`, if it is a secret's.
pub(super) fn value(text: &[u8], at: usize, around: &Around) -> Option<Range<usize>> {
    let reach = &text[..text.len().min(at + LONGEST)];
    let end = run(reach, at, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    let kind = Kind::of(&text[at..end], around)?;
    let key_end = run(text, end, |byte| matches!(byte, b'\\' | b'"' | b'\''));
    let blank = |at| run(text, at, |byte| matches!(byte, b' ' | b'\t'));
    let sign = blank(key_end);
    let (start, colon) = match &text[sign..] {
        [b'=', b'>', ..] | [b':', b'=', ..] => (blank(sign + 2), false),
        [b'=', ..] => (blank(sign + 1), false),
        [b':', ..] => (blank(sign + 1), true),
        [first, ..] if around.flag && sign > key_end && *first != b'-' => (sign, false),
        _ => return None,
    };
    let opened = run(text, start, |byte| byte == b'\\');
    if let Some(quote @ (b'"' | b'\'')) = text.get(opened) {
        let end = closing(text, opened + 1, *quote, opened - start);
        return secret(text, scheme(text, opened + 1), end);
    }
    let start = scheme(text, start);
    let quoted_key = key_end > end;
    // What begins something nested, stands for nothing or says where the secret is.
    if colon && matches!(text.get(start), Some(b'{' | b'[' | b'<')) {
        return None;
    }
    let to_line_end = colon && !quoted_key && (around.leads_line || kind == Kind::Header);
    let mut end = run(text, start, |byte| match byte {
        b'\n' | b'\r' => false,
        b'"' | b'\'' => to_line_end && around.leads_line,
        _ if to_line_end => true,
        b',' | b'}' | b']' => !quoted_key,
        _ => !byte.is_ascii_whitespace() && !b"&;<>".contains(&byte),
    });
    while matches!(text.get(end), Some(b'"' | b'\'')) && text[start..end].ends_with(b"\\") {
        end -= 1;
    }
    secret(text, start, end)
}

#[derive(PartialEq)]
enum Kind {
    Secret,
    Header,
}

impl Kind {
    fn of(key: &[u8], around: &Around) -> Option<Self> {
        let letters = |byte: &&u8| !matches!(byte, b'_' | b'-' | b'.');
        let joined: String =
            key.iter().filter(letters).map(|byte| char::from(byte.to_ascii_lowercase())).collect();
        let name = joined.as_str();
        let is_pass = || name.ends_with("pass") && (name == "pass" || key[..key.len() - 4].ends_with(b"_"));
        match () {
            () if HEADERS.contains(&name) => Some(Self::Header),
            () if ENDS.iter().any(|end| name.ends_with(end)) || is_pass() => Some(Self::Secret),
            () if around.in_query && QUERY.contains(&name) => Some(Self::Secret),
            () => None,
        }
    }
}

/// Where the value begins after the name of its scheme, which says how it is used and isn't secret.
fn scheme(text: &[u8], start: usize) -> usize {
    let names = [&b"bearer "[..], b"basic ", b"token ", b"digest "];
    let here = &text[start..];
    let scheme =
        names.iter().find(|name| here.get(..name.len()).is_some_and(|it| it.eq_ignore_ascii_case(name)));
    start + scheme.map_or(0, |name| name.len())
}

/// Where the value ends that was opened by `quote` with `escapes` backslashes before it; at the line's end at the latest.
fn closing(text: &[u8], start: usize, quote: u8, escapes: usize) -> usize {
    let mut slashes = 0;
    for (at, byte) in text.iter().enumerate().skip(start) {
        // A quote that is escaped more deeply than the first one is part of the value.
        let closes = if escapes == 0 { slashes % 2 == 0 } else { slashes <= escapes };
        match *byte {
            b'\n' => return at,
            b'\\' => slashes += 1,
            byte if byte == quote && closes => return at - slashes.min(escapes),
            _ => slashes = 0,
        }
    }
    text.len()
}

/// The range without what trails it, unless it only says whether there is a secret or where it is.
fn secret(text: &[u8], start: usize, end: usize) -> Option<Range<usize>> {
    let value = text.get(start..end)?.trim_ascii_end();
    let refers = value.starts_with(b"${") || value.starts_with(b"$(");
    let masked = value.iter().all(|byte| b"*|>-".contains(byte));
    let says_whether = PLAIN.iter().any(|name| value.eq_ignore_ascii_case(name.as_bytes()));
    (!refers && !masked && !says_whether).then_some(start..start + value.len())
}
