//! Secrets that are known by the key before them.

use std::ops::Range;

use super::name::{Certainty, of_secret};
use super::run;

/// Headers whose value may have spaces.
const HEADERS: [&str; 4] = ["authorization", "proxyauthorization", "cookie", "setcookie"];
/// Keys that are secret in the query of a URL.
const QUERY: [&str; 6] = ["sig", "signature", "key", "xamzsignature", "xamzcredential", "xgoogsignature"];
/// Values that say only whether there is a secret.
const PLAIN: [&str; 18] = [
    "true", "false", "null", "nil", "none", "yes", "no", "~", "plain", "basic", "login", "oauth", "oauth2",
    "ldap", "oidc", "digest", "required", "optional",
];
/// The longest key that is looked at.
const LONGEST: usize = 128;

/// What stands around a key.
#[derive(Clone, Copy)]
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
    let key_end = run(text, end, |byte| matches!(byte, b'\\' | b'"' | b'\''));
    let Some(kind) = Kind::of(&text[at..end], around) else {
        return match &text[at..end] {
            b"name" | b"Name" | b"key" | b"Key" => of_entry(text, key_end, around),
            _ => None,
        };
    };
    after_key(text, end, key_end, around, kind)
}

/// The value of an entry with a name field and a value field, as in the environment of a pod.
fn of_entry(text: &[u8], key_end: usize, around: &Around) -> Option<Range<usize>> {
    let blank = |byte: u8| b" \t=:\\\"'".contains(&byte);
    let near = |at: usize, most: usize| &text[..text.len().min(at + most)];
    let start = run(near(key_end, 16), key_end, blank);
    let name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let end = run(near(start, LONGEST), start, name);
    if start == key_end || of_secret(&text[start..end]).is_none() {
        return None;
    }
    let next = run(near(end, 64), end, |byte| byte.is_ascii_whitespace() || b"\\\"',;".contains(&byte));
    let field = run(near(next, 8), next, |byte| byte.is_ascii_alphabetic());
    if next == end || !text[next..field].eq_ignore_ascii_case(b"value") {
        return None;
    }
    let quotes = run(text, field, |byte| matches!(byte, b'\\' | b'"' | b'\''));
    let around = Around { leads_line: quotes == field, ..*around };
    after_key(text, field, quotes, &around, Kind::Secret)
}

/// The value behind a key that ends at `end`, and with its quotes at `key_end`.
fn after_key(text: &[u8], end: usize, key_end: usize, around: &Around, kind: Kind) -> Option<Range<usize>> {
    let blank = |at| run(text, at, |byte| matches!(byte, b' ' | b'\t'));
    let sign = blank(key_end);
    let (start, colon) = match &text[sign..] {
        [b'=', b'>', ..] | [b':', b'=', ..] => (blank(sign + 2), false),
        [b'=', ..] => (blank(sign + 1), false),
        [b':', ..] => (blank(sign + 1), true),
        [first, ..] if around.flag && sign > key_end && *first != b'-' && *first != b'\n' => (sign, false),
        // The next element of a list, on the same line or on the next.
        [b',', ..] if around.flag && key_end > end => (element(text, sign + 1)?, false),
        [b'\n' | b'\r', ..] if around.flag => (element(text, sign)?, false),
        // A quoted value after the bare word, as in SQL.
        [b'\'' | b'"', ..] if is_password(&text[..end]) && sign > key_end && key_end == end => (sign, false),
        _ => return None,
    };
    let kind_is_likely = kind == Kind::Likely;
    let opened = run(text, start, |byte| byte == b'\\');
    if let Some(quote @ (b'"' | b'\'')) = text.get(opened) {
        let end = closing(text, opened + 1, *quote, opened - start);
        return secret(text, scheme(text, opened + 1), end)
            .filter(|it| !kind_is_likely || !is_plain(&text[it.clone()]));
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
    // PWD is also the working directory.
    if text[start..].starts_with(b"/") && text[..key_end].to_ascii_lowercase().ends_with(b"pwd") {
        return None;
    }
    secret(text, start, end).filter(|it| !kind_is_likely || !is_plain(&text[it.clone()]))
}

/// Whether the key that ends here is called a password; other words often precede a quoted name.
fn is_password(text: &[u8]) -> bool {
    let end = &text[text.len().saturating_sub(10)..];
    let end = end.to_ascii_lowercase();
    [&b"password"[..], b"passwd", b"passphrase"].iter().any(|word| end.ends_with(word))
}

/// Where the next element of a list begins, that isn't a flag.
fn element(text: &[u8], at: usize) -> Option<usize> {
    let near = &text[..text.len().min(at + 64)];
    let start = run(near, at, |byte| byte.is_ascii_whitespace());
    let start =
        if near[start..].starts_with(b"- ") { run(near, start + 2, |byte| byte == b' ') } else { start };
    let first = near.get(run(near, start, |byte| matches!(byte, b'\\' | b'"' | b'\'')))?;
    (*first != b'-').then_some(start)
}

/// Whether the value is a number, a duration or a size.
fn is_plain(value: &[u8]) -> bool {
    value.len() <= 8 && value.first().is_some_and(u8::is_ascii_digit)
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Secret,
    /// A secret, unless the value is a plain number.
    Likely,
    Header,
}

impl Kind {
    fn of(key: &[u8], around: &Around) -> Option<Self> {
        let letters = |byte: &&u8| !matches!(byte, b'_' | b'-' | b'.');
        let joined: String =
            key.iter().filter(letters).map(|byte| char::from(byte.to_ascii_lowercase())).collect();
        let name = joined.as_str();
        match of_secret(key) {
            _ if HEADERS.contains(&name) => Some(Self::Header),
            Some(Certainty::Sure) => Some(Self::Secret),
            Some(Certainty::Likely) => Some(Self::Likely),
            None if around.in_query && QUERY.contains(&name) => Some(Self::Secret),
            None => None,
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
