//! Secrets that are known by how they look.

use std::ops::Range;

use super::run;

/// How tokens begin that show their kind, the bytes that may follow besides letters and digits, and how many at least.
const PREFIXES: [(&[u8], &[u8], usize); 15] = [
    (b"AKIA", b"", 16),
    (b"ASIA", b"", 16),
    (b"ghp_", b"", 20),
    (b"gho_", b"", 20),
    (b"ghu_", b"", 20),
    (b"ghs_", b"", 20),
    (b"ghr_", b"", 20),
    (b"github_pat_", b"_", 20),
    (b"glpat-", b"_-", 20),
    (b"xapp-", b"-", 10),
    (b"hooks.slack.com/services/", b"/", 20),
    (b"sk_live_", b"", 16),
    (b"rk_live_", b"", 16),
    (b"npm_", b"", 30),
    (b"AIza", b"_-", 35),
];

/// The token that begins at `at`, by its prefix.
pub(super) fn token(text: &[u8], at: usize) -> Option<Range<usize>> {
    let here = &text[at..];
    match here[0] {
        b'e' if here.starts_with(b"eyJ") => return web_token(text, at),
        b'x' if here.starts_with(b"xox") && here.get(4) == Some(&b'-') => return tail(text, at, 5, b"-", 10),
        b'b' | b'B' => return bearer(text, at),
        _ => {}
    }
    let (prefix, more, least) = PREFIXES.iter().find(|(prefix, ..)| here.starts_with(prefix))?;
    // The host of a Slack hook isn't secret, what follows is; of other tokens the prefix belongs to the secret.
    let secret = tail(text, at, prefix.len(), more, *least)?;
    Some(if prefix.ends_with(b"/") { at + prefix.len()..secret.end } else { secret })
}

fn tail(text: &[u8], at: usize, prefix: usize, more: &[u8], least: usize) -> Option<Range<usize>> {
    let end = run(text, at + prefix, |byte| byte.is_ascii_alphanumeric() || more.contains(&byte));
    (end - at - prefix >= least).then_some(at..end)
}

/// A JSON Web Token: three parts, of which the first begins an object and the last may be empty.
fn web_token(text: &[u8], at: usize) -> Option<Range<usize>> {
    // Without this, parts joined by dashes would each be read to the end of the whole.
    if at > 0 && text[at - 1] == b'-' {
        return None;
    }
    let part = |at| run(text, at, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let head = part(at);
    let body = (text.get(head) == Some(&b'.')).then(|| part(head + 1))?;
    (text.get(body) == Some(&b'.') && body - head > 8).then(|| at..part(body + 1))
}

/// What follows the word Bearer, if it looks more like a token than like a word.
fn bearer(text: &[u8], at: usize) -> Option<Range<usize>> {
    let (word, rest) = text[at..].split_at_checked(7)?;
    let start = at + 7;
    let end = start + rest.iter().take_while(|byte| is_token(**byte)).count();
    let mixed = || text[start..end].iter().any(u8::is_ascii_digit);
    (word.eq_ignore_ascii_case(b"bearer ") && end - start >= 16 && mixed()).then_some(start..end)
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

/// A long run of letters and digits that looks random. Hexadecimal digests have no capitals, and identifiers have long
/// runs of one kind of character, so neither counts.
pub(super) fn random(text: &[u8], at: usize) -> Option<Range<usize>> {
    const LEAST: usize = 32;
    let belongs = |byte: u8| byte.is_ascii_alphanumeric() || b"+/_".contains(&byte);
    if at.checked_sub(1).is_some_and(|at| belongs(text[at])) {
        return None;
    }
    let end = run(text, at, belongs);
    let here = &text[at..end];
    if here.len() < LEAST {
        return None;
    }
    let kind = |byte: &u8| match byte {
        b'a'..=b'z' => 0_u8,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let of = |wanted: u8| here.iter().filter(|byte| kind(byte) == wanted).count();
    let changes = here.windows(2).filter(|pair| kind(&pair[0]) != kind(&pair[1])).count();
    let mixed = of(0) >= 4 && of(1) >= 4 && of(2) >= 3 && of(3) <= here.len() / 8;
    let distinct = (0..=u8::MAX).filter(|byte| here.contains(byte)).count();
    (mixed && changes >= here.len() / 3 && distinct >= 16).then(|| at..run(text, end, |byte| byte == b'='))
}

/// The body of a private key in PEM, whose first dash is at `at`; also of one that was cut off.
pub(super) fn private_key(text: &[u8], at: usize) -> Option<Range<usize>> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    if !text[at..].starts_with(BEGIN) {
        return None;
    }
    let label = at + BEGIN.len();
    let dashes = run(text, label, |byte| byte.is_ascii_uppercase() || byte == b' ' || byte.is_ascii_digit());
    let names_key = text[label..dashes].ends_with(b"PRIVATE KEY");
    let body = (names_key && text[dashes..].starts_with(b"-----")).then_some(dashes + 5)?;
    let end = whole_body(text, body).unwrap_or_else(|| rest_of_body(text, body));
    (end > body).then_some(body..end)
}

/// Where the body ends if its end is marked. Besides base64 it has headers, line breaks as such or as an escape, and the
/// quotes of lines in a list.
fn whole_body(text: &[u8], start: usize) -> Option<usize> {
    let belongs = |byte: u8| {
        byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"+/=\\:,'\"".contains(&byte)
    };
    let mut end = run(text, start, belongs);
    while text.get(end) == Some(&b'-') && !text[end..].starts_with(b"-----") {
        end = run(text, end + 1, belongs);
    }
    text[end..].starts_with(b"-----END ").then_some(end)
}

/// Where the body of a key that was cut off ends: before the first line that has more than base64.
fn rest_of_body(text: &[u8], start: usize) -> usize {
    let end = run(text, start, |byte| byte.is_ascii_alphanumeric() || b"+/=\\\r\n".contains(&byte));
    match text.get(end) {
        None | Some(b'"' | b'\'') => end,
        Some(_) => text[start..end].iter().rposition(|byte| *byte == b'\n').map_or(end, |line| start + line),
    }
}

/// The account or password in a URL whose `://` begins at `at`.
pub(super) fn account(text: &[u8], at: usize) -> Option<Range<usize>> {
    if !text[at..].starts_with(b"://") {
        return None;
    }
    let start = at + 3;
    let end = run(text, start, |byte| !byte.is_ascii_whitespace() && !b"/?#\"'<>\\".contains(&byte));
    let account = start..start + text[start..end].iter().rposition(|byte| *byte == b'@')?;
    let colon = text[account.clone()].iter().position(|byte| *byte == b':');
    let of_web = text[..at].ends_with(b"http") || text[..at].ends_with(b"https");
    match colon {
        // On the web the name is often the token; elsewhere it says who connected.
        _ if of_web => Some(account),
        Some(colon) => Some(start + colon + 1..account.end),
        None => None,
    }
    .filter(|secret| !secret.is_empty())
}
